package warren_test

import (
	"testing"

	"warren/internal/kerneltest"
)

// TestNAT: a router between an inner net and two outer ones rewrites sources (its own address, or one that the file gives) and
// passes ports on.
func TestNAT(t *testing.T) {
	kerneltest.LeakCheck(t)
	file := lift(t, `
name: nat
nets:
  lan: {cidr: [10.1.0.0/24, "fd00:1::/64"], nodes: [r: 10.1.0.1, h1: 10.1.0.10, h2: 10.1.0.20]}
  wan: {cidr: [10.2.0.0/24, "fd00:2::/64"], nodes: [r: 10.2.0.1, x: 10.2.0.10]}
  dmz: {cidr: 10.3.0.0/24, nodes: [r: 10.3.0.1, y: 10.3.0.10]}
nodes:
  r:
    nat: [wan, {to: dmz, address: 10.3.0.99}]
    dnat:
      - wan:80 -> h1:8080
      - wan:8000-8002 -> h1:9000-9002
      - wan:7000-7002 -> h2
      - wan:53 -> h1:5353/udp
      - dmz:81 -> 10.1.0.20:8080
      - lan:80 -> h2:8080
checks:
  - h1 can ping x
  - h2 can ping y
  - h1 can ping h2
  - h1 can ping x over 6
  - h1 can ping x via r
  - x cannot ping h1 within 300ms
  - h1 can ping r on wan
`)
	for _, port := range []string{"8080", "9000", "9001", "9002"} {
		serve(t, "nat.h1", "tcp", ":"+port)
	}
	for _, port := range []string{"8080", "7000", "7002"} {
		serve(t, "nat.h2", "tcp", ":"+port)
	}
	serve(t, "nat.h1", "udp4", "10.1.0.10:5353")
	serve(t, "nat.x", "tcp", ":80")
	serve(t, "nat.x", "udp4", "10.2.0.10:53")
	serve(t, "nat.y", "tcp", ":80")
	run(t, "check", file)
	asked(t, []question{
		{"nat.h1", "tcp", "10.2.0.10:80", "10.2.0.1"},
		{"nat.h1", "tcp", "[fd00:2::2]:80", "fd00:2::1"},
		{"nat.h2", "udp", "10.2.0.10:53", "10.2.0.1"},
		{"nat.h1", "tcp", "10.3.0.10:80", "10.3.0.99"},
		{"nat.x", "tcp", "10.2.0.1:80", "10.2.0.10"},
		{"nat.x", "tcp", "[fd00:2::1]:80", "fd00:2::2"},
		{"nat.x", "tcp", "10.2.0.1:8000", "10.2.0.10"},
		{"nat.x", "tcp", "10.2.0.1:8001", "10.2.0.10"},
		{"nat.x", "tcp", "10.2.0.1:8002", "10.2.0.10"},
		{"nat.x", "tcp", "10.2.0.1:8003", refused},
		{"nat.x", "tcp", "10.2.0.1:7000", "10.2.0.10"},
		{"nat.x", "tcp", "10.2.0.1:7001", refused}, // passed on, but nobody listens there
		{"nat.x", "tcp", "10.2.0.1:7002", "10.2.0.10"},
		{"nat.x", "udp", "10.2.0.1:53", "10.2.0.10"},
		{"nat.x", "tcp", "10.2.0.1:53", refused},
		{"nat.y", "tcp", "10.3.0.1:81", "10.3.0.10"},
		{"nat.y", "tcp", "10.3.0.1:80", refused},
		// from the net that the target is on, and from the target: the answer has to pass the router
		{"nat.h1", "tcp", "10.1.0.1:80", "10.1.0.1"},
		{"nat.h2", "tcp", "10.1.0.1:80", "10.1.0.1"},
		{"nat.h2", "tcp", "[fd00:1::1]:80", "fd00:1::1"},
		{"nat.h1", "tcp", "10.3.0.10:81", refused},
	})
	want(t, sh(t, "ip -n nat.r -br addr show dmz"), "10.3.0.99/32")
	want(t, sh(t, "ip netns exec nat.r nft list ruleset"), `oifname "wan" masquerade`, `snat ip to 10.3.0.99`)

	// Without nat the outside needs a way in, and gets it.
	change(t, file, `
name: nat
nets:
  lan: {cidr: [10.1.0.0/24, "fd00:1::/64"], nodes: [r: 10.1.0.1, h1: 10.1.0.10, h2: 10.1.0.20]}
  wan: {cidr: [10.2.0.0/24, "fd00:2::/64"], nodes: [r: 10.2.0.1, x: 10.2.0.10]}
  dmz: {cidr: 10.3.0.0/24, nodes: [r: 10.3.0.1, y: 10.3.0.10]}
checks:
  - x can ping h1
  - y can ping h2
  - x can ping h1 over 6
`)
	asked(t, []question{
		{"nat.h1", "tcp", "10.2.0.10:80", "10.1.0.10"},
		{"nat.x", "tcp", "10.2.0.1:80", refused},
	})
	if out := sh(t, "ip netns exec nat.r nft list tables; ip -n nat.r addr show dmz | grep 10.3.0.99 || true"); out != "" {
		t.Errorf("left of nat and dnat:\n%s", out)
	}
}
