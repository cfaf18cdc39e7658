package topo

import (
	"fmt"
	"net/netip"
	"slices"
)

// nets are the names of all nets.
func (e *Editor) nets() []string {
	out := make([]string, 0, len(e.lab.Nets))
	for i := range e.lab.Nets {
		out = append(out, e.lab.Nets[i].Name)
	}
	return out
}

// AddNet adds a net.
func (e *Editor) AddNet(n Net) error {
	if err := checkNetName(n.Name); err != nil {
		return err
	}
	if e.Net(n.Name) != nil {
		return exists("lab %q has a net %q already", e.lab.Name, n.Name)
	}
	e.insert(n)
	return nil
}

// insert puts a net where its entry will stand: behind the file's nets, which may be before its links.
func (e *Editor) insert(n Net) {
	at := len(e.lab.Nets)
	for i := range e.lab.Nets {
		if !e.listed[e.lab.Nets[i].Name] {
			at = i + 1
		}
	}
	e.lab.Nets = slices.Insert(e.lab.Nets, at, n)
}

// Join makes a node a member of a net. A cable to which a third node is joined becomes a net as any other.
func (e *Editor) Join(net string, m Member) error {
	n := e.Net(net)
	if n == nil {
		return e.missing("net", net, e.nets())
	}
	if !e.HasNode(m.Node) {
		return e.missing("node", m.Node, e.Nodes())
	}
	if n.member(m.Node) != nil {
		return exists("node %q of lab %q is on net %q already", m.Node, e.lab.Name, net)
	}
	n.Members = append(n.Members, m)
	if len(n.Members) != 2 && n.Kind == KindPair {
		n.Kind = ""
	}
	if len(n.Members) > 2 {
		delete(e.links, net)
		if e.listed[net] { // it cannot be written as a link any more
			moved := *n
			e.lab.Nets = slices.DeleteFunc(e.lab.Nets, func(x Net) bool { return x.Name == net })
			delete(e.listed, net)
			e.insert(moved)
		}
	}
	e.forget(m.Node)
	return nil
}

// forget takes a node out of the list when the list says nothing about it that a net does not.
func (e *Editor) forget(node string) {
	e.lab.Nodes = slices.DeleteFunc(e.lab.Nodes, func(n Node) bool { return n.Name == node && n.plain() })
}

// Leave takes a node off a net.
func (e *Editor) Leave(net, node string) error {
	n := e.Net(net)
	switch {
	case n == nil:
		return e.missing("net", net, e.nets())
	case n.member(node) == nil && !e.HasNode(node):
		return e.missing("node", node, e.Nodes())
	case n.member(node) == nil:
		return missing("node %q of lab %q is not on net %q", node, e.lab.Name, net)
	}
	if e.links[net] {
		e.removeNet(net)
		return nil
	}
	e.takeOut(n, node)
	e.keep(node)
	return nil
}

// Link connects two nodes by a cable of their own, and returns its name: that of the net, or A-B when it has none. The net's
// members are a and b.
func (e *Editor) Link(net Net, a, b Member) (string, error) {
	for _, m := range []Member{a, b} {
		if !e.HasNode(m.Node) {
			return "", e.missing("node", m.Node, e.Nodes())
		}
	}
	if a.Node == b.Node {
		return "", fmt.Errorf("node %q cannot be connected to itself", a.Node)
	}
	name := net.Name
	if name == "" {
		name = a.Node + "-" + b.Node
		for i := 2; e.Net(name) != nil; i++ {
			name = fmt.Sprintf("%s-%s-%d", a.Node, b.Node, i)
		}
	}
	net.Name, net.Members = name, []Member{a, b}
	if err := e.AddNet(net); err != nil {
		return "", err
	}
	e.links[name] = true
	e.forget(a.Node)
	e.forget(b.Node)
	return name, nil
}

// Links are the names of the cables between two nodes.
func (e *Editor) Links(a, b string) []string {
	var out []string
	for i := range e.lab.Nets {
		n := &e.lab.Nets[i]
		if e.links[n.Name] && len(n.Members) == 2 && n.member(a) != nil && n.member(b) != nil && a != b {
			out = append(out, n.Name)
		}
	}
	return out
}

// NetsOf are the names of the nets that all of these nodes are on.
func (e *Editor) NetsOf(nodes ...string) []string {
	var out []string
	for i := range e.lab.Nets {
		n := &e.lab.Nets[i]
		if !slices.ContainsFunc(nodes, func(node string) bool { return n.member(node) == nil }) {
			out = append(out, n.Name)
		}
	}
	return out
}

// Fix writes a net's prefixes into the lab, when it says none of their families: from now on they are no longer chosen.
func (e *Editor) Fix(net string, prefixes []netip.Prefix) {
	n := e.Net(net)
	if n == nil {
		return
	}
	for _, p := range prefixes {
		if !prefixFor(n.CIDR, p.Addr()).IsValid() {
			n.CIDR = append(n.CIDR, p.Masked())
		}
	}
}
