package reach

import (
	"net/netip"
	"slices"

	"warren/reach/filter"
	"warren/state"
)

// A lead is a way out of a namespace that somebody could make a route of.
type lead struct {
	at    *room      // where it leads to
	gw    netip.Addr // the first gateway; zero = first is on the link itself
	dev   *state.Link
	first *room // who is behind it
}

// How far a way is looked for: that many namespaces, each at most that many links wide.
const (
	leadsDeep = 4
	leadsMany = 24
	leadsWide = 40
)

// wayTo looks for who has an address, over what links connect, whatever routes and rules say. Without an owner it returns a
// neighbour that forwards.
func (t *tracer) wayTo(r *room, dst netip.Addr) (found lead, owner bool) {
	used := t.used
	t.depth++
	defer func() { t.used = used; t.depth-- }()
	seen := []*room{r}
	list := t.leads(r, lead{}, dst.Is6(), &seen)
	for deep, from := 0, 0; deep < leadsDeep; deep++ {
		to := len(list)
		for i := from; i < to; i++ {
			if l := list[i]; l.at.owns(dst) != nil && (l.gw.IsValid() || l.at == l.first) {
				return l, true
			}
		}
		for i := from; i < to && len(list) < leadsMany; i++ {
			if l := list[i]; l.gw.IsValid() {
				list = append(list, t.leads(l.at, l, dst.Is6(), &seen)...)
			}
		}
		from = to
	}
	for _, l := range list {
		if l.at == l.first && l.gw.IsValid() && !l.gw.IsLinkLocalUnicast() && l.at.forwardsAnywhere(dst.Is6()) {
			return l, false
		}
	}
	return lead{}, false
}

// leads lists who is on the links of a namespace, on the way that via begins.
func (t *tracer) leads(r *room, via lead, is6 bool, seen *[]*room) []lead {
	var out []lead
	if len(r.Links) > leadsWide {
		return nil
	}
	for i := range r.Links {
		l := &r.Links[i]
		if !l.Up || isLoopback(l) || l.Master != "" || l.Thin || l.Kind == "vxlan" {
			continue
		}
		f := frame{src: l.MAC, dst: broadcast, arp: &filter.ARP{Op: 1, SenderMAC: l.MAC, Target: netip.IPv4Unspecified()}}
		for _, c := range t.transmit(r, l, f, true).got {
			if c.out || c.lost || c.r == r || slices.Contains(*seen, c.r) {
				continue
			}
			if w := c.trail.first(); w != nil && (w.Code == MACVLANParent || w.Code == MACVLANMode) {
				continue // never
			}
			*seen = append(*seen, c.r)
			x := lead{at: c.r, gw: via.gw, dev: via.dev, first: via.first}
			if via.at == nil {
				x.first, x.dev, x.gw = c.r, l, gatewayOn(r, l, c.r, c.dev, is6)
			}
			out = append(out, x)
		}
	}
	return out
}

// gatewayOn is an address of a neighbour that the own addresses of a link cover.
func gatewayOn(r *room, dev *state.Link, far *room, at *state.Link, is6 bool) netip.Addr {
	for _, own := range r.addrsOn(dev.Name, is6) {
		for _, a := range far.addrsOn(at.Name, is6) {
			if ip := a.Prefix.Addr(); own.Prefix.Contains(ip) && ip != own.Prefix.Addr() && !ip.IsLinkLocalUnicast() {
				return ip
			}
		}
	}
	if is6 { // else what IPv6 has need not be read
		if ip, ok := far.linkLocal(at.Name); ok {
			return ip
		}
	}
	return netip.Addr{}
}

// forwardsAnywhere reports whether a namespace passes packets on that come in by one of its links.
func (r *room) forwardsAnywhere(is6 bool) bool {
	return slices.ContainsFunc(r.Links, func(l state.Link) bool { return !isLoopback(&l) && r.forwards(&l, is6) })
}

