package warren_test

import (
	"fmt"
	"strings"
	"testing"

	"warren/internal/kerneltest"
)

// TestNets: kinds of nets and what their members are like, seen by iproute2.
func TestNets(t *testing.T) {
	file := lift(t, `
name: nets
defaults: {ipv6: true}
nets:
  pair: [a, b]
  cell: {nodes: [x, y, g], isolated: true, gateway: g}
  jail: {cidr: 10.8.0.0/24, nodes: [r, j, k], internal: true, ipv6: false}
  free: {cidr: 10.9.0.0/24, nodes: [r, f]}
  jumbo: {nodes: [a, f: {mtu: 4000}, y], mtu: 9000}
  a-net-of-a-long-name: {cidr: 10.10.0.0/24, nodes: [a: 10.10.0.7/24, b: {ip: 10.10.0.9, mac: "02:00:00:00:00:99", if: eth7, mtu: 1400}]}
  many: {nodes: ["h[1-3]"]}
  big: {cidr: 10.11.0.0/16, nodes: [a, b, x], kind: bridge, stp: true}
links:
  - a -- b: {name: mgmt, mtu: 2000, cidr: 10.12.0.0/30}
  - x -- y
checks:
  - a can ping b on pair
  - a can ping b on pair over 6
  - x can ping g
  - x can ping g over 6
  - g can ping y over 6
  - x cannot ping y on cell within 300ms
  - x cannot ping y on cell over 6 within 300ms
  - j can ping k
  - j can ping r
  - j cannot ping f within 300ms
  - f cannot ping j within 300ms
  - a can mtu 9000 to y on jumbo
  - a can mtu 4000 to f on jumbo
  - f cannot mtu 4001 to a on jumbo
  - a can mtu 2000 to b on mgmt
  - a cannot mtu 2001 to b on mgmt
  - b cannot mtu 1401 to a on a-net-of-a-long-name
  - many can ping all on many
  - all can ping all on many over 6
  - x can ping y on x-y
`)
	want(t, sh(t, "ip -n nets.b -d -o link show eth7; ip -n nets.b -o addr show eth7"), "02:00:00:00:00:99", "mtu 1400", "10.10.0.9/24", "a-net-of-a-long-name")
	want(t, sh(t, "ip -n nets.a -o link show a-net-of-a-long-name; ip -n nets.a -o addr show a-net-of-a-long-name"), "10.10.0.7/24")
	want(t, sh(t, "ip -n nets.h2 -o addr show many"), "/24", "/64")
	if out := sh(t, "ip -n nets.j -6 addr show jail"); out != "" {
		t.Errorf("IPv6 in a net without: %s", out)
	}
	hidden := "nsenter --net=/run/warren/nets/switch "
	want(t, sh(t, hidden+"ip -d link show warren.nets.big"), "stp_state 1")
	want(t, sh(t, hidden+"ip -d link show warren.nets.jumbo"), "mtu 9000")
	if out := sh(t, hidden+"ip -o link show type bridge | wc -l"); strings.TrimSpace(out) != "5" {
		t.Errorf("%s bridges, want 5 (cell, jail, jumbo, many, big): pairs have none", out)
	}
	if out := sh(t, "for n in a b x y g r j k f h1; do ip -n nets.$n -6 addr show tentative; done"); out != "" {
		t.Errorf("tentative addresses: %s", out)
	}

	// Everything that the file says about nets, changed.
	change(t, file, `
name: nets
nets:
  pair: [a, b, c]
  cell: {nodes: [x, y, g]}
  jail: {cidr: 10.8.0.0/24, nodes: [r, j, k]}
  free: {cidr: 10.99.0.0/24, nodes: [r, f]}
  jumbo: {nodes: [a, f, y], mtu: 1600}
  a-net-of-a-long-name: {cidr: 10.10.0.0/24, nodes: [a: 10.10.0.8/24, b: {ip: 10.10.0.9, mac: "02:00:00:00:00:98", if: eth8}]}
  many: {nodes: ["h[1-2]"]}
  big: {cidr: 10.11.0.0/16, nodes: [a, b, x]}
links:
  - a -- b: {name: mgmt, mtu: 1500, cidr: 10.12.0.0/29}
checks:
  - pair can ping all on pair
  - x can ping y on cell
  - j can ping f
  - f can ping j
  - a can mtu 1600 to f on jumbo
  - a cannot mtu 1601 to f on jumbo
  - a can ping b on a-net-of-a-long-name
  - h1 can ping h2
  - a can ping b on mgmt
`)
	if exists(t, "/run/netns/nets.h3") {
		t.Error("h3 is still there")
	}
	if out := sh(t, "ip -n nets.b -6 addr show scope global; ip -n nets.x -o link | grep x-y || true; ip -n nets.b -o link | grep -e eth7 -e 00:99 || true"); out != "" {
		t.Errorf("left: %s", out)
	}
	want(t, sh(t, hidden+"ip -d link show warren.nets.big"), "stp_state 0")
}

// TestPairAndBridge: a third member turns a pair into a bridge, and back; addresses stay, a node that leaves the file goes,
// and so does a net.
func TestPairAndBridge(t *testing.T) {
	text := func(members string) string {
		return "name: grow\nnets:\n  lan: " + members + "\n  old: [a, q]\nchecks:\n  - all can ping all on lan\n"
	}
	file := lift(t, text("[a, b]"))
	before := sortedLines(sh(t, "ip -n grow.a -4 -o addr show lan | awk '{print $4}'; ip -n grow.b -4 -o addr show lan | awk '{print $4}'"))
	for _, members := range []string{"[a, b, c]", "[c, d, a, b]", "[a, b]", "[b, a, e]", "[b, a]"} {
		change(t, file, text(members))
		after := sortedLines(sh(t, "ip -n grow.a -4 -o addr show lan | awk '{print $4}'; ip -n grow.b -4 -o addr show lan | awk '{print $4}'"))
		if fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("%s: addresses are %v, were %v", members, after, before)
		}
	}
	change(t, file, "name: grow\nnets:\n  lan: [a, b]\n")
	for _, node := range []string{"c", "d", "e", "q"} {
		if exists(t, "/run/netns/grow."+node) {
			t.Errorf("%s is still there", node)
		}
	}
	if out := sh(t, "ip -n grow.a -o link | grep -c ': '"); strings.TrimSpace(out) != "2" {
		t.Errorf("%s links in a, want lo and lan", out)
	}
}

// TestChainedBridges: a net of more members than one bridge has ports, isolated and not; members of both bridges reach each
// other, or only the gateway.
func TestChainedBridges(t *testing.T) {
	kerneltest.LeakCheck(t)
	const text = `
name: huge
nets:
  lan: {cidr: 10.60.0.0/16, nodes: ["n[1-1050]"]%s}
checks:
  - n1 can ping 10.60.0.1
  - n1050 can ping 10.60.0.1
  - n999 can ping 10.60.0.1
  - n1 %s ping n1050 %[3]s
  - n1050 %[2]s ping n2 %[3]s
  - n1049 %[2]s ping n1050 %[3]s
  - n1 %[2]s ping n2 %[3]s
`
	file := lift(t, fmt.Sprintf(text, ", uplink: true, isolated: true", "cannot", "within 500ms"))
	change(t, file, fmt.Sprintf(text, ", uplink: true", "can", "retry 5s"))
}
