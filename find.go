package warren

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"warren/state"
)

// A Match is something that [Find] found.
type Match struct {
	NS string `json:"ns"` // key of the namespace
	// Kind: "name", "path", "cookie", "inode", "pid", "container", "owner", "command", "address", "subnet", "neighbour", "mac",
	// "interface", "port".
	Kind string `json:"kind"`
	// Text says what matched, for a person.
	Text string `json:"text"`
	Link string `json:"link,omitempty"`
	PID  int    `json:"pid,omitempty"`
	// Owner is the namespace's, in words.
	Owner string `json:"owner,omitempty"`
}

// Find finds the namespaces of a snapshot that have something: an address, a MAC address, an interface's name (or alternative
// name or alias), a process by its number, a port that somebody listens on ("80", "80/udp"), a container or pod by its name or
// the beginning of its id, a cookie or inode, a name or path. "pid:", "port:", "cookie:", "inode:", "container:" and "interface:"
// before it look for that alone. Of addresses the namespaces come first that have them, and when none has it, those with a subnet
// that it would be in.
func Find(s state.Snapshot, what string) []Match {
	f := finder{what: what}
	if kind, rest, ok := strings.Cut(what, ":"); ok && slices.Contains([]string{"pid", "port", "cookie", "inode", "container", "interface"}, kind) {
		f.only, f.what = kind, rest
	}
	f.number, f.isNumber = parseNumber(f.what)
	if a, err := netip.ParseAddr(f.what); err == nil {
		f.addr = a.Unmap()
	} else if p, err := netip.ParsePrefix(f.what); err == nil {
		f.addr = p.Addr().Unmap()
	}
	f.mac, _ = state.ParseMAC(strings.ToLower(strings.ReplaceAll(f.what, "-", ":")))
	var near []Match
	for i := range s.Namespaces {
		f.namespace(&s.Namespaces[i])
		near = append(near, f.near...)
		f.near = nil
	}
	if !slices.ContainsFunc(f.found, func(m Match) bool { return m.Kind == "address" }) {
		f.found = append(f.found, near...)
	}
	slices.SortStableFunc(f.found, func(a, b Match) int { return strings.Compare(a.NS, b.NS) })
	return f.found
}

