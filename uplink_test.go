package warren_test

import (
	"strings"
	"testing"

	"warren/internal/kerneltest"
)

// TestUplink wires a machine by hand to the host, with routes to the lab's nets: what it may reach are published ports, at
// the host's address, and nothing else (an uplink that is only routed excepted). It sees the host's address where the host masquerades.
func TestUplink(t *testing.T) {
	kerneltest.LeakCheck(t)
	outside(t, "10.40.0.0/16", "fd40::/16")
	file := lift(t, `
name: upl
nets:
  one:  {cidr: [10.40.1.0/24, "fd40:1::/64"], nodes: [a, b], uplink: true}
  two:  {cidr: 10.40.2.0/24, nodes: [c], uplink: true}
  flat: {cidr: 10.40.3.0/24, nodes: [d], uplink: {nat: false}}
  shut: {cidr: 10.40.4.0/24, nodes: [e, f], uplink: true, internal: true}
  cell: {cidr: 10.40.5.0/24, nodes: [g, h], uplink: true, isolated: true}
nodes:
  a:
    publish: [8080:80, 8053:53/udp, 8100-8102:100-102, "192.0.2.1:8081:80", "127.0.0.1:8082:80", "[::1]:8083:80", "[::]:8084:80", "0.0.0.0:8085:80", "[fd02::1]:8086:80"]
  e: {publish: [8090:80]}
  g: {publish: [8091:80]}
checks:
  - all can ping all on one
  - a can ping 192.0.2.2
  - a can ping fd02::2
  - d cannot ping e within 300ms
  - a cannot ping c within 300ms
  - c cannot ping a within 300ms
  - e can ping f
  - e cannot ping 192.0.2.2 within 300ms
  - g can ping 192.0.2.2
  - g can ping host on cell
  - g cannot ping h within 300ms
  - host can ping g
  - host can ping e
`)
	for _, port := range []string{"80", "81", "100", "101", "102"} {
		serve(t, "upl.a", "tcp", ":"+port)
	}
	serve(t, "upl.a", "udp4", ":53")
	serve(t, "upl.c", "tcp", ":80")
	serve(t, "upl.d", "tcp", ":80")
	serve(t, "upl.e", "tcp", ":80")
	serve(t, "upl.g", "tcp", ":80")
	serve(t, "outside", "tcp", ":80")
	serve(t, "outside", "udp4", "192.0.2.2:53")
	run(t, "check", file)

	const host, client = "192.0.2.1", "192.0.2.2"
	asked(t, []question{
		// from outside: published ports, and the client keeps its address
		{"outside", "tcp", host + ":8080", client},
		{"outside", "udp", host + ":8053", client},
		{"outside", "tcp", host + ":8100", client},
		{"outside", "tcp", host + ":8101", client},
		{"outside", "tcp", host + ":8102", client},
		{"outside", "tcp", host + ":8103", refused},
		{"outside", "tcp", host + ":8081", client},
		{"outside", "tcp", host + ":8082", refused},
		{"outside", "tcp", "[fd02::1]:8080", "fd02::2"},
		{"outside", "tcp", "[fd02::1]:8083", refused},
		{"outside", "tcp", "[fd02::1]:8084", "fd02::2"},
		{"outside", "tcp", host + ":8084", refused},
		{"outside", "tcp", host + ":8085", client},
		{"outside", "tcp", "[fd02::1]:8085", refused},
		{"outside", "tcp", "[fd02::1]:8086", "fd02::2"},
		{"outside", "tcp", host + ":8091", client},
		// from outside to a node's own address: nothing, published or not
		{"outside", "tcp", "10.40.1.2:80", silence},
		{"outside", "tcp", "10.40.1.2:81", silence},
		{"outside", "udp", "10.40.1.2:53", silence},
		{"outside", "tcp", "[fd40:1::2]:80", silence},
		{"outside", "tcp", "10.40.2.2:80", silence},
		{"outside", "tcp", "10.40.4.2:80", silence},
		{"outside", "tcp", "10.40.5.2:80", silence},
		{"outside", "tcp", "10.40.3.2:80", client}, // routed: the outside may
		// from the host
		{"", "tcp", host + ":8080", host},
		{"", "tcp", "127.0.0.1:8080", "10.40.1.1"},
		{"", "udp", "127.0.0.1:8053", "10.40.1.1"},
		{"", "tcp", "127.0.0.1:8101", "10.40.1.1"},
		{"", "tcp", "127.0.0.1:8082", "10.40.1.1"},
		{"", "tcp", "127.0.0.2:8082", refused},
		{"", "tcp", "127.0.0.1:8081", refused},
		{"", "tcp", "[::1]:8080", "fd40:1::1"},
		{"", "tcp", "[::1]:8083", "fd40:1::1"},
		{"", "tcp", "[::1]:8084", "fd40:1::1"},
		{"", "tcp", "[::1]:8085", refused},
		{"", "tcp", "10.40.1.2:80", "10.40.1.1"},
		{"", "tcp", "127.0.0.1:8090", "10.40.4.1"},
		// from a node of the same net, of itself, and of another uplink
		{"upl.b", "tcp", host + ":8080", "10.40.1.1"},
		{"upl.b", "tcp", "10.40.1.1:8080", "10.40.1.1"},
		{"upl.b", "udp", host + ":8053", "10.40.1.1"},
		{"upl.b", "tcp", "[fd40:1::1]:8080", "fd40:1::1"},
		{"upl.a", "tcp", host + ":8080", "10.40.1.1"},
		{"upl.a", "tcp", "[fd40:1::1]:8080", "fd40:1::1"},
		{"upl.c", "tcp", host + ":8080", "10.40.1.1"},
		{"upl.c", "tcp", "10.40.2.1:8102", "10.40.1.1"},
		{"upl.h", "tcp", host + ":8091", "10.40.5.1"},
		{"upl.g", "tcp", host + ":8091", "10.40.5.1"},
		{"upl.c", "tcp", "10.40.1.2:80", prohibited},
		{"upl.c", "tcp", "10.40.3.2:80", prohibited},
		{"upl.h", "tcp", "10.40.5.2:80", silence},
		{"upl.b", "tcp", "127.0.0.1:8082", refused},
		// to the outside
		{"upl.a", "tcp", "192.0.2.2:80", host},
		{"upl.a", "udp", "192.0.2.2:53", host},
		{"upl.a", "tcp", "[fd02::2]:80", "fd02::1"},
		{"upl.g", "tcp", "192.0.2.2:80", host},
		{"upl.d", "tcp", "192.0.2.2:80", "10.40.3.2"},
		{"upl.e", "tcp", "192.0.2.2:80", noRoute},
	})

	// 127/8 from outside, and from a node: somebody who routes it here gets nowhere.
	sh(t, `ip -n outside route add 127.0.0.1/32 via 192.0.2.1 table 5 src 192.0.2.2
ip -n outside rule add to 127.0.0.1 table 5 pref 0; ip netns exec outside sysctl -qw net.ipv4.conf.all.route_localnet=1
ip netns exec outside ip rule add pref 1 table local; ip netns exec outside ip rule del pref 0 table local`)
	if got := ask(t, "outside", "tcp", "127.0.0.1:8082", silenceWait); got != silence {
		t.Errorf("127.0.0.1:8082 from outside: %q, want silence", got)
	}
}

