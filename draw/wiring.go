package draw

import (
	"cmp"
	"slices"
	"strings"

	"warren/state"
)

// A place is one end of a link: the key of a namespace and the name of the link in it.
type place struct{ ns, link string }

func comparePlaces(a, b place) int {
	return cmp.Or(strings.Compare(a.ns, b.ns), strings.Compare(a.link, b.link))
}

// A wiring is what a graph is built from: every end of every link, and where its other end is.
type wiring struct {
	spaces map[string]namespace
	links  map[place]*state.Link
	peers  map[place]place
}

func wire(list []namespace) wiring {
	w := wiring{spaces: map[string]namespace{}, links: map[place]*state.Link{}, peers: map[place]place{}}
	for _, n := range list {
		w.spaces[n.name] = n
		for i := range n.Links {
			w.links[place{n.name, n.Links[i].Name}] = &n.Links[i]
		}
	}
	for at, l := range w.links { // order does not matter: every entry is written by itself
		if l.Peer == nil || l.Peer.Name == "" {
			continue
		}
		ns := l.Peer.NS
		if ns == "" && l.Peer.NSID < 0 {
			ns = at.ns
		}
		w.peers[at] = place{ns, l.Peer.Name}
	}
	for _, at := range slices.SortedFunc(keys(w.peers), comparePlaces) { // an end that only the other one tells of
		if _, known := w.peers[w.peers[at]]; !known {
			w.peers[w.peers[at]] = at
		}
	}
	return w
}

func keys[K comparable, V any](m map[K]V) func(func(K) bool) {
	return func(yield func(K) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
