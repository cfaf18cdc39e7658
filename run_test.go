package warren_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren"
	"warren/internal/kerneltest"
)

// TestRunServes is the promise of the first page: a program gets a network of its own and a published port, and leaves nothing.
func TestRunServes(t *testing.T) {
	kerneltest.LeakCheck(t)
	kerneltest.Need(t, "exec:python3")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hello"), []byte("from inside"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := warrenCmd(t, "run", "-C", dir, "-p", "8095:80", "--", "python3", "-m", "http.server", "80")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kerneltest.Eventually(t, 30*time.Second, func() error {
		body, err := get(t, "http://127.0.0.1:8095/hello")
		if err == nil && body != "from inside" {
			err = fmt.Errorf("got %q", body)
		}
		return err
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !signaled(cmd, syscall.SIGTERM) {
		t.Errorf("ended with %v, want by SIGTERM:\n%s", err, stderr.String())
	}
	nothingLeft(t)
}

func get(t *testing.T, url string) (string, error) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func signaled(cmd *exec.Cmd, s syscall.Signal) bool {
	ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == s
}

// inNode waits until a program runs in a node of the lab "default".
func inNode(t *testing.T, node, program string) {
	t.Helper()
	kerneltest.Eventually(t, 30*time.Second, func() error {
		out, err := exec.CommandContext(t.Context(), "ip", "netns", "pids", "default."+node).Output()
		if err != nil {
			return err
		}
		for pid := range strings.FieldsSeq(string(out)) {
			if comm, err := os.ReadFile("/proc/" + pid + "/comm"); err == nil && strings.TrimSpace(string(comm)) == program {
				return nil
			}
		}
		return fmt.Errorf("no %s in %s", program, node)
	})
}

// TestRunKilled kills "warren run" itself, the command, or both, at the worst moments: nothing is left, without any other command.
func TestRunKilled(t *testing.T) {
	kerneltest.LeakCheck(t)
	t.Run("while-it-runs", func(t *testing.T) {
		cmd := warrenCmd(t, "run", "--name", "k", "-p", "8094:80", "--", "sh", "-c", "setsid sleep 1000 & exec sleep 1001")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		inNode(t, "k", "sleep")
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		nothingLeft(t)
	})
	t.Run("the-command", func(t *testing.T) {
		_, stderr, code := try(t, "run", "--", "sh", "-c", "setsid sleep 1000 & kill -9 $$")
		if code != -1 || stderr != "" { // by the same signal
			t.Errorf("exit %d\n%s", code, stderr)
		}
		nothingLeft(t)
	})
	t.Run("at-any-moment", func(t *testing.T) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rnd := rand.New(rand.NewPCG(seed, 3))
		start := time.Now()
		run(t, "run", "true")
		long := time.Since(start)
		rounds := 30
		if testing.Short() {
			rounds = 8
		}
		for range rounds {
			cmd := warrenCmd(t, "run", "-p", "8093:80", "true")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			kill := time.AfterFunc(time.Duration(rnd.Int64N(int64(long))), func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait()
			kill.Stop()
			nothingLeft(t)
		}
	})
}

// everyPoint is the distance of the points to be killed at: in a hurry not each of them.
func everyPoint() int {
	if testing.Short() {
		return 5
	}
	return 1
}

// TestRunKilledWithItsAttendant kills both at every boundary: the next edit finds what they left.
func TestRunKilledWithItsAttendant(t *testing.T) {
	kerneltest.LeakCheck(t)
	killed := 0
	for n := 1; killedAt(t, n, "run", "--name", "k", "-p", "8092:80", "true"); n += everyPoint() {
		killed++
		run(t, "add", "other")
		if out := run(t, "status", "default"); strings.Contains(out, "\nk ") {
			t.Errorf("killed at point %d: the node is still there:\n%s", n, out)
		}
		run(t, "rm", "other")
		nothingLeft(t)
	}
	t.Logf("killed at %d points", killed)
	if killed < 5 {
		t.Errorf("only %d points", killed)
	}
	nothingLeft(t)
}

