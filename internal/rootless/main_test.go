package rootless_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// binary builds the real program where an ordinary user can execute it.
var binary = sync.OnceValues(func() (string, error) {
	const dir = "/run/bin"
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", dir+"/warren", "warren/cmd/warren")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return dir + "/warren", nil
})

// A user is an ordinary one: with an id of its own when the tests are root's, else root's id under another name, in a user
// namespace in which the process has no capability.
type user struct {
	uid  int
	attr *syscall.SysProcAttr
	home string // runtime directory
	env  []string
}

func newUser(t *testing.T) *user {
	t.Helper()
	if _, err := binary(); err != nil {
		t.Fatal(err)
	}
	kerneltest.LeakCheck(t)
	u := &user{uid: 65534}
	home := "/run/home" // not below the temporary directory, which is root's alone
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	u.home = home
	if manyUsers(t) {
		u.attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if err := os.Chown(home, 65534, 65534); err != nil {
			t.Fatal(err)
		}
	} else {
		u.uid = 1000
		u.attr = &syscall.SysProcAttr{
			Cloneflags:  unix.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 1000, HostID: 0, Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 1000, HostID: 0, Size: 1}},
		}
	}
	t.Cleanup(func() {
		if t.Failed() && u.attr.Credential != nil {
			// One failure is enough: what the user has here (a PID namespace of the tests') is not to spoil the next test.
			_ = u.cmd(t, "sh", "-c", "kill -9 -1").Run()
		}
	})
	u.env = append(u.env, "PATH="+os.Getenv("PATH"), "LC_ALL=C.UTF-8", "XDG_RUNTIME_DIR="+home)
	return u
}

// manyUsers reports whether this user namespace has more than one.
func manyUsers(t *testing.T) bool {
	t.Helper()
	data, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(data))
	return len(f) > 3 || f[2] != "1"
}

func (u *user) dir() string { return filepath.Join(u.home, "warren") }

func (u *user) cmd(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	attr := *u.attr
	cmd.SysProcAttr = &attr
	cmd.Env = u.env
	return cmd
}

// try runs warren as the user.
func (u *user) try(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return output(t, u.cmd(t, path, args...))
}

func output(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// run runs warren as the user, and it must succeed.
func (u *user) run(t *testing.T, args ...string) string {
	t.Helper()
	o, e, code := u.try(t, args...)
	if code != 0 {
		t.Fatalf("warren %s: exit %d\n%s%s", strings.Join(args, " "), code, o, e)
	}
	return o
}

// refused runs warren as the user; it must fail and say all of want.
func (u *user) refused(t *testing.T, args []string, want ...string) {
	t.Helper()
	o, e, code := u.try(t, args...)
	if code != 1 || o != "" {
		t.Errorf("warren %s: exit %d, want 1\n%s%s", strings.Join(args, " "), code, o, e)
	}
	for _, w := range want {
		if !strings.Contains(e, w) {
			t.Errorf("warren %s: %q does not say %q", strings.Join(args, " "), e, w)
		}
	}
}

// lab writes a lab file that the user can read.
func (u *user) lab(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(u.home, name+".yaml")
	if err := os.WriteFile(path, []byte("name: "+name+"\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// gone: nothing of the user's is there now, not in a moment.
func (u *user) gone(t *testing.T) {
	t.Helper()
	if _, err := os.Lstat(u.dir()); !errors.Is(err, os.ErrNotExist) {
		left, _ := os.ReadDir(u.dir())
		t.Errorf("%s is still there (%v): %v", u.dir(), err, left)
	}
	for pid, argv := range commands(t) {
		if argv[0] == "warren" || strings.HasPrefix(argv[0], "warren@") || len(argv) > 1 && argv[1] == "@relay" {
			t.Errorf("a process is still there: PID %d, %q", pid, argv)
		}
	}
}

// holders lists the processes that keep worlds.
func holders(t *testing.T) []int {
	t.Helper()
	var pids []int
	for pid, argv := range commands(t) {
		if argv[0] == "warren" && len(argv) > 1 && argv[1] == "@world" {
			pids = append(pids, pid)
		}
	}
	return pids
}

const pair = "nets:\n  lan: [h1, h2]\n"

const wait = 30 * time.Second
