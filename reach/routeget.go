package reach

import (
	"fmt"
	"net/netip"

	"warren/state"
)

// A RouteQuery is what a routing decision looks at, as ip-route(8) get takes it.
type RouteQuery struct {
	Dst netip.Addr // required
	Src netip.Addr // zero = not chosen yet; required with IIF
	// IIF is the link that the packet came in by; "" = it is the namespace's own.
	IIF          string
	OIF          string // the link that it must leave by; "" = any
	Mark         uint32
	TOS          uint8
	Proto        uint8 // IPPROTO_*
	SPort, DPort uint16
	UID          uint32
}

// A RouteAnswer is where a packet would be sent.
type RouteAnswer struct {
	// Type is the route's ("unicast", "local", "blackhole", ...), or the action of a rule; "" = there is none.
	Type  string
	Table uint32 // of the route; 0 = of a rule's action, or of none
	Route *state.Route
	// Ways are the ways out that the kernel may choose from: links, and gateways where there are any.
	Ways []state.NextHop
	// Doubt says why it cannot be told; "" = it can.
	Doubt string
}

// Route decides as the routing of one namespace would (RTM_GETROUTE): rules, tables, and usable ways out. It looks neither at
// forwarding nor at source validation.
func Route(ns *state.Namespace, q RouteQuery) (RouteAnswer, error) {
	r := newRoom(ns, false)
	in, out := r.byName[q.IIF], r.byName[q.OIF]
	if q.IIF != "" && in == nil || q.OIF != "" && out == nil {
		return RouteAnswer{}, fmt.Errorf("route to %s: links %q and %q: no such link in %q", q.Dst, q.IIF, q.OIF, r.name())
	}
	a := r.fib.lookup(query{
		dst: q.Dst, src: q.Src, iif: in, oif: out, local: in == nil, mark: q.Mark, tos: q.TOS, proto: q.Proto, sport: q.SPort, dport: q.DPort, uid: q.UID,
	})
	answer := RouteAnswer{Type: a.typ, Route: a.route, Doubt: a.doubt}
	if a.route != nil {
		answer.Table = a.route.TableID()
	}
	hops := a.hops
	if !q.Dst.Is6() && a.route != nil && a.route.Dst.Bits() == 0 && a.typ == "unicast" && len(hops) == 1 {
		hops = r.fib.equalDefaults(&a, &query{dst: q.Dst, oif: out})
	}
	for _, h := range hops {
		n := state.NextHop{Via: h.via}
		if h.link != nil {
			n.Link = h.link.Name
		}
		answer.Ways = append(answer.Ways, n)
	}
	return answer, nil
}
