package draw_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"warren/draw"
	"warren/internal/xt"
	"warren/state"
)

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// full has something of everything that a page shows.
func full() *state.Snapshot {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	forwarding, five := uint8(3), uint32(0)
	n := state.Namespace{
		Name: "web", Names: []string{"web", "www"}, Paths: []string{"/run/netns/web"}, Cookie: 71, Inode: 4026532200,
		Created: at.Add(-26 * time.Hour), Owner: &state.Owner{Kind: "docker", Name: "web", ID: "4f2a6e00c0ffee4f2a6e", Evidence: "control group /docker/4f2a"},
		NSIDs:     []state.NSID{{ID: 0, NS: "host"}, {ID: 3}},
		Processes: []state.Process{{PID: 4711, InnerPID: 1, User: "www-data", Command: "nginx: master process"}, {PID: 4712, UID: 33, Command: "nginx: worker"}},
		Holders:   []state.Holder{{Kind: "process", PID: 4711}, {Kind: "process", PID: 4712}, {Kind: "mount", Path: "/run/netns/web"}, {Kind: "file", PID: 9, FD: 3, Command: "/usr/bin/holder -x"}},
	}
	n.Links = []state.Link{
		{Name: "lo", Index: 1, Up: true, MTU: 65536, OperState: "UNKNOWN", Stats: &state.Stats{RxBytes: 999, RxPackets: 1, TxBytes: 999, TxPackets: 1}},
		{
			Name: "eth0", Index: 2, Kind: "veth", Up: true, MTU: 1500, OperState: "UP", MAC: state.MAC{2, 0x42, 0xac, 0x11, 0, 2},
			Peer: &state.Peer{NS: "host", Name: "veth1a2b", NSID: 0}, Stats: &state.Stats{RxBytes: 1234567, RxPackets: 1500, TxBytes: 98765432100, TxPackets: 70000000, TxDropped: 3},
		},
		{Name: "eth1", Index: 3, Kind: "veth", Up: true, MTU: 9000, OperState: "LOWERLAYERDOWN", Peer: &state.Peer{Index: 9, NSID: 3}},
		{Name: "br0", Index: 4, Kind: "bridge", MTU: 1500, AltNames: []string{"inner"}, Alias: "a \"quoted\" one"},
		{Name: "p1", Index: 5, Kind: "veth", Up: true, MTU: 1500, Master: "br0", Port: &state.BridgePort{State: &forwarding}, Peer: &state.Peer{Name: "p2", NSID: -1}, XDP: "generic"},
		{Name: "mv0", Index: 6, Kind: "macvlan", MTU: 1500, Lower: &state.Peer{NS: "host", Name: "eth0", NSID: 0}, MACVLAN: &state.MACVLAN{Mode: "bridge"}},
	}
	n.Addrs = []state.Addr{
		{Link: "lo", Prefix: prefix("127.0.0.1/8"), Scope: 254},
		{Link: "eth0", Prefix: prefix("172.17.0.2/16")},
		{Link: "eth0", Prefix: prefix("fe80::2/64"), Scope: 253, Flags: state.AddrTentative},
	}
	n.Routes = []state.Route{
		{Dst: prefix("0.0.0.0/0"), NextHops: []state.NextHop{{Via: netip.MustParseAddr("172.17.0.1"), Link: "eth0"}}},
		{Dst: prefix("10.0.0.0/8"), Table: 77, Type: "blackhole", Metric: 5},
		{Dst: prefix("::/0"), Protocol: 9, NextHops: []state.NextHop{{Via: netip.MustParseAddr("fe80::1"), Link: "eth0", Weight: 2}, {Link: "eth1", Flags: 16}}},
		{Dst: prefix("172.17.0.2/32"), Table: state.LocalTable, Type: "local", NextHops: []state.NextHop{{Link: "eth0"}}},
	}
	n.NextHops = []state.NextHopObject{{ID: 7, Link: "eth0"}, {ID: 8, Group: []state.NextHopMember{{ID: 7, Weight: 1}}}}
	n.Rules = []state.Rule{
		{Priority: 0, Table: state.LocalTable},
		{Priority: 100, From: prefix("10.1.0.0/16"), Mark: 5, MarkMask: 0xff, IIF: "eth0", IPProto: 6, DPort: [2]uint16{80, 90}, Table: 77, SuppressPrefix: &five},
		{IPv6: true, Priority: 32766},
	}
	n.Neighbors = []state.Neighbor{{Link: "eth0", IP: netip.MustParseAddr("172.17.0.1"), MAC: state.MAC{2, 0x42, 1, 2, 3, 4}, State: "reachable"}}
	n.FDB = []state.FDBEntry{{Link: "p1", Master: "br0", MAC: state.MAC{2, 0, 0, 0, 0, 9}, State: "static", VLAN: 7}}
	n.Tables = []state.Table{{Family: "inet", Name: "filter"}}
	n.XTables = []state.XTable{legacy()}
	n.Sockets = []state.Socket{
		{Protocol: "tcp", State: "LISTEN", Local: netip.MustParseAddrPort("[::]:80"), IPv6: true, Process: &state.Process{PID: 4711, Command: "nginx"}},
		{Protocol: "udp", State: "UNCONN", Local: netip.MustParseAddrPort("127.0.0.1:53"), UID: 33},
		{Protocol: "tcp", State: "ESTAB", Local: netip.MustParseAddrPort("172.17.0.2:80"), Remote: netip.MustParseAddrPort("172.17.0.1:5000")},
		{Protocol: "unix", State: "LISTEN", Path: "/run/x"},
	}
	n.Conntrack = []state.Conn{{
		Proto: 6, TCPState: "ESTABLISHED", Status: 2 | 4 | 32, Mark: 1,
		Original: state.ConnTuple{Src: netip.MustParseAddr("10.9.9.9"), Dst: netip.MustParseAddr("192.0.2.1"), SPort: 4000, DPort: 8080},
		Reply:    state.ConnTuple{Src: netip.MustParseAddr("172.17.0.2"), Dst: netip.MustParseAddr("10.9.9.9"), SPort: 80, DPort: 4000},
	}}
	n.Sysctls = []state.Sysctl{{Key: "net/ipv4/ip_forward", Value: "0"}, {Key: "net/ipv4/conf/all/rp_filter", Value: "2"}, {Key: "net/ipv4/ip_default_ttl", Value: "64"}}
	return &state.Snapshot{Time: at, Namespaces: []state.Namespace{n}, Unread: []state.Unread{{NS: "web", Object: "conntrack", Reason: "permission denied"}, {NS: "other", Object: "x"}}}
}

