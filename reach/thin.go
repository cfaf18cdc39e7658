package reach

import (
	"fmt"
	"slices"

	"warren/state"
)

// Of a namespace whose bridges have many ports a snapshot may hold only what no walk can do without (state.Skim). Whatever a walk looks
// for there beyond that it notes as missing: a port, an entry of a forwarding table, or all the rest.

// manyMissing is from how many ports on all of them are asked for.
const manyMissing = 64

// closer is what is missing of a namespace that was skimmed.
func (m *Missing) closer(ns string) *state.Closer {
	i := slices.IndexFunc(m.Closer, func(c state.Closer) bool { return c.NS == ns })
	if i < 0 {
		i = len(m.Closer)
		m.Closer = append(m.Closer, state.Closer{NS: ns})
	}
	return &m.Closer[i]
}

// whole notes that everything of a namespace is needed.
func (m *Missing) whole(ns string) {
	if !slices.Contains(m.Whole, ns) {
		m.Whole = append(m.Whole, ns)
	}
}

// lacks reports whether something is left out of the room that may be asked for.
func (r *room) lacks() bool { return r.Skim != nil && r.missing != nil }

// need6 notes that what the namespace has of IPv6 matters.
func (r *room) need6(is6 bool) {
	if is6 && r.lacks() && r.Skim.OnlyIPv4 {
		r.missing.whole(r.Namespace.Name)
	}
}

// needPort notes that more about a link matters than that it is a port.
func (r *room) needPort(l *state.Link) {
	if l == nil || !l.Thin || !r.lacks() {
		return
	}
	c := r.missing.closer(r.Namespace.Name)
	if !slices.Contains(c.Ports, l.Index) {
		c.Ports = append(c.Ports, l.Index)
	}
	if len(c.Ports) > manyMissing {
		r.missing.whole(r.Namespace.Name)
	}
}

// needPorts notes that all ports matter.
func (r *room) needPorts() {
	if r.lacks() {
		r.missing.whole(r.Namespace.Name)
	}
}

// needStation notes that it matters what a bridge knows about a station.
func (r *room) needStation(br *state.Link, mac state.MAC) {
	if !r.lacks() || mac.IsMulticast() || mac.IsZero() {
		return
	}
	s := state.Station{Bridge: br.Name, MAC: mac}
	if slices.Contains(r.Skim.Stations, s) {
		return
	}
	c := r.missing.closer(r.Namespace.Name)
	if !slices.Contains(c.Stations, s) {
		c.Stations = append(c.Stations, s)
	}
}

// known reports whether a link can be walked through. One that cannot is missing, or in doubt when there is no more to get.
func (t *tracer) known(r *room, l *state.Link, tr *trail) bool {
	if !l.Thin {
		return true
	}
	if t.flow.Complete {
		tr.doubt(r, "link", Doubt{Object: "link " + l.Name, Text: fmt.Sprintf("port %s of %s was not looked at", l.Name, l.Master), Resolve: "ask again"}, true)
		return false
	}
	r.needPort(l)
	return false
}

// skip remembers a port behind which nobody was looked at.
func (s *search) skip(r *room, port *state.Link) {
	i := slices.IndexFunc(s.skipped, func(a state.AddrBeyond) bool { return a.NS == r.Namespace.Name })
	if i < 0 {
		i = len(s.skipped)
		s.skipped = append(s.skipped, state.AddrBeyond{NS: r.Namespace.Name})
	}
	if !port.Thin {
		s.skipped[i].IDs = append(s.skipped[i].IDs, port.Peer.NSID)
		return
	}
	// Which id is behind this port was not read: any of those that the namespace knows.
	if len(s.skipped[i].IDs) < len(r.NSIDs) {
		s.skipped[i].IDs = s.skipped[i].IDs[:0]
		for _, id := range r.NSIDs {
			s.skipped[i].IDs = append(s.skipped[i].IDs, id.ID)
		}
	}
}
