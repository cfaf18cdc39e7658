package kernel_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"testing"

	"warren/internal/kernel"
	"warren/plan"
	"warren/state"
)

// newKernel is an adapter with a run directory of its own.
func newKernel(t testing.TB) *kernel.Kernel {
	t.Helper()
	dir := t.TempDir()
	k := kernel.New(kernel.Config{RunDir: dir})
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// star is the plan of a lab with n nodes on one bridge in the hidden namespace, in the order of package plan's phases:
// what bench/floor.c does, and the mark.
func star(lab string, n int) []plan.Step {
	hidden := lab + ".@switch"
	var steps []plan.Step
	add := func(ns string, o plan.Object) { steps = append(steps, plan.Step{NS: ns, After: o}) }
	space := func(key, node string) {
		add(key, plan.Object{Namespace: &state.DesiredNamespace{Name: key, Mark: state.Mark{Lab: lab, Node: node}}})
		add(key, plan.Object{Sysctl: &state.Sysctl{Key: "net/ipv6/conf/default/disable_ipv6", Value: "1"}})
	}
	space(hidden, "@switch")
	node := func(i int) string { return fmt.Sprintf("%s.n%04d", lab, i) }
	for i := range n {
		space(node(i), fmt.Sprintf("n%04d", i))
	}
	add(hidden, plan.Object{Link: &state.Link{Name: "br0", Kind: "bridge"}})
	for i := range n {
		add(hidden, plan.Object{Cable: &plan.Cable{
			A: plan.End{NS: hidden, Link: state.Link{Name: fmt.Sprintf("p%d", i), Kind: "veth", Up: true, Master: "br0", Group: state.LinkGroup}},
			B: plan.End{NS: node(i), Link: state.Link{Name: "lan", Kind: "veth", Group: state.LinkGroup}},
		}})
	}
	gateway := netip.MustParseAddr("10.200.0.1")
	ip := gateway
	for i := range n {
		ip = ip.Next()
		ns := node(i)
		up := func(name string) {
			steps = append(steps, plan.Step{
				NS:     ns,
				Before: plan.Object{Link: &state.Link{Name: name}},
				After:  plan.Object{Link: &state.Link{Name: name, Up: true}},
			})
		}
		add(ns, plan.Object{Addr: &state.Addr{Link: "lan", Prefix: netip.PrefixFrom(ip, 16), Protocol: state.Protocol}})
		up("lo")
		up("lan")
		add(ns, plan.Object{Route: &state.Route{
			Dst: netip.MustParsePrefix("0.0.0.0/0"), Protocol: state.Protocol,
			NextHops: []state.NextHop{{Via: gateway, Link: "lan"}},
		}})
	}
	steps = append(steps, plan.Step{
		NS:     hidden,
		Before: plan.Object{Link: &state.Link{Name: "br0", Kind: "bridge"}},
		After:  plan.Object{Link: &state.Link{Name: "br0", Kind: "bridge", Up: true}},
	})
	return steps
}

// destroy is the plan that removes all namespaces which steps made.
func destroy(steps []plan.Step) []plan.Step {
	var gone []plan.Step
	for _, s := range steps {
		if s.After.Namespace != nil {
			gone = append(gone, plan.Step{NS: s.NS, Before: s.After})
		}
	}
	return gone
}

// apply carries out steps that must not fail.
func apply(t testing.TB, k *kernel.Kernel, steps []plan.Step) {
	t.Helper()
	r := k.Apply(context.Background(), steps, plan.Hooks{})
	if r.Err != nil {
		t.Fatalf("apply: %v", r.Err)
	}
	for i, s := range r.Status {
		if s != plan.Done {
			t.Fatalf("apply: step %d has status %d", i, s)
		}
	}
}

func observe(t testing.TB, k *kernel.Kernel, q state.Query) state.Snapshot {
	t.Helper()
	s, err := k.Observe(context.Background(), q)
	if err != nil {
		t.Fatalf("observe: %v", err)
	}
	for _, u := range s.Unread {
		t.Errorf("unread: %+v", u)
	}
	return s
}

// starSizes are the labs that are measured; the large ones only when asked for.
func starSizes() []int {
	if os.Getenv("WARREN_BENCH") == "" {
		return []int{50}
	}
	return []int{50, 200, 1000}
}
