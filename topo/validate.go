package topo

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"warren/ipam"
	"warren/state"
)

// Validate reports everything that is wrong with a complete lab, as far as it can be told without the world: joined
// *[Error] values.
func (l *Lab) Validate() error {
	p := problems{file: l.File}
	l.validate(&p)
	return p.err()
}

// validator holds what the checks look up.
type validator struct {
	*problems
	l     *Lab
	nets  map[string]*Net
	nodes map[string]*Node
	on    map[string][]attached // nets of a node, in order
	names []string              // of nodes
	wires []string              // names of nets
}

// attached is a net that a node is on, and as which member.
type attached struct {
	*Net
	member *Member
}

func (l *Lab) validate(p *problems) {
	v := &validator{problems: p, l: l, nets: map[string]*Net{}, nodes: map[string]*Node{}, on: map[string][]attached{}}
	if err := state.CheckLabName(l.Name); err != nil {
		v.add(l.at("/name"), "", "name of lab: %w", err)
	}
	for i := range l.Nodes {
		n := &l.Nodes[i]
		if err := checkNodeName(n.Name); err != nil {
			v.add(l.at("/nodes/"+n.Name), "", "%w", err)
		}
		if v.nodes[n.Name] != nil {
			v.add(l.at("/nodes/"+n.Name), "", "node %s is described twice", n.Name)
			continue
		}
		v.nodes[n.Name] = n
		v.names = append(v.names, n.Name)
	}
	for i := range l.Nets {
		n := &l.Nets[i]
		v.net(n)
		for j := range n.Members {
			m := &n.Members[j]
			v.on[m.Node] = append(v.on[m.Node], attached{n, m})
		}
	}
	v.overlaps()
	v.macs()
	for i := range l.Nodes {
		v.node(&l.Nodes[i])
	}
	v.published()
	v.cycles()
	for i := range l.Checks {
		v.check(&l.Checks[i])
	}
}

func (v *validator) net(n *Net) {
	at := v.l.at("/nets/" + n.Name)
	if err := checkNetName(n.Name); err != nil {
		v.add(at, "", "%w", err)
	}
	if n.Name == DefaultNet && v.l.Name != DefaultLab {
		v.add(at, "", "name of net: %q is reserved", n.Name)
	}
	if v.nets[n.Name] != nil {
		v.add(at, "", "net %s is there twice", n.Name)
		return
	}
	v.nets[n.Name] = n
	v.wires = append(v.wires, n.Name)
	switch {
	case n.Kind != KindPair && n.Kind != KindBridge:
		v.add(at, "", "net %s: kind %q is not pair or bridge", n.Name, n.Kind)
	case n.Kind == KindPair && len(n.Members) != 2:
		v.add(at, "", "net %s: a pair has two members, not %d", n.Name, len(n.Members))
	case n.Kind == KindPair && (n.Uplink != nil || n.Isolated || n.STP):
		v.add(at, "kind: bridge", "net %s: a pair cannot be an uplink, isolated, or have a spanning tree", n.Name)
	}
	if n.MTU < 68 || n.MTU > 65535 {
		v.add(v.l.at("/nets/"+n.Name+"/mtu"), "", "net %s: mtu %d is not between 68 and 65535", n.Name, n.MTU)
	}
	for i, c := range n.CIDR {
		if !c.IsValid() || c != c.Masked() || i > 1 || i == 1 && c.Addr().Is4() == n.CIDR[0].Addr().Is4() {
			v.add(v.l.at("/nets/"+n.Name+"/cidr"), "", "net %s: cidr is one IPv4 prefix, one IPv6 prefix, or one of each", n.Name)
			return
		}
		if c.Addr().IsMulticast() || c.Addr().IsLoopback() || c.Addr().Is6() && c.Addr().IsLinkLocalUnicast() || c.Bits() == 0 {
			v.add(v.l.at("/nets/"+n.Name+"/cidr"), "", "net %s: no net can have the prefix %s", n.Name, c)
		}
		if room := c.Addr().BitLen() - c.Bits(); room < 20 {
			need := len(n.Members)
			if n.Uplink != nil {
				need++
			}
			have := 1 << room
			if c.Addr().Is4() && room > 1 {
				have -= 2
			}
			if need > have {
				v.add(v.l.at("/nets/"+n.Name+"/cidr"), roomFor(c, need), "net %s: %s has room for %d addresses, %d are needed", n.Name, c, have, need)
			}
		}
	}
	if (n.IPv6 != nil && *n.IPv6 || slices.ContainsFunc(n.CIDR, func(c netip.Prefix) bool { return c.Addr().Is6() })) && n.MTU < 1280 {
		v.add(v.l.at("/nets/"+n.Name+"/mtu"), "", "net %s: IPv6 needs an mtu of 1280 bytes, not %d", n.Name, n.MTU)
	}
	v.gateway(n)
	v.members(n)
}

