package topo_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"warren/topo"
)

// TestSame: what is read back from JSON is the same as what was written, and nothing else does.
func TestSame(t *testing.T) {
	files, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no examples:", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		x := expand(t, string(text), topo.Inputs{})
		data, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		back := &topo.Expanded{}
		if err := json.Unmarshal(data, back); err != nil {
			t.Fatal(err)
		}
		if !x.Same(back) || !x.Source.Same(back.Source) {
			t.Errorf("%s: read back it is another", file)
		}
		back.Source.Defaults.MTU++
		if x.Same(back) || x.Source.Same(back.Source) {
			t.Errorf("%s: equal with another MTU in the source", file)
		}
		back.Source = x.Source
		back.Nodes[0].NS += "x"
		if x.Same(back) || x.Same(nil) {
			t.Errorf("%s: equal with another name, or to nothing", file)
		}
	}
}
