package plan_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren/internal/kerneltest/contract"
	"warren/internal/kerneltest/fake"
	"warren/plan"
	"warren/state"
)

func up(t *testing.T, k *fake.Kernel, want state.Desired) plan.Plan {
	t.Helper()
	p := mustDiff(t, want, observe(t, k, want))
	mustApply(t, k, p.Steps)
	return p
}

func text(t *testing.T, got, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(got)); diff != "" {
		t.Errorf("(-want +got):\n%s\ngot\n%s", diff, got)
	}
}

func TestTextOfFirstPlan(t *testing.T) {
	want := star(2)
	text(t, mustDiff(t, want, observe(t, fake.New(), want)).Text(), `
+ star.n0000
    + net.ipv4.ip_forward = 0
    + net.ipv6.conf.default.disable_ipv6 = 1
    + addr 10.0.1.1/16 dev lan
    ~ veth lan up
    ~ lo up
    + route default via 10.0.0.1 dev lan

+ star.n0001
    + net.ipv4.ip_forward = 0
    + net.ipv6.conf.default.disable_ipv6 = 1
    + addr 10.0.1.2/16 dev lan
    ~ veth lan up
    ~ lo up
    + route default via 10.0.0.1 dev lan

  host
    + bridge wb0
    + veth wv00000000 to lan in star.n0000 master wb0
    + veth wv00000001 to lan in star.n0001 master wb0
    + net.ipv6.conf.wv00000000.disable_ipv6 = 1
    + net.ipv6.conf.wv00000001.disable_ipv6 = 1
    + addr 10.0.0.1/16 dev wb0
    ~ bridge wb0 up
    ~ veth wv00000000 up
    ~ veth wv00000001 up

lab star: 16 to make, 7 to change, 0 to remove`)
}

func TestThirdMemberTurnsThePairIntoABridge(t *testing.T) {
	lab := contract.Lab{Name: "l", Nodes: 3, Nets: []contract.Net{{Members: []int{0, 1}}}, Uplink: -1}
	k := fake.New()
	up(t, k, lab.Desired())
	lab.Nets[0].Members = []int{0, 1, 2}
	p := mustDiff(t, lab.Desired(), observe(t, k, lab.Desired()))
	text(t, p.Text(), `
  l.n0
    - addr 10.100.0.1/24 dev net0  (goes with its link)
    - veth net0 to net0 in l.n1 mtu 1500 address 02:fa:ce:00:00:01 up  (a third member turns the pair net0 into a bridge)
    + addr 10.100.0.1/24 dev net0
    ~ veth net0 up

  l.n1
    - addr 10.100.0.2/24 dev net0  (goes with its link)
    + addr 10.100.0.2/24 dev net0
    ~ veth net0 up

+ l.@switch
    + net.ipv6.conf.default.disable_ipv6 = 1
    + bridge wlb0
    + veth wlp00 to net0 in l.n0 master wlb0 up  (a third member turns the pair net0 into a bridge)
    + veth wlp01 to net0 in l.n1 master wlb0 up  (a third member turns the pair net0 into a bridge)
    + veth wlp02 to net0 in l.n2 master wlb0 up
    ~ bridge wlb0 up

  l.n2
    + addr 10.100.0.3/24 dev net0
    ~ veth net0 up

lab l: 9 to make, 4 to change, 3 to remove`)
	mustApply(t, k, p.Steps)
	lab.Nets[0].Members = []int{0, 1}
	p = up(t, k, lab.Desired())
	if !strings.Contains(p.Text(), "with two members left the bridge net0 becomes a pair") {
		t.Errorf("the plan does not say why:\n%s", p.Text())
	}
}

func TestAChangeSaysWhatAndWhy(t *testing.T) {
	want := star(1)
	k := fake.New()
	up(t, k, want)
	n := want.Namespace("star.n0000")
	n.Links[0].MTU = 1400
	n.Routes[0].NextHops = []state.NextHop{{Via: netip.MustParseAddr("10.0.0.9"), Link: "lan"}}
	n.Sysctls[0].Value = "1"
	text(t, mustDiff(t, want, observe(t, k, want)).Text(), `
  star.n0000
    ~ net.ipv4.ip_forward = 1  (is 0, want 1)
    ~ veth lan mtu 1400  (mtu is 1500, want 1400)
    ~ route default via 10.0.0.9 dev lan  (goes via 10.0.0.1 dev lan, want via 10.0.0.9 dev lan)

lab star: 0 to make, 3 to change, 0 to remove`)
}

