package fake

import (
	"net/netip"
	"slices"
	"syscall"

	"warren/state"
)

const (
	addrSecondary = 0x01 // IFA_F_SECONDARY

	protoLo = 1 // IFAPROT_KERNEL_LO
	protoLL = 3 // IFAPROT_KERNEL_LL

	routeKernel = 2 // RTPROT_KERNEL
)

func sameAddr(a, b *state.Addr) bool { return a.Compare(*b) == 0 }

func (s *space) addAddr(a *state.Addr) error {
	l := s.link(a.Link)
	switch {
	case l == nil:
		return refuse(syscall.ENODEV, "%s", a.Link)
	case !a.Prefix.IsValid():
		return refuse(syscall.EINVAL, "no address")
	case slices.ContainsFunc(s.addrs, func(x state.Addr) bool { return sameAddr(&x, a) }):
		return refuse(syscall.EEXIST, "%v on %s", a.Prefix, a.Link)
	}
	n := *a
	n.Link = l.Name
	if n.Prefix.Addr().Is4() {
		if n.Label == "" {
			n.Label = l.Name
		}
		for _, x := range s.addrs {
			if x.Link == l.Name && x.Prefix.Masked() == n.Prefix.Masked() && x.Flags&addrSecondary == 0 {
				n.Flags |= addrSecondary
			}
		}
	} else if !s.ipv6(l.Name) {
		return refuse(syscall.EACCES, "IPv6 is disabled on %s", l.Name)
	}
	if n.Valid == 0 {
		n.Flags |= state.AddrPermanent
	}
	s.addrs = append(s.addrs, n)
	s.connect(l, &n)
	return nil
}

// connect makes the routes that come with an address. The local one of IPv4 is there also while the link is down.
func (s *space) connect(l *link, a *state.Addr) {
	addr := a.Prefix.Addr()
	hop := []state.NextHop{{Link: l.Name}}
	if addr.Is4() {
		s.route(state.Route{Dst: netip.PrefixFrom(addr, 32), Table: state.LocalTable, Type: "local", Protocol: routeKernel, Scope: 254, Src: addr, NextHops: hop})
		if !l.Up {
			return
		}
		if a.Broadcast.IsValid() {
			s.route(state.Route{Dst: netip.PrefixFrom(a.Broadcast, 32), Table: state.LocalTable, Type: "broadcast", Protocol: routeKernel, Scope: 253, Src: addr, NextHops: hop})
		}
		dst := a.Prefix.Masked()
		if a.Peer.IsValid() {
			dst = netip.PrefixFrom(a.Peer, a.Prefix.Bits()).Masked()
		}
		switch {
		case a.Flags&(state.AddrNoPrefixRoute|addrSecondary) != 0 || dst.Bits() == 32 && !a.Peer.IsValid():
		case addr.IsLoopback():
			s.route(state.Route{Dst: dst, Table: state.LocalTable, Type: "local", Protocol: routeKernel, Scope: 254, Src: addr, NextHops: hop})
		default:
			s.route(state.Route{Dst: dst, Protocol: routeKernel, Scope: 253, Src: addr, Metric: a.Metric, NextHops: hop})
		}
		return
	}
	if !l.Up {
		return
	}
	s.route(state.Route{Dst: netip.PrefixFrom(addr, 128), Table: state.LocalTable, Type: "local", Protocol: routeKernel, NextHops: hop})
	if a.Flags&state.AddrNoPrefixRoute == 0 && l.Name != "lo" {
		metric := a.Metric
		if metric == 0 {
			metric = 256
		}
		s.route(state.Route{Dst: a.Prefix.Masked(), Protocol: routeKernel, Metric: metric, NextHops: hop})
	}
}

// route adds a route of the kernel's own, once.
func (s *space) route(r state.Route) {
	if !slices.ContainsFunc(s.routes, func(x state.Route) bool { return x.Compare(r) == 0 }) {
		s.routes = append(s.routes, r)
	}
}

func (s *space) replaceAddr(a *state.Addr) error {
	for i := range s.addrs {
		if x := &s.addrs[i]; sameAddr(x, a) {
			x.Metric, x.Protocol, x.Valid, x.Preferred = a.Metric, a.Protocol, a.Valid, a.Preferred
			return nil
		}
	}
	return s.addAddr(a)
}

func (s *space) removeAddr(a *state.Addr) error {
	l := s.link(a.Link)
	if l == nil {
		return refuse(syscall.ENODEV, "%s", a.Link)
	}
	i := slices.IndexFunc(s.addrs, func(x state.Addr) bool {
		return x.Link == l.Name && x.Prefix == a.Prefix && (!a.Peer.IsValid() || a.Peer == x.Peer)
	})
	if i < 0 {
		return refuse(syscall.EADDRNOTAVAIL, "%v on %s", a.Prefix, a.Link)
	}
	gone := s.addrs[i]
	s.addrs = slices.Delete(s.addrs, i, i+1)
	s.disconnect(l, &gone)
	if gone.Prefix.Addr().Is4() && gone.Flags&addrSecondary == 0 {
		if v, _ := s.readSysctl("net/ipv4/conf/" + l.Name + "/promote_secondaries"); v == "0" {
			for {
				j := slices.IndexFunc(s.addrs, func(x state.Addr) bool {
					return x.Link == l.Name && x.Flags&addrSecondary != 0 && x.Prefix.Masked() == gone.Prefix.Masked()
				})
				if j < 0 {
					break
				}
				second := s.addrs[j]
				s.addrs = slices.Delete(s.addrs, j, j+1)
				s.disconnect(l, &second)
			}
		}
	}
	return nil
}

