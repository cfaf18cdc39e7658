package warren

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"warren/internal/lab"
	"warren/internal/probe"
	"warren/netns"
	"warren/reach"
	"warren/state"
	"warren/topo"
)

// A CheckError says that checks do not hold.
type CheckError struct {
	Lab    string
	Failed []CheckResult
}

func (e *CheckError) Error() string {
	if len(e.Failed) == 1 {
		return fmt.Sprintf("lab %q: the check %q does not hold: %s", e.Lab, e.Failed[0].Check, e.Failed[0].Detail)
	}
	return fmt.Sprintf("lab %q: %d checks do not hold", e.Lab, len(e.Failed))
}

// Check sends real packets from inside the lab's namespaces and tells, check by check in the file's order, whether the
// lab's assertions hold. The error is a *CheckError when some do not; the results come with it. ErrNotExist when the lab
// is not up.
func (w *Warren) Check(ctx context.Context, name string, o CheckOptions) ([]CheckResult, error) {
	x, err := w.recorded(name)
	if err != nil {
		return nil, err
	}
	return w.check(ctx, x, o)
}

func (w *Warren) check(ctx context.Context, x *topo.Expanded, o CheckOptions) ([]CheckResult, error) {
	dir, err := w.runDir().Dir(x.Lab)
	if err != nil {
		return nil, err
	}
	rooms := &rooms{w: w, x: x, dir: dir, open: map[string]*netns.Handle{}}
	defer rooms.close()
	checks := slices.DeleteFunc(slices.Clone(x.Checks), func(c topo.Check) bool { return !strings.Contains(c.Text, o.Only) })
	results := make([]CheckResult, 0, len(checks))
	failed := &CheckError{Lab: x.Lab}
	for i, c := range checks {
		w.event(Event{Lab: x.Lab, Phase: "checks", Done: i, Total: len(checks), Text: c.Text})
		r := rooms.run(ctx, c)
		if !r.OK {
			if c.Can && len(failed.Failed) < maxExplained {
				rooms.explain(ctx, c, &r)
			}
			failed.Failed = append(failed.Failed, r)
		}
		results = append(results, r)
		if err := ctx.Err(); err != nil {
			return results, err
		}
	}
	w.event(Event{Lab: x.Lab, Phase: "checks", Done: len(checks), Total: len(checks)})
	if len(failed.Failed) > 0 {
		return results, failed
	}
	return results, nil
}

// maxExplained bounds how many failed checks the packet walk is asked about: the first ones usually have the cause of all.
const maxExplained = 5

// rooms are the namespaces that checks send from, each opened once.
type rooms struct {
	w    *Warren
	x    *topo.Expanded
	dir  lab.Dir
	open map[string]*netns.Handle
}

func (r *rooms) close() {
	for _, h := range r.open {
		_ = h.Close()
	}
}

func (r *rooms) handle(ctx context.Context, node string) (*netns.Handle, error) {
	if h := r.open[node]; h != nil {
		return h, nil
	}
	key := state.HostNS
	if n := r.x.Node(node); n != nil {
		key = n.NS
	}
	h, err := r.w.kernel.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	r.open[node] = h
	return h, nil
}

// run carries out one check: one probe, or one for each pair that the check stands for, many at a time.
func (r *rooms) run(ctx context.Context, c topo.Check) CheckResult {
	start := time.Now()
	aims := aims(r.x, c)
	probes := make([]func(context.Context) probe.Result, len(aims))
	for i, a := range aims {
		h, err := r.handle(ctx, a.from)
		if err != nil {
			probes[i] = func(context.Context) probe.Result { return probe.Result{Code: probe.Failed, Detail: err.Error()} }
			continue
		}
		probes[i] = func(ctx context.Context) probe.Result {
			return probe.Retry(ctx, c.Retry, c.Can, func(ctx context.Context) probe.Result { return a.probe(ctx, r.x, r.dir, h, c) })
		}
	}
	parts := make([]CheckResult, 0, len(aims))
	for i, p := range probe.Many(ctx, 0, probes) {
		// A probe that could not be made proves neither can nor cannot.
		parts = append(parts, CheckResult{Check: aims[i].text(c), OK: p.Code != probe.Failed && p.OK == c.Can, Detail: p.Detail, Took: p.Took})
	}
	result := summary(c.Text, parts)
	result.Took = time.Since(start)
	return result
}

// explain asks the packet walk about the first probe of a check that should have got an answer and did not. What the walk
// cannot find out is left out: the check has failed already.
func (r *rooms) explain(ctx context.Context, c topo.Check, result *CheckResult) {
	first := result.Check
	if len(result.Parts) > 0 {
		first = result.Parts[0].Check
	}
	for _, a := range aims(r.x, c) {
		if a.text(c) != first && len(result.Parts) > 0 {
			continue
		}
		defer r.w.kernel.Rest()
		j := judge{x: r.x, gatherer: gatherer{observe: r.w.kernel.Observe}}
		flow, bad := j.flow(a, c)
		if bad != "" || c.Verb == "dns" {
			return
		}
		names := []string{flow.Source}
		if flow.Target != "" && flow.Target != flow.Source {
			names = append(names, flow.Target)
		}
		if err := j.whole(ctx, names...); err != nil {
			return
		}
		if v, err := j.trace(ctx, flow); err == nil && v.Reachable == reach.No {
			result.Why = &v
		}
		return
	}
}
