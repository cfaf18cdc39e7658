package reach

import (
	"fmt"
	"slices"
	"strings"
)

// A trail is what one packet met: its steps, and what stands in its way, in order.
type trail struct {
	steps    []Step
	troubles []trouble
}

// A trouble is an obstacle or a doubt at a step.
type trouble struct {
	reason *Reason
	doubt  *Doubt
	// detour: what follows may be another way than the one walked.
	detour bool
	step   int // index in steps, -1 = none
	// tells is the ICMP error that the sender is sent.
	tells *notice
}

func (t *trail) step(r *room, stage, object, format string, args ...any) *Step {
	t.steps = append(t.steps, Step{Namespace: r.name(), Stage: stage, Object: object, Text: fmt.Sprintf(format, args...), OK: true})
	return &t.steps[len(t.steps)-1]
}

// stop records that the packet dies here. The walk goes on as if it did not.
func (t *trail) stop(r *room, stage string, why Reason) {
	if why.Namespace == "" {
		why.Namespace = r.name()
	}
	t.steps = append(t.steps, Step{Namespace: r.name(), Stage: stage, Object: why.Object, Text: why.Text, Code: why.Code})
	t.troubles = append(t.troubles, trouble{reason: &why, step: len(t.steps) - 1})
}

// note records something that is not in the way.
func (t *trail) note(r *room, why Reason) {
	if why.Namespace == "" {
		why.Namespace = r.name()
	}
	why.note = true
	t.troubles = append(t.troubles, trouble{reason: &why, step: -1})
}

func (t *trail) doubt(r *room, stage string, d Doubt, detour bool) {
	if d.Namespace == "" {
		d.Namespace = r.name()
	}
	t.steps = append(t.steps, Step{Namespace: r.name(), Stage: stage, Object: d.Object, Text: d.Text, Unknown: true})
	t.troubles = append(t.troubles, trouble{doubt: &d, detour: detour, step: len(t.steps) - 1})
}

// doubts reports whether an object is in doubt already.
func (t *trail) doubts(ns, object string) bool {
	return slices.ContainsFunc(t.troubles, func(u trouble) bool { return u.doubt != nil && u.doubt.Namespace == ns && u.doubt.Object == object })
}

// fork is a copy that grows on its own.
func (t *trail) fork() trail {
	return trail{slices.Clip(t.steps), slices.Clip(t.troubles)}
}

// follow appends another trail.
func (t *trail) follow(o trail) {
	base := len(t.steps)
	t.steps = append(t.steps, o.steps...)
	for _, u := range o.troubles {
		if u.step >= 0 {
			u.step += base
		}
		t.troubles = append(t.troubles, u)
	}
}

// followTroubles appends what stood in the way, with the steps at which it did, and one step for all that went well.
func (t *trail) followTroubles(o trail) {
	for _, u := range o.troubles {
		if u.step >= 0 {
			t.steps = append(t.steps, o.steps[u.step])
			u.step = len(t.steps) - 1
		}
		t.troubles = append(t.troubles, u)
	}
}

// obstacles counts what really stops the packet.
func (t *trail) obstacles() int {
	n := 0
	for _, u := range t.troubles {
		if u.reason != nil && !u.reason.note {
			n++
		}
	}
	return n
}

// weight orders alternatives: obstacles count more than doubts.
func (t *trail) weight() int {
	n := 0
	for _, u := range t.troubles {
		switch {
		case u.reason == nil:
			n++
		case !u.reason.note:
			n += 100
		}
	}
	return n
}

func (t *trail) first() *Reason {
	for _, u := range t.troubles {
		if u.reason != nil && !u.reason.note {
			return u.reason
		}
	}
	return nil
}

// compact removes what the packet met a second time: the question for a neighbour goes the same way as the packet after it.
func (t *trail) compact() {
	place := make([]int, len(t.steps))
	var steps []Step
	for i, s := range t.steps {
		place[i] = -1
		if !s.OK {
			for j, o := range steps {
				if !o.OK && o.Namespace == s.Namespace && o.Object == s.Object && o.Code == s.Code && o.Unknown == s.Unknown {
					place[i] = j
				}
			}
		}
		if place[i] < 0 {
			place[i] = len(steps)
			steps = append(steps, s)
		}
	}
	t.steps = steps
	for i := range t.troubles {
		if u := &t.troubles[i]; u.step >= 0 {
			u.step = place[u.step]
		}
	}
}

func facts(list ...string) []string { return list }

func fact(source, format string, args ...any) string {
	return fmt.Sprintf(format, args...) + " (" + source + ")"
}

func fix(list ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return strings.TrimSpace(s) == "" })
}
