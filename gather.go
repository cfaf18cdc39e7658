package warren

import (
	"context"
	"slices"
	"strings"
	"time"

	"warren/reach"
	"warren/state"
)

// A gatherer reads the kernel for a packet's walk, bit by bit: each namespace once, when the walk first comes there.
type gatherer struct {
	// observe reads; nil: have is all there is.
	observe func(context.Context, state.Query) (state.Snapshot, error)
	// closer looks at ports of namespaces that were skimmed; nil: none is.
	closer func(context.Context, []state.Closer) ([]state.Contents, error)
	// onlyIPv4: the question is one of IPv4.
	onlyIPv4 bool
	have     state.Snapshot
	// What was asked for, found or not.
	names      []string
	beyond     []state.NSIDOf
	asks       []state.AddrBeyond
	everywhere bool
	senders    []string
	closely    []string // read again, whole
}

// whole reads namespaces that may send with all that a walk may look at.
func (g *gatherer) whole(ctx context.Context, names ...string) error {
	g.names, g.senders = append(g.names, names...), append(g.senders, names...)
	return g.read(ctx, g.walk(state.Query{Names: names}))
}

// walk asks for all that a walk may look at, as far as that can be told beforehand.
func (g *gatherer) walk(q state.Query) state.Query {
	q.Skim, q.SkimIPv4 = g.closer != nil, g.onlyIPv4
	return g.parts(q)
}

func (g *gatherer) parts(q state.Query) state.Query {
	q.Parts, q.PartsIn = state.PartsWalk, map[string]state.Parts{}
	for _, key := range g.senders {
		q.PartsIn[key] = state.PartsWalk | state.PartSenders
	}
	return q
}

// more reads what a walk misses. It reports false when there is nothing left to ask for.
func (g *gatherer) more(ctx context.Context, m reach.Missing) (bool, error) {
	if g.observe == nil {
		return false, nil
	}
	if grown, err := g.unskim(ctx, m); grown || err != nil {
		return grown, err
	}
	q := g.walk(state.Query{Names: added(&g.names, m.Names, same), Beyond: added(&g.beyond, m.Beyond, same), Asks: added(&g.asks, m.Asks, state.AddrBeyond.SameQuestion)})
	if len(q.Names)+len(q.Beyond)+len(q.Asks) == 0 {
		if g.everywhere {
			return false, nil
		}
		g.everywhere = true
		// Where they are is seen from their links and addresses; those that matter are then read by name.
		return true, g.read(ctx, state.Query{Everywhere: true, Parts: state.PartLinks | state.PartNSIDs | state.PartAddrs, Names: g.keys()})
	}
	for i := range g.have.Namespaces {
		if ns := &g.have.Namespaces[i]; isWhole(ns) {
			q.Known = append(q.Known, ns.Name)
		}
	}
	return true, g.read(ctx, q)
}

// added puts what is new into a list, and returns it.
func added[T any](list *[]T, more []T, same func(a, b T) bool) (fresh []T) {
	for _, x := range more {
		if !slices.ContainsFunc(*list, func(y T) bool { return same(x, y) }) {
			*list, fresh = append(*list, x), append(fresh, x)
		}
	}
	return fresh
}

func same[T comparable](a, b T) bool { return a == b }

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
		g.connect()
		return g.attend(ctx)
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
	for _, b := range s.Behind {
		if ns := g.have.Namespace(b.NS); ns != nil {
			learn(ns, b.ID, b.Key)
		}
	}
	g.connect()
	return g.attend(ctx)
}

// add puts one namespace in. One that is there whole stays as it is.
func (g *gatherer) add(n *state.Namespace) {
	i, there := slices.BinarySearchFunc(g.have.Namespaces, n.Name, func(o state.Namespace, key string) int { return strings.Compare(o.Name, key) })
	if !there {
		g.have.Namespaces = slices.Insert(g.have.Namespaces, i, *n)
		return
	}
	old := &g.have.Namespaces[i]
	for _, id := range n.NSIDs {
		learn(old, id.ID, id.NS)
	}
	if isWhole(n) && !isWhole(old) {
		for _, id := range old.NSIDs {
			learn(n, id.ID, id.NS)
		}
		*old = *n
	}
}

// learn remembers who is behind an id of a namespace.
func learn(ns *state.Namespace, id int, key string) {
	if key == "" {
		return
	}
	i := slices.IndexFunc(ns.NSIDs, func(o state.NSID) bool { return o.ID == id })
	if i < 0 {
		ns.NSIDs = append(ns.NSIDs, state.NSID{ID: id, NS: key})
		return
	}
	ns.NSIDs[i].NS = key
}

// connect says of links where their other ends are. Once it is known of one end of a cable, it is of the other one.
func (g *gatherer) connect() {
	for i := range g.have.Namespaces {
		ns := &g.have.Namespaces[i]
		behind := make(map[int]string, len(ns.NSIDs))
		for _, id := range ns.NSIDs {
			behind[id.ID] = id.NS
		}
		for j := range ns.Links {
			l := &ns.Links[j]
			for _, p := range []*state.Peer{l.Peer, l.Lower} {
				if p == nil {
					continue
				}
				if p.NS == "" && p.NSID >= 0 {
					p.NS = behind[p.NSID]
				}
				if p.NS != "" {
					g.join(ns, l, p)
				}
			}
		}
	}
}

// join tells both ends of a cable about each other.
func (g *gatherer) join(ns *state.Namespace, l *state.Link, p *state.Peer) {
	far := g.have.Namespace(p.NS)
	if far == nil {
		return
	}
	i := slices.IndexFunc(far.Links, func(o state.Link) bool { return o.Index == p.Index })
	if i < 0 {
		return
	}
	end := &far.Links[i]
	p.Name = end.Name
	if end.Thin && l.Peer == p {
		end.Peer = &state.Peer{NS: ns.Name, Name: l.Name, Index: l.Index}
		return
	}
	if l.Peer == p && end.Peer != nil && end.Peer.NS == "" && end.Peer.Index == l.Index {
		end.Peer.NS, end.Peer.Name = ns.Name, l.Name
		learn(far, end.Peer.NSID, ns.Name)
	}
}
