package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"warren/reach/filter"
	"warren/state"
)

// walkOptions of one packet.
type walkOptions struct {
	// tunnel is the vxlan that makes the packet: what fails is said in its terms.
	tunnel *state.Link
	// oif is the device that the sending socket is bound to.
	oif *state.Link
	// connected: the socket looks its route up a second time, with the source address that the first look-up chose.
	connected bool
	// reply: the packet answers another one.
	reply bool
	// error: an ICMP error, which makes none itself.
	error bool
}

// A delivery is where a packet ended: at the protocols of a namespace, or out of the host.
type delivery struct {
	r   *room
	dev *state.Link
	p   *filter.Packet
	out bool
	// egress is the device by which it left its first namespace.
	egress *state.Link
	// socket took it; nil where the kernel answers by itself.
	socket *state.Socket
}

// A crossing is a place that a packet has been at, to find loops.
type crossing struct {
	r        *room
	dev      *state.Link
	src, dst netip.Addr
}

// maxHops bounds the routers on a way; loops are found before.
const maxHops = 70

// travel sends a packet from a namespace and follows it to its end. What stands in the way is in tr; nil means that it is lost
// even when all of that were gone.
func (t *tracer) travel(r *room, p *filter.Packet, tr *trail, o walkOptions) *delivery {
	t.touch(r)
	t.gaps(r, tr)
	limit := t.limit
	defer func() { t.limit = limit }()
	c, d := t.originate(r, p, tr, o)
	var egress *state.Link
	if d != nil {
		return d
	}
	var seen []crossing
	for range maxHops {
		if c == nil {
			return nil
		}
		if egress == nil {
			egress = c.via
		}
		if c.out {
			return &delivery{r: c.r, dev: c.dev, p: c.frame.ip, out: true, egress: egress}
		}
		k := crossing{c.r, c.dev, c.frame.ip.Src, c.frame.ip.Dst}
		if i := slices.Index(seen, k); i >= 0 {
			t.loops(seen, i, tr)
			return nil
		}
		seen = append(seen, k)
		next, d := t.receive(c, tr)
		if d != nil {
			d.egress = egress
			return d
		}
		c = next
	}
	return nil
}

// loops names the first router of a circle that begins at the crossing from.
func (t *tracer) loops(seen []crossing, from int, tr *trail) {
	circle := seen[from:]
	first := seen[slices.IndexFunc(seen, func(k crossing) bool {
		return slices.ContainsFunc(circle, func(o crossing) bool { return o.r == k.r })
	})]
	w := Reason{
		Code: Loop, Object: "route to " + first.dst.String(),
		Text: fmt.Sprintf("packets for %s come round to %q again and again until their TTL is used up", first.dst, first.r.name()),
	}
	if way, owner := t.wayTo(first.r, first.dst); owner && way.gw.IsValid() {
		w.Fix = fix(first.r.ipFor(first.dst.Is6(), "route replace %s via %s dev %s", hostNet(first.dst), way.gw, way.dev.Name))
	} else {
		w.Fix = fix("# one of these routers needs a route to where the address really is: " + first.r.ip("route get %s", first.dst))
	}
	for _, k := range circle {
		if a := k.r.fib.lookup(query{dst: k.dst, src: k.src, iif: k.dev}); a.route != nil {
			if s := fact("RTM_GETROUTE", "%q: %s", k.r.name(), routeText(a.route)); !slices.Contains(w.Facts, s) {
				w.Facts = append(w.Facts, s)
			}
		}
	}
	tr.stop(first.r, "forward", w)
}

// A carried is a frame that arrived, with the device that it was sent by.
type carried struct {
	reception
	via *state.Link
}

