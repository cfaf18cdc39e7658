package draw

import (
	"fmt"
	"strings"
)

// mermaid writes the graph as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html).
func mermaid(g graph, o Options) string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "---\ntitle: %s\n---\nflowchart LR\n", yamlQuote(title(g, o)))
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
		fmt.Fprintf(b, "  net%d([%s])\n", i, mermaidQuote(label))
	}
	for i, r := range g.rooms {
		label := r.label()
		fmt.Fprintf(b, "  room%d[%s]\n", i, mermaidQuote(label))
	}
	var down []string
	k := 0
	g.eachEdge(func(x, y plugEnd, n int, isDown bool) {
		label, to := x.text(), fmt.Sprintf("net%d", n)
		if y.plug != nil {
			label += " -- " + y.text()
			to = fmt.Sprintf("room%d", y.room)
		}
		fmt.Fprintf(b, "  room%d ---|%s| %s\n", x.room, mermaidQuote(strings.ReplaceAll(label, "\n", " ")), to)
		if isDown {
			down = append(down, fmt.Sprint(k))
		}
		k++
	})
	if len(down) > 0 {
		fmt.Fprintf(b, "  linkStyle %s stroke:red,stroke-dasharray:5 4\n", strings.Join(down, ","))
	}
	return b.String()
}

// mermaidQuote makes a quoted label: what means something to Mermaid, to HTML or to Markdown becomes a character code.
func mermaidQuote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteString("<br/>")
		}
		for _, r := range printable(line) {
			if strings.ContainsRune("\"#&<>`*_\\{}[]|;%~$", r) {
				fmt.Fprintf(&b, "#%d;", r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}

func yamlQuote(s string) string { return "'" + strings.ReplaceAll(printable(s), "'", "''") + "'" }