// TestUplinkBridgeNF: the same with bridged packets passing the hooks of IPv4, as on a host with Docker.
func TestUplinkBridgeNF(t *testing.T) {
	kerneltest.LeakCheck(t)
	outside(t, "10.40.0.0/16")
	sh(t, "sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1")
	t.Cleanup(func() { sh(t, "sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0") })
	file := lift(t, `
name: bnf
nets:
  one:  {cidr: [10.40.1.0/24, "fd40:1::/64"], nodes: [a, b], uplink: true}
  two:  {cidr: 10.40.2.0/24, nodes: [c], uplink: true}
  cell: {cidr: 10.40.5.0/24, nodes: [g, h], uplink: true, isolated: true}
  lan:  {cidr: 10.40.6.0/24, nodes: [x, y, z], isolated: true}
nodes:
  a: {publish: [8080:80, 8053:53/udp]}
  g: {publish: [8091:80]}
  z: {forward: true}
checks:
  - a can ping b
  - a can ping b over 6
  - b can mtu 1500 to a
  - a can ping 192.0.2.2
  - a cannot ping c within 300ms
  - g cannot ping h within 300ms
  - g can ping host
  - g can ping 192.0.2.2
  - x cannot ping y within 300ms
  - x can ping z
  - z can ping y
`)
	serve(t, "bnf.a", "tcp", ":80")
	serve(t, "bnf.a", "udp4", ":53")
	serve(t, "bnf.g", "tcp", ":80")
	serve(t, "outside", "tcp", ":80")
	run(t, "check", file)
	asked(t, []question{
		{"outside", "tcp", "192.0.2.1:8080", "192.0.2.2"},
		{"outside", "tcp", "10.40.1.2:80", silence},
		{"", "tcp", "127.0.0.1:8080", "10.40.1.1"},
		{"bnf.b", "tcp", "10.40.1.2:80", "10.40.1.3"},
		{"bnf.b", "tcp", "192.0.2.1:8080", "10.40.1.3"}, // bridged all the way: no need to hide the source
		{"bnf.b", "udp", "192.0.2.1:8053", "10.40.1.3"},
		{"bnf.a", "tcp", "192.0.2.1:8080", "10.40.1.1"},
		{"bnf.b", "tcp", "[fd40:1::1]:8080", "fd40:1::3"},
		{"bnf.a", "tcp", "[fd40:1::1]:8080", "fd40:1::1"},
		{"bnf.c", "tcp", "192.0.2.1:8080", "10.40.1.1"},
		{"bnf.h", "tcp", "192.0.2.1:8091", silence}, // bridged, and so isolation holds for published ports too
		{"bnf.h", "tcp", "10.40.5.2:80", silence},
		{"bnf.a", "tcp", "192.0.2.2:80", "192.0.2.1"},
	})
}

