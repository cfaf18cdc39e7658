package kernel_test

import (
	"fmt"
	"testing"

	"warren/internal/kerneltest"
	"warren/plan"
	"warren/state"
)

// TestPeersRing has many cables whose ends have the same indexes, 2 and 3, everywhere: a chain that is a ring.
func TestPeersRing(t *testing.T) {
	kerneltest.Need(t, "veth")
	leakCheck(t)
	k := newKernel(t)
	const n = 12
	node := func(i int) string { return fmt.Sprintf("ring.n%02d", i%n) }
	var steps []plan.Step
	for i := range n {
		steps = append(steps, plan.Step{NS: node(i), After: plan.Object{Namespace: &state.DesiredNamespace{
			Name: node(i), Mark: state.Mark{Lab: "ring", Node: fmt.Sprintf("n%02d", i)},
		}}})
	}
	for i := range n {
		steps = append(steps, plan.Step{NS: node(i), After: plan.Object{Cable: &plan.Cable{
			A: plan.End{NS: node(i), Link: state.Link{Name: "right", Kind: "veth", Up: true}},
			B: plan.End{NS: node(i + 1), Link: state.Link{Name: "left", Kind: "veth"}},
		}}})
	}
	apply(t, k, steps)
	check := func(s state.Snapshot) {
		t.Helper()
		for i := range n {
			ns := s.Namespace(node(i))
			if ns == nil {
				continue
			}
			for name, want := range map[string]state.Peer{"right": {NS: node(i + 1), Name: "left"}, "left": {NS: node(i + n - 1), Name: "right"}} {
				got := ns.Link(name).Peer
				if s.Namespace(want.NS) == nil {
					want = state.Peer{} // not read, so not known
				}
				if got.NS != want.NS || got.Name != want.Name {
					t.Errorf("peer of %s/%s is %s/%s, want %s/%s", node(i), name, got.NS, got.Name, want.NS, want.Name)
				}
			}
		}
	}
	check(observe(t, k, state.Query{Lab: "ring", Parts: state.PartLinks | state.PartNSIDs}))
	for i := range n { // a part of the ring: with two that are neighbours and one that is not
		check(observe(t, k, state.Query{Names: []string{node(i), node(i + 1), node(i + 5)}, Parts: state.PartLinks}))
	}
	s := observe(t, k, state.Query{All: true, Parts: state.PartLinks | state.PartNSIDs})
	ids := s.Namespace(node(3)).NSIDs
	if len(ids) != 2 || ids[0].NS == ids[1].NS || ids[0].NS == "" || ids[1].NS == "" {
		t.Errorf("ids of %s are %+v", node(3), ids)
	}
	apply(t, k, destroy(steps))
}
