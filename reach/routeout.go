package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"warren/reach/filter"
	"warren/state"
)

// routeOut routes a packet of the namespace's own. Where there is no route it says why, and tries to go on.
func (t *tracer) routeOut(r *room, q *query, tr *trail, o walkOptions) (routed, bool) {
	if !r.reads(state.PartRoutes) || !r.reads(state.PartRules) {
		tr.doubt(r, "route", Doubt{Object: "routes", Text: "routes or rules were not read"}, true)
	}
	a := r.fib.lookup(*q)
	if a.empty != nil {
		tr.note(r, emptyTable(r, a.empty, &a))
	}
	if a.doubt != "" {
		tr.doubt(r, "route", Doubt{Object: a.doubt, Text: "not modelled: " + a.doubt}, true)
		return a, false
	}
	switch a.typ {
	case "unicast", "local":
		return a, true
	case "blackhole", "unreachable", "prohibit":
		tr.stop(r, "route", errorRoute(r, &a, o, q))
		if a.route == nil {
			return a, false
		}
		q.skip = a.route
		b := r.fib.lookup(*q)
		return b, b.typ == "unicast" && len(b.hops) > 0
	case "broadcast", "multicast", "anycast":
		tr.doubt(r, "route", Doubt{Object: "address " + q.dst.String(), Text: a.typ + " is not modelled: who answers is up to every receiver", Resolve: "a probe"}, true)
		return a, false
	}
	w, h := t.whyNoRoute(r, q, &a, o)
	tr.stop(r, "route", w)
	if h.link == nil {
		return a, false
	}
	return routed{typ: "unicast", hops: []hop{h}}, true
}

// whyNoRoute tells a link that is down, or a rule whose table is empty, from a route that is not there. The hop is the way
// that the packet would take if the link were up.
func (t *tracer) whyNoRoute(r *room, q *query, a *routed, o walkOptions) (Reason, hop) {
	none := Reason{
		Code: NoRoute, Object: "route to " + q.dst.String(), Text: fmt.Sprintf("%q has no route to %s", r.name(), q.dst),
		Facts: facts(fact("RTM_GETROUTE", "nothing matches %s", q.dst)), Symptom: "Network is unreachable",
	}
	if o.reply {
		none.Code = NoReturnRoute
		none.Text = fmt.Sprintf("%q has no route back to %s: the request arrived, the answer cannot leave", r.name(), q.dst)
		none.Symptom = ""
	}
	if o.tunnel != nil {
		none.Code = VXLANUnderlayNoRoute
		none.Text = fmt.Sprintf("%s cannot send to its remote: %q has no route to %s", o.tunnel.Name, r.name(), q.dst)
		none.Symptom = ""
	}
	none.Fix = t.routeFix(r, q, o)
	if lo := r.byName["lo"]; q.dst.IsLoopback() && lo != nil && !lo.Up {
		w := downReason(r, lo)
		w.Symptom = none.Symptom
		return w, hop{}
	}
	if q.oif != nil && q.dst.Is6() && !o.reply {
		if !q.oif.Up {
			w := downReason(r, q.oif)
			w.Symptom = none.Symptom
			return w, hop{link: q.oif}
		}
		if r.ipv6Off(q.oif) {
			return ipv6Reason(r, q.oif), hop{}
		}
	}
	if l, direct := t.downLink(r, q.dst); l != nil {
		w := downReason(r, l)
		w.Text += fmt.Sprintf(", and its routes are gone: there is none to %s", q.dst)
		w.Symptom = none.Symptom
		if direct {
			return w, hop{link: l}
		}
		return w, hop{}
	}
	if len(a.dead) > 0 {
		return Reason{
			Code: RouteDead, Object: "route " + routeText(a.dead[0]), Text: fmt.Sprintf("route %s is dead: its link has no carrier or is down", routeText(a.dead[0])),
			Facts: facts(fact("RTM_GETROUTE", "%s dead or linkdown", routeText(a.dead[0]))),
		}, hop{}
	}
	if l := t.noIPv6(r, q.dst); l != nil && !o.reply {
		return ipv6Reason(r, l), hop{}
	}
	if l := t.off6Towards(r, q.dst); l != nil {
		return ipv6Reason(r, l), hop{}
	}
	if a.empty != nil {
		w := emptyTable(r, a.empty, a)
		w.Symptom = none.Symptom
		return w, hop{}
	}
	if q.dst.Is6() {
		r.needPorts()
		for i := range r.Links {
			if l := &r.Links[i]; l.Up && r.sysctl("net/ipv6/conf/all/forwarding") == 1 && r.dev6(l, conf6AcceptRA, "accept_ra") == 1 && !isLoopback(l) {
				none.Facts = append(none.Facts, fact("sysctl", "forwarding=1 and accept_ra=1: router advertisements are ignored; accept_ra=2 takes them"))
				break
			}
		}
	}
	return none, hop{}
}

