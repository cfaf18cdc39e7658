package warren

import (
	"context"
	"slices"

	"warren/reach"
	"warren/state"
)

// unskim gets what a walk misses of namespaces that were skimmed. It reports whether there was anything of that.
func (g *gatherer) unskim(ctx context.Context, m reach.Missing) (bool, error) {
	whole := added(&g.closely, m.Whole, same)
	for _, c := range m.Closer {
		if slices.Contains(g.closely, c.NS) {
			c.Ports, c.Stations = nil, nil
		}
		if len(c.Ports)+len(c.Stations) == 0 {
			g.learned(ctx, c)
		} else {
			if err := g.look(ctx, []state.Closer{c}); err != nil {
				whole = append(whole, added(&g.closely, []string{c.NS}, same)...) // a kernel that does not tell it this way
			}
		}
	}
	if len(whole) > 0 {
		return true, g.reread(ctx, whole)
	}
	return len(m.Closer) > 0, nil
}

// learned asks for routes one by one. Where that does not work nothing was learned.
func (g *gatherer) learned(ctx context.Context, c state.Closer) {
	if ns := g.have.Namespace(c.NS); ns != nil && (g.closer == nil || g.look(ctx, []state.Closer{c}) != nil) {
		remember(ns, c.Routes, nil)
	}
}

// remember puts the answers to questions for single routes into a namespace.
func remember(ns *state.Namespace, asked []state.RouteTo, told []state.Route) {
	for i, q := range asked {
		l := state.LearnedRoute{RouteTo: q}
		if i < len(told) {
			l.MTU = told[i].Metrics.MTU
		}
		ns.Learned = append(ns.Learned, l)
	}
}

// reread reads namespaces whole that were skimmed. One that is not there any more is taken out.
func (g *gatherer) reread(ctx context.Context, names []string) error {
	before := g.have.Namespaces
	g.have.Namespaces = slices.DeleteFunc(slices.Clone(before), func(n state.Namespace) bool { return slices.Contains(names, n.Name) })
	if err := g.read(ctx, g.parts(state.Query{Names: names})); err != nil {
		return err
	}
	for i := range before {
		if ns := g.have.Namespace(before[i].Name); ns != nil && slices.Contains(names, ns.Name) {
			for _, id := range before[i].NSIDs {
				learn(ns, id.ID, id.NS)
			}
		}
	}
	g.connect()
	return nil
}

// attend reads the ports at which cables end that were read from their other ends, and what the bridges know of those.
func (g *gatherer) attend(ctx context.Context) error {
	if g.closer == nil {
		return nil
	}
	var list []state.Closer
	for i := range g.have.Namespaces {
		if c, ok := g.ends(&g.have.Namespaces[i]); ok {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil
	}
	if g.look(ctx, list) != nil {
		var names []string
		for _, c := range list {
			names = append(names, added(&g.closely, []string{c.NS}, same)...)
		}
		return g.reread(ctx, names)
	}
	return nil
}

// ends lists the ports of a namespace that was skimmed whose other ends are known.
func (g *gatherer) ends(ns *state.Namespace) (state.Closer, bool) {
	c := state.Closer{NS: ns.Name}
	if ns.Skim == nil {
		return c, false
	}
	for i := range ns.Links {
		l := &ns.Links[i]
		if !l.Thin || l.Peer == nil {
			continue
		}
		c.Ports = append(c.Ports, l.Index)
		if far := g.have.Namespace(l.Peer.NS); far != nil {
			if end := far.Link(l.Peer.Name); end != nil {
				c.Stations = append(c.Stations, state.Station{Bridge: l.Master, MAC: end.MAC})
			}
		}
	}
	return c, len(c.Ports) > 0
}

// look reads ports and stations, and puts them where they belong.
func (g *gatherer) look(ctx context.Context, list []state.Closer) error {
	found, err := g.closer(ctx, list)
	if err != nil {
		return err
	}
	for i, c := range list {
		ns := g.have.Namespace(c.NS)
		if ns == nil {
			continue
		}
		remember(ns, c.Routes, found[i].Routes)
		if ns.Skim == nil {
			continue
		}
		for _, l := range found[i].Links {
			if at := slices.IndexFunc(ns.Links, func(o state.Link) bool { return o.Index == l.Index }); at >= 0 {
				ns.Links[at] = l
			}
		}
		ns.FDB = append(ns.FDB, found[i].FDB...)
		ns.Skim.Stations = append(ns.Skim.Stations, c.Stations...)
	}
	g.connect()
	return nil
}
