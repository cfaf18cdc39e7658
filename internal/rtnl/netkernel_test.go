package rtnl_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// wired is a room with a veth a-b, both ends up, and lo up.
func wired(t *testing.T, name string) *room {
	t.Helper()
	r := newRoom(t, name)
	r.do(r.must(rtnl.CreateCable(rtnl.End{Link: state.Link{Name: "a", Up: true}}, rtnl.End{Link: state.Link{Name: "b"}}, nil)),
		r.must(rtnl.SetLinkUp("b", true)), r.must(rtnl.SetLinkUp("lo", true)))
	return r
}

func TestKernelAddrs(t *testing.T) {
	leakCheck(t)
	r := wired(t, "r")
	names := r.names()
	declared := []state.Addr{
		{Link: "a", Prefix: prefixOf("10.1.2.3/24"), Broadcast: addr("10.1.2.255"), Label: "a:x", Protocol: state.Protocol, Metric: 7, Flags: state.AddrPermanent},
		{Link: "a", Prefix: prefixOf("10.9.0.1/32"), Peer: addr("10.9.0.2"), Label: "a", Flags: state.AddrPermanent, Scope: 253},
		{Link: "a", Prefix: prefixOf("10.8.0.1/24"), Label: "a", Flags: state.AddrNoPrefixRoute, Valid: time.Hour, Preferred: time.Hour},
		{Link: "b", Prefix: prefixOf("fd00::1/64"), Flags: state.AddrPermanent | state.AddrNoDAD, Protocol: state.Protocol},
		{Link: "b", Prefix: prefixOf("fd00::5/128"), Peer: addr("fd00::6"), Flags: state.AddrPermanent | state.AddrNoDAD},
	}
	for _, a := range declared {
		r.do(r.must(rtnl.CreateAddr(a, names)))
	}
	if err := r.c.Batch([]nl.Request{r.must(rtnl.CreateAddr(declared[0], names))})[0]; !errors.Is(err, unix.EEXIST) {
		t.Errorf("the same again: got %v, want EEXIST", err)
	}
	got := dumpWith(r, rtnl.DumpAddrs(), func(m []message) ([]state.Addr, error) { return rtnl.DecodeAddrs(m, names) })
	got = slices.DeleteFunc(got, func(a state.Addr) bool { return a.Link == "lo" || a.Prefix.Addr().IsLinkLocalUnicast() })
	for i := range got {
		if got[i].Valid > 0 { // it runs
			got[i].Valid, got[i].Preferred = got[i].Valid.Round(time.Minute), got[i].Preferred.Round(time.Minute)
		}
	}
	byPrefix := func(a, b state.Addr) int { return a.Prefix.Compare(b.Prefix) }
	slices.SortFunc(got, byPrefix)
	slices.SortFunc(declared, byPrefix)
	if diff := gocmp.Diff(declared, got, equal); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	seen := map[string]map[string]any{}
	for _, l := range r.ip("addr") {
		infos, ok := l["addr_info"].([]any)
		if !ok {
			t.Fatalf("no addr_info in %v", l)
		}
		for _, i := range infos {
			m, ok := i.(map[string]any)
			if !ok {
				t.Fatalf("%v is not an object", i)
			}
			if s, ok := m["local"].(string); ok {
				seen[s] = m
			}
		}
	}
	want(t, seen["10.1.2.3"], 24, "prefixlen")
	want(t, seen["10.1.2.3"], "10.1.2.255", "broadcast")
	want(t, seen["10.1.2.3"], "a:x", "label")
	want(t, seen["10.9.0.1"], "10.9.0.2", "address")
	want(t, seen["10.8.0.1"], true, "noprefixroute")
	want(t, seen["fd00::1"], true, "nodad")
	for _, a := range declared {
		r.do(r.must(rtnl.DeleteAddr(a, names)))
	}
	if err := r.c.Batch([]nl.Request{r.must(rtnl.DeleteAddr(declared[0], names))})[0]; !errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Errorf("deleted twice: got %v, want EADDRNOTAVAIL", err)
	}
}

