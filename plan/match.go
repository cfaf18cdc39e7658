package plan

import (
	"fmt"
	"strings"

	"warren/state"
)

// matchLinks decides which of the links that are there stay and which go (doomed): those of ours that are not wanted any
// more, and those that have to be made anew because a property differs that the kernel cannot change.
func (d *differ) matchLinks() {
	for _, n := range d.going {
		for i := range n.Links {
			l := &n.Links[i]
			if l.Kind == "veth" && l.Peer != nil && l.Peer.NS != "" {
				d.condemn(endKey{l.Peer.NS, l.Peer.Name}, doom{"its other end is in " + n.Name + ", which goes", true})
			}
		}
	}
	for _, p := range d.places {
		if p.have == nil {
			continue
		}
		for i := range p.have.Links {
			h := &p.have.Links[i]
			if h.Name == "lo" {
				continue
			}
			w := p.wantLinks.get(h.Name)
			switch {
			case w == nil && d.ours(p, h):
				d.remove(p, h, "no longer declared")
			case w == nil:
				if p.owned {
					d.other = append(d.other, Other{p.name, Object{Link: h}})
				}
			case !p.owned && !d.ours(p, h):
				d.errs = append(d.errs, foreignLink(p.name, h))
			default:
				if why := d.differs(p, w, h); why != "" {
					d.remove(p, h, why)
				} else if k := (endKey{p.name, h.Name}); d.doomed[k].implicit && w.Kind == "veth" && w.Peer != nil && h.Peer != nil &&
					(endKey{h.Peer.NS, h.Peer.Name}) != (endKey{orWord(w.Peer.NS, p.name), w.Peer.Name}) {
					d.doomed[k] = doom{d.rewired(p, w, h), true}
				}
			}
		}
	}
	d.condemnUppers()
}

// remove dooms a link, and the other end of a cable.
func (d *differ) remove(p *place, l *state.Link, why string) {
	k := endKey{p.name, l.Name}
	d.condemn(k, doom{reason: why})
	if l.Kind != "veth" || l.Peer == nil || l.Peer.NS == "" {
		return
	}
	d.condemn(endKey{l.Peer.NS, l.Peer.Name}, doom{reason: why})
}

func (d *differ) condemn(k endKey, why doom) {
	if d.doomed == nil {
		d.doomed = map[endKey]doom{}
	}
	if _, ok := d.doomed[k]; ok {
		return
	}
	d.doomed[k] = why
	if p := d.byName[k.ns]; p != nil {
		p.deadLinks = true
	}
}

// condemnUppers dooms what sits on a link that goes: the kernel takes VLANs and macvlans away with their lower link.
func (d *differ) condemnUppers() {
	for again := len(d.doomed) > 0; again; {
		again = false
		for _, p := range d.places {
			if p.have == nil {
				continue
			}
			for i := range p.have.Links {
				l := &p.have.Links[i]
				if l.Lower == nil || l.Lower.Name == "" || d.dead(p.name, l.Name) {
					continue
				}
				ns := l.Lower.NS
				if ns == "" {
					ns = p.name
				}
				if d.dead(ns, l.Lower.Name) {
					d.condemn(endKey{p.name, l.Name}, doom{reason: "sits on " + l.Lower.Name + ", which goes"})
					again = true
				}
			}
		}
	}
}

// dead reports whether a link that is there will be gone when things are made.
func (d *differ) dead(ns, name string) bool {
	if d.doomed == nil || name == "" {
		return false
	}
	_, ok := d.doomed[endKey{ns, name}]
	return ok
}

// present is the observed link that stays, or nil.
func (d *differ) present(p *place, name string) *state.Link {
	if p.have == nil || p.deadLinks && d.dead(p.name, name) {
		return nil
	}
	return p.haveLinks.get(name)
}

// ours tells whether this lab has made the link. In a namespace of another's (the host) a link of our group without any
// altname of warren's is one whose maker was killed between its two messages.
func (d *differ) ours(p *place, l *state.Link) bool {
	if m, ok := linkMark(l); ok {
		return m.Lab == d.lab
	}
	if l.Group == state.LinkGroup {
		return p.owned || p.wantLinks.get(l.Name) != nil
	}
	if !p.owned || l.Kind == "" {
		return false
	}
	if hidden(p.name) {
		return true
	}
	if p.former == nil {
		return false
	}
	for i := range p.former.Links {
		if f := &p.former.Links[i]; f.Name == l.Name && f.Kind == l.Kind {
			return true
		}
	}
	return false
}

// linkMark is the lab (and net or node) that the link's altname tells.
func linkMark(l *state.Link) (state.Mark, bool) {
	for _, a := range l.AltNames {
		if m, ok := state.ParseMark(a); ok {
			return m, true
		}
	}
	return state.Mark{}, false
}

func foreignLink(ns string, l *state.Link) error {
	e := &CollisionError{NS: ns, Object: "link " + l.Name, Owner: "not made by warren", Hint: "rename or remove it: ip link del " + l.Name}
	if m, ok := linkMark(l); ok {
		e.Owner, e.Hint = fmt.Sprintf("of lab %s (net %s)", m.Lab, m.Node), ""
	}
	return e
}

