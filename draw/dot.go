package draw

import (
	"fmt"
	"strings"
)

// dot writes the graph in Graphviz's language (https://graphviz.org/doc/info/lang.html): rooms are boxes, bridges are
// ellipses, and the addresses stand at the ends of the edges.
func dot(g graph, o Options) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "graph %s {\n", dotQuote(title(g, o)))
	b.WriteString("  rankdir=LR;\n  node [fontname=monospace fontsize=11 shape=box];\n  edge [fontname=monospace fontsize=9];\n")
	for i, n := range g.nets {
		if g.isCable(i) {
			continue
		}
		label := n.name
		if n.place != "" {
			label += " in " + n.place
		}
		if len(n.prefixes) > 0 {
			label += "\n" + join(n.prefixes)
		}
		color := "darkgreen"
		if n.down {
			color = "red"
		}
		fmt.Fprintf(b, "  net%d [label=%s shape=ellipse color=%s];\n", i, dotQuote(label), color)
	}
	for i, r := range g.rooms {
		label := r.label()
		style := ""
		if r.forwards {
			style = " style=bold"
		}
		fmt.Fprintf(b, "  room%d [label=%s%s];\n", i, dotQuote(label), style)
	}
	g.eachEdge(func(x, y plugEnd, n int, down bool) {
		attrs := []string{"taillabel=" + dotQuote(x.text())}
		to := fmt.Sprintf("net%d", n)
		if y.plug != nil {
			attrs = append(attrs, "headlabel="+dotQuote(y.text()))
			to = fmt.Sprintf("room%d", y.room)
		}
		if down {
			attrs = append(attrs, "color=red", "style=dashed")
		}
		fmt.Fprintf(b, "  room%d -- %s [%s];\n", x.room, to, strings.Join(attrs, " "))
	})
	b.WriteString("}\n")
	return b.String()
}

// dotQuote makes a quoted string: a backslash and a quote are escaped, a newline is \n.
func dotQuote(s string) string {
	var lines []string
	for line := range strings.SplitSeq(s, "\n") {
		lines = append(lines, strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(printable(line)))
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}

// A plugEnd is an end of an edge: a room's plug, or none for a bridge.
type plugEnd struct {
	room int
	plug *plug
}

func (e plugEnd) text() string { return strings.TrimSpace(e.plug.link + "\n" + join(e.plug.addrs)) }

// label is a room in several lines.
func (r room) label() string {
	lines := []string{r.name}
	if r.detail != "" {
		lines = append(lines, r.detail)
	}
	return strings.Join(append(lines, r.others...), "\n")
}

// isCable tells whether a net joins exactly two plugs.
func (g graph) isCable(n int) bool {
	if !g.nets[n].cable {
		return false
	}
	c := 0
	for _, r := range g.rooms {
		for _, p := range r.plugs {
			if p.net == n {
				c++
			}
		}
	}
	return c == 2
}

// eachEdge calls f for every cable with both ends, and for every plug of another net with one, in the order of nets and rooms.
func (g graph) eachEdge(f func(x, y plugEnd, net int, down bool)) {
	ends := make([][]plugEnd, len(g.nets))
	for i := range g.rooms {
		for k := range g.rooms[i].plugs {
			p := &g.rooms[i].plugs[k]
			ends[p.net] = append(ends[p.net], plugEnd{i, p})
		}
	}
	for n, list := range ends {
		if g.nets[n].cable && len(list) == 2 {
			f(list[0], list[1], n, list[0].plug.down || list[1].plug.down)
			continue
		}
		for _, e := range list {
			f(e, plugEnd{}, n, e.plug.down)
		}
	}
}
