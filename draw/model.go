package draw

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"warren/state"
)

// A graph is rooms and the nets between them.
type graph struct {
	nets  []net
	rooms []room
}

// A net is a bridge (or several chained ones) with all that is plugged into it, or a cable.
type net struct {
	name     string
	cable    bool
	place    string // where the bridge is, when that is not a hidden namespace: "host", ...
	down     bool
	prefixes []netip.Prefix
}

// A room is a namespace.
type room struct {
	name     string
	key      string // of the namespace
	detail   string // who made it, where that says something
	forwards bool
	plugs    []plug
	others   []string // links that lead nowhere we know of
}

// A plug joins a room to a net.
type plug struct {
	net   int
	link  string
	addrs []netip.Prefix
	mtu   uint32
	down  bool
}

// A namespace is what Snapshot and Desired have in common.
type namespace struct {
	name string
	mark state.Mark
	*state.Contents
	label, detail string // what people call it, when that is not its name
}

func (n namespace) hidden() bool {
	return strings.HasPrefix(n.mark.Node, "@") || strings.Contains(n.name, ".@")
}

func fromSnapshot(s *state.Snapshot) []namespace {
	var list []namespace
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		label, detail := labels(n)
		list = append(list, namespace{n.Name, n.Mark, &n.Contents, label, detail})
	}
	return list
}

func fromDesired(d *state.Desired) []namespace {
	var list []namespace
	for i := range d.Namespaces {
		list = append(list, namespace{d.Namespaces[i].Name, d.Namespaces[i].Mark, &d.Namespaces[i].Contents, "", ""})
	}
	return list
}

// build makes the graph of the namespaces in list. A lab's nodes are called by their short names when lab is given; the
// other namespaces are left out unless something of the lab is plugged into them.
func build(list []namespace, o Options) graph {
	lab := o.Lab
	w := wire(list)
	b := builder{wiring: w, lab: lab, bridges: map[place]int{}, rooms: map[string]int{}}
	for _, n := range list {
		if b.ours(n) && !n.hidden() {
			b.room(n.name)
		}
	}
	b.findBridges(list)
	b.findPlugs(list)
	b.findCables(list)
	b.finish()
	if len(o.Only) > 0 {
		return b.graph.around(o.Only)
	}
	return b.graph
}

type builder struct {
	wiring
	graph
	lab     string
	bridges map[place]int
	rooms   map[string]int
}

func (b *builder) ours(n namespace) bool {
	return b.lab == "" || n.mark.Lab == b.lab || strings.HasPrefix(n.name, b.lab+".")
}

// oursLink tells whether a link in a namespace of somebody else is the lab's.
func (b *builder) oursLink(l *state.Link) bool {
	return b.lab == "" || slices.ContainsFunc(l.AltNames, func(a string) bool {
		m, ok := state.ParseMark(a)
		return ok && m.Lab == b.lab
	})
}

func (b *builder) room(ns string) int {
	i, ok := b.rooms[ns]
	if ok {
		return i
	}
	r := room{name: ns, key: ns}
	n := b.spaces[ns]
	switch {
	case b.lab != "" && n.mark.Lab == b.lab:
		r.name = n.mark.Node
	case b.lab != "":
		r.name = strings.TrimPrefix(ns, b.lab+".")
	case n.label != "":
		r.name = n.label
	}
	r.detail = n.detail
	if n.Contents != nil {
		four, _ := n.Sysctl("net/ipv4/ip_forward")
		six, _ := n.Sysctl("net/ipv6/conf/all/forwarding")
		r.forwards = four == "1" || six == "1" || slices.ContainsFunc(n.Links, forwards)
	}
	b.graph.rooms = append(b.graph.rooms, r)
	b.rooms[ns] = len(b.graph.rooms) - 1
	return b.rooms[ns]
}

