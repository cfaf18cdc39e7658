package topo

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// addItem adds an item to a list: of a net (with or without nodes:), or a node's key, which is made when it is missing.
func (p *page) addItem(path []string, item string) bool {
	v := p.find(path...)
	if v == nil {
		if parent := p.find(path[:len(path)-1]...); parent != nil && len(path) > 2 {
			return p.addKey(parent, path[len(path)-1], "["+item+"]")
		}
		return false
	}
	switch n := v.Value.(type) {
	case nil, *ast.NullNode:
		if path[len(path)-1] == "nodes" { // as this package writes it
			at := v.Key.GetToken().Position
			return p.insertLines(at.Line, strings.Repeat(" ", at.Column+1)+"- "+item+"\n")
		}
		i := p.at(v.Start.Position) + 1
		return p.splice(i, i, " ["+item+"]")
	case *ast.StringNode, *ast.IntegerNode:
		t := n.GetToken()
		from := p.at(t.Position)
		to := from + len([]rune(strings.TrimSpace(t.Origin)))
		return p.splice(to, to, ", "+item+"]") && p.splice(from, from, "[")
	case *ast.SequenceNode:
		if !n.IsFlowStyle {
			if len(n.Entries) == 0 {
				return false
			}
			return p.insertLines(lastLine(n), strings.Repeat(" ", n.Entries[0].Start.Position.Column-1)+"- "+item+"\n")
		}
		return p.addToFlow(n.End, len(n.Values), item)
	case *ast.MappingNode, *ast.MappingValueNode:
		if len(path) != 2 || path[0] != "nets" {
			return false
		}
		if p.find(path[0], path[1], "nodes") != nil {
			return p.addItem([]string{path[0], path[1], "nodes"}, item)
		}
		return p.addKey(v, "nodes", "["+item+"]")
	}
	return false
}

// addKey adds a key to the map that is an entry's value.
func (p *page) addKey(v *ast.MappingValueNode, key, value string) bool {
	line := key + ": " + value
	if v.Value == nil || v.Value.Type() == ast.NullType {
		i := p.at(v.Start.Position) + 1
		return p.splice(i, i, " {"+line+"}")
	}
	entries, flow, ok := entriesOf(v.Value)
	switch {
	case !ok:
		return false
	case flow != nil:
		return p.addToFlow(flow.End, len(entries), line)
	}
	indent := strings.Repeat(" ", entries[0].Key.GetToken().Position.Column-1)
	return p.insertLines(lastLine(v.Value), indent+line+"\n")
}

// addToFlow adds an item before the bracket that ends a flow collection.
func (p *page) addToFlow(end *token.Token, count int, item string) bool {
	i := p.at(end.Position)
	for i > 0 && (p.text[i-1] == ' ' || p.text[i-1] == '\n' || p.text[i-1] == '\t') {
		i--
	}
	if count > 0 {
		item = ", " + item
		if p.text[i-1] == ',' {
			item = item[1:]
		}
	}
	return p.splice(i, i, item)
}

// removeMember removes a node from a net's list.
func (p *page) removeMember(net, node string) bool {
	path := []string{"nets", net}
	if p.find("nets", net, "nodes") != nil {
		path = append(path, "nodes")
	}
	v := p.find(path...)
	if v == nil {
		return false
	}
	switch n := v.Value.(type) {
	case *ast.SequenceNode:
		for i, x := range n.Values {
			if itemName(x) == node {
				return p.removeItem(path, i)
			}
		}
	case *ast.StringNode:
		if show(n.Value) == node {
			from := p.at(n.GetToken().Position)
			return p.splice(from, from+len([]rune(strings.TrimSpace(n.GetToken().Origin))), "[]")
		}
	}
	return false
}

// itemName is an item's text, or the key of a map with one.
func itemName(n ast.Node) string {
	if entries, _, ok := entriesOf(n); ok {
		if len(entries) != 1 {
			return ""
		}
		return keyOf(entries[0])
	}
	return show(n.GetToken().Value)
}

// removeItem removes the i-th item of a list, or a value that stands for a list of one.
func (p *page) removeItem(path []string, i int) bool {
	v := p.find(path...)
	if v == nil {
		return false
	}
	n, ok := v.Value.(*ast.SequenceNode)
	if !ok {
		if i != 0 || v.Value == nil {
			return false
		}
		t := v.Value.GetToken()
		from := p.at(t.Position)
		return p.splice(from, from+len([]rune(strings.TrimSpace(t.Origin))), "[]")
	}
	if i >= len(n.Values) {
		return false
	}
	if n.IsFlowStyle {
		items := make([]*token.Token, 0, len(n.Values))
		for _, x := range n.Values {
			items = append(items, firstToken(x))
		}
		return p.removeFromFlow(n.Start, n.End, items, "", func(j int) bool { return i == j })
	}
	if len(n.Values) == 1 { // a list without items is written as one
		line := v.Key.GetToken().Position.Line
		at := p.at(v.Start.Position) + 1
		return p.splice(p.lineStart(n.Entries[0].Start.Position.Line), p.lineStart(lastLine(n.Values[0])+1), "") &&
			line == v.Key.GetToken().Position.Line && p.splice(at, at, " []")
	}
	return p.splice(p.lineStart(n.Entries[i].Start.Position.Line), p.lineStart(max(lastLine(n.Values[i]), n.Entries[i].Start.Position.Line)+1), "")
}

// firstToken is where a value begins.
func firstToken(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

// removeLink removes the entry of links that is a cable between two nodes, when it stands for no other.
func (p *page) removeLink(net *Net) bool {
	v := p.find("links")
	if v == nil {
		return false
	}
	n, ok := v.Value.(*ast.SequenceNode)
	if !ok {
		return false
	}
	a, b := net.Members[0].Node, net.Members[1].Node
	for i, x := range n.Values {
		left, right, ok := strings.Cut(itemName(x), "--")
		if ok && strings.TrimSpace(left) == a && strings.TrimSpace(right) == b && p.linkNamed(x, net.Name) {
			return p.removeItem([]string{"links"}, i)
		}
	}
	return false
}

// linkNamed reports whether a link may be the one of that name: it says so, or says nothing.
func (p *page) linkNamed(n ast.Node, name string) bool {
	entries, _, ok := entriesOf(n)
	if !ok || len(entries) != 1 {
		return true
	}
	inner, _, _ := entriesOf(entries[0].Value)
	for _, v := range inner {
		if keyOf(v) == "name" {
			return show(v.Value.GetToken().Value) == name
		}
	}
	return true
}
