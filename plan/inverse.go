package plan

import (
	"slices"

	"warren/state"
)

// Inverse returns the plan that leads back. What stands in a namespace that this plan makes is undone by removing the
// namespace. A namespace that this plan removes is made again with all that its step tells.
func (p Plan) Inverse() Plan {
	return Plan{Lab: p.Lab, Steps: inverse(p.Lab, p.Steps, nil)}
}

// Undo returns the steps that undo what was done of a plan, last first.
func Undo(steps []Step, report Report) []Step {
	var done []Step
	var standing []*state.DesiredNamespace
	for i := range steps {
		switch {
		case i < len(report.Status) && report.Status[i] == Done:
			done = append(done, steps[i])
		case steps[i].Before.Namespace != nil && steps[i].After.IsZero():
			// It was to go and stands yet; but cables between it and those that went are gone.
			standing = append(standing, steps[i].Before.Namespace)
		}
	}
	return inverse("", done, standing)
}

func inverse(lab string, steps []Step, standing []*state.DesiredNamespace) []Step {
	made := map[string]*state.DesiredNamespace{}
	for i := range steps {
		s := &steps[i]
		if n := s.After.Namespace; n != nil && s.Verb() == Create {
			made[n.Name] = &state.DesiredNamespace{Name: n.Name, Mark: n.Mark}
		}
	}
	far := map[string]*Far{}
	if len(made) > 0 {
		fold(steps, made, far)
	}
	grown := grow(steps, made)
	var back, downs []Step
	unmade := false
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		if s.Object().Addr == nil {
			back, downs = append(back, downs...), downs[:0]
		}
		if s.Before.IsZero() && !unmade && (s.After.Namespace != nil || s.After.Cable != nil || s.After.Link != nil) {
			// Namespaces go before links that stay: their cables may be ports of a bridge that goes too, and when this is
			// inverted again the bridge has to be there first.
			unmade = true
			back = append(back, unmake(steps, made, far)...)
		}
		switch {
		case s.Before.Namespace != nil && s.After.IsZero():
			// A run of removed namespaces comes back together: there are cables between them.
			first := i
			for first > 0 && steps[first-1].Before.Namespace != nil && steps[first-1].After.IsZero() {
				first--
			}
			back = append(back, rebuild(lab, steps[first:i+1], standing)...)
			i = first
		case s.After.Namespace != nil, inside(&s, made):
		case s.After.Sysctl != nil && s.Before.IsZero():
			// The former value is not known: the key came with a namespace or a link, and goes with it.
		case s.After.Link != nil && !s.Before.IsZero() && grown[endKey{s.NS, s.After.Link.Name}] != nil:
			// Goes with its link, which was made too.
		case s.After.Link != nil && s.Before.Link != nil && s.After.Link.Up && !s.Before.Link.Up:
			// With a link that goes down the kernel takes its IPv6 addresses: those that are ours are removed first.
			downs = append(downs, invert(s)...)
		default:
			back = append(back, invert(full(s, grown))...)
		}
	}
	return append(back, downs...)
}

// unmake removes the namespaces that were made, the last one first.
func unmake(steps []Step, made map[string]*state.DesiredNamespace, far map[string]*Far) []Step {
	var back []Step
	for i := len(steps) - 1; i >= 0; i-- {
		if s := &steps[i]; s.After.Namespace != nil && s.Before.IsZero() {
			n := made[s.NS]
			n.Sort()
			back = append(back, Step{NS: s.NS, Before: Object{Namespace: n, Far: far[s.NS]}, Reason: "undo"})
		}
	}
	return back
}

// grow collects the links that the steps make in namespaces that stay, as they are after all steps.
func grow(steps []Step, made map[string]*state.DesiredNamespace) map[endKey]*state.Link {
	grown := map[endKey]*state.Link{}
	put := func(ns string, l state.Link) {
		if made[ns] == nil {
			grown[endKey{ns, l.Name}] = &l
		}
	}
	for i := range steps {
		switch s := &steps[i]; {
		case s.After.Cable != nil && s.Before.IsZero():
			put(s.After.Cable.A.NS, s.After.Cable.A.Link)
			put(s.After.Cable.B.NS, s.After.Cable.B.Link)
		case s.After.Link != nil && s.Before.IsZero():
			put(s.NS, *s.After.Link)
		case s.After.Link != nil:
			if l := grown[endKey{s.NS, s.After.Link.Name}]; l != nil {
				overlay(l, s.After.Link)
			}
		}
	}
	return grown
}

