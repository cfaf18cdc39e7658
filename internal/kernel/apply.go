package kernel

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"warren/plan"
)

// Apply carries out the steps in order and reports what became of each. Neighbouring steps of one sort go to the kernel
// together, so several steps may be announced by hooks.Before before the first of them happens, and hooks.After is
// called for all of them when they have. When a step fails, those that went to the kernel in the same message and did
// not fail are done, also later ones; no others are tried. The error of the report is an [*OpError] (or what
// hooks.Before or ctx said) and unwraps to the errno.
func (k *Kernel) Apply(ctx context.Context, steps []plan.Step, hooks plan.Hooks) plan.Report {
	w := &work{
		k: k, ctx: ctx, steps: steps, hooks: hooks,
		spaces: newSpaces(k, steps),
		report: plan.Report{Status: make([]plan.Status, len(steps))},
	}
	defer w.spaces.close()
	w.run()
	return w.report
}

// A work is one call of Apply.
type work struct {
	k      *Kernel
	ctx    context.Context
	steps  []plan.Step
	hooks  plan.Hooks
	spaces *spaces
	report plan.Report
}

// run cuts the steps into groups and carries them out one after the other.
func (w *work) run() {
	var g group
	for i, s := range w.steps {
		sort, err := sortOf(s)
		if err == nil && !g.accepts(s, sort) {
			if !w.flush(&g) {
				return
			}
		}
		if err == nil {
			err = w.ctx.Err()
		}
		if err == nil && w.hooks.Before != nil {
			err = w.hooks.Before(i, s)
		}
		if err != nil {
			// What was announced before is still carried out; a failure there comes first.
			if w.flush(&g) {
				w.report.Status[i] = plan.Failed
				w.report.Err = err
			}
			return
		}
		g.add(i, s, sort)
	}
	w.flush(&g)
}

// flush carries out a group and empties it. It reports whether the work goes on.
func (w *work) flush(g *group) bool {
	if len(g.index) == 0 {
		return true
	}
	steps := w.steps[g.index[0] : g.index[len(g.index)-1]+1] // a group is contiguous
	results := make([]result, len(steps))
	w.carryOut(g, steps, results)
	if slices.ContainsFunc(steps, removesLinks) {
		w.spaces.forgetLinks()
	}
	for j, r := range results {
		i := g.index[j]
		switch {
		case !r.tried:
		case r.err != nil:
			w.report.Status[i] = plan.Failed
			if w.report.Err == nil {
				w.report.Err = stepError(steps[j], r.err)
			}
		default:
			w.report.Status[i] = plan.Done
			if w.hooks.After != nil {
				w.hooks.After(i, steps[j])
			}
		}
	}
	next := g.index[len(g.index)-1] + 1
	*g = group{}
	w.spaces.release(next)
	return w.report.Err == nil
}

// removesLinks reports whether links may have gone, here or as peers elsewhere.
func removesLinks(s plan.Step) bool {
	o := s.Before
	return s.Verb() == plan.Delete && (o.Link != nil || o.Cable != nil || o.Namespace != nil)
}

// A result says what became of a step.
type result struct {
	tried bool
	err   error
}

func (r *result) set(err error) { r.tried, r.err = true, err }

// carryOut does the steps of one group.
func (w *work) carryOut(g *group, steps []plan.Step, results []result) {
	switch g.sort {
	case sortMake:
		w.makeNamespaces(steps, results)
	case sortRemove:
		w.removeNamespaces(steps, results)
	case sortCable:
		w.makeCables(g.ns, steps, results)
	case sortContents:
		w.changeContents(g.ns, steps, results)
	case sortFirewall:
		w.changeFirewall(g.ns, steps, results)
	default:
		panic(fmt.Sprintf("group of steps of sort %d", g.sort))
	}
}

// A sort of steps: those that go to the kernel in the same way.
type sort uint8

const (
	sortMake     sort = iota + 1 // namespaces that come, with their early sysctls
	sortRemove                   // namespaces that go
	sortCable                    // cables that come, of one asking namespace
	sortContents                 // what is inside of one namespace
	sortFirewall                 // tables and elements of one namespace
)

func sortOf(s plan.Step) (sort, error) {
	o := s.Object()
	verb := s.Verb()
	switch {
	case o.Namespace != nil && verb == plan.Create:
		return sortMake, nil
	case o.Namespace != nil && verb == plan.Delete:
		return sortRemove, nil
	case o.Cable != nil && verb == plan.Create:
		return sortCable, nil
	case o.Cable != nil && verb == plan.Delete:
		return sortContents, nil
	case o.Table != nil, o.Elements != nil:
		return sortFirewall, nil
	case o.Link != nil, o.Addr != nil, o.Route != nil, o.Rule != nil, o.Neighbor != nil, o.FDB != nil, o.Sysctl != nil:
		return sortContents, nil
	}
	return 0, &OpError{Op: string(verb), Object: describe(o), NS: s.NS, Err: fmt.Errorf("no such step: %w", unix.EINVAL)}
}

// Limits of a group. They bound what is announced but not yet done, not the size of a datagram (package nl does).
const (
	maxMake     = 64
	maxCables   = 32
	maxContents = 1024
)

// A group is a run of steps that go to the kernel together.
type group struct {
	sort  sort
	ns    string // where, unless it is of namespaces
	index []int  // positions of the steps
	made  int    // how many namespaces come
}

func (g *group) accepts(s plan.Step, sort sort) bool {
	if len(g.index) == 0 {
		return true
	}
	if g.sort == sortMake && sort == sortContents {
		return s.Object().Sysctl != nil && s.Verb() == plan.Create && s.NS == g.ns
	}
	if sort != g.sort {
		return false
	}
	switch sort {
	case sortMake:
		return g.made < maxMake
	case sortRemove:
		return true
	case sortCable:
		return s.NS == g.ns && len(g.index) < maxCables
	default:
		return s.NS == g.ns && len(g.index) < maxContents
	}
}

func (g *group) add(i int, s plan.Step, sort sort) {
	if len(g.index) == 0 {
		g.sort = sort
	}
	if sort == sortMake {
		g.made++
	}
	g.ns = s.NS // of a group of namespaces: the last one, whose sysctls may follow
	g.index = append(g.index, i)
}