// originate makes a packet: route, source address, rules, and out (ip_route_output_key, ip_local_out).
func (t *tracer) originate(r *room, p *filter.Packet, tr *trail, o walkOptions) (*carried, *delivery) {
	if p.Src.IsValid() && !o.reply && r.fib.AddrType(p.Src, nil) != "local" && !ownIP(r, p.Src) {
		w := Reason{
			Code: SourceNotLocal, Object: "address " + p.Src.String(), Text: fmt.Sprintf("%s is not an address of %q: no socket can send from it", p.Src, r.name()),
			Facts: facts(fact("RTM_GETADDR", "no %s", p.Src)), Symptom: "bind: cannot assign requested address",
		}
		if o.tunnel != nil {
			w.Text, w.Symptom = fmt.Sprintf("%s sends from %s, which is not an address of %q", o.tunnel.Name, p.Src, r.name()), ""
		}
		w.Fix = t.ownSourceFix(r, p, o)
		tr.stop(r, "socket", w)
	}
	q := query{dst: p.Dst, src: p.Src, oif: o.oif, local: true, mark: p.Mark, tos: p.TOS, proto: p.Proto, sport: p.SPort, dport: p.DPort, uid: p.UID}
	a, ok := t.routeOut(r, &q, tr, o)
	if !ok {
		return nil, nil
	}
	h := t.pickHop(r, &a, &q)
	if o.tunnel != nil && h.link == o.tunnel { // vxlan_xmit_one: circular route
		tr.stop(r, "tunnel", Reason{
			Code: Loop, Object: "route to " + p.Dst.String(), Text: fmt.Sprintf("the route to %s, the remote of %s, leads into %s itself", p.Dst, o.tunnel.Name, o.tunnel.Name),
			Facts: facts(fact("RTM_GETROUTE", "%s", routeText(a.route))), Fix: fix(r.ip("route del %s", routeArgs(a.route))),
		})
		return nil, nil
	}
	if !p.Src.IsValid() {
		p.Src = r.sourceOf(&a, h, p.Dst)
		if !p.Src.IsValid() {
			tr.stop(r, "route", Reason{
				Code: NoSourceAddress, Object: "link " + linkName(h.link), Text: fmt.Sprintf("%q has no address to send from to %s", r.name(), p.Dst),
				Facts: facts(fact("RTM_GETADDR", "no usable address for %s", p.Dst)), Fix: fix("# " + r.ip("addr add ADDRESS/LEN dev %s", linkName(h.link))),
			})
			return nil, nil
		}
		if o.connected {
			q.src = p.Src
			if a, ok = t.routeOut(r, &q, tr, o); !ok {
				return nil, nil
			}
			h = t.pickHop(r, &a, &q)
		}
	}
	t.stepRoute(r, &a, h, p, tr)
	t.setTTL(r, &a, h.link, p, o)
	dev := h.link
	if a.typ == "local" {
		dev = r.byName["lo"]
		if dev == nil {
			return nil, nil
		}
	} else {
		t.leavesLocalnet(r, dev, p, tr, "Invalid argument")
	}
	if dev == nil {
		return nil, nil
	}
	if a.typ != "local" {
		t.tooBigHere(r, p, &a, dev, tr, o)
	}
	p.HasSocket = !o.reply || p.Proto != filter.ICMP && p.Proto != filter.ICMPv6
	before := p.Dst
	known := len(tr.troubles)
	res := t.filterTells(r, p, filter.Hook{Family: family(p), Name: "output", Out: dev}, tr)
	if o.tunnel == nil && !o.reply && !o.error && p.Proto != filter.TCP {
		for _, u := range tr.troubles[known:] {
			if u.reason != nil && u.reason.Code == FilterDrop && u.reason.Symptom == "" {
				u.reason.Symptom = "sendmsg: Operation not permitted"
			}
		}
	}
	if res.Reroute || p.Dst != before {
		q.dst, q.mark, q.tos, q.src = p.Dst, p.Mark, p.TOS, p.Src
		if a, ok = t.routeOut(r, &q, tr, o); !ok {
			return nil, nil
		}
		h = t.pickHop(r, &a, &q)
		t.stepRoute(r, &a, h, p, tr)
		if dev = h.link; a.typ == "local" {
			dev = r.byName["lo"]
		} else if p.Dst != before {
			t.leavesLocalnet(r, dev, p, tr, "")
		}
		if dev == nil {
			return nil, nil
		}
	}
	if a.typ == "local" {
		t.filter(r, p, filter.Hook{Family: family(p), Name: "postrouting", Out: dev}, tr, nil)
		got := t.transmit(r, dev, frame{ip: p}, true).got
		if len(got) == 0 {
			return nil, nil
		}
		tr.follow(got[0].trail)
		return &carried{got[0], dev}, nil
	}
	return t.emit(r, p, o.tunnel, dev, h, &a, tr)
}