// hostNet is an address as a route's destination.
func hostNet(ip netip.Addr) netip.Prefix { return netip.PrefixFrom(ip, ip.BitLen()) }

// routeFix proposes what gives a namespace a way to an address: what is missing of its rules and its own subnets, else a route to
// its owner or to a neighbour that forwards.
func (t *tracer) routeFix(r *room, q *query, o walkOptions) []string {
	dst := q.dst
	r.fib.build(dst.Is6())
	tables := r.fib.tables[fam(dst.Is6())]
	any := *q
	any.skip = nil
	if hit, _ := r.fib.inTable(tables[state.MainTable], &any, &routed{}); hit != nil && !r.fib.asksMain(dst.Is6()) {
		return fix(r.ipFor(dst.Is6(), "rule add pref 32766 lookup main"))
	}
	for _, u := range tables[state.MainTable] {
		if u.TypeName() == "throw" && u.Dst.Contains(dst) {
			return fix(r.ipOf(u, "route del %s", routeArgs(u)))
		}
	}
	for i := range r.Addrs {
		a := &r.Addrs[i]
		if l := r.byName[a.Link]; l != nil && l.Up && a.Prefix.Contains(dst) && !isLoopback(l) && l.Master == "" && !dst.IsLinkLocalUnicast() {
			return fix(r.ip("route add %s dev %s", a.Prefix.Masked(), l.Name))
		}
	}
	way, owner := t.wayTo(r, dst)
	if way.dev == nil {
		return fix("# " + r.ip("route add default via GATEWAY") + ", by a router on one of its links: nobody there forwards yet")
	}
	to := "default"
	if hasDefault := slices.ContainsFunc(tables[state.MainTable], func(u *state.Route) bool { return u.Dst.Bits() == 0 && u.TypeName() == "unicast" }); hasDefault || owner && way.at == way.first {
		to = hostNet(dst).String()
	}
	if !way.gw.IsValid() {
		return fix(r.ip("route add %s dev %s", to, way.dev.Name))
	}
	out := fix(r.ipFor(dst.Is6(), "route add %s via %s dev %s", to, way.gw, way.dev.Name))
	if o.reply && !dst.Is6() && way.first.forwardsAnywhere(false) {
		if a := way.first.owns(way.gw); a != nil {
			out = append(out, way.first.in("nft 'add table ip nat; add chain ip nat post { type nat hook postrouting priority srcnat; }; add rule ip nat post oifname \"%s\" masquerade'", a.Link))
		}
	}
	return out
}

// asksMain reports whether a rule leads to the table main for everything.
func (f *fib) asksMain(is6 bool) bool {
	f.build(is6)
	return slices.ContainsFunc(f.rules[fam(is6)], func(u state.Rule) bool {
		return u.Table == state.MainTable && (u.Action == "" || u.Action == "lookup") && !u.Invert && u.From.Bits() <= 0 && u.To.Bits() <= 0 &&
			u.IIF == "" && u.OIF == "" && u.Mark == 0 && u.UIDs == nil && u.IPProto == 0
	})
}

// addressFix proposes to give a neighbour the address that it is asked for.
func (t *tracer) addressFix(r *room, dev *state.Link, ip netip.Addr) []string {
	far, at, ok := t.veryPeer(r, dev)
	if !ok || ip.IsLinkLocalUnicast() && ip.Is4() {
		return nil
	}
	bits := ip.BitLen()
	for _, own := range r.addrsOn(dev.Name, ip.Is6()) {
		if own.Prefix.Contains(ip) {
			bits = own.Prefix.Bits()
		}
	}
	return fix(far.ip("addr add %s dev %s%s", netip.PrefixFrom(ip, bits), at.Name, nodad(ip)))
}

// nodad is what makes an address of IPv6 usable at once.
func nodad(ip netip.Addr) string {
	if ip.Is6() {
		return " nodad"
	}
	return ""
}
