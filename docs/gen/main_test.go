package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/cli"
)

// TestUpToDate compares the pages in the repository with the help texts.
func TestUpToDate(t *testing.T) {
	compare(t, "man", pages(cli.Command()))
	compare(t, "reference", reference(cli.Command()))
}

func compare(t *testing.T, name string, want map[string]string) {
	t.Helper()
	dir := filepath.Join("..", name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(data)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/%s is not what the help texts say (run: make man): -help +docs\n%s", name, diff)
	}
}

// TestRoff asks a third party whether the pages are well-formed, where there is one.
func TestRoff(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Log("no groff here: only the text is compared")
		return
	}
	for name, text := range pages(cli.Command()) {
		cmd := exec.CommandContext(t.Context(), groff, "-Kutf8", "-man", "-Tutf8", "-ww", "-z")
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestEveryCommandIsExplained: help is the only documentation that everybody has.
func TestEveryCommandIsExplained(t *testing.T) {
	for _, c := range all(cli.Command())[1:] {
		switch {
		case c.Short == "" || strings.HasSuffix(c.Short, "."):
			t.Errorf("%s: short text %q", c.CommandPath(), c.Short)
		case c.Long == "":
			t.Errorf("%s: no long text", c.Name())
		case !isTopic(c) && (c.Example == "" || !strings.Contains(c.Long, "Exit status:")):
			t.Errorf("%s: no example, or no word about the exit status", c.Name())
		}
		for line := range strings.Lines(c.Long + "\n" + c.Example) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 130 { // some of iproute2's own lines of usage
				t.Errorf("%s: a line of %d characters: %s", c.Name(), n, line)
			}
		}
	}
}
