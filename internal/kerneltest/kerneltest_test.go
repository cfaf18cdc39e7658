package kerneltest_test

import (
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

func TestMain(m *testing.M) { kerneltest.Main(m) }

func TestWorldIsItsOwn(t *testing.T) {
	kerneltest.LeakCheck(t)
	if !kerneltest.Inside() {
		t.Fatal("not inside")
	}
	links, err := os.ReadDir("/sys/class/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if flags, err := os.ReadFile("/sys/class/net/" + l.Name() + "/flags"); err == nil && l.Name() == "lo" && strings.TrimSpace(string(flags)) != "0x9" {
			t.Errorf("lo has flags %s, want 0x9 (up, loopback)", flags)
		}
	}
	if b, err := os.ReadFile("/proc/1/cmdline"); err != nil || !strings.HasPrefix(string(b), os.Args[0]) {
		t.Errorf("PID 1 is %q (%v), want %q", b, err, os.Args[0])
	}
	var fs unix.Statfs_t
	if err := unix.Statfs("/run", &fs); err != nil || fs.Type != unix.TMPFS_MAGIC {
		t.Errorf("/run has type %#x (%v), want tmpfs", fs.Type, err)
	}
	if !strings.HasPrefix(t.TempDir(), "/run/tmp/") {
		t.Errorf("temporary directory is %s", t.TempDir())
	}
}

func TestNeed(t *testing.T) {
	for _, tt := range []struct {
		feature string
		missing bool
	}{
		{"veth", false},
		{"bridge", false},
		{"tbf", false},
		{"htb", false},
		{"ingress", false},
		{"nftables", false},
		{"ipv6", false},
		{"no-such-link-kind", true},
		{"exec:no-such-program", true},
	} {
		t.Run(strings.ReplaceAll(tt.feature, ":", "-"), func(t *testing.T) {
			kerneltest.LeakCheck(t)
			skipped := true
			t.Run("probe", func(t *testing.T) {
				kerneltest.Need(t, tt.feature)
				skipped = false
			})
			if skipped != tt.missing {
				t.Errorf("Need(%q) skipped: %v, want %v", tt.feature, skipped, tt.missing)
			}
		})
	}
}

// recorder takes what a check would do to its test.
type recorder struct {
	testing.TB
	failed   []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Skipped() bool    { return false }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.failed = append(r.failed, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...) }

func TestLeakCheckFinds(t *testing.T) {
	for _, tt := range []struct {
		name string
		leak func(t *testing.T) (undo func())
		want string
	}{
		{"file", func(t *testing.T) func() {
			write(t, "/run/left", "")
			return func() { os.Remove("/run/left") }
		}, "file left: /run/left"},
		{"descriptor", func(t *testing.T) func() {
			f, err := os.Open("/dev/null")
			if err != nil {
				t.Fatal(err)
			}
			return func() { f.Close() }
		}, "open file left: "},
		{"mount", func(t *testing.T) func() {
			dir := t.TempDir()
			if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
				t.Fatal(err)
			}
			return func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }
		}, "mount left: "},
		{"process", func(t *testing.T) func() {
			cmd := exec.CommandContext(t.Context(), "sleep", "1000")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			return func() { _, _ = cmd.Process.Kill(), cmd.Wait() }
		}, "process left: "},
		{"sysctl", func(t *testing.T) func() {
			write(t, "/proc/sys/net/ipv4/ip_forward", "1")
			return func() { write(t, "/proc/sys/net/ipv4/ip_forward", "0") }
		}, "sysctl left: net/ipv4/ip_forward = 1"},
		{"link", func(t *testing.T) func() {
			kerneltest.Need(t, "exec:ip")
			run(t, "ip", "link", "add", "left0", "type", "bridge")
			return func() { run(t, "ip", "link", "del", "left0") }
		}, "left0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{TB: t}
			kerneltest.LeakCheckFor(r, time.Millisecond)
			undo := tt.leak(t)
			for _, f := range r.cleanups {
				f()
			}
			undo()
			if len(r.failed) == 0 || !strings.Contains(strings.Join(r.failed, "\n"), tt.want) {
				t.Errorf("leak check said %q, want %q", r.failed, tt.want)
			}
		})
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestEventually(t *testing.T) {
	n := 0
	kerneltest.Eventually(t, time.Minute, func() error {
		if n++; n < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	if n != 3 {
		t.Errorf("called %d times, want 3", n)
	}
	r := &recorder{TB: t}
	kerneltest.Eventually(r, time.Millisecond, func() error { return errors.New("never") })
	if len(r.failed) != 1 || !strings.Contains(r.failed[0], "never") {
		t.Errorf("failure is %q, want the last error", r.failed)
	}
}

// TestChildProcess is what the tests below start: the test binary again, in a world of its own.
func TestChildProcess(t *testing.T) {
	switch os.Getenv("KERNELTEST_CHILD") {
	case "exit":
		os.Exit(42)
	case "kill":
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	case "orphan":
		// The shell leaves a child behind, which becomes PID 1's and must not stay a zombie.
		pid := strings.TrimSpace(run(t, "sh", "-c", "true & echo $!"))
		kerneltest.Eventually(t, 30*time.Second, func() error {
			if _, err := os.Stat("/proc/" + pid); err == nil {
				return fmt.Errorf("orphan %s is still there", pid)
			}
			return nil
		})
	case "wait":
		fmt.Println("waiting")
		select {}
	}
}

// child makes the command of a test binary that thinks it is outside: /run hides the marker in its mount namespace.
func child(t *testing.T, what string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "unshare", append([]string{"-m", "sh", "-c", `mount -t tmpfs none /run && exec "$0" "$@"`, "/proc/self/exe"}, args...)...)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Args[5] = exe
	cmd.Env = append(os.Environ(), "KERNELTEST_CHILD="+what, "TMPDIR=/tmp")
	return cmd
}

func TestStatusPassesThrough(t *testing.T) {
	for _, tt := range []struct {
		what string
		want int
	}{{"", 0}, {"exit", 42}, {"kill", 128 + 9}, {"orphan", 0}} {
		t.Run("what="+tt.what, func(t *testing.T) {
			kerneltest.LeakCheck(t)
			cmd := child(t, tt.what, "-test.run=^TestChildProcess$", "-test.timeout=1m")
			out, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != tt.want {
				t.Errorf("status %d, want %d\n%s", got, tt.want, out)
			}
		})
	}
}

func TestKillTakesAll(t *testing.T) {
	kerneltest.LeakCheck(t)
	cmd := child(t, "wait", "-test.run=^TestChildProcess$", "-test.v")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var seen []byte
	buf := make([]byte, 4096)
	for !strings.Contains(string(seen), "waiting") {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, seen)
		}
		seen = append(seen, buf[:n]...)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	// LeakCheck waits for the other two stages to go.
}

func TestFlagsPassThrough(t *testing.T) {
	kerneltest.LeakCheck(t)
	profile := filepath.Join("/tmp", "kerneltest-"+strconv.Itoa(os.Getpid())+".mem")
	defer os.Remove(profile)
	cmd := child(t, "", "-test.run=^TestChildProcess$", "-test.memprofile="+profile, "-test.v")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestChildProcess") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(profile); err != nil {
		t.Errorf("no profile: %v", err)
	}
}
