package kernel

import (
	"net/netip"
	"slices"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// ownGateways finds out of IPv4 routes by a gateway that is an own address whether that counts. A gateway that was one when the route was
// made has the scope host, and packets are for the link (fib_check_nh, rt_set_nexthop); no dump tells of it, but the kernel's
// decision for an address does. Routes with several ways, or that the sample does not come to, stay as they are.
func ownGateways(conn *nl.Conn, c *state.Contents, names rtnl.Names) {
	for i := range c.Routes {
		r := &c.Routes[i]
		if len(r.NextHops) != 1 || r.NextHopID != 0 || !r.NextHops[0].Via.Is4() || r.TypeName() != "unicast" {
			continue
		}
		hop := &r.NextHops[0]
		if !slices.ContainsFunc(c.Addrs, func(a state.Addr) bool { return a.Prefix.Addr() == hop.Via }) {
			continue
		}
		sample := r.Dst.Addr()
		if r.Dst.Bits() == 0 {
			sample = netip.AddrFrom4([4]byte{198, 51, 100, 1}) // of TEST-NET-2 (RFC 5737), for all that only a default route leads to
		}
		route, ok := routeFor(conn, rtnl.MatchRoute(sample), names)
		if !ok || route.Dst != r.Dst || route.Table != r.Table || route.Metric != r.Metric || route.TOS != r.TOS {
			continue
		}
		way, ok := routeFor(conn, rtnl.GetRoute(state.RouteTo{Dst: sample}), names)
		switch {
		case !ok || len(way.NextHops) != 1 || way.NextHops[0].Link != hop.Link:
		case way.NextHops[0].Via == hop.Via:
			hop.Own = "gateway"
		case !way.NextHops[0].Via.IsValid():
			hop.Own = "link"
		}
	}
}

func routeFor(conn *nl.Conn, req nl.Request, names rtnl.Names) (state.Route, bool) {
	answer := conn.Query([]nl.Request{req})[0]
	if answer.Err != nil || len(answer.Messages) != 1 {
		return state.Route{}, false
	}
	r, err := rtnl.DecodeRoute(answer.Messages[0].Data, names)
	return r, err == nil
}
