package contract

import (
	"context"
	"errors"
	"testing"

	"warren/plan"
	"warren/state"
)

// A Kernel is what is tested.
type Kernel interface {
	Observe(context.Context, state.Query) (state.Snapshot, error)
	Apply(context.Context, []plan.Step, plan.Hooks) plan.Report
}

// tb is what the helpers need of *testing.T and *rapid.T.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// world is a kernel with one lab in it.
type world struct {
	tb
	k      Kernel
	lab    string
	former *state.Desired
}

func newWorld(t *testing.T, k Kernel, lab string) *world {
	w := &world{tb: t, k: k, lab: lab}
	t.Cleanup(w.destroy)
	return w
}

// observe reads all that a plan of the lab needs; also a foreign namespace that want names.
func (w *world) observe(want state.Desired) state.Snapshot {
	w.Helper()
	q := plan.Query(want, plan.Options{Former: w.former})
	q.Lab = w.lab
	q.Names = append(q.Names, state.HostNS)
	s, err := w.k.Observe(context.Background(), q)
	if err != nil {
		w.Fatalf("observe: %v", err)
	}
	if len(s.Unread) > 0 {
		w.Fatalf("observe: unread: %v", s.Unread)
	}
	return s
}

func (w *world) diff(want state.Desired) plan.Plan {
	w.Helper()
	p, err := plan.Diff(want, w.observe(want), plan.Options{Former: w.former})
	if err != nil {
		w.Fatalf("diff: %v", err)
	}
	return p
}

// up applies what is wanted; afterwards there is nothing to do.
func (w *world) up(want state.Desired) {
	w.Helper()
	p := w.diff(want)
	w.do(p.Steps...)
	w.former = &want
	w.same(want)
}

// same checks that there is nothing to do.
func (w *world) same(want state.Desired) {
	w.Helper()
	if p := w.diff(want); !p.Empty() {
		w.Fatalf("after it was applied there is still to do:\n%s", p.Text())
	}
}

// do carries out steps that must succeed.
func (w *world) do(steps ...plan.Step) {
	w.Helper()
	r := w.k.Apply(context.Background(), steps, plan.Hooks{})
	if r.Err != nil {
		w.Fatalf("apply: %v\n%s", r.Err, plan.Plan{Lab: w.lab, Steps: steps}.Text())
	}
	for i, st := range r.Status {
		if st != plan.Done {
			w.Fatalf("apply: step %d (%v) is %d without an error", i, steps[i], st)
		}
	}
}

// refused carries out one step that must fail with that error, and leave nothing behind.
func (w *world) refused(want error, step plan.Step) {
	w.Helper()
	r := w.k.Apply(context.Background(), []plan.Step{step}, plan.Hooks{})
	if !errors.Is(r.Err, want) {
		w.Fatalf("%s: error %v, want %v", step, r.Err, want)
	}
	if len(r.Status) != 1 || r.Status[0] != plan.Failed {
		w.Fatalf("%s: status %v, want failed", step, r.Status)
	}
}

func (w *world) destroy() {
	w.Helper()
	p := plan.Destroy(w.lab, w.observe(state.Desired{Lab: w.lab}))
	w.do(p.Steps...)
	w.former = nil
	if p := plan.Destroy(w.lab, w.observe(state.Desired{Lab: w.lab})); !p.Empty() {
		w.Fatalf("after the lab was removed there is still to remove:\n%s", p.Text())
	}
}

// ns is the key of a node.
func (w *world) ns(node string) string { return w.lab + "." + node }

// space reads one namespace.
func (w *world) space(node string, sysctls ...string) *state.Namespace {
	w.Helper()
	key := w.ns(node)
	if node == state.HostNS {
		key = node
	}
	s, err := w.k.Observe(context.Background(), state.Query{
		Names: []string{key}, Lab: w.lab, Parts: state.PartsLab,
		SysctlKeys: map[string][]string{key: sysctls},
	})
	if err != nil {
		w.Fatalf("observe: %v", err)
	}
	return s.Namespace(key)
}

// link reads one link.
func (w *world) link(node, name string) *state.Link {
	w.Helper()
	n := w.space(node)
	if n == nil {
		w.Fatalf("namespace %s is not there", node)
	}
	return n.Link(name)
}

// node is a step that makes a node's namespace.
func (w *world) node(name string) plan.Step {
	return plan.Step{NS: w.ns(name), After: plan.Object{Namespace: &state.DesiredNamespace{Name: w.ns(name), Mark: state.Mark{Lab: w.lab, Node: name}}}}
}

// create is a step that makes an object in a node.
func (w *world) create(node string, o plan.Object) plan.Step {
	if o.Cable != nil {
		return plan.Step{NS: o.Cable.A.NS, After: o}
	}
	return plan.Step{NS: w.ns(node), After: o}
}

// remove is the step that removes what create makes in node a.
func (w *world) remove(o plan.Object) plan.Step {
	s := w.create("a", o)
	s.Before, s.After = s.After, plan.Object{}
	return s
}

// cable is a veth pair of that name between node a, whose end is up, and another one.
func (w *world) cable(b, name string) plan.Object {
	return plan.Object{Cable: &plan.Cable{
		A: plan.End{NS: w.ns("a"), Link: state.Link{Name: name, Kind: "veth", Up: true, Group: state.LinkGroup}},
		B: plan.End{NS: w.ns(b), Link: state.Link{Name: name, Kind: "veth", Group: state.LinkGroup}},
	}}
}

// setUp brings a link up or down.
func (w *world) setUp(node, link, kind string, up bool) plan.Step {
	return plan.Step{
		NS: w.ns(node), Before: plan.Object{Link: &state.Link{Name: link, Kind: kind, Up: !up}},
		After: plan.Object{Link: &state.Link{Name: link, Kind: kind, Up: up}},
	}
}
