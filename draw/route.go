package draw

import (
	"cmp"
	"slices"
)

// An attachment is where a hop meets a bar.
type attachment struct {
	hop   int
	want  int
	y     int
	right bool
}

// scene gives the columns their x, the bars their ports, and draws the wires.
func (l *layers) scene() scene {
	l.columnX()
	at := map[[2]int]int{} // node and hop -> y on the bar
	var s scene
	for c := l.first; c <= l.last; c++ {
		for _, i := range l.cols[c] {
			n := &l.nodes[i]
			switch {
			case n.card != nil:
				s.cards = append(s.cards, placedCard{n.card, n.x, n.top})
			case n.blk != nil:
				s.blocks = append(s.blocks, l.placeBlock(i, at))
			}
		}
	}
	for k := range l.edges {
		s.wires = append(s.wires, l.wire(k, at))
	}
	for _, b := range s.blocks {
		for k, c := range b.leaves {
			box := b.boxes[k]
			for i := range c.right {
				c.right[i] = box.right
			}
			s.cards = append(s.cards, placedCard{c, b.x + box.x, b.y + box.y})
			for i, p := range c.row.plugs {
				w := cableLine{net: b.net, down: p.down, x: b.x + box.x, y: b.y + box.y + c.port[i]}
				to := w.x - stub
				if box.right {
					w.x += c.w
					to = w.x + stub
				}
				to = b.nearestSpine(to - b.x)
				w.path = []segment{{x: b.x + to, y: w.y}}
				s.wires = append(s.wires, w)
			}
		}
	}
	s.bounds()
	return s
}

// nearestSpine is the edge of a spine that is closest to x.
func (b *block) nearestSpine(x int) int {
	best := b.spines[0]
	for _, sp := range b.spines {
		for _, e := range []int{sp, sp + barThick} {
			if abs(e-x) < abs(best-x) {
				best = e
			}
		}
	}
	return best
}

func abs(i int) int { return max(i, -i) }

// columnX puts the columns side by side, with channels between them that leave the cables room to bend.
func (l *layers) columnX() {
	x := 0
	for c := l.first; c <= l.last; c++ {
		w := 0
		for _, n := range l.cols[c] {
			w = max(w, l.nodes[n].w)
		}
		for _, n := range l.cols[c] {
			l.nodes[n].x = x
			if l.nodes[n].item < 0 {
				l.nodes[n].w = w
			}
			if c < 0 {
				l.nodes[n].x = x + w - l.nodes[n].w
			}
		}
		x += w + l.channel(c)
	}
}

// channel is the width of the channel to the right of a column.
func (l *layers) channel(c int) int {
	hops, high, bow := 0, 0, 0
	for _, h := range l.hops {
		a, b := l.nodes[h.from], l.nodes[h.to]
		switch {
		case a.col == c && b.col == c+1:
			hops++
			high = max(high, abs(a.top+a.h/2-b.top-b.h/2))
		case a.col == b.col && (a.col == c && c >= 0 || a.col == c+1 && c+1 < 0):
			bow = max(bow, l.bow(h)+12)
		}
	}
	return max(44+min(110, high/5)+min(60, 2*hops), 2*bow)
}

// bow is how far a cable within a column leaves it.
func (l *layers) bow(h hop) int {
	a, b := l.nodes[h.from], l.nodes[h.to]
	return 24 + min(70, abs(a.top-b.top)/8)
}

// placeBlock puts the ports of a bar level with what they lead to, as far as the bar reaches; a bar without rooms of its own
// is made as long as that takes and the column has room for.
func (l *layers) placeBlock(i int, at map[[2]int]int) placedBlock {
	n := &l.nodes[i]
	p := placedBlock{block: n.blk, x: n.x, y: n.top, from: n.top + n.blk.barFrom, to: n.top + n.h}
	var ports []attachment
	for _, h := range n.hops {
		ports = append(ports, attachment{hop: h, want: l.targetY(i, h, at), right: l.leavesRight(i, h)})
	}
	slices.SortStableFunc(ports, func(a, b attachment) int { return cmp.Compare(a.want, b.want) })
	above, below := l.room(i)
	if len(ports) > 0 {
		if len(n.blk.leaves) == 0 {
			p.from = max(min(p.from, ports[0].want-portGap), above+n.blk.top)
			p.y = p.from - n.blk.top
		}
		p.to = min(max(p.to, ports[len(ports)-1].want+portGap), below)
	}
	for _, right := range []bool{false, true} {
		spread(ports, right, p.from+portGap/2+1, p.to-portGap/2-1)
	}
	for _, a := range ports {
		at[[2]int{i, a.hop}] = a.y
	}
	return p
}

