package rootless_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
)

// TestExamples: every example does for an ordinary user what it does for root.
func TestExamples(t *testing.T) {
	examples, err := filepath.Glob(filepath.Join("..", "..", "examples", "*.yaml"))
	if err != nil || len(examples) == 0 {
		t.Fatal("no examples", err)
	}
	for _, example := range examples {
		name := strings.TrimSuffix(filepath.Base(example), ".yaml")
		t.Run(name, func(t *testing.T) {
			kerneltest.Need(t, "exec:python3")
			u := newUser(t)
			data, err := os.ReadFile(example)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(u.home, name+".yaml")
			if err := os.WriteFile(file, data, 0o644); err != nil {
				t.Fatal(err)
			}
			u.run(t, "up", "--no-checks", file)
			if fi, err := os.Stat(u.dir()); err != nil || fi.Mode().Perm() != 0o700 {
				t.Errorf("run directory: %v, %v, want mode 0700", fi, err)
			}
			u.run(t, "status", "-f", file)
			for line := range strings.Lines(u.run(t, "check", file)) {
				if !strings.HasPrefix(line, "ok") {
					t.Error(line)
				}
			}
			u.run(t, "graph", file)
			u.run(t, "up", "--no-checks", file)
			u.run(t, "down", file)
			u.gone(t)
		})
	}
}

