package warren_test

import (
	"strings"
	"testing"
)

const routeNets = `
name: rt
nets:
  lan: {cidr: [10.1.0.0/24, "fd00:1::/64"], nodes: [r: 10.1.0.1, q: 10.1.0.2, h: 10.1.0.10]%s}
  far: {cidr: [10.2.0.0/24, "fd00:2::/64"], nodes: [r: 10.2.0.1, x: 10.2.0.10]}
  alt: {cidr: 10.3.0.0/24, nodes: [q: 10.3.0.1, x: 10.3.0.10]}
`

// TestRoutes: gateways and listed routes, as iproute2 shows them.
func TestRoutes(t *testing.T) {
	text := func(gateway, rest string) string { return strings.Replace(routeNets, "%s", gateway, 1) + rest }
	file := lift(t, text("", `
checks:
  - h can ping x
  - h can ping x over 6
  - h can ping x via r
`))
	show := func() string {
		return sh(t, "ip -n rt.h route; ip -n rt.h -6 route; ip -n rt.h route show table 99 2>/dev/null || true")
	}
	cases := []struct {
		name, gateway, rest string
		has, lacks          []string
	}{
		{"auto", "", "", []string{"default via 10.1.0.1 dev lan", "default via fd00:1::1 dev lan"}, nil},
		{"gateway_node", ", gateway: q", "checks: [h can ping x via q]", []string{"default via 10.1.0.2 dev lan", "default via fd00:1::2 dev lan"}, []string{"via 10.1.0.1 "}},
		{"gateway_address", ", gateway: 10.1.0.77", "", []string{"default via 10.1.0.77"}, []string{"via 10.1.0.1 ", "default via fd00"}},
		{"gateway_none", ", gateway: none", "checks: [h cannot ping x on far]", nil, []string{"default"}},
		{"routes_none", "", "nodes: {h: {routes: none}}", nil, []string{"default"}},
		{
			"list", "", `
nodes:
  h:
    routes:
      - 10.9.0.0/16 via r
      - default via q dev lan metric 10
      - 10.8.0.0/24 via 10.1.0.2 src 10.1.0.10 mtu 1400
      - blackhole 10.7.0.0/16
      - unreachable 10.6.0.0/16
      - prohibit fd00:6::/64
      - 10.5.0.0/24 dev lan
      - far via q table 99
      - "fd00:9::/64 via r"
checks:
  - h can ping x on alt via q
`, []string{
				"10.9.0.0/16 via 10.1.0.1 dev lan", "default via 10.1.0.2 dev lan proto 119 metric 10", "10.8.0.0/24 via 10.1.0.2 dev lan proto 119 src 10.1.0.10 mtu 1400",
				"blackhole 10.7.0.0/16", "unreachable 10.6.0.0/16", "prohibit fd00:6::/64", "10.5.0.0/24 dev lan proto 119 scope link", "10.2.0.0/24 via 10.1.0.2", "fd00:9::/64 via fd00:1::1",
			}, []string{"default via 10.1.0.1 "},
		},
		{"list_and_auto", "", "nodes: {h: {routes: [auto, 10.9.0.0/16 via q]}}", []string{"default via 10.1.0.1", "10.9.0.0/16 via 10.1.0.2"}, []string{"blackhole", "10.8.0.0"}},
		{"router_off", "", "nodes: {r: {forward: false}}\nchecks: [h can ping x on alt via q]", []string{"default via 10.1.0.2"}, nil},
		{"back", "", "", []string{"default via 10.1.0.1"}, []string{"10.9.0.0", "blackhole"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			change(t, file, text(c.gateway, c.rest+"\n"))
			got := strings.ReplaceAll(show(), "proto "+protocolName(t), "proto 119")
			want(t, got, c.has...)
			for _, l := range c.lacks {
				if strings.Contains(got, l) {
					t.Errorf("%q should not be in:\n%s", l, got)
				}
			}
		})
	}
}

// protocolName is how iproute2 calls our route protocol.
func protocolName(t *testing.T) string {
	t.Helper()
	f := strings.Fields(sh(t, "ip -n rt.r route show 10.3.0.0/24; ip -n rt.h route show default; ip -n rt.q route show 10.2.0.0/24; echo proto 119"))
	for i, w := range f {
		if w == "proto" {
			return f[i+1]
		}
	}
	return ""
}

// TestSysctls: what the file says holds, and what it no longer says returns to what a fresh namespace has.
func TestSysctls(t *testing.T) {
	const base = "name: sys\nnets:\n  lan: {nodes: [a, b], cidr: [10.1.0.0/24, \"fd00:1::/64\"]}\n"
	get := func(keys string) string {
		return strings.Join(strings.Fields(sh(t, "ip netns exec sys.a sysctl -n "+keys)), " ")
	}
	const keys = "net.ipv4.ip_forward net.ipv4.tcp_keepalive_time net.core.somaxconn net.ipv4.conf.lan.rp_filter net.ipv6.conf.all.forwarding net.ipv4.ping_group_range"
	file := lift(t, base)
	fresh := get(keys)
	change(t, file, base+`nodes:
  a:
    forward: true
    sysctl:
      net.ipv4.tcp_keepalive_time: 77
      net/core/somaxconn: 99
      net.ipv4.conf.lan.rp_filter: 2
      net.ipv4.ping_group_range: 0 1000
`)
	if got := get(keys); got != "1 77 99 2 1 0 1000" {
		t.Errorf("sysctls are %s", got)
	}
	change(t, file, base)
	if got := get(keys); got != fresh {
		t.Errorf("sysctls are %s, want %s as in a fresh namespace", got, fresh)
	}
	sh(t, "ip netns exec sys.a sysctl -qw net.ipv4.ip_forward=1")
	if _, _, code := try(t, "plan", file); code != 2 {
		t.Errorf("plan with a sysctl that somebody changed: exit %d, want 2", code)
	}
	change(t, file, base)
	if got := get(keys); got != fresh {
		t.Errorf("sysctls are %s, want %s", got, fresh)
	}
}
