package topo

import (
	"net/netip"
	"slices"

	"warren/state"
)

// expander holds a lab with everything looked up.
type expander struct {
	problems
	lab   *Lab
	in    Inputs
	nets  []*wire
	nodes []*room // in order of mention
	byNet map[string]*wire
	byOwn map[string]*room
	// spaces are the namespaces that are not nodes: "host" and the hidden one; nil until something needs them.
	host, hidden *state.DesiredNamespace
	hostRoutes   []state.Route
}

// wire is a net being expanded.
type wire struct {
	*Net
	prefixes []netip.Prefix // IPv4 first
	hostAddr []netip.Addr   // of an uplink, as prefixes
	plugs    []*plug
	byNode   map[string]*plug
	ns       string  // where its bridges are
	bridge   string  // the first one
	forward  []*plug // members that forward, once asked for
}

func (w *wire) has6() bool { return len(w.prefixes) > 0 && w.prefixes[len(w.prefixes)-1].Addr().Is6() }
func (w *wire) has4() bool { return len(w.prefixes) > 0 && w.prefixes[0].Addr().Is4() }

// plug is one node's attachment to one net.
type plug struct {
	*Member
	wire  *wire
	room  *room
	addrs []netip.Prefix
	mac   state.MAC
}

// addr is the first address of a family; the zero Addr when there is none.
func (p *plug) addr(is6 bool) netip.Addr {
	for _, a := range p.addrs {
		if a.Addr().Is6() == is6 {
			return a.Addr()
		}
	}
	return netip.Addr{}
}

// room is a node being expanded.
type room struct {
	*Node
	ns    string
	owned bool
	plugs []*plug // in order of the nets
	has6  bool
	state.Contents
}

func (r *room) plugOn(net string) *plug {
	for _, p := range r.plugs {
		if p.wire.Name == net {
			return p
		}
	}
	return nil
}

// Expand says what has to exist for a lab. The lab is completed and validated first (the value itself is not changed).
// The result depends on nothing but its arguments.
func Expand(lab *Lab, in Inputs) (*Expanded, error) {
	l := lab.clone()
	l.Complete()
	if err := l.Validate(); err != nil {
		return nil, err
	}
	e := &expander{problems: problems{file: l.File}, lab: l, in: in, byNet: map[string]*wire{}, byOwn: map[string]*room{}}
	e.look()
	e.choosePrefixes()
	if err := e.err(); err != nil {
		return nil, err
	}
	e.chooseAddresses()
	if err := e.err(); err != nil {
		return nil, err
	}
	e.links()
	e.addresses()
	e.sysctls()
	e.routes()
	e.firewalls()
	x := &Expanded{Lab: l.Name, Source: l, Checks: l.Checks}
	e.uplinks(x)
	e.names(x)
	e.services(x)
	if err := e.err(); err != nil {
		return nil, err
	}
	e.collect(x)
	return x, nil
}

// clone copies what Complete changes.
func (l *Lab) clone() *Lab {
	c := *l
	c.Nets = slices.Clone(l.Nets)
	for i := range c.Nets {
		n := &c.Nets[i]
		n.Members = slices.Clone(n.Members)
		for j := range n.Members {
			n.Members[j].IP = slices.Clone(n.Members[j].IP)
		}
		n.CIDR = slices.Clone(n.CIDR)
	}
	c.Nodes = slices.Clone(l.Nodes)
	for i := range c.Nodes {
		n := &c.Nodes[i]
		n.DNAT, n.Publish, n.Services = slices.Clone(n.DNAT), slices.Clone(n.Publish), slices.Clone(n.Services)
	}
	c.Checks = slices.Clone(l.Checks)
	return &c
}

func (e *expander) look() {
	for i := range e.lab.Nodes {
		n := &e.lab.Nodes[i]
		r := &room{Node: n, ns: e.lab.Name + "." + n.Name, owned: n.Netns == ""}
		if !r.owned {
			r.ns = n.Netns
		}
		e.nodes = append(e.nodes, r)
		e.byOwn[n.Name] = r
	}
	for i := range e.lab.Nets {
		n := &e.lab.Nets[i]
		w := &wire{Net: n, byNode: make(map[string]*plug, len(n.Members))}
		e.nets = append(e.nets, w)
		e.byNet[n.Name] = w
		for j := range n.Members {
			m := &n.Members[j]
			p := &plug{Member: m, wire: w, room: e.byOwn[m.Node], mac: m.MAC}
			if p.mac.IsZero() {
				p.mac = macOf(e.lab.Name, m.Node, n.Name)
			}
			w.plugs = append(w.plugs, p)
			w.byNode[m.Node] = p
			p.room.plugs = append(p.room.plugs, p)
		}
	}
}

func (e *expander) hostSpace() *state.DesiredNamespace {
	if e.host == nil {
		e.host = &state.DesiredNamespace{Name: state.HostNS}
	}
	return e.host
}

// SwitchNode is the name under which a lab's hidden namespace is marked; its key is LAB.@switch.
const SwitchNode = "@switch"

func (e *expander) switchSpace() *state.DesiredNamespace {
	if e.hidden == nil {
		e.hidden = &state.DesiredNamespace{
			Name: e.lab.Name + "." + SwitchNode,
			Mark: state.Mark{Lab: e.lab.Name, Node: SwitchNode},
		}
		// The switches have no addresses: without IPv6 they say nothing on their own.
		e.hidden.Sysctls = []state.Sysctl{{Key: "net/ipv6/conf/default/disable_ipv6", Value: "1"}}
	}
	return e.hidden
}

func (e *expander) collect(x *Expanded) {
	d := &x.Desired
	d.Lab = e.lab.Name
	for _, r := range e.nodes {
		ns := state.DesiredNamespace{Name: r.ns, Contents: r.Contents}
		if r.owned {
			ns.Mark = state.Mark{Lab: e.lab.Name, Node: r.Name}
		}
		d.Namespaces = append(d.Namespaces, ns)
		info := NodeInfo{Name: r.Name, NS: r.ns, Owned: r.owned, Forward: *r.Forward}
		for _, p := range r.plugs {
			for _, a := range p.addrs {
				info.Addrs = append(info.Addrs, NodeAddr{Net: p.wire.Name, Link: p.If, Prefix: a, NoDNS: p.wire.NoDNS})
			}
		}
		x.Nodes = append(x.Nodes, info)
	}
	for _, ns := range []*state.DesiredNamespace{e.host, e.hidden} {
		if ns != nil {
			d.Namespaces = append(d.Namespaces, *ns)
		}
	}
	d.Sort()
	slices.SortFunc(x.Nodes, func(a, b NodeInfo) int { return compareText(a.Name, b.Name) })
	for _, w := range e.nets {
		n := NetInfo{Name: w.Name, Kind: w.Kind, Prefixes: w.prefixes, Bridge: w.bridge, Uplink: w.Uplink != nil}
		for _, p := range w.plugs {
			n.Members = append(n.Members, p.Node)
		}
		x.Nets = append(x.Nets, n)
	}
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
