package kernel_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"warren/internal/kerneltest"
	"warren/state"
)

// TestWhoAnswersForOthers: of the namespaces behind a hub only those are read that may answer for an address that nobody has.
func TestWhoAnswersForOthers(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge", "macvlan", "nftables", "clsact", "exec:ip", "exec:tc", "exec:nft", "exec:sysctl")
	leakCheck(t)
	prepared := map[string][]string{
		"quiet":     {"ip link set lo up", "ip route add blackhole 10.0.0.77", "ip route add default dev eth0"},
		"other":     {"ip addr add 10.0.0.78/24 dev eth0", "nft add table inet f"},
		"proxyall":  {"sysctl -qw net.ipv4.conf.all.proxy_arp=1"},
		"proxy":     {"sysctl -qw net.ipv4.conf.eth0.proxy_arp=1"},
		"entry":     {"ip neigh add proxy 10.0.0.77 dev eth0"},
		"local":     {"ip route add local 10.0.0.64/28 dev lo"},
		"rule":      {"ip rule add from 10.0.0.0/8 lookup 100"},
		"bridge":    {"ip link add br0 type bridge", "ip link set eth0 master br0"},
		"filter":    {"tc qdisc add dev eth0 clsact"},
		"macvlan":   {"ip link add mv0 link eth0 type macvlan mode bridge", "ip link set mv0 netns quiet", "ip -n quiet link set mv0 up"},
		"forwarder": {"nft add table netdev f"},
	}
	names := []string{"quiet", "other", "proxyall", "proxy", "entry", "local", "rule", "bridge", "filter", "macvlan", "forwarder"}
	words := func(line string) { t.Helper(); run(t, strings.Fields(line)[0], strings.Fields(line)[1:]...) }
	words("ip netns add hub")
	t.Cleanup(func() {
		for _, n := range append(names, "hub") {
			words("ip netns delete " + n)
		}
	})
	for i, n := range names {
		words("ip netns add " + n)
		words("ip -n hub link add p" + string(rune('a'+i)) + " up type veth peer name eth0 netns " + n)
		words("ip -n " + n + " link set eth0 up")
		for _, line := range prepared[n] {
			words("ip netns exec " + n + " " + line)
		}
	}
	k := newKernel(t)
	hub := observe(t, k, state.Query{Names: []string{"hub"}, Parts: state.PartLinks | state.PartNSIDs})
	ask := state.AddrBeyond{NS: "hub", Addr: netip.MustParseAddr("10.0.0.77"), Proxies: true}
	for _, id := range hub.Namespace("hub").NSIDs {
		ask.IDs = append(ask.IDs, id.ID)
	}
	if len(ask.IDs) != len(names) {
		t.Fatalf("the hub knows %d ids", len(ask.IDs))
	}
	answer := func() (found []string) {
		t.Helper()
		s := observe(t, k, state.Query{Asks: []state.AddrBeyond{ask}, Parts: state.PartLinks})
		for i := range s.Namespaces {
			if n := s.Namespaces[i].Name; n != "hub" {
				found = append(found, n)
			}
		}
		return found
	}
	// A macvlan of elsewhere is odd for itself, and for the link that it is on.
	want := slices.Sorted(slices.Values(append(slices.Clone(names[2:]), "quiet")))
	if got := answer(); !slices.Equal(got, want) {
		t.Errorf("may answer: %q, want %q", got, want)
	}
	words("ip -n quiet link delete mv0")
	if got, want := answer(), slices.Sorted(slices.Values(names[2:])); slices.Contains(got, "quiet") || slices.Contains(got, "other") {
		t.Errorf("may answer: %q, want %q", got, want)
	}
	if ask.Addr = netip.MustParseAddr("10.0.1.77"); slices.Contains(answer(), "local") {
		t.Error("a local route does not answer for what it does not cover")
	}
}
