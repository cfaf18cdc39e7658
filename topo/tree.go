package topo

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a lab file. They hold whatever the file says, so that a hostile one costs a second at most.
const (
	maxFile  = 2 << 20 // bytes
	maxDepth = 40      // nested lists and maps
	maxNodes = 400_000 // values, aliases counted as often as they are used
)

type treeKind uint8

const (
	treeNull treeKind = iota
	treeScalar
	treeList
	treeMap
)

// tree is a YAML value without what we do not use: tags, styles, anchors. Plain scalars stay text: what they mean is for
// the key that holds them to say (YAML 1.1's booleans and base-60 numbers cannot happen).
type tree struct {
	kind treeKind
	pos  Pos
	text string
	keys []tree  // of a map
	vals []*tree // of a list or map
	size int     // values in it, aliases counted each time
}

func (t *tree) what() string {
	switch t.kind {
	case treeNull:
		return "nothing"
	case treeScalar:
		return "text"
	case treeList:
		return "a list"
	case treeMap:
		return "a map"
	}
	panic("topo: unknown kind of tree")
}

// readTree reads the one document of a file. It returns nil when there is none or something is wrong.
func readTree(p *problems, data []byte) *tree {
	tokens, ok := readTokens(p, data)
	if !ok {
		return nil
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		p.yaml(err)
		return nil
	}
	var body ast.Node
	for _, d := range file.Docs {
		if d.Body == nil || d.Body.Type() == ast.CommentType {
			continue
		}
		if d.Body.Type() == ast.DirectiveType {
			continue
		}
		if body != nil {
			p.add(posOf(d.Body), "one file is one lab", "the file holds more than one document")
			return nil
		}
		body = d.Body
	}
	if body == nil {
		return nil
	}
	r := treeReader{p: p, anchors: map[string]*tree{}}
	t := r.read(body, 0)
	if t != nil && t.size > maxNodes || r.tooMany {
		p.add(posOf(body), "", "the file holds more than %d values when its aliases are written out", maxNodes)
		return nil
	}
	return t
}

// yaml adds an error of the YAML library.
func (p *problems) yaml(err error) {
	var e interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &e) && e.GetToken() != nil {
		at := e.GetToken().Position
		hint := ""
		if strings.Contains(e.GetMessage(), "cannot start any token") && strings.Contains(e.GetMessage(), "\t") {
			hint = "indent with spaces"
		}
		p.add(Pos{at.Line, at.Column}, hint, "%s", strings.ReplaceAll(show(e.GetMessage()), "\t", "tab"))
		return
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	p.add(Pos{1, 1}, "", "%s", show(first))
}

func posOf(n ast.Node) Pos {
	if n == nil {
		return Pos{}
	}
	if m, ok := n.(*ast.MappingValueNode); ok {
		return posOf(m.Key)
	}
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return posOf(m.Values[0].Key)
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return Pos{}
	}
	return Pos{t.Position.Line, t.Position.Column}
}

type treeReader struct {
	p       *problems
	anchors map[string]*tree
	tooMany bool
}

func (r *treeReader) read(n ast.Node, depth int) *tree {
	t := r.read1(n, depth)
	if t != nil && t.size > maxNodes {
		r.tooMany = true
		return nil
	}
	return t
}