// findBridges makes a net of every bridge. Bridges of one namespace that are joined by a cable are one net: that is how
// more than a thousand ports are made.
func (b *builder) findBridges(list []namespace) {
	for _, n := range list {
		for i := range n.Links {
			l := &n.Links[i]
			if l.Kind != "bridge" || !b.ours(n) && !b.oursLink(l) {
				continue
			}
			at := place{n.name, l.Name}
			net := net{name: labelOf(l), down: !l.Up}
			if !n.hidden() {
				net.place = n.name
			}
			b.nets = append(b.nets, net)
			b.bridges[at] = len(b.nets) - 1
		}
	}
	for _, at := range slices.SortedFunc(keys(b.peers), comparePlaces) {
		far := b.peers[at]
		if far.ns != at.ns || b.links[at] == nil || b.links[far] == nil {
			continue
		}
		mine, ok1 := b.bridges[place{at.ns, b.links[at].Master}]
		other, ok2 := b.bridges[place{far.ns, b.links[far].Master}]
		if !ok1 || !ok2 || mine == other {
			continue
		}
		keep, drop := min(mine, other), max(mine, other)
		for k, v := range b.bridges {
			if v == drop {
				b.bridges[k] = keep
			}
		}
		b.nets[drop].name = "" // dropped in finish, having no plugs
	}
}

// findPlugs joins the rooms to the bridges: by cables to the ports, and where the bridge itself has an address.
func (b *builder) findPlugs(list []namespace) {
	for _, n := range list {
		for i := range n.Links {
			at := place{n.name, n.Links[i].Name}
			if id, ok := b.bridges[at]; ok {
				if addrs := addrsOf(n, at.link); len(addrs) > 0 || !n.hidden() {
					b.plug(n.name, id, &n.Links[i], addrs)
				}
				continue
			}
			id, isPort := b.bridges[place{n.name, n.Links[i].Master}]
			far, cabled := b.peers[at]
			if !isPort || !cabled || far.ns == "" {
				continue
			}
			l := b.links[far]
			if l == nil {
				l = &state.Link{Name: far.link, Up: true}
			}
			if _, chained := b.bridges[place{far.ns, l.Master}]; chained {
				continue
			}
			down := *l
			down.Up = l.Up && n.Links[i].Up
			b.plug(far.ns, id, &down, addrsOf(b.spaces[far.ns], far.link))
		}
	}
}

// findCables makes a net of every veth pair of which no end is a bridge's port.
func (b *builder) findCables(list []namespace) {
	for _, n := range list {
		for i := range n.Links {
			l := &n.Links[i]
			at := place{n.name, l.Name}
			far, ok := b.peers[at]
			if !ok || far.ns == "" || comparePlaces(at, far) > 0 && b.links[far] != nil {
				continue
			}
			if !b.ours(n) && !b.ours(b.spaces[far.ns]) || b.isPort(at) || b.isPort(far) {
				continue
			}
			name := labelOf(l)
			if f := b.links[far]; f != nil && labelOf(f) != name {
				name += "--" + labelOf(f)
			}
			b.nets = append(b.nets, net{name: name, cable: true})
			id := len(b.nets) - 1
			b.plug(at.ns, id, l, addrsOf(n, l.Name))
			f := b.links[far]
			if f == nil {
				f = &state.Link{Name: far.link, Up: true}
			}
			b.plug(far.ns, id, f, addrsOf(b.spaces[far.ns], far.link))
		}
	}
}

func (b *builder) isPort(at place) bool {
	l := b.links[at]
	if l == nil || l.Master == "" {
		return false
	}
	_, ok := b.bridges[place{at.ns, l.Master}]
	return ok
}

func (b *builder) plug(ns string, id int, l *state.Link, addrs []netip.Prefix) {
	i := b.room(ns)
	b.graph.rooms[i].plugs = append(b.graph.rooms[i].plugs, plug{net: id, link: l.Name, addrs: addrs, mtu: l.MTU, down: !l.Up})
}

