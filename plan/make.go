package plan

import (
	"fmt"
	"slices"
	"strings"

	"warren/state"
)

// makeLinks writes the steps for links that are not there: bridges, cables, others.
func (d *differ) makeLinks() {
	for _, p := range d.places {
		for i := range p.want.Links {
			w := &p.want.Links[i]
			if w.Name == "lo" || d.present(p, w.Name) != nil {
				continue
			}
			why := d.doomed[endKey{p.name, w.Name}].reason
			switch w.Kind {
			case "veth":
				d.makeCable(p, w, why)
			case "":
				d.errs = append(d.errs, &InvalidError{NS: p.name, Object: "link " + w.Name, Reason: "it is not there, and a link without a kind cannot be made"})
			case "bridge":
				l := d.birth(p, w, false)
				d.ph.bridges = append(d.ph.bridges, Step{NS: p.name, After: Object{Link: &l}, Reason: why})
			default:
				l := d.birth(p, w, false)
				d.ph.links = append(d.ph.links, Step{NS: p.name, After: Object{Link: &l}, Reason: why})
			}
		}
	}
	d.sortLinks()
}

// makeCable writes the step of a cable once: when its asking end is visited, or the end of which the other is not wanted.
func (d *differ) makeCable(p *place, w *state.Link, why string) {
	if w.Peer == nil || w.Peer.Name == "" {
		if !d.verbatim {
			d.errs = append(d.errs, &InvalidError{NS: p.name, Object: "link " + w.Name, Reason: "a veth needs a peer"})
		}
		return
	}
	peer := endKey{orWord(w.Peer.NS, p.name), w.Peer.Name}
	q := d.byName[peer.ns]
	var v *state.Link
	if q != nil {
		v = q.wantLinks.get(peer.name)
	}
	if v == nil {
		if v = d.far[peer]; v == nil {
			v = &state.Link{Name: peer.name, Kind: "veth"}
		}
		if v.Master != "" || hidden(peer.ns) {
			b := d.birth(p, w, true)
			d.ph.cables = append(d.ph.cables, Step{NS: peer.ns, After: Object{Cable: &Cable{End{peer.ns, asking(*v)}, End{p.name, b}}}, Reason: why})
			return
		}
		a, b := d.birth(p, w, false), answering(*v)
		d.ph.cables = append(d.ph.cables, Step{NS: p.name, After: Object{Cable: &Cable{End{p.name, a}, End{peer.ns, b}}}, Reason: why})
		return
	}
	if v.Kind != "veth" || v.Peer == nil || v.Peer.Name != w.Name || orWord(v.Peer.NS, q.name) != p.name {
		d.errs = append(d.errs, &InvalidError{NS: p.name, Object: "link " + w.Name, Reason: fmt.Sprintf("its peer %s in %s does not name it as its own", peer.name, peer.ns)})
		return
	}
	if !asks(p, w, q, v) {
		return
	}
	if why == "" {
		why = d.doomed[peer].reason
	}
	a, b := d.birth(p, w, false), d.birth(q, v, true)
	d.ph.cables = append(d.ph.cables, Step{NS: p.name, After: Object{Cable: &Cable{End{p.name, a}, End{q.name, b}}}, Reason: why})
}

// asks reports whether w, not v, is the asking end: the one with a master (it can be born enslaved), else the one in a
// namespace that comes later in the runs, else the first by name.
func asks(p *place, w *state.Link, q *place, v *state.Link) bool {
	if (w.Master != "") != (v.Master != "") {
		return w.Master != ""
	}
	if p.rank() != q.rank() {
		return p.rank() > q.rank()
	}
	if p.name != q.name {
		return p.name < q.name
	}
	return w.Name < v.Name
}

// birth is the link as the message that makes it can make it. Only a cable's asking end is born up, and no link that has
// sysctls of its own is: they come first.
func (d *differ) birth(p *place, w *state.Link, answers bool) state.Link {
	l := *w
	l.Peer, l.Index, l.Flags, l.OperState, l.IPv4, l.IPv6, l.Stats = nil, 0, 0, "", nil, nil, nil
	if l.Group == 0 && !d.verbatim {
		l.Group = state.LinkGroup
	}
	if w.Kind != "veth" || answers || d.hasSysctls(p, w.Name) {
		l.Up = false
	}
	if answers {
		l.Master, l.Port = "", nil
		return l
	}
	if w.Master != "" && (w.Kind == "bridge" || !d.enslavable(p, w.Master)) {
		l.Master, l.Port = "", nil
	}
	return l
}