func (v *validator) gateway(n *Net) {
	at := v.l.at("/nets/" + n.Name + "/gateway")
	g := n.Gateway
	if g.Node != "" && n.Uplink != nil {
		v.add(at, "give the host's address, or leave it out", "net %s: the gateway of an uplink is the host, not %s", n.Name, g.Node)
		return
	}
	if g.Node != "" && !slices.ContainsFunc(n.Members, func(m Member) bool { return m.Node == g.Node }) {
		v.add(at, "", "net %s: its gateway %s is not a member of it", n.Name, g.Node)
	}
	for _, a := range g.Addr {
		c := prefixFor(n.CIDR, a)
		if !c.IsValid() {
			v.add(at, "", "net %s: gateway %s needs a fixed prefix", n.Name, a)
		} else if !c.Contains(a) || !ipam.NewHosts(c).Usable(a) {
			v.add(at, "", "net %s: gateway %s is not an address of a host in %s", n.Name, a, c)
		}
	}
}

func (v *validator) members(n *Net) {
	seen := make(map[string]bool, len(n.Members))
	owner := map[netip.Addr]string{}
	if n.Uplink != nil {
		for _, a := range n.Gateway.Addr {
			owner[a] = "the host"
		}
	}
	for _, m := range n.Members {
		path := "/nets/" + n.Name + "/" + m.Node
		if err := checkNodeName(m.Node); err != nil {
			v.add(v.l.at(path), "", "net %s: %w", n.Name, err)
		}
		if seen[m.Node] {
			v.add(v.l.at(path), "", "net %s: %s is a member twice", n.Name, m.Node)
			continue
		}
		seen[m.Node] = true
		if m.MTU < 68 || m.MTU > 65535 {
			v.add(v.l.at(path+"/mtu"), "", "net %s: mtu %d of %s is not between 68 and 65535", n.Name, m.MTU, m.Node)
		}
		for _, ip := range m.IP {
			a := ip.Addr()
			c := prefixFor(n.CIDR, a)
			switch {
			case !c.IsValid():
				v.add(v.l.at(path), "write "+a.String()+"/24, or give the net a cidr", "net %s: %s of %s needs the length of its prefix", n.Name, a, m.Node)
			case !c.Contains(a):
				v.add(v.l.at(path), "", "net %s: %s of %s is not in %s", n.Name, a, m.Node, c)
			case c.Bits() != ip.Bits():
				v.add(v.l.at(path), "", "net %s: %s of %s has another length than %s", n.Name, ip, m.Node, c)
			case !ipam.NewHosts(c).Usable(a):
				v.add(v.l.at(path), "", "net %s: %s of %s is the address of the net itself or its broadcast address", n.Name, a, m.Node)
			case owner[a] != "":
				v.add(v.l.at(path), "", "net %s: %s and %s both have %s", n.Name, owner[a], m.Node, a)
			}
			owner[a] = m.Node
		}
	}
}

// overlaps compares neighbours only: of prefixes sorted by address and length, one that overlaps any overlaps the widest
// before it.
func (v *validator) overlaps() {
	type used struct {
		p   netip.Prefix
		net string
	}
	var all []used
	for i := range v.l.Nets {
		for _, c := range v.l.Nets[i].CIDR {
			if c.IsValid() {
				all = append(all, used{c, v.l.Nets[i].Name})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b used) int {
		return cmp.Or(a.p.Addr().Compare(b.p.Addr()), cmp.Compare(a.p.Bits(), b.p.Bits()))
	})
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if a.net == b.net || !a.p.Overlaps(b.p) {
			if a.p.Overlaps(b.p) {
				all[i] = a
			}
			continue
		}
		pa, pb := v.l.at("/nets/"+a.net+"/cidr"), v.l.at("/nets/"+b.net+"/cidr")
		if pb.Line < pa.Line || pb.Line == pa.Line && pb.Column < pa.Column {
			v.add(pa, "", "net %s: %s overlaps %s of net %s", a.net, a.p, b.p, b.net)
		} else {
			v.add(pb, "", "net %s: %s overlaps %s of net %s", b.net, b.p, a.p, a.net)
		}
		all[i] = a
	}
}