func TestCollisions(t *testing.T) {
	want := star(1)
	host := func(o plan.Object) plan.Step { return plan.Step{NS: state.HostNS, After: o} }
	tests := []struct {
		name   string
		before plan.Step
		want   string
	}{
		{
			"unmarked-namespace",
			plan.Step{NS: "star.n0000", After: plan.Object{Namespace: &state.DesiredNamespace{Name: "star.n0000"}}},
			"namespace star.n0000 in star.n0000 is there already and is not made by warren (hint: rename the lab, or remove the namespace with: ip netns del star.n0000)",
		},
		{
			"other-lab",
			plan.Step{NS: "star.n0000", After: plan.Object{Namespace: &state.DesiredNamespace{Name: "star.n0000", Mark: state.Mark{Lab: "x", Node: "y"}}}},
			"namespace star.n0000 in star.n0000 is there already and is node y of lab x",
		},
		{
			"foreign-link", host(plan.Object{Link: &state.Link{Name: "wb0", Kind: "bridge"}}),
			"link wb0 in host is there already and is not made by warren (hint: rename or remove it: ip link del wb0)",
		},
		{
			"link-of-other-lab", host(plan.Object{Link: &state.Link{Name: "wb0", Kind: "bridge", Group: state.LinkGroup, AltNames: []string{"warren.shop.lan"}}}),
			"link wb0 in host is there already and is of lab shop (net lan)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := fake.New()
			mustApply(t, k, []plan.Step{tt.before})
			p, err := plan.Diff(want, observe(t, k, want), plan.Options{})
			var c *plan.CollisionError
			if !errors.As(err, &c) || err.Error() != tt.want {
				t.Errorf("error\n%v\nwant\n%s", err, tt.want)
			}
			if !p.Empty() {
				t.Errorf("there are steps: %s", p.Text())
			}
		})
	}
}

// publishing is a lab with an uplink and a published port.
func publishing(name string, node int) state.Desired {
	return contract.Lab{Name: name, Nodes: node + 1, Nets: []contract.Net{{Members: []int{0}}}, Publish: []int{node}, Uplink: 0}.Desired()
}

func TestSharedTable(t *testing.T) {
	k := fake.New()
	a, b := publishing("a", 0), publishing("b", 1)
	up(t, k, a)
	up(t, k, b)
	elements := func() (n int, there bool) {
		s := observe(t, k, a)
		for _, table := range s.Namespace(state.HostNS).Tables {
			return len(table.Sets[0].Elements) + len(table.Sets[1].Elements), true
		}
		return 0, false
	}
	if n, _ := elements(); n != 2 {
		t.Fatalf("%d elements, want 2", n)
	}
	if _, err := plan.Diff(publishing("c", 1), observe(t, k, a), plan.Options{}); err == nil || !strings.Contains(err.Error(), "of lab b (b/n1)") {
		t.Errorf("a port that lab b has: %v", err)
	}
	mustApply(t, k, plan.Destroy("a", observe(t, k, a)).Steps)
	if n, there := elements(); n != 1 || !there {
		t.Fatalf("after one lab went there are %d elements, table %v", n, there)
	}
	p := plan.Destroy("b", observe(t, k, b))
	mustApply(t, k, p.Steps)
	if _, there := elements(); there {
		t.Fatal("the table outlived the last lab")
	}
	mustApply(t, k, p.Inverse().Steps)
	if p := mustDiff(t, b, observe(t, k, b)); !p.Empty() {
		t.Errorf("the inverse has not brought all back:\n%s", p.Text())
	}
}

func TestTableWithoutElementsGoes(t *testing.T) {
	k := fake.New()
	want := publishing("a", 0)
	p := mustDiff(t, want, observe(t, k, want))
	mustApply(t, k, p.Steps[:len(p.Steps)-1])
	before := k.Clone()
	mustApply(t, k, plan.Destroy("a", observe(t, k, want)).Steps)
	after := observe(t, k, want)
	if tables := after.Namespace(state.HostNS).Tables; len(tables) != 0 {
		t.Errorf("left: %v", tables)
	}
	other := star(1)
	if p := mustDiff(t, other, observe(t, before, other)); strings.Contains(p.Text(), "table") {
		t.Errorf("a lab that has nothing to do with it touches it:\n%s", p.Text())
	}
}

