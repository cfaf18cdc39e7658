package topo_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"warren/state"
	"warren/topo"
)

var sameState = cmp.Options{cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{}, netip.AddrPort{}, state.Value{}), cmpopts.EquateEmpty()}

func expand(t *testing.T, text string, in topo.Inputs) *topo.Expanded {
	t.Helper()
	x, err := topo.Expand(parse(t, text), in)
	if err != nil {
		t.Fatalf("expand: %v", err)
	}
	return x
}

func addrsOf(x *topo.Expanded) map[string]string {
	m := map[string]string{}
	for _, n := range x.Nodes {
		for _, a := range n.Addrs {
			m[n.Name+"@"+a.Net] += a.Prefix.String() + " "
		}
	}
	for k, v := range m {
		m[k] = strings.TrimSpace(v)
	}
	return m
}

func TestAddressesStay(t *testing.T) {
	before := expand(t, "nets:\n  lan: [r, a, b]\n  wan: [r, c]\n", topo.Inputs{})
	var live []topo.LiveAddr
	for _, n := range before.Nodes {
		for _, a := range n.Addrs {
			live = append(live, topo.LiveAddr{Node: n.Name, Net: a.Net, Prefix: a.Prefix})
		}
	}
	// A net in front, a member in front, and a prefix that the host took meanwhile: nothing moves.
	after := expand(t, "nets:\n  new: [x, y]\n  lan: [z, r, b, a]\n  wan: [r, c]\n", topo.Inputs{Live: live})
	got := addrsOf(after)
	for k, v := range addrsOf(before) {
		if got[k] != v {
			t.Errorf("%s moved from %s to %s", k, v, got[k])
		}
	}
	if got["z@lan"] != "10.0.0.4/24" || got["x@new"] != "10.0.2.1/24" {
		t.Errorf("new addresses: z %s, x %s", got["z@lan"], got["x@new"])
	}
}

func TestPoolsAvoidTheHost(t *testing.T) {
	x := expand(t, "nets:\n  lan: [a, b]\n  up: {uplink: true, nodes: [a]}\n", topo.Inputs{Used: []topo.Used{
		{Prefix: netip.MustParsePrefix("0.0.0.0/0")}, {Prefix: netip.MustParsePrefix("10.0.0.0/16"), Owner: "eth0"},
	}})
	want := map[string]string{"a@lan": "10.1.0.1/24", "b@lan": "10.1.0.2/24", "a@up": "10.1.1.2/24"}
	if diff := cmp.Diff(want, addrsOf(x)); diff != "" {
		t.Error(diff)
	}
	_, err := topo.Expand(parse(t, "nets:\n  up: {uplink: true, cidr: 10.0.5.0/24, nodes: [a]}\n"), topo.Inputs{Used: []topo.Used{{Prefix: netip.MustParsePrefix("10.0.0.0/16"), Owner: "lab shop"}}})
	want1 := "/labs/test/warren.yaml:2:28: net up: 10.0.5.0/24 overlaps 10.0.0.0/16 of lab shop (hint: another cidr, or none: a free one is chosen then)"
	if err == nil || err.Error() != want1 {
		t.Errorf("got %v\nwant %s", err, want1)
	}
}

func TestLargeNetGetsLargePrefix(t *testing.T) {
	x := expand(t, "nets:\n  lan: [h[1-1000]]\n  b: [x, y]\n", topo.Inputs{})
	if got := fmt.Sprint(x.Nets[0].Prefixes, x.Nets[1].Prefixes); got != "[10.0.0.0/22] [10.0.4.0/24]" {
		t.Errorf("prefixes %s", got)
	}
}

// TestBridgesAreChained: no bridge has more ports than the kernel allows, all are connected, and an isolated net stays isolated
// across them.
func TestBridgesAreChained(t *testing.T) {
	for _, isolated := range []bool{false, true} {
		x := expand(t, fmt.Sprintf("name: big\nnets:\n  lan: {isolated: %v, nodes: [h[1-2500], r]}\n  up: {uplink: true, nodes: [r]}\n", isolated), topo.Inputs{})
		ns := x.Desired.Namespace("big.@switch")
		ports := map[string]int{}
		for _, l := range ns.Links {
			if l.Master == "" {
				continue
			}
			ports[l.Master]++
			open := slices.Contains(l.AltNames, "warren.big.lan.r") || strings.Contains(l.AltNames[0], "@leaf")
			if got := l.Port != nil && l.Port.Isolated != nil && *l.Port.Isolated; got != (isolated && !open) {
				t.Errorf("isolated=%v: port %v is isolated: %v", isolated, l.AltNames, got)
			}
			if slices.Contains(l.AltNames, "warren.big.lan.r") && l.Master != x.Nets[0].Bridge {
				t.Errorf("the router is not at the first bridge")
			}
		}
		if len(ports) != 3 {
			t.Errorf("%d bridges, want 3", len(ports))
		}
		for b, n := range ports {
			if n > 1023 {
				t.Errorf("bridge %s has %d ports", b, n)
			}
		}
	}
}

