package reach_test

import (
	"net/netip"
	"testing"

	"warren/reach"
	"warren/state"
)

// b2 is a bridge in s with the ports pa and pb, to a (10.0.0.1, fd00::1) and b (10.0.0.2, fd00::2); s has 10.0.0.254 on it.
func b2() *state.Snapshot {
	end := func(key, dev, port string, index int, n byte) state.Namespace {
		return state.Namespace{Name: key, Contents: state.Contents{
			Links: []state.Link{loLink(), {Name: dev, Kind: "veth", Index: 2, Up: true, MTU: 1500, MAC: mac(n), Peer: &state.Peer{NS: "s", Name: port, Index: index}}},
			Addrs: []state.Addr{
				{Link: dev, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), 24)},
				{Link: dev, Prefix: netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfd, 15: n}), 64)},
				{Link: dev, Prefix: netip.PrefixFrom(netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 15: n}), 64), Scope: 253},
			},
		}}
	}
	port := func(name, ns, dev string, index int, n byte) state.Link {
		return state.Link{Name: name, Kind: "veth", Index: index, Up: true, MTU: 1500, MAC: mac(n), Master: "br0", Port: &state.BridgePort{}, Peer: &state.Peer{NS: ns, Name: dev, Index: 2}}
	}
	off := false
	s := state.Namespace{Name: "s", Contents: state.Contents{
		Links: []state.Link{
			loLink(),
			{Name: "br0", Kind: "bridge", Index: 2, Up: true, MTU: 1500, MAC: mac(10), Bridge: &state.Bridge{NFCallIP: &off, NFCallIP6: &off, NFCallARP: &off}},
			port("pa", "a", "va", 3, 11), port("pb", "b", "vb", 4, 12),
		},
		Addrs: []state.Addr{{Link: "br0", Prefix: netip.MustParsePrefix("10.0.0.254/24")}},
	}}
	return &state.Snapshot{Namespaces: []state.Namespace{end("a", "va", "pa", 3, 1), end("b", "vb", "pb", 4, 2), s}}
}

// vlanDevice puts a vlan device on a link and moves the IPv4 address to it.
func vlanDevice(ns *state.Namespace, lower string, id uint16, prefix string) {
	l := ns.Link(lower)
	ns.Links = append(ns.Links, state.Link{
		Name: lower + ".tag", Kind: "vlan", Index: 20, Up: true, MTU: 1500, MAC: l.MAC, VLAN: &state.VLAN{ID: id},
		Lower: &state.Peer{NS: ns.Name, Name: lower, Index: l.Index, NSID: -1},
	})
	ns.Addrs = []state.Addr{{Link: lower + ".tag", Prefix: netip.MustParsePrefix(prefix)}}
}

