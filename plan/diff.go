package plan

import (
	"errors"
	"slices"
	"strings"

	"warren/state"
)

// Options of [Diff]. The zero value works.
type Options struct {
	// Former is what was wanted when the lab was last applied, nil when not known. What it declares and the new one does
	// not, and that carries no mark of its own (a sysctl, an MTU, a master, a forwarding entry), is undone by it.
	Former *state.Desired
}

// Diff returns the steps that lead from what is to what is wanted. The snapshot must be complete for [Query]. Only
// declared fields of declared objects are compared (see the package comment for what is deleted). The plan shares memory
// with its arguments, which are not changed.
//
// Errors: [*CollisionError], [*MissingError], [*UnreadError], [*InvalidError], several joined.
func Diff(want state.Desired, have state.Snapshot, opt Options) (Plan, error) {
	d := newDiffer(want, have, opt)
	d.checkNamespaces()
	if len(d.errs) > 0 {
		return Plan{Lab: want.Lab}, errors.Join(d.errs...)
	}
	d.matchLinks()
	for _, p := range d.places {
		d.clear(p)
	}
	d.removeNamespaces()
	d.removeLinks()
	d.ph.grow(d.places)
	for _, p := range d.places {
		d.bear(p)
	}
	d.makeLinks()
	for _, p := range d.places {
		d.furnish(p)
	}
	if len(d.errs) > 0 {
		return Plan{Lab: want.Lab}, errors.Join(d.errs...)
	}
	return Plan{Lab: want.Lab, Steps: d.ph.steps(), Other: d.other}, nil
}

// A differ compares. It collects steps by phase.
type differ struct {
	lab    string
	places []*place // in the order of the plan's runs
	byName map[string]*place
	have   *state.Snapshot
	fresh  []state.Sysctl
	// verbatim: nothing is added to what is wanted (no group, no protocol): an inverse restores what was.
	verbatim bool
	destroys bool                   // the caller holds the host's lock and wants nothing to be left
	far      map[endKey]*state.Link // known other ends of cables whose namespace is not wanted
	doomed   map[endKey]doom        // links that will not be there any more when things are made
	going    []*state.Namespace     // namespaces that go
	ph       phases
	other    []Other
	errs     []error
}

// A place is a namespace that is wanted, with what is there.
type place struct {
	name      string
	owned     bool
	want      *state.DesiredNamespace
	have      *state.Namespace // nil: it is to be made
	former    *state.DesiredNamespace
	wantLinks linkIndex
	haveLinks linkIndex
	deadLinks bool            // one of its links is doomed
	tuned     map[string]bool // links for which sysctls are declared; made when first asked for
	lost      map[int]bool    // routes (index in have.Routes) that will not be there any more
	lostAddrs map[int]bool
	lostNeigh map[int]bool
	lostFDB   map[int]bool
}

type endKey struct{ ns, name string }

// A doom says why a link goes, and whether it goes by itself, with a namespace.
type doom struct {
	reason   string
	implicit bool
}