// full is the making of a link with all that it got later.
func full(s Step, grown map[endKey]*state.Link) Step {
	if !s.Before.IsZero() {
		return s
	}
	switch {
	case s.After.Cable != nil:
		c := *s.After.Cable
		for _, e := range []*End{&c.A, &c.B} {
			if l := grown[endKey{e.NS, e.Link.Name}]; l != nil {
				e.Link = *l
			}
		}
		s.After = Object{Cable: &c}
	case s.After.Link != nil:
		if l := grown[endKey{s.NS, s.After.Link.Name}]; l != nil {
			s.After = Object{Link: l}
		}
	}
	return s
}

// inside reports whether the step's object goes with a namespace that was made.
func inside(s *Step, made map[string]*state.DesiredNamespace) bool {
	if made[s.NS] != nil && s.Object().Cable == nil {
		return true
	}
	c := s.After.Cable
	return c != nil && s.Before.IsZero() && (made[c.A.NS] != nil || made[c.B.NS] != nil)
}

// invert swaps. A cable's answering end cannot be born with all that it was: a change follows.
func invert(s Step) []Step {
	r := Step{NS: s.NS, Before: s.After, After: s.Before, Reason: "undo"}
	if !r.Before.IsZero() {
		return []Step{r}
	}
	switch {
	case r.After.Cable != nil:
		c := *r.After.Cable
		b := c.B.Link
		c.B.Link = answering(b)
		r.After = Object{Cable: &c}
		return append([]Step{r}, follow(c.B.NS, &c.B.Link, &b)...)
	case r.After.Link != nil && r.After.Link.Kind == "veth":
		return nil // its other end is not known: it cannot be made again
	}
	return []Step{r}
}

// follow is the change from one form of a link to the other, none when there is none.
func follow(ns string, from, to *state.Link) []Step {
	var c patch
	(&differ{verbatim: true}).patchLink(&c, to, from, nil, false)
	if !c.changed && from.Up == to.Up {
		return nil
	}
	before, after := c.before, c.after
	before.Name, before.Kind, before.Up = from.Name, from.Kind, from.Up
	after.Name, after.Kind, after.Up = to.Name, to.Kind, to.Up
	return []Step{{NS: ns, Before: Object{Link: &before}, After: Object{Link: &after}, Reason: "undo"}}
}

// rebuild makes namespaces again, and what they have taken along from those that stand.
func rebuild(lab string, gone []Step, standing []*state.DesiredNamespace) []Step {
	want := state.Desired{Lab: lab}
	var have state.Snapshot
	far := map[endKey]*state.Link{}
	names := map[string]bool{}
	for i := range gone {
		o := &gone[i].Before
		want.Namespaces = append(want.Namespaces, *o.Namespace)
		names[o.Namespace.Name] = true
		if o.Far != nil {
			for j := range o.Far.Ends {
				e := &o.Far.Ends[j]
				far[endKey{e.NS, e.Link.Name}] = &e.Link
			}
		}
	}
	for _, n := range standing {
		want.Namespaces = append(want.Namespaces, *n)
		have.Namespaces = append(have.Namespaces, bereft(n, names))
	}
	d := newDiffer(want, have, Options{})
	d.verbatim, d.far = true, far
	for _, p := range d.places {
		d.bear(p)
	}
	d.makeLinks()
	for _, p := range d.places {
		d.furnish(p)
	}
	steps := d.ph.steps()
	// Far ends of which the changes after birth belong to namespaces that stayed.
	for i := range d.ph.cables {
		c := d.ph.cables[i].After.Cable
		if want := far[endKey{c.B.NS, c.B.Link.Name}]; want != nil {
			steps = append(steps, follow(c.B.NS, &c.B.Link, want)...)
		}
	}
	for i := range steps {
		steps[i].Reason = "undo"
	}
	return steps
}

