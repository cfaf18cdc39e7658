package reach_test

import (
	"net/netip"
	"testing"

	"warren/reach"
	"warren/reach/filter"
	"warren/state"
)

// TestEBTables holds what legacy ebtables do to bridged frames, for kernels that have them.
func TestEBTables(t *testing.T) {
	to := netip.MustParseAddr("10.0.0.2")
	ping := reach.Flow{Source: "a", Dst: to}
	tcp := reach.Flow{Source: "a", Dst: to, Proto: filter.TCP, Port: 80}
	own := reach.Flow{Source: "a", Dst: netip.MustParseAddr("10.0.0.254")}
	host := state.XPrefix{Addr: to, Mask: netip.MustParseAddr("255.255.255.255")}
	toPort := state.XTMatch{Name: "ip", Ether: &state.XTEther{Match: 0x02 | 0x08 | 0x20, Dst: host, Proto: filter.TCP, DPort: [2]uint16{80, 80}}}
	asks := state.XTMatch{Name: "arp", Ether: &state.XTEther{Match: 0x01 | 0x10, Op: 1, Dst: host}}
	drop := state.XTTarget{Verdict: "DROP"}
	rule := func(proto uint16, target state.XTTarget, m ...state.XTMatch) state.EBRule {
		return state.EBRule{Proto: proto, Matches: m, Target: target}
	}
	from := rule(0x800, drop)
	from.In, from.LogicalIn = "pb", "br0"
	by := rule(0x800, drop)
	by.Src = &state.EBMAC{MAC: mac(1), Mask: state.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, Inverted: true}
	table := func(name, chain, policy string, rules ...state.EBRule) state.EBTable {
		return state.EBTable{Name: name, Chains: []state.EBChain{
			{Name: chain, Policy: policy, Rules: rules},
			{Name: "user", User: true, Policy: "RETURN", Rules: []state.EBRule{rule(0x800, drop, toPort)}},
		}}
	}
	for _, c := range []struct {
		name   string
		table  state.EBTable
		flow   reach.Flow
		want   string // direction and code; "" = yes
		object string // of an unknown
	}{
		{"port", table("filter", "FORWARD", "ACCEPT", rule(0x800, drop, toPort)), tcp, "request filter-drop", ""},
		{"port-not-ping", table("filter", "FORWARD", "ACCEPT", rule(0x800, drop, toPort)), ping, "", ""},
		{"other-protocol", table("filter", "FORWARD", "ACCEPT", rule(0x86dd, drop)), ping, "", ""},
		{"arp", table("filter", "FORWARD", "ACCEPT", rule(0x806, drop, asks)), ping, "request arp-filtered", ""},
		{"jump", table("filter", "FORWARD", "ACCEPT", rule(0, state.XTTarget{Verdict: "jump", Chain: "user"})), tcp, "request filter-drop", ""},
		{"jump-returns", table("filter", "FORWARD", "ACCEPT", rule(0, state.XTTarget{Verdict: "jump", Chain: "user"})), ping, "", ""},
		{"back-by-a-port", table("filter", "FORWARD", "ACCEPT", from), ping, "reply filter-drop", ""},
		{"other-source", table("filter", "FORWARD", "ACCEPT", by), ping, "reply filter-drop", ""},
		{"policy", table("filter", "FORWARD", "DROP", rule(0x806, state.XTTarget{Verdict: "ACCEPT"})), ping, "request filter-drop", ""},
		{"policy-of-another-chain", table("filter", "INPUT", "DROP"), ping, "", ""},
		{"input", table("filter", "INPUT", "ACCEPT", rule(0x800, drop)), own, "request filter-drop", ""},
		{"output", table("filter", "OUTPUT", "ACCEPT", rule(0x800, drop)), own, "reply filter-drop", ""},
		{"unknown-match", table("filter", "FORWARD", "ACCEPT", rule(0, drop, state.XTMatch{Name: "among", Data: []byte{1}})), ping, "", "ebtables bridge filter/FORWARD rule 1"},
		{"unknown-match-with-no-effect", table("filter", "FORWARD", "ACCEPT", rule(0, state.XTTarget{Verdict: "CONTINUE"}, state.XTMatch{Name: "among", Data: []byte{1}})), ping, "", ""},
		{"redirect", table("nat", "PREROUTING", "ACCEPT", rule(0x800, state.XTTarget{Name: "redirect", Data: []byte{1}})), ping, "", "ebtables bridge nat/PREROUTING rule 1"},
		{"broute", table("broute", "BROUTING", "ACCEPT", rule(0x800, drop)), ping, "", "ebtables bridge broute/BROUTING rule 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := b2()
			listening(s, "b")
			s.Namespace("s").EBTables = []state.EBTable{c.table}
			v, m := reach.Trace(s, c.flow)
			switch {
			case !m.Empty():
				t.Fatalf("missing %+v", m)
			case c.want == "":
				judge(t, v, c.object)
			case v.Reason == nil || *v.Failed+" "+string(v.Reason.Code) != c.want || v.Reason.Namespace != "s":
				t.Errorf("%s: %+v, want %s", v.Reachable, v.Reason, c.want)
			}
		})
	}
}

// TestEBTablesUnread: where the kernel does not tell whether there are tables, frames that cross the bridge may meet some.
func TestEBTablesUnread(t *testing.T) {
	s := b2()
	s.Namespace("s").Agents = []state.Agent{{Kind: "ebtables", Name: "tables"}}
	v, _ := reach.Trace(s, reach.Flow{Source: "a", Dst: netip.MustParseAddr("10.0.0.2")})
	judge(t, v, "ebtables tables")
	v, _ = reach.Trace(s, reach.Flow{Source: "a", Dst: netip.MustParseAddr("10.0.0.1")})
	judge(t, v, "")
}
