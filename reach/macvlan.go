package reach

import (
	"fmt"
	"slices"
	"strings"

	"warren/state"
)

// A seat is a device in its room.
type seat struct {
	r   *room
	dev *state.Link
}

func mode(dev *state.Link) string {
	if dev.MACVLAN == nil {
		return ""
	}
	return dev.MACVLAN.Mode
}

// macvlanOut sends from a child (macvlan_queue_xmit): in mode bridge to siblings of that mode at once, everything else through
// the parent, which never takes it for itself.
func (s *search) macvlanOut(r *room, dev *state.Link, f frame, tr trail) {
	far, parent, ok := s.t.peer(r, dev.Lower, dev, &tr)
	if !ok {
		s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr, out: true})
		return
	}
	s.t.touch(far)
	if !parent.Up {
		tr.stop(far, "link", parentDown(far, parent, dev))
	}
	for _, c := range s.t.above(far, parent, "macvlan", "macvtap") {
		if c.dev == dev || !f.dst.IsMulticast() && f.dst != c.dev.MAC {
			continue
		}
		b, g := tr.fork(), f.clone()
		if mode(dev) != "bridge" || mode(c.dev) != "bridge" {
			if mode(dev) != "bridge" {
				b.stop(r, "link", macvlanMode(r, dev, c.dev))
			} else {
				b.stop(c.r, "link", macvlanMode(c.r, c.dev, dev))
			}
		}
		if !c.dev.Up {
			b.stop(c.r, "link", Reason{
				Code: PeerDown, Object: "link " + c.dev.Name, Text: fmt.Sprintf("%s, a macvlan on %s, is down", c.dev.Name, parent.Name),
				Facts: facts(fact("RTM_GETLINK", "%s in %q is not up", c.dev.Name, c.r.name())), Fix: fix(c.r.ip("link set %s up", c.dev.Name)),
			})
		}
		b.step(r, "link", "link "+dev.Name, "%s ==macvlan on %s==> %s:%s", dev.Name, parent.Name, c.r.name(), c.dev.Name)
		g.left(c.r != r)
		s.rx(c.r, c.dev, g, b)
	}
	if f.dst.IsMulticast() || f.dst == parent.MAC {
		b, g := tr.fork(), f.clone()
		b.stop(far, "link", macvlanParent(far, parent, dev))
		g.left(far != r)
		g.host = f.dst == parent.MAC
		s.got = append(s.got, reception{r: far, dev: parent, frame: g, trail: b})
		if f.dst == parent.MAC {
			return
		}
	}
	tr.step(r, "link", "link "+dev.Name, "%s goes out by %s of %q", dev.Name, parent.Name, far.name())
	f.left(far != r)
	s.xmitBelow(far, parent, f, tr)
}

// xmitBelow sends by a parent for one of its children: the siblings have been looked at.
func (s *search) xmitBelow(r *room, dev *state.Link, f frame, tr trail) {
	n := s.visited[visit{r, dev}]
	s.visited[visit{r, dev}] = true
	s.xmit(r, dev, f, tr)
	s.visited[visit{r, dev}] = n
}

// macvlanIn gives what came in by a parent to its children (macvlan_handle_frame).
func (s *search) macvlanIn(r *room, dev *state.Link, f frame, tr trail) {
	kids := s.t.above(r, dev, "macvlan", "macvtap")
	if dev.Promiscuity > 0 && dev.Master == "" && len(kids) == 0 && !s.t.flow.Complete {
		s.t.missing.Everywhere = true // one in mode passthru may have it all, and nothing leads to it
	}
	var from *state.Link
	for _, c := range kids {
		if c.dev.MAC == f.src {
			from = c.dev
		}
	}
	for _, c := range kids {
		if c.dev.MAC == f.src && mode(c.dev) != "passthru" || !f.dst.IsMulticast() && f.dst != c.dev.MAC && mode(c.dev) != "passthru" {
			continue
		}
		b, g := tr.fork(), f.clone()
		if mode(c.dev) == "source" && !slices.Contains(c.dev.MACVLAN.Sources, f.src) {
			b.stop(c.r, "link", macvlanSource(c.r, c.dev, f.src))
		}
		// From a sibling, by a reflector outside: only vepa takes it, and bridge from vepa.
		if from != nil && (mode(from) == "private" || mode(c.dev) == "private" || mode(from) == "bridge" && mode(c.dev) == "bridge" && f.dst.IsMulticast()) {
			if mode(from) == "bridge" && mode(c.dev) == "bridge" {
				continue // it has it already
			}
			b.stop(c.r, "link", macvlanMode(c.r, c.dev, from))
		}
		if !c.dev.Up {
			b.stop(c.r, "link", Reason{
				Code: PeerDown, Object: "link " + c.dev.Name, Text: fmt.Sprintf("%s, a macvlan on %s, is down", c.dev.Name, dev.Name),
				Facts: facts(fact("RTM_GETLINK", "%s in %q is not up", c.dev.Name, c.r.name())), Fix: fix(c.r.ip("link set %s up", c.dev.Name)),
			})
		}
		b.step(c.r, "link", "link "+c.dev.Name, "%s takes what comes in by %s", c.dev.Name, dev.Name)
		g.left(c.r != r)
		s.rx(c.r, c.dev, g, b)
	}
}

