package fake

import (
	"slices"
	"syscall"

	"warren/plan"
	"warren/state"
)

// link finds a link by name or altname.
func (s *space) link(name string) *link {
	for _, l := range s.links {
		if l.Name == name {
			return l
		}
	}
	for _, l := range s.links {
		if slices.Contains(l.AltNames, name) {
			return l
		}
	}
	return nil
}

// add puts a link into the space: it gets an index, and its sysctls from the defaults.
func (s *space) add(l *link) {
	l.space = s
	l.Index = s.next
	s.next++
	s.links = append(s.links, l)
	s.inherit(l.Name)
}

// newMAC is locally administered and different every time.
func (k *Kernel) newMAC() state.MAC {
	k.mac++
	return state.MAC{0x02, 0xfa, 0xce, byte(k.mac >> 16), byte(k.mac >> 8), byte(k.mac)}
}

// checkNew checks what the kernel checks of a new link's name.
func (s *space) checkNew(l *state.Link) error {
	if err := state.CheckLinkName(l.Name); err != nil {
		return refuse(syscall.EINVAL, "%v", err)
	}
	return s.checkNames(l.Name, l.AltNames)
}

func (s *space) checkNames(name string, altnames []string) error {
	for _, n := range append([]string{name}, altnames...) {
		if n != "" && s.link(n) != nil {
			return refuse(syscall.EEXIST, "%s", n)
		}
		if len(n) > state.MaxAltName {
			return refuse(syscall.ERANGE, "%s", n)
		}
	}
	return nil
}

func (s *space) cableEnd(l *state.Link) *link {
	n := &link{Link: *l}
	n.Kind, n.Up, n.Master, n.Peer = "veth", false, "", nil
	n.AltNames = slices.Sorted(slices.Values(l.AltNames))
	if n.MAC.IsZero() {
		n.MAC = s.k.newMAC()
	}
	if n.MTU == 0 {
		n.MTU = 1500
	}
	if n.TxQueueLen == 0 {
		n.TxQueueLen = 1000
	}
	n.Port = nil
	return n
}

func checkLink(l *state.Link) error {
	if l.MAC.IsMulticast() {
		return refuse(syscall.EADDRNOTAVAIL, "%s is a group address", l.MAC)
	}
	if l.MTU != 0 && l.Kind == "veth" && (l.MTU < 68 || l.MTU > 65535) {
		return refuse(syscall.EINVAL, "mtu %d", l.MTU)
	}
	return nil
}

func (k *Kernel) cable(v plan.Verb, c *plan.Cable) error {
	sa, sb := k.spaces[c.A.NS], k.spaces[c.B.NS]
	switch {
	case sa == nil:
		return refuse(syscall.ENOENT, "no namespace %s", c.A.NS)
	case v == plan.Delete:
		return sa.removeLink(c.A.Link.Name)
	case v != plan.Create:
		return syscall.EINVAL
	case sb == nil:
		return refuse(syscall.ENOENT, "no namespace %s", c.B.NS)
	case c.B.Link.Up || c.B.Link.Master != "":
		return refuse(syscall.ENOTCONN, "the answering end of a cable cannot be born up or enslaved")
	}
	a, b := &c.A.Link, &c.B.Link
	for _, err := range []error{sa.checkNew(a), sb.checkNew(b), checkLink(a), checkLink(b)} {
		if err != nil {
			return err
		}
	}
	if sa == sb && a.Name == b.Name {
		return refuse(syscall.EEXIST, "%s", a.Name)
	}
	var master *link
	if a.Master != "" {
		if master = sa.link(a.Master); master == nil {
			return refuse(syscall.ENODEV, "master %s", a.Master)
		}
		if master.Kind != "bridge" {
			return refuse(syscall.EOPNOTSUPP, "%s is no bridge", a.Master)
		}
	}
	la, lb := sa.cableEnd(a), sb.cableEnd(b)
	la.peer, lb.peer = lb, la
	sb.add(lb) // the kernel makes the peer first
	sa.add(la)
	if master != nil {
		la.enslave(master, a.Port)
	}
	if a.Up {
		_ = sa.setUp(la, true)
	}
	return nil
}