// TestSwitching holds what a bridge does, for kernels that cannot show it: VLANs, locked ports, multicast snooping.
func TestSwitching(t *testing.T) {
	yes := true
	filtering := func(s *state.Snapshot, vlans ...state.PortVLAN) {
		sw := s.Namespace("s")
		sw.Link("br0").Bridge.VLANFiltering = &yes
		sw.VLANs = vlans
	}
	member := func(link string, id uint16) state.PortVLAN {
		return state.PortVLAN{Link: link, First: id, PVID: true, Untagged: true}
	}
	tagged := func(link string, first, last uint16) state.PortVLAN {
		return state.PortVLAN{Link: link, First: first, Last: last}
	}
	querier := func(s *state.Snapshot, list ...state.MDBEntry) {
		sw := s.Namespace("s")
		sw.Link("br0").Bridge.MulticastSnoop, sw.Link("br0").Bridge.MulticastQuerier = &yes, &yes
		sw.MDB = list
	}
	group := func(port string) state.MDBEntry {
		return state.MDBEntry{Bridge: "br0", Port: port, Group: netip.MustParseAddr("ff02::1:ff00:2")}
	}
	for _, c := range []struct {
		name, dst, want string
		build           func(s *state.Snapshot)
	}{
		{"plain", "10.0.0.2", "yes", func(*state.Snapshot) {}},
		{"plain-v6", "fd00::2", "yes", func(*state.Snapshot) {}},
		{"vlan-same", "10.0.0.2", "yes", func(s *state.Snapshot) { filtering(s, member("pa", 1), member("pb", 1), member("br0", 1)) }},
		{"vlan-no-pvid", "10.0.0.2", "s vlan-no-pvid", func(s *state.Snapshot) { filtering(s, tagged("pa", 1, 0), member("pb", 1), member("br0", 1)) }},
		{"vlan-mismatch", "10.0.0.2", "s vlan-mismatch", func(s *state.Snapshot) { filtering(s, member("pa", 1), member("pb", 20), member("br0", 1)) }},
		{"vlan-bridge-is-not-in-it", "10.0.0.254", "s vlan-mismatch", func(s *state.Snapshot) { filtering(s, member("pa", 20), member("pb", 20), member("br0", 1)) }},
		{"vlan-off-is-not-looked-at", "10.0.0.2", "yes", func(s *state.Snapshot) {
			filtering(s, member("pa", 1), member("pb", 20))
			s.Namespace("s").Link("br0").Bridge.VLANFiltering = nil
		}},
		{"vlan-trunk", "10.0.0.2", "yes", func(s *state.Snapshot) {
			filtering(s, tagged("pa", 10, 30), member("pb", 20))
			vlanDevice(s.Namespace("a"), "va", 20, "10.0.0.1/24")
		}},
		{"vlan-trunk-without-it", "10.0.0.2", "s vlan-mismatch", func(s *state.Snapshot) {
			filtering(s, tagged("pa", 10, 19), member("pb", 20))
			vlanDevice(s.Namespace("a"), "va", 20, "10.0.0.1/24")
		}},
		{"vlan-devices", "10.0.0.2", "yes", func(s *state.Snapshot) {
			vlanDevice(s.Namespace("a"), "va", 20, "10.0.0.1/24")
			vlanDevice(s.Namespace("b"), "vb", 20, "10.0.0.2/24")
		}},
		{"vlan-devices-differ", "10.0.0.2", "b vlan-mismatch", func(s *state.Snapshot) {
			vlanDevice(s.Namespace("a"), "va", 20, "10.0.0.1/24")
			vlanDevice(s.Namespace("b"), "vb", 30, "10.0.0.2/24")
		}},
		{"vlan-only-here", "10.0.0.2", "b vlan-mismatch", func(s *state.Snapshot) { vlanDevice(s.Namespace("a"), "va", 20, "10.0.0.1/24") }},
		{"vlan-parent-down", "10.0.0.2", "a parent-down", func(s *state.Snapshot) {
			vlanDevice(s.Namespace("a"), "va", 20, "10.0.0.1/24")
			vlanDevice(s.Namespace("b"), "vb", 20, "10.0.0.2/24")
			s.Namespace("a").Link("va").Up = false
		}},
		{"locked", "10.0.0.2", "s port-locked", func(s *state.Snapshot) { s.Namespace("s").Link("pa").Port.Locked = &yes }},
		{"locked-but-known", "10.0.0.2", "yes", func(s *state.Snapshot) {
			s.Namespace("s").Link("pa").Port.Locked = &yes
			s.Namespace("s").FDB = []state.FDBEntry{{Link: "pa", Master: "br0", MAC: mac(1), State: "static"}}
		}},
		{"locked-other-side", "10.0.0.2", "s port-locked", func(s *state.Snapshot) { s.Namespace("s").Link("pb").Port.Locked = &yes }},
		{"snooping-without-querier", "fd00::2", "yes", func(s *state.Snapshot) { s.Namespace("s").Link("br0").Bridge.MulticastSnoop = &yes }},
		{"snooping-no-member", "fd00::2", "s mdb-snooping", func(s *state.Snapshot) { querier(s) }},
		{"snooping-other-member", "fd00::2", "s mdb-snooping", func(s *state.Snapshot) { querier(s, group("pa")) }},
		{"snooping-member", "fd00::2", "yes", func(s *state.Snapshot) { querier(s, group("pb")) }},
		{"snooping-router-port", "fd00::2", "yes", func(s *state.Snapshot) { querier(s, state.MDBEntry{Bridge: "br0", Port: "pb", Router: true}) }},
		{"snooping-is-not-for-arp", "10.0.0.2", "yes", func(s *state.Snapshot) { querier(s) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := b2()
			c.build(s)
			v, m := reach.Trace(s, reach.Flow{Source: "a", Dst: netip.MustParseAddr(c.dst), Complete: true})
			if !m.Empty() {
				t.Fatalf("missing %+v", m)
			}
			got := v.Reachable
			if v.Reason != nil {
				got = v.Reason.Namespace + " " + string(v.Reason.Code)
			}
			if got != c.want {
				t.Errorf("got %s, want %s: %+v %+v", got, c.want, v.Reason, v.Unknowns)
			}
		})
	}
}
