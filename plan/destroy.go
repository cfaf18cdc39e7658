package plan

import (
	"warren/state"
)

// Destroy returns the steps after which nothing of the lab is left: its namespaces (with all that is in them), and in the
// other observed namespaces its links, elements, and what sits on its links. Sysctls of the host are not a plan's business
// but the ledger's. The snapshot must be complete for [Query] of what was wanted.
//
// The caller holds the host's lock: a link of our group that no altname claims is the rest of a run that was killed while it
// held that lock, and goes too; so does a shared table without any element.
func Destroy(lab string, have state.Snapshot) Plan {
	d := newDiffer(state.Desired{Lab: lab}, have, Options{})
	d.destroys = true
	d.checkNamespaces()
	d.errs = nil // what is unread or missing cannot be removed: the caller sees it in the snapshot
	d.matchLinks()
	for _, p := range d.places {
		if p.have == nil {
			continue
		}
		for i := range p.have.Links {
			l := &p.have.Links[i]
			if _, claimed := linkMark(l); l.Group == state.LinkGroup && !claimed && l.Name != "lo" {
				d.remove(p, l, "left half-made")
			}
		}
	}
	for _, p := range d.places {
		d.clear(p)
	}
	d.removeNamespaces()
	d.removeLinks()
	return Plan{Lab: lab, Steps: d.ph.steps()}
}
