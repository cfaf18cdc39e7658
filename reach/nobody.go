package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"warren/state"
)

// nobody finds out why a neighbour's address is answered by nobody.
func (t *tracer) nobody(r *room, dev *state.Link, ip, dst netip.Addr, gateway bool, route *routed, s *search, list []answer, out *resolution) {
	if noARP(dev) {
		out.trail.stop(r, "neighbour", Reason{
			Code: NoARP, Object: "link " + dev.Name, Text: fmt.Sprintf("ARP is off on %s", dev.Name),
			Fix: fix(r.ip("link set %s arp on", dev.Name)),
		})
		return
	}
	// A frame that dies in a tunnel was heard by nobody.
	for i := range s.got {
		if c := &s.got[i]; c.lost && len(list) == 0 {
			out.trail.followTroubles(c.trail)
			return
		}
	}
	// A frame that leaves the host may find its owner there.
	for i := range s.got {
		if c := &s.got[i]; c.out {
			out.trail.follow(c.trail)
			if len(c.trail.troubles) == 0 {
				out.trail.doubt(c.r, "link", Doubt{Object: "link " + c.dev.Name, Text: fmt.Sprintf("whether somebody beyond %s answers for %s cannot be seen", c.dev.Name, ip), Resolve: "a probe"}, true)
			}
			out.ok = true
			return
		}
	}
	if dev.Master != "" {
		if m := r.byName[dev.Master]; m != nil && m.Kind == "bridge" {
			out.trail.stop(r, "neighbour", onPortReason(r, dev))
			return
		}
	}
	// Who was meant, but did not hear it or has lost the address. That IPv6 is off somewhere is only a guess.
	var meant *answer
	guessed := false
	for i := range list {
		a := &list[i]
		if a.trail.obstacles() == 0 {
			continue
		}
		switch {
		case a.at.r.Namespace.Name == t.flow.Target || len(list) == 1 && len(s.skipped) == 0:
			meant, guessed = a, ip.Is6() && a.at.r.Namespace.Name != t.flow.Target
		case meant == nil && ip.Is6() && a.trail.first().Code == IPv6Disabled:
			meant, guessed = a, true
		}
	}
	if !t.flow.Complete && (meant == nil || guessed) {
		t.missing.Everywhere = true
	}
	if meant != nil {
		out.trail.followTroubles(meant.trail)
		if holder := meant.at.r; holder.owns(ip) == nil && meant.trail.first().Code != IPv6Disabled {
			t.failed(r, dev, ip, gateway, &out.trail)
		}
		out.mac, out.ok = meant.at.dev.MAC, true
		return
	}
	if w, ok := t.notEnslaved(r, dev, ip); ok {
		out.trail.stop(r, "neighbour", w)
		return
	}
	if w, ok := t.shadowed(r, dev, ip, dst, route); ok && !gateway {
		out.trail.stop(r, "route", w)
		return
	}
	if w, ok := ownGateway(r, dev, ip, route); ok {
		out.trail.stop(r, "neighbour", w)
		return
	}
	t.failed(r, dev, ip, gateway, &out.trail)
}

// ownGateway explains a neighbour that is only asked for because the route's gateway is none.
func ownGateway(r *room, dev *state.Link, ip netip.Addr, route *routed) (Reason, bool) {
	if route == nil || route.route == nil || len(route.route.NextHops) != 1 || route.route.NextHops[0].Own != "link" {
		return Reason{}, false
	}
	u, dst := route.route, route.route.Dst.String()
	if route.route.Dst.Bits() == 0 {
		dst = "default"
	}
	return Reason{
		Code: NeighbourFailed, Object: "route " + routeText(u),
		Text: fmt.Sprintf("the gateway of route %s is an address of %q itself: packets go to %s as if there were none, and nobody there answers for %s",
			routeText(u), r.name(), dev.Name, ip),
		Facts: facts(fact("RTM_GETROUTE", "%s", routeText(u)), fact("RTM_GETADDR", "%s is an address of %q", u.NextHops[0].Via, r.name())),
		Fix:   fix(r.ip("route del %s", routeArgs(u)), "# "+r.ip("route add %s via ROUTER dev %s", dst, dev.Name)),
	}, true
}

