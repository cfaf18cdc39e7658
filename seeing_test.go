package warren_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"warren"
	"warren/state"
)

// seen is a host with a lab, a container and a namespace of nobody.
func seen() state.Snapshot {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := state.Snapshot{Time: at, Namespaces: []state.Namespace{
		{Name: "cookie:7", Cookie: 7, Inode: 4026532007, Owner: &state.Owner{Kind: "docker", Name: "web", ID: "4f2a6e00c0ffee"}, Processes: []state.Process{{PID: 4711, InnerPID: 1, Command: "nginx"}}},
		{Name: "cookie:9", Cookie: 9, Holders: []state.Holder{{Kind: "file", PID: 12, Command: "holder"}}, Owner: &state.Owner{Kind: "process"}},
		{Name: "host", Cookie: 1, Owner: &state.Owner{Kind: "host"}},
		{Name: "shop.api", Names: []string{"shop.api"}, Paths: []string{"/run/netns/shop.api"}, Cookie: 3, Mark: state.Mark{Lab: "shop", Node: "api"}, Owner: &state.Owner{Kind: "lab", Name: "shop"}},
	}}
	s.Namespaces[0].Links = []state.Link{{Name: "eth0", Index: 2, Kind: "veth", MAC: state.MAC{2, 0x42, 0xac, 0x11, 0, 2}, AltNames: []string{"outer"}, Stats: &state.Stats{RxBytes: 1000, RxPackets: 10}}}
	s.Namespaces[0].Addrs = []state.Addr{{Link: "eth0", Prefix: netip.MustParsePrefix("172.17.0.2/16")}}
	s.Namespaces[0].Sockets = []state.Socket{
		{Protocol: "tcp", State: "LISTEN", Local: netip.MustParseAddrPort("0.0.0.0:80"), Process: &state.Process{PID: 4711, Command: "nginx"}},
		{Protocol: "tcp", State: "ESTAB", Local: netip.MustParseAddrPort("172.17.0.2:81")},
	}
	s.Namespaces[2].Links = []state.Link{
		{Name: "br0", Index: 5, Kind: "bridge", Stats: &state.Stats{RxBytes: 50}},
		{Name: "lo", Index: 1, Stats: &state.Stats{RxBytes: 7}},
		{Name: "v0", Index: 6, Kind: "veth", Master: "br0", Stats: &state.Stats{RxBytes: 60, TxBytes: 5, TxErrors: 1}},
	}
	return s
}

func TestFind(t *testing.T) {
	for _, tt := range []struct{ what, ns, kind string }{
		{"172.17.0.2", "cookie:7", "address"},
		{"172.17.0.2/16", "cookie:7", "address"},
		{"::ffff:172.17.0.2", "cookie:7", "address"},
		{"172.17.9.9", "cookie:7", "subnet"},
		{"02:42:AC:11:00:02", "cookie:7", "mac"},
		{"02-42-ac-11-00-02", "cookie:7", "mac"},
		{"eth0", "cookie:7", "interface"},
		{"outer", "cookie:7", "interface"},
		{"4711", "cookie:7", "pid"},
		{"pid:12", "cookie:9", "pid"},
		{"80", "cookie:7", "port"},
		{"80/tcp", "cookie:7", "port"},
		{"port:80", "cookie:7", "port"},
		{"web", "cookie:7", "container"},
		{"4f2a6e", "cookie:7", "container"},
		{"container:4f2a", "cookie:7", "container"},
		{"cookie:3", "shop.api", "cookie"},
		{"4026532007", "cookie:7", "inode"},
		{"api", "shop.api", "name"},
		{"shop.api", "shop.api", "name"},
		{"/run/netns/shop.api", "shop.api", "path"},
	} {
		got := warren.Find(seen(), tt.what)
		if len(got) != 1 || got[0].NS != tt.ns || got[0].Kind != tt.kind {
			t.Errorf("find %q: %+v, want %s %s", tt.what, got, tt.ns, tt.kind)
		}
	}
	for _, what := range []string{"", "81", "80/udp", "10.0.0.1", "4f2", "nobody", "pid:80", "port:", "99999999999999999999", "host:", "0"} {
		if got := warren.Find(seen(), what); len(got) != 0 {
			t.Errorf("find %q: %+v", what, got)
		}
	}
}

func TestKeyIn(t *testing.T) {
	for name, want := range map[string]string{
		"api": "shop.api", "shop.api": "shop.api", "host": "host", "cookie:7": "cookie:7", "pid:4711": "cookie:7", "container:4f2a6e": "cookie:7", "web": "cookie:7", "/run/netns/shop.api": "shop.api",
	} {
		if got, err := warren.KeyIn(seen(), "", name); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", name, got, err, want)
		}
	}
	if _, err := warren.KeyIn(seen(), "", "nobody"); !errors.Is(err, warren.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if got, err := warren.KeyIn(seen(), "shop", "api"); err != nil || got != "shop.api" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestListing(t *testing.T) {
	var got []string
	for _, n := range warren.Listing(seen(), true) {
		got = append(got, n.Kind+" "+n.Name+" "+n.Held)
	}
	if diff := cmp.Diff([]string{"host host ", "lab shop.api ", "docker cookie:7 ", "process cookie:9 file of holder"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if list := warren.Listing(seen(), false); len(list) != 1 || list[0].Name != "shop.api" || list[0].Owner != "warren" {
		t.Errorf("%+v", list)
	}
	if list := warren.Listing(state.Snapshot{}, true); list == nil || len(list) != 0 {
		t.Errorf("an empty host: %v", list)
	}
}

func TestCounters(t *testing.T) {
	before, now := seen(), seen()
	now.Time = before.Time.Add(2 * time.Second)
	now.Namespaces[0].Links[0].Stats = &state.Stats{RxBytes: 3000, RxPackets: 14}
	now.Namespaces[2].Links[2].Index = 9 // another link of that name
	list := warren.Counters(now, &before)
	warren.SortCounters(list, "rate")
	if c := list[0]; c.NS != "cookie:7" || c.Rate == nil || c.Rate.RxBytes != 1000 || c.Rate.RxPackets != 2 {
		t.Errorf("%+v %+v", c, c.Rate)
	}
	for _, c := range list {
		switch {
		case c.NS == "host" && c.Link == "" && (c.RxBytes != 60 || c.TxErrors != 1):
			t.Errorf("the sum of the host is %+v", c.Stats)
		case c.Link == "v0" && c.Rate != nil:
			t.Errorf("a new link has the rate %+v", c.Rate)
		}
	}
	now.Namespaces[0].Links[0].Stats = &state.Stats{RxBytes: 1}
	for _, c := range warren.Counters(now, &before) {
		if c.Link == "eth0" && c.Rate != nil {
			t.Errorf("counters that fell have the rate %+v", c.Rate)
		}
	}
	if list := warren.Counters(state.Snapshot{}, nil); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}