// TestTwoLabsAreApart: the uplink nets of two labs reach each other by published ports only.
func TestTwoLabsAreApart(t *testing.T) {
	lift(t, "name: east\nnets:\n  n: {cidr: 10.41.0.0/24, nodes: [a], uplink: true}\nnodes:\n  a: {publish: [8080:80]}\n")
	lift(t, `
name: west
nets:
  n: {cidr: 10.42.0.0/24, nodes: [b], uplink: true}
  flat: {cidr: 10.43.0.0/24, nodes: [d], uplink: {nat: false}}
checks:
  - b cannot ping 10.41.0.2 within 300ms
  - d cannot ping 10.41.0.2 within 300ms
`)
	serve(t, "east.a", "tcp", ":80")
	serve(t, "west.b", "tcp", ":80")
	serve(t, "west.d", "tcp", ":80")
	asked(t, []question{
		{"west.b", "tcp", "10.41.0.2:80", prohibited},
		{"west.d", "tcp", "10.41.0.2:80", prohibited},
		{"east.a", "tcp", "10.42.0.2:80", prohibited},
		{"east.a", "tcp", "10.43.0.2:80", prohibited},
		{"west.b", "tcp", "10.42.0.1:8080", "10.41.0.1"},
	})
}

// TestForeignDrop: a chain of somebody else's that drops what the host forwards is named, and the rule that is printed helps.
func TestForeignDrop(t *testing.T) {
	kerneltest.LeakCheck(t)
	outside(t)
	sh(t, `nft add table ip filter; nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy drop; }'; nft add chain ip filter INPUT '{ type filter hook input priority 0; policy accept; }'`)
	t.Cleanup(func() { sh(t, "nft delete table ip filter") })
	file := labFile(t, "name: drop\nnets:\n  n: {cidr: 10.44.0.0/24, nodes: [a, b], uplink: true}\nnodes:\n  a: {publish: [8080:80]}\nchecks: [a cannot ping 192.0.2.2 within 300ms, a can ping b]\n")
	t.Cleanup(func() { run(t, "down", file) })
	_, stderr, code := try(t, "up", file)
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	want(t, stderr, "note: ", "FORWARD", "ip filter", "nft '")
	_, rest, _ := strings.Cut(stderr, "nft '")
	rule, _, _ := strings.Cut(rest, "'")
	sh(t, "nft '"+rule+"'")
	serve(t, "drop.a", "tcp", ":80")
	asked(t, []question{{"outside", "tcp", "192.0.2.1:8080", "192.0.2.2"}})
	want(t, sh(t, "ip netns exec drop.a ping -c1 -W2 192.0.2.2"), "1 received")
	if _, stderr, _ := try(t, "up", "--no-checks", file); strings.Contains(stderr, "note: ") {
		t.Errorf("noted although a rule lets it pass: %s", stderr)
	}
	if before := sh(t, "nft list table ip filter"); !strings.Contains(before, "policy drop") {
		t.Errorf("the foreign table changed:\n%s", before)
	}
}
