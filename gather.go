package warren

import (
	"context"
	"slices"
	"time"

	"warren/reach"
	"warren/state"
)

// A gatherer reads the kernel for a packet's walk, bit by bit: each namespace once, when the walk first comes there.
type gatherer struct {
	// observe reads; nil: have is all there is.
	observe func(context.Context, state.Query) (state.Snapshot, error)
	have    state.Snapshot
	// What was asked for, found or not.
	names      []string
	beyond     []state.NSIDOf
	everywhere bool
}

// where is what tells how namespaces are connected.
const where = state.PartLinks | state.PartNSIDs

// whole reads namespaces with all that a walk may look at.
func (g *gatherer) whole(ctx context.Context, names ...string) error {
	g.names = append(g.names, names...)
	return g.read(ctx, state.Query{Names: names, Parts: state.PartsWalk})
}

// more reads what a walk misses. It reports false when there is nothing left to ask for.
func (g *gatherer) more(ctx context.Context, m reach.Missing) (bool, error) {
	if g.observe == nil {
		return false, nil
	}
	q := state.Query{Parts: state.PartsWalk, PartsIn: map[string]state.Parts{}}
	for _, n := range m.Names {
		if !slices.Contains(g.names, n) {
			g.names, q.Names = append(g.names, n), append(q.Names, n)
		}
	}
	for _, b := range m.Beyond {
		if slices.Contains(g.beyond, b) {
			continue
		}
		g.beyond, q.Beyond = append(g.beyond, b), append(q.Beyond, b)
		// Both ends of a cable have to be looked at to tell that it is one.
		if !slices.Contains(q.Names, b.NS) {
			q.Names = append(q.Names, b.NS)
		}
	}
	if len(q.Names) == 0 && len(q.Beyond) == 0 {
		if g.everywhere {
			return false, nil
		}
		g.everywhere = true
		// Where they are is seen from their links and addresses; those that matter are then read by name.
		return true, g.read(ctx, state.Query{Everywhere: true, Parts: where | state.PartAddrs, Names: g.keys()})
	}
	q.Known = g.keys()
	for _, n := range q.Known {
		if ns := g.have.Namespace(n); isWhole(ns) {
			q.PartsIn[n] = where
		}
	}
	return true, g.read(ctx, q)
}

// keys are those of all namespaces that were read.
func (g *gatherer) keys() []string {
	list := make([]string, len(g.have.Namespaces))
	for i := range list {
		list[i] = g.have.Namespaces[i].Name
	}
	return list
}

// isWhole reports whether all that a walk may look at was read.
func isWhole(ns *state.Namespace) bool { return ns != nil && ns.Read.Has(state.PartRoutes) }

// read observes and adds what is new to what is there.
func (g *gatherer) read(ctx context.Context, q state.Query) error {
	s, err := g.observe(ctx, q)
	if err != nil {
		return err
	}
	if g.have.Version == 0 {
		Stamp(&s)
		g.have = s
		return nil
	}
	g.have.Time = time.Now()
	for _, u := range s.Unread {
		if !slices.Contains(g.have.Unread, u) {
			g.have.Unread = append(g.have.Unread, u)
		}
	}
	for i := range s.Namespaces {
		g.add(&s.Namespaces[i])
	}
	return nil
}

// add puts one namespace in. Of one that is there whole, only how it is connected may have become clearer.
func (g *gatherer) add(n *state.Namespace) {
	i, there := slices.BinarySearchFunc(g.have.Namespaces, n.Name, func(o state.Namespace, key string) int {
		switch {
		case o.Name < key:
			return -1
		case o.Name > key:
			return 1
		}
		return 0
	})
	switch {
	case !there:
		g.have.Namespaces = slices.Insert(g.have.Namespaces, i, *n)
		return
	case isWhole(n) && !isWhole(&g.have.Namespaces[i]):
		n, g.have.Namespaces[i] = &g.have.Namespaces[i], *n
		old := *n
		n = &old
	}
	have := &g.have.Namespaces[i]
	for _, id := range n.NSIDs {
		j := slices.IndexFunc(have.NSIDs, func(o state.NSID) bool { return o.ID == id.ID })
		switch {
		case j < 0:
			have.NSIDs = append(have.NSIDs, id)
		case id.NS != "":
			have.NSIDs[j].NS = id.NS
		}
	}
	for j := range have.Links {
		l := &have.Links[j]
		k := slices.IndexFunc(n.Links, func(o state.Link) bool { return o.Index == l.Index })
		if k < 0 {
			continue
		}
		l.Peer, l.Lower = clearer(l.Peer, n.Links[k].Peer), clearer(l.Lower, n.Links[k].Lower)
	}
}

// clearer is the one of two views of the same end that tells where it is.
func clearer(have, seen *state.Peer) *state.Peer {
	if have == nil || have.NS != "" || seen == nil || seen.NS == "" || seen.Index != have.Index {
		return have
	}
	return seen
}