func (l *link) enslave(master *link, port *state.BridgePort) {
	l.master = master
	off, on := false, true
	l.Port = &state.BridgePort{
		Hairpin: &off, Guard: &off, RootBlock: &off, FastLeave: &off, Learning: &on, Flood: &on,
		MulticastFlood: &on, BroadcastFlood: &on, NeighSuppress: &off, ProxyARP: &off, VLANTunnel: &off, Isolated: &off, Locked: &off,
		Cost: 2, Priority: 32,
	}
	if port != nil {
		mergePort(l.Port, port)
	}
}

// makeLink makes a link of any kind but veth.
func (s *space) makeLink(l *state.Link) error {
	if err := s.checkNew(l); err != nil {
		return err
	}
	if err := checkLink(l); err != nil {
		return err
	}
	var master *link
	if l.Master != "" {
		if master = s.link(l.Master); master == nil {
			return refuse(syscall.ENODEV, "master %s", l.Master)
		}
	}
	n := &link{Link: *l}
	n.Up, n.Master, n.Peer, n.Lower, n.Port = false, "", nil, nil, nil
	n.AltNames = slices.Sorted(slices.Values(l.AltNames))
	if n.MAC.IsZero() {
		n.MAC = s.k.newMAC()
	}
	mtu := uint32(1500)
	switch l.Kind {
	case "bridge":
		n.Bridge = newBridge(l.Bridge)
	case "dummy", "ifb", "vxlan":
		if l.Kind == "vxlan" {
			mtu = 1450
		}
	case "vlan", "macvlan", "macvtap", "ipvlan":
		if l.Lower == nil {
			return refuse(syscall.EINVAL, "%s needs a lower link", l.Kind)
		}
		where := s
		if l.Lower.NS != "" {
			where = s.k.spaces[l.Lower.NS]
		}
		if where == nil {
			return refuse(syscall.ENOENT, "no namespace %s", l.Lower.NS)
		}
		if n.lower = where.link(l.Lower.Name); n.lower == nil {
			return refuse(syscall.ENODEV, "lower link %s", l.Lower.Name)
		}
		mtu = n.lower.MTU
		if l.Kind == "vlan" && l.MAC.IsZero() {
			n.MAC = n.lower.MAC
		}
	case "veth":
		return refuse(syscall.EINVAL, "a veth has two ends")
	default:
		return refuse(syscall.EOPNOTSUPP, "kind %q", l.Kind)
	}
	if n.MTU == 0 {
		n.MTU = mtu
	}
	if n.TxQueueLen == 0 {
		n.TxQueueLen = 1000
	}
	s.add(n)
	if master != nil {
		n.enslave(master, l.Port)
	}
	if l.Up {
		return s.setUp(n, true)
	}
	return nil
}

func (s *space) removeLink(name string) error {
	l := s.link(name)
	switch {
	case l == nil:
		return refuse(syscall.ENODEV, "%s", name)
	case l.Kind == "":
		return refuse(syscall.EOPNOTSUPP, "%s cannot be removed", name)
	}
	s.drop(l)
	return nil
}

// drop takes a link out of its space, with all that sits on it: the peer, upper links, addresses, routes, sysctls; ports
// of a bridge are released.
func (s *space) drop(l *link) {
	if l.space == nil {
		return
	}
	_ = s.setUp(l, false)
	s.addrs = slices.DeleteFunc(s.addrs, func(a state.Addr) bool { return a.Link == l.Name })
	s.routes = slices.DeleteFunc(s.routes, func(r state.Route) bool { return via(&r, l.Name) })
	s.neighs = slices.DeleteFunc(s.neighs, func(n state.Neighbor) bool { return n.Link == l.Name })
	s.fdb = slices.DeleteFunc(s.fdb, func(e state.FDBEntry) bool { return e.Link == l.Name || e.Master == l.Name })
	s.links = slices.DeleteFunc(s.links, func(x *link) bool { return x == l })
	s.disinherit(l.Name)
	l.space = nil
	for _, x := range s.links {
		if x.master == l {
			x.master, x.Port = nil, nil
		}
	}
	for _, o := range s.k.spaces {
		for _, x := range slices.Clone(o.links) {
			if x.lower == l {
				o.drop(x)
			}
		}
	}
	if p := l.peer; p != nil && p.space != nil {
		p.peer = nil
		p.space.drop(p)
	}
}

