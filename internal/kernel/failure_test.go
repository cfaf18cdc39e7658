package kernel_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/plan"
	"warren/state"
)

// TestEarlySysctlFails: the report is exact also inside of a group that goes to the kernel together.
func TestEarlySysctlFails(t *testing.T) {
	leakCheck(t)
	k := newKernel(t)
	var steps []plan.Step
	for _, node := range []string{"a", "b", "c"} {
		ns := "esf." + node
		value := map[string]string{"a": "1", "b": "not a number", "c": "1"}[node]
		steps = append(steps,
			plan.Step{NS: ns, After: plan.Object{Namespace: &state.DesiredNamespace{Name: ns, Mark: state.Mark{Lab: "esf", Node: node}}}},
			plan.Step{NS: ns, After: plan.Object{Sysctl: &state.Sysctl{Key: "net/ipv4/ip_forward", Value: value}}})
	}
	r := k.Apply(context.Background(), steps, plan.Hooks{})
	want := []plan.Status{plan.Done, plan.Done, plan.Done, plan.Failed, plan.NotTried, plan.NotTried}
	if !errors.Is(r.Err, unix.EINVAL) || !slices.Equal(r.Status, want) {
		t.Errorf("status %v, error %v; want %v and EINVAL", r.Status, r.Err, want)
	}
	apply(t, k, plan.Undo(steps, r))
	if s := observe(t, k, state.Query{Lab: "esf"}); len(s.Namespaces) != 0 {
		t.Errorf("left: %+v", s.Namespaces)
	}
}

// TestLearnedNeighbor: an entry that the kernel learned by itself does not stand in the way of a permanent one.
func TestLearnedNeighbor(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "veth", "bridge")
	leakCheck(t)
	k := newKernel(t)
	steps := star("lrn", 1)
	apply(t, k, steps)
	run(t, "ip", "-n", "lrn.n0000", "neigh", "add", "10.200.0.9", "lladdr", "02:00:00:00:00:09", "nud", "reachable", "dev", "lan")
	n := state.Neighbor{Link: "lan", MAC: state.MAC{2, 0, 0, 0, 0, 1}, State: "permanent", Protocol: state.Protocol}
	n.IP = steps[len(steps)-5].After.Addr.Prefix.Addr() // its own; the next ones are learned
	for range 7 {
		n.IP = n.IP.Next()
	}
	apply(t, k, []plan.Step{{NS: "lrn.n0000", After: plan.Object{Neighbor: &n}}})
	ns := observe(t, k, state.Query{Names: []string{"lrn.n0000"}, Parts: state.PartNeighbors}).Namespaces[0]
	if !slices.Contains(ns.Neighbors, n) {
		t.Errorf("%v is not among %+v", n, ns.Neighbors)
	}
	apply(t, k, destroy(steps))
}

func TestCanceled(t *testing.T) {
	k := newKernel(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	steps := star("can", 2)
	r := k.Apply(ctx, steps, plan.Hooks{})
	if !errors.Is(r.Err, context.Canceled) || r.Status[0] != plan.Failed || r.Status[1] != plan.NotTried {
		t.Errorf("status %v, error %v", r.Status, r.Err)
	}
	if _, err := k.Observe(ctx, state.Query{All: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("observe: %v", err)
	}
}
