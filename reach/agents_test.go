package reach_test

import (
	"net/netip"
	"testing"

	"warren/reach"
	"warren/reach/filter"
	"warren/state"
)

// TestAgents: what is outside of the model and in the packet's way makes the answer unknown, by name; what is not in its way
// changes nothing.
func TestAgents(t *testing.T) {
	pre := netip.MustParsePrefix
	to := netip.MustParseAddr("10.0.0.2")
	ping := reach.Flow{Source: "a", Dst: to}
	tcp := reach.Flow{Source: "a", Dst: to, Proto: filter.TCP, Port: 80}
	bound := reach.Flow{Source: "a", Dst: to, Proto: filter.TCP, Port: 80, From: netip.MustParseAddr("10.0.0.1")}
	udp := reach.Flow{Source: "a", Dst: to, Proto: filter.UDP, Port: 53}
	for _, c := range []struct {
		name, ns string
		agent    state.Agent
		flow     reach.Flow
		object   string // "" = the answer is yes
	}{
		{"ipvs", "b", state.Agent{Kind: "ipvs", Name: "virtual service tcp 10.0.0.2:80", Dst: pre("10.0.0.2/32"), Proto: filter.TCP, DPort: 80}, tcp, "ipvs virtual service tcp 10.0.0.2:80"},
		{"ipvs-other-port", "b", state.Agent{Kind: "ipvs", Name: "x", Dst: pre("10.0.0.2/32"), Proto: filter.TCP, DPort: 81}, tcp, ""},
		{"ipvs-other-mark", "b", state.Agent{Kind: "ipvs", Name: "x", Mark: 5}, tcp, ""},
		{"expectation", "b", state.Agent{Kind: "expectation", Name: "ftp", Dst: pre("10.0.0.2/32"), Proto: filter.TCP, DPort: 80}, tcp, "conntrack ftp"},
		{"expectation-of-another", "b", state.Agent{Kind: "expectation", Name: "ftp", Dst: pre("10.0.0.2/32"), Proto: filter.TCP, DPort: 20}, tcp, ""},
		{"arptables", "b", state.Agent{Kind: "arptables", Name: "table filter"}, ping, "arptables table filter"},
		{"xfrm-in", "b", state.Agent{Kind: "xfrm", Name: "p", Dir: "in", Src: pre("10.0.0.0/24"), Dst: pre("0.0.0.0/0")}, ping, "xfrm p"},
		{"xfrm-answer", "b", state.Agent{Kind: "xfrm", Name: "p", Dir: "out", Src: pre("10.0.0.2/32"), Dst: pre("0.0.0.0/0")}, ping, "xfrm p"},
		{"xfrm-forward-only", "b", state.Agent{Kind: "xfrm", Name: "p", Dir: "fwd", Src: pre("0.0.0.0/0"), Dst: pre("0.0.0.0/0")}, ping, ""},
		{"group-connect", "a", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "connect4"}, tcp, "g"},
		{"group-connect-is-not-for-ping", "a", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "connect4"}, ping, ""},
		{"group-connect-other-family", "a", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "connect6"}, tcp, ""},
		{"group-sendmsg", "a", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "sendmsg4"}, udp, "g"},
		{"group-ingress", "b", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "ingress"}, tcp, "g"},
		{"group-ingress-has-no-socket-for-ping", "b", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "ingress"}, ping, ""},
		{"group-ingress-of-the-answer", "a", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "ingress"}, ping, "g"},
		{"group-of-the-listener", "b", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "ingress", Group: 77}, tcp, "g"},
		{"group-of-the-listener-answers", "b", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "egress", Group: 77}, tcp, "g"},
		{"group-of-another-listener", "b", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "ingress", Group: 78}, tcp, ""},
		{"group-of-a-sender", "a", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "egress", Group: 77, Sends: true}, ping, "g"},
		{"group-of-nobody-who-sends", "a", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "egress", Group: 77}, ping, ""},
		{"group-of-a-sender-connects", "a", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "connect4", Group: 77, Sends: true}, tcp, "g"},
		{"group-binds-who-says-from-where", "a", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "bind4"}, bound, "g"},
		{"netfilter-program", "b", state.Agent{Kind: "netfilter-bpf", Name: "g", Dir: "input", Family: "ip"}, ping, "g"},
		{"netfilter-program-elsewhere", "b", state.Agent{Kind: "netfilter-bpf", Name: "g", Dir: "forward", Family: "ip"}, ping, ""},
		{"netfilter-program-other-family", "b", state.Agent{Kind: "netfilter-bpf", Name: "g", Dir: "input", Family: "ip6"}, ping, ""},
		{"group-of-the-asker", "b", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "ingress", Own: true}, ping, ""},
		{"group-bind", "a", state.Agent{Kind: "cgroup-bpf", Name: "g", Dir: "post_bind4"}, tcp, ""},
		{"sk-lookup", "b", state.Agent{Kind: "sk-lookup-bpf", Name: "program 7"}, tcp, "sk_lookup program 7"},
		{"sk-lookup-is-not-for-ping", "b", state.Agent{Kind: "sk-lookup-bpf", Name: "program 7"}, ping, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := p2()
			listening(s, "b")
			ns := s.Namespace(c.ns)
			ns.Agents = []state.Agent{c.agent}
			v, m := reach.Trace(s, c.flow)
			if !m.Empty() {
				t.Fatalf("missing %+v", m)
			}
			judge(t, v, c.object)
		})
	}
}

