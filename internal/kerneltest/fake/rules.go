package fake

import (
	"slices"
	"syscall"

	"warren/state"
)

func (s *space) addRule(r *state.Rule) error {
	n := r.Kept()
	if slices.ContainsFunc(s.rules, func(x state.Rule) bool { return x.Same(r) }) {
		return refuse(syscall.EEXIST, "rule %d", r.Priority)
	}
	s.rules = append(s.rules, n)
	return nil
}

func (s *space) removeRule(r *state.Rule) error {
	i := slices.IndexFunc(s.rules, func(x state.Rule) bool { return x.Same(r) })
	if i < 0 {
		return refuse(syscall.ENOENT, "rule %d", r.Priority)
	}
	s.rules = slices.Delete(s.rules, i, i+1)
	return nil
}

func (s *space) neighbor(n *state.Neighbor) int {
	return slices.IndexFunc(s.neighs, func(x state.Neighbor) bool { return x.Link == n.Link && x.IP == n.IP && x.Proxy == n.Proxy })
}

func (s *space) addNeighbor(n *state.Neighbor) error {
	switch {
	case s.link(n.Link) == nil:
		return refuse(syscall.ENODEV, "%s", n.Link)
	case s.neighbor(n) >= 0:
		return refuse(syscall.EEXIST, "%v", n.IP)
	}
	x := *n
	if x.State == "" && !x.Proxy {
		x.State = "permanent"
	}
	s.neighs = append(s.neighs, x)
	return nil
}

func (s *space) replaceNeighbor(n *state.Neighbor) error {
	if i := s.neighbor(n); i >= 0 {
		s.neighs = slices.Delete(s.neighs, i, i+1)
	}
	return s.addNeighbor(n)
}

func (s *space) removeNeighbor(n *state.Neighbor) error {
	if s.link(n.Link) == nil {
		return refuse(syscall.ENODEV, "%s", n.Link)
	}
	i := s.neighbor(n)
	if i < 0 {
		return refuse(syscall.ENOENT, "%v", n.IP)
	}
	s.neighs = slices.Delete(s.neighs, i, i+1)
	return nil
}

func (s *space) entry(e *state.FDBEntry) int {
	return slices.IndexFunc(s.fdb, func(x state.FDBEntry) bool {
		return x.Link == e.Link && x.MAC == e.MAC && x.VLAN == e.VLAN && x.Dst == e.Dst && x.VNI == e.VNI
	})
}

const (
	ntfSelf   = 2 // NTF_SELF
	ntfMaster = 4 // NTF_MASTER
)

func (s *space) addFDB(e *state.FDBEntry) error {
	l := s.link(e.Link)
	switch {
	case l == nil:
		return refuse(syscall.ENODEV, "%s", e.Link)
	case s.entry(e) >= 0:
		return refuse(syscall.EEXIST, "%s", e.MAC)
	case l.Kind != "vxlan" && l.master == nil:
		return refuse(syscall.EINVAL, "%s is neither a port nor a vxlan", e.Link)
	}
	x := *e
	if x.State == "" {
		x.State = "permanent"
	}
	if l.master != nil && l.Kind != "vxlan" {
		x.Master = l.master.Name
	}
	s.fdb = append(s.fdb, x)
	return nil
}

func (s *space) replaceFDB(e *state.FDBEntry) error {
	if i := s.entry(e); i >= 0 {
		s.fdb = slices.Delete(s.fdb, i, i+1)
	}
	return s.addFDB(e)
}

func (s *space) removeFDB(e *state.FDBEntry) error {
	i := s.entry(e)
	if i < 0 {
		return refuse(syscall.ENOENT, "%s", e.MAC)
	}
	s.fdb = slices.Delete(s.fdb, i, i+1)
	return nil
}
