package iproute

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
)

// A ssColumn is a column of ss's table.
type ssColumn struct {
	head  string
	delim string // in front of it
	right bool   // aligned to the right
	off   bool
	most  int // the longest text so far, in bytes
	width int
}

// The columns, in order. The last holds nothing and ends the line.
const (
	colNetns = iota // under our own name only
	colNetid
	colState
	colRecvQ
	colSendQ
	colAddr
	colPort
	colPeerAddr
	colPeerPort
	colProcess
	colEnd
	columns
)

// A ssTable collects the texts of all cells and lays them out at the end: a column is as wide as its longest text. Quirks of
// ss's own are kept, so that the lines are the same: details that follow a socket on lines of their own count as text of the
// last column, and the very last text does not count at all.
type ssTable struct {
	columns [columns]ssColumn
	cells   []ssCell
	text    bytes.Buffer // of all cells, one after the other
	at      int          // present column
	start   int          // where the present cell begins in text
	begun   bool         // something was written
}

type ssCell struct{ from, to int }

func newSSTable() *ssTable {
	return &ssTable{columns: [columns]ssColumn{
		colNetns: {head: "Netns", off: true}, colNetid: {head: "Netid"}, colState: {head: "State", delim: " "},
		colRecvQ: {head: "Recv-Q", delim: " "}, colSendQ: {head: "Send-Q", delim: " "},
		colAddr: {head: "Local Address:", delim: " ", right: true}, colPort: {head: "Port"},
		colPeerAddr: {head: "Peer Address:", delim: " ", right: true}, colPeerPort: {head: "Port"},
		colProcess: {head: "Process"}, colEnd: {},
	}}
}

// printf adds to the present cell.
func (t *ssTable) printf(format string, args ...any) {
	if !t.columns[t.at].off {
		t.begun = true
		fmt.Fprintf(&t.text, format, args...)
	}
}

// next ends the present cell.
func (t *ssTable) next() {
	c := &t.columns[t.at]
	if !c.off {
		t.cells = append(t.cells, ssCell{t.start, t.text.Len()})
		c.most = max(c.most, t.text.Len()-t.start)
		t.start = t.text.Len()
	}
	t.at = (t.at + 1) % columns
}

// seek ends cells until the column is the present one.
func (t *ssTable) seek(column int) {
	for t.at != column {
		t.next()
	}
}

// header writes the headings.
func (t *ssTable) header() {
	for t.at != colEnd {
		t.printf("%s", t.columns[t.at].head)
		t.next()
	}
}

// reset begins a new table below the one that was written: columns are as wide as they have been, or wider.
func (t *ssTable) reset() {
	t.cells, t.at, t.start, t.begun = nil, 0, 0, false
	t.text.Reset()
}

// render writes the table; width is the terminal's, 0 = there is none.
func (t *ssTable) render(w io.Writer, width int) {
	if !t.begun {
		return
	}
	// The last cell was not ended, so its length did not count; it is written nevertheless.
	t.cells = append(t.cells, ssCell{t.start, t.text.Len()})
	t.measure(width)
	var out bytes.Buffer
	at, started := 0, false
	for t.columns[at].width == 0 {
		at++
	}
	for _, cell := range t.cells {
		c := &t.columns[at]
		text := t.text.Bytes()[cell.from:cell.to]
		printed := 0
		if started {
			out.WriteString(c.delim)
			printed = len(c.delim)
		}
		started = true
		if fill := c.width - len(text) - printed; c.right && c.width > 0 && fill > 0 {
			out.WriteString(strings.Repeat(" ", fill))
			printed += fill
		}
		out.Write(text)
		printed += len(text)
		if fill := c.width - printed; !c.right && fill > 0 {
			out.WriteString(strings.Repeat(" ", fill))
		}
		for {
			if at == colEnd {
				out.WriteByte('\n')
				at, started = 0, false
			} else {
				at++
			}
			if !t.columns[at].off {
				break
			}
		}
	}
	if started {
		out.WriteByte('\n')
	}
	_, _ = w.Write(out.Bytes()) // nobody to tell
}

// measure sets the columns' widths. On a terminal, columns that do not fit into a line go on in the next one, and what is
// left of each line is shared out among the columns in it.
func (t *ssTable) measure(screen int) {
	narrow := screen > 0
	if !narrow {
		screen = math.MaxInt
	}
	first := true
	for i := range t.columns {
		c := &t.columns[i]
		if c.off {
			continue
		}
		c.width = c.most
		if !first && c.most > 0 {
			c.width += len(c.delim)
		}
		c.width = min(c.width, screen)
		if c.width > 0 {
			first = false
		}
	}
	if narrow {
		t.spread(screen)
	}
}

func (t *ssTable) spread(screen int) {
	sum, inLine, lineEnd := 0, 0, -1
	for i := 0; i < columns; i++ {
		if t.columns[i].width == 0 {
			continue
		}
		inLine++
		sum += t.columns[i].width
		last := true
		for k := i + 1; k < columns; k++ {
			if t.columns[k].width > 0 {
				last = false
				break
			}
		}
		if !last && sum < screen {
			continue
		}
		if sum != screen {
			if sum > screen { // too much: without this one
				sum -= t.columns[i].width
				i--
				inLine--
			}
			t.share(lineEnd, i, screen-sum, inLine)
		}
		lineEnd, sum, inLine = i, 0, 0
	}
}

// share gives the room that is left to the columns after begin and up to end, the last ones first.
func (t *ssTable) share(begin, end, room, count int) {
	if count == 0 {
		return
	}
	each, rest := room/count, room%count
	for i := end; i > begin; i-- {
		c := &t.columns[i]
		if c.width == 0 {
			continue
		}
		c.width += each
		if rest > 0 {
			c.width++
			rest--
		}
	}
}
