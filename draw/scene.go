package draw

import (
	"cmp"
	"math"
	"slices"
)

// A scene is a graph with a place for everything, in pixels.
type scene struct {
	w, h   int
	cards  []placedCard
	blocks []placedBlock
	wires  []cableLine
}

type placedCard struct {
	*card
	x, y int
}

type placedBlock struct {
	*block
	x, y int
	// from and to are where the bar begins and ends: it may be longer than the block.
	from, to int
}

// A cableLine is a cable. It runs level to a channel between two columns of boxes, bends there, and runs level again; so it
// never meets a box that it is not plugged into.
type cableLine struct {
	net  int
	down bool
	path []segment // from x, y on
	x, y int
}

// A segment leads to x, y: straight, or as a curve that begins and ends level. A bow is a curve that comes back to the
// side it came from; it reaches as far as x+bow.
type segment struct {
	x, y, bow int
	curve     bool
}

const margin = 24

// newScene lays out the whole graph.
func newScene(g graph, least int) scene {
	parts := partsOf(g, fold(g.rooms, least))
	var scenes []scene
	for _, p := range parts {
		scenes = append(scenes, p.best())
	}
	return pack(scenes)
}

// pack puts the parts of a picture, which no cable joins, side by side and below each other.
func pack(parts []scene) scene {
	order := make([]int, len(parts))
	area, widest := 0, 0
	for i, p := range parts {
		order[i] = i
		area += (p.w + 2*gap) * (p.h + 2*gap)
		widest = max(widest, p.w)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(parts[b].h, parts[a].h) })
	if len(order) > 0 && order[0] != 0 { // the first part is the host's: it stays first
		i := slices.Index(order, 0)
		order = slices.Insert(slices.Delete(order, i, i+1), 0, 0)
	}
	limit := max(widest, int(math.Sqrt(float64(area)*1.7)))
	var all scene
	x, y, high := 0, 0, 0
	for _, i := range order {
		p := parts[i]
		if x > 0 && x+p.w > limit {
			x, y, high = 0, y+high+2*gap, 0
		}
		all.add(p, margin+x, margin+y)
		x += p.w + 3*gap
		high = max(high, p.h)
	}
	all.w, all.h = all.w+margin, all.h+margin
	if len(parts) == 0 {
		all.w, all.h = 2*margin+200, 2*margin+nameHigh
	}
	return all
}

func (s *scene) add(p scene, x, y int) {
	for _, c := range p.cards {
		c.x, c.y = c.x+x, c.y+y
		s.cards = append(s.cards, c)
	}
	for _, b := range p.blocks {
		b.x, b.y, b.from, b.to = b.x+x, b.y+y, b.from+y, b.to+y
		s.blocks = append(s.blocks, b)
	}
	for _, w := range p.wires {
		w.x, w.y = w.x+x, w.y+y
		w.path = slices.Clone(w.path)
		for i := range w.path {
			w.path[i].x, w.path[i].y = w.path[i].x+x, w.path[i].y+y
		}
		s.wires = append(s.wires, w)
	}
	s.w, s.h = max(s.w, x+p.w), max(s.h, y+p.h)
}

// bounds moves everything so that the picture begins at 0, 0.
func (s *scene) bounds() {
	left, top, right, bottom := math.MaxInt, math.MaxInt, math.MinInt, math.MinInt
	see := func(x, y, w, h int) {
		left, top, right, bottom = min(left, x), min(top, y), max(right, x+w), max(bottom, y+h)
	}
	for _, c := range s.cards {
		see(c.x, c.y, c.w, c.h)
	}
	for _, b := range s.blocks {
		see(b.x, b.y, b.w, b.h)
		see(b.x, b.from, barThick, b.to-b.from)
	}
	for _, w := range s.wires {
		see(w.x, w.y, 0, 0)
		for _, p := range w.path {
			see(min(p.x, p.x+p.bow), p.y, max(p.bow, -p.bow), 0)
		}
	}
	moved := scene{}
	moved.add(*s, -left, -top)
	moved.w, moved.h = right-left, bottom-top
	*s = moved
}
