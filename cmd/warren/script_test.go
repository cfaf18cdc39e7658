package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"warren/internal/kerneltest"
	"warren/internal/lab"
	"warren/internal/rootless"
	"warren/internal/wayout"
)

// TestMain runs the tests in a world of their own. In it this binary is "warren" too, and whatever warren starts itself
// as.
func TestMain(m *testing.M) {
	if lab.IsSupervisor(os.Args) {
		os.Exit(lab.SupervisorMain(os.Args))
	}
	if rootless.IsHolder(os.Args) {
		os.Exit(rootless.HolderMain(os.Args))
	}
	if wayout.IsAgent(os.Args) {
		os.Exit(wayout.Main(os.Args))
	}
	kerneltest.Enter()
	testscript.Main(m, map[string]func(){"warren": main})
}

// TestScript runs testdata/script one after the other: each of them must leave nothing.
func TestScript(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "script", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts:", err)
	}
	// The first name ever makes /run/netns and leaves it, as iproute2 does.
	for _, verb := range []string{"add", "del"} {
		if out, err := exec.CommandContext(t.Context(), "ip", "netns", verb, "first").CombinedOutput(); err != nil {
			t.Fatalf("ip netns %s: %v\n%s", verb, err, out)
		}
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			kerneltest.LeakCheck(t)
			testscript.Run(t, params(t, file))
		})
	}
}

// TestCalledAs: a link's name chooses the program of iproute2 that it stands for, with that one's exit codes.
func TestCalledAs(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"/sbin/ip", "link"}, 0},
		{[]string{"ip", "link", "show", "nobody"}, 1},
		{[]string{"ip", "nonsense"}, 1},
		{[]string{"/sbin/bridge", "link"}, 0},
		{[]string{"bridge", "nonsense"}, 255},
		{[]string{"/usr/bin/ss", "-Htln"}, 0},
		{[]string{"ss", "--nonsense"}, 255},
	} {
		if got := run(c.args); got != c.want {
			t.Errorf("%q: exit status %d, want %d", c.args, got, c.want)
		}
	}
}

func params(t *testing.T, file string) testscript.Params {
	examples, err := filepath.Abs(filepath.Join("..", "..", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	return testscript.Params{
		Files:               []string{file},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			e.Setenv("LC_ALL", "C.UTF-8")
			e.Values[ofScript{}] = e.T()
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":     status,
			"eventually": eventually,
			"need":       need,
		},
	}
}

// ofScript is the key of a script's own testing.TB.
type ofScript struct{}

// need FEATURE... skips the script as [kerneltest.Need] does.
func need(ts *testscript.TestScript, neg bool, args []string) {
	t, ok := ts.Value(ofScript{}).(testing.TB)
	if neg || len(args) == 0 || !ok {
		ts.Fatalf("usage: need FEATURE...")
	}
	kerneltest.Need(t, args...)
}

// status N COMMAND... runs a command that must exit with N.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		e, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// eventually COMMAND... runs a command until it succeeds; with ! until it fails.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: [!] eventually COMMAND...")
	}
	const limit = 30 * time.Second
	for end := time.Now().Add(limit); ; {
		err := ts.Exec(args[0], args[1:]...)
		if (err == nil) != neg {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("not within %s: %v", limit, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}
