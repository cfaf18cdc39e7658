package netns_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/netns"
)

// roleEnv makes the test binary play one of roles instead of running tests.
const roleEnv = "WARREN_NETNS_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleEnv)
	if role == "" {
		kerneltest.Main(m)
	}
	os.Unsetenv(roleEnv)
	play := roles()[role]
	if play == nil {
		fmt.Fprintf(os.Stderr, "no role %q\n", role)
		os.Exit(2)
	}
	os.Exit(play(os.Args[1:]))
}

func roles() map[string]func(args []string) int {
	return map[string]func([]string) int{
		"exec":        playExec,
		"create":      playCreate,
		"churn":       playChurn,
		"main-thread": playMainThread,
	}
}

// roleCommand is this binary in a role.
func roleCommand(ctx context.Context, role string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	return cmd
}

// run runs a witness and returns its output.
func run(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// create makes a namespace that goes with the test.
func create(t testing.TB, name string, setup func(*netns.Inside) error) *netns.Handle {
	t.Helper()
	path := filepath.Join(netns.Dir, name)
	h, err := netns.Create(t.Context(), path, setup)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if err := netns.Delete(context.Background(), path); err != nil {
			t.Error(err)
		}
	})
	return h
}

// prepare makes /run/netns before a leak check counts files and mounts.
func prepare(t testing.TB) {
	t.Helper()
	h, err := netns.Create(t.Context(), netns.Dir+"/prepare", nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
	if err := netns.Delete(t.Context(), netns.Dir+"/prepare"); err != nil {
		t.Fatal(err)
	}
	kerneltest.LeakCheck(t)
}

func inode(t testing.TB, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatalf("stat %s: %v", path, err)
	}
	return st.Ino
}

func names(t testing.TB) []string {
	t.Helper()
	list, err := netns.List("")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name)
	}
	return names
}

func mountsAt(t testing.TB, path string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); slices.Contains(f[4:5], path) {
			n++
		}
	}
	return n
}

const patience = 20 * time.Second