func TestForeignTableIsACollision(t *testing.T) {
	k := fake.New()
	mustApply(t, k, []plan.Step{{NS: state.HostNS, After: plan.Object{Table: &state.Table{Family: "inet", Name: "warren", Comment: "mine"}}}})
	want := publishing("a", 0)
	_, err := plan.Diff(want, observe(t, k, want), plan.Options{})
	var c *plan.CollisionError
	if !errors.As(err, &c) || c.Object != "table inet warren" {
		t.Errorf("error %v", err)
	}
	if p := plan.Destroy("a", observe(t, k, want)); !p.Empty() {
		t.Errorf("the removal touches it:\n%s", p.Text())
	}
}

func TestHalfMadeLinkOfTheHost(t *testing.T) {
	want := star(1)
	k := fake.New()
	mustApply(t, k, []plan.Step{{NS: state.HostNS, After: plan.Object{Link: &state.Link{Name: "wb0", Kind: "bridge", Group: state.LinkGroup}}}})
	if p := plan.Destroy("star", observe(t, k, want)); len(p.Steps) != 1 {
		t.Errorf("the removal does not take the half-made bridge:\n%s", p.Text())
	}
	up(t, k, want)
	if p := mustDiff(t, want, observe(t, k, want)); !p.Empty() {
		t.Errorf("still to do:\n%s", p.Text())
	}
}

func TestForeignIsLeftAlone(t *testing.T) {
	want := star(2)
	k := fake.New()
	up(t, k, want)
	in := func(o plan.Object) plan.Step { return plan.Step{NS: "star.n0000", After: o} }
	mustApply(t, k, []plan.Step{
		in(plan.Object{Link: &state.Link{Name: "docker0", Kind: "bridge", Up: true}}),
		in(plan.Object{Cable: &plan.Cable{A: plan.End{NS: "star.n0000", Link: state.Link{Name: "x"}}, B: plan.End{NS: "star.n0001", Link: state.Link{Name: "x"}}}}),
		in(plan.Object{Addr: &state.Addr{Link: "docker0", Prefix: netip.MustParsePrefix("172.17.0.1/16")}}),
		in(plan.Object{Route: &state.Route{Dst: netip.MustParsePrefix("10.200.0.0/16"), Protocol: 186, NextHops: []state.NextHop{{Via: netip.MustParseAddr("10.0.0.7"), Link: "lan"}}}}),
		in(plan.Object{Rule: &state.Rule{Priority: 7, Table: 7, Protocol: 4}}),
		in(plan.Object{Table: &state.Table{Family: "ip", Name: "filter"}}),
	})
	p := mustDiff(t, want, observe(t, k, want))
	if !p.Empty() {
		t.Errorf("the plan touches it:\n%s", p.Text())
	}
	var got []string
	for _, o := range p.Other {
		got = append(got, o.NS+" "+o.Object.String())
	}
	if diff := cmp.Diff([]string{
		"star.n0000 bridge docker0 mtu 1500 address 02:fa:ce:00:00:06 up", "star.n0000 veth x mtu 1500 address 02:fa:ce:00:00:07",
		"star.n0001 veth x mtu 1500 address 02:fa:ce:00:00:08", "star.n0000 route 10.200.0.0/16 via 10.0.0.7 dev lan",
		"star.n0000 table ip filter", "star.n0000 rule from all priority 7 lookup 7", "star.n0000 addr 172.17.0.1/16 dev docker0",
	}, got); diff != "" {
		t.Errorf("other (-want +got):\n%s", diff)
	}
}

func TestForeignSurvivesARecreatedAddress(t *testing.T) {
	want := star(1)
	k := fake.New()
	up(t, k, want)
	foreign := state.Route{Dst: netip.MustParsePrefix("10.200.0.0/16"), Protocol: 186, NextHops: []state.NextHop{{Via: netip.MustParseAddr("10.0.0.7"), Link: "lan"}}}
	mustApply(t, k, []plan.Step{{NS: "star.n0000", After: plan.Object{Route: &foreign}}})
	want.Namespace("star.n0000").Addrs[0].Prefix = netip.MustParsePrefix("10.0.9.9/16")
	p := up(t, k, want)
	s := observe(t, k, want)
	found := false
	for _, r := range s.Namespace("star.n0000").Routes {
		found = found || r.Dst == foreign.Dst && r.Protocol == 186
	}
	if !found {
		t.Errorf("somebody else's route did not survive:\n%s", p.Text())
	}
}

