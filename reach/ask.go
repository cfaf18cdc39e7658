package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"warren/reach/filter"
	"warren/state"
)

// An answer is what one receiver of a question does with it.
type answer struct {
	at    *reception
	owner bool  // it has the address, or should answer for it
	trail trail // of the question on its way, and of its treatment
}

// ask sends the question who has ip, to everybody on the segment, and follows the answer back.
func (t *tracer) ask(r *room, dev *state.Link, ip netip.Addr, p *filter.Packet, gateway bool, route *routed) resolution {
	var out resolution
	q, ok := t.question(r, dev, ip, p, &out.trail)
	if !ok {
		return out
	}
	if q.ip != nil {
		// What neighbour discovery sends has its device before ip6_output, which takes it for the one that it came in by.
		t.filterAs(r, &q, filter.Hook{Family: "ip6", Name: "output", Out: dev}, &out.trail)
		t.filterAs(r, &q, filter.Hook{Family: "ip6", Name: "postrouting", In: dev, Out: dev}, &out.trail)
	} else {
		t.filterAs(r, &q, filter.Hook{Family: "arp", Name: "output", Out: dev}, &out.trail)
	}
	if (dev.Kind == "macvlan" || dev.Kind == "macvtap") && !t.flow.Complete {
		t.missing.Everywhere = true // nothing leads to its siblings, and one of them may answer
	}
	s := t.transmit(r, dev, q, true)
	list := t.answers(s, ip)
	best := pick(list)
	// Whoever has the address must be looked at, and those who may answer without having it only when nobody has it. Where nobody
	// can be asked who they are, all are looked at.
	if len(s.skipped) > 0 {
		asked := t.asked(s.skipped, ip, false)
		if best == nil || !best.owner {
			if asked = asked && t.asked(s.skipped, ip, true); !asked && t.flow.Complete {
				s = t.transmit(r, dev, q, false)
				list = t.answers(s, ip)
				best = pick(list)
			}
		}
	}
	if best == nil || !best.owner {
		t.nobody(r, dev, ip, p.Dst, gateway, route, s, list, &out)
		return out
	}
	if best.trail.obstacles() == 0 {
		best = t.firstOfMany(r, ip, list, best, &out.trail)
	}
	out.trail.followTroubles(best.trail)
	// What they answer with goes back to who asked.
	back := t.answerBack(r, dev, best, ip, &q)
	out.trail.followTroubles(back)
	out.mac, out.ok = best.at.dev.MAC, true
	out.by = best.at.r.name() + ":" + best.at.dev.Name
	// Whoever answers has learned the asker's address from the question.
	if out.trail.obstacles() == 0 {
		from := q.arpSender()
		if from.IsValid() && !from.IsUnspecified() {
			if _, permanent := best.at.r.neighbor(best.at.dev, from); !permanent {
				best.at.r.learned[neighKey{best.at.dev.Name, from}] = dev.MAC
			}
		}
	}
	return out
}

// asked reports whether the owners of an address, or the others who may answer for it, have been asked for behind bridges; if not,
// that is noted as missing.
func (t *tracer) asked(bridges []state.AddrBeyond, ip netip.Addr, proxies bool) bool {
	done := true
	for _, a := range bridges {
		a.Addr, a.Proxies = ip, proxies
		if !slices.ContainsFunc(t.flow.Asked, a.SameQuestion) {
			done = false
			if !t.flow.Complete {
				t.missing.ask(a)
			}
		}
	}
	return done
}

func (f *frame) arpSender() netip.Addr {
	if f.arp != nil {
		return f.arp.Sender
	}
	return f.ip.Src
}

func (t *tracer) filterAs(r *room, f *frame, h filter.Hook, tr *trail) {
	if f.arp != nil && !r.hasFamily("arp") && len(r.Agents) == 0 {
		return
	}
	t.filter(r, f.packet(), h, tr, f.arp)
}

