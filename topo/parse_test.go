package topo_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"warren/topo"
)

var sameLab = cmp.Options{
	cmpopts.IgnoreUnexported(topo.Lab{}), cmpopts.IgnoreFields(topo.Lab{}, "File"), cmpopts.IgnoreTypes(topo.Pos{}), cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
}

func parse(t *testing.T, text string) *topo.Lab {
	t.Helper()
	l, err := topo.Parse("/labs/test/warren.yaml", []byte(text))
	if err != nil {
		t.Fatalf("parse:\n%s\n%v", text, err)
	}
	return l
}

// again checks that the expanded form of a lab reads back as the same lab.
func again(t *testing.T, l *topo.Lab) {
	t.Helper()
	out, err := topo.FormatExpanded(l)
	if err != nil {
		t.Fatalf("format: %v", err)
	}
	m, err := topo.Parse("/elsewhere/x.yaml", out)
	if err != nil {
		t.Fatalf("read the expanded form again: %v\n%s", err, out)
	}
	if diff := cmp.Diff(l, m, sameLab); diff != "" {
		t.Fatalf("the expanded form is another lab (-first +second):\n%s\n%s", diff, out)
	}
}

func TestParseSmallest(t *testing.T) {
	l := parse(t, "nets:\n  lan: [h1, r]\n  wan: [r, h2]\nnodes:\n  r: {nat: wan}\n")
	if l.Name != "test" {
		t.Errorf("name = %q, want the folder's", l.Name)
	}
	var names []string
	for _, n := range l.Nodes {
		names = append(names, n.Name)
	}
	if diff := cmp.Diff([]string{"h1", "r", "h2"}, names); diff != "" {
		t.Errorf("nodes: %s", diff)
	}
	if !*l.Nodes[1].Forward || *l.Nodes[0].Forward {
		t.Errorf("forward: only r is on two nets")
	}
	if l.Nets[0].Kind != topo.KindPair {
		t.Errorf("kind = %q, want a pair", l.Nets[0].Kind)
	}
	again(t, l)
}

const everything = `
name: all-of-it
x-mine: &hosts {mtu: 1400}
defaults: {mtu: 1500, ipv6: true, pool4: 172.16.0.0/12, pool6: "fd00:aaaa::/48"}
nets:
  up: {uplink: {nat: false}, nodes: [gw, pub], cidr: 198.51.100.0/24, gateway: 198.51.100.254}
  lan:
    cidr: [10.0.0.0/24, "fd01::/64"]
    gateway: gw
    nodes:
      - gw
      - h[01-03]
      - fix: 10.0.0.7/24
      - more: {ip: [10.0.0.8, "fd01::8"], mac: 02:00:5e:00:53:01, if: eth0, mtu: 1400}
  quiet: {nodes: {gw: {}, q1: 10.9.0.1/24}, internal: true, ipv6: false, dns: false}
  apart: {isolated: true, stp: true, nodes: [gw, i1, i2], gateway: none}
links:
  - gw -- far
  - gw -- far: *hosts
  - far -- {<<: *hosts}
nodes:
  gw:
    nat: [up, {to: quiet, address: 10.9.0.99}]
    dnat: [up:80 -> h01:8080, up:8000-8010 -> fix:9000-9010/udp, "up:443 -> [fd01::9]:8443/tcp"]
    allow: {forward: [lan -> up, h[01-03] -> fix:22, all -> 10.0.0.0/24:80-90/udp, "[fd01::]/64 -> all/icmp"], in: []}
    deny: {forward: [fix -> up drop, drop], out: [udp 53 to h01 drop]}
    routes: [auto, 10.99.0.0/16 via far, default via host metric 50, blackhole 10.98.0.0/16, lan dev up src 198.51.100.254 table 7 mtu 1300]
    sysctl: {net.ipv4.tcp_syncookies: 0, net/ipv4/conf/lan/log_martians: on}
  pub:
    publish: [8080:80, "127.0.0.1:53:53/udp", "[::1]:443:443", 8000-8010:9000-9010/tcp]
    run: [sleep, infinity]
    ready: log "it is \"up\""
    after: [far, h01/b]
    env: {B: "2 ", A: 1}
    stop: INT within 2s
    dir: data
    user: nobody
    logs: none
  h01:
    services:
      a: sleep 1 && sleep 2
      b: {cmd: "x: y # z", ready: {http: ":80/x", within: 1m}, after: a, logs: out.log}
      c: {cmd: true, ready: cmd test -e /tmp/x within 3s}
  far: {run: sleep 9, ready: udp 53, routes: none, ip: {gw-far: 192.168.7.2/24}}
  old: {netns: "pid:17", hosts: {db: [10.0.0.1, "fd01::1"]}, dns: [1.1.1.1, 2606:4700:4700::1111]}
checks:
  - h[01-02] can ping far via gw retry 2s
  - all cannot tcp fix:22 on lan within 500ms over 4
  - pub can http http://fix:8080/x/y?z=1
  - pub can http fix:8080/healthz
  - host can tcp 127.0.0.1:8080
  - h01 can mtu 1400 to more
  - h01 can dns fix.lan
  - lan can ping all on lan
  - h01 can tcp [fd01::8]:80
`

