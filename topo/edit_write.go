package topo

import (
	"encoding/json"
	"strconv"
	"strings"
)

// brief writes a lab, complete or not, without what is the default.
type brief struct{ w writer }

func (b *brief) lab(l *Lab) string {
	b.w.line(0, "name", l.Name)
	b.defaults(&l.Defaults)
	if len(l.Nets) > 0 {
		b.w.head(0, "nets")
	}
	for i := range l.Nets {
		b.net(1, &l.Nets[i])
	}
	if len(l.Nodes) > 0 {
		b.w.head(0, "nodes")
	}
	for i := range l.Nodes {
		b.node(1, &l.Nodes[i])
	}
	if len(l.Checks) > 0 {
		b.w.head(0, "checks")
	}
	for _, c := range l.Checks {
		b.w.item(1, quote(c.String()))
	}
	return b.w.b.String()
}

func (b *brief) defaults(d *Defaults) {
	if *d == (Defaults{}) {
		return
	}
	b.w.head(0, "defaults")
	if d.MTU != 0 {
		b.w.line(1, "mtu", number(d.MTU))
	}
	if d.IPv6 {
		b.w.line(1, "ipv6", "true")
	}
	if d.Pool4.IsValid() {
		b.w.line(1, "pool4", d.Pool4.String())
	}
	if d.Pool6.IsValid() {
		b.w.line(1, "pool6", d.Pool6.String())
	}
}

// net writes an entry of nets.
func (b *brief) net(at int, n *Net) {
	b.w.head(at, n.Name)
	in := at + 1
	flag := func(key string, on bool) {
		if on {
			b.w.line(in, key, "true")
		}
	}
	if len(n.CIDR) == 1 {
		b.w.line(in, "cidr", n.CIDR[0].String())
	} else if len(n.CIDR) > 1 {
		b.w.raw(in, "cidr", flow(texts(n.CIDR)))
	}
	if n.IPv6 != nil {
		b.w.line(in, "ipv6", strconv.FormatBool(*n.IPv6))
	}
	if n.Kind != "" {
		b.w.line(in, "kind", n.Kind)
	}
	if n.MTU != 0 {
		b.w.line(in, "mtu", number(n.MTU))
	}
	if n.Uplink != nil && n.Uplink.RouteOnly {
		b.w.raw(in, "uplink", "{nat: false}")
	} else {
		flag("uplink", n.Uplink != nil)
	}
	flag("isolated", n.Isolated)
	flag("internal", n.Internal)
	flag("stp", n.STP)
	if n.NoDNS {
		b.w.line(in, "dns", "false")
	}
	switch g := n.Gateway; {
	case g.None:
		b.w.line(in, "gateway", "none")
	case g.Node != "":
		b.w.line(in, "gateway", g.Node)
	case len(g.Addr) > 0:
		b.w.raw(in, "gateway", flow(texts(g.Addr)))
	}
	b.w.head(in, "nodes")
	for _, m := range n.Members {
		b.w.item(in+1, memberText(m))
	}
}

// memberText is an item of a net's list.
func memberText(m Member) string {
	name, ip := quote(m.Node), ""
	if len(m.IP) == 1 {
		ip = quote(m.IP[0].String())
	} else if len(m.IP) > 1 {
		ip = flow(texts(m.IP))
	}
	if m.MAC.IsZero() && m.If == "" && m.MTU == 0 {
		if ip != "" {
			return name + ": " + ip
		}
		return name
	}
	var parts []string
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, key+": "+value)
		}
	}
	add("ip", ip)
	if !m.MAC.IsZero() {
		add("mac", quote(m.MAC.String()))
	}
	if m.If != "" {
		add("if", quote(m.If))
	}
	if m.MTU != 0 {
		add("mtu", number(m.MTU))
	}
	return name + ": {" + strings.Join(parts, ", ") + "}"
}

// node writes an entry of nodes. The services are written with their defaults: what a reader fills in is the same.
func (b *brief) node(at int, n *Node) {
	if n.plain() {
		b.w.raw(at, n.Name, "{}")
		return
	}
	from := b.w.b.Len()
	full := &Lab{Nodes: []Node{*n}}
	full = full.clone()
	full.Complete()
	b.w.node(&full.Nodes[0])
	if n.Forward == nil {
		b.cut(from, "forward")
	}
	if n.Routes.IsZero() {
		b.cut(from, "routes")
	}
	b.indent(from, at-1)
}

// cut takes a line of a node away that says the default.
func (b *brief) cut(from int, key string) {
	text := b.w.b.String()
	head, entry := text[:from], text[from:]
	b.w.b.Reset()
	b.w.b.WriteString(head)
	for line := range strings.Lines(entry) {
		if !strings.HasPrefix(line, "    "+key+": ") {
			b.w.b.WriteString(line)
		}
	}
}

// indent sets the lines from there on in by so many levels more.
func (b *brief) indent(from, levels int) {
	if levels == 0 {
		return
	}
	text := b.w.b.String()
	head, entry := text[:from], text[from:]
	b.w.b.Reset()
	b.w.b.WriteString(head)
	for line := range strings.Lines(entry) {
		b.w.indent(levels)
		b.w.b.WriteString(line)
	}
}

// plain reports whether nothing is said about the node but that it exists.
func (n *Node) plain() bool {
	return sameJSON(n, &Node{Name: n.Name})
}

func sameJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}
