package plan

import (
	"slices"
	"strings"

	"warren/state"
)

// furnish writes a namespace's run: what it gets once all links are made.
func (d *differ) furnish(p *place) {
	d.ph.runs = d.sysctls(d.ph.runs, p, false)
	var ups []Step
	for i := range p.want.Links {
		w := &p.want.Links[i]
		if w.Name == "lo" && !p.owned {
			continue
		}
		ups = d.changeLink(p, w, ups)
	}
	d.addrs(p)
	d.ph.runs = append(d.ph.runs, ups...)
	d.routes(p)
	d.rules(p)
	d.neighbors(p)
	d.fdb(p)
	d.tables(p)
}

// changeLink writes the change of a link but its coming up, which it appends to ups: that is after the addresses.
func (d *differ) changeLink(p *place, w *state.Link, ups []Step) []Step {
	var base state.Link
	have := d.present(p, w.Name)
	isNew := have == nil
	var former *state.Link
	masterGone := false
	switch {
	case !isNew:
		masterGone = have.Master != "" && d.dead(p.name, have.Master)
		if p.former != nil {
			for i := range p.former.Links {
				if p.former.Links[i].Name == w.Name {
					former = &p.former.Links[i]
				}
			}
		}
	case w.Name == "lo":
		base = state.Link{Name: "lo"}
		have = &base
	default:
		base = d.born(p, w)
		have = &base
	}
	var c patch
	d.patchLink(&c, withDefaults(w, former), have, former, masterGone)
	down := have.Up && !w.Up
	if c.changed || down {
		before, after := c.before, c.after
		before.Name, before.Kind, before.Up = w.Name, have.Kind, have.Up
		after.Name, after.Kind, after.Up = w.Name, have.Kind, have.Up && w.Up
		s := Step{NS: p.name, Before: Object{Link: &before}, After: Object{Link: &after}}
		if down {
			c.reason = append(c.reason, "is up, want down")
		}
		if !isNew {
			s.Reason = strings.Join(c.reason, "; ")
		}
		d.ph.runs = append(d.ph.runs, s)
	}
	if w.Up && !have.Up {
		s := Step{
			NS: p.name, Before: Object{Link: &state.Link{Name: w.Name, Kind: have.Kind}},
			After: Object{Link: &state.Link{Name: w.Name, Kind: have.Kind, Up: true}},
		}
		if !isNew {
			s.Reason = "is down, want up"
		}
		ups = append(ups, s)
	}
	return ups
}

func (d *differ) rules(p *place) {
	for i := range p.want.Rules {
		w := p.want.Rules[i]
		if p.have != nil && hasRule(p.have.Rules, &w) {
			continue
		}
		if w.Protocol == 0 && !d.verbatim {
			w.Protocol = state.Protocol
		}
		d.ph.runs = append(d.ph.runs, Step{NS: p.name, After: Object{Rule: &w}})
	}
}

// hasRule reports whether the list has a rule that says the same.
func hasRule(list []state.Rule, r *state.Rule) bool {
	return slices.ContainsFunc(list, func(o state.Rule) bool { return o.Same(r) })
}

func findNeighbor(list []state.Neighbor, n *state.Neighbor) *state.Neighbor {
	i, _ := slices.BinarySearchFunc(list, *n, state.Neighbor.Compare)
	for ; i < len(list) && list[i].Compare(*n) == 0; i++ {
		if list[i].Proxy == n.Proxy {
			return &list[i]
		}
	}
	return nil
}

func (d *differ) neighbors(p *place) {
	for i := range p.want.Neighbors {
		w := p.want.Neighbors[i]
		if w.Protocol == 0 && !d.verbatim {
			w.Protocol = state.Protocol
		}
		s := Step{NS: p.name, After: Object{Neighbor: &w}}
		if p.have != nil {
			h := findNeighbor(p.have.Neighbors, &w)
			switch {
			case h == nil || d.dead(p.name, h.Link):
			case h.State == orWord(w.State, "permanent") && (w.MAC.IsZero() || h.MAC == w.MAC) && (h.Router || !w.Router) || h.Proxy:
				continue
			default:
				before := *h
				s.Before, s.Reason = Object{Neighbor: &before}, "is "+strings.TrimSpace(h.MAC.String()+" "+h.State)
			}
		}
		d.ph.runs = append(d.ph.runs, s)
	}
}

func findFDB(list []state.FDBEntry, e *state.FDBEntry) *state.FDBEntry {
	i, _ := slices.BinarySearchFunc(list, *e, state.FDBEntry.Compare)
	for ; i < len(list) && list[i].Compare(*e) == 0; i++ {
		const where = 2 | 4 // NTF_SELF, NTF_MASTER
		if list[i].Flags&where == e.Flags&where || list[i].Flags&where == 0 || e.Flags&where == 0 {
			return &list[i]
		}
	}
	return nil
}

func (d *differ) fdb(p *place) {
	for i := range p.want.FDB {
		w := p.want.FDB[i]
		s := Step{NS: p.name, After: Object{FDB: &w}}
		if p.have != nil {
			h := findFDB(p.have.FDB, &w)
			switch {
			case h == nil || d.dead(p.name, h.Link) || d.dead(p.name, h.Master):
			case w.State == "" || w.State == h.State:
				continue
			default:
				before := *h
				s.Before, s.Reason = Object{FDB: &before}, "is "+h.State
			}
		}
		d.ph.runs = append(d.ph.runs, s)
	}
}
