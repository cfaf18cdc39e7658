package reach_test

import (
	"net/netip"
	"testing"

	"warren/reach"
	"warren/state"
)

func mac(n byte) state.MAC { return state.MAC{2, 0, 0, 0, 0, n} }

func loLink() state.Link { return state.Link{Name: "lo", Index: 1, Up: true, Flags: 0x9, MTU: 65536} }

func p2() *state.Snapshot {
	a := state.Namespace{Name: "a", Contents: state.Contents{
		Links: []state.Link{loLink(), {Name: "va", Kind: "veth", Index: 2, Up: true, MTU: 1500, MAC: mac(1), Peer: &state.Peer{NS: "b", Name: "vb", Index: 2}}},
		Addrs: []state.Addr{{Link: "va", Prefix: netip.MustParsePrefix("10.0.0.1/24")}},
	}}
	b := state.Namespace{Name: "b", Contents: state.Contents{
		Links: []state.Link{loLink(), {Name: "vb", Kind: "veth", Index: 2, Up: true, MTU: 1500, MAC: mac(2), Peer: &state.Peer{NS: "a", Name: "va", Index: 2}}},
		Addrs: []state.Addr{{Link: "vb", Prefix: netip.MustParsePrefix("10.0.0.2/24")}},
	}}
	return &state.Snapshot{Namespaces: []state.Namespace{a, b}}
}

func TestTraceP2(t *testing.T) {
	s := p2()
	v, m := reach.Trace(s, reach.Flow{Source: "a", Dst: netip.MustParseAddr("10.0.0.2")})
	if !m.Empty() || v.Reachable != reach.Yes {
		t.Fatalf("missing %v, verdict %+v", m, v)
	}
	s.Namespaces[1].Links[1].Up = false
	v, _ = reach.Trace(s, reach.Flow{Source: "a", Dst: netip.MustParseAddr("10.0.0.2")})
	if v.Reachable != reach.No || v.Reason.Code != reach.PeerDown || v.Reason.Namespace != "b" {
		t.Fatalf("verdict %+v", v.Reason)
	}
}
