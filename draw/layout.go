package draw

import "slices"

// A line of the picture: the beginning of a net, or a row of rooms.
type line struct {
	net   int  // the net that begins here, -1 for rooms
	row   *row // nil for a net
	cells []cell
}

// A cell is what one rail looks like on one line.
type cell uint8

const (
	empty cell = iota
	through
	begin
	join0 // joined, the rail goes on
	end   // joined, the rail ends here
)

// layout decides the order of the lines and the rail of each net. Rails are given back when a net's last room is drawn.
// After each room the net with rooms of its own alone (hosts) comes first, then the one that was begun last: so the
// number of open rails stays small.
func layout(g graph, rows []row) []line {
	l := &layouter{graph: g, rows: rows, drawn: make([]bool, len(rows)), rail: make([]int, len(g.nets)), left: make([]int, len(g.nets))}
	for i := range l.rail {
		l.rail[i] = -1
	}
	for i := range rows {
		for _, n := range netsOf(&rows[i]) {
			l.left[n]++
		}
	}
	for _, n := range l.starts() {
		if l.rail[n] >= 0 || l.begun[n] {
			continue
		}
		l.open(n)
		for l.step() {
		}
	}
	for i := range rows { // rooms without a net
		if !l.drawn[i] {
			l.drawRow(i)
		}
	}
	for i := range l.lines {
		for len(l.lines[i].cells) < l.width {
			l.lines[i].cells = append(l.lines[i].cells, empty)
		}
	}
	return l.lines
}

type layouter struct {
	graph
	rows  []row
	drawn []bool
	rail  []int // of each open net, -1 otherwise
	left  []int // rows of each net that are not drawn yet
	begun map[int]bool
	stack []int // open nets, latest last
	rails []int // net on each rail, -1 when free
	width int
	lines []line
}

// starts lists the nets in the order in which a new part of the picture may begin: nets in the host first, for the way
// out belongs to the top, then by name.
func (l *layouter) starts() []int {
	l.begun = map[int]bool{}
	list := make([]int, len(l.nets))
	for i := range list {
		list[i] = i
	}
	slices.SortStableFunc(list, func(a, b int) int {
		rank := func(n int) int {
			if l.nets[n].place != "" {
				return 0
			}
			return 1
		}
		return rank(a) - rank(b)
	})
	return list
}

// step draws one row of an open net; false when nothing is left on the open ones.
func (l *layouter) step() bool {
	for alone := range 2 {
		for _, n := range slices.Backward(l.stack) {
			for i := range l.rows {
				nets := netsOf(&l.rows[i])
				if l.drawn[i] || !slices.Contains(nets, n) || alone == 0 && len(nets) > 1 {
					continue
				}
				l.drawRow(i)
				return true
			}
		}
	}
	return false
}

func (l *layouter) open(n int) {
	l.begun[n] = true
	at := slices.Index(l.rails, -1)
	if at < 0 {
		at = len(l.rails)
		l.rails = append(l.rails, n)
	}
	l.rails[at] = n
	l.rail[n] = at
	l.width = max(l.width, at+1)
	cells := l.passing()
	cells[at] = begin
	l.lines = append(l.lines, line{net: n, cells: cells})
	if l.left[n] == 0 { // a bridge that nothing is plugged into
		l.rails[at], l.rail[n] = -1, -1
		return
	}
	l.stack = append(l.stack, n)
}

func (l *layouter) drawRow(i int) {
	nets := netsOf(&l.rows[i])
	for _, n := range nets {
		if !l.begun[n] {
			l.open(n)
		}
	}
	cells := l.passing()
	for _, n := range nets {
		at := l.rail[n]
		cells[at] = join0
		if l.left[n]--; l.left[n] == 0 {
			cells[at] = end
			l.rails[at], l.rail[n] = -1, -1
			l.stack = slices.DeleteFunc(l.stack, func(m int) bool { return m == n })
		}
	}
	l.drawn[i] = true
	l.lines = append(l.lines, line{net: -1, row: &l.rows[i], cells: cells})
}

// passing is a line on which every open rail goes through.
func (l *layouter) passing() []cell {
	cells := make([]cell, len(l.rails))
	for i, n := range l.rails {
		if n >= 0 {
			cells[i] = through
		}
	}
	return cells
}

// netsOf lists the nets that a row is plugged into, each once, in order.
func netsOf(r *row) []int {
	var list []int
	for _, p := range r.plugs {
		if !slices.Contains(list, p.net) {
			list = append(list, p.net)
		}
	}
	return list
}