// finish fills in what follows from the plugs, lists the links that lead nowhere, drops the nets that nobody is plugged
// into because they were merged, and sorts.
func (b *builder) finish() {
	plugged := map[place]bool{}
	used := make([]bool, len(b.nets))
	for ns, i := range b.rooms {
		for _, p := range b.graph.rooms[i].plugs {
			plugged[place{ns, p.link}] = true
			used[p.net] = true
			for _, a := range p.addrs {
				b.nets[p.net].prefixes = append(b.nets[p.net].prefixes, a.Masked())
			}
		}
	}
	for ns, i := range b.rooms {
		n := b.spaces[ns]
		if n.Contents == nil || b.lab != "" && !b.ours(n) {
			continue // of the host only what is the lab's is shown
		}
		for k := range n.Links {
			l := &n.Links[k]
			if plugged[place{ns, l.Name}] || l.Name == "lo" || l.Kind == "" && n.hidden() || b.isPort(place{ns, l.Name}) {
				continue
			}
			b.graph.rooms[i].others = append(b.graph.rooms[i].others, other(n, l))
		}
		slices.Sort(b.graph.rooms[i].others)
	}
	order := make([]int, len(b.nets))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int {
		return cmp.Or(compareNatural(b.nets[x].name, b.nets[y].name), strings.Compare(b.nets[x].place, b.nets[y].place), x-y)
	})
	var nets []net
	renumber := map[int]int{}
	for _, i := range order {
		if b.nets[i].name == "" && !used[i] {
			continue
		}
		renumber[i] = len(nets)
		n := b.nets[i]
		n.name, n.place = printable(n.name), printable(n.place)
		slices.SortFunc(n.prefixes, netip.Prefix.Compare)
		n.prefixes = slices.Compact(n.prefixes)
		nets = append(nets, n)
	}
	b.nets = nets
	for i := range b.graph.rooms {
		r := &b.graph.rooms[i]
		r.name, r.detail = printable(r.name), printable(r.detail)
		for k := range r.others {
			r.others[k] = printable(r.others[k])
		}
		plugs := r.plugs
		for k := range plugs {
			plugs[k].net = renumber[plugs[k].net]
		}
		slices.SortFunc(plugs, func(x, y plug) int { return cmp.Or(x.net-y.net, strings.Compare(x.link, y.link)) })
	}
	slices.SortFunc(b.graph.rooms, func(x, y room) int {
		return cmp.Or(hostFirst(x)-hostFirst(y), compareNatural(x.name, y.name))
	})
}

func hostFirst(r room) int {
	if r.name == state.HostNS {
		return 0
	}
	return 1
}

// forwards tells it from the settings that a link's dump carries: IPV4_DEVCONF_FORWARDING is 1 and the list begins there,
// DEVCONF_FORWARDING of IPv6 is 0.
func forwards(l state.Link) bool {
	return l.Name != "lo" && (len(l.IPv4) > 0 && l.IPv4[0] == 1 || len(l.IPv6) > 0 && l.IPv6[0] == 1)
}

func other(n namespace, l *state.Link) string {
	s := l.Name
	if l.Kind != "" {
		s += " (" + l.Kind + ")"
	}
	if addrs := addrsOf(n, l.Name); len(addrs) > 0 {
		s += " " + join(addrs)
	}
	return s
}

// labelOf is what people call a link: the net that its mark names, the altname in place of a generated name, its name.
func labelOf(l *state.Link) string {
	best := ""
	for _, a := range l.AltNames {
		m, ok := state.ParseMark(a)
		switch {
		case ok:
			net, _, _ := strings.Cut(m.Node, ".")
			return net
		case best == "" || len(a) > len(best):
			best = a
		}
	}
	if best != "" {
		return best
	}
	return l.Name
}

// addrsOf lists the addresses that a person would name: not the link-local ones.
func addrsOf(n namespace, link string) []netip.Prefix {
	if n.Contents == nil {
		return nil
	}
	var list []netip.Prefix
	for _, a := range n.Addrs {
		if a.Link == link && !a.Prefix.Addr().IsLinkLocalUnicast() {
			list = append(list, a.Prefix)
		}
	}
	slices.SortFunc(list, func(x, y netip.Prefix) int {
		return cmp.Or(x.Addr().Compare(y.Addr()), x.Bits()-y.Bits())
	})
	return list
}
