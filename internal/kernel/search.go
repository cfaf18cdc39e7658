package kernel

import (
	"sync/atomic"

	"warren/internal/nl"
)

const (
	// searches is how many times names are gone through one by one: to make a roster of a thousand takes the kernel 13 ms, to
	// open half of them and to ask a namespace that knows few others about them 2 ms.
	searches = 6
	// searchBatch is how many names a worker opens at a time. When a process with threads has more than 64 files open, and again at
	// each doubling, the kernel lets it wait for some milliseconds (expand_fdtable in fs/file.c).
	searchBatch = 24
)

// namesToSearch lists the names, and reports whether they are to be gone through once more, or a roster is better.
func (k *Kernel) namesToSearch() (names []string, again bool) {
	r := &k.roster
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.searches++; r.searches == 1 {
		r.names = k.allKeys()
	}
	return r.names, r.searches <= searches
}

// search tries names in their order, with two workers.
func (l *lookout) search(names []string) {
	var found atomic.Int64
	hits := make([]bool, len(names))
	wanted := int64(l.left)
	l.share(len(names), searchBatch, func(conn *nl.Conn, from, end int) bool {
		for i, id := range l.idsAt(conn, names[from:end]) {
			if l.want[id] {
				hits[from+i] = true
				found.Add(1)
			}
		}
		return found.Load() < wanted
	})
	for i, hit := range hits {
		if hit {
			l.keys(names[i : i+1])
		}
	}
}