// failed is the plain case: nobody on the segment has the address.
func (t *tracer) failed(r *room, dev *state.Link, ip netip.Addr, gateway bool, tr *trail) {
	w := Reason{
		Code: NeighbourFailed, Object: "neighbour " + ip.String() + " dev " + dev.Name,
		Text:  fmt.Sprintf("nobody answers for %s on %s: no interface on this segment has it", ip, dev.Name),
		Facts: facts(fact("RTM_GETADDR", "no namespace behind %s has %s", dev.Name, ip)),
	}
	if gateway {
		w.Code = GatewayUnanswered
		w.Text = fmt.Sprintf("nobody answers for the gateway %s on %s: no interface on this segment has it", ip, dev.Name)
		w.Fix = t.addressFix(r, dev, ip)
		if far, peer, ok := t.veryPeer(r, dev); ok && ip.Is4() {
			w.Fix = append(w.Fix, far.in("sysctl -w net.ipv4.conf.%s.proxy_arp=1", peer.Name))
		}
	} else if f := t.otherBridge(r, dev, ip); f != "" {
		w.Fix = fix(f)
	} else if way, owner := t.wayTo(r, ip); owner && way.gw.IsValid() && way.gw != ip {
		w.Fix = fix(r.ipFor(ip.Is6(), "route replace %s via %s dev %s", hostNet(ip), way.gw, way.dev.Name))
	} else {
		w.Fix = t.addressFix(r, dev, ip)
	}
	if h := t.holders(ip); len(h) > 0 {
		w.Facts = append(w.Facts, fact("RTM_GETADDR", "%s is on %s in %q, which is not on this segment", ip, h[0].link, nameOf(t.s, h[0].ns.Name)))
	}
	tr.stop(r, "neighbour", w)
}

// veryPeer is the other end of a veth that is not a bridge's port, or that bridge.
func (t *tracer) veryPeer(r *room, dev *state.Link) (*room, *state.Link, bool) {
	if dev.Kind != "veth" || dev.Peer == nil {
		return nil, nil, false
	}
	far := t.farRoom(r, dev.Peer)
	if far == nil {
		return nil, nil, false
	}
	l := far.byIndex[dev.Peer.Index]
	if l == nil {
		return nil, nil, false
	}
	if m := far.byName[l.Master]; m != nil {
		l = m
	}
	return far, l, true
}

// A holding is an address on a link of a namespace, which need not be read wholly.
type holding struct {
	ns   *state.Namespace
	link string
}

// holders lists who has an address, the namespace that is meant first.
func (t *tracer) holders(ip netip.Addr) []holding {
	var out []holding
	for i := range t.s.Namespaces {
		ns := &t.s.Namespaces[i]
		for j := range ns.Addrs {
			if ns.Addrs[j].Prefix.Addr() != ip {
				continue
			}
			h := holding{ns, ns.Addrs[j].Link}
			if ns.Name == t.flow.Target {
				out = slices.Insert(out, 0, h)
			} else {
				out = append(out, h)
			}
			break
		}
	}
	return out
}

// notEnslaved finds a cable whose other end lies in a namespace with a bridge and is not in that bridge: where the owner of the
// address, or who asks, should be plugged in.
func (t *tracer) notEnslaved(r *room, dev *state.Link, ip netip.Addr) (Reason, bool) {
	own := seat{r, dev}
	holders := t.holders(ip)
	for _, h := range holders {
		l := h.ns.Link(h.link)
		if l != nil && l.Thin {
			if far := t.room(h.ns.Name); far != nil {
				far.needPort(l)
			}
		}
		if l == nil || l.Peer == nil || l.Peer.NS == "" || t.rooms[l.Peer.NS] == nil {
			continue
		}
		has := t.room(h.ns.Name)
		if has == nil {
			t.missing.name(h.ns.Name)
			continue
		}
		theirs := seat{has, has.byName[h.link]}
		if w, ok := t.beside(theirs, own); ok {
			return w, true
		}
		if w, ok := t.beside(own, theirs); ok {
			return w, true
		}
	}
	far, _, ok := t.veryPeer(r, dev)
	if ok && slices.ContainsFunc(holders, func(h holding) bool {
		return h.ns.Name == far.Namespace.Name && far.byName[h.link] != nil && far.byName[h.link].Kind == "bridge"
	}) {
		return t.beside(own, own)
	}
	return Reason{}, false
}