// downLink finds a link that is down and whose address covers dst, or the only link that could lead anywhere.
func (t *tracer) downLink(r *room, dst netip.Addr) (l *state.Link, direct bool) {
	var down *state.Link
	up := 0
	for i := range r.Links {
		l := &r.Links[i]
		if isLoopback(l) || l.Master != "" {
			continue
		}
		if l.Up {
			up++
			continue
		}
		for _, a := range r.addrsOn(l.Name, dst.Is6()) {
			if a.Prefix.Contains(dst) {
				return l, true
			}
			down = l
		}
		if down == nil && (l.Kind == "veth" || l.Kind == "macvlan" || l.Kind == "vxlan") {
			down = l
		}
	}
	if up == 0 {
		return down, false
	}
	return nil, false
}

// noIPv6 finds a link on which IPv6 is off, where all are so.
func (t *tracer) noIPv6(r *room, dst netip.Addr) *state.Link {
	if !dst.Is6() {
		return nil
	}
	var off *state.Link
	for i := range r.Links {
		l := &r.Links[i]
		if isLoopback(l) || l.Thin {
			continue
		}
		if !r.ipv6Off(l) {
			return nil
		}
		off = l
	}
	r.needPorts()
	return off
}

// off6Towards finds a link without IPv6 behind which somebody has the address.
func (t *tracer) off6Towards(r *room, dst netip.Addr) *state.Link {
	if !dst.Is6() || len(r.Links) > leadsWide {
		return nil
	}
	for i := range r.Links {
		l := &r.Links[i]
		if !l.Up || isLoopback(l) || l.Master != "" || l.Thin || !r.ipv6Off(l) {
			continue
		}
		f := frame{src: l.MAC, dst: broadcast, arp: &filter.ARP{Op: 1, SenderMAC: l.MAC, Target: netip.IPv4Unspecified()}}
		for _, c := range t.transmit(r, l, f, true).got {
			if !c.out && !c.lost && c.r.owns(dst) != nil {
				return l
			}
		}
	}
	return nil
}

func emptyTable(r *room, u *state.Rule, a *routed) Reason {
	w := Reason{
		Code: RuleTableEmpty, Object: "rule " + ruleText(u),
		Text:  fmt.Sprintf("rule %q sends it to table %s, which is empty", ruleText(u), tableName(u.Table)),
		Facts: facts(fact("RTM_GETRULE", "%s", ruleText(u)), fact("RTM_GETROUTE", "table %s is empty", tableName(u.Table))),
		Fix:   fix(r.ipFor(u.IPv6, "rule del pref %d", u.Priority)),
	}
	if a.route != nil && len(a.hops) > 0 && a.hops[0].link != nil {
		way := ""
		if via := a.hops[0].via; via.Is4() || via.Is6() && u.IPv6 {
			way = " via " + via.String()
		}
		w.Fix = append(fix(r.ipFor(u.IPv6, "route add default%s dev %s table %d", way, a.hops[0].link.Name, u.Table)), w.Fix...)
	}
	if a.route != nil {
		w.Text += fmt.Sprintf("; it goes on and takes %s", routeText(a.route))
	} else {
		w.Text += ", and nothing after it has a route"
	}
	return w
}

// errorRoute explains a route (or rule) of type blackhole, unreachable or prohibit.
func errorRoute(r *room, a *routed, o walkOptions, q *query) Reason {
	w := Reason{}
	switch a.typ {
	case "blackhole":
		w.Code, w.Symptom = RouteBlackhole, "Invalid argument"
	case "unreachable":
		w.Code, w.Symptom = RouteUnreachable, "No route to host"
	default:
		w.Code, w.Symptom = RouteProhibit, "Permission denied"
	}
	if o.reply {
		w.Symptom = ""
	}
	if a.route != nil {
		w.Object = "route " + routeText(a.route)
		w.Text = fmt.Sprintf("route %s in %q refuses packets for %s", routeText(a.route), r.name(), q.dst)
		w.Facts = facts(fact("RTM_GETROUTE", "%s", routeText(a.route)))
		w.Fix = fix(r.ipOf(a.route, "route del %s", routeArgs(a.route)))
		return w
	}
	w.Object = "rule " + ruleText(a.rule)
	w.Text = fmt.Sprintf("rule %q in %q refuses packets for %s", ruleText(a.rule), r.name(), q.dst)
	w.Facts = facts(fact("RTM_GETRULE", "%s", ruleText(a.rule)))
	w.Fix = fix(r.ipFor(q.dst.Is6(), "rule del pref %d", a.rule.Priority))
	return w
}

