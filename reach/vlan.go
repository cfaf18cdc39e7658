package reach

import (
	"fmt"

	"warren/state"
)

// vlanOut tags a frame and gives it to the link below.
func (s *search) vlanOut(r *room, dev *state.Link, f frame, tr trail) {
	far, lower, ok := s.t.peer(r, dev.Lower, dev, &tr)
	if !ok || dev.VLAN == nil {
		s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr, out: true})
		return
	}
	if !lower.Up {
		tr.stop(far, "link", parentDown(far, lower, dev))
	}
	tr.step(r, "link", "link "+dev.Name, "%s tags with VLAN %d, on %s", dev.Name, dev.VLAN.ID, lower.Name)
	f.vlan = dev.VLAN.ID
	s.xmit(far, lower, f, tr)
}

// vlanIn looks for the vlan device of a tagged frame's VLAN.
func (s *search) vlanIn(r *room, dev *state.Link, f frame, tr trail) bool {
	for _, c := range s.t.above(r, dev, "vlan") {
		if c.dev.VLAN == nil || c.dev.VLAN.ID != f.vlan {
			continue
		}
		if !c.dev.Up {
			tr.stop(c.r, "link", downReason(c.r, c.dev))
		}
		tr.step(c.r, "link", "link "+c.dev.Name, "VLAN %d of %s is %s", f.vlan, dev.Name, c.dev.Name)
		f.vlan = 0
		s.rx(c.r, c.dev, f, tr)
		return true
	}
	return false
}

func parentDown(r *room, lower, dev *state.Link) Reason {
	return Reason{
		Code: ParentDown, Object: "link " + lower.Name, Text: fmt.Sprintf("%s, on which %s sits, is down", lower.Name, dev.Name),
		Facts: facts(fact("RTM_GETLINK", "%s in %q is not up", lower.Name, r.name())), Fix: fix(r.ip("link set %s up", lower.Name)),
	}
}

// asked reports whether a question for a neighbour is about an address of the namespace.
func (r *room) asked(f *frame) bool {
	if f.arp != nil {
		return r.owns(f.arp.Target) != nil
	}
	for i := range r.Addrs {
		if ip := r.Addrs[i].Prefix.Addr(); f.ip.Dst == ip || ip.Is6() && f.ip.Dst == solicitedNode(ip) {
			return true
		}
	}
	return false
}

// strayTag is where a frame ends whose VLAN no device takes.
func (s *search) strayTag(r *room, dev *state.Link, f frame, tr trail) reception {
	w := Reason{
		Code: VLANMismatch, Object: "link " + dev.Name, Text: fmt.Sprintf("what comes to %s is of VLAN %d, and %q has no device for that", dev.Name, f.vlan, r.name()),
		Facts: facts(fact("RTM_GETLINK", "no vlan of id %d on %s", f.vlan, dev.Name)),
		Fix:   fix(r.ip("link add link %s name %s.%d type vlan id %d", dev.Name, dev.Name, f.vlan, f.vlan)),
	}
	for _, c := range s.t.above(r, dev, "vlan") {
		if c.dev.VLAN != nil {
			w.Facts = append(w.Facts, fact("RTM_GETLINK", "%s is of VLAN %d", c.dev.Name, c.dev.VLAN.ID))
		}
	}
	tr.stop(r, "link", w)
	return reception{r: r, dev: dev, frame: f, trail: tr, lost: true}
}
