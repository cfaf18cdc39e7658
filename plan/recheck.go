package plan

import (
	"maps"
	"slices"
	"strings"

	"warren/state"
)

// Recheck says what has to be observed again when the steps were carried out and asked was observed before them: the
// namespaces that they change. To the others nothing was done. In a namespace that the steps make, only the kinds of
// objects that are wanted there are read. See [Merge].
func Recheck(want state.Desired, asked state.Query, steps []Step) state.Query {
	q := state.Query{Ours: true, Parts: asked.Parts, PartsIn: map[string]state.Parts{}, SysctlKeys: map[string][]string{}}
	born := map[string]bool{}
	for _, s := range steps {
		born[s.NS] = born[s.NS] || s.After.Namespace != nil && s.Before.IsZero()
		for _, ns := range elsewhere(s) {
			if _, ok := born[ns]; !ok {
				born[ns] = false // changed, not made
			}
		}
	}
	q.Names = slices.Sorted(maps.Keys(born))
	for _, name := range q.Names {
		q.PartsIn[name] = asked.PartsOf(name)
		n := want.Namespace(name)
		if n == nil {
			continue
		}
		if born[name] {
			q.PartsIn[name] = Parts(&n.Contents)
		}
		for _, s := range n.Sysctls {
			q.SysctlKeys[name] = append(q.SysctlKeys[name], s.Key)
		}
	}
	return q
}

// elsewhere lists the namespaces besides its own that a step changes.
func elsewhere(s Step) []string {
	var list []string
	for _, o := range []*Object{&s.Before, &s.After} {
		switch {
		case o.Cable != nil:
			list = append(list, o.Cable.A.NS, o.Cable.B.NS)
		case o.Far != nil:
			for _, e := range o.Far.Ends {
				list = append(list, e.NS)
			}
		case o.Link != nil && o.Link.Peer != nil && o.Link.Peer.NS != "":
			list = append(list, o.Link.Peer.NS)
		}
	}
	return list
}

// Merge puts what was observed again for [Recheck] in the place of what was observed before. A namespace that was asked
// for and is not there any more is not there. The other ends of cables that lead to namespaces which were not observed
// again are known from before. The snapshots are not changed; the result shares memory with them.
func Merge(before, again state.Snapshot, asked state.Query) state.Snapshot {
	s := state.Snapshot{Version: again.Version, Unread: again.Unread}
	s.Namespaces = make([]state.Namespace, 0, len(before.Namespaces)+len(again.Namespaces))
	redone := make(map[string]bool, len(asked.Names))
	for _, name := range asked.Names {
		redone[name] = true
	}
	for _, n := range before.Namespaces {
		if !redone[n.Name] {
			s.Namespaces = append(s.Namespaces, n)
		}
	}
	for _, n := range again.Namespaces {
		if old := before.Namespace(n.Name); old != nil {
			n.Links = withPeers(n.Links, old.Links, redone)
		}
		s.Namespaces = append(s.Namespaces, n)
	}
	slices.SortFunc(s.Namespaces, func(a, b state.Namespace) int { return strings.Compare(a.Name, b.Name) })
	return s
}

// withPeers fills in the other ends that are in namespaces which were not observed again.
func withPeers(links, old []state.Link, redone map[string]bool) []state.Link {
	links = slices.Clone(links)
	known := make(map[int]*state.Link, len(old))
	for i := range old {
		known[old[i].Index] = &old[i]
	}
	for i := range links {
		l, o := &links[i], known[links[i].Index]
		if o == nil || o.Kind != l.Kind {
			continue
		}
		l.Peer, l.Lower = samePeer(l.Peer, o.Peer, redone), samePeer(l.Lower, o.Lower, redone)
	}
	return links
}

// samePeer is the old peer when the new one is the same and its namespace is not known. Ids of namespaces that live do not
// change, and an index is not used twice.
func samePeer(now, old *state.Peer, redone map[string]bool) *state.Peer {
	if now == nil || old == nil || now.NS != "" || old.NS == "" || redone[old.NS] || now.NSID != old.NSID || now.Index != old.Index {
		return now
	}
	return old
}