func parseNumber(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

type finder struct {
	what, only  string
	number      uint64
	isNumber    bool
	addr        netip.Addr
	mac         state.MAC
	found, near []Match
	ns          *state.Namespace
}

func (f *finder) wants(kind string) bool { return f.only == "" || f.only == kind }

func (f *finder) add(m Match) {
	m.NS = f.ns.Name
	if o := f.ns.Owner; o != nil {
		m.Owner = strings.TrimSpace(o.Kind + " " + o.Name)
	}
	f.found = append(f.found, m)
}

func (f *finder) namespace(n *state.Namespace) {
	f.ns = n
	if f.only == "" {
		f.names()
	}
	if f.isNumber && f.wants("cookie") && n.Cookie == f.number && f.number != 0 {
		f.add(Match{Kind: "cookie", Text: fmt.Sprintf("cookie %d", n.Cookie)})
	}
	if f.isNumber && f.wants("inode") && n.Inode == f.number && f.number != 0 {
		f.add(Match{Kind: "inode", Text: fmt.Sprintf("inode %d", n.Inode)})
	}
	if f.isNumber && f.wants("pid") {
		f.pids()
	}
	if f.wants("container") {
		f.owner()
	}
	if f.only == "" && f.addr.IsValid() {
		f.addresses()
	}
	if f.only == "" || f.only == "interface" {
		f.links()
	}
	if f.wants("port") {
		f.ports()
	}
}

func (f *finder) names() {
	if f.ns.Name == f.what || slices.Contains(f.ns.Names, f.what) {
		f.add(Match{Kind: "name", Text: "name " + f.what})
	}
	if f.ns.Mark.Node == f.what && f.what != "" && f.ns.Name != f.what {
		f.add(Match{Kind: "name", Text: fmt.Sprintf("node %s of lab %s", f.ns.Mark.Node, f.ns.Mark.Lab)})
	}
	if slices.Contains(f.ns.Paths, f.what) {
		f.add(Match{Kind: "path", Text: "path " + f.what})
	}
}

func (f *finder) pids() {
	for _, p := range f.ns.Processes {
		if uint64(p.PID) == f.number {
			f.add(Match{Kind: "pid", PID: p.PID, Text: fmt.Sprintf("process %d %s", p.PID, p.Command)})
		} else if uint64(p.InnerPID) == f.number && p.InnerPID != 0 && f.only == "" {
			f.add(Match{Kind: "pid", PID: p.PID, Text: fmt.Sprintf("process %d (%d inside) %s", p.PID, p.InnerPID, p.Command)})
		}
	}
	for _, h := range f.ns.Holders {
		if uint64(max(h.PID, 0)) == f.number && h.PID != 0 && h.Kind != "process" && h.Kind != "mount" {
			f.add(Match{Kind: "pid", PID: h.PID, Text: fmt.Sprintf("held by a %s of process %d %s", h.Kind, h.PID, h.Command)})
		}
	}
}

// leastID is how many characters of a container's id are enough.
const leastID = 4

func (f *finder) owner() {
	if f.what == "" {
		return
	}
	met := map[string]bool{}
	for _, c := range f.ns.Containers {
		called := c.Name == f.what || c.ID == f.what || len(f.what) >= leastID && strings.HasPrefix(c.ID, f.what)
		ofPod := c.PodID != "" && (lastPart(c.Pod) == f.what || c.Pod == f.what || len(f.what) >= leastID && strings.HasPrefix(c.PodID, f.what))
		if !called && !ofPod {
			continue
		}
		text := described(c.Kind, c.Name, c.ID)
		if c.PodID != "" {
			text += " of pod " + c.Pod
		}
		f.add(Match{Kind: "container", PID: c.PID, Text: text})
		met[c.ID], met[c.PodID] = true, true
	}
	o := f.ns.Owner
	if o == nil || met[o.ID] && o.ID != "" {
		return
	}
	id := len(f.what) >= leastID && strings.HasPrefix(o.ID, f.what)
	switch kind := o.Kind; {
	case kind == "lab" || kind == "ip-netns" || kind == "host":
	case !id && o.Name != f.what && lastPart(o.Name) != f.what:
	case kind == "systemd" || kind == "process":
		if f.only == "" {
			f.add(Match{Kind: "owner", Text: o.Kind + " " + cmp.Or(o.Name, o.ID)})
		}
	default:
		f.add(Match{Kind: "container", Text: described(o.Kind, o.Name, o.ID)})
	}
}

// lastPart is a pod's name without its namespace.
func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// described names a container or pod: "docker web 4f2a6e00c0ff".
func described(kind, name, id string) string {
	text := kind + " " + cmp.Or(name, id)
	if id != "" && name != "" && name != id && name != id[:min(12, len(id))] {
		text += " " + id[:min(12, len(id))]
	}
	return text
}

func (f *finder) addresses() {
	for _, a := range f.ns.Addrs {
		switch {
		case a.Prefix.Addr() == f.addr:
			f.add(Match{Kind: "address", Link: a.Link, Text: fmt.Sprintf("address %s on %s", a.Prefix, a.Link)})
		case a.Prefix.Contains(f.addr) && !a.Prefix.Addr().IsLoopback() && !a.Prefix.Addr().IsLinkLocalUnicast():
			was := f.found
			f.add(Match{Kind: "subnet", Link: a.Link, Text: fmt.Sprintf("would be in the subnet %s of %s", a.Prefix.Masked(), a.Link)})
			f.near = append(f.near, f.found[len(was):]...)
			f.found = was
		}
	}
	for _, n := range f.ns.Neighbors {
		if n.IP == f.addr && !n.MAC.IsZero() {
			was := f.found
			f.add(Match{Kind: "neighbour", Link: n.Link, Text: fmt.Sprintf("neighbour of %s, at %s", n.Link, n.MAC)})
			f.near = append(f.near, f.found[len(was):]...)
			f.found = was
		}
	}
}

func (f *finder) links() {
	for i := range f.ns.Links {
		l := &f.ns.Links[i]
		switch {
		case f.what == "":
		case l.Name == f.what:
			f.add(Match{Kind: "interface", Link: l.Name, Text: "interface " + l.Name})
		case slices.Contains(l.AltNames, f.what):
			f.add(Match{Kind: "interface", Link: l.Name, Text: fmt.Sprintf("interface %s, also called %s", l.Name, f.what)})
		case l.Alias == f.what:
			f.add(Match{Kind: "interface", Link: l.Name, Text: fmt.Sprintf("interface %s with alias %q", l.Name, l.Alias)})
		}
		if f.only == "" && !f.mac.IsZero() && l.MAC == f.mac {
			f.add(Match{Kind: "mac", Link: l.Name, Text: fmt.Sprintf("%s of %s", l.MAC, l.Name)})
		}
	}
}

func (f *finder) ports() {
	text, proto, _ := strings.Cut(f.what, "/")
	port, ok := parseNumber(text)
	if !ok || port == 0 || port > 65535 {
		return
	}
	for _, s := range f.ns.Sockets {
		if uint64(s.Local.Port()) != port || proto != "" && s.Protocol != proto || s.State != "LISTEN" && s.State != "UNCONN" {
			continue
		}
		m := Match{Kind: "port", Text: fmt.Sprintf("%s %s", s.Protocol, s.Local)}
		if s.Process != nil {
			m.PID = s.Process.PID
			m.Text += fmt.Sprintf(", process %d %s", s.Process.PID, s.Process.Command)
		}
		f.add(m)
	}
}
