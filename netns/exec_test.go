package netns_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/netns"
)

// An execOrder is what the role "exec" does.
type execOrder struct {
	Path              string
	Argv              []string
	Hosts, ResolvConf string
	Dir               string
	Sys               netns.SysMode
	Env               []string
}

func playExec(args []string) int {
	var o execOrder
	if err := json.Unmarshal([]byte(args[0]), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	h, err := netns.OpenPath(o.Path)
	if err == nil {
		err = netns.Exec(h, o.Argv, netns.ExecOptions{
			Hosts: o.Hosts, ResolvConf: o.ResolvConf, Dir: o.Dir, Sys: o.Sys, Env: o.Env,
			Warn: func(err error) { fmt.Fprintln(os.Stderr, "warning:", err) },
		})
	}
	fmt.Fprintln(os.Stderr, err)
	if e, ok := errors.AsType[*netns.ExecError](err); ok {
		return e.ExitCode()
	}
	return 1
}

// smallEtc replaces /etc by a small one that may be changed.
const smallEtc = `set -e; mount -t tmpfs none /mnt; mkdir -p /mnt/etc/dir; cp -dR /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.* /mnt/etc/
cd /mnt/etc; touch $(seq 20) dir/file; ln -s dir link; echo system | tee hosts resolv.conf >/dev/null; cd /; mount --bind /mnt/etc /etc
`

// execIn runs an order in a mount namespace that before has prepared.
func execIn(t testing.TB, before string, o execOrder) (stdout, stderr string, code int) {
	t.Helper()
	order, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	script := smallEtc + before + `
export ` + roleEnv + `=exec; exec "$0" "$1"`
	if before == "" {
		script = `export ` + roleEnv + `=exec; exec "$0" "$1"`
	}
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", script, must(os.Executable()), string(order))
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the exit code tells
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestExecReplacesTheProcess(t *testing.T) {
	prepare(t)
	h := create(t, "exec", nil)
	order := must(json.Marshal(execOrder{Path: netns.Dir + "/exec", Argv: []string{"sh", "-c", "echo $$; readlink /proc/self/ns/net; ls /sys/class/net; exit 42"}}))
	cmd := roleCommand(t.Context(), "exec", string(order))
	out, err := cmd.Output()
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 42 {
		t.Errorf("error %v, want exit status 42", err)
	}
	if want := fmt.Sprintf("%d\nnet:[%d]\nlo\n", cmd.Process.Pid, h.Inode()); string(out) != want {
		t.Errorf("output %q, want %q", out, want)
	}
}

func TestExecPassesSignals(t *testing.T) {
	prepare(t)
	create(t, "signals", nil)
	order := must(json.Marshal(execOrder{Path: netns.Dir + "/signals", Argv: []string{"sleep", "1000"}}))
	cmd := roleCommand(t.Context(), "exec", string(order))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kerneltest.Eventually(t, patience, func() error {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid))
		if err == nil && string(b) != "sleep\n" {
			err = fmt.Errorf("the process is %q", b)
		}
		return err
	})
	// Nothing of Go's handling of signals stays behind: it is the program that dies of this.
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	if ws, ok := cmd.ProcessState.Sys().(interface{ Signaled() bool }); !ok || !ws.Signaled() {
		t.Errorf("%v, want death by a signal", err)
	}
}

func TestExecErrors(t *testing.T) {
	prepare(t)
	create(t, "errors", nil)
	dir := t.TempDir()
	plant(t, dir+"/plain", "no program", 0o644)
	plant(t, dir+"/script", "echo script $1\n", 0o755)
	plant(t, dir+"/bad", "#!/no/such/interpreter\n", 0o755)
	path := []string{"PATH=/nowhere:" + dir + ":/usr/bin:/bin"}
	for _, tt := range []struct {
		name string
		o    execOrder
		code int
		text string
	}{
		{"missing", execOrder{Argv: []string{"no-such-program"}}, 127, "no-such-program"},
		{"missing-path", execOrder{Argv: []string{dir + "/no"}}, 127, dir + "/no"},
		{"below-file", execOrder{Argv: []string{dir + "/plain/no"}}, 127, "not a directory"},
		{"empty-name", execOrder{Argv: []string{""}}, 127, ""},
		{"nothing", execOrder{}, 127, ""},
		{"not-executable", execOrder{Argv: []string{dir + "/plain"}}, 126, dir + "/plain"},
		{"not-executable-in-path", execOrder{Argv: []string{"plain"}, Env: path}, 126, "permission denied"},
		{"directory", execOrder{Argv: []string{"/tmp"}}, 126, "/tmp"},
		{"missing-interpreter", execOrder{Argv: []string{dir + "/bad"}}, 127, "bad"},
		{"script-without-interpreter", execOrder{Argv: []string{"script", "arg"}, Env: path}, 0, "script arg"},
		{"missing-hosts", execOrder{Argv: []string{"true"}, Hosts: "/no/hosts"}, 1, "/etc/hosts"},
		{"missing-directory", execOrder{Argv: []string{"true"}, Dir: "/no/dir"}, 1, "/no/dir"},
		{"missing-namespace", execOrder{Argv: []string{"true"}, Path: netns.Dir + "/no"}, 1, netns.Dir + "/no"},
		{"directory-of-its-own", execOrder{Argv: []string{"sh", "-c", "pwd"}, Dir: "/usr"}, 0, "/usr\n"},
		{"relative-to-directory", execOrder{Argv: []string{"./script", "x"}, Dir: dir}, 0, "script x\n"},
		{"environment", execOrder{Argv: []string{"sh", "-c", "echo $X"}, Env: append(path, "X=y")}, 0, "y\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.o.Path == "" {
				tt.o.Path = netns.Dir + "/errors"
			}
			out, errs, code := execIn(t, "", tt.o)
			if code != tt.code || !strings.Contains(out+errs, tt.text) {
				t.Errorf("code %d, output %q, %q; want %d and %q", code, out, errs, tt.code, tt.text)
			}
		})
	}
}

