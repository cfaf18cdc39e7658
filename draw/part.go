package draw

import (
	"cmp"
	"math"
	"slices"

	"warren/state"
)

// A part is what cables join: rooms that are plugged into several things (or stand for themselves), bridges with the
// rooms that hang on them alone, and the edges between them.
type part struct {
	graph
	items []item
	edges []edge
}

// An item is a room or a block.
type item struct {
	row    *row
	net    int // of a block
	leaves []*row
	host   bool
}

// An edge joins a room's plug to a bridge, or to another room's plug by a cable.
type edge struct {
	a, b   int // items; a is a room
	pa, pb int // plugs; pb is -1 for a bridge
	net    int
	down   bool
}

func (p *part) neighbours() [][]int {
	list := make([][]int, len(p.items))
	for _, e := range p.edges {
		list[e.a] = append(list[e.a], e.b)
		list[e.b] = append(list[e.b], e.a)
	}
	return list
}

// partsOf finds the parts of a picture, in the order of their first rooms.
func partsOf(g graph, rows []row) []*part {
	all := &part{graph: g}
	counts := make([]int, len(g.nets)) // plugs of each net
	for i := range rows {
		for _, p := range rows[i].plugs {
			counts[p.net]++
		}
	}
	isCable := func(n int) bool { return g.nets[n].cable && counts[n] == 2 }
	blocks := map[int]int{}
	for n := range g.nets {
		if !isCable(n) {
			blocks[n] = len(all.items)
			all.items = append(all.items, item{net: n})
		}
	}
	open := map[int]edge{} // cables of which one end is known
	for i := range rows {
		r := &rows[i]
		nets := netsOf(r)
		host := r.name == state.HostNS
		if len(nets) == 1 && !isCable(nets[0]) && !host && !r.forwards {
			b := &all.items[blocks[nets[0]]]
			b.leaves = append(b.leaves, r)
			continue
		}
		at := len(all.items)
		all.items = append(all.items, item{row: r, net: -1, host: host})
		for k, p := range r.plugs {
			if !isCable(p.net) {
				all.edges = append(all.edges, edge{a: at, pa: k, b: blocks[p.net], pb: -1, net: p.net, down: p.down})
				continue
			}
			e, known := open[p.net]
			if !known {
				open[p.net] = edge{a: at, pa: k, net: p.net, down: p.down}
				continue
			}
			e.b, e.pb, e.down = at, k, e.down || p.down
			all.edges = append(all.edges, e)
		}
	}
	return all.components()
}

func (p *part) components() []*part {
	next := p.neighbours()
	of := make([]int, len(p.items))
	for i := range of {
		of[i] = -1
	}
	var parts []*part
	renumber := make([]int, len(p.items))
	for start := range p.items {
		if of[start] >= 0 {
			continue
		}
		c := &part{graph: p.graph}
		queue := []int{start}
		of[start] = len(parts)
		for len(queue) > 0 {
			i := queue[0]
			queue = queue[1:]
			for _, j := range next[i] {
				if of[j] < 0 {
					of[j] = len(parts)
					queue = append(queue, j)
				}
			}
		}
		parts = append(parts, c)
	}
	for i, it := range p.items {
		c := parts[of[i]]
		renumber[i] = len(c.items)
		c.items = append(c.items, it)
	}
	for _, e := range p.edges {
		c := parts[of[e.a]]
		e.a, e.b = renumber[e.a], renumber[e.b]
		c.edges = append(c.edges, e)
	}
	slices.SortStableFunc(parts, func(a, b *part) int { return cmp.Compare(a.rank(), b.rank()) })
	return parts
}

// rank puts the host's part first and rooms without cables last.
func (p *part) rank() int {
	switch {
	case slices.ContainsFunc(p.items, func(i item) bool { return i.host }):
		return 0
	case len(p.items) > 1 || p.items[0].row == nil:
		return 1
	}
	return 2
}

// mostRoots bounds how many beginnings are tried for a part.
const mostRoots = 12

// best lays the part out from several beginnings and keeps the best.
func (p *part) best() scene {
	next := p.neighbours()
	roots := make([]int, len(p.items))
	for i := range roots {
		roots[i] = i
	}
	slices.SortStableFunc(roots, func(a, b int) int { // many cables first
		return cmp.Compare(len(next[b]), len(next[a]))
	})
	if i := slices.IndexFunc(p.items, func(i item) bool { return i.host }); i >= 0 {
		roots = []int{i}
	}
	var best scene
	least := math.Inf(1)
	for _, columnHigh := range []int{700, 1500, 1 << 30} {
		for _, root := range roots[:min(len(roots), mostRoots)] {
			l := newLayers(p, root, columnHigh)
			s := l.scene()
			if c := l.cost(s); c < least {
				least, best = c, s
			}
		}
		if len(p.items) < 8 {
			break
		}
	}
	return best
}
