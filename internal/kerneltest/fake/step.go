package fake

import (
	"slices"
	"syscall"

	"warren/plan"
	"warren/state"
)

// step does one step. It changes nothing when it fails.
func (k *Kernel) step(st plan.Step) error {
	if n := st.Object().Namespace; n != nil {
		switch st.Verb() {
		case plan.Create:
			return k.makeNamespace(n)
		case plan.Delete:
			return k.removeNamespace(n)
		}
		return syscall.EINVAL
	}
	if c := st.Object().Cable; c != nil {
		return k.cable(st.Verb(), c)
	}
	s := k.spaces[st.NS]
	if s == nil {
		return refuse(syscall.ENOENT, "no namespace %s", st.NS)
	}
	before, after := st.Before, st.After
	switch o := st.Object(); {
	case o.Link != nil:
		switch st.Verb() {
		case plan.Create:
			return s.makeLink(after.Link)
		case plan.Delete:
			return s.removeLink(before.Link.Name)
		default:
			return s.changeLink(before.Link, after.Link)
		}
	case o.Addr != nil:
		return replace(st.Verb(), before.Addr, after.Addr, s.addAddr, s.replaceAddr, s.removeAddr)
	case o.Route != nil:
		return replace(st.Verb(), before.Route, after.Route, s.addRoute, s.replaceRoute, s.removeRoute)
	case o.Rule != nil:
		return replace(st.Verb(), before.Rule, after.Rule, s.addRule, nil, s.removeRule)
	case o.Neighbor != nil:
		return replace(st.Verb(), before.Neighbor, after.Neighbor, s.addNeighbor, s.replaceNeighbor, s.removeNeighbor)
	case o.FDB != nil:
		return replace(st.Verb(), before.FDB, after.FDB, s.addFDB, s.replaceFDB, s.removeFDB)
	case o.Table != nil:
		return replace(st.Verb(), before.Table, after.Table, s.putTable, s.putTable, s.removeTable)
	case o.Elements != nil:
		return s.changeElements(before.Elements, after.Elements)
	case o.Sysctl != nil:
		if after.Sysctl == nil {
			return nil
		}
		return s.writeSysctl(after.Sysctl.Key, after.Sysctl.Value)
	}
	return syscall.EINVAL
}

func replace[T any](v plan.Verb, before, after *T, add, change, remove func(*T) error) error {
	switch {
	case v == plan.Create:
		return add(after)
	case v == plan.Delete:
		return remove(before)
	case change == nil:
		return syscall.EINVAL
	default:
		return change(after)
	}
}

func (k *Kernel) makeNamespace(n *state.DesiredNamespace) error {
	if k.spaces[n.Name] != nil {
		return refuse(syscall.EEXIST, "namespace %s", n.Name)
	}
	s := k.newSpace(n.Name)
	if !n.Mark.IsZero() {
		s.link("lo").AltNames = []string{n.Mark.AltName()}
	}
	return nil
}

// removeNamespace removes one that carries the mark; one that is not there is gone already.
func (k *Kernel) removeNamespace(n *state.DesiredNamespace) error {
	s := k.spaces[n.Name]
	if s == nil {
		return nil
	}
	if n.Name == state.HostNS || !slices.Contains(s.link("lo").AltNames, n.Mark.AltName()) {
		return refuse(syscall.EPERM, "namespace %s does not carry the mark of %s", n.Name, n.Mark.AltName())
	}
	for len(s.links) > 1 {
		l := s.links[len(s.links)-1]
		s.drop(l)
		if l.Kind == "" { // hardware goes home, down
			home := k.spaces[state.HostNS]
			l.Up = false
			home.add(l)
		}
	}
	delete(k.spaces, n.Name)
	return nil
}

// mark is the mark on lo.
func (s *space) mark() state.Mark {
	for _, a := range s.link("lo").AltNames {
		if m, ok := state.ParseMark(a); ok {
			return m
		}
	}
	return state.Mark{}
}