func (v *validator) macs() {
	type key struct {
		net string
		mac state.MAC
	}
	owner := map[key]string{}
	for i := range v.l.Nets {
		n := &v.l.Nets[i]
		for _, m := range n.Members {
			if m.MAC.IsZero() {
				continue
			}
			k := key{n.Name, m.MAC}
			if m.MAC.IsMulticast() {
				v.add(v.l.at("/nets/"+n.Name+"/"+m.Node), "", "net %s: %s of %s is a group's address", n.Name, m.MAC, m.Node)
			}
			if o := owner[k]; o != "" {
				v.add(v.l.at("/nets/"+n.Name+"/"+m.Node), "", "net %s: %s and %s both have %s", n.Name, o, m.Node, m.MAC)
			}
			owner[k] = m.Node
		}
	}
}

// roomFor names a prefix at the same place that has room for so many; "" when there is none.
func roomFor(c netip.Prefix, need int) string {
	for bits := c.Bits() - 1; bits > 0; bits-- {
		if have := 1<<min(c.Addr().BitLen()-bits, 30) - 2; have >= need {
			return netip.PrefixFrom(c.Addr(), bits).Masked().String() + " would do"
		}
	}
	return ""
}

func (v *validator) unknownNode(at Pos, what, name string) {
	hint := ""
	if n := nearest(name, v.names); n != "" {
		hint = "did you mean " + n + "?"
	}
	v.add(at, hint, "%s: there is no node %s", what, name)
}

func (v *validator) unknownNet(at Pos, what, name string) {
	hint := ""
	if n := nearest(name, v.wires); n != "" {
		hint = "did you mean " + n + "?"
	}
	v.add(at, hint, "%s: there is no net %s", what, name)
}

func (v *validator) isOn(node, net string) bool {
	return slices.ContainsFunc(v.on[node], func(n attached) bool { return n.Name == net })
}

// ownNet reports a net that does not exist or that the node is not on.
func (v *validator) ownNet(at Pos, n *Node, what, net string) bool {
	switch {
	case v.nets[net] == nil:
		v.unknownNet(at, what+" of "+n.Name, net)
	case !v.isOn(n.Name, net):
		v.add(at, "", "%s of %s: it is not on net %s", what, n.Name, net)
	default:
		return true
	}
	return false
}

// place reports a name that is neither node nor net, or both.
func (v *validator) place(at Pos, what string, p Place) {
	if p.Name == "" || p.Name == "host" {
		return
	}
	node, net := v.nodes[p.Name] != nil, v.nets[p.Name] != nil
	switch {
	case node && net:
		v.add(at, "rename one of them", "%s: %s is a node and a net", what, p.Name)
	case !node && !net:
		hint := ""
		if n := nearest(p.Name, slices.Concat(v.names, v.wires)); n != "" {
			hint = "did you mean " + n + "?"
		}
		v.add(at, hint, "%s: there is no node and no net %s", what, p.Name)
	}
}

func (v *validator) published() {
	type entry struct {
		Publish
		node string
		at   Pos
	}
	var all []entry
	for i := range v.l.Nodes {
		n := &v.l.Nodes[i]
		for j, p := range n.Publish {
			all = append(all, entry{p, n.Name, v.l.at(itemPath("/nodes/"+n.Name+"/publish", j))})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		return cmp.Or(strings.Compare(a.Proto, b.Proto), cmp.Compare(a.Host.First, b.Host.First))
	})
	for i, a := range all {
		for _, b := range all[i+1:] {
			if b.Proto != a.Proto || b.Host.First > a.Host.Last {
				break
			}
			if sameHost(a.Addr, b.Addr) {
				x, y := a, b
				if y.at.Line < x.at.Line {
					x, y = y, x
				}
				v.add(y.at, "", "publish of %s: %s clashes with %s of %s", y.node, y.Publish, x.Publish, x.node)
				if len(v.list) >= maxProblems {
					return
				}
			}
		}
	}
}

// sameHost reports whether two host addresses of published ports claim a common socket.
func sameHost(a, b netip.Addr) bool {
	switch {
	case !a.IsValid() || !b.IsValid():
		return true
	case a.Is4() != b.Is4():
		return false
	}
	return a == b || a.IsUnspecified() || b.IsUnspecified()
}