func newDiffer(want state.Desired, have state.Snapshot, opt Options) *differ {
	d := &differ{lab: want.Lab, have: &have, fresh: have.Fresh, byName: make(map[string]*place, len(want.Namespaces))}
	nss := want.Namespaces
	byName := func(a, b state.DesiredNamespace) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(nss, byName) {
		nss = slices.SortedFunc(slices.Values(nss), byName)
	}
	hs := have.Namespaces
	haveByName := func(a, b state.Namespace) int { return strings.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(hs, haveByName) {
		hs = slices.SortedFunc(slices.Values(hs), haveByName)
		d.have = &state.Snapshot{Namespaces: hs, Unread: have.Unread, Fresh: have.Fresh}
	}
	var former map[string]*state.DesiredNamespace
	if opt.Former != nil {
		former = make(map[string]*state.DesiredNamespace, len(opt.Former.Namespaces))
		for i := range opt.Former.Namespaces {
			former[opt.Former.Namespaces[i].Name] = &opt.Former.Namespaces[i]
		}
	}
	places := make([]place, len(nss))
	d.places = make([]*place, 0, len(nss))
	for i := range nss {
		p := &places[i]
		p.name, p.owned = nss[i].Name, nss[i].Owned()
		p.want = sortedDesired(&nss[i])
		p.have = sortedNamespace(d.have.Namespace(p.name))
		p.former = former[p.name]
		p.wantLinks = indexLinks(p.want.Links)
		if p.have != nil {
			p.haveLinks = indexLinks(p.have.Links)
		}
		if d.byName[p.name] != nil {
			d.errs = append(d.errs, &InvalidError{NS: p.name, Object: "the namespace", Reason: "it is wanted twice"})
			continue
		}
		d.byName[p.name] = p
		d.places = append(d.places, p)
	}
	// What is observed and nobody's lab may hold something of ours that is not wanted any more.
	for i := range hs {
		if n := &hs[i]; n.Mark.IsZero() && d.byName[n.Name] == nil {
			p := &place{name: n.Name, want: &state.DesiredNamespace{Name: n.Name}, have: sortedNamespace(n), former: former[n.Name]}
			p.haveLinks = indexLinks(p.have.Links)
			d.byName[n.Name] = p
			d.places = append(d.places, p)
		}
	}
	// Nodes, hidden namespaces, others: bridges come up last.
	slices.SortStableFunc(d.places, func(a, b *place) int { return a.rank() - b.rank() })
	return d
}

func (p *place) rank() int {
	switch {
	case !p.owned:
		return 2
	case hidden(p.name):
		return 1
	default:
		return 0
	}
}

// hidden reports whether the namespace is one of a lab's own that is no node ("LAB.@switch").
func hidden(ns string) bool { return strings.Contains(ns, ".@") }

// sortedDesired is n with every list in order; n itself is not changed.
func sortedDesired(n *state.DesiredNamespace) *state.DesiredNamespace {
	if sorted(&n.Contents) {
		return n
	}
	c := *n
	c.Contents = cloneContents(n.Contents)
	c.Sort()
	return &c
}

func sortedNamespace(n *state.Namespace) *state.Namespace {
	if n == nil || sorted(&n.Contents) {
		return n
	}
	c := *n
	c.Contents = cloneContents(n.Contents)
	c.Sort()
	return &c
}

func sorted(c *state.Contents) bool {
	return slices.IsSortedFunc(c.Links, func(a, b state.Link) int { return strings.Compare(a.Name, b.Name) }) &&
		slices.IsSortedFunc(c.Addrs, state.Addr.Compare) &&
		slices.IsSortedFunc(c.Routes, state.Route.Compare) &&
		slices.IsSortedFunc(c.Rules, state.Rule.Compare) &&
		slices.IsSortedFunc(c.Neighbors, state.Neighbor.Compare) &&
		slices.IsSortedFunc(c.FDB, state.FDBEntry.Compare) &&
		slices.IsSortedFunc(c.Tables, func(a, b state.Table) int { return strings.Compare(a.Key(), b.Key()) }) &&
		slices.IsSortedFunc(c.Sysctls, state.Sysctl.Compare)
}

func cloneContents(c state.Contents) state.Contents {
	c.Links = slices.Clone(c.Links)
	c.Addrs = slices.Clone(c.Addrs)
	c.Routes = slices.Clone(c.Routes)
	c.Rules = slices.Clone(c.Rules)
	c.Neighbors = slices.Clone(c.Neighbors)
	c.FDB = slices.Clone(c.FDB)
	c.Tables = slices.Clone(c.Tables)
	c.Sysctls = slices.Clone(c.Sysctls)
	return c
}

// A linkIndex finds links by name: by looking where there are few, by a map where there are many.
type linkIndex struct {
	links  []state.Link
	byName map[string]int
}

func indexLinks(links []state.Link) linkIndex {
	x := linkIndex{links: links}
	if len(links) > 16 {
		x.byName = make(map[string]int, len(links))
		for i := range links {
			x.byName[links[i].Name] = i
		}
	}
	return x
}

func (x *linkIndex) get(name string) *state.Link {
	if x.byName != nil {
		if i, ok := x.byName[name]; ok {
			return &x.links[i]
		}
		return nil
	}
	for i := range x.links {
		if x.links[i].Name == name {
			return &x.links[i]
		}
	}
	return nil
}
