package draw

import (
	"cmp"
	"math"
	"slices"
)

// layers lays out one part in columns: the root in column 0, what is n steps away from it in column n or -n. Two items that
// a cable joins are in the same column or in neighbouring ones, unless a column was too high and was cut in several: a
// cable that passes a column has a lane of its own there. So every cable bends in the channels between columns only.
type layers struct {
	*part
	root  int
	nodes []node
	cols  map[int][]int // column -> nodes from top to bottom
	hops  []hop
	first int // the leftmost column
	last  int
}

// A node is an item in its column, or the lane of a cable that passes.
type node struct {
	item int // -1 = lane
	col  int
	card *card
	blk  *block
	w, h int
	pos  int // place in the column
	y    float64
	x    int
	top  int
	hops []int
}

// A hop is the way of an edge from one node to the next one.
type hop struct {
	edge     int
	from, to int // nodes; the column of from is not greater
	first    bool
}

func newLayers(p *part, root, columnHigh int) *layers {
	l := &layers{part: p, root: root, cols: map[int][]int{}}
	next := p.neighbours()
	depth, order := walk(next, root)
	side := l.sides(next)
	l.makeNodes(columnHigh)
	l.columns(next, depth, order, side, columnHigh)
	l.lanes()
	l.makeBlocks(columnHigh)
	l.arrange()
	l.ports()
	l.heights()
	return l
}

// walk goes breadth first.
func walk(next [][]int, root int) (depth, order []int) {
	depth = make([]int, len(next))
	for i := range depth {
		depth[i] = -1
	}
	depth[root] = 0
	order = []int{root}
	for k := 0; k < len(order); k++ {
		for _, j := range next[order[k]] {
			if depth[j] < 0 {
				depth[j] = depth[order[k]] + 1
				order = append(order, j)
			}
		}
	}
	return depth, order
}

// fewItems is up to how many items a picture with the host at its left is better than one with the host in its middle.
const fewItems = 5

// sides puts what falls apart without the root to its right and to its left, in equal shares.
func (l *layers) sides(next [][]int) []int {
	side := make([]int, len(l.items))
	type group struct{ members []int }
	var groups []group
	weight := func(g group) int {
		n := 0
		for _, i := range g.members {
			n += 1 + len(l.items[i].leaves)
		}
		return n
	}
	seen := make([]bool, len(l.items))
	seen[l.root] = true
	for start := range l.items {
		if seen[start] {
			continue
		}
		g := group{members: []int{start}}
		seen[start] = true
		for k := 0; k < len(g.members); k++ {
			for _, j := range next[g.members[k]] {
				if !seen[j] {
					seen[j] = true
					g.members = append(g.members, j)
				}
			}
		}
		groups = append(groups, g)
	}
	total := 0
	for _, g := range groups {
		total += weight(g)
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(weight(b), weight(a)) })
	right, left := 0, 0
	for _, g := range groups {
		at := 1
		if right > left && !(l.items[l.root].host && total <= fewItems) {
			at = -1
			left += weight(g)
		} else {
			right += weight(g)
		}
		for _, i := range g.members {
			side[i] = at
		}
	}
	return side
}

// makeNodes measures the rooms and the boxes of the bridges. A bridge's own layout follows when its cables' sides are known.
func (l *layers) makeNodes(columnHigh int) {
	for i, it := range l.items {
		n := node{item: i}
		if it.row != nil {
			n.card = newCard(it.row)
			n.w, n.h = n.card.w, n.card.h
		} else {
			n.blk = l.block(i, columnHigh, true, false)
			n.w, n.h = n.blk.w, n.blk.h
		}
		l.nodes = append(l.nodes, n)
	}
}

// block measures a bridge with the rooms that hang on it, in as many columns as make it about as wide as high.
func (l *layers) block(item, columnHigh int, near, far bool) *block {
	var cards []*card
	high, wide := 0, 0
	for _, r := range l.items[item].leaves {
		c := newCard(r)
		cards = append(cards, c)
		high += c.h + gap
		wide = max(wide, c.w+stub)
	}
	columns := 1
	for columns < len(cards) && (high/columns > columnHigh || high/columns > wide*columns*5/4 && len(cards)/columns >= 3) {
		columns++
	}
	if !near && columns == 1 && len(cards) > 1 {
		columns = 2
	}
	return newBlock(l.items[item].net, l.graph, cards, columns, near, far)
}

