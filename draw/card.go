package draw

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Measures of the picture in pixels. A character's width is that of a monospaced font, 0.61 of the size, rounded up: so a
// text never leaves the place that was kept for it.
const (
	nameSize  = 13
	nameChar  = 8
	textSize  = 11
	textChar  = 7
	lineHigh  = 16
	nameHigh  = 22
	pad       = 8
	barThick  = 8
	stub      = 26 // from a bar to the box that hangs on it
	gap       = 14 // between boxes of one column
	laneHigh  = 8
	maxName   = 30 // characters
	maxDetail = 46
	mostAddrs = 6 // of one port
)

// A card is a room as a box: its name, a line for each port and its addresses, and what else is in it.
type card struct {
	row    *row
	w, h   int
	name   string
	detail string // below the name
	order  []int  // of the plugs, from top to bottom
	lines  []cardLine
	port   []int // of each plug: where its cable meets the edge, from the top
	right  []bool
}

// A cardLine is one line of text.
type cardLine struct {
	y          int // its middle
	link, text string
	plug       int // -1 = none
	down       bool
}

// newCard measures a room. The order of its ports is not final yet; its size is.
func newCard(r *row) *card {
	c := &card{row: r, name: clip(r.name, maxName), detail: clip(r.detail, maxDetail)}
	if n := len(r.members); n > 0 {
		c.detail = strings.TrimPrefix(c.detail+fmt.Sprintf(", %d alike", n), ", ")
	}
	if r.forwards {
		c.detail = strings.TrimPrefix(c.detail+", forwards", ", ")
	}
	c.order = make([]int, len(r.plugs))
	c.port = make([]int, len(r.plugs))
	c.right = make([]bool, len(r.plugs))
	for i := range c.order {
		c.order[i] = i
	}
	c.arrange()
	c.w = 2*pad + nameChar*width(c.name)
	c.w = max(c.w, 2*pad+textChar*width(c.detail))
	for _, l := range c.lines {
		c.w = max(c.w, 2*pad+textChar*(width(l.link)+width(l.text)+1))
	}
	c.w = max(c.w, 64)
	return c
}

// arrange puts the lines in the order of the ports.
func (c *card) arrange() {
	c.lines = c.lines[:0]
	y := nameHigh
	if c.detail != "" {
		y += lineHigh - 3
	}
	if len(c.order)+len(c.row.others) > 0 {
		y += 5
	}
	add := func(l cardLine) {
		l.y = y + lineHigh/2
		c.lines = append(c.lines, l)
		y += lineHigh
	}
	for _, k := range c.order {
		p := c.row.plugs[k]
		c.port[k] = y + lineHigh/2
		texts := c.row.addressLines(k)
		if len(texts) > mostAddrs {
			texts = append(texts[:mostAddrs-1:mostAddrs-1], fmt.Sprintf("and %d more", len(texts)-mostAddrs+1))
		}
		first := ""
		if len(texts) > 0 {
			first, texts = texts[0], texts[1:]
		}
		if p.mtu != 0 && p.mtu != 1500 {
			first = strings.TrimSpace(fmt.Sprintf("%s mtu %d", first, p.mtu))
		}
		if p.down {
			first = strings.TrimSpace(first + " DOWN")
		}
		add(cardLine{link: clip(p.link, maxName), text: clip(first, maxDetail), plug: k, down: p.down})
		for _, t := range texts {
			add(cardLine{link: strings.Repeat(" ", width(clip(p.link, maxName))), text: clip(t, maxDetail), plug: k, down: p.down})
		}
	}
	others := c.row.others
	if len(others) > mostAddrs {
		others = append(others[:mostAddrs-1:mostAddrs-1], fmt.Sprintf("and %d more links", len(others)-mostAddrs+1))
	}
	for _, o := range others {
		add(cardLine{text: clip(o, maxDetail), plug: -1})
	}
	c.h = y + 6
}

// addressLines are the addresses of a plug, one to a line.
func (r row) addressLines(k int) []string {
	if r.members != nil {
		if s := r.addresses(k); s != "" {
			return strings.SplitAfter(s, "\x00")
		}
		return nil
	}
	var list []string
	for _, a := range r.plugs[k].addrs {
		list = append(list, a.String())
	}
	return list
}

// clip shortens a text in its middle, where names differ least.
func clip(s string, most int) string {
	s = printable(s)
	if width(s) <= most {
		return s
	}
	r := []rune(s)
	head, tail := 0, len(r)
	for used := 1; head < tail; {
		next := r[head]
		if (head+len(r)-tail)%3 == 2 { // two thirds from the beginning
			next = r[tail-1]
		}
		used += runeWidth(next)
		if used > most {
			break
		}
		if (head+len(r)-tail)%3 == 2 {
			tail--
		} else {
			head++
		}
	}
	return string(r[:head]) + "…" + string(r[tail:])
}

// printable replaces what cannot be shown, and what XML 1.0 forbids.
func printable(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) && utf8.ValidString(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return '\ufffd'
		}
		return r
	}, s)
}

// width counts columns: East Asian wide characters and most pictures take two.
func width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	switch {
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// Printable is a text with what a terminal would obey replaced.
func Printable(s string) string { return printable(s) }
