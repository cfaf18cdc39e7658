package warren_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"warren/internal/kerneltest"
)

func TestMain(m *testing.M) {
	kerneltest.Enter()
	// The first name that anybody makes turns the directory of names into a mount of its own, which stays.
	if out, err := exec.CommandContext(context.Background(), "sh", "-c", "ip netns add first && ip netns del first").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "prepare the world: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// binary builds the real program, once, with the hook that lets a test stop it at a named boundary. Its path lies in the
// world's own temporary directory.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "warren-bin")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "warren")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-tags", "killpoints", "-o", path, "./cmd/warren")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

// warrenCmd prepares a run of the real program.
func warrenCmd(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, path, args...)
}

// run runs the real program, and fails the test unless it exits with 0. It returns standard output.
func run(t testing.TB, args ...string) string {
	t.Helper()
	out, errOut, code := try(t, args...)
	if code != 0 {
		t.Fatalf("warren %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errOut)
	}
	return out
}

// try runs the real program.
func try(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := warrenCmd(t, args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	exit := (*exec.ExitError)(nil)
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("warren %s: %v", strings.Join(args, " "), err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// sh runs a command of somebody else's, as a witness or to prepare a world.
func sh(t testing.TB, script string) string {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "sh", "-euc", script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// labFile writes a lab file and returns its path.
func labFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "warren.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// leftovers lists what warren can have left in this world: names, own files, links, tables, processes.
func leftovers(t testing.TB) []string {
	t.Helper()
	var left []string
	for _, pattern := range []string{"/run/netns/*", "/run/warren/*", "/run/warren/*/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, found...)
	}
	for line := range strings.Lines(sh(t, "ip -o link; nft list tables; grep -l '^nsfs\\|/warren' /proc/self/mounts || true; grep -E 'nsfs|/run/warren' /proc/self/mounts || true")) {
		f := strings.Fields(line)
		if len(f) > 1 && (f[1] == "lo:" || strings.HasPrefix(f[1], "ifb")) {
			continue
		}
		left = append(left, strings.TrimSpace(line))
	}
	return append(left, processes(t)...)
}

// processes lists the other processes of this world. PID 1 and the test itself do not count.
func processes(t testing.TB) []string {
	t.Helper()
	var out []string
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		pid := filepath.Base(d)
		if pid == "1" || pid == fmt.Sprint(os.Getpid()) {
			continue
		}
		cmdline, err := os.ReadFile(d + "/cmdline")
		if err != nil || len(cmdline) == 0 {
			continue // gone, or a zombie that PID 1 is about to reap
		}
		out = append(out, "process "+pid+": "+strings.ReplaceAll(string(cmdline), "\x00", " "))
	}
	slices.Sort(out)
	return out
}

// nothingLeft waits until there are no leftovers.
func nothingLeft(t testing.TB) {
	t.Helper()
	kerneltest.Eventually(t, 30*time.Second, func() error {
		if left := leftovers(t); len(left) > 0 {
			return fmt.Errorf("left behind:\n%s", strings.Join(left, "\n"))
		}
		return nil
	})
}