// question makes the ARP request (arp_solicit) or neighbour solicitation (ndisc_solicit).
func (t *tracer) question(r *room, dev *state.Link, ip netip.Addr, p *filter.Packet, tr *trail) (frame, bool) {
	if ip.Is6() {
		from := p.Src
		if a := r.ownsOn(dev.Name, from); a == nil || a.Flags&(state.AddrTentative|state.AddrDADFailed) != 0 {
			ll, ok := r.linkLocal(dev.Name)
			if !ok {
				tr.stop(r, "neighbour", Reason{
					Code: NoLinkLocal, Object: "link " + dev.Name,
					Text:  fmt.Sprintf("%s has no link-local address, and so nothing to ask for neighbours with", dev.Name),
					Facts: facts(fact("RTM_GETADDR", "no address of fe80::/10 on %s", dev.Name)),
					Fix:   fix(r.ip("addr add %s/64 dev %s nodad", linkLocalOf(dev.MAC), dev.Name)),
				})
				return frame{}, false
			}
			from = ll
		}
		g := solicitedNode(ip)
		return frame{src: dev.MAC, dst: multicastMAC(g), target: ip, ip: &filter.Packet{Src: from, Dst: g, Proto: filter.ICMPv6, ICMPType: 135, TTL: 255, Length: 72}}, true
	}
	from := t.arpSource(r, dev, ip, p)
	return frame{src: dev.MAC, dst: broadcast, arp: &filter.ARP{Op: 1, SenderMAC: dev.MAC, Sender: from, Target: ip}}, true
}

// linkLocalOf is the address that a link gives itself (RFC 4291, appendix A).
func linkLocalOf(m state.MAC) netip.Addr {
	return netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 8: m[0] ^ 2, 9: m[1], 10: m[2], 11: 0xff, 12: 0xfe, 13: m[3], 14: m[4], 15: m[5]})
}

// arpSource chooses the sender address of a request by arp_announce.
func (t *tracer) arpSource(r *room, dev *state.Link, ip netip.Addr, p *filter.Packet) netip.Addr {
	local := p.Src.Is4() && r.fib.AddrType(p.Src, nil) == "local"
	switch r.max4(dev, conf4ARPAnnounce, "arp_announce") {
	case 0:
		if local {
			return p.Src
		}
	case 1:
		if local && slices.ContainsFunc(r.addrsOn(dev.Name, false), func(a *state.Addr) bool { return a.Prefix.Contains(p.Src) && a.Prefix.Contains(ip) }) {
			return p.Src
		}
	}
	a := r.source4(dev, ip, scopeLink)
	if !a.IsValid() {
		return netip.IPv4Unspecified()
	}
	return a
}

// solicitedNode is the group of RFC 4291, section 2.7.1.
func solicitedNode(ip netip.Addr) netip.Addr {
	b := ip.As16()
	return netip.AddrFrom16([16]byte{0: 0xff, 1: 2, 11: 1, 12: 0xff, 13: b[13], 14: b[14], 15: b[15]})
}

// multicastMAC is that of RFC 2464, section 7, and RFC 1112, section 6.4.
func multicastMAC(g netip.Addr) state.MAC {
	if g.Is4() {
		b := g.As4()
		return state.MAC{1, 0, 0x5e, b[1] & 0x7f, b[2], b[3]}
	}
	b := g.As16()
	return state.MAC{0x33, 0x33, b[12], b[13], b[14], b[15]}
}

// answers asks every receiver what it would do.
func (t *tracer) answers(s *search, ip netip.Addr) []answer {
	var out []answer
	for i := range s.got {
		c := &s.got[i]
		if c.out || c.lost {
			continue
		}
		a := answer{at: c, trail: c.trail.fork()}
		t.touch(c.r)
		if c.frame.arp != nil {
			t.arpAnswer(&a, ip)
		} else {
			t.ndAnswer(&a, ip)
		}
		out = append(out, a)
	}
	return out
}

// pick chooses whose answer counts: one that comes, else the owner with the least in the way.
func pick(list []answer) *answer {
	var best *answer
	for i := range list {
		a := &list[i]
		if best == nil || a.owner && !best.owner || a.owner == best.owner && a.trail.weight() < best.trail.weight() {
			best = a
		}
	}
	return best
}

// firstOfMany says so when several answer: whose answer comes first is taken, and nobody can say whose.
func (t *tracer) firstOfMany(r *room, ip netip.Addr, list []answer, best *answer, tr *trail) *answer {
	var who []*answer
	for i := range list {
		a := &list[i]
		if a.owner && a.trail.obstacles() == 0 && !slices.ContainsFunc(who, func(o *answer) bool { return o.at.r == a.at.r && o.at.dev.MAC == a.at.dev.MAC }) {
			who = append(who, a)
		}
	}
	if len(who) < 2 {
		return best
	}
	places := make([]string, len(who))
	for i, a := range who {
		places[i] = a.at.r.name() + ":" + a.at.dev.Name
	}
	names := strings.Join(places, " and ")
	tr.note(r, Reason{
		Code: DuplicateAddress, Namespace: who[len(who)-1].at.r.name(), Object: "address " + ip.String(),
		Text:  fmt.Sprintf("%s answer for %s; the first answer wins", names, ip),
		Facts: facts(fact("RTM_GETADDR", "%s is in %s", ip, names)),
		Fix:   fix(who[len(who)-1].at.r.ip("addr del %s dev %s", ip, who[len(who)-1].at.dev.Name)),
	})
	return who[t.choose(r, len(who), "who answers first for "+ip.String()+": "+names)]
}

