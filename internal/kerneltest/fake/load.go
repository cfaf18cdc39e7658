package fake

import (
	"slices"

	"warren/state"
)

// FromSnapshot is a machine in an observed state: what a plan would do can be tried on it. What the snapshot does not hold
// is not there.
func FromSnapshot(snap state.Snapshot) *Kernel {
	k := &Kernel{spaces: map[string]*space{}}
	for i := range snap.Namespaces {
		n := &snap.Namespaces[i]
		s := k.newSpace(n.Name)
		if n.Cookie != 0 {
			s.cookie = n.Cookie
			k.cookie = max(k.cookie, n.Cookie)
		}
		s.load(n)
	}
	for i := range snap.Namespaces {
		n := &snap.Namespaces[i]
		s := k.spaces[n.Name]
		for j := range n.Links {
			o := &n.Links[j]
			l := s.link(o.Name)
			l.peer, l.lower = k.find(o.Peer), k.find(o.Lower)
			if o.Master != "" {
				l.master = s.link(o.Master)
			}
			l.Peer, l.Lower, l.Master = nil, nil, ""
		}
	}
	if k.spaces[state.HostNS] == nil {
		host := k.newSpace(state.HostNS)
		_ = host.setUp(host.link("lo"), true)
	}
	return k
}

func (k *Kernel) find(p *state.Peer) *link {
	if p == nil || k.spaces[p.NS] == nil {
		return nil
	}
	return k.spaces[p.NS].link(p.Name)
}

func (s *space) load(n *state.Namespace) {
	byIndex := slices.Clone(n.Links)
	slices.SortStableFunc(byIndex, func(a, b state.Link) int { return a.Index - b.Index })
	for i := range byIndex {
		o := byIndex[i]
		o.AltNames = slices.Clone(o.AltNames)
		if o.Name == "lo" {
			s.link("lo").Link = o
			continue
		}
		s.links = append(s.links, &link{Link: o, space: s})
		s.next = max(s.next, o.Index+1)
	}
	s.addrs = slices.Clone(n.Addrs)
	s.routes = slices.Clone(n.Routes)
	if n.Rules != nil {
		s.rules = slices.Clone(n.Rules)
	}
	s.neighs = slices.Clone(n.Neighbors)
	for _, e := range n.FDB {
		if l := s.link(e.Link); l == nil || l.MAC != e.MAC { // its own address is in the table by itself
			s.fdb = append(s.fdb, e)
		}
	}
	for _, t := range n.Tables {
		s.tables = append(s.tables, t.Canonical())
	}
	for _, v := range n.Sysctls {
		s.sysctl[v.Key] = v.Value
	}
}
