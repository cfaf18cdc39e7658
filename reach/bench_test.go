package reach_test

import (
	"fmt"
	"net/netip"
	"testing"

	"warren/reach"
	"warren/state"
)

// chain is a row of routers, n hops from end to end.
func chain(n int) *state.Snapshot {
	s := &state.Snapshot{}
	for i := range n + 1 {
		ns := state.Namespace{Name: fmt.Sprintf("n%03d", i)}
		ns.Links = []state.Link{loLink()}
		conf := make([]int32, 33)
		conf[0] = 1
		if i > 0 {
			ns.Links = append(ns.Links, state.Link{
				Name: "l", Kind: "veth", Index: 2, Up: true, MTU: 1500, IPv4: conf, MAC: state.MAC{2, 1, byte(i)},
				Peer: &state.Peer{NS: fmt.Sprintf("n%03d", i-1), Name: "r", Index: 3},
			})
			ns.Addrs = append(ns.Addrs, state.Addr{Link: "l", Prefix: netip.MustParsePrefix(fmt.Sprintf("10.0.%d.2/24", i))})
			ns.Routes = append(ns.Routes, state.Route{
				Dst: netip.MustParsePrefix("10.0.0.0/16"), Metric: 9,
				NextHops: []state.NextHop{{Via: netip.MustParseAddr(fmt.Sprintf("10.0.%d.1", i)), Link: "l"}},
			})
		}
		if i < n {
			ns.Links = append(ns.Links, state.Link{
				Name: "r", Kind: "veth", Index: 3, Up: true, MTU: 1500, IPv4: conf, MAC: state.MAC{2, 2, byte(i)},
				Peer: &state.Peer{NS: fmt.Sprintf("n%03d", i+1), Name: "l", Index: 2},
			})
			ns.Addrs = append(ns.Addrs, state.Addr{Link: "r", Prefix: netip.MustParsePrefix(fmt.Sprintf("10.0.%d.1/24", i+1))})
			ns.Routes = append(ns.Routes, state.Route{
				Dst: netip.MustParsePrefix(fmt.Sprintf("10.0.%d.0/24", n)), Metric: 8,
				NextHops: []state.NextHop{{Via: netip.MustParseAddr(fmt.Sprintf("10.0.%d.2", i+1)), Link: "r"}},
			})
		}
		s.Namespaces = append(s.Namespaces, ns)
	}
	return s
}

// BenchmarkHop is the pure walk, request and reply, over ten hops; the time of one hop of one way is reported.
func BenchmarkHop(b *testing.B) {
	const hops = 10
	s := chain(hops)
	f := reach.Flow{Source: "n000", Dst: netip.MustParseAddr("10.0.10.2")}
	b.ReportAllocs()
	for b.Loop() {
		if v, m := reach.Trace(s, f); v.Reachable != reach.Yes {
			b.Fatalf("%+v %+v", m, v.Reason)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/(2*hops), "µs/hop")
}
