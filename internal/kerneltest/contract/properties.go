package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"warren/plan"
	"warren/state"
)

// Properties tries random labs. rounds > 0 is how many each property tries, for a kernel on which they take their time; 0 leaves
// it to rapid, which then also shrinks what fails. newKernel is called for each try and may give the same world every time.
func Properties(t *testing.T, newKernel func(t testing.TB) Kernel, rounds int) {
	properties := []struct {
		name string
		try  func(w *world, a, b state.Desired)
	}{
		{"apply-then-diff-is-empty", applyThenDiff},
		{"apply-then-seen-everywhere", applyThenEverywhere},
		{"order-of-input", orderOfInput},
		{"from-one-to-another", fromOneToAnother},
		{"without-memory", withoutMemory},
		{"destroy-leaves-nothing", destroyLeavesNothing},
		{"json", roundTrip},
		{"inverse", inverse},
		{"inverse-of-destroy", inverseOfDestroy},
		{"error-and-undo", errorAndUndo},
		{"killed-half-way", killedHalfWay},
	}
	for i, p := range properties {
		t.Run(p.name, func(t *testing.T) {
			labs := Labs("pr" + string(rune('a'+i)))
			if rounds == 0 {
				rapid.Check(t, func(r *rapid.T) {
					a, b := labs.Draw(r, "a"), labs.Draw(r, "b")
					w := &world{tb: r, k: newKernel(t), lab: a.Name}
					p.try(w, a.Desired(), b.Desired())
					w.destroy()
				})
				return
			}
			for seed := range rounds {
				a, b := labs.Example(2*seed), labs.Example(2*seed+1)
				w := &world{tb: t, k: newKernel(t), lab: a.Name}
				p.try(w, a.Desired(), b.Desired())
				w.destroy()
			}
		})
	}
}

func applyThenDiff(w *world, a, _ state.Desired) { w.up(a) }

// applyThenEverywhere: a reading of the whole host holds all of the lab, so that nothing is left to do.
func applyThenEverywhere(w *world, a, _ state.Desired) {
	w.up(a)
	q := plan.Query(a, plan.Options{})
	q.Lab, q.Everywhere = "", true
	q.Parts |= state.PartAllNeighbors | state.PartAllFDB | state.PartNSIDs
	s, err := w.k.Observe(context.Background(), q)
	if err != nil {
		w.Fatalf("observe everywhere: %v", err)
	}
	p, err := plan.Diff(a, s, plan.Options{})
	if err != nil {
		w.Fatalf("diff: %v", err)
	}
	if len(p.Steps) > 0 {
		w.Fatalf("the lab is not in the snapshot of everything: %v", p)
	}
}

// orderOfInput: the lists of what is wanted and of what is there may come in any order.
func orderOfInput(w *world, a, b state.Desired) {
	w.up(a)
	have := w.observe(b)
	p, err := plan.Diff(b, have, plan.Options{Former: &a})
	if err != nil {
		w.Fatalf("diff: %v", err)
	}
	text := p.Text() // a plan shares memory with what it was made of
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range have.Namespaces {
		shuffle(rnd, &have.Namespaces[i].Contents)
	}
	rnd.Shuffle(len(have.Namespaces), func(i, j int) { have.Namespaces[i], have.Namespaces[j] = have.Namespaces[j], have.Namespaces[i] })
	other := state.Desired{Lab: b.Lab, Namespaces: slices.Clone(b.Namespaces)}
	for i := range other.Namespaces {
		c := &other.Namespaces[i].Contents
		c.Links, c.Addrs, c.Routes = slices.Clone(c.Links), slices.Clone(c.Addrs), slices.Clone(c.Routes)
		c.Sysctls, c.Rules = slices.Clone(c.Sysctls), slices.Clone(c.Rules)
		shuffle(rnd, c)
	}
	rnd.Shuffle(len(other.Namespaces), func(i, j int) { other.Namespaces[i], other.Namespaces[j] = other.Namespaces[j], other.Namespaces[i] })
	q, err := plan.Diff(other, have, plan.Options{Former: &a})
	if err != nil {
		w.Fatalf("diff: %v", err)
	}
	if q.Text() != text {
		w.Fatalf("another order of input gives another plan:\n%s\n%s", text, q.Text())
	}
}

func shuffle(rnd *rand.Rand, c *state.Contents) {
	rnd.Shuffle(len(c.Links), func(i, j int) { c.Links[i], c.Links[j] = c.Links[j], c.Links[i] })
	rnd.Shuffle(len(c.Addrs), func(i, j int) { c.Addrs[i], c.Addrs[j] = c.Addrs[j], c.Addrs[i] })
	rnd.Shuffle(len(c.Routes), func(i, j int) { c.Routes[i], c.Routes[j] = c.Routes[j], c.Routes[i] })
	rnd.Shuffle(len(c.Sysctls), func(i, j int) { c.Sysctls[i], c.Sysctls[j] = c.Sysctls[j], c.Sysctls[i] })
	rnd.Shuffle(len(c.Rules), func(i, j int) { c.Rules[i], c.Rules[j] = c.Rules[j], c.Rules[i] })
}

// fromOneToAnother: going from a to b is as good as making b: what is taken out goes, sysctls and MTUs included.
func fromOneToAnother(w *world, a, b state.Desired) {
	keys := union(a, b)
	w.up(a)
	w.up(b)
	got := w.plain(keys)
	w.destroy()
	w.up(b)
	if want := w.plain(keys); got != want {
		w.Fatalf("going there by way of another lab gives\n%s\nwant\n%s", got, want)
	}
}

