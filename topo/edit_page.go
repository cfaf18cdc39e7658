package topo

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// page is the text of a lab file that is being changed in place. Its methods report whether they could; what they did is
// checked by reading the result, so they may be simple about YAML that is stranger than a lab file needs.
type page struct {
	text  []rune
	whole bool // write changed entries anew
}

// root is the file's map; nil when it is none.
func (p *page) root() ast.Node {
	file, err := parser.Parse(lexer.Tokenize(hide(string(p.text))), 0)
	if err != nil {
		return nil
	}
	for _, d := range file.Docs {
		if d.Body != nil && (d.Body.Type() == ast.MappingType || d.Body.Type() == ast.MappingValueType) {
			return d.Body
		}
	}
	return nil
}

// entriesOf lists what a map holds.
func entriesOf(n ast.Node) (entries []*ast.MappingValueNode, flow *ast.MappingNode, ok bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		if n.IsFlowStyle {
			return n.Values, n, true
		}
		return n.Values, nil, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, nil, true
	}
	return nil, nil, false
}

func keyOf(v *ast.MappingValueNode) string { return show(v.Key.GetToken().Value) }

// find follows keys down from the root.
func (p *page) find(path ...string) *ast.MappingValueNode {
	n := p.root()
	var found *ast.MappingValueNode
	for _, key := range path {
		entries, _, ok := entriesOf(n)
		if !ok {
			return nil
		}
		found = nil
		for _, v := range entries {
			if keyOf(v) == key {
				found = v
			}
		}
		if found == nil {
			return nil
		}
		n = found.Value
	}
	return found
}

// at is the index of a place in the text.
func (p *page) at(pos *token.Position) int {
	line := 1
	for i, r := range p.text {
		if line == pos.Line {
			return min(i+pos.Column-1, len(p.text))
		}
		if r == '\n' {
			line++
		}
	}
	return len(p.text)
}

// lineStart is the index of the first character of a line; beyond the last one the end of the text.
func (p *page) lineStart(line int) int {
	return p.at(&token.Position{Line: line, Column: 1})
}

// splice replaces a piece of the text.
func (p *page) splice(from, to int, with string) bool {
	if from < 0 || from > to || to > len(p.text) {
		return false
	}
	p.text = append(p.text[:from:from], append([]rune(with), p.text[to:]...)...)
	return true
}

// insertLines puts lines behind a line.
func (p *page) insertLines(after int, lines string) bool {
	i := p.lineStart(after + 1)
	if i > 0 && i <= len(p.text) && p.text[i-1] != '\n' {
		lines = "\n" + lines
	}
	return p.splice(i, i, lines)
}

// lastLine is the last line on which something of a value stands.
func lastLine(n ast.Node) int {
	last := 0
	see := func(t *token.Token) {
		if t != nil && t.Position != nil {
			last = max(last, t.Position.Line+strings.Count(strings.TrimSpace(t.Origin), "\n"))
		}
	}
	switch n := n.(type) {
	case nil:
	case *ast.MappingNode:
		see(n.GetToken())
		if n.IsFlowStyle {
			see(n.End)
		}
		for _, v := range n.Values {
			last = max(last, lastLine(v))
		}
	case *ast.MappingValueNode:
		see(n.Key.GetToken())
		last = max(last, lastLine(n.Value))
	case *ast.SequenceNode:
		see(n.GetToken())
		if n.IsFlowStyle {
			see(n.End)
		}
		for _, v := range n.Values {
			last = max(last, lastLine(v))
		}
	case *ast.LiteralNode:
		see(n.Start)
		if n.Start != nil && n.Start.Position != nil {
			last = max(last, n.Start.Position.Line+strings.Count(strings.TrimRight(n.Value.GetToken().Origin, "\n")+"\n", "\n"))
		}
	case *ast.AnchorNode:
		see(n.GetToken())
		last = max(last, lastLine(n.Value))
	default:
		see(n.GetToken())
	}
	return last
}

// addEntry adds an entry, given as lines without indentation, to a map of the top level.
func (p *page) addEntry(section, lines string) bool {
	v := p.find(section)
	if v == nil {
		if n := len(p.text); n > 0 && p.text[n-1] != '\n' {
			p.text = append(p.text, '\n')
		}
		p.text = append(p.text, []rune(section+":\n"+setIn(lines, 2))...)
		return true
	}
	if v.Value == nil || v.Value.Type() == ast.NullType {
		return p.insertLines(v.Key.GetToken().Position.Line, setIn(lines, 2))
	}
	entries, flow, ok := entriesOf(v.Value)
	if !ok || flow != nil && len(entries) > 0 || len(entries) == 0 && flow == nil {
		return false
	}
	if flow != nil { // {}
		at := v.Key.GetToken().Position.Line
		return p.splice(p.at(flow.Start.Position), p.at(flow.End.Position)+1, "") && p.insertLines(at, setIn(lines, 2))
	}
	indent := entries[0].Key.GetToken().Position.Column - 1
	return p.insertLines(lastLine(v.Value), setIn(lines, indent))
}

// removeEntry removes an entry of a map of the top level.
func (p *page) removeEntry(section, name string) bool {
	v, s := p.find(section, name), p.find(section)
	if v == nil {
		return false
	}
	if _, flow, _ := entriesOf(s.Value); flow != nil {
		return p.removeFromFlow(flow.Start, flow.End, starts(flow.Values, func(v *ast.MappingValueNode) *token.Token { return v.Key.GetToken() }), name, func(i int) bool {
			return keyOf(flow.Values[i]) == name
		})
	}
	return p.splice(p.lineStart(v.Key.GetToken().Position.Line), p.lineStart(lastLine(v)+1), "")
}

func starts[T any](list []T, token1 func(T) *token.Token) []*token.Token {
	out := make([]*token.Token, 0, len(list))
	for _, x := range list {
		out = append(out, token1(x))
	}
	return out
}

// removeFromFlow removes an item of a flow collection with the comma that belongs to it.
func (p *page) removeFromFlow(open, end *token.Token, items []*token.Token, _ string, is func(int) bool) bool {
	for i, t := range items {
		if !is(i) {
			continue
		}
		from := p.at(t.Position)
		switch {
		case i < len(items)-1:
			return p.splice(from, p.at(items[i+1].Position), "")
		case i == 0:
			return p.splice(p.at(open.Position)+1, p.at(end.Position), "")
		}
		for from > 0 && p.text[from] != ',' {
			from--
		}
		return p.splice(from, p.at(end.Position), "")
	}
	return false
}

// setIn indents lines by so many blanks.
func setIn(lines string, blanks int) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString(strings.Repeat(" ", blanks))
		b.WriteString(line)
	}
	return b.String()
}

// outdent takes one level away.
func outdent(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString(strings.TrimPrefix(line, "  "))
	}
	return b.String()
}
