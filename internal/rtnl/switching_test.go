package rtnl_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"warren/internal/rtnl"
	"warren/state"
)

// TestSwitchingRoundTrip: next hop objects, multicast groups, VLANs, queueing disciplines and XDP decode to what was encoded.
func TestSwitchingRoundTrip(t *testing.T) {
	var names rtnl.NameTable
	names.Set(1, "lo")
	names.Set(7, "br0")
	names.Set(8, "p0")
	values := cmpopts.EquateComparable(netip.Addr{})
	same := func(what string, want, got any, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got, values); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	for _, want := range []state.NextHopObject{
		{ID: 1, Via: netip.MustParseAddr("10.0.0.2"), Link: "br0", Scope: 253, Protocol: 4},
		{ID: 2, Blackhole: true},
		{ID: 3, Via: netip.MustParseAddr("fd00::2"), Link: "p0", Flags: 4, Encap: 1},
		{ID: 4, FDB: true, Via: netip.MustParseAddr("192.0.2.1")},
		{ID: 10, Group: []state.NextHopMember{{ID: 1, Weight: 5}, {ID: 3, Weight: 300}}, GroupType: "resilient"},
	} {
		b, err := rtnl.EncodeNextHop(want, &names)
		if err != nil {
			t.Fatal(err)
		}
		got, err := rtnl.DecodeNextHop(b, &names)
		same("next hop", want, got, err)
	}
	groups := []state.MDBEntry{
		{Bridge: "br0", Port: "p0", Group: netip.MustParseAddr("239.1.1.1"), State: "permanent", Flags: 2, VLAN: 10, Source: netip.MustParseAddr("10.0.0.9")},
		{Bridge: "br0", Port: "br0", Group: netip.MustParseAddr("ff02::6a"), State: "temp"},
		{Bridge: "br0", Port: "p0", MAC: state.MAC{1, 0, 0x5e, 1, 2, 3}, State: "permanent"},
		{Bridge: "br0", Port: "p0", Router: true, VLAN: 4},
	}
	b, err := rtnl.EncodeMDB("br0", groups, &names)
	if err != nil {
		t.Fatal(err)
	}
	got, err := rtnl.DecodeMDB(b, &names)
	same("groups", groups, got, err)
	vlans := []state.PortVLAN{{Link: "p0", First: 1, PVID: true, Untagged: true, State: 3}, {Link: "p0", First: 10, Last: 20, State: 3}}
	if b, err = rtnl.EncodeVLAN("p0", vlans, &names); err != nil {
		t.Fatal(err)
	}
	gotVLANs, err := rtnl.DecodeVLAN(b, &names)
	same("VLANs", vlans, gotVLANs, err)
	qdisc := state.Qdisc{Link: "p0", Kind: "htb", Handle: 0x10000, Parent: 0xffffffff, Stats: &state.Stats{TxBytes: 9, TxPackets: 3, TxDropped: 2}}
	if b, err = rtnl.EncodeQdisc(qdisc, &names); err != nil {
		t.Fatal(err)
	}
	gotQdisc, err := rtnl.DecodeQdisc(b, &names)
	same("queueing discipline", qdisc, gotQdisc, err)
	if b, err = rtnl.EncodeLink(state.Link{Name: "p0", Index: 8, XDP: "generic"}, &names); err != nil {
		t.Fatal(err)
	}
	link, err := rtnl.DecodeLink(b, &names)
	same("XDP", "generic", link.XDP, err)
}

// FuzzSwitching: a message that decodes, encodes and decodes to the same.
func FuzzSwitching(f *testing.F) {
	var names rtnl.NameTable
	f.Add(make([]byte, 8))
	if b, err := rtnl.EncodeNextHop(state.NextHopObject{ID: 1, Group: []state.NextHopMember{{ID: 2, Weight: 3}}}, &names); err == nil {
		f.Add(b)
	}
	if b, err := rtnl.EncodeMDB("if7", []state.MDBEntry{{Port: "if8", Group: netip.MustParseAddr("239.1.1.1"), State: "temp"}}, &names); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := rtnl.DecodeNextHop(b, &names); err == nil && (n.Group == nil || n.Group[0].Weight > 0) {
			again, err := rtnl.EncodeNextHop(n, &names)
			if err != nil {
				return
			}
			if got, err := rtnl.DecodeNextHop(again, &names); err != nil || got.ID != n.ID || len(got.Group) != len(n.Group) || got.Link != n.Link {
				t.Errorf("%+v, again %+v, %v", n, got, err)
			}
		}
		if list, err := rtnl.DecodeMDB(b, &names); err == nil && len(list) > 0 {
			again, err := rtnl.EncodeMDB(list[0].Bridge, list, &names)
			if err != nil {
				return
			}
			if got, err := rtnl.DecodeMDB(again, &names); err != nil || len(got) != len(list) {
				t.Errorf("%+v, again %+v, %v", list, got, err)
			}
		}
	})
}