// union is a value that names the namespaces and sysctls of both, for asking.
func union(a, b state.Desired) state.Desired {
	u := state.Desired{Lab: a.Lab}
	for _, d := range []state.Desired{a, b} {
		for _, n := range d.Namespaces {
			i := slices.IndexFunc(u.Namespaces, func(x state.DesiredNamespace) bool { return x.Name == n.Name })
			if i < 0 {
				i = len(u.Namespaces)
				u.Namespaces = append(u.Namespaces, state.DesiredNamespace{Name: n.Name})
			}
			u.Namespaces[i].Sysctls = append(u.Namespaces[i].Sysctls, n.Sysctls...)
		}
	}
	return u
}

// withoutMemory: also without knowing what was applied before, what carries a mark and is not wanted goes.
func withoutMemory(w *world, a, b state.Desired) {
	w.up(a)
	w.former = nil
	w.up(b)
}

func destroyLeavesNothing(w *world, a, _ state.Desired) {
	before := w.plain(state.Desired{Lab: a.Lab})
	w.up(a)
	w.destroy()
	if got := w.plain(state.Desired{Lab: a.Lab}); got != before {
		w.Fatalf("after the lab was removed it is\n%s\nwant\n%s", got, before)
	}
}

func (w *world) copied(p plan.Plan) plan.Plan {
	w.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		w.Fatalf("%v", err)
	}
	var q plan.Plan
	if err := json.Unmarshal(b, &q); err != nil {
		w.Fatalf("%v", err)
	}
	c, err := json.Marshal(q)
	if err != nil || string(c) != string(b) {
		w.Fatalf("a plan reads back as another one (%v):\n%s\n%s", err, b, c)
	}
	return q
}

// roundTrip: a plan that was written down and read does the same.
func roundTrip(w *world, a, b state.Desired) {
	w.do(w.copied(w.diff(a)).Steps...)
	w.former = &a
	w.same(a)
	w.do(w.copied(w.diff(b)).Steps...)
	w.former = &b
	w.same(b)
}

func inverse(w *world, a, b state.Desired) {
	keys := union(a, b)
	empty := w.plain(keys)
	p := w.diff(a)
	w.do(p.Steps...)
	at := w.plain(keys)
	w.do(p.Inverse().Steps...)
	w.equal(w.plain(keys), empty, p)
	w.do(p.Inverse().Inverse().Steps...)
	w.equal(w.plain(keys), at, p.Inverse())
	w.former = &a
	w.same(a)
	p = w.diff(b)
	w.do(p.Steps...)
	w.do(p.Inverse().Steps...)
	w.equal(w.plain(keys), at, p)
}

func (w *world) equal(got, want string, p plan.Plan) {
	w.Helper()
	if got != want {
		w.Fatalf("this plan\n%s\nand its inverse\n%s\nlead to\n%s\nwant\n%s", p.Text(), p.Inverse().Text(), got, want)
	}
}

func inverseOfDestroy(w *world, a, _ state.Desired) {
	w.up(a)
	before := w.plain(a)
	p := plan.Destroy(w.lab, w.observe(a))
	w.do(p.Steps...)
	w.do(p.Inverse().Steps...)
	w.equal(w.plain(a), before, p)
}

// errorAndUndo: an error at any step, undone, leaves what was before.
func errorAndUndo(w *world, a, b state.Desired) {
	keys := union(a, b)
	w.up(a)
	before := w.plain(keys)
	p := w.diff(b)
	for stop := range p.Steps {
		r := w.k.Apply(w.ctx(), p.Steps, stopAt(stop))
		if !errors.Is(r.Err, errInjected) {
			w.Fatalf("stopped at %d: %v", stop, r.Err)
		}
		w.do(plan.Undo(p.Steps, r)...)
		if got := w.plain(keys); got != before {
			w.Fatalf("stopped at %d of\n%s\nand undone by\n%s\nit is\n%s\nwant\n%s", stop, p.Text(), plan.Plan{Steps: plan.Undo(p.Steps, r)}.Text(), got, before)
		}
	}
}

func stopAt(stop int) plan.Hooks {
	return plan.Hooks{Before: func(i int, _ plan.Step) error {
		if i == stop {
			return fmt.Errorf("before step %d: %w", i, errInjected)
		}
		return nil
	}}
}

// killedHalfWay: whatever step was the last one, the next run finishes the work, and a removal leaves nothing.
func killedHalfWay(w *world, a, b state.Desired) {
	keys := union(a, b)
	nothing := w.plain(state.Desired{Lab: a.Lab})
	w.up(a)
	w.up(b)
	want := w.plain(keys)
	w.destroy()
	w.up(a)
	n := len(w.diff(b).Steps)
	for stop := range n {
		w.k.Apply(w.ctx(), w.diff(b).Steps, stopAt(stop))
		w.up(b)
		if got := w.plain(keys); got != want {
			w.Fatalf("killed at %d and finished it is\n%s\nwant\n%s", stop, got, want)
		}
		w.destroy()
		if got := w.plain(state.Desired{Lab: a.Lab}); got != nothing {
			w.Fatalf("killed at %d, finished and removed it is\n%s\nwant\n%s", stop, got, nothing)
		}
		w.up(a)
		w.k.Apply(w.ctx(), w.diff(b).Steps, stopAt(stop))
		w.destroy()
		if got := w.plain(state.Desired{Lab: a.Lab}); got != nothing {
			w.Fatalf("killed at %d and removed it is\n%s\nwant\n%s", stop, got, nothing)
		}
		w.up(a)
	}
}