// disconnect takes away the routes that came with an address, those that use it as their source, and with the last IPv4
// address of a link all of its IPv4 routes.
func (s *space) disconnect(l *link, a *state.Addr) {
	addr := a.Prefix.Addr()
	still := slices.ContainsFunc(s.addrs, func(x state.Addr) bool { return x.Prefix.Addr() == addr })
	samePrefix := slices.ContainsFunc(s.addrs, func(x state.Addr) bool { return x.Link == l.Name && x.Prefix.Masked() == a.Prefix.Masked() })
	last := addr.Is4() && !slices.ContainsFunc(s.addrs, func(x state.Addr) bool { return x.Link == l.Name && x.Prefix.Addr().Is4() })
	s.routes = slices.DeleteFunc(s.routes, func(r state.Route) bool {
		switch {
		case r.Dst.Addr().Is4() != addr.Is4():
			return false
		case addr.Is4() && r.Src == addr && !still:
			return true
		case last && via(&r, l.Name):
			return true
		case r.Protocol != routeKernel || !via(&r, l.Name):
			return false
		case r.Type == "local":
			return r.Dst.Addr() == addr && r.Dst.IsSingleIP()
		case addr.Is6():
			return r.Dst == a.Prefix.Masked() && !samePrefix
		}
		return false
	})
	if addr.Is6() && !still {
		for i := range s.routes {
			if s.routes[i].Src == addr {
				s.routes[i].Src = netip.Addr{}
			}
		}
	}
}

// linkUp is what happens to addresses and routes when a link comes up.
func (s *space) linkUp(l *link) {
	if l.Name == "lo" {
		lo := state.Addr{Link: "lo", Prefix: netip.MustParsePrefix("127.0.0.1/8"), Scope: 254, Label: "lo", Protocol: protoLo}
		if !slices.ContainsFunc(s.addrs, func(x state.Addr) bool { return sameAddr(&x, &lo) }) {
			_ = s.addAddr(&lo)
		}
	}
	for i := range s.addrs {
		if s.addrs[i].Link == l.Name && s.addrs[i].Prefix.Addr().Is4() {
			s.connect(l, &s.addrs[i])
		}
	}
	if s.ipv6(l.Name) {
		s.linkUp6(l)
	}
	if p := l.peer; p != nil && p.space != nil && p.running() && p.space.ipv6(p.Name) {
		p.space.linkLocal(p) // it has a carrier now
	}
}

func (s *space) linkUp6(l *link) {
	if l.Name == "lo" {
		lo := state.Addr{Link: "lo", Prefix: netip.MustParsePrefix("::1/128"), Scope: 254, Protocol: protoLo}
		if !slices.ContainsFunc(s.addrs, func(x state.Addr) bool { return sameAddr(&x, &lo) }) {
			_ = s.addAddr(&lo)
		}
	}
	for i := range s.addrs {
		if s.addrs[i].Link == l.Name && s.addrs[i].Prefix.Addr().Is6() {
			s.connect(l, &s.addrs[i])
		}
	}
	if l.running() {
		s.linkLocal(l)
	}
}

// linkLocal makes the generated link-local address (RFC 4291, appendix A), unless addr_gen_mode says none.
func (s *space) linkLocal(l *link) {
	if v, _ := s.readSysctl("net/ipv6/conf/" + l.Name + "/addr_gen_mode"); v == "1" || l.Name == "lo" || l.master != nil {
		return
	}
	var b [16]byte
	b[0], b[1] = 0xfe, 0x80
	b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15] = l.MAC[0]^2, l.MAC[1], l.MAC[2], 0xff, 0xfe, l.MAC[3], l.MAC[4], l.MAC[5]
	a := state.Addr{Link: l.Name, Prefix: netip.PrefixFrom(netip.AddrFrom16(b), 64), Scope: 253, Protocol: protoLL}
	if !slices.ContainsFunc(s.addrs, func(x state.Addr) bool { return sameAddr(&x, &a) }) {
		_ = s.addAddr(&a)
	}
}

// linkDown is what happens when a link goes down: all routes over it go, but for the local ones of IPv4; so do all IPv6
// addresses.
func (s *space) linkDown(l *link) {
	s.flush6(l)
	s.routes = slices.DeleteFunc(s.routes, func(r state.Route) bool {
		return via(&r, l.Name) && (r.Type != "local" || !r.Dst.IsSingleIP())
	})
	s.neighs = slices.DeleteFunc(s.neighs, func(n state.Neighbor) bool { return n.Link == l.Name && !n.Proxy })
}

func (s *space) flush6(l *link) {
	s.addrs = slices.DeleteFunc(s.addrs, func(a state.Addr) bool { return a.Link == l.Name && a.Prefix.Addr().Is6() })
	s.routes = slices.DeleteFunc(s.routes, func(r state.Route) bool { return r.Dst.Addr().Is6() && via(&r, l.Name) })
}
