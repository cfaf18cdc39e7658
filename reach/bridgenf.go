package reach

import (
	"fmt"

	"warren/reach/filter"
	"warren/state"
)

func family(p *filter.Packet) string {
	if p.Is6() {
		return "ip6"
	}
	return "ip"
}

// bridgeCalls reports whether br_netfilter takes this frame to the rules of IP or ARP: the namespace's sysctl or the
// bridge's own switch says so. Without the module there are no sysctls.
func (r *room) bridgeCalls(br *state.Link, f *frame) bool {
	b := bridgeOf(br)
	key, own := "net/bridge/bridge-nf-call-iptables", b.NFCallIP
	switch {
	case f.arp != nil:
		key, own = "net/bridge/bridge-nf-call-arptables", b.NFCallARP
	case f.ip.Is6():
		key, own = "net/bridge/bridge-nf-call-ip6tables", b.NFCallIP6
	}
	v, ok := r.Sysctl(key)
	return ok && v != "0" || on(own, false) && (ok || r.Read == 0)
}

// brPrerouting runs IP's prerouting for a bridged packet (br_nf_pre_routing). When that changes the destination, the packet is
// routed: behind this bridge it is bridged on to its new neighbour, of IPv4 only when the bridge forwards; else it goes up.
func (s *search) brPrerouting(r *room, br, port *state.Link, f *frame, tr *trail) {
	p := f.packet()
	before := p.Dst
	p.PhysIn = port.Name
	s.t.filter(r, p, filter.Hook{Family: family(p), Name: "prerouting", In: br, PhysIn: port.Name, Bridged: true}, tr, nil)
	f.seen = true
	if p.Dst == before {
		return
	}
	a := r.fib.lookup(query{dst: p.Dst, src: p.Src, iif: br, mark: p.Mark, tos: p.TOS, proto: p.Proto, sport: p.SPort, dport: p.DPort})
	if a.typ == "unicast" && len(a.hops) == 1 && a.hops[0].link == br {
		if !p.Is6() && !r.forwards(br, false) {
			w := forwardingReason(r, br, false)
			w.Text += fmt.Sprintf("; br_netfilter routes what was rewritten (to %s), though it only passes the bridge", p.Dst)
			tr.stop(r, "forward", w)
		}
		next := p.Dst
		if a.hops[0].via.IsValid() {
			next = a.hops[0].via
		}
		n := s.t.resolve(r, br, next, p, a.hops[0].via.IsValid(), &a)
		tr.followTroubles(n.trail)
		if n.ok {
			tr.step(r, "bridge", "link "+br.Name, "rewritten to %s, which is behind %s too: bridged on to %s", p.Dst, br.Name, n.mac)
			f.dst = n.mac
			f.host = false
			return
		}
	}
	f.dst, f.host = br.MAC, true
}

// brForward runs IP's (or ARP's) forward for a bridged packet (br_nf_forward).
func (s *search) brForward(r *room, br, in, port *state.Link, f *frame, tr *trail) {
	if f.arp != nil {
		s.t.filter(r, f.packet(), filter.Hook{Family: "arp", Name: "forward", In: in, Out: port, Bridged: true}, tr, f.arp)
		return
	}
	s.t.filter(r, f.packet(), filter.Hook{Family: family(f.ip), Name: "forward", In: br, Out: br, PhysIn: in.Name, PhysOut: port.Name, Bridged: true}, tr, nil)
}