// ownSourceFix names an address that the packet could be sent from.
func (t *tracer) ownSourceFix(r *room, p *filter.Packet, o walkOptions) []string {
	a := r.fib.lookup(query{dst: p.Dst, local: true, mark: p.Mark, proto: p.Proto})
	if a.typ != "unicast" && a.typ != "local" || len(a.hops) == 0 {
		return nil
	}
	switch own := r.sourceOf(&a, a.hops[0], p.Dst); {
	case !own.IsValid():
		return nil
	case o.tunnel != nil && o.tunnel.VXLAN != nil:
		return fix(r.ip("link set %s type vxlan id %d local %s", o.tunnel.Name, o.tunnel.VXLAN.ID, own))
	default:
		return fix(fmt.Sprintf("# send from %s, or add the address: ", own) + r.ip("addr add %s dev lo", hostNet(p.Src)))
	}
}

// ownIP reports whether the namespace has the address, be its link down.
func ownIP(r *room, ip netip.Addr) bool { return r.owns(ip) != nil }

func linkName(l *state.Link) string {
	if l == nil {
		return "DEV"
	}
	return l.Name
}

func (t *tracer) stepRoute(r *room, a *routed, h hop, p *filter.Packet, tr *trail) {
	text := "made-up route"
	if a.route != nil {
		text = "route " + routeText(a.route)
	}
	if a.route != nil && len(a.hops) > 1 {
		text += " (of several ways: by " + linkName(h.link) + ")"
	}
	s := tr.step(r, "route", text, "%s, from %s", text, p.Src)
	s.Source = "RTM_GETROUTE"
	wrapped(r, h, tr)
}

// emit takes a routed packet through postrouting and by its device to the next one (ip_output, ip_finish_output2). in is the
// device that it came in by, or the tunnel that made it: rules in postrouting see that.
func (t *tracer) emit(r *room, p *filter.Packet, in, dev *state.Link, h hop, a *routed, tr *trail) (*carried, *delivery) {
	t.filter(r, p, filter.Hook{Family: family(p), Name: "postrouting", In: in, Out: dev}, tr, nil)
	if limit := mtuOf(a, dev, p.Is6()); p.Length > limit {
		tr.step(r, "mtu", "link "+dev.Name, "cut into fragments of at most %d bytes", limit)
		p.Length = limit
	}
	if m := r.byName[dev.Master]; m != nil && m.Kind != "bridge" {
		tr.doubt(r, "link", Doubt{Object: "link " + m.Name, Text: fmt.Sprintf("%s is part of %s, and kind %s is not modelled", dev.Name, m.Name, m.Kind), Resolve: "a probe"}, true)
	}
	f := frame{src: dev.MAC, ip: p}
	if noARP(dev) && !pointToPoint(dev) && !isLoopback(dev) && !dev.MAC.IsZero() && ethernet(dev) {
		t.withoutARP(r, dev, h, &f, tr)
	} else if !isLoopback(dev) && !noARP(dev) && !pointToPoint(dev) {
		next := p.Dst
		if h.via.IsValid() {
			next = h.via
		}
		if !dev.Up {
			tr.stop(r, "link", downReason(r, dev))
		}
		if a.typ == "broadcast" || p.Dst.IsMulticast() {
			f.dst = broadcast
		} else {
			n := t.resolve(r, dev, next, p, h.via.IsValid(), a)
			tr.followTroubles(n.trail)
			if !n.ok {
				t.unreachableNeighbour(r, p, tr)
				return nil, nil
			}
			if n.trail.obstacles() > 0 {
				t.unreachableNeighbour(r, p, tr)
			} else {
				s := tr.step(r, "neighbour", "neighbour "+next.String()+" dev "+dev.Name, "%s is at %s (%s)", next, n.mac, n.by)
				s.Source = "RTM_GETNEIGH"
			}
			f.dst = n.mac
		}
	}
	return t.carry(r, dev, f, tr), nil
}