func TestKernelRoutes(t *testing.T) {
	leakCheck(t)
	r := wired(t, "r")
	names := r.names()
	for _, a := range []string{"10.1.0.1/24", "fd00::1/64"} {
		r.do(r.must(rtnl.CreateAddr(state.Addr{Link: "a", Prefix: prefixOf(a), Flags: state.AddrNoDAD}, names)))
	}
	one := func(via, link string) []state.NextHop {
		h := state.NextHop{Link: link}
		if via != "" {
			h.Via = addr(via)
		}
		return []state.NextHop{h}
	}
	p := state.Protocol
	declared := []state.Route{
		{Dst: prefixOf("0.0.0.0/0"), Protocol: p, NextHops: one("10.1.0.9", "a")},
		{Dst: prefixOf("10.2.0.0/16"), Protocol: p, NextHops: one("10.1.0.9", "a"), Metric: 50, Src: addr("10.1.0.1"), Metrics: state.Metrics{MTU: 1300, LockMTU: true, AdvMSS: 1000, InitCwnd: 20, HopLimit: 9, Quickack: 1, RTT: 80, Window: 5000, InitRwnd: 30}},
		{Dst: prefixOf("10.3.0.0/16"), Protocol: p, Scope: 253, NextHops: one("", "b")},
		{Dst: prefixOf("10.4.0.0/16"), Protocol: p, Table: 1000, NextHops: one("10.1.0.9", "a")},
		{Dst: prefixOf("10.5.0.0/16"), Protocol: p, NextHops: []state.NextHop{{Via: addr("10.1.0.8"), Link: "a", Weight: 3}, {Via: addr("10.1.0.9"), Link: "a"}}},
		{Dst: prefixOf("10.6.0.0/16"), Protocol: p, NextHops: []state.NextHop{{Via: addr("10.77.0.1"), Link: "b", Flags: state.NextHopOnLink}}},
		{Dst: prefixOf("10.7.0.0/16"), Protocol: p, NextHops: one("fd00::9", "a")},
		{Dst: prefixOf("10.8.0.0/16"), Protocol: p, NextHops: []state.NextHop{{Via: addr("fd00::8"), Link: "a"}, {Via: addr("10.1.0.9"), Link: "a", Weight: 256}}},
		{Dst: prefixOf("10.9.0.0/16"), Protocol: p, Type: "blackhole"},
		{Dst: prefixOf("10.10.0.0/16"), Protocol: p, Type: "unreachable", TOS: 16},
		{Dst: prefixOf("10.11.0.0/16"), Protocol: p, Type: "prohibit", Table: 77},
		{Dst: prefixOf("10.12.0.0/16"), Protocol: p, Type: "throw"},
		{Dst: prefixOf("10.13.0.0/16"), Protocol: p, Type: "local", Scope: 254, NextHops: one("", "lo")},
		{Dst: prefixOf("10.14.0.0/16"), Protocol: p, Type: "broadcast", Scope: 253, NextHops: one("", "a")},
		{Dst: prefixOf("::/0"), Protocol: p, Metric: 1024, NextHops: one("fd00::9", "a")},
		{Dst: prefixOf("fd01::/64"), Protocol: p, Metric: 10, NextHops: one("fd00::9", "a"), Pref: 1, Metrics: state.Metrics{MTU: 1300}},
		{Dst: prefixOf("fd02::/64"), Protocol: p, Metric: 1024, NextHops: []state.NextHop{{Via: addr("fd00::8"), Link: "a"}, {Via: addr("fd00::9"), Link: "a"}}},
		{Dst: prefixOf("fd03::/64"), Protocol: p, Metric: 1024, Type: "blackhole", NextHops: one("", "lo")},
		{Dst: prefixOf("fd04::/64"), Protocol: p, Metric: 1024, Table: 70000, NextHops: one("", "b")},
	}
	for _, d := range declared {
		made := d
		made.Scope = 0 // to be derived
		if err := r.c.Batch([]nl.Request{r.must(rtnl.CreateRoute(made, names))})[0]; err != nil {
			t.Fatalf("create %v: %v", d.Dst, err)
		}
	}
	if err := r.c.Batch([]nl.Request{r.must(rtnl.CreateRoute(declared[0], names))})[0]; !errors.Is(err, unix.EEXIST) {
		t.Errorf("the same again: got %v, want EEXIST", err)
	}
	r.do(r.must(rtnl.ReplaceRoute(declared[0], names)))
	read := func() []state.Route {
		got := dumpWith(r, rtnl.DumpRoutes(), func(m []message) ([]state.Route, error) { return rtnl.DecodeRoutes(m, names) })
		got = slices.DeleteFunc(got, func(r state.Route) bool { return r.Protocol != p })
		byDst := func(a, b state.Route) int { return cmp.Or(a.Dst.Compare(b.Dst), cmp.Compare(a.Table, b.Table)) }
		slices.SortFunc(got, byDst)
		slices.SortFunc(declared, byDst)
		return got
	}
	if diff := gocmp.Diff(declared, read(), equal); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}

	w := map[string]map[string]any{}
	for _, args := range [][]string{{"route", "show", "table", "all"}, {"-6", "route", "show", "table", "all"}} {
		for _, m := range r.ip(args...) {
			if s, ok := m["dst"].(string); ok && m["protocol"] == "119" {
				w[s] = m
			}
		}
	}
	want(t, w["10.2.0.0/16"], "10.1.0.9", "gateway")
	want(t, w["10.2.0.0/16"], "10.1.0.1", "prefsrc")
	want(t, w["10.2.0.0/16"], 50, "metric")
	want(t, w["10.3.0.0/16"], "link", "scope")
	want(t, w["10.4.0.0/16"], "1000", "table")
	want(t, w["10.7.0.0/16"], "fd00::9", "via", "host")
	want(t, w["10.9.0.0/16"], "blackhole", "type")
	want(t, w["fd01::/64"], "high", "pref")
	if hops, ok := w["10.5.0.0/16"]["nexthops"].([]any); !ok || len(hops) != 2 {
		t.Errorf("ip says that 10.5.0.0/16 has the next hops %v", w["10.5.0.0/16"]["nexthops"])
	}

	for _, d := range declared {
		if err := r.c.Batch([]nl.Request{r.must(rtnl.DeleteRoute(d, names))})[0]; err != nil {
			t.Errorf("delete %v: %v", d.Dst, err)
		}
	}
	if got := read(); len(got) != 0 {
		t.Errorf("left: %+v", got)
	}
}

