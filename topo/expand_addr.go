package topo

import (
	"net/netip"
	"slices"

	"warren/ipam"
	"warren/state"
)

// choosePrefixes gives every net its prefixes: what the file says, then what is live, then the next free ones.
func (e *expander) choosePrefixes() {
	var fixed, used []netip.Prefix
	for _, w := range e.nets {
		fixed = append(fixed, w.CIDR...)
	}
	for _, u := range e.in.Used {
		used = append(used, u.Prefix)
	}
	pool4 := ipam.NewPool(e.lab.Defaults.Pool4, append(used, fixed...)...)
	pool6 := ipam.NewPool(e.lab.Defaults.Pool6, append(used, fixed...)...)
	live := e.livePrefixes()
	for _, w := range e.nets {
		w.prefixes = append(w.prefixes, w.CIDR...)
		if w.Uplink != nil {
			for _, c := range w.CIDR {
				e.foreign(w, c)
			}
		}
	}
	// First every net keeps what it has, then the others get what is left.
	for _, w := range e.nets {
		if len(w.CIDR) == 0 {
			if p := live[liveKey{w.Name, false}]; p.IsValid() && p.Bits() <= ipam.Bits4(w.need(), 24) {
				e.keep(w, pool4, p)
			}
		}
		if *w.IPv6 && !prefixFor(w.CIDR, netip.IPv6Unspecified()).IsValid() {
			if p := live[liveKey{w.Name, true}]; p.IsValid() {
				e.keep(w, pool6, p)
			}
		}
	}
	for _, w := range e.nets {
		if len(w.CIDR) == 0 && !w.has4() {
			e.next(w, pool4, ipam.Bits4(w.need(), 24))
		}
		if *w.IPv6 && !w.has6() {
			e.next(w, pool6, 64)
		}
	}
}

// need is the number of addresses that a net needs.
func (w *wire) need() int {
	n := len(w.plugs)
	if w.Uplink != nil {
		n++
	}
	return n
}

func (e *expander) keep(w *wire, pool *ipam.Pool, p netip.Prefix) {
	if _, taken := pool.Overlapping(p); taken {
		return
	}
	pool.Take(p)
	w.add(p)
}

func (e *expander) next(w *wire, pool *ipam.Pool, bits int) {
	p, err := pool.Next(bits)
	if err != nil {
		e.add(e.lab.at("/nets/"+w.Name), "give it a cidr, or the lab another pool under defaults", "net %s: no prefix: %w", w.Name, err)
		return
	}
	w.add(p)
}

// add keeps the IPv4 prefix in front.
func (w *wire) add(p netip.Prefix) {
	if p.Addr().Is4() {
		w.prefixes = append([]netip.Prefix{p}, w.prefixes...)
		return
	}
	w.prefixes = append(slices.Clip(w.prefixes), p)
}

// foreign reports a prefix that the host uses for something else.
func (e *expander) foreign(w *wire, c netip.Prefix) {
	for _, u := range e.in.Used {
		if u.Prefix.Bits() > 0 && u.Prefix.Overlaps(c) {
			owner := u.Owner
			if owner == "" {
				owner = "the host"
			}
			e.add(e.lab.at("/nets/"+w.Name+"/cidr"), "another cidr, or none: a free one is chosen then", "net %s: %s overlaps %s of %s", w.Name, c, u.Prefix, owner)
			return
		}
	}
}

type liveKey struct {
	net string
	is6 bool
}

func (e *expander) livePrefixes() map[liveKey]netip.Prefix {
	m := map[liveKey]netip.Prefix{}
	for _, a := range e.in.Live {
		k := liveKey{a.Net, a.Prefix.Addr().Is6()}
		if _, ok := m[k]; !ok && !a.Prefix.IsSingleIP() {
			m[k] = a.Prefix.Masked()
		}
	}
	return m
}