func via(r *state.Route, link string) bool {
	return slices.ContainsFunc(r.NextHops, func(h state.NextHop) bool { return h.Link == link })
}

// changeLink changes what differs between before and after.
func (s *space) changeLink(before, after *state.Link) error {
	l := s.link(after.Name)
	if l == nil {
		return refuse(syscall.ENODEV, "%s", after.Name)
	}
	var add []string
	for _, a := range after.AltNames {
		if !slices.Contains(before.AltNames, a) {
			add = append(add, a)
		}
	}
	if err := s.checkNames("", add); err != nil {
		return err
	}
	if err := checkLink(&state.Link{Kind: l.Kind, MAC: after.MAC, MTU: after.MTU}); err != nil {
		return err
	}
	var master *link
	if after.Master != "" && after.Master != before.Master {
		if master = s.link(after.Master); master == nil {
			return refuse(syscall.ENODEV, "master %s", after.Master)
		}
		if master.Kind != "bridge" {
			return refuse(syscall.EOPNOTSUPP, "%s is no bridge", after.Master)
		}
		if l.Name == "lo" || l.Kind == "bridge" {
			return refuse(syscall.ELOOP, "%s cannot be a port", l.Name)
		}
	}
	if after.MTU != 0 && after.MTU != before.MTU {
		l.MTU = after.MTU
	}
	if after.TxQueueLen != 0 && after.TxQueueLen != before.TxQueueLen {
		l.TxQueueLen = after.TxQueueLen
	}
	if after.Group != before.Group {
		l.Group = after.Group
	}
	if after.NoAddrGen != before.NoAddrGen {
		l.NoAddrGen = after.NoAddrGen
	}
	if !after.MAC.IsZero() && after.MAC != before.MAC {
		l.MAC = after.MAC
	}
	if after.Alias != before.Alias {
		l.Alias = after.Alias
	}
	switch {
	case master != nil:
		l.enslave(master, nil)
		s.fdb = slices.DeleteFunc(s.fdb, func(e state.FDBEntry) bool { return e.Link == l.Name })
	case after.Master == "" && before.Master != "":
		l.master, l.Port = nil, nil
		s.fdb = slices.DeleteFunc(s.fdb, func(e state.FDBEntry) bool { return e.Link == l.Name })
	}
	if after.Bridge != nil && l.Bridge != nil {
		mergeBridge(l.Bridge, after.Bridge)
	}
	if after.Port != nil && l.Port != nil {
		mergePort(l.Port, after.Port)
	}
	names := slices.Clone(l.AltNames)
	for _, a := range before.AltNames {
		if !slices.Contains(after.AltNames, a) {
			names = slices.DeleteFunc(names, func(n string) bool { return n == a })
		}
	}
	l.AltNames = slices.Sorted(slices.Values(append(names, add...)))
	if before.Up != after.Up {
		return s.setUp(l, after.Up)
	}
	return nil
}

// setUp brings a link up or down, with what the kernel does then: connected routes come, all routes go.
func (s *space) setUp(l *link, up bool) error {
	if l.Up == up {
		return nil
	}
	l.Up = up
	if up {
		s.linkUp(l)
	} else {
		s.linkDown(l)
	}
	return nil
}

// running reports whether the link has a carrier.
func (l *link) running() bool {
	switch {
	case !l.Up:
		return false
	case l.Kind == "veth":
		return l.peer != nil && l.peer.Up
	case l.Kind == "bridge":
		return slices.ContainsFunc(l.space.links, func(x *link) bool { return x.master == l && x.running() })
	case l.lower != nil:
		return l.lower.running()
	}
	return true
}
