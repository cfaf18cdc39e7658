package reach

import (
	"fmt"
	"net/netip"

	"warren/reach/filter"
	"warren/state"
)

// toGroup sends a frame of a tunnel to a multicast group on the link that the tunnel names (vxlan_xmit_one): all that are on
// that link and have a tunnel in the group get it. What routes multicast further is not modelled.
func (s *search) toGroup(r, under *room, dev *state.Link, x remote, f frame, tr trail) {
	var out *state.Link
	if dev.Lower != nil {
		out = under.byIndex[dev.Lower.Index]
	}
	if out == nil {
		tr.doubt(r, "tunnel", Doubt{Object: "link " + dev.Name, Text: fmt.Sprintf("%s sends to the multicast group %s, and names no link to do so", dev.Name, x.ip), Resolve: "a probe"}, true)
		s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr, out: true})
		return
	}
	p := &filter.Packet{Src: dev.VXLAN.Local, Dst: x.ip, Proto: filter.UDP, SPort: 45678, DPort: x.port, Length: f.length() + 50, TTL: max(dev.VXLAN.TTL, 1)}
	if x.ip.Is6() {
		p.Length += 20
	}
	if !p.Src.IsValid() || p.Src.IsUnspecified() {
		if p.Src = under.source4(out, netip.Addr{}, scopeLink); x.ip.Is6() {
			p.Src = under.source6(x.ip, out)
		}
	}
	tr.step(r, "tunnel", "link "+dev.Name, "%s ==vxlan %d==> group %s on %s", dev.Name, x.vni, x.ip, out.Name)
	s.t.filter(under, p, filter.Hook{Family: family(p), Name: "output", Out: out}, &tr, nil)
	s.t.filter(under, p, filter.Hook{Family: family(p), Name: "postrouting", Out: out}, &tr, nil)
	s.t.depth++
	list := s.t.transmit(under, out, frame{src: out.MAC, dst: multicastMAC(x.ip), ip: p}, true).got
	s.t.depth--
	n := len(s.got)
	for i := range list {
		s.fromGroup(&list[i], x, f, tr)
	}
	if len(s.got) > n {
		return
	}
	tr.stop(r, "tunnel", Reason{
		Code: VXLANRemote, Object: "link " + dev.Name, Text: fmt.Sprintf("%s sends to the group %s on %s, and nobody there has a tunnel in that group", dev.Name, x.ip, out.Name),
		Facts: facts(fact("IFLA_VXLAN_GROUP", "%s: %s", dev.Name, x.ip)),
		Fix:   fix(s.t.otherEnd(r, under, dev)),
	})
	s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr, lost: true})
}

// fromGroup gives what came in on a link to the tunnels that joined the group there.
func (s *search) fromGroup(c *reception, x remote, f frame, tr trail) {
	if c.out || c.lost {
		return
	}
	var fits, other *seat
	for i := range c.r.Links {
		l := &c.r.Links[i]
		if l.Kind != "vxlan" || l.VXLAN == nil || vxPort(l.VXLAN) != x.port || l.Lower == nil || c.r.byIndex[l.Lower.Index] != c.dev || l.Lower.NSID >= 0 {
			continue
		}
		switch v := l.VXLAN; {
		case v.Remote == x.ip && v.ID == x.vni:
			fits = &seat{c.r, l}
		case v.Remote == x.ip || v.ID == x.vni:
			other = &seat{c.r, l}
		}
	}
	at := fits
	if at == nil {
		at = other
	}
	if at == nil {
		return
	}
	tr = tr.fork()
	tr.follow(c.trail)
	p := c.frame.ip
	s.t.filter(c.r, c.frame.packet(), filter.Hook{Family: family(p), Name: "prerouting", In: c.dev}, &tr, nil)
	s.t.filter(c.r, p, filter.Hook{Family: family(p), Name: "input", In: c.dev}, &tr, nil)
	if fits == nil {
		w := Reason{
			Code: VXLANVNI, Object: "link " + at.dev.Name,
			Text:  fmt.Sprintf("%s has the id %d; what arrives has %d", at.dev.Name, at.dev.VXLAN.ID, x.vni),
			Facts: facts(fact("IFLA_VXLAN_ID", "%s: %d", at.dev.Name, at.dev.VXLAN.ID)),
		}
		if at.dev.VXLAN.ID == x.vni {
			w.Code, w.Text = VXLANRemote, fmt.Sprintf("%s is in the group %s; what is sent goes to the group %s", at.dev.Name, at.dev.VXLAN.Remote, x.ip)
			w.Facts = facts(fact("IFLA_VXLAN_GROUP", "%s: %s", at.dev.Name, at.dev.VXLAN.Remote))
		}
		v := *at.dev.VXLAN
		v.Remote = x.ip
		l := *at.dev
		l.VXLAN = &v
		w.Fix = fix(remade(&seat{c.r, &l}, x.vni, x.port))
		tr.stop(c.r, "tunnel", w)
	}
	s.arrive(at, f, p, tr)
}
