package fake

import (
	"reflect"
	"slices"
	"syscall"

	"warren/plan"
	"warren/state"
)

func (s *space) table(key string) int {
	return slices.IndexFunc(s.tables, func(t state.Table) bool { return t.Key() == key })
}

// putTable makes or replaces a table.
func (s *space) putTable(t *state.Table) error {
	c := t.Canonical()
	for _, ch := range c.Chains {
		for _, r := range ch.Rules {
			for _, e := range r.Exprs {
				if e.Match != nil && e.Match.SetName != "" && c.Set(e.Match.SetName) == nil {
					return refuse(syscall.ENOENT, "set %s", e.Match.SetName)
				}
				if e.Verdict != nil && e.Verdict.Chain != "" && c.Chain(e.Verdict.Chain) == nil {
					return refuse(syscall.ENOENT, "chain %s", e.Verdict.Chain)
				}
			}
		}
	}
	if i := s.table(c.Key()); i >= 0 {
		s.tables[i] = c
		return nil
	}
	s.tables = append(s.tables, c)
	return nil
}

func (s *space) removeTable(t *state.Table) error {
	i := s.table(t.Key())
	if i < 0 {
		return refuse(syscall.ENOENT, "table %s", t.Key())
	}
	s.tables = slices.Delete(s.tables, i, i+1)
	return nil
}

// changeElements deletes and adds elements of one set, all or nothing.
func (s *space) changeElements(before, after *plan.Elements) error {
	at := after
	if at == nil {
		at = before
	}
	i := s.table(at.Family + " " + at.Table)
	if i < 0 {
		return refuse(syscall.ENOENT, "table %s %s", at.Family, at.Table)
	}
	t := s.tables[i].Canonical()
	set := t.Set(at.Set)
	if set == nil {
		return refuse(syscall.ENOENT, "set %s", at.Set)
	}
	find := func(e *state.Element) int {
		c := e.Canonical()
		return slices.IndexFunc(set.Elements, func(x state.Element) bool { return x.Compare(c) == 0 })
	}
	if before != nil {
		for j := range before.Elements {
			x := find(&before.Elements[j])
			if x < 0 {
				return refuse(syscall.ENOENT, "element of %s", at.Set)
			}
			set.Elements = slices.Delete(set.Elements, x, x+1)
		}
	}
	if after != nil {
		for j := range after.Elements {
			e := after.Elements[j].Canonical()
			if x := find(&e); x >= 0 {
				old := set.Elements[x]
				old.Comment, e.Comment = "", ""
				if !reflect.DeepEqual(old, e) {
					return refuse(syscall.EEXIST, "element of %s", at.Set)
				}
				continue
			}
			set.Elements = append(set.Elements, e)
		}
	}
	s.tables[i] = t.Canonical()
	return nil
}
