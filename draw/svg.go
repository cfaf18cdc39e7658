package draw

import (
	"fmt"
	"strings"

	"warren/state"
)

// svg draws a graph as a picture (SVG 1.1 with CSS): rooms are boxes with a line for each port and its addresses, cables
// are lines, bridges are bars. What is down is dashed and red. The picture is one document that needs nothing else; it
// follows the reader's choice of light or dark.
//
// Boxes and bars never overlap, and no cable runs through one that it is not plugged into, whatever the graph: cables bend
// only in channels between the columns of boxes.
func svg(g graph, o Options) string {
	least := o.Fold
	if least == 0 {
		least = 5
	}
	s := newScene(g, least)
	b := &strings.Builder{}
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n", s.w, s.h, s.w, s.h)
	fmt.Fprintf(b, "<title>%s</title>\n", escape(title(g, o)))
	b.WriteString(styleSheet)
	fmt.Fprintf(b, `<rect class="page" width="%d" height="%d"/>`+"\n", s.w, s.h)
	for _, w := range s.wires {
		w.write(b, g)
	}
	for _, k := range s.blocks {
		k.write(b, g)
	}
	for _, c := range s.cards {
		c.write(b)
	}
	if len(s.cards)+len(s.blocks) == 0 {
		writeText(b, "name", margin, margin+nameHigh-6, "start", "nothing to draw")
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func title(g graph, o Options) string {
	what := count(len(g.rooms), "namespace") + ", " + count(len(g.nets), "net")
	if o.Lab != "" {
		return o.Lab + ": " + what
	}
	return what
}

// The colours have a contrast of at least 4.5 to 1 for texts, on light and dark ground.
const styleSheet = `<style>
text{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,"Liberation Mono",monospace;font-size:11px;fill:#3d4652}
.name{font-size:13px;font-weight:600;fill:#12171e}
.dim{fill:#5f6b7a}
.link{fill:#1c5fb0}
.bad{fill:#c01f2e}
.page{fill:#ffffff}
.room{fill:#f5f7fa;stroke:#8793a3;stroke-width:1.2}
.host .room{fill:#fff6e3;stroke:#b98b2c}
.router .room{fill:#e9f3ff;stroke:#5a8fc7}
.stack{fill:#e4e9ef;stroke:#8793a3;stroke-width:1}
.rule{stroke:#c8d0da;stroke-width:1}
.port{fill:#ffffff;stroke:#3d4652;stroke-width:1.2}
.bar{fill:#3d7a55;stroke:none}
.net{fill:#256240}
.cable{fill:none;stroke:#3f4d5e;stroke-width:1.6}
.plug{fill:none;stroke:#3d7a55;stroke-width:1.6}
.down.cable,.down.plug{stroke:#d4293a;stroke-dasharray:5 4}
.down .bar{fill:#d4293a}
.down.port{stroke:#d4293a}
@media (prefers-color-scheme:dark){
text{fill:#c3ccd6}
.name{fill:#f1f5f9}
.dim{fill:#94a1b0}
.link{fill:#8ab8f2}
.bad{fill:#ff8a92}
.page{fill:#12161c}
.room{fill:#1d242d;stroke:#647184}
.host .room{fill:#30291a;stroke:#b98b2c}
.router .room{fill:#1a2a3d;stroke:#5a8fc7}
.stack{fill:#283039;stroke:#647184}
.rule{stroke:#3a4552}
.port{fill:#12161c;stroke:#c3ccd6}
.bar{fill:#58a87a}
.net{fill:#7fd0a0}
.cable{stroke:#a3b0bf}
.plug{stroke:#58a87a}
.down.cable,.down.plug{stroke:#ff6472}
.down .bar{fill:#ff6472}
.down.port{stroke:#ff6472}
}
</style>
`

func (w cableLine) write(b *strings.Builder, g graph) {
	class := "plug"
	if g.nets[w.net].cable {
		class = "cable"
	}
	if w.down {
		class += " down"
	}
	fmt.Fprintf(b, `<path class="%s" d="M%d %d`, class, w.x, w.y)
	x, y := w.x, w.y
	for _, s := range w.path {
		switch {
		case !s.curve:
			fmt.Fprintf(b, "L%d %d", s.x, s.y)
		case s.bow != 0: // a cubic curve reaches three quarters of the way to its handles
			h := s.x + s.bow*4/3
			fmt.Fprintf(b, "C%d %d %d %d %d %d", h, y, h, s.y, s.x, s.y)
		default:
			h := (x + s.x) / 2
			fmt.Fprintf(b, "C%d %d %d %d %d %d", h, y, h, s.y, s.x, s.y)
		}
		x, y = s.x, s.y
	}
	b.WriteString("\"/>\n")
}

func (k placedBlock) write(b *strings.Builder, g graph) {
	class := "bridge"
	if g.nets[k.net].down {
		class += " down"
	}
	fmt.Fprintf(b, `<g class="%s"><title>%s</title>`+"\n", class, escape(printable(g.nets[k.net].name)))
	for _, x := range k.spines {
		fmt.Fprintf(b, `<rect class="bar" x="%d" y="%d" width="%d" height="%d" rx="3"/>`+"\n", k.x+x, k.from, barThick, k.to-k.from)
	}
	if len(k.spines) > 1 {
		from, to := k.edge(false), k.edge(true)
		fmt.Fprintf(b, `<rect class="bar" x="%d" y="%d" width="%d" height="%d" rx="3"/>`+"\n", k.x+from, k.from, to-from, barThick)
	}
	x, anchor := k.x, "start"
	if k.spines[0] > k.w/2 {
		x, anchor = k.x+k.w, "end"
	}
	y := k.from - k.top + 13
	writeText(b, "name net", x, y, anchor, k.label)
	if k.detail != "" {
		writeText(b, "dim", x, y+14, anchor, k.detail)
	}
	b.WriteString("</g>\n")
}

func (c placedCard) write(b *strings.Builder) {
	class := "node"
	switch {
	case c.row.name == state.HostNS:
		class = "node host"
	case c.row.forwards:
		class = "node router"
	}
	fmt.Fprintf(b, `<g class="%s"><title>%s</title>`+"\n", class, escape(printable(c.row.name)))
	if len(c.row.members) > 0 {
		fmt.Fprintf(b, `<rect class="stack" x="%d" y="%d" width="%d" height="%d" rx="5"/>`+"\n", c.x+4, c.y+4, c.w, c.h)
	}
	fmt.Fprintf(b, `<rect class="room" x="%d" y="%d" width="%d" height="%d" rx="5"/>`+"\n", c.x, c.y, c.w, c.h)
	writeText(b, "name", c.x+pad, c.y+16, "start", c.name)
	y := c.y + nameHigh
	if c.detail != "" {
		writeText(b, "dim", c.x+pad, y+9, "start", c.detail)
		y += lineHigh - 3
	}
	if len(c.lines) > 0 {
		fmt.Fprintf(b, `<path class="rule" d="M%d %dL%d %d"/>`+"\n", c.x+1, y+2, c.x+c.w-1, y+2)
	}
	for _, l := range c.lines {
		c.line(b, l)
	}
	for k, p := range c.row.plugs {
		x, class := c.x, "port"
		if c.right[k] {
			x += c.w
		}
		if p.down {
			class = "port down"
		}
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="%d" width="6" height="6"/>`+"\n", class, x-3, c.y+c.port[k]-3)
	}
	b.WriteString("</g>\n")
}

func (c placedCard) line(b *strings.Builder, l cardLine) {
	y := c.y + l.y + 4
	if l.plug < 0 {
		writeText(b, "dim", c.x+pad, y, "start", l.text)
		return
	}
	class := ""
	if l.down {
		class = "bad"
	}
	x, anchor := c.x+pad, "start"
	if c.right[l.plug] {
		x, anchor = c.x+c.w-pad, "end"
	}
	link := strings.TrimSpace(l.link)
	switch {
	case link == "" && anchor == "start": // a further address: below the first one
		writeText(b, class, x+textChar*(width(l.link)+1), y, anchor, l.text)
	case link == "":
		writeText(b, class, x-textChar*(width(l.link)+1), y, anchor, l.text)
	case anchor == "start":
		writeText(b, "link", x, y, anchor, link)
		writeText(b, class, x+textChar*(width(link)+1), y, anchor, l.text)
	default:
		writeText(b, "link", x, y, anchor, link)
		writeText(b, class, x-textChar*(width(link)+1), y, anchor, l.text)
	}
}

func writeText(b *strings.Builder, class string, x, y int, anchor, s string) {
	if s == "" {
		return
	}
	fmt.Fprint(b, "<text")
	if class != "" {
		fmt.Fprintf(b, ` class="%s"`, class)
	}
	if anchor != "start" {
		fmt.Fprintf(b, ` text-anchor="%s"`, anchor)
	}
	fmt.Fprintf(b, ` x="%d" y="%d">%s</text>`+"\n", x, y, escape(s))
}

// escape writes a text for XML.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(s)
}