func TestSysctlsThatRewriteOthersComeFirst(t *testing.T) {
	d := state.Desired{Lab: "l", Namespaces: []state.DesiredNamespace{{Name: "l.a", Mark: state.Mark{Lab: "l", Node: "a"}, Contents: state.Contents{Sysctls: []state.Sysctl{
		{Key: "net/ipv4/conf/default/forwarding", Value: "0"}, {Key: "net/ipv4/conf/lo/forwarding", Value: "0"}, {Key: "net/ipv4/ip_forward", Value: "1"},
	}}}}}
	k := fake.New()
	up(t, k, d)
	if p := mustDiff(t, d, observe(t, k, d)); !p.Empty() {
		t.Errorf("still to do:\n%s", p.Text())
	}
	mustApply(t, k, []plan.Step{{NS: "l.a", After: plan.Object{Sysctl: &state.Sysctl{Key: "net/ipv4/ip_forward", Value: "0"}}}})
	up(t, k, d)
	if p := mustDiff(t, d, observe(t, k, d)); !p.Empty() {
		t.Errorf("still to do after a rewrite:\n%s", p.Text())
	}
}

func TestErrorsOfInput(t *testing.T) {
	ns := func(name string) state.DesiredNamespace { return state.DesiredNamespace{Name: name} }
	marked := state.DesiredNamespace{Name: "l.a", Mark: state.Mark{Lab: "l", Node: "a"}}
	lonely := marked
	lonely.Links = []state.Link{{Name: "x", Kind: "veth"}}
	oneSided := marked
	oneSided.Links = []state.Link{{Name: "x", Kind: "veth", Peer: &state.Peer{NS: "l.a", Name: "y"}}, {Name: "y", Kind: "bridge"}}
	var missing *plan.MissingError
	var invalid *plan.InvalidError
	var unread *plan.UnreadError
	tests := []struct {
		name   string
		want   []state.DesiredNamespace
		have   state.Snapshot
		target any
	}{
		{"missing-namespace", []state.DesiredNamespace{ns("vpn")}, state.Snapshot{}, &missing},
		{"unread", []state.DesiredNamespace{marked}, state.Snapshot{Unread: []state.Unread{{NS: "l.a", Object: "links", Reason: "denied"}}}, &unread},
		{"twice", []state.DesiredNamespace{marked, marked}, state.Snapshot{}, &invalid},
		{"veth-without-peer", []state.DesiredNamespace{lonely}, state.Snapshot{}, &invalid},
		{"peer-is-no-veth", []state.DesiredNamespace{oneSided}, state.Snapshot{}, &invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := plan.Diff(state.Desired{Lab: "l", Namespaces: tt.want}, tt.have, plan.Options{})
			if err == nil || !errors.As(err, tt.target) {
				t.Errorf("error %v, want a %T", err, tt.target)
			}
		})
	}
}

func TestJSONTellsTheVerb(t *testing.T) {
	b, err := json.Marshal(plan.Step{NS: "a", Before: plan.Object{Sysctl: &state.Sysctl{Key: "k", Value: "1"}}, After: plan.Object{Sysctl: &state.Sysctl{Key: "k", Value: "2"}}, Reason: "r"})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"verb":"change","ns":"a","before":{"sysctl":{"key":"k","value":"1"}},"after":{"sysctl":{"key":"k","value":"2"}},"reason":"r"}`
	if string(b) != want {
		t.Errorf("got %s\nwant %s", b, want)
	}
}

func TestCloneIsAnotherMachine(t *testing.T) {
	k := fake.New()
	up(t, k, star(2))
	c := k.Clone()
	if c.String() != k.String() {
		t.Fatalf("the clone is\n%s\nwant\n%s", c, k)
	}
	s, err := c.Observe(context.Background(), state.Query{All: true, Parts: state.PartsLab})
	if err != nil {
		t.Fatal(err)
	}
	before := k.String()
	mustApply(t, c, plan.Destroy("star", s).Steps)
	if k.String() != before {
		t.Error("what is done to the clone changes the first one")
	}
}