// children notes that what a parent's own namespace sends does not reach the children on it.
func (s *search) children(r *room, dev *state.Link, f frame, tr trail) {
	if s.visited[visit{r, dev}] {
		return
	}
	for _, c := range s.t.above(r, dev, "macvlan", "macvtap") {
		if !f.dst.IsMulticast() && f.dst != c.dev.MAC {
			continue
		}
		b, g := tr.fork(), f.clone()
		b.stop(r, "link", macvlanParent(r, dev, c.dev))
		g.left(c.r != r)
		g.host = g.dst == c.dev.MAC
		s.got = append(s.got, reception{r: c.r, dev: c.dev, frame: g, trail: b})
	}
}

func macvlanParent(r *room, parent, child *state.Link) Reason {
	return Reason{
		Code: MACVLANParent, Object: "link " + parent.Name,
		Text:  fmt.Sprintf("a macvlan and its parent's own namespace never hear each other: %s sits on %s", child.Name, parent.Name),
		Facts: facts(fact("RTM_GETLINK", "%s is a macvlan on %s of %q, mode %s", child.Name, parent.Name, r.name(), mode(child))),
		Fix:   hostSide(r, parent, child),
	}
}

func macvlanSource(r *room, dev *state.Link, src state.MAC) Reason {
	return Reason{
		Code: MACVLANMode, Object: "link " + dev.Name,
		Text:  fmt.Sprintf("%s is in mode source and takes only what certain addresses send; %s is not one of them", dev.Name, src),
		Facts: facts(fact("IFLA_MACVLAN_MACADDR_DATA", "%s: %v", dev.Name, dev.MACVLAN.Sources)),
		Fix:   fix(r.ip("link set %s type macvlan macaddr add %s", dev.Name, src)),
	}
}

func macvlanMode(r *room, dev, sibling *state.Link) Reason {
	return Reason{
		Code: MACVLANMode, Object: "link " + dev.Name,
		Text:  fmt.Sprintf("%s is in mode %s and does not talk to its sibling %s (mode %s): both must be in mode bridge", dev.Name, mode(dev), sibling.Name, mode(sibling)),
		Facts: facts(fact("IFLA_MACVLAN_MODE", "%s: %s, %s: %s", dev.Name, mode(dev), sibling.Name, mode(sibling))),
		Fix:   fix(r.ip("link set %s type macvlan mode bridge", dev.Name)),
	}
}

// hostSide gives the parent's namespace a macvlan of its own, with what addresses the parent has.
func hostSide(r *room, parent, child *state.Link) []string {
	if mode(child) != "bridge" {
		return fix("# only macvlans of mode bridge hear each other: make " + child.Name + " anew in that mode")
	}
	name := parent.Name + "-host"
	cmds := []string{r.ip("link add %s link %s type macvlan mode bridge", name, parent.Name), r.ip("link set %s up", name)}
	for _, is6 := range []bool{false, true} {
		for _, a := range r.addrsOn(parent.Name, is6) {
			if !a.Prefix.Addr().IsLinkLocalUnicast() {
				cmds = append(cmds, r.ip("addr del %s dev %s", a.Prefix, parent.Name), r.ip("addr add %s dev %s%s", a.Prefix, name, nodad(a.Prefix.Addr())))
			}
		}
	}
	return fix(strings.Join(cmds, " && "), "# routes by "+parent.Name+" are gone with its addresses and must be set again")
}

// passedThrough stops what a parent would take for itself and a child of mode passthru gets instead.
func (s *search) passedThrough(r *room, dev *state.Link, f *frame, tr *trail) {
	if f.dst.IsMulticast() {
		return
	}
	for _, c := range s.t.above(r, dev, "macvlan", "macvtap") {
		if mode(c.dev) == "passthru" {
			tr.stop(c.r, "link", Reason{
				Code: MACVLANMode, Object: "link " + c.dev.Name,
				Text:  fmt.Sprintf("%s is in mode passthru and gets all that comes in by %s of %q, which itself gets nothing", c.dev.Name, dev.Name, r.name()),
				Facts: facts(fact("IFLA_MACVLAN_MODE", "%s: passthru", c.dev.Name)), Fix: fix("# make " + c.dev.Name + " anew in another mode, or use it instead of " + dev.Name),
			})
		}
	}
}