// TestDemo: "make demo" in a checkout that the user may not write to.
func TestDemo(t *testing.T) {
	kerneltest.Need(t, "exec:make", "exec:python3")
	u := newUser(t)
	checkout := filepath.Join(u.home, "checkout")
	for _, dir := range []string{"tools", "examples"} {
		if err := os.CopyFS(filepath.Join(checkout, dir), os.DirFS(filepath.Join("..", "..", dir))); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err == nil {
		err = os.WriteFile(filepath.Join(checkout, "Makefile"), data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	tmp := filepath.Join(u.home, "tmp")
	if err := errors.Join(os.Mkdir(tmp, 0o700), u.own(tmp)); err != nil {
		t.Fatal(err)
	}
	path, _ := binary()
	cmd := u.cmd(t, "make", "-C", checkout, "demo", "WARREN="+path)
	cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
	o, e, code := output(t, cmd)
	if code != 0 || !strings.Contains(o, "Nothing is left.") || strings.Contains(o, "not ok") {
		t.Errorf("make demo: exit %d\n%s%s", code, o, e)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
	u.gone(t)
}

func TestUplinkIsNotSilent(t *testing.T) {
	u := newUser(t)
	file := u.lab(t, "out", "nets:\n  wan: {nodes: [h1], uplink: true}\n")
	_, stderr, code := u.try(t, "up", file)
	if code != 0 || !strings.Contains(stderr, `net "wan": the uplink works inside your own world only`) {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	u.run(t, "down", "out")
	u.gone(t)
}

func TestNothingToKeep(t *testing.T) {
	u := newUser(t)
	for _, args := range [][]string{{"labs"}, {"ls"}, {"down", "nolab"}, {"exec", "host", "true"}} {
		u.run(t, args...)
		kerneltest.Eventually(t, wait, func() error { // exec cannot wait
			if p := holders(t); len(p) > 0 {
				return fmt.Errorf("after %v: holders %v", args, p)
			}
			return nil
		})
		u.gone(t)
	}
	for _, args := range [][]string{{"version"}, {"help"}, {"up", "--help"}, {"completion", "bash"}, {"__complete", "down", ""}, {"help", "labfile"}} {
		if _, _, code := u.try(t, args...); code != 0 {
			t.Errorf("%v: exit %d", args, code)
		}
		u.gone(t)
	}
	u.refused(t, []string{"up", "missing.yaml"}, "missing.yaml")
	u.gone(t)
}

func TestStandardInput(t *testing.T) {
	u := newUser(t)
	path, _ := binary()
	cmd := u.cmd(t, path, "up", "-")
	cmd.Stdin = strings.NewReader("name: piped\n" + pair)
	if o, e, code := output(t, cmd); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, o, e)
	}
	u.run(t, "down", "piped")
	u.gone(t)
}

func TestParallelFirstUse(t *testing.T) {
	u := newUser(t)
	const n = 20
	var files []string
	for i := range n {
		files = append(files, u.lab(t, "l"+strconv.Itoa(i), pair))
	}
	all := func(verb string) {
		var wg sync.WaitGroup
		for _, f := range files {
			wg.Go(func() {
				if o, e, code := u.try(t, verb, f); code != 0 {
					t.Errorf("%s %s: exit %d\n%s%s", verb, f, code, o, e)
				}
			})
		}
		wg.Wait()
	}
	all("up")
	if p := holders(t); len(p) != 1 {
		t.Errorf("holders: %v, want one", p)
	}
	if got := strings.Count(u.run(t, "labs"), " up "); got != n {
		t.Errorf("%d labs are up, want %d", got, n)
	}
	all("down")
	kerneltest.Eventually(t, wait, func() error {
		if p := holders(t); len(p) > 0 {
			return fmt.Errorf("holders %v", p)
		}
		return nil
	})
	u.gone(t)
	// Worlds that come and go at once.
	all("down")
	kerneltest.Eventually(t, wait, func() error {
		if p := holders(t); len(p) > 0 {
			return fmt.Errorf("holders %v", p)
		}
		return nil
	})
	u.gone(t)
}

func TestExec(t *testing.T) {
	u := newUser(t)
	u.run(t, "up", u.lab(t, "ex", pair))
	path, _ := binary()
	if _, e, code := u.try(t, "exec", "h1", "--", "sh", "-c", "exit 7"); code != 7 {
		t.Errorf("exit status %d, want 7 (%s)", code, e)
	}
	if _, _, code := u.try(t, "exec", "h1", "no-such-program"); code != 127 {
		t.Errorf("missing program: exit status %d, want 127", code)
	}
	cmd := u.cmd(t, path, "exec", "h1", "--", "sh", "-c", "echo $$; pwd; ls /proc/self/fd | wc -l; cd /sys/class/net; ls")
	cmd.Dir = "/usr"
	out, e, _ := output(t, cmd)
	// Whatever this test has inherited itself, the command has too.
	fds, _, _ := output(t, u.cmd(t, "sh", "-c", "ls /proc/self/fd | wc -l"))
	if want := fmt.Sprintf("%d\n/usr\n%slan\nlo\n", cmd.Process.Pid, fds); out != want {
		t.Errorf("stdout %q, want %q (%s)", out, want, e)
	}
	cmd = u.cmd(t, path, "exec", "h1", "sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sleeping(t, cmd)
	if err := cmd.Process.Signal(unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: user defined signal 1" {
		t.Errorf("sleep ended with %v, want SIGUSR1", err)
	}
	// From a shell in the world warren works on that world.
	if out := u.run(t, "exec", "h1", "--", path, "exec", "h2", "--", path, "labs"); !strings.Contains(out, "ex") {
		t.Errorf("labs inside: %q", out)
	}
	// An entered shell ends with its node.
	cmd = u.cmd(t, path, "exec", "h1", "sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sleeping(t, cmd) // before, it is not in the node yet
	u.run(t, "down", "ex")
	_ = cmd.Wait()
	kerneltest.Eventually(t, wait, func() error {
		if p := holders(t); len(p) > 0 {
			return fmt.Errorf("holders %v", p)
		}
		return nil
	})
	u.gone(t)
}

// sleeping waits until the process has become sleep(1).
func sleeping(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	kerneltest.Eventually(t, wait, func() error {
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid))
		if err == nil && string(comm) != "sleep\n" {
			err = fmt.Errorf("PID %d is %q, want sleep", cmd.Process.Pid, comm)
		}
		return err
	})
}

func TestDeadHolder(t *testing.T) {
	u := newUser(t)
	file := u.lab(t, "dead", pair+"nodes:\n  h1: {run: sleep 1000}\n")
	u.run(t, "up", file)
	old := holders(t)
	if len(old) != 1 {
		t.Fatalf("holders: %v", old)
	}
	if err := unix.Kill(old[0], unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	kerneltest.Eventually(t, wait, func() error {
		if p := holders(t); len(p) > 0 {
			return fmt.Errorf("holders %v", p)
		}
		return nil
	})
	out, stderr, code := u.try(t, "up", file)
	if code != 0 || !strings.Contains(stderr, "gone with it: dead") {
		t.Errorf("up: exit %d, stderr %q, stdout %q", code, stderr, out)
	}
	if p := holders(t); len(p) != 1 || p[0] == old[0] {
		t.Errorf("holders: %v, want one new", p)
	}
	kerneltest.Eventually(t, wait, func() error {
		if got := sleepers(t); got != 1 {
			return fmt.Errorf("%d services, want the new one only", got)
		}
		return nil
	})
	u.run(t, "check", file)
	u.run(t, "down", "dead")
	u.gone(t)
}

func sleepers(t *testing.T) (n int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if line, err := os.ReadFile(f); err == nil && string(line) == "sleep\x001000\x00" {
			n++
		}
	}
	return n
}

func TestRootHasNoWorld(t *testing.T) {
	u := newUser(t)
	path, _ := binary()
	cmd := u.cmd(t, path, "exec", "host", "env")
	cmd.SysProcAttr = nil
	out, e, code := output(t, cmd)
	if code != 0 || strings.Contains(out, "WARREN") {
		t.Errorf("exit %d, %s%s", code, out, e)
	}
	u.gone(t)
}

// TestKilled kills first commands at all times: the next one always works.
func TestKilled(t *testing.T) {
	u := newUser(t)
	path, _ := binary()
	file := u.lab(t, "kill", pair)
	for i := range 12 {
		cmd := u.cmd(t, path, "up", file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Duration(i) * 5 * time.Millisecond) // any moment is as good as another
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		u.run(t, "up", file)
		if p := holders(t); len(p) != 1 {
			t.Errorf("round %d: holders %v, want one", i, p)
		}
		u.run(t, "down", "kill")
		u.gone(t)
	}
}