// differs says why the link that is there cannot become the one that is wanted; "" when it can.
func (d *differ) differs(p *place, w, h *state.Link) string {
	if w.Kind != h.Kind {
		return fmt.Sprintf("kind is %s, want %s", orWord(h.Kind, "hardware"), w.Kind)
	}
	switch w.Kind {
	case "veth":
		return d.cableDiffers(p, w, h)
	case "vxlan":
		if w.VXLAN != nil && h.VXLAN != nil && !sameVXLAN(w.VXLAN, h.VXLAN) {
			return "other vxlan properties"
		}
	case "vlan":
		if w.VLAN != nil && h.VLAN != nil && (w.VLAN.ID != h.VLAN.ID || w.VLAN.Protocol != 0 && w.VLAN.Protocol != h.VLAN.Protocol) {
			return fmt.Sprintf("vlan is %d, want %d", h.VLAN.ID, w.VLAN.ID)
		}
	case "macvlan", "macvtap":
		if w.MACVLAN != nil && h.MACVLAN != nil && w.MACVLAN.Mode != "" && w.MACVLAN.Mode != h.MACVLAN.Mode {
			return fmt.Sprintf("mode is %s, want %s", h.MACVLAN.Mode, w.MACVLAN.Mode)
		}
	case "ipvlan":
		if w.IPVLAN != nil && h.IPVLAN != nil && w.IPVLAN.Mode != "" && w.IPVLAN.Mode != h.IPVLAN.Mode {
			return fmt.Sprintf("mode is %s, want %s", h.IPVLAN.Mode, w.IPVLAN.Mode)
		}
	}
	if w.Lower != nil && h.Lower != nil && h.Lower.Name != "" && w.Lower.Name != "" && w.Lower.Name != h.Lower.Name {
		return fmt.Sprintf("sits on %s, want %s", h.Lower.Name, w.Lower.Name)
	}
	return ""
}

// cableDiffers says why a veth is not the cable that is wanted.
func (d *differ) cableDiffers(p *place, w, h *state.Link) string {
	if w.Peer == nil {
		return ""
	}
	peer := endKey{orWord(w.Peer.NS, p.name), w.Peer.Name}
	if d.dead(p.name, h.Name) {
		return "" // decided from its other end
	}
	var far *state.Link
	q := d.byName[peer.ns]
	if q != nil {
		if q.have != nil {
			far = q.haveLinks.get(peer.name)
		}
		if far == nil || far.Kind != "veth" {
			return d.rewired(p, w, h)
		}
	}
	switch {
	case h.Peer == nil:
		return d.rewired(p, w, h)
	case h.Peer.NS != "" && h.Peer.Name != "":
		if (endKey{h.Peer.NS, h.Peer.Name}) != peer {
			return d.rewired(p, w, h)
		}
	case far != nil:
		// The snapshot does not tell where the other end is: the indexes do.
		if far.Peer == nil || h.Peer.Index != far.Index || far.Peer.Index != h.Index {
			return d.rewired(p, w, h)
		}
	}
	return ""
}

// rewired says what becomes of the cable, in the lab file's words where it is a net that grew or shrank.
func (d *differ) rewired(p *place, w, h *state.Link) string {
	if h.Peer == nil || h.Peer.NS == "" {
		return fmt.Sprintf("its other end is not %s in %s", w.Peer.Name, orWord(w.Peer.NS, p.name))
	}
	wasNode, isNode := d.node(h.Peer.NS), d.node(orWord(w.Peer.NS, p.name))
	switch {
	case d.node(p.name) && wasNode && !isNode:
		return fmt.Sprintf("a third member turns the pair %s into a bridge", w.Name)
	case d.node(p.name) && !wasNode && isNode:
		return fmt.Sprintf("with two members left the bridge %s becomes a pair", w.Name)
	}
	return fmt.Sprintf("its other end is %s in %s, want %s in %s", h.Peer.Name, h.Peer.NS, w.Peer.Name, orWord(w.Peer.NS, p.name))
}

func (d *differ) node(ns string) bool {
	return strings.HasPrefix(ns, d.lab+".") && !hidden(ns)
}

func sameVXLAN(w, h *state.VXLAN) bool {
	same := w.ID == h.ID
	same = same && (!w.Local.IsValid() || w.Local == h.Local)
	same = same && (!w.Remote.IsValid() || w.Remote == h.Remote)
	same = same && (w.Port == 0 || w.Port == h.Port)
	same = same && (w.TTL == 0 || w.TTL == h.TTL) && (w.TOS == 0 || w.TOS == h.TOS) && (w.DF == 0 || w.DF == h.DF)
	same = same && (w.Ageing == 0 || w.Ageing == h.Ageing)
	same = same && (w.PortMin == 0 || w.PortMin == h.PortMin) && (w.PortMax == 0 || w.PortMax == h.PortMax)
	for _, b := range [][2]*bool{
		{w.Learning, h.Learning},
		{w.Proxy, h.Proxy},
		{w.L2Miss, h.L2Miss},
		{w.L3Miss, h.L3Miss},
		{w.UDPCsum, h.UDPCsum},
		{w.UDPZeroCsum6TX, h.UDPZeroCsum6TX},
		{w.UDPZeroCsum6RX, h.UDPZeroCsum6RX},
		{w.External, h.External},
	} {
		same = same && (b[0] == nil || b[1] != nil && *b[0] == *b[1])
	}
	return same
}

func orWord(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
