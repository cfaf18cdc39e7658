package topo_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/topo"
)

func itoa(i int) string { return strconv.Itoa(i) }

// examples are the files of the folder examples, by name.
func examples(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(files) < 5 {
		tb.Fatalf("examples: %v %v", files, err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		out[filepath.Base(f)] = data
	}
	return out
}

// FuzzParse: whatever parses has an expanded form that parses to the same lab, can be formatted without changing its
// meaning, and never makes Expand panic.
func FuzzParse(f *testing.F) {
	for _, data := range examples(f) {
		f.Add(data)
	}
	f.Add([]byte(everything))
	f.Add([]byte("a: &x {b: [1, 'y', \"z\\n\"]}\nc: *x\n? d\n: |\n  e\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		l, err := topo.Parse("x", data)
		if err != nil {
			if len(topo.Problems(err)) == 0 {
				t.Fatalf("an error without a problem: %v", err)
			}
			return
		}
		again(t, l)
		out, err := topo.Format(data)
		if err != nil {
			t.Fatalf("format: %v", err)
		}
		m, err := topo.Parse("x", out)
		if err != nil {
			t.Fatalf("format made a lab that does not parse: %v\n%s", err, out)
		}
		if diff := cmp.Diff(l, m, sameLab); diff != "" {
			t.Fatalf("format changed the lab:\n%s", diff)
		}
		twice, err := topo.Format(out)
		if err != nil || string(twice) != string(out) {
			t.Fatalf("format is not stable: %v\n%s\n---\n%s", err, out, twice)
		}
		_, _ = topo.Expand(l, topo.Inputs{})
	})
}
