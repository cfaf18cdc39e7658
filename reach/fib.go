package reach

import (
	"cmp"
	"net/netip"
	"slices"

	"warren/reach/filter"
	"warren/state"
)

// A fib is the routing of one namespace.
type fib struct {
	r        *room
	rules    [2][]state.Rule              // of IPv4 and IPv6, by priority
	tables   [2]map[uint32][]*state.Route // longest prefix first
	built    [2]bool
	customV4 bool // somebody made rules (fib4_has_custom_rules)
	localV4  bool // somebody made routes of type local
}

func newFIB(r *room) *fib { return &fib{r: r} }

func fam(is6 bool) int {
	if is6 {
		return 1
	}
	return 0
}

// build sorts rules and routes of one family, when they are first needed.
func (f *fib) build(is6 bool) {
	i := fam(is6)
	if f.built[i] {
		return
	}
	f.built[i] = true
	f.r.need6(is6)
	for _, u := range f.r.Rules {
		if u.IPv6 == is6 {
			f.rules[i] = append(f.rules[i], u)
		}
	}
	if len(f.rules[i]) == 0 && f.r.Read == 0 {
		f.rules[i] = defaultRules(is6)
	}
	slices.SortStableFunc(f.rules[i], func(a, b state.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	f.tables[i] = map[uint32][]*state.Route{}
	local := false
	for j := range f.r.Routes {
		if u := &f.r.Routes[j]; u.Dst.Addr().Is6() == is6 {
			f.tables[i][u.TableID()] = append(f.tables[i][u.TableID()], u)
			local = local || u.TableID() == state.LocalTable
			f.localV4 = f.localV4 || !is6 && u.Type == "local" && u.Protocol != protoKernel
		}
	}
	if !local && f.r.Read == 0 {
		f.derive(is6)
	}
	for _, t := range f.tables[i] {
		slices.SortStableFunc(t, func(a, b *state.Route) int {
			return cmp.Or(cmp.Compare(b.Dst.Bits(), a.Dst.Bits()), cmp.Compare(b.From.Bits(), a.From.Bits()), compareTOS(a, b, is6),
				cmp.Compare(a.Metric, b.Metric))
		})
	}
	if !is6 {
		f.customV4 = !slices.EqualFunc(f.rules[0], defaultRules(false), func(a, b state.Rule) bool { return a.Same(&b) })
	}
}

func compareTOS(a, b *state.Route, is6 bool) int {
	if is6 {
		return 0
	}
	return cmp.Compare(b.TOS, a.TOS)
}

// protoKernel is RTPROT_KERNEL.
const protoKernel = 2

// A query is what one routing decision looks at (struct flowi).
type query struct {
	dst, src     netip.Addr // src may be zero
	iif, oif     *state.Link
	local        bool // the packet is from here: iif is lo
	mark         uint32
	tos          uint8
	proto        uint8
	sport, dport uint16
	uid          uint32
	// deadOK ignores links without carrier rather than routes through them (FIB_LOOKUP_IGNORE_LINKSTATE).
	linkstateOK bool
	// skip leaves a route out: what would be without it.
	skip *state.Route
}

// A routed is the answer of a lookup.
type routed struct {
	route *state.Route // nil = no route at all
	rule  *state.Rule  // the rule whose table had it, or whose action it is
	typ   string       // "unicast", "local", ..., or the rule's action
	hops  []hop        // usable ways out, all of the chosen route
	// empty is a rule that somebody made, that matched, and whose table is empty.
	empty *state.Rule
	// doubt says why the answer cannot be told.
	doubt string
	// dead are routes that would match but for their links.
	dead []*state.Route
}

// A hop is one way out.
type hop struct {
	via  netip.Addr // zero = directly
	link *state.Link
	nh   state.NextHop
	id   uint32 // of a nexthop object
}

func isAction(t string) bool { return t == "blackhole" || t == "unreachable" || t == "prohibit" }

// lookup decides where a packet goes.
func (f *fib) lookup(q query) routed {
	a := f.byRules(q)
	if !q.dst.Is6() && q.local && q.oif != nil && a.doubt == "" && (a.route == nil || isAction(a.typ)) {
		// A socket that is bound to a device needs no route: whatever fails, the destination is taken to be on that link
		// (ip_route_output_key_hash_rcu).
		return routed{typ: "unicast", hops: []hop{{link: q.oif}}}
	}
	return a
}

// byRules goes through the policy rules (fib_rules_lookup) and their tables.
func (f *fib) byRules(q query) routed {
	is6 := q.dst.Is6()
	f.build(is6)
	var out routed
	rules := f.rules[fam(is6)]
	for i := 0; i < len(rules); i++ {
		u := &rules[i]
		match, doubt := f.ruleMatches(u, &q)
		if doubt != "" {
			out.doubt = doubt
			return out
		}
		if !match {
			continue
		}
		switch u.Action {
		case "", "lookup":
		case "goto":
			j := slices.IndexFunc(rules, func(o state.Rule) bool { return o.Priority == u.Goto })
			if j > i {
				i = j - 1
			}
			continue
		case "nop":
			continue
		case "blackhole", "unreachable", "prohibit":
			out.rule, out.typ = u, u.Action
			return out
		default:
			out.doubt = "rule " + ruleText(u) + ": action " + u.Action
			return out
		}
		table := f.tables[fam(is6)][u.Table]
		if len(table) == 0 && out.empty == nil && !isDefaultRule(u) {
			out.empty = u
		}
		r, hops := f.inTable(table, &q, &out)
		if r == nil || suppressed(u, r, hops) {
			continue
		}
		out.route, out.rule, out.typ, out.hops = r, u, r.TypeName(), hops
		return out
	}
	return out
}

func isDefaultRule(u *state.Rule) bool {
	return u.Table == state.LocalTable || u.Table == state.MainTable || u.Table == 253
}

// suppressed reports whether a rule passes over the route that its table gave. Routes that refuse are errors to the rules,
// and those end the search (fib_rules_lookup).
func suppressed(u *state.Rule, r *state.Route, hops []hop) bool {
	if isAction(r.TypeName()) {
		return false
	}
	if u.SuppressPrefix != nil && r.Dst.Bits() <= int(*u.SuppressPrefix) {
		return true
	}
	return u.SuppressGroup != nil && len(hops) > 0 && hops[0].link != nil && hops[0].link.Group == *u.SuppressGroup
}

// inTable finds the best usable route: longest prefix, then tos, then metric; a route whose ways out are all dead is passed
// over. It returns nil for none and for throw.
func (f *fib) inTable(table []*state.Route, q *query, out *routed) (*state.Route, []hop) {
	for _, r := range table {
		if !r.Dst.Contains(q.dst) || r == q.skip {
			continue
		}
		if r.From.Bits() > 0 && (!q.src.IsValid() || !r.From.Contains(q.src)) {
			continue
		}
		if !q.dst.Is6() && r.TOS != 0 && r.TOS&^3 != q.tos&^3 {
			continue
		}
		switch t := r.TypeName(); {
		case t != "throw" && !isAction(t):
		case q.dst.Is6() && q.oif != nil:
			continue // it is on lo, and a bound socket wants its device
		case t == "throw":
			return nil, nil
		default:
			return r, nil
		}
		hops := f.usable(r, q)
		if len(hops) == 0 {
			out.dead = append(out.dead, r)
			continue
		}
		if q.dst.Is6() {
			hops = f.siblings(table, r, q, hops)
		}
		return r, hops
	}
	return nil, nil
}

// siblings adds the ways of further IPv6 routes of the same prefix and metric: they are one multipath route.
func (f *fib) siblings(table []*state.Route, r *state.Route, q *query, hops []hop) []hop {
	if r.NextHopID != 0 || r.TypeName() != "unicast" || !hops[0].via.IsValid() { // rt6_qualify_for_ecmp wants gateways
		return hops
	}
	for _, o := range table {
		if o != r && o.Dst == r.Dst && o.Metric == r.Metric && o.From == r.From && o.TypeName() == "unicast" && o != q.skip && len(o.NextHops) > 0 && o.NextHops[0].Via.IsValid() {
			hops = append(hops, f.usable(o, q)...)
		}
	}
	return hops
}

// Flags of a next hop (linux/rtnetlink.h).
const (
	nhDead     = 1
	nhOnLink   = 4
	nhLinkDown = 16
)

// usable lists a route's ways out that the kernel would take.
func (f *fib) usable(r *state.Route, q *query) []hop {
	nhs := f.nextHops(r)
	out := make([]hop, 0, len(nhs))
	for _, h := range nhs {
		if h.nh.Flags&nhDead != 0 {
			continue
		}
		if h.nh.Flags&nhLinkDown != 0 && !q.linkstateOK && h.link != nil && f.ignoresLinkdown(h.link, q.dst.Is6()) {
			continue
		}
		if q.oif != nil && h.link != nil && h.link != q.oif {
			continue
		}
		out = append(out, h)
	}
	return out
}

func (f *fib) ignoresLinkdown(l *state.Link, is6 bool) bool {
	if is6 {
		return f.r.dev6(l, conf6IgnoreLinkdown, "ignore_routes_with_linkdown") != 0
	}
	return f.r.or4(l, conf4IgnoreLinkdown, "ignore_routes_with_linkdown")
}

// nextHops resolves nexthop objects and names of links.
func (f *fib) nextHops(r *state.Route) []hop {
	if r.NextHopID != 0 {
		return f.object(r.NextHopID, 0)
	}
	out := make([]hop, 0, len(r.NextHops))
	for _, n := range r.NextHops {
		l := f.r.byName[n.Link]
		if l == nil && n.Link != "" {
			continue
		}
		f.r.needPort(l)
		h := hop{via: n.Via, link: l, nh: n}
		if n.Via.Is4() && f.AddrType(n.Via, nil) == "local" {
			// A gateway that was an own address when the route was made is none (rt_set_nexthop wants the scope link); one that
			// became one later is as before. The route alone does not tell which.
			if n.Own != "gateway" {
				out = append(out, hop{link: l, nh: n})
			}
			if n.Own == "link" {
				continue
			}
		}
		out = append(out, h)
	}
	return out
}

func (f *fib) object(id uint32, depth int) []hop {
	for _, o := range f.r.NextHops {
		if o.ID != id {
			continue
		}
		if len(o.Group) > 0 && depth == 0 {
			var out []hop
			for _, m := range o.Group {
				out = append(out, f.object(m.ID, 1)...)
			}
			return out
		}
		l := f.r.byName[o.Link]
		if o.Blackhole || l == nil {
			return nil
		}
		f.r.needPort(l)
		return []hop{{via: o.Via, link: l, id: id, nh: state.NextHop{Via: o.Via, Link: o.Link, Flags: uint8(o.Flags), Encap: o.Encap}}}
	}
	return nil
}

// Lookup implements [filter.FIB].
func (f *fib) Lookup(q filter.FIBQuery) filter.FIBAnswer {
	a := f.lookup(query{dst: q.Dst, src: q.Src, mark: q.Mark, tos: q.TOS, iif: q.IIF, oif: q.OIF, local: q.IIF == nil, linkstateOK: true})
	if a.route == nil {
		return filter.FIBAnswer{Type: a.typ}
	}
	out := filter.FIBAnswer{Type: a.typ, Src: a.route.Src}
	for i, h := range a.hops {
		if h.link == nil {
			continue
		}
		if i == 0 {
			out.Link, out.Via = h.link, h.via
		}
		out.Links = append(out.Links, h.link)
	}
	return out
}

// AddrType implements [filter.FIB] (inet_addr_type: the table local only, else unicast; ipv6_addr_type with the routes of
// this namespace).
func (f *fib) AddrType(a netip.Addr, dev *state.Link) string {
	f.build(a.Is6())
	if a.IsMulticast() {
		return "multicast"
	}
	if a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || a == netip.IPv4Unspecified() {
		return "broadcast"
	}
	table := f.tables[fam(a.Is6())][state.LocalTable]
	for _, r := range table {
		if !r.Dst.Contains(a) {
			continue
		}
		if dev != nil && !slices.ContainsFunc(r.NextHops, func(n state.NextHop) bool { return n.Link == dev.Name }) {
			continue
		}
		return r.TypeName()
	}
	return "unicast"
}

// SourceFor implements [filter.FIB].
func (f *fib) SourceFor(dev *state.Link, dst netip.Addr) (netip.Addr, bool) {
	var a netip.Addr
	if dst.Is6() {
		a = f.r.source6(dst, dev)
	} else {
		a = f.r.source4(dev, dst, scopeUniverse)
	}
	return a, a.IsValid()
}