// TestEncapsulations: a route that wraps packets up leads where nobody knows.
func TestEncapsulations(t *testing.T) {
	s := p2()
	s.Namespace("a").Routes = append(s.Namespace("a").Routes, state.Route{Dst: netip.MustParsePrefix("10.0.0.2/32"), NextHops: []state.NextHop{{Link: "va", Encap: 1}}})
	v, _ := reach.Trace(s, reach.Flow{Source: "a", Dst: netip.MustParseAddr("10.0.0.2")})
	judge(t, v, "encapsulation mpls")
}

// TestDevicesOutsideOfTheModel: what is beyond them, or what they do, is not known.
func TestDevicesOutsideOfTheModel(t *testing.T) {
	for _, c := range []struct {
		name, object string
		change       func(a, b *state.Namespace)
	}{
		{"xdp", "link vb", func(_, b *state.Namespace) { b.Links[1].XDP = "driver" }},
		{"tcx-egress", "link va", func(a, _ *state.Namespace) { a.Links[1].BPF = []string{"tcx egress"} }},
		{"tcx-other-side", "", func(a, _ *state.Namespace) { a.Links[1].BPF = nil }},
		{"tc-filters", "filters of tc on vb", func(_, b *state.Namespace) {
			b.Qdiscs = []state.Qdisc{{Link: "vb", Kind: "clsact", Filters: []string{"flower"}}}
		}},
		{"tc-classes", "", func(a, _ *state.Namespace) {
			a.Qdiscs = []state.Qdisc{{Link: "va", Kind: "prio", Filters: []string{"u32"}}}
		}},
		{"netem", "qdisc netem on va", func(a, _ *state.Namespace) { a.Qdiscs = []state.Qdisc{{Link: "va", Kind: "netem"}} }},
		{"classes-that-must-be-chosen", "qdisc drr on va", func(a, _ *state.Namespace) { a.Qdiscs = []state.Qdisc{{Link: "va", Kind: "drr"}} }},
		{"time-gates", "qdisc taprio on vb", func(_, b *state.Namespace) { b.Qdiscs = []state.Qdisc{{Link: "vb", Kind: "taprio"}} }},
		{"fair-queue", "", func(a, _ *state.Namespace) { a.Qdiscs = []state.Qdisc{{Link: "va", Kind: "fq_codel"}} }},
		{"blackhole-qdisc", "qdisc blackhole on va", func(a, _ *state.Namespace) { a.Qdiscs = []state.Qdisc{{Link: "va", Kind: "blackhole"}} }},
		{"tun", "link va", func(a, _ *state.Namespace) { a.Links[1].Kind, a.Links[1].Peer = "tun", nil }},
		{"wireguard", "link va", func(a, _ *state.Namespace) { a.Links[1].Kind, a.Links[1].Peer = "wireguard", nil }},
		{"bond", "link bond0", func(_, b *state.Namespace) {
			b.Links[1].Master = "bond0"
			b.Links = append(b.Links, state.Link{Name: "bond0", Kind: "bond", Index: 9, Up: true, MTU: 1500, MAC: mac(2)})
		}},
		{"vrf", "link red", func(_, b *state.Namespace) {
			b.Links[1].Master = "red"
			b.Links = append(b.Links, state.Link{Name: "red", Kind: "vrf", Index: 9, Up: true, MTU: 1500})
		}},
		{"vrf-of-the-sender", "link red", func(a, _ *state.Namespace) {
			a.Links[1].Master = "red"
			a.Links = append(a.Links, state.Link{Name: "red", Kind: "vrf", Index: 9, Up: true, MTU: 1500})
		}},
		{"queue", "", func(_, b *state.Namespace) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := p2()
			c.change(s.Namespace("a"), s.Namespace("b"))
			v, m := reach.Trace(s, reach.Flow{Source: "a", Dst: netip.MustParseAddr("10.0.0.2")})
			if !m.Empty() {
				t.Fatalf("missing %+v", m)
			}
			judge(t, v, c.object)
		})
	}
}

// judge wants a yes, or an unknown that names an object.
func judge(t *testing.T, v reach.Verdict, object string) {
	t.Helper()
	if object == "" {
		if v.Reachable != reach.Yes {
			t.Errorf("%s: %+v %+v", v.Reachable, v.Reason, v.Unknowns)
		}
		return
	}
	for _, u := range v.Unknowns {
		if u.Object == object && v.Reachable == reach.Unknown {
			return
		}
	}
	t.Errorf("%s, and no unknown names %q: %+v %+v", v.Reachable, object, v.Reason, v.Unknowns)
}

// listening has a namespace serve the ports that the tests ask for.
func listening(s *state.Snapshot, key string) {
	ns := s.Namespace(key)
	ns.Sockets = []state.Socket{
		{Protocol: "tcp", State: "LISTEN", Local: netip.MustParseAddrPort("0.0.0.0:80"), CgroupID: 77},
		{Protocol: "udp", State: "UNCONN", Local: netip.MustParseAddrPort("0.0.0.0:53")},
	}
}
