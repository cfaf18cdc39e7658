package runtimetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
)

// An engine runs containers, in network, mount and cgroup namespaces of its own.
type engine struct {
	t      *testing.T
	kind   string // as warren calls what it makes
	dir    string // its data
	pid    int    // of its first process
	groups []string
	env    []string
	log    string // what it has written
}

// newEngine makes the directory and the control groups of an engine.
func newEngine(t *testing.T, kind string) *engine {
	t.Helper()
	e := &engine{t: t, kind: kind, dir: t.TempDir()}
	e.log = filepath.Join(e.dir, "log")
	e.groups = groups(t, filepath.Base(filepath.Dir(e.dir)))
	return e
}

// enter joins the engine's control groups, as a daemon's child is in them.
func (e *engine) enter() string {
	var b strings.Builder
	for _, dir := range e.groups {
		fmt.Fprintf(&b, "echo $$ >%s/cgroup.procs\n", dir)
	}
	return b.String()
}

// start runs a program as the first of the engine's namespaces. There /run is empty but for the temporary directory, /sys
// shows the network namespace and the control groups are those of a machine that has nothing but the engine. Prepare is a script
// that runs before.
func (e *engine) start(prepare string, argv ...string) {
	e.t.Helper()
	var mounts strings.Builder
	list, err := hierarchies()
	if err != nil {
		e.t.Fatal(err)
	}
	for _, h := range list {
		fmt.Fprintf(&mounts, "mkdir -p %[1]s; mount -n -t %[2]s -o %[3]s cgroup %[1]s\n", h.dir, h.kind, h.options)
	}
	inside := `
ip link set lo up
mkdir -p ` + e.dir + `/run
mount -n -t tmpfs tmpfs ` + e.dir + `/run
mkdir ` + e.dir + `/run/tmp
mount -n --bind /run/tmp ` + e.dir + `/run/tmp
mount -n --move ` + e.dir + `/run /run
mount -n -t sysfs sysfs /sys
mount -n -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
` + mounts.String() + unified + prepare + `
echo up >` + e.dir + `/up
exec "$@"`
	log, err := os.Create(e.log)
	if err != nil {
		e.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.CommandContext(context.Background(), "sh", append([]string{
		"-euc",
		e.enter() + `exec unshare -n -m -C --propagation private sh -euc "$@"`, "sh", inside, "sh",
	}, argv...)...)
	cmd.Env = append(os.Environ(), e.env...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	e.pid = cmd.Process.Pid
	e.t.Cleanup(func() {
		if e.t.Failed() {
			b, _ := os.ReadFile(e.log)
			e.t.Logf("%s has written:\n%s", argv[0], b[max(0, len(b)-8000):])
		}
		_ = unix.Kill(e.pid, unix.SIGKILL) // its containers follow when their control groups are removed
		_ = cmd.Wait()                     // killed
	})
	// Until then its number stands for a process in our own namespaces.
	kerneltest.Eventually(e.t, patience, func() error {
		if _, err := os.Stat(e.dir + "/up"); err != nil {
			return errors.Join(err, unix.Kill(e.pid, 0))
		}
		return nil
	})
}

// unified prepares version 2 of control groups where that is all there is: processes may not be in a group that has others
// below it.
const unified = `
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
	mkdir -p /sys/fs/cgroup/engine
	echo $$ >/sys/fs/cgroup/engine/cgroup.procs
	for c in $(cat /sys/fs/cgroup/cgroup.controllers); do echo +$c >/sys/fs/cgroup/cgroup.subtree_control || true; done
fi
`

// ready waits until a client of the engine gets an answer.
func (e *engine) ready(argv ...string) {
	e.t.Helper()
	kerneltest.Eventually(e.t, patience, func() error {
		if err := unix.Kill(e.pid, 0); err != nil {
			return errors.Join(err, errors.New("it has ended"))
		}
		_, err := e.try(argv...)
		return err
	})
}

// try runs a client in the engine's namespaces and returns what it writes to standard output.
func (e *engine) try(argv ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", append([]string{
		"-euc",
		e.enter() + `exec nsenter -t ` + strconv.Itoa(e.pid) + ` -n -m -C -- "$@"`, "sh",
	}, argv...)...)
	cmd.Env = append(os.Environ(), e.env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &errOut, time.Second // what stays behind may have them open
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s%s", argv, err, out.String(), errOut.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// run is try that has to succeed.
func (e *engine) run(argv ...string) string {
	e.t.Helper()
	out, err := e.try(argv...)
	if err != nil {
		e.t.Fatal(err)
	}
	return out
}

// words splits a line of arguments.
func words(format string, args ...any) []string { return strings.Fields(fmt.Sprintf(format, args...)) }
