package iproute_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"warren/internal/iproute"
	"warren/internal/kerneltest"
	"warren/netns"
)

// TestMain plays ip or bridge when called by that name, as the program does.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); name {
	case "ip", "bridge", "ss":
		kind := map[string]iproute.Personality{"ip": iproute.IP, "bridge": iproute.Bridge, "ss": iproute.SS}[name]
		os.Exit(iproute.Main(os.Args[1:], kind, iproute.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, iproute.Deps{}))
	}
	kerneltest.Main(m)
}

// A result is what a command left behind.
type result struct {
	Code     int
	Out, Err string
}

// ours runs a command line with this package.
func ours(t testing.TB, stdin string, argv ...string) result {
	t.Helper()
	kind := iproute.IP
	switch argv[0] {
	case "bridge":
		kind = iproute.Bridge
	case "ss":
		kind = iproute.SS
	case "warren":
		kind = iproute.Warren
	}
	var out, errs bytes.Buffer
	code := iproute.Main(argv[1:], kind, iproute.Stdio{In: strings.NewReader(stdin), Out: &out, Err: &errs}, iproute.Deps{Context: t.Context()})
	return result{code, out.String(), errs.String()}
}

// theirs runs it with iproute2.
func theirs(t testing.TB, stdin string, argv ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// self makes a directory with this program in it as ip, bridge and ss, and returns it.
func self(t testing.TB) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"ip", "bridge", "ss"} {
		if err := os.Symlink(exe, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// run runs a command line with this program in a process of its own.
func run(t testing.TB, dir string, argv ...string) result {
	t.Helper()
	return theirs(t, "", append([]string{filepath.Join(dir, argv[0])}, argv[1:]...)...)
}

// leakCheck is kerneltest.LeakCheck with the folder of names in place, which the first name makes and nobody takes away.
func leakCheck(t *testing.T) {
	t.Helper()
	twin(t, "first")
	if err := netns.Delete(t.Context(), netns.Dir+"/first"); err != nil {
		t.Fatal(err)
	}
	kerneltest.LeakCheck(t)
}