// routeArgs is what ip route del needs to find the route.
func routeArgs(u *state.Route) string {
	s := ""
	if n := u.TypeName(); n != "unicast" && u.NextHopID == 0 {
		s = n + " "
	}
	if u.Dst.Bits() == 0 {
		s += "default"
	} else {
		s += u.Dst.String()
	}
	if len(u.NextHops) == 1 && u.TypeName() == "unicast" {
		if n := u.NextHops[0]; n.Via.IsValid() {
			s += " via " + n.Via.String()
		}
		s += " dev " + u.NextHops[0].Link
	}
	if u.From.Bits() > 0 {
		s += " from " + u.From.String()
	}
	if u.TOS != 0 {
		s += fmt.Sprintf(" tos 0x%02x", u.TOS)
	}
	if u.Metric != 0 {
		s += fmt.Sprintf(" metric %d", u.Metric)
	}
	if id := u.TableID(); id != state.MainTable {
		s += " table " + tableName(id)
	}
	return s
}

// pickHop takes one of a route's ways out; all are tried in turn.
func (t *tracer) pickHop(r *room, a *routed, q *query) hop {
	hops := a.hops
	if !q.dst.Is6() && a.route != nil && a.route.Dst.Bits() == 0 && a.typ == "unicast" && len(hops) == 1 {
		hops = r.fib.equalDefaults(a, q)
	}
	if len(hops) == 0 {
		return hop{}
	}
	hops = distinct(hops)
	what := "route "
	if a.route != nil {
		what += routeText(a.route)
	}
	if i := slices.IndexFunc(hops, func(h hop) bool { return h.nh.Via.IsValid() && !h.via.IsValid() }); i >= 0 {
		what += fmt.Sprintf(": its gateway %s is an address of %q itself, and nothing tells whether it was one when the route was made", hops[i].nh.Via, r.name())
	} else {
		what += " has several ways"
	}
	return hops[t.choose(r, len(hops), what)]
}

// distinct leaves out ways that are there already: a route may name one several times.
func distinct(hops []hop) []hop {
	var out []hop
	for _, h := range hops {
		if !slices.ContainsFunc(out, func(o hop) bool { return o.link == h.link && o.via == h.via }) {
			out = append(out, h)
		}
	}
	return out
}

// equalDefaults lists the gateways of several IPv4 default routes of the same metric: which one is taken depends on the
// state of their neighbour entries (fib_select_default).
func (f *fib) equalDefaults(a *routed, q *query) []hop {
	out := a.hops
	for _, o := range f.tables[0][a.route.TableID()] {
		if o != a.route && o != q.skip && o.Dst.Bits() == 0 && o.Metric == a.route.Metric && o.TOS == a.route.TOS && o.TypeName() == "unicast" {
			if h := f.usable(o, q); len(h) == 1 && h[0].via.IsValid() {
				out = append(slices.Clip(out), h[0])
			}
		}
	}
	return out
}

// mtuOf is the greatest packet that a route and its device take, in bytes.
func mtuOf(a *routed, dev *state.Link, is6 bool) int {
	m := int(dev.MTU)
	if a.route != nil && a.route.Metrics.MTU != 0 {
		m = int(a.route.Metrics.MTU)
	}
	if m == 0 {
		m = 65535
	}
	if is6 {
		m = max(m, 1280)
	}
	return m
}

// tooBigHere stops a packet that must not be fragmented and does not fit the first link: its sender gets EMSGSIZE.
func (t *tracer) tooBigHere(r *room, p *filter.Packet, a *routed, dev *state.Link, tr *trail, o walkOptions) {
	limit := mtuOf(a, dev, p.Is6())
	if !p.DF || o.reply && !o.error && p.Proto != filter.TCP {
		return
	}
	if told := t.learnedMTU(r, p, dev, o); told != 0 && told < limit && p.Length > told {
		w := toldLess(r, p, dev, told)
		w.Namespace = r.name()
		t.told = &w
	}
	if p.Length <= limit {
		return
	}
	w := Reason{
		Code: MTUExceeded, Object: "link " + dev.Name, Text: fmt.Sprintf("the packet has %d bytes, must not be fragmented, and %s takes %d", p.Length, dev.Name, limit),
		Facts: facts(fact("RTM_GETLINK", "mtu of %s is %d", dev.Name, dev.MTU)), Fix: fix(r.ip("link set %s mtu %d", dev.Name, p.Length)), Symptom: "Message too long",
	}
	narrowRoute(r, a, dev, p.Length, &w)
	tr.stop(r, "mtu", w)
}

// narrowRoute names the route where that, and not its link, is too narrow for a packet of so many bytes.
func narrowRoute(r *room, a *routed, dev *state.Link, size int, w *Reason) {
	if a.route == nil || a.route.Metrics.MTU == 0 || int(a.route.Metrics.MTU) >= size {
		return
	}
	w.Object = "route " + routeText(a.route)
	w.Text += fmt.Sprintf(": its route has mtu %d", a.route.Metrics.MTU)
	w.Facts = append(w.Facts, fact("RTM_GETROUTE", "%s mtu %d", routeText(a.route), a.route.Metrics.MTU))
	out := fix(r.ipOf(a.route, "route change %s mtu %d", routeArgs(a.route), size))
	if int(dev.MTU) < size {
		out = append(out, w.Fix...)
	}
	w.Fix = out
}
