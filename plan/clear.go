package plan

import (
	"warren/state"
)

// clear writes what goes from a namespace that stays: what is ours and no longer declared, what has to be made anew because
// the kernel cannot change it, and what the kernel would take away with something that goes (so that the plan can be inverted,
// and so that what is still wanted of it is made again).
func (d *differ) clear(p *place) {
	if p.have == nil {
		return
	}
	d.loseAddrs(p)
	d.loseRoutes(p)
	d.clearTables(p)
	d.clearFDB(p)
	d.clearNeighbors(p)
	d.clearRules(p)
	for i := range p.have.Routes {
		if r := &p.have.Routes[i]; p.lost[i] && !kernelRoute(*r) {
			x := restorableRoute(*r)
			d.gone(p, Object{Route: &x}, d.whyRoute(p, r))
		}
	}
	d.clearAddrs(p)
	if !p.deadLinks {
		return
	}
	for _, s := range p.have.Sysctls {
		if d.dead(p.name, sysctlDevice(s.Key)) {
			d.gone(p, Object{Sysctl: &s}, "goes with its link")
		}
	}
	for i := range p.have.Links {
		l := &p.have.Links[i]
		if l.Master == "" || !d.dead(p.name, l.Master) || d.dead(p.name, l.Name) {
			continue
		}
		before := state.Link{Name: l.Name, Kind: l.Kind, Up: l.Up, Master: l.Master}
		after := state.Link{Name: l.Name, Kind: l.Kind, Up: l.Up}
		d.ph.cleared = append(d.ph.cleared, Step{NS: p.name, Before: Object{Link: &before}, After: Object{Link: &after}, Reason: l.Master + " goes"})
	}
}

func (d *differ) gone(p *place, o Object, reason string) {
	d.ph.cleared = append(d.ph.cleared, Step{NS: p.name, Before: o, Reason: reason})
}

// ourLink reports whether the link is this lab's; every link of an owned namespace counts.
func (d *differ) ourLink(p *place, name string) bool {
	if p.owned {
		return true
	}
	l := p.haveLinks.get(name)
	return l != nil && d.ours(p, l)
}

func (d *differ) clearFDB(p *place) {
	var own map[state.MAC]bool
	if p.deadLinks && len(p.have.FDB) > 0 {
		own = linkAddresses(p.have.Links)
	}
	for i := range p.have.FDB {
		e := &p.have.FDB[i]
		if p.deadLinks && (d.dead(p.name, e.Link) || d.dead(p.name, e.Master)) {
			p.lostFDB = mark(p.lostFDB, i)
			if staticFDB(own, *e) {
				d.gone(p, Object{FDB: e}, "goes with its link")
			}
			continue
		}
		if p.former != nil && findFDB(p.want.FDB, e) == nil && findFDB(p.former.FDB, e) != nil && (e.State == "permanent" || e.State == "static") {
			p.lostFDB = mark(p.lostFDB, i)
			d.gone(p, Object{FDB: e}, "no longer declared")
		}
	}
}

func (d *differ) clearNeighbors(p *place) {
	for i := range p.have.Neighbors {
		n := &p.have.Neighbors[i]
		switch {
		case d.dead(p.name, n.Link):
			p.lostNeigh = mark(p.lostNeigh, i)
			if staticNeighbor(*n) {
				d.gone(p, Object{Neighbor: n}, "goes with its link")
			}
		case n.Protocol == state.Protocol && d.ourLink(p, n.Link) && findNeighbor(p.want.Neighbors, n) == nil:
			p.lostNeigh = mark(p.lostNeigh, i)
			d.gone(p, Object{Neighbor: n}, "no longer declared")
		}
	}
}

func (d *differ) clearRules(p *place) {
	for i := range p.have.Rules {
		h := &p.have.Rules[i]
		if kernelRule(*h) || hasRule(p.want.Rules, h) {
			continue
		}
		ours := h.Protocol == state.Protocol
		if ours && !p.owned {
			ours = h.IIF != "" && d.ourLink(p, h.IIF) || h.OIF != "" && d.ourLink(p, h.OIF) ||
				p.former != nil && hasRule(p.former.Rules, h)
		}
		if ours {
			d.gone(p, Object{Rule: h}, "no longer declared")
		} else if p.owned {
			d.other = append(d.other, Other{p.name, Object{Rule: h}})
		}
	}
}

func mark(m map[int]bool, i int) map[int]bool {
	if m == nil {
		m = map[int]bool{}
	}
	m[i] = true
	return m
}
