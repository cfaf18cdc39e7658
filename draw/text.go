package draw

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"warren/state"
)

// Options of a picture. The zero value is right for a file.
type Options struct {
	// Lab limits the picture to a lab, with whatever else its nets are plugged into, and calls its nodes by their short
	// names. "" draws everything.
	Lab string
	// Only limits the picture to the namespaces with these keys and what is plugged into the same nets; empty = all.
	Only []string
	// Fold is the least number of rooms that are alike which become one row; 0 = 5, negative = never.
	Fold int
	// ASCII uses no characters outside of ASCII.
	ASCII bool
	// Color marks names with ANSI escapes (ECMA-48), for a terminal.
	Color bool
}

// Snapshot draws what is.
func Snapshot(s *state.Snapshot, o Options) string {
	return SnapshotAs(s, FormatText, o)
}

// Desired draws what should be.
func Desired(d *state.Desired, o Options) string {
	return DesiredAs(d, FormatText, o)
}

// maxNames is the widest column of names, in characters; a longer name pushes its own line only.
const maxNames = 24

func text(g graph, o Options) string {
	least := o.Fold
	if least == 0 {
		least = 5
	}
	lines := layout(g, fold(g.rooms, least))
	names := 0
	for _, l := range lines {
		names = max(names, min(utf8.RuneCountInString(l.name(g)), maxNames))
	}
	p := pen{Options: o}
	var b strings.Builder
	if o.Lab != "" {
		fmt.Fprintf(&b, "%s: %s, %s\n\n", p.bold(o.Lab), count(len(g.rooms)-hosts(g), "node"), count(len(g.nets), "net"))
	}
	for _, l := range lines {
		name := l.name(g)
		pad := strings.Repeat(" ", max(0, names-utf8.RuneCountInString(name)))
		var details string
		if l.row == nil {
			name, details = p.cyan(name), l.netDetails(g, p)
		} else {
			name, details = p.bold(name), l.roomDetails(g, p)
		}
		b.WriteString(strings.TrimRight(p.rails(l)+name+pad+"  "+details, " ") + "\n")
	}
	return b.String()
}

func hosts(g graph) int {
	for _, r := range g.rooms {
		if r.name == state.HostNS {
			return 1
		}
	}
	return 0
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (l line) name(g graph) string {
	if l.row == nil {
		return g.nets[l.net].name
	}
	return "[" + l.row.name + "]"
}

func (l line) netDetails(g graph, p pen) string {
	n := g.nets[l.net]
	parts := []string{"bridge"}
	switch {
	case n.cable:
		parts[0] = "cable"
	case n.place != "":
		parts[0] = "bridge in " + n.place
	}
	if len(n.prefixes) > 0 {
		parts = append(parts, join(n.prefixes))
	}
	if n.down {
		parts = append(parts, p.red("DOWN"))
	}
	return strings.Join(parts, ", ")
}

func (l line) roomDetails(g graph, p pen) string {
	var parts []string
	for k, plug := range l.row.plugs {
		s := l.row.addresses(k)
		if len(l.row.plugs) > 1 {
			s = strings.TrimSpace(g.nets[plug.net].name + " " + s)
		}
		if plug.mtu != 0 && plug.mtu != 1500 {
			s = strings.TrimSpace(fmt.Sprintf("%s mtu %d", s, plug.mtu))
		}
		if plug.down {
			s = strings.TrimSpace(s + " " + p.red("DOWN"))
		}
		if s != "" {
			parts = append(parts, s)
		}
	}
	if l.row.detail != "" {
		parts = append([]string{l.row.detail}, parts...)
	}
	for _, other := range l.row.others {
		parts = append(parts, "also "+other)
	}
	if l.row.forwards {
		parts = append(parts, "forwards")
	}
	if n := len(l.row.members); n > 0 {
		parts = append(parts, fmt.Sprintf("%d alike", n))
	}
	return strings.Join(parts, ", ")
}

// A pen knows how things are written.
type pen struct{ Options }

func (p pen) paint(code, s string) string {
	if !p.Color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p pen) bold(s string) string { return p.paint("1", s) }
func (p pen) cyan(s string) string { return p.paint("36", s) }
func (p pen) red(s string) string  { return p.paint("31", s) }

// rails writes the left part of a line. Two characters a rail, and a space before the name.
func (p pen) rails(l line) string {
	if len(l.cells) == 0 {
		return ""
	}
	bar, dash, dot, tee, elbow, cross, up := "│", "─", "●", "├", "└", "┼", "┴"
	if p.ASCII {
		bar, dash, dot, tee, elbow, cross, up = "|", "-", "o", "+", "+", "+", "+"
	}
	var b strings.Builder
	joined := false
	for _, c := range l.cells {
		glyph := " "
		switch c {
		case empty:
			if joined {
				glyph = dash
			}
		case through:
			glyph = bar
		case begin:
			glyph = dot
		case join0:
			glyph = tee
			if joined {
				glyph = cross
			}
		case end:
			glyph = elbow
			if joined {
				glyph = up
			}
		default:
			panic(fmt.Sprintf("draw: cell %d", c))
		}
		joined = joined || c == join0 || c == end
		b.WriteString(glyph)
		if joined {
			b.WriteString(dash)
		} else {
			b.WriteString(" ")
		}
	}
	b.WriteString(" ")
	return b.String()
}