// answerBack follows the answer to who asked.
func (t *tracer) answerBack(r *room, dev *state.Link, a *answer, ip netip.Addr, q *frame) trail {
	var tr trail
	f := frame{src: a.at.dev.MAC, dst: dev.MAC}
	if q.arp != nil {
		f.arp = &filter.ARP{Op: 2, SenderMAC: a.at.dev.MAC, TargetMAC: dev.MAC, Sender: ip, Target: q.arp.Sender}
		t.filterAs(a.at.r, &f, filter.Hook{Family: "arp", Name: "output", Out: a.at.dev}, &tr)
	} else {
		f.ip = &filter.Packet{Src: ip, Dst: q.ip.Src, Proto: filter.ICMPv6, ICMPType: 136, TTL: 255, Length: 72}
		t.advertiseTo(a, &f, &tr)
		t.filterAs(a.at.r, &f, filter.Hook{Family: "ip6", Name: "output", Out: a.at.dev}, &tr)
		t.filterAs(a.at.r, &f, filter.Hook{Family: "ip6", Name: "postrouting", In: a.at.dev, Out: a.at.dev}, &tr)
	}
	got := t.transmit(a.at.r, a.at.dev, f, true).got
	var best, elsewhere, lost *reception
	for i := range got {
		c := &got[i]
		if c.lost && c.trail.obstacles() > 0 {
			lost = c
		}
		if c.out || !c.accepts() {
			continue
		}
		if c.r == r && c.dev == dev {
			if best == nil || c.trail.weight() < best.trail.weight() {
				best = c
			}
		} else if c.r == r {
			elsewhere = c
		}
	}
	if best == nil {
		if n, _ := a.at.r.neighbor(a.at.dev, q.arpSender()); n != nil && f.dst != dev.MAC {
			tr.stop(a.at.r, "neighbour", wrongEntry(a.at.r, a.at.dev, n, seat{r, dev}))
			return tr
		}
		if lost != nil && elsewhere == nil {
			tr.followTroubles(lost.trail) // it dies in a tunnel
			return tr
		}
		t.strayAnswer(r, dev, elsewhere, &tr)
		return tr
	}
	tr.follow(best.trail)
	if f.arp == nil {
		g := best.frame
		t.filterAs(r, &g, filter.Hook{Family: "ip6", Name: "prerouting", In: dev}, &tr)
		t.filterAs(r, &g, filter.Hook{Family: "ip6", Name: "input", In: dev}, &tr)
	} else {
		g := best.frame
		t.filterAs(r, &g, filter.Hook{Family: "arp", Name: "input", In: dev}, &tr)
	}
	return tr
}

// strayAnswer explains an answer that does not come back to the device that asked.
func (t *tracer) strayAnswer(r *room, dev *state.Link, at *reception, tr *trail) {
	if m := r.byName[dev.Master]; m != nil && m.Kind == "bridge" {
		tr.stop(r, "neighbour", onPortReason(r, dev))
		return
	}
	text := fmt.Sprintf("the answer does not come back to %s", dev.Name)
	if at != nil {
		text += fmt.Sprintf(", but to %s", at.dev.Name)
	}
	tr.stop(r, "neighbour", Reason{Code: NeighbourFailed, Object: "link " + dev.Name, Text: text, Fix: fix()})
}

func onPortReason(r *room, dev *state.Link) Reason {
	w := Reason{
		Code: AddressOnBridgePort, Object: "link " + dev.Name,
		Text:  fmt.Sprintf("%s is a port of %s, which takes everything that comes in there: what is routed out of the port never gets an answer", dev.Name, dev.Master),
		Facts: facts(fact("IFLA_MASTER", "%s is enslaved to %s", dev.Name, dev.Master)),
	}
	for i := range r.Addrs {
		if a := &r.Addrs[i]; a.Link == dev.Name && !a.Prefix.Addr().IsLinkLocalUnicast() {
			w.Facts = append(w.Facts, fact("RTM_GETADDR", "%s is on %s", a.Prefix, dev.Name))
			w.Fix = append(w.Fix, r.ip("addr del %s dev %s", a.Prefix, dev.Name)+" && "+r.ip("addr add %s dev %s%s", a.Prefix, dev.Master, nodad(a.Prefix.Addr())))
		}
	}
	return w
}
