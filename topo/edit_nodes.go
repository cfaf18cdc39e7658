package topo

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Nodes are the names of all nodes, in order of mention.
func (e *Editor) Nodes() []string {
	var out []string
	for i := range e.lab.Nets {
		for _, m := range e.lab.Nets[i].Members {
			out = append(out, m.Node)
		}
	}
	for i := range e.lab.Nodes {
		out = append(out, e.lab.Nodes[i].Name)
	}
	seen := make(map[string]bool, len(out))
	return slices.DeleteFunc(out, func(n string) bool {
		twice := seen[n]
		seen[n] = true
		return twice
	})
}

// Net returns a net to look at, nil when there is none of the name.
func (e *Editor) Net(name string) *Net {
	for i := range e.lab.Nets {
		if e.lab.Nets[i].Name == name {
			return &e.lab.Nets[i]
		}
	}
	return nil
}

// HasNode reports whether there is a node of the name.
func (e *Editor) HasNode(name string) bool {
	return e.node(name) != nil || slices.ContainsFunc(e.lab.Nets, func(n Net) bool { return n.member(name) != nil })
}

// node is what the file says about a node, nil when it only stands in nets.
func (e *Editor) node(name string) *Node {
	for i := range e.lab.Nodes {
		if e.lab.Nodes[i].Name == name {
			return &e.lab.Nodes[i]
		}
	}
	return nil
}

// describe is node for a node that exists: it may be described from now on.
func (e *Editor) describe(name string) (*Node, error) {
	if n := e.node(name); n != nil {
		return n, nil
	}
	if !e.HasNode(name) {
		return nil, e.missing("node", name, e.Nodes())
	}
	e.lab.Nodes = append(e.lab.Nodes, Node{Name: name})
	return &e.lab.Nodes[len(e.lab.Nodes)-1], nil
}

func (e *Editor) missing(what, name string, known []string) error {
	hint := ""
	if n := nearest(name, known); n != "" {
		hint = fmt.Sprintf(" (hint: did you mean %s?)", n)
	}
	return missing("lab %q has no %s %q%s", e.lab.Name, what, name, hint)
}

// AddNode adds a node that is on no net yet.
func (e *Editor) AddNode(n Node) error {
	if err := checkNodeName(n.Name); err != nil {
		return err
	}
	if e.HasNode(n.Name) {
		return exists("lab %q has a node %q already", e.lab.Name, n.Name)
	}
	e.lab.Nodes = append(e.lab.Nodes, n)
	return nil
}

// RemoveNode removes a node, with its cables, from its nets, and with the checks that say something about it. In the lab
// "default" a net that is left without members goes too.
func (e *Editor) RemoveNode(name string) error {
	if !e.HasNode(name) {
		return e.missing("node", name, e.Nodes())
	}
	for i := len(e.lab.Nets) - 1; i >= 0; i-- {
		n := &e.lab.Nets[i]
		if n.member(name) == nil {
			continue
		}
		if e.links[n.Name] {
			e.removeNet(n.Name)
			continue
		}
		e.takeOut(n, name)
	}
	e.lab.Nodes = slices.DeleteFunc(e.lab.Nodes, func(n Node) bool { return n.Name == name })
	e.lab.Checks = slices.DeleteFunc(e.lab.Checks, func(c Check) bool {
		target, _, _ := strings.Cut(c.Target.Name, ".")
		about := c.From == name || c.Via == name || target == name && c.Verb != "dns"
		if about {
			e.Dropped = append(e.Dropped, c.String())
		}
		return about
	})
	return nil
}

// takeOut removes a member of a net, and the net when the lab "default" has no use for it any more.
func (e *Editor) takeOut(n *Net, node string) {
	n.Members = slices.DeleteFunc(n.Members, func(m Member) bool { return m.Node == node })
	if len(n.Members) < 2 && n.Kind == KindPair {
		n.Kind = ""
	}
	if len(n.Members) == 0 && e.lab.Name == DefaultLab && n.Name != DefaultNet {
		e.removeNet(n.Name)
	}
}

// removeNet removes a net. Its members stay, on no net if need be.
func (e *Editor) removeNet(name string) {
	members := e.Net(name).Members
	e.lab.Nets = slices.DeleteFunc(e.lab.Nets, func(n Net) bool { return n.Name == name })
	delete(e.links, name)
	for _, m := range members {
		e.keep(m.Node)
	}
}

// keep lists a node that no net mentions any more.
func (e *Editor) keep(node string) {
	if !e.HasNode(node) {
		e.lab.Nodes = append(e.lab.Nodes, Node{Name: node})
	}
}

// Publish publishes a port or a range of a node at the host.
func (e *Editor) Publish(node string, p Publish) error {
	p.Proto = orTCP(p.Proto)
	if !e.HasNode(node) {
		return e.missing("node", node, e.Nodes())
	}
	for i := range e.lab.Nodes {
		o := &e.lab.Nodes[i]
		for _, q := range o.Publish {
			if orTCP(q.Proto) == p.Proto && q.Host.overlaps(p.Host) && sameHost(p.Addr, q.Addr) {
				return exists("publish %s of node %q: the port is taken: node %q of lab %q has published %s", p, node, o.Name, e.lab.Name, q)
			}
		}
	}
	n, err := e.describe(node)
	if err != nil {
		return err
	}
	n.Publish = append(n.Publish, p)
	return nil
}

// Unpublish takes back what Publish did: of the node (of all nodes with "") everything that match holds for. It returns what
// that was.
func (e *Editor) Unpublish(node string, match func(Publish) bool) ([]Publish, error) {
	if node != "" && !e.HasNode(node) {
		return nil, e.missing("node", node, e.Nodes())
	}
	var gone []Publish
	for i := range e.lab.Nodes {
		n := &e.lab.Nodes[i]
		if node != "" && n.Name != node {
			continue
		}
		n.Publish = slices.DeleteFunc(n.Publish, func(p Publish) bool {
			p.Proto = orTCP(p.Proto)
			if match(p) {
				gone = append(gone, p)
				return true
			}
			return false
		})
	}
	return gone, nil
}

// Published lists what a node has published.
func (e *Editor) Published(node string) []Publish {
	if n := e.node(node); n != nil {
		return slices.Clone(n.Publish)
	}
	return nil
}

// ParsePublish reads [ADDR:]HOSTPORTS:PORTS[/tcp|/udp].
func ParsePublish(s string) (Publish, error) { return parsePublish(s) }

// ParsePorts reads PORT or FIRST-LAST, with or without a protocol; without it is "".
func ParsePorts(s string) (Ports, string, error) {
	rest, proto, err := cutProto(s, "tcp", "udp")
	if err != nil {
		return Ports{}, "", err
	}
	p, err := parsePorts(rest)
	return p, proto, err
}

// ParseAddress reads an address, or one with the length of its prefix; alone its length is that of a single address.
func ParseAddress(s string) (netip.Prefix, error) { return parseInterface(s) }