func TestParseEverything(t *testing.T) {
	text := strings.Replace(everything, "  - far -- {<<: *hosts}\n", "", 1)
	text = strings.Replace(text, `"[fd01::]/64 -> all/icmp"`, `"[fd01::/64] -> all/icmp"`, 1)
	l := parse(t, text)
	again(t, l)
	pub := l.Nodes[1]
	want := topo.Service{
		Name: "run", Cmd: topo.Command{Argv: []string{"sleep", "infinity"}}, Ready: topo.Ready{Kind: "log", Text: `it is "up"`, Within: 30 * time.Second},
		After: []string{"far", "h01/b"}, Env: []string{"A=1", "B=2 "}, Dir: "data", User: "nobody", Stop: topo.Stop{Signal: "INT", Within: 2 * time.Second}, Logs: "none",
	}
	if diff := cmp.Diff(want, pub.Services[0]); diff != "" {
		t.Errorf("service of pub: %s", diff)
	}
	if got := l.Nets[4].Name + " " + l.Nets[5].Name; got != "gw-far gw-far-2" {
		t.Errorf("links are called %s", got)
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"UnknownKey", "nets:\n  a: {nodes: [x, y], cdir: 10.0.0.0/24}", `f.yaml:2:22: unknown key "cdir" in a net (hint: did you mean cidr?)`},
		{"UnknownTop", "net: {}", `f.yaml:1:1: unknown key "net" in the lab file (hint: did you mean nets?)`},
		{"Later", "faults: {}\nnets:\n  a: {nodes: [x], vlan: 5, link: {delay: 1ms}}", "f.yaml:1:1: faults: not supported yet\nf.yaml:3:19: vlan: not supported yet\nf.yaml:3:28: link: not supported yet"},
		{"LaterKind", "nets:\n  a: {nodes: [x], kind: vxlan}", "f.yaml:2:25: kind vxlan: not supported yet"},
		{"LaterMember", "nets:\n  a: [{x: {delay: 1ms}}]", "f.yaml:2:12: delay: not supported yet"},
		{"LaterNode", "nodes:\n  a: {run: x, restart: always, frr: x, devices: [eth1]}", "f.yaml:2:15: restart: not supported yet\nf.yaml:2:32: frr: not supported yet\nf.yaml:2:40: devices: not supported yet"},
		{"Twice", "nets:\n  a: [x]\n  a: [y]", `f.yaml:3:3: mapping key "a" already defined at [2:3]`},
		{"TwiceInFlow", "nets: {a: [x], a: [y]}", `f.yaml:1:16: mapping key "a" already defined at [1:8]`},
		{"TwoDocuments", "nets: {}\n---\nnets: {}", "f.yaml:3:1: the file holds more than one document (hint: one file is one lab)"},
		{"Tab", "nets:\n\ta: [x]", "f.yaml:2:1: found character 'tab' that cannot start any token (hint: indent with spaces)"},
		{"Boolean", "nets:\n  a: {nodes: [x], uplink: yes}", `f.yaml:2:27: uplink is true or false, not "yes" (hint: YAML 1.2 knows true and false)`},
		{"BadName", "nets:\n  a: [../../etc/x]", "f.yaml:2:7: name of node: \"../../etc/x\" holds '/', which no name may have"},
		{"BadLab", "name: ../x\n", "f.yaml:1:7: name of lab: \"../x\" holds '/', which no name may have"},
		{"Reserved", "nets:\n  lo: [x]\n  b: [host]", "f.yaml:2:3: name of net: \"lo\" is reserved\nf.yaml:3:7: name of node: \"host\" is reserved"},
		{"BadCIDR", "nets:\n  a: {cidr: 10.0.0.1/24, nodes: [x]}", `f.yaml:2:13: cidr: "10.0.0.1/24" has bits beyond its length (the prefix is 10.0.0.0/24)`},
		{
			"Overlap", "nets:\n  a: {cidr: 10.0.0.0/8, nodes: [x]}\n  b: {cidr: 10.1.0.0/24, nodes: [x]}\n  c: {cidr: 10.2.0.0/24, nodes: [x]}",
			"f.yaml:3:13: net b: 10.1.0.0/24 overlaps 10.0.0.0/8 of net a\nf.yaml:4:13: net c: 10.2.0.0/24 overlaps 10.0.0.0/8 of net a",
		},
		{
			"Outside", "nets:\n  a: {cidr: 10.0.0.0/24, nodes: [x: 10.0.1.1, y: 10.0.0.255]}",
			"f.yaml:2:34: net a: 10.0.1.1 of x is not in 10.0.0.0/24\nf.yaml:2:47: net a: 10.0.0.255 of y is the address of the net itself or its broadcast address",
		},
		{"SameAddress", "nets:\n  a: {cidr: 10.0.0.0/24, nodes: [x: 10.0.0.1, y: 10.0.0.1]}", "f.yaml:2:47: net a: x and y both have 10.0.0.1"},
		{"SameMAC", "nets:\n  a: [x: {mac: 02:00:00:00:00:01}, y: {mac: 02:00:00:00:00:01}]", "f.yaml:2:36: net a: x and y both have 02:00:00:00:00:01"},
		{"NoLength", "nets:\n  a: [x: 10.0.0.1]", "f.yaml:2:7: net a: 10.0.0.1 of x needs the length of its prefix (hint: write 10.0.0.1/24, or give the net a cidr)"},
		{"TooSmall", "nets:\n  a: {cidr: 10.0.0.0/30, nodes: [h[1-3]]}", "f.yaml:2:13: net a: 10.0.0.0/30 has room for 2 addresses, 3 are needed (hint: 10.0.0.0/29 would do)"},
		{"MemberTwice", "nets:\n  a: [x, h[1-3], h2]", "f.yaml:2:18: net a: h2 is a member twice"},
		{"CheckNode", "nets:\n  a: [web, y]\nchecks:\n  - y can ping wbe", "f.yaml:4:5: check: there is no node wbe (hint: did you mean web?)"},
		{"CheckWord", "nets:\n  a: [web, y]\nchecks:\n  - y may ping web", `f.yaml:4:5: check: "y may ping web": the second word is "may", not can or cannot`},
		{"CheckHost", "nets:\n  a: [x, y]\nchecks: [x can ping host]", "f.yaml:3:10: check: nothing reaches the host without an uplink (hint: uplink: true)"},
		{"PublishNoUplink", "nets:\n  a: [x, y]\nnodes:\n  x: {publish: [80:80]}", "f.yaml:4:17: publish of x: it is on no net with an uplink (hint: uplink: true at one of its nets)"},
		{"PublishRange", "nets:\n  a: {uplink: true, nodes: [x]}\nnodes:\n  x: {publish: [80-82:80-81]}", `f.yaml:4:17: publish: "80-82:80-81": 3 ports at the host, 2 at the node`},
		{
			"PublishClash", "nets:\n  a: {uplink: true, nodes: [x, y]}\nnodes:\n  x: {publish: [80:80]}\n  y: {publish: [127.0.0.1:79-81:79-81]}",
			"f.yaml:5:17: publish of y: 127.0.0.1:79-81:79-81/tcp clashes with 80:80/tcp of x",
		},
		{"Via", "nets:\n  a: [x, y]\n  b: [y, z]\nnodes:\n  x: {routes: [10.9.0.0/16 via z]}", "f.yaml:5:16: route of x: z cannot be reached: no net has both (hint: a gateway is on a net of the node)"},
		{"After", "nodes:\n  a: {run: x, after: b}\n  b: {run: y, after: a}", "f.yaml:2:12: services wait for each other: a/run -> b/run -> a/run"},
		{"AfterNothing", "nodes:\n  a: {run: x, after: bb}\n  b: {run: y}", "f.yaml:2:22: service run of a: after bb, which is no service and no node with services (hint: did you mean b?)"},
		{"NoCmd", "nodes:\n  a: {services: {s: {ready: tcp 80}}}", "f.yaml:2:18: service s of a has no cmd (hint: cmd: COMMAND)"},
		{"ReadyAlone", "nodes:\n  a: {ready: tcp 80}", "f.yaml:2:14: node a has no run that this belongs to (hint: write run: COMMAND beside it, or put it into the service)"},
		{"NAT", "nets:\n  lan: [x, y]\nnodes:\n  x: {nat: lam}", "f.yaml:4:12: nat of x: there is no net lam (hint: did you mean lan?)"},
		{"Allow", "nets:\n  lan: [x, y]\n  wan: [x, z]\nnodes:\n  x: {allow: [lan -> wam]}", "f.yaml:5:15: allow of x: there is no node and no net wam (hint: did you mean wan?)"},
		{"DNAT", "nets:\n  lan: [x, y]\n  wan: [x, z]\nnodes:\n  x: {dnat: [wan:80 -> q:80]}", "f.yaml:5:14: dnat of x: there is no node q"},
		{
			"Sysctl", "nodes:\n  x: {sysctl: {kernel.panic: 1, net.ipv4.ip_forward: 1, net/../x: 1}}",
			`f.yaml:2:16: sysctl "kernel.panic" is not a net.* key: only those belong to a namespace` + "\n" + `f.yaml:2:57: sysctl "net/../x": ".." is not a name`,
		},
		{"Forward", "nodes:\n  x: {sysctl: {net.ipv4.ip_forward: 1}}", "f.yaml:2:16: node x: sysctl net/ipv4/ip_forward is what forward sets (hint: forward: true or false)"},
		{
			"Aliases", "a: &a [1, 1, 1, 1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e]\ng: [*f, *f]",
			"f.yaml:1:1: the file holds more than 400000 values when its aliases are written out",
		},
		{"AliasCycle", "a: &a [*a]", "f.yaml:1:8: no anchor &a stands before this alias"},
		{"Deep", "a: " + strings.Repeat("[", 50) + strings.Repeat("]", 50), "f.yaml:1:43: lists and maps are nested more than 40 deep"},
		{"Huge", strings.Repeat("# nothing\n", 1<<20), "f.yaml:1:1: the file has 10485760 bytes, the limit is 2097152"},
		{"Tag", "name: !!str x", "f.yaml:1:7: tags such as !!str are not understood (hint: leave it out)"},
		{"BigRange", "nets: {a: [h[1-99999]]}", `f.yaml:1:12: "h[1-99999]" is not a range of 1 to 10000 names (h[1-50] is one)`},
		{"NameClash", "nets:\n  a: [x, y]\n  b: [x: {if: a}, y]", "f.yaml:3:7: node x has two interfaces called a, on a and b"},
		{"Ambiguous", "nets:\n  web: [web, x]\nchecks: [web can ping x]", "f.yaml:3:10: check: web is a node and a net (hint: rename one of them)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := topo.Parse("f.yaml", []byte(c.text))
			if err == nil {
				t.Fatalf("no error, want %s", c.want)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", c.text, diff)
			}
			if len(topo.Problems(err)) == 0 {
				t.Errorf("no *topo.Error in %v", err)
			}
		})
	}
}

