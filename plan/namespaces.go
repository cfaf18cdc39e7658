package plan

import (
	"warren/state"
)

// checkNamespaces finds out which namespaces are there, and whose they are.
func (d *differ) checkNamespaces() {
	for _, u := range d.have.Unread {
		if d.byName[u.NS] != nil {
			d.errs = append(d.errs, &UnreadError{NS: u.NS, Object: u.Object, Reason: u.Reason})
		}
	}
	for _, p := range d.places {
		switch {
		case p.have == nil && !p.owned:
			d.errs = append(d.errs, &MissingError{NS: p.name})
		case p.have == nil || !p.owned || p.have.Mark == p.want.Mark:
		default:
			e := &CollisionError{
				NS: p.name, Object: "namespace " + p.name, Owner: "not made by warren",
				Hint: "rename the lab, or remove the namespace with: ip netns del " + p.name,
			}
			if m := p.have.Mark; !m.IsZero() {
				e.Owner, e.Hint = "node "+m.Node+" of lab "+m.Lab, ""
			}
			d.errs = append(d.errs, e)
		}
	}
	for i := range d.have.Namespaces {
		n := &d.have.Namespaces[i]
		if n.Mark.Lab == d.lab && !n.Mark.IsZero() && d.byName[n.Name] == nil {
			d.going = append(d.going, sortedNamespace(n))
		}
	}
}

// removeNamespaces writes the steps for the namespaces that go. What they hold is told, so that they can be made again.
func (d *differ) removeNamespaces() {
	if len(d.going) == 0 {
		return
	}
	gone := make(map[string]bool, len(d.going))
	for _, n := range d.going {
		gone[n.Name] = true
	}
	// A cable between two of them is told by both; between one of them and one that stays by Far.
	find := d.observedLinks()
	for _, n := range d.going {
		want := &state.DesiredNamespace{Name: n.Name, Mark: n.Mark, Contents: restorable(n, d.fresh)}
		o := Object{Namespace: want}
		for i := range n.Links {
			l := &n.Links[i]
			if l.Kind != "veth" || l.Peer == nil || l.Peer.NS == "" || gone[l.Peer.NS] {
				continue
			}
			if x := find(endKey{l.Peer.NS, l.Peer.Name}); x != nil {
				if o.Far == nil {
					o.Far = &Far{}
				}
				o.Far.Ends = append(o.Far.Ends, End{NS: l.Peer.NS, Link: restorableLink(x)})
			}
		}
		d.ph.nsGone = append(d.ph.nsGone, Step{NS: n.Name, Before: o, Reason: "no longer declared"})
	}
}

// observedLinks finds observed links, also in namespaces that are not wanted.
func (d *differ) observedLinks() func(endKey) *state.Link {
	index := map[string]*linkIndex{}
	return func(k endKey) *state.Link {
		if p := d.byName[k.ns]; p != nil {
			return p.haveLinks.get(k.name)
		}
		x := index[k.ns]
		if x == nil {
			x = &linkIndex{}
			if n := d.have.Namespace(k.ns); n != nil {
				*x = indexLinks(n.Links)
			}
			index[k.ns] = x
		}
		return x.get(k.name)
	}
}

// bear makes the namespace where it is not there, and sets the sysctls that need no link: before there are any, because a
// link takes its own values from the defaults when it is made.
func (d *differ) bear(p *place) {
	if p.have == nil {
		d.ph.born = append(d.ph.born, Step{NS: p.name, After: Object{Namespace: &state.DesiredNamespace{Name: p.name, Mark: p.want.Mark}}})
	}
	d.ph.born = d.sysctls(d.ph.born, p, true)
}
