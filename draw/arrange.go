package draw

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// arrange orders the nodes of each column so that few cables cross: by the middle of the neighbours in the column before,
// to and fro.
func (l *layers) arrange() {
	best, least := l.positions(), l.crossings()
	for range 8 {
		for c := 1; c <= l.last; c++ {
			l.sortColumn(c, c-1)
		}
		for c := -1; c >= l.first; c-- {
			l.sortColumn(c, c+1)
		}
		if n := l.crossings(); n < least {
			best, least = l.positions(), n
		}
		for c := l.last - 1; c >= l.first; c-- {
			if c < 0 {
				l.sortColumn(c, c-1)
			} else {
				l.sortColumn(c, c+1)
			}
		}
		if n := l.crossings(); n < least {
			best, least = l.positions(), n
		}
		if least == 0 {
			break
		}
	}
	for i := range l.nodes {
		l.nodes[i].pos = best[i]
	}
	for c := range l.cols {
		l.inOrder(c)
	}
}

func (l *layers) positions() []int {
	list := make([]int, len(l.nodes))
	for i, n := range l.nodes {
		list[i] = n.pos
	}
	return list
}

func (l *layers) inOrder(col int) {
	slices.SortFunc(l.cols[col], func(a, b int) int { return cmp.Compare(l.nodes[a].pos, l.nodes[b].pos) })
}

// sortColumn orders a column by its neighbours in another one. A node without any there keeps its place.
func (l *layers) sortColumn(col, by int) {
	list := l.cols[col]
	key := make(map[int]float64, len(list))
	for _, n := range list {
		sum, count := 0.0, 0
		for _, h := range l.nodes[n].hops {
			o := l.other(h, n)
			if l.nodes[o].col == by {
				sum += (float64(l.nodes[o].pos) + 0.5) / float64(len(l.cols[by]))
				count++
			}
		}
		key[n] = (float64(l.nodes[n].pos) + 0.5) / float64(len(list))
		if count > 0 {
			key[n] = sum / float64(count)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(key[a], key[b]) })
	for i, n := range list {
		l.nodes[n].pos = i
	}
}

func (l *layers) other(h, n int) int {
	if l.hops[h].from == n {
		return l.hops[h].to
	}
	return l.hops[h].from
}

// crossings counts the pairs of hops between neighbouring columns that cross: inversions, counted in a Fenwick tree.
func (l *layers) crossings() int {
	by := map[int][][2]int{}
	for _, h := range l.hops {
		from, to := l.nodes[h.from], l.nodes[h.to]
		if from.col != to.col {
			by[from.col] = append(by[from.col], [2]int{from.pos, to.pos})
		}
	}
	total := 0
	for _, c := range slices.Sorted(maps.Keys(by)) {
		pairs := by[c]
		slices.SortFunc(pairs, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
		tree := make([]int, len(l.cols[c+1])+1)
		for i, p := range pairs {
			before := 0 // how many of those so far end at or above
			for k := p[1] + 1; k > 0; k -= k & -k {
				before += tree[k]
			}
			total += i - before
			for k := p[1] + 1; k < len(tree); k += k & -k {
				tree[k]++
			}
		}
	}
	return total
}

// ports puts the ports of every room in the order of what they lead to.
func (l *layers) ports() {
	for i := range l.items {
		n := &l.nodes[i]
		if n.card == nil {
			continue
		}
		key := make([]float64, len(n.card.order))
		for _, h := range n.hops {
			o := l.nodes[l.other(h, i)]
			e := l.edges[l.hops[h].edge]
			for _, end := range [][2]int{{e.a, e.pa}, {e.b, e.pb}} {
				if end[0] == i && end[1] >= 0 {
					key[end[1]] = (float64(o.pos) + 0.5) / float64(len(l.cols[o.col]))
					n.card.right[end[1]] = l.leavesRight(i, h)
				}
			}
		}
		slices.SortStableFunc(n.card.order, func(a, b int) int { return cmp.Compare(key[a], key[b]) })
		n.card.arrange()
	}
}

// heights gives every node its place in its column: as near as possible to what it is joined to, in the order that is
// settled, with gaps between.
func (l *layers) heights() {
	for c := l.first; c <= l.last; c++ {
		y := 0.0
		for _, n := range l.cols[c] {
			l.nodes[n].y = y
			y += float64(l.nodes[n].h + gap)
		}
		for _, n := range l.cols[c] { // columns are centred on each other
			l.nodes[n].y -= y / 2
		}
	}
	for range 6 {
		for c := 1; c <= l.last; c++ {
			l.settle(c, func(o int) bool { return o < c })
		}
		for c := -1; c >= l.first; c-- {
			l.settle(c, func(o int) bool { return o > c })
		}
		for c := l.last - 1; c >= 0; c-- {
			l.settle(c, func(o int) bool { return o > c })
		}
		for c := l.first + 1; c < 0; c++ {
			l.settle(c, func(o int) bool { return o < c })
		}
		l.settle(0, func(o int) bool { return o != 0 })
	}
	for c := l.first; c <= l.last; c++ {
		l.settle(c, func(o int) bool { return o != c })
	}
	for c := l.first; c <= l.last; c++ {
		bottom := math.MinInt32
		for _, n := range l.cols[c] {
			l.nodes[n].top = max(int(math.Round(l.nodes[n].y)), bottom)
			bottom = l.nodes[n].top + l.nodes[n].h + gap
		}
	}
}

// settle moves the nodes of a column to where the nodes that they are joined to want them: the least squares under the
// constraint that the order and the gaps stay (pool adjacent violators).
func (l *layers) settle(col int, counts func(otherCol int) bool) {
	type pool struct {
		sum, weight float64
		n           int
	}
	var pools []pool
	list := l.cols[col]
	offset := 0.0 // of a node from the first one, if all stood as close as they may
	offsets := make([]float64, len(list))
	for i, n := range list {
		offsets[i] = offset
		offset += float64(l.nodes[n].h + gap)
		want, weight := l.nodes[n].y, 0.1
		sum, count := 0.0, 0.0
		for _, h := range l.nodes[n].hops {
			o := l.other(h, n)
			if counts(l.nodes[o].col) {
				sum += l.portY(o, h) - l.portY(n, h) + l.nodes[n].y
				count++
			}
		}
		if count > 0 {
			want, weight = sum/count, count
		}
		pools = append(pools, pool{sum: (want - offsets[i]) * weight, weight: weight, n: 1})
		for len(pools) > 1 {
			a, b := pools[len(pools)-2], pools[len(pools)-1]
			if a.sum/a.weight <= b.sum/b.weight {
				break
			}
			pools = append(pools[:len(pools)-2], pool{a.sum + b.sum, a.weight + b.weight, a.n + b.n})
		}
	}
	i := 0
	for _, p := range pools {
		for range p.n {
			l.nodes[list[i]].y = p.sum/p.weight + offsets[i]
			i++
		}
	}
}

// portY is where a hop meets a node; for a bridge, whose ports are not fixed yet, its middle.
func (l *layers) portY(n, h int) float64 {
	nd := &l.nodes[n]
	switch {
	case nd.card != nil:
		e := l.edges[l.hops[h].edge]
		if e.a == nd.item && e.b == nd.item {
			return nd.y + float64(nd.card.port[e.pa]+nd.card.port[e.pb])/2
		}
		if e.a == nd.item {
			return nd.y + float64(nd.card.port[e.pa])
		}
		return nd.y + float64(nd.card.port[e.pb])
	case nd.blk != nil:
		return nd.y + float64(nd.blk.barFrom+nd.h)/2
	}
	return nd.y + laneHigh/2
}