func legacy() state.XTable {
	comment := "it's a \"comment\""
	v4 := func(s string) netip.Addr { return netip.MustParseAddr(s) }
	rule := func(t state.XTTarget, m ...state.XTMatch) state.XRule { return state.XRule{Target: t, Matches: m} }
	return state.XTable{Name: "filter", Chains: []state.XChain{
		{Name: "INPUT", Policy: "DROP", Rules: []state.XRule{
			{
				Src: state.XPrefix{Addr: v4("10.0.0.0"), Mask: v4("255.0.0.0"), Inverted: true}, In: "eth0", Proto: 6, HasProto: true,
				Matches: []state.XTMatch{{Name: "tcp", Ports: &state.XTPorts{Src: [2]uint16{0, 65535}, Dst: [2]uint16{22, 23}, FlagsMask: 0x17, Flags: 2}}},
				Target:  state.XTTarget{Verdict: "ACCEPT"},
			},
			rule(state.XTTarget{Verdict: "jump", Chain: "mine"}, state.XTMatch{Name: "conntrack", Conntrack: &state.XTConntrack{Match: 1, Invert: 1, States: []string{"RELATED", "ESTABLISHED"}}},
				state.XTMatch{Name: "comment", Comment: &comment}),
			rule(state.XTTarget{Name: "REJECT", Reject: "icmp port-unreachable"}, state.XTMatch{Name: "addrtype", AddrType: &state.XTAddrType{Dst: 4}},
				state.XTMatch{Name: "strange", Data: []byte{1, 2}}),
			rule(state.XTTarget{Name: "DNAT", NAT: &state.XTNAT{Addr: v4("172.17.0.2"), Port: 80, PortMax: 81}}),
			rule(state.XTTarget{Name: "MASQUERADE", NAT: &state.XTNAT{}}, state.XTMatch{Name: "multiport", Multiport: &state.XTMultiport{Which: "destination", Ranges: [][2]uint16{{80, 80}, {443, 450}}}}),
			rule(state.XTTarget{Name: "MARK", SetMark: &state.XTMark{Value: 1, Mask: 0xff}}),
			rule(state.XTTarget{}),
		}},
		{Name: "mine", Rules: []state.XRule{rule(state.XTTarget{Verdict: "RETURN"})}},
	}}
}

func TestPage(t *testing.T) {
	o := draw.PageOptions{Firewall: func(t state.Table) string { return "table " + t.Key() + " {\n\tchain x {\n\t}\n}\n" }, LegacyFirewall: xt.Save}
	golden(t, "page.txt", draw.Page(full(), "web", o))
	if got := draw.Page(full(), "nobody", o); got != "" {
		t.Errorf("a page of nothing: %q", got)
	}
	o.Color = true
	if got := draw.Page(full(), "web", o); !strings.Contains(got, "\x1b[31m") || !strings.Contains(got, "\x1b[1m") {
		t.Error("no colour")
	}
}

// TestAnyPage: no snapshot makes a page fail, and none gives a terminal anything to obey.
func TestAnyPage(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := anySnapshot(rt)
		for _, n := range s.Namespaces {
			got := draw.Page(&s, n.Name, draw.PageOptions{})
			if strings.ContainsAny(got, "\x1b\x00\x07") {
				rt.Errorf("%q", got)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 B", 999: "999 B", 1000: "1.00 kB", 9994: "9.99 kB", 9996: "10.0 kB", 99949: "99.9 kB", 99960: "100 kB", 999499: "999 kB", 999500: "1.00 MB",
		1234567: "1.23 MB", 18446744073709551615: "18.4 EB",
	} {
		if got := draw.Bytes(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-1: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m", 61 * time.Minute: "1h01m", 49 * time.Hour: "2d01h",
	} {
		if got := draw.Age(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}