// TestParseIsBounded feeds what makes parsers slow.
func TestParseIsBounded(t *testing.T) {
	for name, s := range map[string]string{
		"Keys":      numbered(100_000, "k%d: x\n"),
		"FlowKeys":  "a: {" + numbered(60_000, "k%d: x, ") + "}",
		"Dashes":    strings.Repeat("- ", 1<<19),
		"Brackets":  strings.Repeat("[", 1<<20),
		"Braces":    strings.Repeat("{a: ", 1<<18),
		"Colons":    strings.Repeat("a: ", 1<<18),
		"Anchors":   strings.Repeat("&a ", 1<<18),
		"Tags":      strings.Repeat("!a\n", 1<<17),
		"Documents": strings.Repeat("--- a\n", 1<<17),
		"Questions": strings.Repeat("? ", 1<<19),
		"Ranges":    "nets: {a: [" + strings.Repeat("h[1-9999], ", 1000) + "]}",
		"Quotes":    strings.Repeat("'", 1<<20+1),
		"Members":   "nets:\n" + numbered(11_000, " n%d: [h[1-1000]]\n"),
		"Checks":    "nets: {a: [h[1-100]]}\nchecks:\n" + strings.Repeat("- h[1-100] can ping h[1-100]\n", 100),
	} {
		t.Run(name, func(t *testing.T) {
			begin := processorTime(t)
			_, _ = topo.Parse("x", []byte(s))
			if d := processorTime(t) - begin; d > 10*time.Second {
				t.Errorf("%d bytes took %v", len(s), d)
			}
		})
	}
}

// processorTime is what the process used so far: on a busy machine the clock says nothing about the work.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Replace(format, "%d", itoa(i), 1))
	}
	return b.String()
}