func TestKernelRules(t *testing.T) {
	leakCheck(t)
	r := newRoom(t, "r")
	declared := []state.Rule{
		{Priority: 100, From: prefixOf("10.0.0.0/8"), To: prefixOf("10.1.0.0/16"), TOS: 16, Mark: 5, MarkMask: 0xff, IIF: "a", OIF: "b", Table: 100, Protocol: state.Protocol},
		{Priority: 101, Invert: true, From: prefixOf("10.0.0.1/32"), Table: 70000, SuppressPrefix: new(uint32(0)), UIDs: &[2]uint32{0, 0}, Protocol: state.Protocol},
		{Priority: 102, Action: "goto", Goto: 200, Protocol: state.Protocol},
		{Priority: 103, Action: "nop", Protocol: state.Protocol},
		{Priority: 200, Action: "blackhole", IPProto: 6, SPort: [2]uint16{10, 20}, DPort: [2]uint16{80, 80}, Protocol: state.Protocol},
		{Priority: 201, Action: "unreachable", IPv6: true, From: prefixOf("fd00::/16"), Protocol: state.Protocol},
		{Priority: 202, Action: "prohibit", IPv6: true, TunID: 7, Protocol: state.Protocol},
		{Priority: 203, IPv6: true, Table: 9, SuppressGroup: new(uint32(3)), Protocol: state.Protocol},
	}
	for _, d := range declared {
		if err := r.c.Batch([]nl.Request{r.must(rtnl.CreateRule(d))})[0]; err != nil {
			t.Fatalf("create rule %d: %v", d.Priority, err)
		}
	}
	if err := r.c.Batch([]nl.Request{r.must(rtnl.CreateRule(declared[0]))})[0]; !errors.Is(err, unix.EEXIST) {
		t.Errorf("the same again: got %v, want EEXIST", err)
	}
	read := func() []state.Rule {
		got := dumpWith(r, rtnl.DumpRules(), rtnl.DecodeRules)
		got = slices.DeleteFunc(got, func(r state.Rule) bool { return r.Protocol != state.Protocol })
		slices.SortFunc(got, func(a, b state.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
		return got
	}
	if diff := gocmp.Diff(declared, read(), equal); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	w := map[float64]map[string]any{}
	for _, m := range append(r.ip("rule"), r.ip("-6", "rule")...) {
		if n, ok := m["priority"].(float64); ok {
			w[n] = m
		}
	}
	want(t, w[100], "10.0.0.0", "src")
	want(t, w[100], "0x5", "fwmark")
	want(t, w[100], "a", "iif")
	want(t, w[101], "70000", "table")
	want(t, w[101], 0, "uid_end")
	want(t, w[102], 200, "goto")
	want(t, w[200], "tcp", "ipproto")
	for _, d := range declared {
		r.do(r.must(rtnl.DeleteRule(d)))
	}
	if got := read(); len(got) != 0 {
		t.Errorf("left: %+v", got)
	}
}

func TestKernelNeighbors(t *testing.T) {
	leakCheck(t)
	r := wired(t, "r")
	names := r.names()
	declared := []state.Neighbor{
		{Link: "a", IP: addr("10.0.0.1"), MAC: state.MAC{2, 0, 0, 0, 0, 9}, State: "permanent", Protocol: state.Protocol},
		{Link: "a", IP: addr("10.0.0.2"), MAC: state.MAC{2, 0, 0, 0, 0, 8}, State: "noarp", Protocol: state.Protocol},
		{Link: "b", IP: addr("fd00::1"), MAC: state.MAC{2, 0, 0, 0, 0, 7}, State: "permanent", Router: true, Protocol: state.Protocol},
	}
	for _, n := range declared {
		r.do(r.must(rtnl.CreateNeighbor(n, names)))
	}
	proxy := state.Neighbor{Link: "a", IP: addr("10.0.0.3"), Proxy: true, State: "none"}
	r.do(r.must(rtnl.CreateNeighbor(proxy, names)), r.must(rtnl.ReplaceNeighbor(declared[0], names)))
	if err := r.c.Batch([]nl.Request{r.must(rtnl.CreateNeighbor(declared[0], names))})[0]; !errors.Is(err, unix.EEXIST) {
		t.Errorf("the same again: got %v, want EEXIST", err)
	}
	decode := func(m []message) ([]state.Neighbor, error) { return rtnl.DecodeNeighbors(m, names) }
	got := dumpWith(r, rtnl.DumpNeighbors(false), decode)
	got = slices.DeleteFunc(got, func(n state.Neighbor) bool { return n.Protocol != state.Protocol })
	slices.SortFunc(got, func(a, b state.Neighbor) int { return a.IP.Compare(b.IP) })
	if diff := gocmp.Diff(declared, got, equal); diff != "" {
		t.Errorf("neighbours (-want +got):\n%s", diff)
	}
	got = dumpWith(r, rtnl.DumpNeighbors(true), decode)
	if diff := gocmp.Diff([]state.Neighbor{proxy}, got, equal, cmpIgnoreState()); diff != "" {
		t.Errorf("proxies (-want +got):\n%s", diff)
	}
	for _, m := range r.ip("neigh", "show", "10.0.0.1") {
		want(t, m, "02:00:00:00:00:09", "lladdr")
		want(t, m, "a", "dev")
	}
	for _, n := range append(declared, proxy) {
		r.do(r.must(rtnl.DeleteNeighbor(n, names)))
	}
}

// cmpIgnoreState: the kernel gives a proxy no state of its own.
func cmpIgnoreState() gocmp.Option {
	return gocmp.FilterPath(func(p gocmp.Path) bool { return p.Last().String() == ".State" }, gocmp.Ignore())
}

func TestKernelFDB(t *testing.T) {
	kerneltest.Need(t, "vxlan")
	leakCheck(t)
	r := wired(t, "r")
	r.do(r.must(rtnl.CreateLink(state.Link{Name: "br", Kind: "bridge", Up: true}, rtnl.LinkOptions{}, nil)),
		r.must(rtnl.CreateLink(state.Link{Name: "vx", Kind: "vxlan", VXLAN: &state.VXLAN{ID: 5, Port: 4789, Learning: new(false)}}, rtnl.LinkOptions{}, nil)))
	names := r.names()
	before := r.link("b")
	after := before
	after.Master = "br"
	r.do(r.all(rtnl.ChangeLink(before, after, names))...)
	declared := []state.FDBEntry{
		{Link: "b", Master: "br", MAC: state.MAC{2, 0, 0, 0, 0, 1}, State: "static", Flags: unix.NTF_MASTER},
		{Link: "vx", MAC: state.MAC{}, Dst: addr("192.0.2.1"), State: "permanent", Flags: unix.NTF_SELF},
		{Link: "vx", MAC: state.MAC{}, Dst: addr("192.0.2.2"), State: "permanent", Flags: unix.NTF_SELF},
		{Link: "vx", MAC: state.MAC{2, 0, 0, 0, 0, 3}, Dst: addr("192.0.2.3"), Port: 4790, VNI: 6, Via: "a", State: "static", Flags: unix.NTF_SELF},
	}
	r.do(r.must(rtnl.CreateFDB(declared[0], names)), r.must(rtnl.AppendFDB(declared[1], names)), r.must(rtnl.AppendFDB(declared[2], names)), r.must(rtnl.CreateFDB(declared[3], names)))
	got := dumpWith(r, rtnl.DumpFDB(), func(m []message) ([]state.FDBEntry, error) { return rtnl.DecodeFDBs(m, names) })
	for _, d := range declared {
		if d.Link == "b" {
			d.Flags = 0 // the bridge says it by naming itself
		}
		if !slices.ContainsFunc(got, func(g state.FDBEntry) bool { return gocmp.Equal(d, g, equal) }) {
			t.Errorf("%+v is not in %+v", d, got)
		}
	}
	for _, d := range declared {
		r.do(r.must(rtnl.DeleteFDB(d, names)))
	}
}

func TestKernelNSID(t *testing.T) {
	leakCheck(t)
	r, other := newRoom(t, "r"), newRoom(t, "other")
	ask := func() int {
		t.Helper()
		res := r.c.Exchange([]nl.Request{rtnl.GetNSID(other.h.FD())})[0]
		if res.Err != nil || len(res.Messages) != 1 {
			t.Fatalf("%d messages, %v", len(res.Messages), res.Err)
		}
		id, err := rtnl.DecodeNSID(res.Messages[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if id := ask(); id != rtnl.NoNSID {
		t.Errorf("before: got %d, want none", id)
	}
	r.do(rtnl.SetNSID(other.h.FD(), 17))
	if id := ask(); id != 17 {
		t.Errorf("got %d, want 17", id)
	}
	if ids := dumpWith(r, rtnl.DumpNSIDs(), rtnl.DecodeNSIDs); !slices.Equal(ids, []int{17}) {
		t.Errorf("got %v, want 17 alone", ids)
	}
	if err := r.c.Batch([]nl.Request{rtnl.SetNSID(other.h.FD(), rtnl.NoNSID)})[0]; !errors.Is(err, unix.EEXIST) {
		t.Errorf("a second id: got %v, want EEXIST", err)
	}
	other.do(rtnl.SetNSID(r.h.FD(), rtnl.NoNSID))
}
