package draw

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"warren/state"
)

// PageOptions of [Page].
type PageOptions struct {
	Color bool
	// Firewall writes an nftables table; nil = tables are only named.
	Firewall func(state.Table) string
	// LegacyFirewall writes a table of legacy iptables likewise.
	LegacyFirewall func(state.XTable) string
	// Now is what ages are counted from; zero = the snapshot's own time.
	Now time.Time
}

// Page writes all that a snapshot knows of one namespace, for a person: what it is, its links and where their other ends
// are, addresses, routes, rules, neighbours, firewall rules, sockets, connections, counters, and what could not be read.
// "" when there is no such namespace.
func Page(s *state.Snapshot, key string, o PageOptions) string {
	n := s.Namespace(key)
	if n == nil {
		return ""
	}
	if o.Now.IsZero() {
		o.Now = s.Time
	}
	p := &page{pen: pen{Options{Color: o.Color}}, opt: o, s: s, n: n}
	p.head()
	p.links()
	p.routing()
	p.neighbours()
	p.firewall()
	p.sockets()
	p.conntrack()
	p.settings()
	p.counters()
	p.processes()
	p.unread()
	return p.b.String()
}

type page struct {
	pen
	opt PageOptions
	s   *state.Snapshot
	n   *state.Namespace
	b   strings.Builder
}

// title begins a section.
func (p *page) title(s string) { fmt.Fprintf(&p.b, "\n%s\n", p.bold(s)) }

// columns writes rows of cells below each other; the last column may be of any length.
func (p *page) columns(rows [][]string) {
	var wide []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], width(printable(c)))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		b.WriteString("  ")
		for i, c := range r {
			c = printable(c)
			paint := c
			if c == "down" || strings.HasPrefix(c, "LOWERLAYER") || c == "NO-CARRIER" {
				paint = p.red(c)
			}
			b.WriteString(paint)
			if i < len(r)-1 {
				b.WriteString(strings.Repeat(" ", wide[i]-width(c)+2))
			}
		}
		p.b.WriteString(strings.TrimRight(b.String(), " ") + "\n")
	}
}

func (p *page) head() {
	n := p.n
	fmt.Fprintf(&p.b, "%s", p.bold(printable(n.Name)))
	if !n.Mark.IsZero() {
		fmt.Fprintf(&p.b, "  node %s of lab %s", n.Mark.Node, n.Mark.Lab)
	} else if n.Owner != nil {
		fmt.Fprintf(&p.b, "  %s", printable(ownerText(n.Owner)))
	}
	p.b.WriteString("\n")
	var rows [][]string
	add := func(what, text string) {
		if text != "" {
			rows = append(rows, []string{what, text})
		}
	}
	id := ""
	if n.Cookie != 0 {
		id = fmt.Sprintf("cookie %d", n.Cookie)
	}
	if n.Inode != 0 {
		id = strings.TrimPrefix(fmt.Sprintf("%s, inode %d", id, n.Inode), ", ")
	}
	add("identity", id)
	if !n.Created.IsZero() {
		when := n.Created.Format(time.DateTime)
		if !p.opt.Now.IsZero() {
			when += ", " + Age(p.opt.Now.Sub(n.Created)) + " ago"
		}
		add("made", when)
	}
	if n.Owner != nil && n.Owner.Evidence != "" {
		add("owner", ownerText(n.Owner)+" ("+n.Owner.Evidence+")")
	}
	if len(n.Containers) > 1 || len(n.Containers) == 1 && (n.Owner == nil || n.Containers[0].ID != n.Owner.ID) {
		var list []string
		for _, c := range n.Containers {
			list = append(list, ownerText(&state.Owner{Kind: c.Kind, Name: c.Name, ID: c.ID}))
		}
		add("containers", strings.Join(list, ", "))
	}
	if len(n.Names) > 1 || len(n.Names) == 1 && n.Names[0] != n.Name {
		add("names", strings.Join(n.Names, ", "))
	}
	add("mounts", strings.Join(n.Paths, ", "))
	add("held by", holdersText(n))
	var ids []string
	for _, id := range n.NSIDs {
		ids = append(ids, fmt.Sprintf("%d = %s", id.ID, orUnknown(id.NS)))
	}
	add("knows", strings.Join(ids, ", "))
	p.columns(rows)
}

func orUnknown(s string) string {
	if s == "" {
		return "?"
	}
	return s
}

// ownerText is an owner in a few words.
func ownerText(o *state.Owner) string {
	s := strings.TrimSpace(o.Kind + " " + o.Name)
	if short := o.ID[:min(12, len(o.ID))]; o.ID != o.Name && short != o.Name {
		s += " " + short
	}
	return s
}

// holdersText counts what keeps a namespace alive, and names what is no process and no mount that was named already.
func holdersText(n *state.Namespace) string {
	times := map[string]int{}
	var kinds, rest []string
	for _, h := range n.Holders {
		if times[h.Kind]++; times[h.Kind] == 1 {
			kinds = append(kinds, h.Kind)
		}
		switch h.Kind {
		case "thread", "file", "socket", "tun":
			rest = append(rest, strings.TrimSpace(fmt.Sprintf("%s of %d %s", h.Kind, h.PID, program(h.Command))))
		case "kernel":
			rest = append(rest, "nothing that can be seen")
		}
	}
	var parts []string
	for _, k := range kinds {
		if k == "process" || k == "mount" {
			parts = append(parts, plural(times[k], k, map[string]string{"process": "processes", "mount": "mounts"}[k]))
		}
	}
	parts = append(parts, shorten(rest, 5)...)
	if len(parts) == 0 && len(n.Processes) > 0 {
		return plural(len(n.Processes), "process", "processes")
	}
	return strings.Join(parts, ", ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// shorten keeps the first of a list and counts the others.
func shorten(list []string, most int) []string {
	if len(list) <= most {
		return list
	}
	return append(slices.Clone(list[:most]), fmt.Sprintf("%d more", len(list)-most))
}

// Age is a time that has passed as people say it: one unit, or two.
func Age(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

func (p *page) processes() {
	if len(p.n.Processes) == 0 {
		return
	}
	p.title("processes")
	var rows [][]string
	const most = 30
	for i, pr := range p.n.Processes {
		if i == most {
			rows = append(rows, []string{fmt.Sprintf("and %d more", len(p.n.Processes)-most)})
			break
		}
		pid, user := strconv.Itoa(pr.PID), pr.User
		if pr.InnerPID != 0 && pr.InnerPID != pr.PID {
			pid += fmt.Sprintf(" (%d inside)", pr.InnerPID)
		}
		if user == "" {
			user = strconv.FormatUint(uint64(pr.UID), 10)
		}
		rows = append(rows, []string{pid, user, clip(pr.Command, 100)})
	}
	p.columns(rows)
}

func (p *page) unread() {
	var rows [][]string
	for _, u := range p.s.Unread {
		if u.NS == "" || u.NS == p.n.Name {
			rows = append(rows, []string{u.Object, u.Reason})
		}
	}
	if len(rows) > 0 {
		p.title("could not be read")
		p.columns(rows)
	}
}
