package state_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/state"
)

func TestCanonicalTable(t *testing.T) {
	port, mark := state.PortValue(80), state.MarkValue(1)
	wanted := state.Table{
		Family: "inet", Name: "t",
		Sets: []state.Set{
			{Name: "b", Key: []state.DataType{state.TypePort}, Interval: true, Elements: []state.Element{
				{Key: []state.Value{state.PortValue(90)}}, {Key: []state.Value{port}, KeyEnd: []state.Value{port}},
			}},
			{Name: "a", Key: []state.DataType{state.TypeMark}, Elements: []state.Element{}},
		},
		Chains: []state.Chain{
			{Name: "z", Hook: &state.Hook{Type: "filter", Hook: "ingress", Devices: []string{"b", "a"}}},
			{Name: "c", Rules: []state.FirewallRule{
				state.RuleOf(state.ProtoOneOf("tcp"), state.InSet("b", state.PayloadOf("th", "dport")), state.Count(), state.LimitTo(1, "hour")),
				{Exprs: []state.Expr{
					{Match: &state.Match{Left: state.Operand{Meta: "mark", Mask: &state.Value{Type: state.TypeMark, Data: "\xff\xff\xff\xff"}}, Op: "==", Value: &mark}},
					{Log: &state.Log{Level: "warn"}},
				}},
			}},
		},
	}
	// The same as the kernel tells it.
	read := state.Table{
		Family: "inet", Name: "t", Handle: 7,
		Sets: []state.Set{
			{Name: "a", Handle: 1, Key: []state.DataType{state.TypeMark}},
			{Name: "b", Handle: 2, Key: []state.DataType{state.TypePort}, Interval: true, Elements: []state.Element{
				{Key: []state.Value{port}}, {Key: []state.Value{state.PortValue(90)}},
			}},
		},
		Chains: []state.Chain{
			{Name: "c", Handle: 3, Rules: []state.FirewallRule{
				func() state.FirewallRule {
					r := state.RuleOf(state.ProtoOneOf("tcp"), state.InSet("b", state.PayloadOf("tcp", "dport")), state.Count(), state.LimitTo(1, "hour"))
					r.Handle = 9
					r.Exprs[2].Counter = &state.Counter{Packets: 5, Bytes: 300}
					return r
				}(),
				{Exprs: []state.Expr{{Match: &state.Match{Left: state.MetaOf("mark"), Value: &mark}}, {Log: &state.Log{}}}, Handle: 10},
			}},
			{Name: "z", Handle: 4, Hook: &state.Hook{Type: "filter", Hook: "ingress", Policy: "accept", Devices: []string{"a", "b"}}},
		},
	}
	before, err := json.Marshal(wanted)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted.Canonical(), read.Canonical()); diff != "" {
		t.Errorf("-wanted +read:\n%s", diff)
	}
	after, err := json.Marshal(wanted)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Errorf("the table was changed:\n%s\n%s", before, after)
	}
}

func TestCanonicalKeepsWhatDiffers(t *testing.T) {
	base := func() state.Table {
		return state.Table{Family: "inet", Name: "t", Chains: []state.Chain{
			state.BaseChain("c", "filter", "forward", 0, "accept", state.RuleOf(state.SaddrIn(netip.MustParsePrefix("10.0.0.0/24")), state.Accept())),
		}}
	}
	for name, change := range map[string]func(*state.Table){
		"policy":   func(t *state.Table) { t.Chains[0].Hook.Policy = "drop" },
		"priority": func(t *state.Table) { t.Chains[0].Hook.Priority = -1 },
		"comment":  func(t *state.Table) { t.Chains[0].Rules[0].Comment = "x" },
		"verdict":  func(t *state.Table) { t.Chains[0].Rules[0].Exprs[2].Verdict.Kind = "drop" },
		"mask":     func(t *state.Table) { t.Chains[0].Rules[0].Exprs[1].Match.Left.Mask = nil },
		"order": func(t *state.Table) {
			t.Chains[0].Rules = append([]state.FirewallRule{state.RuleOf(state.Drop())}, t.Chains[0].Rules...)
		},
		// A mask that ends on other bits than whole bytes is a mask, too.
		"part-mask": func(t *state.Table) {
			t.Chains[0].Rules[0].Exprs[1].Match.Left.Mask = &state.Value{Type: state.TypeIPv4, Data: "\xff\xff\xff\x80"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := base(), base()
			change(&b)
			if cmp.Equal(a.Canonical(), b.Canonical()) {
				t.Error("the difference is lost")
			}
		})
	}
	m := state.Operand{Meta: "mark", Mask: &state.Value{Type: state.TypeMark, Data: "\xff\xff\xff\x80"}}
	table := state.Table{Chains: []state.Chain{state.SubChain("c", state.RuleOf(state.Is(m, state.MarkValue(1))))}}
	if table.Canonical().Chains[0].Rules[0].Exprs[0].Match.Left.Mask == nil {
		t.Error("a mask of ff ff ff 80 is taken for all ones")
	}
}

func TestValueAsText(t *testing.T) {
	for _, v := range []state.Value{state.PortValue(80), state.IfnameValue("eth0"), state.MarkValue(7), {Type: "ct_label", Data: ""}} {
		b, err := v.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got state.Value
		if err := got.UnmarshalText(b); err != nil || got != v {
			t.Errorf("%s: got %v, %v, want %v", b, got, err, v)
		}
	}
	for _, s := range []string{"", "mark", "mark:0g", "mark:123"} {
		var v state.Value
		if err := v.UnmarshalText([]byte(s)); err == nil || !strings.Contains(err.Error(), s) {
			t.Errorf("%q: got %v", s, err)
		}
	}
}
