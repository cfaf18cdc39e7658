package reach

import (
	"fmt"
	"net/netip"

	"warren/reach/filter"
	"warren/state"
)

// A resolution is what asking for a neighbour's link-layer address gave.
type resolution struct {
	mac   state.MAC
	ok    bool // there is an address to send to (if need be, as if the obstacles were gone)
	trail trail
	by    string // who answered: "b:vb"
}

// validCache are the states of an entry that is used without asking first.
func validCache(st string) bool {
	switch st {
	case "reachable", "stale", "delay", "probe":
		return true
	}
	return false
}

// resolve finds the link-layer address of a neighbour as neigh_resolve_output would, by a walk of the question and of the
// answer. What the cache holds is used only where it agrees with that, so that the answer does not depend on who sent
// before; a permanent entry is used even when it is wrong.
func (t *tracer) resolve(r *room, dev *state.Link, ip netip.Addr, p *filter.Packet, gateway bool, route *routed) resolution {
	cached, permanent := r.neighbor(dev, ip)
	if m, ok := r.learned[neighKey{dev.Name, ip}]; ok {
		// It asked, if it had to; if it had not, the table still names who answered before.
		if cached != nil && validCache(cached.State) && cached.MAC != m && t.depth <= 3 && t.heldBy(r, dev, cached.MAC, ip) &&
			t.choose(r, 2, "who is meant by "+ip.String()+", which several have") == 1 {
			m = cached.MAC
		}
		return resolution{mac: m, ok: true, by: "asked us before"}
	}
	if permanent {
		res := resolution{mac: cached.MAC, ok: true, by: "permanent entry"}
		t.checkPermanent(r, dev, ip, p, cached, &res)
		return res
	}
	if t.depth > 3 {
		return resolution{}
	}
	t.depth++
	res := t.ask(r, dev, ip, p, gateway, route)
	t.depth--
	if cached != nil && validCache(cached.State) && !cached.MAC.IsZero() {
		switch {
		case res.trail.obstacles() > 0 && t.heldBy(r, dev, cached.MAC, ip):
			// It works as long as the entry lives.
			for _, u := range res.trail.troubles {
				if w := u.reason; w != nil {
					w.note = true
					w.Text += fmt.Sprintf(" (now it works, because %s is still in the neighbour table of %q)", ip, r.name())
				}
			}
			res.mac, res.ok, res.by = cached.MAC, true, "neighbour table, "+cached.State
		case res.ok && res.mac != cached.MAC && res.trail.obstacles() == 0 && !t.heldBy(r, dev, cached.MAC, ip):
			if !t.flow.Complete {
				t.missing.Everywhere = true // somebody else may have that address and that MAC
			}
			res.trail.stop(r, "neighbour", Reason{
				Code: StaleNeighbour, Object: "neighbour " + ip.String() + " dev " + dev.Name,
				Text:  fmt.Sprintf("%q still thinks that %s is at %s; now it is at %s", r.name(), ip, cached.MAC, res.mac),
				Facts: facts(fact("RTM_GETNEIGH", "%s lladdr %s %s", ip, cached.MAC, cached.State)),
				Fix:   fix(r.ip("neigh del %s dev %s", ip, dev.Name)),
			})
		}
	}
	if res.ok {
		r.learned[neighKey{dev.Name, ip}] = res.mac
	}
	return res
}

// neighbor returns the entry of the table; permanent also for those that are never asked for.
func (r *room) neighbor(dev *state.Link, ip netip.Addr) (entry *state.Neighbor, permanent bool) {
	r.need6(ip.Is6())
	for i := range r.Neighbors {
		n := &r.Neighbors[i]
		if n.Link == dev.Name && n.IP == ip && !n.Proxy {
			return n, n.State == "permanent" || n.State == "noarp"
		}
	}
	return nil, false
}

// heldBy reports whether a frame to that MAC comes to somebody who has the address, or would pass it on.
func (t *tracer) heldBy(r *room, dev *state.Link, mac state.MAC, ip netip.Addr) bool {
	f := frame{src: dev.MAC, dst: mac, ip: &filter.Packet{Src: ip, Dst: ip, Proto: filter.UDP, Length: 28, TTL: 64}}
	for _, c := range t.transmit(r, dev, f, true).got {
		if c.accepts() && (c.r.owns(ip) != nil || c.r != r && c.r.forwards(c.dev, ip.Is6())) {
			return true
		}
	}
	return false
}

// checkPermanent says so when an entry that somebody made leads to nobody, or to somebody else than who has the address.
func (t *tracer) checkPermanent(r *room, dev *state.Link, ip netip.Addr, p *filter.Packet, n *state.Neighbor, res *resolution) {
	if t.depth > 2 || n.MAC.IsZero() || noARP(dev) {
		return
	}
	f := frame{src: dev.MAC, dst: n.MAC, ip: &filter.Packet{Src: p.Src, Dst: ip, Proto: filter.UDP, Length: 28, TTL: 64}}
	t.depth++
	defer func() { t.depth-- }()
	got := t.transmit(r, dev, f, true).got
	anybody := false
	for _, c := range got {
		// A host that has other addresses drops it.
		anybody = anybody || c.out || c.accepts() && (c.r.owns(ip) != nil || c.r.fib.AddrType(ip, nil) == "local" || c.r.forwards(c.dev, ip.Is6()))
	}
	if anybody || len(got) == 0 {
		return
	}
	fresh := t.owner(r, dev, ip)
	if fresh == nil {
		return
	}
	res.trail.stop(r, "neighbour", wrongEntry(r, dev, n, seat{fresh.r, fresh.dev}))
	res.mac = fresh.dev.MAC
}

// wrongEntry names an entry that somebody made and that leads elsewhere than to who has the address.
func wrongEntry(r *room, dev *state.Link, n *state.Neighbor, has seat) Reason {
	return Reason{
		Code: NeighbourMACMismatch, Object: "neighbour " + n.IP.String() + " dev " + dev.Name,
		Text:  fmt.Sprintf("a permanent entry says that %s is at %s; nobody there has that address, %s:%s is at %s", n.IP, n.MAC, has.r.name(), has.dev.Name, has.dev.MAC),
		Facts: facts(fact("RTM_GETNEIGH", "%s lladdr %s %s", n.IP, n.MAC, n.State), fact("RTM_GETLINK", "%s in %q has %s", has.dev.Name, has.r.name(), has.dev.MAC)),
		Fix:   fix(r.ip("neigh replace %s lladdr %s dev %s", n.IP, has.dev.MAC, dev.Name), r.ip("neigh del %s dev %s", n.IP, dev.Name)),
	}
}

// owner finds who has an address on the segment, whatever stands in the way.
func (t *tracer) owner(r *room, dev *state.Link, ip netip.Addr) *reception {
	f := frame{src: dev.MAC, dst: broadcast, arp: &filter.ARP{Op: 1, SenderMAC: dev.MAC, Target: ip}}
	s := t.transmit(r, dev, f, true)
	for i := range s.got {
		if c := &s.got[i]; !c.out && c.r.owns(ip) != nil {
			return c
		}
	}
	return nil
}