// bereft is a namespace without its cables to those that are gone, and without what sat on them.
func bereft(n *state.DesiredNamespace, gone map[string]bool) state.Namespace {
	lost := map[string]bool{}
	for i := range n.Links {
		if l := &n.Links[i]; l.Kind == "veth" && l.Peer != nil && gone[l.Peer.NS] {
			lost[l.Name] = true
		}
	}
	c := cloneContents(n.Contents)
	c.Links = slices.DeleteFunc(c.Links, func(l state.Link) bool { return lost[l.Name] })
	c.Addrs = slices.DeleteFunc(c.Addrs, func(a state.Addr) bool { return lost[a.Link] })
	c.Routes = slices.DeleteFunc(c.Routes, func(r state.Route) bool {
		return slices.ContainsFunc(r.NextHops, func(h state.NextHop) bool { return lost[h.Link] }) ||
			r.Src.IsValid() && slices.ContainsFunc(n.Addrs, func(a state.Addr) bool { return lost[a.Link] && a.Prefix.Addr() == r.Src })
	})
	c.Neighbors = slices.DeleteFunc(c.Neighbors, func(x state.Neighbor) bool { return lost[x.Link] })
	c.FDB = slices.DeleteFunc(c.FDB, func(e state.FDBEntry) bool { return lost[e.Link] })
	c.Sysctls = slices.DeleteFunc(c.Sysctls, func(s state.Sysctl) bool { return lost[sysctlDevice(s.Key)] })
	return state.Namespace{Name: n.Name, Mark: n.Mark, Contents: c}
}

// fold collects what steps have put into the namespaces that they made, and the other ends of cables that lead out.
func fold(steps []Step, made map[string]*state.DesiredNamespace, far map[string]*Far) {
	links := map[endKey]int{}
	put := func(e End, other End) {
		n := made[e.NS]
		if n == nil {
			return
		}
		l := e.Link
		if other.NS != "" {
			l.Peer = &state.Peer{NS: other.NS, Name: other.Link.Name}
			if made[other.NS] == nil {
				f := far[e.NS]
				if f == nil {
					f = &Far{}
					far[e.NS] = f
				}
				f.Ends = append(f.Ends, other)
			}
		}
		links[endKey{e.NS, l.Name}] = len(n.Links)
		n.Links = append(n.Links, l)
	}
	for i := range steps {
		s := &steps[i]
		if c := s.After.Cable; c != nil {
			put(c.A, c.B)
			put(c.B, c.A)
			continue
		}
		n := made[s.NS]
		if n == nil || s.After.IsZero() {
			continue
		}
		switch o := &s.After; {
		case o.Link != nil:
			j, there := links[endKey{s.NS, o.Link.Name}]
			switch {
			case s.Before.IsZero():
				put(End{s.NS, *o.Link}, End{})
			case there:
				overlay(&n.Links[j], o.Link)
			default:
				links[endKey{s.NS, o.Link.Name}] = len(n.Links)
				n.Links = append(n.Links, *o.Link)
			}
		case o.Addr != nil:
			n.Addrs = append(n.Addrs, *o.Addr)
		case o.Route != nil:
			n.Routes = append(n.Routes, *o.Route)
		case o.Rule != nil:
			n.Rules = append(n.Rules, *o.Rule)
		case o.Neighbor != nil:
			n.Neighbors = append(n.Neighbors, *o.Neighbor)
		case o.FDB != nil:
			n.FDB = append(n.FDB, *o.FDB)
		case o.Table != nil:
			n.Tables = append(n.Tables, *o.Table)
		case o.Sysctl != nil:
			n.Sysctls = slices.DeleteFunc(n.Sysctls, func(x state.Sysctl) bool { return x.Key == o.Sysctl.Key })
			n.Sysctls = append(n.Sysctls, *o.Sysctl)
		}
	}
}

// overlay takes the declared fields of a change over.
func overlay(l, c *state.Link) {
	l.Up = c.Up
	if c.MTU != 0 {
		l.MTU = c.MTU
	}
	if !c.MAC.IsZero() {
		l.MAC = c.MAC
	}
	if c.TxQueueLen != 0 {
		l.TxQueueLen = c.TxQueueLen
	}
	if c.Group != 0 {
		l.Group = c.Group
	}
	l.NoAddrGen = l.NoAddrGen || c.NoAddrGen
	if c.Alias != "" {
		l.Alias = c.Alias
	}
	if c.Master != "" {
		l.Master = c.Master
	}
	if c.Bridge != nil {
		l.Bridge = c.Bridge
	}
	if c.Port != nil {
		l.Port = c.Port
	}
	l.AltNames = append(slices.Clip(l.AltNames), c.AltNames...)
}