// What is mounted below /sys is still there, and what is shown of devices is the namespace's.
func TestExecKeepsMountsBelowSys(t *testing.T) {
	kerneltest.Need(t, "exec:findmnt")
	prepare(t)
	create(t, "sys", nil)
	show := []string{"sh", "-c", "findmnt -rno TARGET | grep ^/sys/ | sort; ls /sys/class/net; cat /sys/fs/cgroup/warren-test/file"}
	before := "mount -t tmpfs cgroup /sys/fs/cgroup; mkdir /sys/fs/cgroup/warren-test; mount -t tmpfs inner /sys/fs/cgroup/warren-test; echo kept >/sys/fs/cgroup/warren-test/file; mount -t tmpfs bpf /sys/fs/bpf; mount -t tmpfs tracing /sys/kernel/tracing 2>/dev/null || mount -t tmpfs tracing /sys/kernel/debug"
	out, errs, code := execIn(t, before, execOrder{Path: netns.Dir + "/sys", Argv: show})
	if code != 0 || errs != "" {
		t.Errorf("code %d, %q", code, errs)
	}
	lines := strings.Fields(out)
	for _, want := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/warren-test", "/sys/fs/bpf", "lo", "kept"} {
		if !slices.Contains(lines, want) {
			t.Errorf("%q is lost; got %q", want, lines)
		}
	}
	if i := slices.Index(lines, "lo"); i >= 0 && i != len(lines)-2 {
		t.Errorf("devices: %q, want lo alone", lines)
	}
	if n := strings.Count(out, "/sys/fs/bpf\n"); n != 1 {
		t.Errorf("/sys/fs/bpf is mounted %d times", n)
	}
	out, _, _ = execIn(t, before, execOrder{Path: netns.Dir + "/sys", Argv: show, Sys: netns.SysFull})
	if strings.Contains(out, "/sys/fs/bpf") {
		t.Errorf("bare /sys has %q", out)
	}
}

// On a /sys that the kernel will not give again (in containers) the program runs all the same.
func TestExecWithoutSysfs(t *testing.T) {
	prepare(t)
	create(t, "nosys", nil)
	// In a user namespace sysfs may be mounted only where a whole one is visible: here a part of it is covered.
	order := func(mode netns.SysMode) string {
		return string(must(json.Marshal(execOrder{Path: "/run/inner", Argv: []string{"echo", "ran"}, Sys: mode})))
	}
	for _, tt := range []struct {
		mode netns.SysMode
		code int
		text string
	}{
		{netns.SysKeep, 0, "warning: /sys shows the devices of another network namespace"},
		{netns.SysNone, 0, ""},
		{netns.SysFull, 1, "mount /sys"},
	} {
		script := `mount -t tmpfs none /sys/class/net && exec unshare -Urmn sh -c 'mount -t tmpfs none /run && touch /run/inner &&
			mount --bind /proc/self/ns/net /run/inner && export ` + roleEnv + `=exec && exec "$0" "$1"' "$0" "$1"`
		script = strings.Replace(script, "/sys/class/net", "/sys/kernel", 1)
		cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", script, must(os.Executable()), order(tt.mode))
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(string(out), tt.text) || tt.code == 0 != strings.Contains(string(out), "ran") || tt.mode == netns.SysNone && string(out) != "ran\n" {
			t.Errorf("%v: code %d, %q; want %d, %q", tt.mode, code, out, tt.code, tt.text)
		}
	}
}

