package iproute_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"warren/netns"
)

// TestLines runs the lines of testdata/lines with iproute2 and with us, each in a namespace of its own, and compares exit code and
// output. A line that begins with # is none.
func TestLines(t *testing.T) {
	leakCheck(t)
	files, err := filepath.Glob("testdata/lines/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no lines", err)
	}
	linkLocal := regexp.MustCompile(`fe80::[0-9a-f:]+`)
	same := func(r result) result {
		r = still(r)
		r.Out = linkLocal.ReplaceAllString(r.Out, "LINKLOCAL")
		return r
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a, b := "lines-a-"+name, "lines-b-"+name
			for _, ns := range []string{a, b} {
				twin(t, ns)
				t.Cleanup(func() { _ = netns.Delete(context.WithoutCancel(t.Context()), netns.Dir+"/"+ns) })
			}
			for line := range strings.Lines(string(text)) {
				argv := strings.Fields(line)
				if len(argv) == 0 || argv[0] == "#" {
					continue
				}
				want, got := same(theirs(t, "", inside(argv, a)...)), same(ours(t, "", inside(argv, b)...))
				if got.Code == want.Code && got.Out != want.Out {
					got, want = settle(t, argv, a, b) // a change of carrier shows a moment later
					got, want = same(got), same(want)
				}
				if got.Code != want.Code || got.Out != want.Out {
					t.Errorf("%s\nthey: %d %s%s\nwe:   %d %s%s", strings.TrimSpace(line), want.Code, want.Out, want.Err, got.Code, got.Out, got.Err)
				}
			}
		})
	}
}
