package runtimetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"warren"
	"warren/reach"
	"warren/state"
)

// program builds the real program, once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "warren-bin")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "warren")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-o", path, "../../cmd/warren")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(err, errors.New(string(out)))
	}
	return path, nil
})

// try runs warren, in the world's own mount namespace: outside of every engine's.
func try(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatalf("warren %v: %v", args, err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// run is try that has to exit with 0.
func run(t testing.TB, args ...string) string {
	t.Helper()
	out, errOut, code := try(t, args...)
	if code != 0 {
		t.Fatalf("warren %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errOut)
	}
	return strings.TrimSpace(out)
}

// decode runs warren for JSON.
func decode[T any](t testing.TB, args ...string) (v T) {
	t.Helper()
	out := run(t, args...)
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("warren %v: %v\n%s", args, err, out)
	}
	return v
}

func listing(t testing.TB) []warren.NamespaceInfo {
	t.Helper()
	return decode[[]warren.NamespaceInfo](t, "ls", "-a", "--json")
}

func show(t testing.TB, ref string) state.Namespace {
	t.Helper()
	return decode[state.Namespace](t, "show", ref, "--json")
}

// find is what warren finds; nothing is an answer, too.
func find(t testing.TB, what string) (list []warren.Match) {
	t.Helper()
	out, errOut, code := try(t, "find", "--json", what)
	if err := json.Unmarshal([]byte(out), &list); err != nil || code > 1 || (code == 0) != (len(list) > 0) {
		t.Fatalf("warren find %s: exit %d, %v\n%s%s", what, code, err, out, errOut)
	}
	return list
}

// why is a verdict, and whether the exit status says the same.
func why(t testing.TB, args ...string) (v reach.Verdict) {
	t.Helper()
	out, errOut, code := try(t, append([]string{"why", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("warren why %v: exit %d, %v\n%s%s", args, code, err, out, errOut)
	}
	want := map[string]int{"yes": 0, "no": 1, "unknown": 3}
	if code != want[v.Reachable] {
		t.Errorf("warren why %v: exit %d for %q", args, code, v.Reachable)
	}
	return v
}
