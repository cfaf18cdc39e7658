package kernel_test

import (
	"fmt"
	"slices"
	"testing"

	"warren/internal/kerneltest"
	"warren/plan"
	"warren/state"
)

// TestManyBridges: the indexes that cables ask for may be taken by the bridges that the kernel chose indexes for. Of one that is
// taken in the namespace that is asked it says EEXIST, of the other side's EBUSY.
func TestManyBridges(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge")
	leakCheck(t)
	k := newKernel(t)
	steps := star("mb", 30)
	at := slices.IndexFunc(steps, func(s plan.Step) bool { return s.After.Cable != nil })
	var bridges []plan.Step
	for i := range 40 {
		bridges = append(bridges, plan.Step{NS: "mb.@switch", After: plan.Object{Link: &state.Link{Name: fmt.Sprintf("more%d", i), Kind: "bridge"}}})
	}
	steps = slices.Insert(steps, at, bridges...)
	apply(t, k, steps)
	s := observe(t, k, state.Query{Lab: "mb", Parts: state.PartLinks})
	if n := s.Namespace("mb.@switch"); n == nil || len(n.Links) != 1+1+40+30 {
		t.Errorf("%+v", n)
	}
	apply(t, k, destroy(steps))
}