func (r *treeReader) read1(n ast.Node, depth int) *tree {
	if depth > 4*maxDepth {
		r.p.add(posOf(n), "", "lists and maps are nested too deep")
		return nil
	}
	if r.tooMany {
		return nil
	}
	switch n := n.(type) {
	case nil:
		return &tree{size: 1}
	case *ast.NullNode:
		return &tree{pos: posOf(n), size: 1}
	case *ast.LiteralNode:
		return &tree{kind: treeScalar, pos: posOf(n), text: show(n.Value.Value), size: 1}
	case *ast.StringNode:
		return &tree{kind: treeScalar, pos: posOf(n), text: show(n.Value), size: 1}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return &tree{kind: treeScalar, pos: posOf(n), text: show(n.GetToken().Value), size: 1}
	case *ast.SequenceNode:
		t := &tree{kind: treeList, pos: posOf(n), size: 1}
		for _, v := range n.Values {
			c := r.read(v, depth+1)
			if c == nil {
				return nil
			}
			t.vals = append(t.vals, c)
			if t.size += c.size; t.size > maxNodes {
				return t
			}
		}
		return t
	case *ast.MappingNode:
		return r.readMap(posOf(n), n.Values, depth)
	case *ast.MappingValueNode:
		return r.readMap(posOf(n), []*ast.MappingValueNode{n}, depth)
	case *ast.AnchorNode:
		t := r.read(n.Value, depth+1)
		if t != nil && n.Name != nil {
			r.anchors[n.Name.GetToken().Value] = t
		}
		return t
	case *ast.AliasNode:
		name := ""
		if n.Value != nil {
			name = n.Value.GetToken().Value
		}
		t := r.anchors[name]
		if t == nil {
			r.p.add(posOf(n), "", "no anchor &%s stands before this alias", name)
			return nil
		}
		c := *t
		c.pos = posOf(n)
		return &c
	case *ast.TagNode:
		r.p.add(posOf(n), "leave it out", "tags such as %s are not understood", n.Start.Value)
		return nil
	default:
		r.p.add(posOf(n), "", "%s is not understood here", n.Type())
		return nil
	}
}

func (r *treeReader) readMap(at Pos, values []*ast.MappingValueNode, depth int) *tree {
	t := &tree{kind: treeMap, pos: at, size: 1}
	seen := make(map[string]Pos, len(values))
	var merges []*tree
	for _, v := range values {
		if v.Key.IsMergeKey() {
			m := r.read(v.Value, depth+1)
			if m == nil {
				return nil
			}
			merges = append(merges, m)
			if t.size += m.size; t.size > maxNodes {
				return t
			}
			continue
		}
		k := r.readKey(v.Key)
		if k == nil {
			return nil
		}
		if before, twice := seen[k.text]; twice {
			r.p.add(k.pos, "", "%q stands here twice, first in line %d", k.text, before.Line)
			return nil
		}
		seen[k.text] = k.pos
		c := r.read(v.Value, depth+1)
		if c == nil {
			return nil
		}
		if c.pos == (Pos{}) || c.kind == treeNull {
			c.pos = k.pos
		}
		t.keys, t.vals = append(t.keys, *k), append(t.vals, c)
		if t.size += c.size + 1; t.size > maxNodes {
			return t
		}
	}
	for _, m := range merges {
		r.merge(t, m, seen)
	}
	return t
}

// readKey accepts plain and quoted text only.
func (r *treeReader) readKey(n ast.MapKeyNode) *tree {
	if a, ok := n.(ast.Node).(*ast.AnchorNode); ok {
		r.p.add(posOf(a), "", "an anchor on a key is not understood")
		return nil
	}
	k := r.read(n, 0)
	if k == nil {
		return nil
	}
	if k.kind == treeNull {
		k.text = n.GetToken().Value
	} else if k.kind != treeScalar {
		r.p.add(k.pos, "", "a key must be text, not %s", k.what())
		return nil
	}
	if _, ok := n.(*ast.MappingKeyNode); ok {
		r.p.add(k.pos, "", "'? key' is not understood")
		return nil
	}
	return k
}

// merge adds what "<<" brings: keys that do not stand there already.
func (r *treeReader) merge(t, m *tree, seen map[string]Pos) {
	if m.kind == treeList {
		for _, v := range m.vals {
			r.merge(t, v, seen)
		}
		return
	}
	if m.kind != treeMap {
		r.p.add(m.pos, "", "<< takes a map, not %s", m.what())
		return
	}
	for i, k := range m.keys {
		if _, ok := seen[k.text]; ok {
			continue
		}
		seen[k.text] = k.pos
		t.keys, t.vals = append(t.keys, k), append(t.vals, m.vals[i])
		t.size += m.vals[i].size + 1
	}
}