// ethernet reports whether a device's frames carry the receiver's address.
func ethernet(dev *state.Link) bool {
	switch dev.Kind {
	case "veth", "bridge", "macvlan", "vlan", "vxlan", "":
		return true
	}
	return false
}

// withoutARP addresses a frame on a device that does not ask for neighbours (arp_constructor, ndisc_constructor): to a
// permanent entry, else to the device's own address, which nobody else takes.
func (t *tracer) withoutARP(r *room, dev *state.Link, h hop, f *frame, tr *trail) {
	next := f.ip.Dst
	if h.via.IsValid() {
		next = h.via
	}
	if n, permanent := r.neighbor(dev, next); permanent && n.State == "permanent" && !n.MAC.IsZero() {
		f.dst = n.MAC
		return
	}
	tr.stop(r, "neighbour", Reason{
		Code: NoARP, Object: "link " + dev.Name, Text: fmt.Sprintf("ARP is off on %s: it asks for nobody, and its frames reach nobody without a permanent neighbour entry", dev.Name),
		Facts: facts(fact("RTM_GETLINK", "%s has the flag NOARP", dev.Name)), Fix: fix(r.ip("link set %s arp on", dev.Name)),
	})
	f.dst = broadcast
	if c := t.owner(r, dev, next); c != nil {
		f.dst = c.dev.MAC
	}
}

// unreachableNeighbour remembers that the sender is told (arp_error_report, ndisc_error_report): host unreachable.
func (t *tracer) unreachableNeighbour(r *room, p *filter.Packet, tr *trail) {
	for i := len(tr.troubles) - 1; i >= 0; i-- {
		if u := &tr.troubles[i]; u.reason != nil && !u.reason.note && u.tells == nil {
			if p.Is6() {
				u.tells = &notice{r: r, p: *p, typ: 1, code: 3, text: "Address unreachable"}
			} else {
				u.tells = &notice{r: r, p: *p, typ: 3, code: 1, text: "Host Unreachable"}
			}
			return
		}
	}
}

// carry sends a unicast frame and finds who takes it.
func (t *tracer) carry(r *room, dev *state.Link, f frame, tr *trail) *carried {
	s := t.transmit(r, dev, f, true)
	var best *reception
	for i := range s.got {
		c := &s.got[i]
		if !c.accepts() && !c.out {
			continue
		}
		if best == nil || c.trail.weight() < best.trail.weight() || best.out && !c.out && c.trail.weight() == best.trail.weight() {
			best = c
		}
	}
	if best != nil {
		tr.follow(best.trail)
		return &carried{*best, dev}
	}
	if len(s.got) == 0 {
		return nil
	}
	worst := &s.got[0]
	tr.follow(worst.trail)
	if worst.lost {
		return nil
	}
	if worst.trail.obstacles() == 0 {
		tr.stop(r, "link", Reason{
			Code: NeighbourMACMismatch, Object: "neighbour dev " + dev.Name,
			Text:  fmt.Sprintf("the frame goes to %s, which is nobody behind %s: %s:%s has %s", f.dst, dev.Name, worst.r.name(), worst.dev.Name, worst.dev.MAC),
			Facts: facts(fact("RTM_GETNEIGH", "lladdr %s", f.dst)), Fix: fix(r.ip("neigh flush dev %s", dev.Name)),
		})
	}
	return &carried{*worst, dev}
}