// TestEditKilledAtEveryPoint: the lab is afterwards what the file says, with the edit or without it, and the next edit works.
func TestEditKilledAtEveryPoint(t *testing.T) {
	kerneltest.LeakCheck(t)
	run(t, "add", "a")
	for _, c := range []struct{ edit, undo []string }{
		{[]string{"add", "b", "-p", "8091:80"}, []string{"rm", "b"}},
		{[]string{"rm", "a"}, nil},
	} {
		killed := 0
		for n := 1; killedAt(t, n, c.edit...); n += everyPoint() {
			killed++
			run(t, "add", "c")
			w := open(t, warren.Options{})
			statusIs(t, w, "default", "up")
			names := sh(t, "ip netns list | cut -d' ' -f1 | sort | tr '\\n' ' '")
			if kept := read(t, keptFile); strings.Contains(names, "default.b ") != strings.Contains(kept, "- b\n") || strings.Contains(names, "default.a ") != strings.Contains(kept, "- a\n") {
				t.Errorf("%v killed at point %d: there are %s, and the file says:\n%s", c.edit, n, names, kept)
			}
			if c.undo != nil && strings.Contains(names, "default.b ") {
				run(t, c.undo...)
			}
			if !strings.Contains(names, "default.a ") {
				run(t, "add", "a")
			}
			run(t, "rm", "c")
		}
		t.Logf("%v: killed at %d points", c.edit, killed)
		if c.undo != nil {
			run(t, c.undo...)
		}
	}
	nothingLeft(t)
}

// onTerminal starts the real program as the leader of a session on a pseudo-terminal of its own.
func onTerminal(t *testing.T, args ...string) (*exec.Cmd, *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	cmd := warrenCmd(t, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, master
}

// TestRunOnATerminal: what is typed reaches the command, once; the end of the terminal ends it.
func TestRunOnATerminal(t *testing.T) {
	kerneltest.LeakCheck(t)
	t.Run("ctrl-c", func(t *testing.T) {
		cmd, master := onTerminal(t, "run", "--name", "tty", "--", "sleep", "1000")
		defer master.Close()
		inNode(t, "tty", "sleep")
		if _, err := master.WriteString("\x03"); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || !signaled(cmd, syscall.SIGINT) {
			t.Errorf("ended with %v, want by SIGINT", err)
		}
		nothingLeft(t)
	})
	t.Run("ctrl-c-once", func(t *testing.T) {
		cmd, master := onTerminal(t, "run", "--name", "tty", "--", "sh", "-c",
			`n=0; trap 'n=$((n+1)); touch /run/got' INT; touch /run/ready; until [ -e /run/go ]; do sleep 0.01; done; rm /run/go /run/got /run/ready; exit $((40+n))`)
		defer master.Close()
		there := func(path string) {
			t.Helper()
			kerneltest.Eventually(t, 30*time.Second, func() error { _, err := os.Stat(path); return err })
		}
		there("/run/ready")
		if _, err := master.WriteString("\x03"); err != nil {
			t.Fatal(err)
		}
		there("/run/got")
		sh(t, "touch /run/go")
		_ = cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != 41 {
			t.Errorf("exit status %d, want 41 for one interrupt", got)
		}
		nothingLeft(t)
	})
	t.Run("hangup", func(t *testing.T) {
		cmd, master := onTerminal(t, "run", "--name", "tty", "--", "sleep", "1000")
		inNode(t, "tty", "sleep")
		if err := master.Close(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || !signaled(cmd, syscall.SIGHUP) {
			t.Errorf("ended with %v, want by SIGHUP", err)
		}
		nothingLeft(t)
	})
}

// TestRunInGo: the facade's own Run, without an attendant.
func TestRunInGo(t *testing.T) {
	kerneltest.LeakCheck(t)
	w := open(t, warren.Options{})
	_, err := w.Run(t.Context(), warren.RunSpec{Argv: []string{"no-such-program"}})
	code, ok := errors.AsType[interface {
		error
		ExitCode() int
	}](err)
	if !ok || code.ExitCode() != 127 {
		t.Errorf("a command that is not there: %v", err)
	}
	nothingLeft(t)
}