// chooseAddresses gives every member its addresses: fixed ones, live ones, then gateways and routers, then the others, each in
// order of mention.
func (e *expander) chooseAddresses() {
	type who struct {
		node string
		liveKey
	}
	live := make(map[who]netip.Addr, len(e.in.Live))
	for _, a := range e.in.Live {
		k := who{a.Node, liveKey{a.Net, a.Prefix.Addr().Is6()}}
		if _, ok := live[k]; !ok {
			live[k] = a.Prefix.Addr()
		}
	}
	for _, w := range e.nets {
		for _, prefix := range w.prefixes {
			is6 := prefix.Addr().Is6()
			hosts := ipam.NewHosts(prefix)
			var wait []*plug
			for _, p := range w.plugs {
				fixed := false
				for _, ip := range p.IP {
					if ip.Addr().Is6() == is6 {
						p.addrs, fixed = append(p.addrs, ip), true
						hosts.Take(ip.Addr())
					}
				}
				if !fixed {
					wait = append(wait, p)
				}
			}
			gateway := netip.Addr{}
			for _, a := range w.Gateway.Addr {
				if a.Is6() == is6 {
					gateway = a
					hosts.Take(a)
				}
			}
			if w.Uplink != nil && !gateway.IsValid() {
				a, ok := live[who{state.HostNS, liveKey{w.Name, is6}}]
				if !ok || !hosts.Usable(a) || !hosts.Take(a) {
					a = e.nextAddr(w, hosts)
				}
				gateway = a
			}
			if w.Uplink != nil {
				w.hostAddr = append(w.hostAddr, gateway)
			}
			give := func(p *plug, a netip.Addr) { p.addrs = append(p.addrs, netip.PrefixFrom(a, prefix.Bits())) }
			wait = rest(wait, func(p *plug) bool {
				a, ok := live[who{p.Node, liveKey{w.Name, is6}}]
				if ok = ok && hosts.Usable(a) && hosts.Take(a); ok {
					give(p, a)
				}
				return ok
			})
			wait = rest(wait, func(p *plug) bool {
				first := p.Node == w.Gateway.Node
				if first {
					give(p, e.nextAddr(w, hosts))
				}
				return first
			})
			wait = rest(wait, func(p *plug) bool {
				if *p.room.Forward {
					give(p, e.nextAddr(w, hosts))
				}
				return *p.room.Forward
			})
			for _, p := range wait {
				give(p, e.nextAddr(w, hosts))
			}
		}
	}
}

// rest keeps those that are not done.
func rest(list []*plug, done func(*plug) bool) []*plug {
	out := list[:0]
	for _, p := range list {
		if !done(p) {
			out = append(out, p)
		}
	}
	return out
}

func (e *expander) nextAddr(w *wire, hosts *ipam.Hosts) netip.Addr {
	a, err := hosts.Next()
	if err != nil {
		e.add(e.lab.at("/nets/"+w.Name), "a larger cidr", "net %s: %w", w.Name, err)
	}
	return a
}

// addresses declares them on the links.
func (e *expander) addresses() {
	for _, r := range e.nodes {
		for _, p := range r.plugs {
			for _, a := range p.addrs {
				r.Addrs = append(r.Addrs, addressOf(p.If, a))
			}
			if p.wire.has6() {
				r.has6 = true
				r.Addrs = append(r.Addrs, linkLocal(p.If, p.mac))
			}
		}
	}
}

// addressOf is an address as warren sets it. IPv6 never waits for duplicate address detection, so that nothing is tentative
// when the lab is up.
func addressOf(link string, a netip.Prefix) state.Addr {
	s := state.Addr{Link: link, Prefix: a, Protocol: state.Protocol}
	if a.Addr().Is6() {
		s.Flags = state.AddrNoDAD
	} else if !a.IsSingleIP() && a.Bits() < 31 {
		s.Broadcast = state.LastAddr(a)
	}
	return s
}

// linkLocal is the address that the kernel would generate from the MAC address (RFC 4291, appendix A), set by us: a generated
// one cannot be had without detection.
func linkLocal(link string, m state.MAC) state.Addr {
	a := netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 8: m[0] ^ 2, 9: m[1], 10: m[2], 11: 0xff, 12: 0xfe, 13: m[3], 14: m[4], 15: m[5]})
	return state.Addr{Link: link, Prefix: netip.PrefixFrom(a, 64), Scope: 253, Flags: state.AddrNoDAD, Protocol: state.Protocol}
}
