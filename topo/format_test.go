package topo_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/topo"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{
			"Indent", "\n\nnets:   \n    lan: [h1,   r]  # two\n    wan:\n          nodes:\n          - r\n          -   h2:\n                 ip: 10.0.0.1/24\n\n\n\nchecks:\n- h1 can ping r\n",
			"nets:\n  lan: [h1,   r]  # two\n  wan:\n    nodes:\n      - r\n      - h2:\n          ip: 10.0.0.1/24\n\nchecks:\n  - h1 can ping r\n",
		},
		{"Comments", "# first\nnets:\n     # of lan\n     lan: [a, b]\n     # last\n# end\n", "# first\nnets:\n  # of lan\n  lan: [a, b]\n  # last\n# end\n"},
		{"Text", "nodes:\n    a:\n        run: |\n            one\n\n\n              two  \n        dir: x\n", "nodes:\n  a:\n    run: |\n        one\n\n\n          two  \n    dir: x\n"},
		{"Flow", "nodes:\n   a: {run: x,\n       dir: y}\n", "nodes:\n  a: {run: x,\n      dir: y}\n"},
		{"Ranges", "nets:\n   a: [h[1-3], x]\n", "nets:\n  a: [h[1-3], x]\n"},
		{"Windows", "nets:\r\n    a: [x]\r\n", "nets:\n  a: [x]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := topo.Format([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := topo.Format([]byte("a: [")); err == nil {
		t.Error("what is not YAML was formatted")
	}
}

// TestExamplesAreFormatted: the examples are in normal form.
func TestExamplesAreFormatted(t *testing.T) {
	for name, data := range examples(t) {
		got, err := topo.Format(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(data), string(got)); diff != "" {
			t.Errorf("%s (-file +formatted):\n%s", name, diff)
		}
	}
}
