package reach_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/reach"
	"warren/state"
)

// TestThin: what was left out of a namespace is asked for where it matters, one thing after the other, and never taken for what it is not.
func TestThin(t *testing.T) {
	skimmed := func() *state.Snapshot {
		s := b2()
		sw := s.Namespace("s")
		sw.Skim = &state.Skim{OnlyIPv4: true}
		pb := sw.Link("pb")
		*pb = state.Link{Name: pb.Name, Index: pb.Index, Up: true, MAC: pb.MAC, Master: pb.Master, Thin: true}
		return s
	}
	flow := func(dst string) reach.Flow { return reach.Flow{Source: "a", Dst: netip.MustParseAddr(dst)} }
	missing := func(s *state.Snapshot, dst string) reach.Missing {
		t.Helper()
		_, m := reach.Trace(s, flow(dst))
		return m
	}
	s := skimmed()
	sw := s.Namespace("s")
	if diff := cmp.Diff([]state.Closer{{NS: "s", Ports: []int{4}}}, missing(s, "10.0.0.2").Closer); diff != "" {
		t.Errorf("the port is asked for (-want +got):\n%s", diff)
	}
	*sw.Link("pb") = *b2().Namespace("s").Link("pb")
	// The answer to a's question goes to a, its packet to b.
	stations := []state.Station{{Bridge: "br0", MAC: mac(1)}, {Bridge: "br0", MAC: mac(2)}}
	if diff := cmp.Diff([]state.Closer{{NS: "s", Stations: stations}}, missing(s, "10.0.0.2").Closer); diff != "" {
		t.Errorf("stations are asked for (-want +got):\n%s", diff)
	}
	sw.Skim.Stations = stations
	if v, m := reach.Trace(s, flow("10.0.0.2")); !m.Empty() || v.Reachable != reach.Yes {
		t.Errorf("with all that: %s, missing %+v", v.Reachable, m)
	}
	sw.FDB = []state.FDBEntry{{Link: "pa", Master: "br0", MAC: mac(2), State: "static", Flags: 64}}
	if v, m := reach.Trace(s, flow("10.0.0.2")); !m.Empty() || v.Reason == nil || v.Reason.Code != reach.StaleFDB {
		t.Errorf("pinned elsewhere: %+v, missing %+v", v.Reason, m)
	}
	sw.FDB = nil
	if diff := cmp.Diff([]string{"s"}, missing(s, "fd00::2").Whole); diff != "" {
		t.Errorf("IPv6 is asked for (-want +got):\n%s", diff)
	}
	last := flow("10.0.0.2")
	last.Complete = true
	if v, _ := reach.Trace(skimmed(), last); v.Reachable != reach.Unknown || len(v.Unknowns) == 0 || v.Unknowns[0].Object != "link pb" {
		t.Errorf("with no more to get: %s %+v", v.Reachable, v.Unknowns)
	}
}

// TestThinAmongMany: behind thin ports of a wide bridge everybody is asked who has the address, and when nobody has it who else may answer for it.
func TestThinAmongMany(t *testing.T) {
	s := b2()
	sw := s.Namespace("s")
	sw.Skim = &state.Skim{}
	for i := range 20 {
		sw.Links = append(sw.Links, state.Link{Name: "x" + string(rune('a'+i)), Index: 30 + i, Up: true, MAC: mac(byte(100 + i)), Master: "br0", Thin: true})
		sw.NSIDs = append(sw.NSIDs, state.NSID{ID: i})
	}
	f := reach.Flow{Source: "a", Dst: netip.MustParseAddr("10.0.0.9")}
	_, m := reach.Trace(s, f)
	if len(m.Asks) != 1 || len(m.Asks[0].IDs) != 20 || m.Asks[0].Addr != f.Dst || len(m.Whole) != 0 {
		t.Fatalf("%+v", m)
	}
	f.Asked = m.Asks
	if _, m = reach.Trace(s, f); len(m.Asks) != 1 || !m.Asks[0].Proxies || len(m.Asks[0].IDs) != 20 || len(m.Whole) != 0 {
		t.Fatalf("nobody has it: %+v", m)
	}
	f.Asked = append(f.Asked, m.Asks...)
	if _, m = reach.Trace(s, f); len(m.Asks)+len(m.Beyond)+len(m.Whole) != 0 || !m.Everywhere {
		t.Errorf("nobody answers for it: %+v", m)
	}
	f.Complete = true
	if v, m := reach.Trace(s, f); v.Reachable != reach.No || v.Reason.Code != reach.NeighbourFailed || !m.Empty() {
		t.Errorf("with no more to get: %s %+v, missing %+v", v.Reachable, v.Unknowns, m)
	}
	f.Asked = nil
	if v, _ := reach.Trace(s, f); v.Reachable != reach.Unknown {
		t.Errorf("nobody can be asked: %s %+v", v.Reachable, v.Reason)
	}
}