// beside reports whether a cable ends beside the bridge that the other one (or the other's namespace itself) is on.
func (t *tracer) beside(c, other seat) (Reason, bool) {
	if c.dev.Kind != "veth" || c.dev.Peer == nil || c.dev.Master != "" {
		return Reason{}, false
	}
	far := t.farRoom(c.r, c.dev.Peer)
	if far == nil {
		return Reason{}, false
	}
	port := far.byIndex[c.dev.Peer.Index]
	if port == nil || port.Master != "" || len(far.addrsOn(port.Name, false)) > 0 {
		return Reason{}, false
	}
	for i := range far.Links {
		br := &far.Links[i]
		if br.Kind != "bridge" || other != c && other.dev != br && !t.onBridge(far, br, other) {
			continue
		}
		return Reason{
			Code: NotEnslaved, Namespace: far.name(), Object: "link " + port.Name,
			Text:  fmt.Sprintf("%s, the other end of %s in %q, is in no bridge; %s stands beside it", port.Name, c.dev.Name, c.r.name(), br.Name),
			Facts: facts(fact("RTM_GETLINK", "%s in %q has no master", port.Name, far.name())),
			Fix:   fix(far.ip("link set %s master %s", port.Name, br.Name)),
		}, true
	}
	return Reason{}, false
}

// onBridge reports whether a device's other end is a port of that bridge.
func (t *tracer) onBridge(far *room, br *state.Link, c seat) bool {
	if c.dev == nil || c.dev.Kind != "veth" || c.dev.Peer == nil || t.farRoom(c.r, c.dev.Peer) != far {
		return false
	}
	l := far.byIndex[c.dev.Peer.Index]
	return l != nil && l.Master == br.Name
}

// shadowed looks whether another route, that this one hides, would find the address.
func (t *tracer) shadowed(r *room, dev *state.Link, ip, dst netip.Addr, route *routed) (Reason, bool) {
	if dst.Is6() && dst.IsLinkLocalUnicast() {
		return Reason{}, false // the sender names the link, not a route
	}
	if route == nil || route.route == nil || route.route.TypeName() != "unicast" {
		return Reason{}, false
	}
	a := r.fib.lookup(query{dst: dst, local: true, mark: t.flow.Mark, skip: route.route})
	if a.route == nil || a.typ != "unicast" || len(a.hops) == 0 || a.hops[0].link == nil {
		return Reason{}, false
	}
	if h := a.hops[0]; h.link == dev && (!h.via.IsValid() || h.via == ip || route.route.Protocol == protoKernel) {
		return Reason{}, false // the same question, or an address that belongs here by its prefix
	}
	if len(t.holders(dst)) == 0 {
		return Reason{}, false
	}
	return Reason{
		Code: RouteShadowed, Object: "route " + routeText(route.route),
		Text:  fmt.Sprintf("route %s is taken, and behind %s nobody has %s; it hides %s", routeText(route.route), dev.Name, ip, routeText(a.route)),
		Facts: facts(fact("RTM_GETROUTE", "%s", routeText(route.route)), fact("RTM_GETROUTE", "%s", routeText(a.route))),
		Fix:   fix(r.ipOf(route.route, "route del %s", routeArgs(route.route)), otherWay(r, dst, a.hops[0])),
	}, true
}

// otherWay is a route for one address by the way that another route hides.
func otherWay(r *room, dst netip.Addr, h hop) string {
	if !h.via.IsValid() || h.via.Is6() != dst.Is6() {
		return r.ip("route add %s dev %s", hostNet(dst), h.link.Name)
	}
	return r.ip("route add %s via %s dev %s", hostNet(dst), h.via, h.link.Name)
}

// otherBridge plugs the owner of an address into the bridge that who asks is on, where both have cables to one namespace.
func (t *tracer) otherBridge(r *room, dev *state.Link, ip netip.Addr) string {
	far, br, ok := t.veryPeer(r, dev)
	if !ok || br.Kind != "bridge" {
		return ""
	}
	for _, h := range t.holders(ip) {
		l := h.ns.Link(h.link)
		if l == nil || l.Kind != "veth" || l.Peer == nil || l.Peer.NS != far.Namespace.Name {
			continue
		}
		if port := far.byName[l.Peer.Name]; port != nil && port.Master != br.Name {
			return far.ip("link set %s master %s", port.Name, br.Name)
		}
	}
	return ""
}
