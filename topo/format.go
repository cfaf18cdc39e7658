package topo

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Format puts a lab file into its normal form: two spaces for each level, lists set in below their key, one space after a
// dash, no blanks at the ends of lines, at most one empty line in a row, none at the beginning and the end. Comments, order,
// and the choice between block and flow style are kept. The file need not be a valid lab, only YAML that [Parse] could read.
func Format(data []byte) ([]byte, error) {
	p := &problems{}
	before := readTree(p, data)
	if err := p.err(); err != nil {
		return nil, err
	}
	src := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
	f := &formatter{lines: strings.Split(src, "\n")}
	if before == nil || !f.read(src) {
		return data, nil
	}
	// Each rewriting is believed only when the result says the same, in YAML that is stranger than this package knows it may
	// not: then the file stays as it is.
	out := f.write()
	if !f.same(before, data, out) {
		return data, nil
	}
	again := &formatter{lines: strings.Split(out, "\n")}
	if !again.read(out) || again.write() != out {
		return data, nil
	}
	return []byte(out), nil
}

// formatter knows of every line what it is.
type formatter struct {
	lines []string
	// starts holds the new indentation of the lines on which an entry of a block collection begins, by line number from 1.
	starts map[int]int
	// comments are the lines that hold nothing but a comment.
	comments map[int]bool
	count    int // comments in all
}

func (f *formatter) read(src string) bool {
	f.starts, f.comments = map[int]int{}, map[int]bool{}
	tokens := lexer.Tokenize(hide(src))
	for _, t := range tokens {
		if t.Type != token.CommentType {
			continue
		}
		f.count++
		n := t.Position.Line
		if n < 1 || n > len(f.lines) {
			return false
		}
		if strings.HasPrefix(strings.TrimLeft(f.lines[n-1], " "), "#") {
			f.comments[n] = true
		}
	}
	file, err := parser.Parse(lexer.Tokenize(hide(src)), 0)
	if err != nil {
		return false
	}
	for _, d := range file.Docs {
		if d.Body != nil {
			f.block(d.Body, 0)
		}
	}
	return true
}

// block notes where the entries of a block collection begin. What is not one has nothing to note: its lines move with the entry
// that they belong to.
func (f *formatter) block(n ast.Node, indent int) {
	switch n := n.(type) {
	case *ast.MappingNode:
		if n.IsFlowStyle {
			return
		}
		for _, v := range n.Values {
			f.entry(v, indent)
		}
	case *ast.MappingValueNode:
		if !n.IsFlowStyle {
			f.entry(n, indent)
		}
	case *ast.SequenceNode:
		if n.IsFlowStyle {
			return
		}
		for _, e := range n.Entries {
			if e.Start != nil {
				f.start(e.Start.Position, indent)
			}
			f.block(e.Value, indent+2)
		}
	case *ast.AnchorNode:
		f.block(n.Value, indent)
	}
}

func (f *formatter) entry(v *ast.MappingValueNode, indent int) {
	f.start(v.Key.GetToken().Position, indent)
	f.block(v.Value, indent+2)
}

// start notes a line unless another entry begins on it already (as in "- key: value").
func (f *formatter) start(at *token.Position, indent int) {
	if _, ok := f.starts[at.Line]; ok || at.Line > len(f.lines) {
		return
	}
	line := f.lines[at.Line-1]
	if at.Column == 1+len(line)-len(strings.TrimLeft(line, " ")) {
		f.starts[at.Line] = indent
	}
}

func (f *formatter) write() string {
	out := make([]string, 0, len(f.lines))
	shift, base := 0, 0 // of the entry that the line belongs to
	inside := false     // an entry has begun, so that what follows may be its text
	for i, line := range f.lines {
		n := i + 1
		body := strings.TrimLeft(line, " ")
		old := len(line) - len(body)
		indent, isStart := f.starts[n]
		switch {
		case isStart:
			body = f.dashes(body, &shift, indent-old)
			base, inside = indent, true
			out = append(out, strings.Repeat(" ", indent)+strings.TrimRight(body, " \t"))
		case f.comments[n]:
			out = append(out, strings.Repeat(" ", f.commentIndent(n, old))+strings.TrimRight(body, " \t"))
		case strings.TrimSpace(line) == "" && !f.textGoesOn(n):
			if len(out) > 0 && out[len(out)-1] != "" {
				out = append(out, "")
			}
		case strings.TrimSpace(line) == "":
			out = append(out, "")
		default:
			if inside {
				old = max(old+shift, base+2)
			}
			out = append(out, strings.Repeat(" ", old)+body)
		}
	}
	return strings.TrimSpace(strings.Join(out, "\n")) + "\n"
}

// textGoesOn reports whether an empty line stands inside of a value of several lines: the next line with something on it is
// neither an entry's beginning nor a comment.
func (f *formatter) textGoesOn(n int) bool {
	for ; n <= len(f.lines); n++ {
		if strings.TrimSpace(f.lines[n-1]) == "" {
			continue
		}
		_, isStart := f.starts[n]
		return !isStart && !f.comments[n]
	}
	return false
}

// dashes sets the content of list entries to one space behind their dash. Lines that belong to it move by as much.
func (f *formatter) dashes(body string, shift *int, by int) string {
	*shift = by
	var out strings.Builder
	for strings.HasPrefix(body, "- ") {
		rest := strings.TrimLeft(body[1:], " ")
		if rest == "" || rest[0] == '#' {
			break
		}
		*shift -= len(body) - len(rest) - 2
		out.WriteString("- ")
		body = rest
	}
	return out.String() + body
}

// commentIndent is that of the next entry, or of the one before when that is deeper and the comment stood as deep.
func (f *formatter) commentIndent(n, old int) int {
	for m := n + 1; m <= len(f.lines); m++ {
		if indent, ok := f.starts[m]; ok {
			line := f.lines[m-1]
			if old > len(line)-len(strings.TrimLeft(line, " ")) {
				break // it belongs to what stands before
			}
			return indent
		}
	}
	for m := n - 1; m > 0; m-- {
		indent, ok := f.starts[m]
		if line := f.lines[m-1]; ok && len(line)-len(strings.TrimLeft(line, " ")) <= old {
			return indent
		}
	}
	return 0
}

// same reports whether the result says what the file said, comments included.
func (f *formatter) same(before *tree, data []byte, out string) bool {
	p := &problems{}
	after := readTree(p, []byte(out))
	return after != nil && len(p.list) == 0 && sameTree(before, after) && slices.Equal(commentsOf(string(data)), commentsOf(out))
}

func commentsOf(src string) []string {
	var out []string
	for _, t := range lexer.Tokenize(hide(src)) {
		if t.Type == token.CommentType {
			out = append(out, strings.TrimSpace(t.Value))
		}
	}
	return out
}

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
