package fake

import (
	"context"
	"slices"
	"strings"

	"warren/state"
)

// Observe reads what the query asks for, as internal/kernel does.
func (k *Kernel) Observe(ctx context.Context, q state.Query) (state.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return state.Snapshot{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	snap := state.Snapshot{Version: state.SnapshotVersion}
	named := map[string]bool{}
	for _, n := range q.Names {
		named[n] = true
	}
	for _, key := range k.keys() {
		s := k.spaces[key]
		lab := q.Lab != "" && (s.mark().Lab == q.Lab || strings.HasPrefix(key, q.Lab+".@"))
		if !q.All && !q.Everywhere && !lab && !named[key] {
			continue
		}
		snap.Namespaces = append(snap.Namespaces, s.observe(q))
	}
	if q.Fresh {
		fresh := &space{k: k, sysctl: map[string]string{}, links: []*link{{Link: state.Link{Name: "lo"}}}}
		seen := map[string]bool{}
		for _, keys := range q.SysctlKeys {
			for _, key := range keys {
				if v, ok := fresh.readSysctl(key); ok && !seen[key] {
					seen[key] = true
					snap.Fresh = append(snap.Fresh, state.Sysctl{Key: key, Value: v})
				}
			}
		}
		slices.SortFunc(snap.Fresh, state.Sysctl.Compare)
	}
	return snap, nil
}

func (s *space) observe(q state.Query) state.Namespace {
	n := state.Namespace{Name: s.key, Cookie: s.cookie, Mark: s.mark()}
	if s.key != state.HostNS && !strings.Contains(s.key, "@") {
		n.Names = []string{s.key}
	}
	parts := q.PartsOf(s.key)
	if parts.Has(state.PartLinks) {
		n.Links = make([]state.Link, 0, len(s.links))
		for _, l := range s.links {
			n.Links = append(n.Links, l.observe())
		}
	}
	if parts.Has(state.PartAddrs) {
		n.Addrs = slices.Clone(s.addrs)
	}
	if parts.Has(state.PartRoutes) {
		n.Routes = slices.Clone(s.routes)
		for i := range n.Routes {
			n.Routes[i].NextHops = slices.Clone(n.Routes[i].NextHops)
		}
	}
	if parts.Has(state.PartRules) {
		n.Rules = slices.Clone(s.rules)
	}
	if parts.Has(state.PartNeighbors) {
		n.Neighbors = slices.Clone(s.neighs)
	}
	if parts.Has(state.PartFDB) {
		n.FDB = slices.Clone(s.fdb)
		for _, l := range s.links {
			if l.master != nil { // a bridge knows its ports' own addresses
				n.FDB = append(n.FDB, state.FDBEntry{Link: l.Name, Master: l.master.Name, MAC: l.MAC, State: "permanent", Flags: ntfMaster})
			}
		}
	}
	if parts.Has(state.PartFirewall) {
		for _, t := range s.tables {
			n.Tables = append(n.Tables, t.Canonical())
		}
	}
	for _, key := range q.SysctlKeys[s.key] {
		if v, ok := s.readSysctl(key); ok {
			n.Sysctls = append(n.Sysctls, state.Sysctl{Key: key, Value: v})
		}
	}
	n.Sort()
	return n
}

// Flags of an interface (netdevice(7)).
const (
	iffUp        = 1
	iffBroadcast = 2
	iffLoopback  = 8
	iffRunning   = 64
	iffLowerUp   = 1 << 16
)

func (l *link) observe() state.Link {
	o := l.Link
	o.AltNames = slices.Clone(l.AltNames)
	o.Flags = iffBroadcast
	if l.Name == "lo" {
		o.Flags = iffLoopback
	}
	o.OperState = "DOWN"
	if l.Up {
		o.Flags |= iffUp
		switch {
		case l.Name == "lo":
			o.OperState = "UNKNOWN"
			o.Flags |= iffRunning | iffLowerUp
		case l.running():
			o.OperState = "UP"
			o.Flags |= iffRunning | iffLowerUp
		case l.Kind == "veth":
			o.OperState = "LOWERLAYERDOWN"
		}
	}
	o.Master = ""
	if l.master != nil {
		o.Master = l.master.Name
	}
	o.Peer, o.Lower = l.seen(l.peer), l.seen(l.lower)
	if l.Bridge != nil {
		b := *l.Bridge
		o.Bridge = &b
	}
	o.Port = nil
	if l.Port != nil && l.master != nil {
		p := *l.Port
		st := uint8(0)
		if l.running() && l.master.Up {
			st = 3
		}
		p.State = &st
		o.Port = &p
	}
	return o
}

// seen is how a link tells of another one.
func (l *link) seen(p *link) *state.Peer {
	if p == nil || p.space == nil {
		return nil
	}
	id := -1
	if p.space != l.space {
		id = int(p.space.cookie)
	}
	return &state.Peer{NS: p.space.key, Name: p.Name, Index: p.Index, NSID: id}
}
