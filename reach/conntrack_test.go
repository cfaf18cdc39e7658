package reach_test

import (
	"net/netip"
	"testing"

	"warren/reach"
	"warren/reach/filter"
	"warren/state"
)

// TestFullConntrack: a table that holds as many connections as it may takes a new one only by luck; where nothing tracks, or
// there is room, it does not matter.
func TestFullConntrack(t *testing.T) {
	to := netip.MustParseAddr("10.0.2.2")
	full := func(most string) *state.Snapshot {
		s := r3(state.CTState("new")[0], state.Expr{Verdict: &state.Verdict{Kind: "accept"}}, state.CTState("established")[0], state.Expr{Verdict: &state.Verdict{Kind: "accept"}})
		r := s.Namespace("r")
		r.Sysctls = []state.Sysctl{{Key: "net/netfilter/nf_conntrack_max", Value: most}}
		ct := state.ConnTuple{Src: netip.MustParseAddr("10.9.0.1"), Dst: to, SPort: 4000, DPort: 53}
		r.Conntrack = []state.Conn{{Proto: filter.UDP, Original: ct, Reply: state.ConnTuple{Src: to, Dst: ct.Src, SPort: 53, DPort: 4000}, Status: 1<<3 | 1<<1}}
		return s
	}
	for _, c := range []struct{ most, object string }{{"1", "sysctl net.netfilter.nf_conntrack_max"}, {"2", ""}, {"0", ""}} {
		v, m := reach.Trace(full(c.most), reach.Flow{Source: "a", Dst: to})
		if !m.Empty() {
			t.Fatalf("missing %+v", m)
		}
		judge(t, v, c.object)
	}
}
