package plan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"warren/state"
)

// ip6Metric is what the kernel writes where an IPv6 route is made without a metric (IP6_RT_PRIO_USER).
const ip6Metric = 1024

func metric(r *state.Route) uint32 {
	if r.Metric == 0 && r.Dst.Addr().Is6() {
		return ip6Metric
	}
	return r.Metric
}

// sameKey reports whether the kernel would take the routes for one another: of one table, destination, source, TOS, metric.
func sameKey(a, b *state.Route) bool {
	return a.Dst == b.Dst && a.TableID() == b.TableID() && a.From == b.From && a.TOS == b.TOS && metric(a) == metric(b)
}

// routesTo is the part of the sorted list that has the route's family, table and destination, and where it begins.
func routesTo(sorted []state.Route, r *state.Route) (int, []state.Route) {
	order := func(a, b *state.Route) int {
		return cmp.Or(cmp.Compare(a.Dst.Addr().BitLen(), b.Dst.Addr().BitLen()), cmp.Compare(a.TableID(), b.TableID()),
			state.ComparePrefix(a.Dst, b.Dst))
	}
	lo, _ := slices.BinarySearchFunc(sorted, r, func(x state.Route, y *state.Route) int {
		if order(&x, y) < 0 {
			return -1
		}
		return 1
	})
	hi := lo
	for hi < len(sorted) && order(&sorted[hi], r) == 0 {
		hi++
	}
	return lo, sorted[lo:hi]
}

// routeDiffers says why the route that is there is not what is declared.
func routeDiffers(w, h *state.Route) string {
	switch {
	case w.TypeName() != h.TypeName():
		return fmt.Sprintf("type is %s, want %s", h.TypeName(), w.TypeName())
	case w.Protocol != 0 && w.Protocol != h.Protocol:
		return fmt.Sprintf("protocol is %d, want %d", h.Protocol, w.Protocol)
	case w.Src.IsValid() && w.Src != h.Src:
		return fmt.Sprintf("source is %s, want %v", orWord(addrWord(h.Src), "none"), w.Src)
	case w.Scope != 0 && w.Scope != h.Scope:
		return fmt.Sprintf("scope is %d, want %d", h.Scope, w.Scope)
	case len(w.NextHops) > 0 && !sameHops(w.NextHops, h.NextHops, w.Dst.Addr().Is6()):
		return fmt.Sprintf("goes %s, want %s", orWord(hopsWord(h.NextHops), "nowhere"), hopsWord(w.NextHops))
	case w.NextHopID != 0 && w.NextHopID != h.NextHopID:
		return fmt.Sprintf("next hop object is %d, want %d", h.NextHopID, w.NextHopID)
	}
	for _, m := range []struct {
		name       string
		want, have uint32
	}{
		{"mtu", w.Metrics.MTU, h.Metrics.MTU},
		{"advmss", w.Metrics.AdvMSS, h.Metrics.AdvMSS},
		{"window", w.Metrics.Window, h.Metrics.Window},
		{"rtt", w.Metrics.RTT, h.Metrics.RTT},
		{"hoplimit", w.Metrics.HopLimit, h.Metrics.HopLimit},
		{"initcwnd", w.Metrics.InitCwnd, h.Metrics.InitCwnd},
		{"initrwnd", w.Metrics.InitRwnd, h.Metrics.InitRwnd},
		{"quickack", w.Metrics.Quickack, h.Metrics.Quickack},
	} {
		if m.want != 0 && m.want != m.have {
			return fmt.Sprintf("%s is %d, want %d", m.name, m.have, m.want)
		}
	}
	if w.Metrics.LockMTU && !h.Metrics.LockMTU {
		return "mtu is not locked"
	}
	return ""
}

