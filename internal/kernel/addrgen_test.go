package kernel_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"warren/internal/kerneltest"
	"warren/plan"
	"warren/state"
)

// TestNoAddrGen: a link that is made silent has no address of its own even after it has a carrier; one that has no IPv6 at
// all (its MTU is too small) is silent too.
func TestNoAddrGen(t *testing.T) {
	kerneltest.Need(t, "veth")
	leakCheck(t)
	k := newKernel(t)
	end := func(ns, name string, silent bool, mtu uint32) plan.End {
		return plan.End{NS: ns, Link: state.Link{Name: name, Kind: "veth", Up: ns == "adg.a", NoAddrGen: silent, MTU: mtu}}
	}
	up := func(ns, name string) plan.Step {
		return plan.Step{NS: ns, Before: plan.Object{Link: &state.Link{Name: name}}, After: plan.Object{Link: &state.Link{Name: name, Up: true}}}
	}
	var steps []plan.Step
	for _, node := range []string{"a", "b"} {
		steps = append(steps, plan.Step{NS: "adg." + node, After: plan.Object{
			Namespace: &state.DesiredNamespace{Name: "adg." + node, Mark: state.Mark{Lab: "adg", Node: node}},
		}})
	}
	steps = append(steps,
		plan.Step{NS: "adg.a", After: plan.Object{Cable: &plan.Cable{A: end("adg.a", "silent", true, 1500), B: end("adg.b", "loud", false, 1500)}}},
		plan.Step{NS: "adg.a", After: plan.Object{Cable: &plan.Cable{A: end("adg.a", "small", true, 1000), B: end("adg.b", "tiny", true, 1000)}}},
		up("adg.b", "loud"), up("adg.b", "tiny"))
	apply(t, k, steps)
	kerneltest.Eventually(t, 30*time.Second, func() error {
		s := observe(t, k, state.Query{Lab: "adg", Parts: state.PartLinks | state.PartAddrs})
		a, b := s.Namespace("adg.a"), s.Namespace("adg.b")
		if !a.Link("silent").NoAddrGen || !a.Link("small").NoAddrGen || !b.Link("tiny").NoAddrGen || b.Link("loud").NoAddrGen {
			t.Fatalf("links: %+v, %+v", a.Links, b.Links)
		}
		if on := func(x state.Addr) bool { return x.Link != "lo" }; slices.ContainsFunc(a.Addrs, on) {
			t.Fatalf("addresses: %+v", a.Addrs)
		} else if !slices.ContainsFunc(b.Addrs, on) {
			return fmt.Errorf("the other end has no address yet: %+v", b.Addrs)
		}
		return nil
	})
	apply(t, k, destroy(steps))
}