// spread gives the ports of one side a place each: in order, portGap apart, as near to what they want as that allows.
func spread(ports []attachment, right bool, from, to int) {
	var mine []*attachment
	for i := range ports {
		if ports[i].right == right {
			mine = append(mine, &ports[i])
		}
	}
	y := from
	for _, a := range mine {
		a.y = max(a.want, y)
		y = a.y + portGap
	}
	y = to
	for _, a := range slices.Backward(mine) {
		a.y = min(a.y, y)
		y = a.y - portGap
	}
}

// room is how far a node's column is free above and below it.
func (l *layers) room(i int) (above, below int) {
	n := l.nodes[i]
	list := l.cols[n.col]
	above, below = n.top-300, n.top+n.h+300
	if n.pos > 0 {
		o := l.nodes[list[n.pos-1]]
		above = o.top + o.h + gap
		if o.blk != nil { // it may have grown downwards by half of what is free
			above = max(above, (o.top+o.h+n.top)/2+gap/2)
		}
	}
	if n.pos < len(list)-1 {
		o := l.nodes[list[n.pos+1]]
		below = o.top - gap
		if o.blk != nil {
			below = min(below, (n.top+n.h+o.top)/2-gap/2)
		}
	}
	return min(above, n.top), max(below, n.top+n.h)
}

// targetY is where a hop of a bar leads to.
func (l *layers) targetY(i, h int, at map[[2]int]int) int {
	o := l.other(h, i)
	return l.meets(o, h, at)
}

// meets is where a hop meets a node.
func (l *layers) meets(i, h int, at map[[2]int]int) int {
	n := &l.nodes[i]
	switch e := l.edges[l.hops[h].edge]; {
	case n.card != nil && e.a == n.item:
		return n.top + n.card.port[e.pa]
	case n.card != nil:
		return n.top + n.card.port[e.pb]
	case n.blk != nil:
		if y, ok := at[[2]int{i, h}]; ok {
			return y
		}
		return n.top + (n.blk.barFrom+n.h)/2
	}
	return n.top + laneHigh/2
}

// side is the x of a node's edge, and of its column's.
func (l *layers) side(i int, right bool) (x, column int) {
	n := &l.nodes[i]
	left, end := beyond, -beyond
	for _, j := range l.cols[n.col] {
		left, end = min(left, l.nodes[j].x), max(end, l.nodes[j].x+l.nodes[j].w)
	}
	x, column = n.x, left
	if right {
		x, column = n.x+n.w, end
	}
	if n.blk != nil {
		x = n.x + n.blk.edge(right)
	}
	return x, column
}

const beyond = 1 << 30

// wire draws an edge: from one end, hop by hop.
func (l *layers) wire(k int, at map[[2]int]int) cableLine {
	e := l.edges[k]
	w := cableLine{net: e.net, down: e.down}
	begun := false
	to := func(s segment) {
		switch {
		case !begun:
			w.x, w.y, begun = s.x, s.y, true
		default:
			last := segment{x: w.x, y: w.y}
			if n := len(w.path); n > 0 {
				last = w.path[n-1]
			}
			if last.x == s.x && last.y == s.y && s.bow == 0 {
				return
			}
			if s.curve && last.y == s.y && s.bow == 0 {
				s.curve = false
			}
			w.path = append(w.path, s)
		}
	}
	for h, hp := range l.hops {
		if hp.edge != k {
			continue
		}
		if l.nodes[hp.from].col == l.nodes[hp.to].col {
			right := l.nodes[hp.from].col >= 0
			x1, column := l.side(hp.from, right)
			x2, _ := l.side(hp.to, right)
			y1, y2 := l.meets(hp.from, h, at), l.meets(hp.to, h, at)
			if hp.from == hp.to {
				y1, y2 = l.nodes[hp.from].top+l.nodes[hp.from].card.port[e.pa], l.nodes[hp.from].top+l.nodes[hp.from].card.port[e.pb]
			}
			bow := l.bow(hp)
			if !right {
				bow = -bow
			}
			to(segment{x: x1, y: y1})
			to(segment{x: column, y: y1})
			to(segment{x: column, y: y2, bow: bow, curve: true})
			to(segment{x: x2, y: y2})
			continue
		}
		x1, c1 := l.side(hp.from, true)
		x2, c2 := l.side(hp.to, false)
		y1, y2 := l.meets(hp.from, h, at), l.meets(hp.to, h, at)
		to(segment{x: x1, y: y1})
		to(segment{x: c1, y: y1})
		to(segment{x: c2, y: y2, curve: true})
		to(segment{x: x2, y: y2})
	}
	return w
}
