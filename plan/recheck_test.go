package plan_test

import (
	"slices"
	"testing"

	"warren/plan"
	"warren/state"
)

// wanted is a lab of nodes that hold nothing, but for what change does to the first.
func wanted(change func(*state.DesiredNamespace), nodes ...string) state.Desired {
	d := state.Desired{Lab: "lab"}
	for i, n := range nodes {
		ns := state.DesiredNamespace{Name: "lab." + n, Mark: state.Mark{Lab: "lab", Node: n}}
		if i == 0 && change != nil {
			change(&ns)
		}
		d.Namespaces = append(d.Namespaces, ns)
	}
	return d
}

// TestQueryParts: a kind of object is left out only where neither the lab nor what it was before declares it.
func TestQueryParts(t *testing.T) {
	const basic = state.PartLinks | state.PartAddrs | state.PartRoutes
	ruled := func(n *state.DesiredNamespace) { n.Rules = []state.Rule{{Priority: 7}} }
	for name, c := range map[string]struct {
		want   state.Desired
		former *state.Desired
		parts  state.Parts
	}{
		"unknown":  {wanted(nil, "a"), nil, state.PartsLab},
		"new":      {wanted(nil, "a"), new(wanted(nil, "b")), state.PartsLab},
		"neither":  {wanted(nil, "a"), new(wanted(nil, "a")), basic},
		"wanted":   {wanted(ruled, "a"), new(wanted(nil, "a")), basic | state.PartRules},
		"was":      {wanted(nil, "a"), new(wanted(ruled, "a")), basic | state.PartRules},
		"no-more":  {wanted(nil, "b"), new(wanted(nil, "a")), state.PartsLab},
		"firewall": {wanted(func(n *state.DesiredNamespace) { n.Tables = []state.Table{{}} }, "a"), new(wanted(nil, "a")), basic | state.PartFirewall},
	} {
		q := plan.Query(c.want, plan.Options{Former: c.former})
		if got := q.PartsOf("lab.a"); got != c.parts {
			t.Errorf("%s: parts %b, want %b", name, got, c.parts)
		}
	}
}

// TestQueryFresh: fresh values are asked for where a sysctl is no longer declared.
func TestQueryFresh(t *testing.T) {
	const key = "net/ipv4/conf/eth0/rp_filter"
	tuned := new(wanted(func(n *state.DesiredNamespace) { n.Sysctls = []state.Sysctl{{Key: key, Value: "1"}} }, "a"))
	if q := plan.Query(*tuned, plan.Options{Former: tuned}); q.Fresh || !slices.Equal(q.SysctlKeys["lab.a"], []string{key}) {
		t.Errorf("still declared: %+v", q)
	}
	q := plan.Query(wanted(nil, "a"), plan.Options{Former: tuned})
	if want := []string{"net/ipv4/conf/default/rp_filter", key}; !q.Fresh || !slices.Equal(q.SysctlKeys["lab.a"], want) {
		t.Errorf("no longer declared: %+v", q)
	}
}

// TestRecheck: what steps change is observed again, and put in the place of what was known of it. Ends of cables whose other
// side was not looked at again stay known, unless the cable is another one.
func TestRecheck(t *testing.T) {
	steps := []plan.Step{
		{NS: "lab.c", After: plan.Object{Namespace: &state.DesiredNamespace{Name: "lab.c"}}},
		{NS: "host", After: plan.Object{Cable: &plan.Cable{A: plan.End{NS: "host"}, B: plan.End{NS: "lab.c"}}}},
		{NS: "lab.d", Before: plan.Object{Namespace: &state.DesiredNamespace{Name: "lab.d"}, Far: &plan.Far{Ends: []plan.End{{NS: "lab.e"}}}}},
	}
	asked := state.Query{Lab: "lab", Parts: state.PartsLab, PartsIn: map[string]state.Parts{"host": state.PartLinks}}
	q := plan.Recheck(wanted(nil, "a", "b", "c"), asked, steps)
	if want := []string{"host", "lab.c", "lab.d", "lab.e"}; !slices.Equal(q.Names, want) || q.Lab != "" || !q.Ours {
		t.Fatalf("%+v, want %v", q, want)
	}
	if q.PartsOf("host") != state.PartLinks || q.PartsOf("lab.c").Has(state.PartRules) || !q.PartsOf("lab.e").Has(state.PartRules) {
		t.Errorf("parts: %v", q.PartsIn)
	}

	link := func(index, peer int, ns string) state.Link {
		return state.Link{Name: "l", Kind: "veth", Index: index, Peer: &state.Peer{NS: ns, Index: peer}}
	}
	before := state.Snapshot{Namespaces: []state.Namespace{
		{Name: "host", Contents: state.Contents{Links: []state.Link{link(2, 2, "lab.a"), link(3, 2, "lab.b"), link(4, 2, "lab.d")}}},
		{Name: "lab.a"},
		{Name: "lab.b"},
		{Name: "lab.d"},
		{Name: "lab.e"},
	}}
	again := state.Snapshot{Namespaces: []state.Namespace{
		{Name: "host", Contents: state.Contents{Links: []state.Link{link(2, 2, ""), link(3, 9, ""), link(4, 2, "")}}},
		{Name: "lab.c"},
		{Name: "lab.e"},
	}}
	got := plan.Merge(before, again, q)
	var names, peers []string
	for _, n := range got.Namespaces {
		names = append(names, n.Name)
	}
	for _, l := range got.Namespace("host").Links {
		peers = append(peers, l.Peer.NS)
	}
	if !slices.Equal(names, []string{"host", "lab.a", "lab.b", "lab.c", "lab.e"}) || !slices.Equal(peers, []string{"lab.a", "", ""}) {
		t.Errorf("namespaces %v, peers of the host's links %q", names, peers)
	}
	if again.Namespaces[0].Links[0].Peer.NS != "" {
		t.Error("the argument was changed")
	}
}