func TestRoutes(t *testing.T) {
	text := `
name: l
nets:
  up: {uplink: true, cidr: 10.100.0.0/24, nodes: [r1]}
  a: {cidr: 10.1.0.0/24, nodes: [r1, r2, ha]}
  b: {cidr: 10.2.0.0/24, nodes: [r2, hb]}
  hid: {cidr: 10.3.0.0/24, nodes: [n, hh]}
  in: {cidr: 10.4.0.0/24, internal: true, nodes: [r2, hi]}
links:
  - r2 -- n: {name: pn, cidr: 10.5.0.0/24}
nodes:
  n: {nat: pn}
  hb: {routes: [auto, 10.9.0.0/16 via r2, blackhole 10.8.0.0/16, a via 10.2.0.1 metric 5]}
  ha: {routes: none}
`
	x := expand(t, text, topo.Inputs{})
	want := map[string]string{
		"l.r1": "0.0.0.0/0>10.100.0.1@up 10.2.0.0/24>10.1.0.2@a 10.5.0.0/24>10.1.0.2@a",
		"l.r2": "0.0.0.0/0>10.1.0.1@a 10.100.0.0/24>10.1.0.1@a",
		"l.ha": "",
		"l.hb": "0.0.0.0/0>10.2.0.1@b 10.1.0.0/24>10.2.0.1@b 10.8.0.0/16> 10.9.0.0/16>10.2.0.1@b",
		"l.hh": "0.0.0.0/0>10.3.0.1@hid",
		"l.hi": "",
		"l.n":  "0.0.0.0/0>10.5.0.1@pn 10.1.0.0/24>10.5.0.1@pn 10.2.0.0/24>10.5.0.1@pn 10.100.0.0/24>10.5.0.1@pn",
		"host": "10.1.0.0/24>10.100.0.2@" + x.Uplinks[0].Bridge + " 10.2.0.0/24>10.100.0.2@" + x.Uplinks[0].Bridge + " 10.5.0.0/24>10.100.0.2@" + x.Uplinks[0].Bridge,
	}
	got := map[string]string{}
	for _, ns := range x.Desired.Namespaces {
		if ns.Name == "l.@switch" {
			continue
		}
		var list []string
		for _, r := range ns.Routes {
			var s strings.Builder
			s.WriteString(r.Dst.String() + ">")
			for _, h := range r.NextHops {
				s.WriteString(h.Via.String() + "@" + h.Link)
			}
			list = append(list, s.String())
		}
		got[ns.Name] = strings.Join(list, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}

func TestExpandProblems(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"PoolFull", "defaults: {pool4: 10.0.0.0/24}\nnets:\n  a: [x, y]\n  b: [y, z]\n", "net b: no prefix: 10.0.0.0/24 has no free /24: nothing is left"},
		{"PoolSmall", "defaults: {pool4: 10.0.0.0/24}\nnets:\n  a: [h[1-300]]\n", "net a: no prefix: no /23 fits into 10.0.0.0/24"},
		{"Gateway", "nets:\n  a: [x, y]\nnodes:\n  x: {routes: [10.9.0.0/16 via 10.77.0.1]}\n", `route of x: "10.9.0.0/16 via 10.77.0.1": its gateway cannot be reached`},
		{"PublishFamily", "nets:\n  a: {uplink: true, nodes: [x, y]}\nnodes:\n  x: {publish: \"[::]:80:80\"}\n", "publish of x: [::]:80:80/tcp: the node has no address of this family on a net with an uplink"},
		{"TooMany", "nets:\n  a: [h[1-9999], i[1-9999], j[1-9999]]\n", "net a: 29997 members are more than the 21000 that one net can have"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := topo.Expand(parse(t, c.text), topo.Inputs{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			for _, p := range topo.Problems(err) {
				if p.Line == 0 {
					t.Errorf("no position in %v", p)
				}
			}
		})
	}
}

func TestPublishElements(t *testing.T) {
	x := expand(t, "name: p\nnets:\n  up: {uplink: true, cidr: [10.1.0.0/24, \"fd00::/64\"], nodes: [a, b]}\nnodes:\n  a: {publish: [80:8080, \"127.0.0.1:53:53/udp\", \"[::1]:99:99\"]}\n  b: {publish: 90-91:8090-8091}\n", topo.Inputs{})
	host := x.Desired.Namespace("host")
	count := map[string]int{}
	for _, s := range host.Tables[0].Sets {
		count[s.Name] = len(s.Elements)
		for _, el := range s.Elements {
			if !strings.HasPrefix(el.Comment, "p/") {
				t.Errorf("element of %s is not marked: %q", s.Name, el.Comment)
			}
		}
	}
	want := map[string]int{"bridges": 1, "masquerade": 1, "open": 1, "same": 1, "self4": 2, "self6": 2, "routed": 0, "publish4": 1, "publish4_any": 3, "publish6": 0, "publish6_any": 3}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Error(diff)
	}
	proxies := 0
	for _, p := range x.Publishes {
		if p.Proxy {
			proxies++
		}
	}
	if proxies != 4 {
		t.Errorf("%d proxies, want 4: ::1 of three wildcards and one that is asked for", proxies)
	}
}

