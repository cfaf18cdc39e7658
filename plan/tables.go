package plan

import (
	"reflect"
	"slices"
	"strings"

	"warren/state"
)

// shared reports whether tables of this namespace are used by several labs: only elements are a lab's own there.
func (p *place) shared() bool { return !p.owned && p.name == state.HostNS }

func findTable(list []state.Table, key string) *state.Table {
	for i := range list {
		if list[i].Key() == key {
			return &list[i]
		}
	}
	return nil
}

// elementLab is the lab that an element belongs to, by its comment "LAB/...".
func elementLab(e *state.Element) string {
	lab, _, ok := strings.Cut(e.Comment, "/")
	if !ok {
		return ""
	}
	return lab
}

// sharedComment is the comment on a shared table by which warren knows it as its own.
const sharedComment = "warren: an element's comment says whose it is"

// skeleton is the table without the elements that belong to labs.
func skeleton(t *state.Table) state.Table {
	s := *t
	if s.Comment == "" {
		s.Comment = sharedComment
	}
	s.Sets = slices.Clone(t.Sets)
	for i := range s.Sets {
		s.Sets[i].Elements = slices.DeleteFunc(slices.Clone(s.Sets[i].Elements), func(e state.Element) bool { return elementLab(&e) != "" })
	}
	return s
}

func sameTable(a, b *state.Table) bool {
	return reflect.DeepEqual(a.Canonical(), b.Canonical())
}

// clearTables writes what goes of tables.
func (d *differ) clearTables(p *place) {
	for i := range p.have.Tables {
		h := &p.have.Tables[i]
		w := findTable(p.want.Tables, h.Key())
		switch {
		case p.shared():
			d.ph.tablesGone = append(d.ph.tablesGone, d.sharedGone(p, h, w)...)
		case w != nil:
		case p.owned && h.Name == state.FirewallTable,
			p.former != nil && findTable(p.former.Tables, h.Key()) != nil,
			!p.owned && h.Name == state.FirewallTable && tableLab(h) == d.lab:
			d.ph.tablesGone = append(d.ph.tablesGone, Step{NS: p.name, Before: Object{Table: h}, Reason: "no longer declared"})
		case p.owned:
			d.other = append(d.other, Other{p.name, Object{Table: h}})
		}
	}
}

// tableLab is the lab that a table belongs to, by its comment "LAB" or "LAB/...".
func tableLab(t *state.Table) string {
	lab, _, _ := strings.Cut(t.Comment, "/")
	return lab
}

// sharedGone writes the elements of the lab that go from a shared table, and the table itself with the last lab's elements.
func (d *differ) sharedGone(p *place, h, w *state.Table) []Step {
	ns, lab := p.name, d.lab
	if h.Name != state.FirewallTable {
		return nil
	}
	var steps []Step
	others, left, mine := false, false, false
	for i := range h.Sets {
		s := &h.Sets[i]
		var ws *state.Set
		if w != nil {
			ws = w.Set(s.Name)
		}
		var gone []state.Element
		for j := range s.Elements {
			e := &s.Elements[j]
			switch elementLab(e) {
			case "":
			case lab:
				mine = true
				if ws == nil || findElement(ws.Elements, e) == nil {
					gone = append(gone, *e)
				} else {
					left = true
				}
			default:
				others = true
			}
		}
		if len(gone) > 0 {
			steps = append(steps, Step{NS: ns, Before: Object{Elements: &Elements{h.Family, h.Name, s.Name, gone}}, Reason: "no longer declared"})
		}
	}
	switch {
	case w != nil || others || left:
	case mine:
		t := skeleton(h)
		steps = append(steps, Step{NS: ns, Before: Object{Table: &t}, Reason: "the last lab that used it goes"})
	case sharedTable(h) && (d.destroys || p.former != nil):
		// Left by a run that was killed before it added its elements. Only who holds the host's lock may say so.
		t := skeleton(h)
		steps = append(steps, Step{NS: ns, Before: Object{Table: &t}, Reason: "no lab uses it"})
	}
	return steps
}

// sharedTable reports whether the table says of itself that warren made it.
func sharedTable(h *state.Table) bool { return strings.HasPrefix(h.Comment, "warren") }

func findElement(list []state.Element, e *state.Element) *state.Element {
	c := e.Canonical()
	for i := range list {
		if list[i].Canonical().Compare(c) == 0 {
			return &list[i]
		}
	}
	return nil
}

