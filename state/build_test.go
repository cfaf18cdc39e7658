package state_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/state"
)

// kinds says in short what a rule is made of.
func kinds(r state.FirewallRule) []string {
	var list []string
	for _, e := range r.Exprs {
		switch {
		case e.Match != nil && e.Match.Left.Meta != "":
			list = append(list, "meta "+e.Match.Left.Meta)
		case e.Match != nil && e.Match.Left.Payload != nil:
			list = append(list, e.Match.Left.Payload.Protocol+" "+e.Match.Left.Payload.Field)
		case e.Match != nil:
			list = append(list, "match")
		case e.NAT != nil:
			list = append(list, e.NAT.Kind)
		case e.Reject != nil:
			list = append(list, "reject")
		case e.Verdict != nil:
			list = append(list, e.Verdict.Kind)
		}
	}
	return list
}

func TestRuleOf(t *testing.T) {
	v4, v6 := netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("fd00::/64")
	tcp := state.OnePort(80)
	for _, tc := range []struct {
		name string
		rule state.FirewallRule
		want []string
	}{
		{"brings-the-protocol", state.RuleOf(state.Dport("tcp", tcp), state.Accept()), []string{"meta l4proto", "tcp dport", "accept"}},
		{
			"says-it-once", state.RuleOf(state.Dport("tcp", tcp), state.Sport("tcp", tcp), state.RejectWith("tcp reset")),
			[]string{"meta l4proto", "tcp dport", "tcp sport", "reject"},
		},
		{
			"brings-the-family", state.RuleOf(state.SaddrIn(v4), state.DaddrIn(v4), state.DNATTo(v4.Addr(), 80)),
			[]string{"meta nfproto", "ip saddr", "ip daddr", "dnat"},
		},
		{
			"says-again-what-is-no-longer-said", state.RuleOf(state.SaddrIn(v4), state.SaddrIn(v6), state.DaddrIn(v4)),
			[]string{"meta nfproto", "ip saddr", "meta nfproto", "ip6 saddr", "meta nfproto", "ip daddr"},
		},
		{"keeps-two-names", state.RuleOf(state.IifIs("a"), state.OifIs("a"), state.IifNot("a")), []string{"meta iifname", "meta oifname", "meta iifname"}},
		{"no-phrases", state.RuleOf(), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, kinds(tc.rule)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDNATPorts(t *testing.T) {
	to := netip.MustParseAddr("10.0.0.2")
	same := state.RuleOf(state.DNATPorts("tcp", state.PortRange{First: 8000, Last: 8010}, to, 8000))
	if n := same.Exprs[len(same.Exprs)-1].NAT; n.Port != nil || n.Map != nil {
		t.Errorf("the same range keeps the port: got %+v", n)
	}
	one := state.RuleOf(state.DNATPorts("tcp", state.OnePort(80), to, 8080))
	if n := one.Exprs[len(one.Exprs)-1].NAT; n.Map != nil || n.Port == nil || *n.Port != state.PortValue(8080) {
		t.Errorf("one port needs no map: got %+v", n)
	}
	shifted := state.RuleOf(state.DNATPorts("udp", state.PortRange{First: 65530, Last: 65535}, to, 9000))
	m := shifted.Exprs[len(shifted.Exprs)-1].NAT.Map
	if m == nil || len(m.Set.Elements) != 6 {
		t.Fatalf("a shifted range is a map of six: got %+v", m)
	}
	want := state.MapElem([]state.Value{state.PortValue(65535)}, state.AddrValue(to), state.PortValue(9005))
	if diff := cmp.Diff(want, m.Set.Elements[5]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLastAddr(t *testing.T) {
	for prefix, want := range map[string]string{
		"10.0.0.0/24": "10.0.0.255", "10.1.2.3/32": "10.1.2.3", "0.0.0.0/0": "255.255.255.255", "10.0.0.77/25": "10.0.0.127",
		"fd00::/64": "fd00::ffff:ffff:ffff:ffff", "::1/128": "::1",
	} {
		if got := state.LastAddr(netip.MustParsePrefix(prefix)); got.String() != want {
			t.Errorf("%s: got %s, want %s", prefix, got, want)
		}
	}
}

func TestElements(t *testing.T) {
	p, if0 := netip.MustParsePrefix("10.0.0.9/24"), state.IfnameValue("eth0")
	first, last := state.AddrValue(netip.MustParseAddr("10.0.0.0")), state.AddrValue(netip.MustParseAddr("10.0.0.255"))
	for _, tc := range []struct {
		name      string
		got, want state.Element
	}{
		{"prefix", state.ElemPrefix(p), state.Element{Key: []state.Value{first}, KeyEnd: []state.Value{last}}},
		{"single", state.ElemPrefix(netip.MustParsePrefix("10.0.0.0/32")), state.Element{Key: []state.Value{first}}},
		{"concatenation", state.ElemConcatPrefix(p, if0), state.Element{Key: []state.Value{if0, first}, KeyEnd: []state.Value{if0, last}}},
		{"ports", state.ElemPorts(state.OnePort(5)), state.Element{Key: []state.Value{state.PortValue(5)}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestWrongWordsPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"protocol": func() { state.ProtoValue("tpc") },
		"ct-state": func() { state.CTState("old") },
		"fib":      func() { state.FIBTypeValue("here") },
		"families": func() { state.SaddrIn(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")) },
		"no-ports": func() { state.Dport("tcp") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