// TestOrderDoesNotMatter: with fixed prefixes and addresses the order of nets, members and nodes changes nothing but routes
// among equally short paths (the labs below have only one).
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(rt, "nets")
		var nets []string
		for i := range n {
			var members []string
			if i > 0 {
				members = append(members, fmt.Sprintf("r%d: 10.0.%d.1", i, i))
			}
			if i+1 < n {
				members = append(members, fmt.Sprintf("r%d: 10.0.%d.2", i+1, i))
			}
			for h := range rapid.IntRange(0, 4).Draw(rt, "hosts") {
				members = append(members, fmt.Sprintf("h%dx%d: 10.0.%d.%d", i, h, i, 10+h))
			}
			nets = append(nets, fmt.Sprintf("  n%d: {cidr: 10.0.%d.0/24, gateway: %s, nodes: [%s]}\n", i, i, gatewayOf(i, n),
				strings.Join(rapid.Permutation(members).Draw(rt, "members"), ", ")))
		}
		nodes := []string{"  h0x0: {run: x, sysctl: {net.ipv4.a: 1, net.ipv4.b: 2}}\n", "  extra: {run: y}\n", "  more: {}\n"}
		file := func(a, b []string, swap bool) string {
			x, y := "nets:\n"+strings.Join(a, ""), "nodes:\n"+strings.Join(b, "")
			if swap {
				x, y = y, x
			}
			return "name: o\n" + x + y
		}
		one := file(nets, nodes, false)
		two := file(rapid.Permutation(nets).Draw(rt, "order"), rapid.Permutation(nodes).Draw(rt, "nodes"), rapid.Bool().Draw(rt, "swap"))
		la, err := topo.Parse("x", []byte(one))
		if err != nil {
			rt.Fatalf("%s\n%v", one, err)
		}
		lb, err := topo.Parse("x", []byte(two))
		if err != nil {
			rt.Fatalf("%s\n%v", two, err)
		}
		xa, err := topo.Expand(la, topo.Inputs{})
		if err != nil {
			rt.Fatal(err)
		}
		xb, err := topo.Expand(lb, topo.Inputs{})
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(xa.Desired, xb.Desired, sameState); diff != "" {
			rt.Fatalf("%s\n%s\n%s", one, two, diff)
		}
		xc, err := topo.Expand(la, topo.Inputs{})
		if err != nil || cmp.Diff(xa.Desired, xc.Desired, sameState) != "" {
			rt.Fatalf("expanding twice is not the same: %v", err)
		}
	})
}

func gatewayOf(i, n int) string {
	if i > 0 {
		return fmt.Sprintf("r%d", i)
	}
	if n > 1 {
		return "r1"
	}
	return "auto"
}

func TestLabInGo(t *testing.T) {
	lab := &topo.Lab{
		Name: "pair",
		Nets: []topo.Net{
			{Name: "lan", Members: []topo.Member{{Node: "h1"}, {Node: "r"}}},
			{Name: "wan", Members: []topo.Member{{Node: "r"}, {Node: "h2"}}},
		},
		Nodes:  []topo.Node{{Name: "r", NAT: []topo.NAT{{To: "wan"}}}},
		Checks: []topo.Check{topo.MustCheck("h1 can ping h2")},
	}
	x, err := topo.Expand(lab, topo.Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	y := expand(t, "name: pair\nnets:\n  lan: [h1, r]\n  wan: [r, h2]\nnodes:\n  r: {nat: wan}\n", topo.Inputs{})
	if diff := cmp.Diff(x.Desired, y.Desired, sameState); diff != "" {
		t.Errorf("a lab in Go and in a file differ:\n%s", diff)
	}
	if lab.Nets[0].Kind != "" || len(lab.Nodes) != 1 {
		t.Errorf("Expand changed its argument: %+v", lab)
	}
}

func BenchmarkThousand(b *testing.B) {
	data := []byte("name: star\nnets:\n  lan: {uplink: true, nodes: [h[1-1000]]}\n")
	b.ReportAllocs()
	for b.Loop() {
		l, err := topo.Parse("x", data)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := topo.Expand(l, topo.Inputs{}); err != nil {
			b.Fatal(err)
		}
	}
}