// tables writes the tables that come or change, and the elements of shared ones.
func (d *differ) tables(p *place) {
	for i := range p.want.Tables {
		w := &p.want.Tables[i]
		var h *state.Table
		if p.have != nil {
			h = findTable(p.have.Tables, w.Key())
		}
		switch {
		case p.shared():
			d.sharedTable(p, w, h)
		case h == nil:
			d.ph.tables = append(d.ph.tables, Step{NS: p.name, After: Object{Table: w}})
		case sameTable(w, h):
		case !p.owned && (w.Comment == "" || h.Comment != w.Comment):
			d.errs = append(d.errs, &CollisionError{NS: p.name, Object: "table " + w.Key(), Owner: tableOwner(h)})
		default:
			d.ph.tables = append(d.ph.tables, Step{NS: p.name, Before: Object{Table: h}, After: Object{Table: w}, Reason: "its rules differ"})
		}
	}
}

func tableOwner(h *state.Table) string {
	if h.Comment != "" {
		return "somebody else's (its comment is \"" + h.Comment + "\")"
	}
	return "not made by warren"
}

// sharedTable compares a table that other labs use too: the skeleton is the same for all, the elements are each lab's own.
func (d *differ) sharedTable(p *place, w, h *state.Table) {
	if h == nil {
		s := skeleton(w)
		d.ph.tables = append(d.ph.tables, Step{NS: p.name, After: Object{Table: &s}})
	} else if ws, hs := skeleton(w), skeleton(h); !sameTable(&ws, &hs) {
		if ws.Comment != h.Comment {
			d.errs = append(d.errs, &CollisionError{
				NS: p.name, Object: "table " + w.Key(), Owner: tableOwner(h),
				Hint: "warren keeps its rules in a table of this name; rename the other one",
			})
			return
		}
		// Another version's: replaced, with all labs' elements in it.
		for i := range ws.Sets {
			if old := h.Set(ws.Sets[i].Name); old != nil {
				for _, e := range old.Elements {
					if elementLab(&e) != "" {
						ws.Sets[i].Elements = append(ws.Sets[i].Elements, e)
					}
				}
			}
		}
		d.ph.tables = append(d.ph.tables, Step{NS: p.name, Before: Object{Table: h}, After: Object{Table: &ws}, Reason: "another version of warren made it"})
	}
	for i := range w.Sets {
		var hs *state.Set
		if h != nil {
			hs = h.Set(w.Sets[i].Name)
		}
		d.elements(p, w, &w.Sets[i], hs)
	}
}

// elements writes the elements of one set that come or change.
func (d *differ) elements(p *place, t *state.Table, ws, hs *state.Set) {
	var have []state.Element
	if hs != nil {
		have = make([]state.Element, len(hs.Elements))
		for i, e := range hs.Elements {
			have[i] = e.Canonical()
		}
		have = state.SortElements(have)
	}
	var added, before, after []state.Element
	for i := range ws.Elements {
		w := &ws.Elements[i]
		if elementLab(w) == "" {
			continue // of the skeleton
		}
		c := w.Canonical()
		j, there := slices.BinarySearchFunc(have, c, state.Element.Compare)
		switch {
		case !there:
			added = append(added, *w)
		case elementLab(&have[j]) != d.lab:
			d.errs = append(d.errs, elementCollision(p.name, ws.Name, w, &have[j]))
		case !reflect.DeepEqual(have[j], c):
			before, after = append(before, have[j]), append(after, *w)
		}
	}
	if len(before) > 0 {
		d.ph.elements = append(d.ph.elements, Step{
			NS: p.name, Before: Object{Elements: &Elements{t.Family, t.Name, ws.Name, before}},
			After: Object{Elements: &Elements{t.Family, t.Name, ws.Name, after}}, Reason: "they point elsewhere",
		})
	}
	if len(added) > 0 {
		d.ph.elements = append(d.ph.elements, Step{NS: p.name, After: Object{Elements: &Elements{t.Family, t.Name, ws.Name, added}}})
	}
}

// elementCollision says whose an element is that a lab wants to have. Those for published ports are commented
// LAB/NODE/ADDRESS:PORT/PROTOCOL, and a person thinks of the port.
func elementCollision(ns, set string, want, have *state.Element) *CollisionError {
	e := &CollisionError{NS: ns, Object: "element of " + set + " for " + want.Comment, Owner: "not made by warren"}
	lab := elementLab(have)
	if lab == "" {
		return e
	}
	e.Owner = "of lab " + lab + " (" + have.Comment + ")"
	mine, theirs := strings.SplitN(want.Comment, "/", 3), strings.SplitN(have.Comment, "/", 3)
	if strings.HasPrefix(set, "publish") && len(mine) == 3 && len(theirs) == 3 {
		e.Object = "port " + mine[2]
		e.Owner = "of node " + theirs[1] + " of lab " + lab
		e.Hint = "publish another port, or make this one free: warren down " + lab
	}
	return e
}