// Private files in /etc, whatever the system's are; and nobody else sees them.
func TestExecPrivateFiles(t *testing.T) {
	prepare(t)
	create(t, "etc", nil)
	dir := t.TempDir()
	plant(t, dir+"/hosts", "private hosts\n", 0o644)
	plant(t, dir+"/resolv", "private resolv\n", 0o644)
	for name, before := range map[string]string{
		"file":           "true",
		"link":           "mkdir -p /etc/x; echo shared >/etc/x/stub; ln -sf x/stub /etc/resolv.conf",
		"link-elsewhere": "mkdir -p /run/resolve; echo shared >/run/resolve/stub; ln -sf /run/resolve/stub /etc/resolv.conf",
		"link-chain":     "mkdir -p /etc/x; echo shared >/etc/x/stub; ln -sf stub /etc/x/link; ln -sf x/link /etc/resolv.conf",
		"dangling":       "ln -sf /nowhere/stub /etc/resolv.conf",
		"loop":           "ln -sf resolv.conf /etc/resolv.conf",
		"missing":        "rm -f /etc/resolv.conf",
		"both-missing":   "rm -f /etc/resolv.conf /etc/hosts",
		"mounted":        "mount --bind /etc/passwd /etc/resolv.conf",
		"read-only":      "mount -o remount,ro,bind /etc",
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, code := execIn(t, "umask 022; "+before, execOrder{
				Path: netns.Dir + "/etc", Hosts: dir + "/hosts", ResolvConf: dir + "/resolv",
				Argv: []string{"sh", "-c", "cat /etc/hosts /etc/resolv.conf; cat /etc/x/stub /run/resolve/stub 2>/dev/null; grep -c ^root: /etc/passwd; ls /etc | wc -l; cmp /etc/passwd /mnt/etc/passwd"},
			})
			want := "private hosts\nprivate resolv\n"
			if strings.HasPrefix(name, "link") {
				want += "shared\n" // what the link leads to has other readers
			}
			want += "1\n"
			rest, ok := strings.CutPrefix(out, want)
			if n, err := strconv.Atoi(strings.TrimSpace(rest)); !ok || err != nil || n < 20 || errs != "" || code != 0 {
				t.Errorf("code %d, output %q, %q; want %q and many files", code, out, errs, want)
			}
			os.RemoveAll("/run/resolve")
		})
	}
}

// Nothing that exec mounts is seen by the caller, on a machine whose mounts are all shared.
func TestExecLeaksNoMounts(t *testing.T) {
	prepare(t)
	create(t, "leaks", nil)
	dir := t.TempDir()
	plant(t, dir+"/resolv", "private\n", 0o644)
	order := string(must(json.Marshal(execOrder{Path: netns.Dir + "/leaks", ResolvConf: dir + "/resolv", Argv: []string{"cat", "/etc/resolv.conf"}})))
	script := smallEtc + `rm -f /etc/resolv.conf; mount --make-rshared /
		export ` + roleEnv + `=exec; cat /proc/self/mountinfo >/mnt/before; "$0" "$1"; cat /proc/self/mountinfo >/mnt/after; cmp /mnt/before /mnt/after; ! test -e /etc/resolv.conf`
	out, err := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", script, must(os.Executable()), order).CombinedOutput()
	if err != nil || string(out) != "private\n" {
		t.Errorf("%v: %q", err, out)
	}
}

// The files below /etc/netns/NAME count as with ip netns exec; what is asked for by option goes first.
func TestExecOverlays(t *testing.T) {
	kerneltest.Need(t, "exec:ip")
	prepare(t)
	create(t, "over", nil)
	dir := t.TempDir()
	plant(t, dir+"/hosts", "by option\n", 0o644)
	before := "mkdir -p /etc/netns/over/sub /etc/sub; echo 'by name' | tee /etc/netns/over/hosts /etc/netns/over/resolv.conf /etc/netns/over/new /etc/netns/over/sub/file >/dev/null"
	show := []string{"sh", "-c", "cat /etc/hosts /etc/resolv.conf /etc/new /etc/sub/file"}
	out, errs, code := execIn(t, before, execOrder{Path: netns.Dir + "/over", Argv: show})
	if want := strings.Repeat("by name\n", 4); out != want || errs != "" || code != 0 {
		t.Errorf("code %d, %q, %q; want %q", code, out, errs, want)
	}
	out, errs, code = execIn(t, before, execOrder{Path: netns.Dir + "/over", Argv: show, Hosts: dir + "/hosts"})
	if want := "by option\n" + strings.Repeat("by name\n", 3); out != want || errs != "" || code != 0 {
		t.Errorf("code %d, %q, %q; want %q", code, out, errs, want)
	}
}

// A directory that is covered by a mount is entered again by its path.
func TestExecInCoveredDirectory(t *testing.T) {
	prepare(t)
	create(t, "covered", nil)
	order := string(must(json.Marshal(execOrder{Path: netns.Dir + "/covered", Argv: []string{"ls"}})))
	cmd := roleCommand(t.Context(), "exec", order)
	cmd.Dir = "/sys/class/net"
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "lo\n" {
		t.Errorf("%v: %q, want lo", err, out)
	}
}

// Whoever has opened a namespace whose name is then taken away does not get in any more.
func TestExecAfterTheNameIsGone(t *testing.T) {
	prepare(t)
	path := netns.Dir + "/going"
	h, err := netns.Create(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if err := netns.Delete(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	var late *netns.ExecError
	if err := netns.Exec(h, []string{"/no/such/program"}, netns.ExecOptions{}); !errors.Is(err, netns.ErrNotExist) || errors.As(err, &late) {
		t.Errorf("exec: %v, want that the namespace is gone", err)
	}
}
