package reach_test

import (
	"net/netip"
	"testing"

	"warren/reach"
	"warren/reach/filter"
	"warren/state"
)

// r3 is a router r between a (10.0.1.2) and b (10.0.2.2), with the rules of one chain at its hook forward, policy drop.
func r3(rules ...state.Expr) *state.Snapshot {
	link := func(name string, n byte, ns, peer string, index, far int) state.Link {
		return state.Link{Name: name, Kind: "veth", Index: index, Up: true, MTU: 1500, MAC: mac(n), IPv4: []int32{1}, Peer: &state.Peer{NS: ns, Name: peer, Index: far}}
	}
	end := func(key, dev, port string, far int, n byte, prefix, via string) state.Namespace {
		return state.Namespace{Name: key, Contents: state.Contents{
			Links: []state.Link{loLink(), link(dev, n, "r", port, 2, far)}, Addrs: []state.Addr{{Link: dev, Prefix: netip.MustParsePrefix(prefix)}},
			Routes: []state.Route{{Dst: netip.MustParsePrefix("0.0.0.0/0"), NextHops: []state.NextHop{{Via: netip.MustParseAddr(via), Link: dev}}}},
		}}
	}
	r := state.Namespace{Name: "r", Contents: state.Contents{
		Links: []state.Link{loLink(), link("r1", 11, "a", "va", 2, 2), link("r2", 12, "b", "vb", 3, 2)},
		Addrs: []state.Addr{{Link: "r1", Prefix: netip.MustParsePrefix("10.0.1.1/24")}, {Link: "r2", Prefix: netip.MustParsePrefix("10.0.2.1/24")}},
	}}
	chain := state.Chain{Name: "fw", Hook: &state.Hook{Type: "filter", Hook: "forward", Policy: "drop"}}
	for i, x := range rules {
		rule := state.FirewallRule{Handle: uint64(i + 2), Exprs: []state.Expr{x}}
		if i > 0 && x.Verdict != nil {
			chain.Rules[len(chain.Rules)-1].Exprs = append(chain.Rules[len(chain.Rules)-1].Exprs, x)
			continue
		}
		chain.Rules = append(chain.Rules, rule)
	}
	r.Tables = []state.Table{{Family: "inet", Name: "t", Chains: []state.Chain{chain}, Flowtables: []state.Flowtable{{Name: "f", Devices: []string{"r1", "r2"}}}}}
	s := &state.Snapshot{Namespaces: []state.Namespace{end("a", "va", "r1", 2, 1, "10.0.1.2/24", "10.0.1.1"), end("b", "vb", "r2", 3, 2, "10.0.2.2/24", "10.0.2.1"), r}}
	listening(s, "b")
	return s
}

// TestFlowtables: "flow add" ends the rule for the packets that begin a connection, and takes the connection later; what a
// connection that is in a flowtable already goes through cannot be told.
func TestFlowtables(t *testing.T) {
	to := netip.MustParseAddr("10.0.2.2")
	ping := reach.Flow{Source: "a", Dst: to}
	tcp := reach.Flow{Source: "a", Dst: to, Proto: filter.TCP, Port: 80}
	udp := reach.Flow{Source: "a", Dst: to, Proto: filter.UDP, Port: 53}
	old := udp
	old.SrcPort = 4000
	accept, drop := state.Expr{Verdict: &state.Verdict{Kind: "accept"}}, state.Expr{Verdict: &state.Verdict{Kind: "drop"}}
	flow := state.Expr{FlowAdd: "f"}
	fresh, established := state.CTState("new")[0], state.CTState("established")[0]
	for _, c := range []struct {
		name   string
		rules  []state.Expr
		flow   reach.Flow
		object string // of an unknown, "" = yes
		code   reach.Code
	}{
		{"udp", []state.Expr{flow, established, accept, fresh, accept}, udp, "", ""},
		{"tcp", []state.Expr{flow, established, accept, fresh, accept}, tcp, "", ""},
		{"ping", []state.Expr{flow, established, accept, fresh, accept}, ping, "", ""},
		{"first-packets-are-not-taken", []state.Expr{flow, accept}, udp, "", reach.FilterDrop},
		{"answers-of-udp-are", []state.Expr{fresh, accept, flow, accept}, udp, "", ""},
		{"answers-of-tcp-are-not", []state.Expr{fresh, accept, flow, accept}, tcp, "", reach.FilterDrop},
		{"answers-of-ping-are-not", []state.Expr{fresh, accept, flow, accept}, ping, "", reach.FilterDrop},
		{"taken-and-dropped", []state.Expr{fresh, accept, flow, drop}, udp, "nft inet t/fw handle 4", ""},
		{"taken-before", []state.Expr{flow, fresh, accept}, old, "nft inet t/flowtable f", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := r3(c.rules...)
			ct := state.ConnTuple{Src: netip.MustParseAddr("10.0.1.2"), Dst: to, SPort: 4000, DPort: 53}
			s.Namespace("r").Conntrack = []state.Conn{{
				Proto: filter.UDP, Original: ct, Reply: state.ConnTuple{Src: to, Dst: ct.Src, SPort: 53, DPort: 4000}, Status: 1<<14 | 1<<3 | 1<<1,
			}}
			v, m := reach.Trace(s, c.flow)
			if !m.Empty() {
				t.Fatalf("missing %+v", m)
			}
			if c.code == "" {
				judge(t, v, c.object)
			} else if v.Reason == nil || v.Reason.Code != c.code {
				t.Errorf("%s: %+v, want %s", v.Reachable, v.Reason, c.code)
			}
		})
	}
}