// enslavable reports whether the master is there when cables are made.
func (d *differ) enslavable(p *place, master string) bool {
	if d.present(p, master) != nil {
		return true
	}
	m := p.wantLinks.get(master)
	return m != nil && m.Kind == "bridge"
}

func (d *differ) hasSysctls(p *place, link string) bool {
	if p.tuned == nil {
		p.tuned = map[string]bool{}
		for _, s := range p.want.Sysctls {
			if dev := sysctlDevice(s.Key); dev != "" {
				p.tuned[dev] = true
			}
		}
	}
	return p.tuned[link]
}

// asking and answering are the two forms of a cable's end at birth where nothing else is wanted of it.
func asking(l state.Link) state.Link {
	l.Peer = nil
	return l
}

func answering(l state.Link) state.Link {
	l.Peer, l.Up, l.Master, l.Port = nil, false, "", nil
	return l
}

// born is how a link that had to be made is after its birth: what the changes of its namespace's run start from.
func (d *differ) born(p *place, w *state.Link) state.Link {
	if w.Kind != "veth" {
		return d.birth(p, w, false)
	}
	if w.Peer == nil {
		return d.birth(p, w, true)
	}
	peer := endKey{orWord(w.Peer.NS, p.name), w.Peer.Name}
	q := d.byName[peer.ns]
	if q == nil {
		v := d.far[peer]
		return d.birth(p, w, v != nil && v.Master != "" || hidden(peer.ns))
	}
	v := q.wantLinks.get(peer.name)
	return d.birth(p, w, v != nil && !asks(p, w, q, v))
}

// sortLinks puts links after those that they sit on.
func (d *differ) sortLinks() {
	if len(d.ph.links) < 2 {
		return
	}
	at := make(map[endKey]*state.Link, len(d.ph.links))
	for _, s := range d.ph.links {
		at[endKey{s.NS, s.After.Link.Name}] = s.After.Link
	}
	depth := func(s Step) int {
		n := 0
		for l, ns := s.After.Link, s.NS; l != nil && l.Lower != nil && n <= len(at); n++ {
			ns = orWord(l.Lower.NS, ns)
			l = at[endKey{ns, l.Lower.Name}]
		}
		return n
	}
	slices.SortStableFunc(d.ph.links, func(a, b Step) int { return depth(a) - depth(b) })
}

// removeLinks writes the steps for the links that go by themselves, in the order of the plan's namespaces; what sits on
// others first.
func (d *differ) removeLinks() {
	if d.doomed == nil {
		return
	}
	find := d.observedLinks()
	written := map[endKey]bool{}
	var uppers, cables, others []Step
	for _, p := range d.places {
		if !p.deadLinks || p.have == nil {
			continue
		}
		for i := range p.have.Links {
			l := &p.have.Links[i]
			k := endKey{p.name, l.Name}
			why, dead := d.doomed[k]
			if !dead || why.implicit || written[k] {
				continue
			}
			written[k] = true
			if l.Kind == "veth" {
				s := Step{NS: p.name, Reason: why.reason}
				if l.Peer != nil && l.Peer.NS != "" {
					far := endKey{l.Peer.NS, l.Peer.Name}
					if written[far] {
						continue
					}
					if x := find(far); x != nil {
						written[far] = true
						a, b := End{p.name, restorableLink(l)}, End{far.ns, restorableLink(x)}
						if b.Link.Master != "" && a.Link.Master == "" {
							a, b = b, a
						}
						s.NS, s.Before = a.NS, Object{Cable: &Cable{a, b}}
					}
				}
				if s.Before.IsZero() {
					r := restorableLink(l)
					s.Before = Object{Link: &r}
				}
				cables = append(cables, s)
				continue
			}
			r := restorableLink(l)
			r.Peer = l.Peer
			s := Step{NS: p.name, Before: Object{Link: &r}, Reason: why.reason}
			if l.Lower != nil {
				uppers = append(uppers, s)
			} else {
				others = append(others, s)
			}
		}
	}
	// An upper link goes before what it sits on; several on top of each other in reverse order of their making.
	slices.Reverse(uppers)
	slices.SortStableFunc(uppers, func(a, b Step) int { return strings.Compare(b.NS, a.NS) })
	d.ph.linksGone = slices.Concat(uppers, cables, others)
}