// columns puts every item in a column. One that would be too high is cut: what nothing hangs on comes first.
func (l *layers) columns(next [][]int, depth, order, side []int, columnHigh int) {
	l.put(l.root, 0)
	deepest := slices.Max(depth)
	for _, s := range []int{1, -1} {
		col := 0
		for d := 1; d <= deepest; d++ {
			var ends, others []int
			for _, i := range order {
				if depth[i] != d || side[i] != s {
					continue
				}
				if slices.ContainsFunc(next[i], func(j int) bool { return depth[j] >= d && j != i }) {
					others = append(others, i)
				} else {
					ends = append(ends, i)
				}
			}
			if len(ends)+len(others) == 0 {
				break
			}
			high := 0
			for _, i := range append(ends, others...) {
				high += l.nodes[i].h + gap
			}
			pieces := (high + columnHigh - 1) / columnHigh
			limit, used := high/pieces+1, 0
			col++
			for _, i := range append(ends, others...) {
				if used > limit {
					col, used = col+1, 0
				}
				used += l.nodes[i].h + gap
				l.put(i, s*col)
			}
		}
		l.first, l.last = min(l.first, s*col), max(l.last, s*col)
	}
}

func (l *layers) put(n, col int) {
	l.nodes[n].col = col
	l.nodes[n].pos = len(l.cols[col])
	l.cols[col] = append(l.cols[col], n)
}

// lanes cuts the edges into hops from column to column.
func (l *layers) lanes() {
	add := func(h hop) {
		l.hops = append(l.hops, h)
		k := len(l.hops) - 1
		l.nodes[h.from].hops = append(l.nodes[h.from].hops, k)
		if h.to != h.from {
			l.nodes[h.to].hops = append(l.nodes[h.to].hops, k)
		}
	}
	for k, e := range l.edges {
		a, b := e.a, e.b
		if l.nodes[a].col > l.nodes[b].col {
			a, b = b, a
		}
		first := true
		for c := l.nodes[a].col + 1; c < l.nodes[b].col; c++ {
			l.nodes = append(l.nodes, node{item: -1, h: laneHigh})
			n := len(l.nodes) - 1
			l.put(n, c)
			add(hop{edge: k, from: a, to: n, first: first})
			a, first = n, false
		}
		add(hop{edge: k, from: a, to: b, first: first})
	}
}

// makeBlocks lays the bridges out, now that the sides are known from which cables come.
func (l *layers) makeBlocks(columnHigh int) {
	for i := range l.items {
		n := &l.nodes[i]
		if n.blk == nil {
			continue
		}
		near, far := false, false
		for _, h := range n.hops {
			if right := l.leavesRight(i, h); right != (n.col < 0) {
				far = true
			} else {
				near = true
			}
		}
		n.blk = l.block(i, columnHigh, near, far)
		if n.col < 0 {
			n.blk.mirror()
		}
		n.w, n.h = n.blk.w, n.blk.h
		n.h = max(n.h, n.blk.top+12+portGap*max(l.count(i, true), l.count(i, false)))
		n.blk.h = n.h
	}
}

// portGap is the least distance between two cables on a bar.
const portGap = 10

func (l *layers) count(n int, right bool) int {
	c := 0
	for _, h := range l.nodes[n].hops {
		if l.leavesRight(n, h) == right {
			c++
			if l.hops[h].from == l.hops[h].to {
				c++
			}
		}
	}
	return c
}

// leavesRight tells on which side of a node a hop meets it. Within a column cables bow outwards.
func (l *layers) leavesRight(n, h int) bool {
	from, to := l.nodes[l.hops[h].from].col, l.nodes[l.hops[h].to].col
	if from == to {
		return from >= 0
	}
	return l.hops[h].from == n
}

// cost says how bad a layout is: size, a shape far from that of a page, crossings, bows.
func (l *layers) cost(s scene) float64 {
	shape := math.Abs(math.Log(float64(s.w) / float64(s.h) / 1.5))
	bows := 0
	for _, h := range l.hops {
		if l.nodes[h.from].col == l.nodes[h.to].col {
			bows++
		}
	}
	return float64(s.w)*float64(s.h)/1000*(1+shape) + 40*float64(l.crossings()) + 60*float64(bows)
}