func addrWord(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// sameHops compares the ways out; the order counts for IPv4 only, where the kernel keeps it.
func sameHops(want, have []state.NextHop, is6 bool) bool {
	if len(want) != len(have) {
		return false
	}
	if is6 && len(want) > 1 {
		want, have = slices.SortedFunc(slices.Values(want), state.NextHop.Compare), slices.SortedFunc(slices.Values(have), state.NextHop.Compare)
	}
	return slices.EqualFunc(want, have, func(w, h state.NextHop) bool {
		return w.Via == h.Via && (w.Link == "" || w.Link == h.Link) && max(w.Weight, 1) == max(h.Weight, 1) &&
			w.Flags&state.NextHopOnLink&^h.Flags == 0
	})
}

// loseRoutes finds the routes that will not be there any more when things are made.
func (d *differ) loseRoutes(p *place) {
	var bare map[string]bool // links that lose their last IPv4 address, and with it all IPv4 routes
	if p.lostAddrs != nil {
		bare = map[string]bool{}
		for i := range p.have.Addrs {
			if p.lostAddrs[i] && p.have.Addrs[i].Prefix.Addr().Is4() {
				bare[p.have.Addrs[i].Link] = true
			}
		}
		for i := range p.have.Addrs {
			if !p.lostAddrs[i] && p.have.Addrs[i].Prefix.Addr().Is4() {
				delete(bare, p.have.Addrs[i].Link)
			}
		}
	}
	for i := range p.have.Routes {
		r := &p.have.Routes[i]
		lost := d.unwantedRoute(p, r)
		for _, h := range r.NextHops {
			lost = lost || d.dead(p.name, h.Link) || r.Dst.Addr().Is4() && bare[h.Link]
		}
		if !lost && p.lostAddrs != nil && r.Src.IsValid() {
			for j := range p.lostAddrs {
				lost = lost || p.have.Addrs[j].Prefix.Addr() == r.Src
			}
		}
		if lost {
			p.lost = mark(p.lost, i)
		} else if p.owned && r.Protocol != state.Protocol && !kernelRoute(*r) && !d.wantedRoute(p, r) {
			d.other = append(d.other, Other{p.name, Object{Route: r}})
		}
	}
}

func (d *differ) wantedRoute(p *place, h *state.Route) bool {
	_, ws := routesTo(p.want.Routes, h)
	for i := range ws {
		if sameKey(&ws[i], h) {
			return true
		}
	}
	return false
}

// unwantedRoute reports whether the route is ours and no longer declared.
func (d *differ) unwantedRoute(p *place, h *state.Route) bool {
	if h.Protocol != state.Protocol || d.wantedRoute(p, h) {
		return false
	}
	if p.owned {
		return true
	}
	if p.former != nil {
		_, fs := routesTo(p.former.Routes, h)
		for i := range fs {
			if sameKey(&fs[i], h) {
				return true
			}
		}
	}
	for _, n := range h.NextHops {
		if !d.ourLink(p, n.Link) {
			return false
		}
	}
	return len(h.NextHops) > 0
}

func (d *differ) whyRoute(p *place, h *state.Route) string {
	if d.unwantedRoute(p, h) {
		return "no longer declared"
	}
	for _, n := range h.NextHops {
		if d.dead(p.name, n.Link) {
			return "goes with its link"
		}
	}
	return "goes with its address"
}

// routes writes the routes that come: those without a gateway first, because a gateway must be reachable by one of them.
func (d *differ) routes(p *place) {
	for _, gateway := range []bool{false, true} {
		for i := range p.want.Routes {
			w := &p.want.Routes[i]
			if slices.ContainsFunc(w.NextHops, func(n state.NextHop) bool { return n.Via.IsValid() }) == gateway {
				d.route(p, w)
			}
		}
		if p.lost == nil {
			continue
		}
		for i := range p.have.Routes {
			h := &p.have.Routes[i]
			if !p.lost[i] || h.Protocol == state.Protocol || kernelRoute(*h) || d.wantedRoute(p, h) || d.whyRoute(p, h) == "goes with its link" ||
				slices.ContainsFunc(h.NextHops, func(n state.NextHop) bool { return n.Via.IsValid() }) != gateway || !d.reachable(p, h) {
				continue
			}
			r := restorableRoute(*h)
			d.ph.runs = append(d.ph.runs, Step{NS: p.name, After: Object{Route: &r}, Reason: "not ours: put back"})
		}
	}
}

// reachable reports whether somebody else's route can be put back: its gateways and its source are still in our nets.
func (d *differ) reachable(p *place, h *state.Route) bool {
	for _, n := range h.NextHops {
		if n.Via.IsValid() && !slices.ContainsFunc(p.want.Addrs, func(a state.Addr) bool { return a.Link == n.Link && a.Prefix.Contains(n.Via) }) {
			return false
		}
	}
	return !h.Src.IsValid() || slices.ContainsFunc(p.want.Addrs, func(a state.Addr) bool { return a.Prefix.Addr() == h.Src })
}

func (d *differ) route(p *place, w *state.Route) {
	r := *w
	if r.Protocol == 0 && !d.verbatim {
		r.Protocol = state.Protocol
	}
	var there *state.Route
	if p.have != nil {
		first, hs := routesTo(p.have.Routes, w)
		for j := range hs {
			h := &hs[j]
			if p.lost[first+j] || !sameKey(&r, h) {
				continue
			}
			if routeDiffers(&r, h) == "" {
				return
			}
			if there == nil || h.Protocol == state.Protocol {
				there = h
			}
		}
	}
	if there == nil {
		d.ph.runs = append(d.ph.runs, Step{NS: p.name, After: Object{Route: &r}})
		return
	}
	if !p.owned && there.Protocol != state.Protocol {
		d.errs = append(d.errs, &CollisionError{NS: p.name, Object: "route " + routeWords(there), Owner: "not made by warren"})
		return
	}
	before := restorableRoute(*there)
	d.ph.runs = append(d.ph.runs, Step{NS: p.name, Before: Object{Route: &before}, After: Object{Route: &r}, Reason: routeDiffers(&r, there)})
}
