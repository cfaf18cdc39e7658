package draw

// A block is a bridge with the rooms that hang on nothing else. The bridge is a bar: upright pieces (spines) that are
// joined above the boxes when there are several, each with boxes to its left and to its right.
type block struct {
	net    int
	leaves []*card
	w, h   int
	label  string
	detail string
	top    int // height of the label

	spines  []int // left edges
	columns []blockColumn
	boxes   []boxAt // leaves, in their order
	barFrom int     // y, below the label; spines reach from there to h
}

type blockColumn struct {
	x, w  int
	spine int  // that serves it
	right bool // it is to the right of its spine
}

type boxAt struct {
	x, y  int
	right bool // the card's cable leaves it to the right
}

// newBlock lays out a bridge's own boxes in so many columns. near and far say whether cables come from the left and go to
// the right: a spine must be at that edge then.
func newBlock(net int, g graph, leaves []*card, columns int, near, far bool) *block {
	n := g.nets[net]
	b := &block{net: net, leaves: leaves, label: clip(n.name, maxName)}
	if n.place != "" {
		b.label = clip(n.name+" in "+n.place, maxName)
	}
	b.detail = clip(join(n.prefixes), maxDetail)
	if n.down {
		b.label += " DOWN"
	}
	b.top = 18
	if b.detail != "" {
		b.top = 32
	}
	b.barFrom = b.top
	columns = min(columns, len(leaves))
	if columns == 0 {
		b.spines, b.w, b.h = []int{0}, barThick, b.barFrom+40
		return b.finish()
	}
	rows := (len(leaves) + columns - 1) / columns
	columns = (len(leaves) + rows - 1) / rows
	x := 0
	spine := func() {
		b.spines = append(b.spines, x)
		x += barThick
	}
	servedLeft := !near && columns > 1 // the first column has its spine at its right
	if !servedLeft {
		spine()
	}
	for c := range columns {
		w := 0
		for _, l := range leaves[c*rows : min((c+1)*rows, len(leaves))] {
			w = max(w, l.w)
		}
		if servedLeft {
			b.columns = append(b.columns, blockColumn{x: x, w: w, spine: len(b.spines)})
			x += w + stub
			spine()
		} else {
			x += stub
			b.columns = append(b.columns, blockColumn{x: x, w: w, spine: len(b.spines) - 1, right: true})
			x += w
			if c < columns-1 || far {
				x += 2 * gap
			}
		}
		servedLeft = !servedLeft
	}
	if far && !b.spineAtRight(x) {
		spine()
	}
	b.w = x
	b.placeLeaves(rows)
	return b.finish()
}

func (b *block) spineAtRight(x int) bool {
	return len(b.spines) > 0 && b.spines[len(b.spines)-1]+barThick == x
}

func (b *block) placeLeaves(rows int) {
	start := b.barFrom
	if len(b.spines) > 1 {
		start += barThick + gap/2
	}
	b.h = 0
	for i, l := range b.leaves {
		c := b.columns[i/rows]
		y := start
		if i%rows > 0 {
			last := b.boxes[i-1]
			y = last.y + b.leaves[i-1].h + gap
		}
		at := boxAt{x: c.x, y: y, right: !c.right}
		if !c.right {
			at.x = c.x + c.w - l.w // close to its spine
		}
		b.boxes = append(b.boxes, at)
		b.h = max(b.h, y+l.h)
	}
}

func (b *block) finish() *block {
	b.w = max(b.w, nameChar*width(b.label), textChar*width(b.detail))
	return b
}

// mirror turns left and right.
func (b *block) mirror() {
	for i := range b.spines {
		b.spines[i] = b.w - barThick - b.spines[i]
	}
	for i := range b.boxes {
		b.boxes[i].x = b.w - b.leaves[i].w - b.boxes[i].x
		b.boxes[i].right = !b.boxes[i].right
	}
	for i := range b.columns {
		c := &b.columns[i]
		c.x, c.right = b.w-c.w-c.x, !c.right
	}
}

// edge is the x at which a cable meets the bar when it comes from that side.
func (b *block) edge(right bool) int {
	x := b.spines[0]
	for _, s := range b.spines {
		if right {
			x = max(x, s)
		} else {
			x = min(x, s)
		}
	}
	if right {
		return x + barThick
	}
	return x
}
