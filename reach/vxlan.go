package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"warren/reach/filter"
	"warren/state"
)

// vxlanPort is IANA's; the kernel's default when none is set by name is 8472.
const vxlanPort = 8472

// A remote is where a vxlan sends a frame to.
type remote struct {
	ip   netip.Addr
	port uint16
	vni  uint32
}

func vxPort(v *state.VXLAN) uint16 {
	if v.Port == 0 {
		return vxlanPort
	}
	return v.Port
}

// remotes looks a frame's destination up in a vxlan's table (vxlan_xmit): its own entry, else the all-zero ones, which the
// device's remote is one of.
func (r *room) remotes(dev *state.Link, mac state.MAC) []remote {
	v := dev.VXLAN
	var own, all []remote
	add := func(list []remote, x remote) []remote {
		if x.port == 0 {
			x.port = vxPort(v)
		}
		if x.vni == 0 {
			x.vni = v.ID
		}
		if slices.Contains(list, x) {
			return list
		}
		return append(list, x)
	}
	for i := range r.FDB {
		e := &r.FDB[i]
		if e.Link != dev.Name || !e.Dst.IsValid() {
			continue
		}
		x := remote{e.Dst, e.Port, e.VNI}
		switch {
		case e.MAC.IsZero():
			all = add(all, x)
		case e.MAC == mac:
			own = add(own, x)
		}
	}
	if v.Remote.IsValid() && !v.Remote.IsUnspecified() && !r.readsFDB() { // else it is an entry, or was until somebody took it out
		all = add(all, remote{ip: v.Remote})
	}
	if len(own) > 0 && !mac.IsMulticast() {
		return own
	}
	return all
}

// readsFDB reports whether the forwarding entries of tunnels are known.
func (r *room) readsFDB() bool { return r.Read.Has(state.PartFDB) || r.Skim != nil }

// vxlanOut puts a frame into a UDP datagram and walks it through the underlay, which is the namespace that the device was
// made in.
func (s *search) vxlanOut(r *room, dev *state.Link, f frame, tr trail) {
	v := dev.VXLAN
	if v == nil || on(v.External, false) {
		tr.doubt(r, "tunnel", Doubt{Object: "link " + dev.Name, Text: "where the tunnel leads is decided by programs or routes that are not modelled"}, true)
		s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr, out: true})
		return
	}
	if on(v.Proxy, false) {
		tr.doubt(r, "tunnel", Doubt{Object: "link " + dev.Name, Text: dev.Name + " may answer ARP itself (proxy)"}, false)
	}
	under := r
	if dev.Lower != nil && dev.Lower.NSID >= 0 {
		under = s.t.farRoom(r, dev.Lower)
		if under == nil {
			if s.t.flow.Complete {
				tr.doubt(r, "tunnel", Doubt{Object: "link " + dev.Name, Text: "the namespace of its underlay could not be looked at"}, true)
				s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr, out: true})
			}
			return
		}
	}
	to := r.remotes(dev, f.dst)
	if len(to) == 0 {
		tr.stop(r, "tunnel", Reason{
			Code: VXLANNoFDB, Object: "link " + dev.Name, Text: fmt.Sprintf("%s does not know where to send frames for %s: it has no entry for it, and no default", dev.Name, f.dst),
			Facts: facts(fact("RTM_GETNEIGH AF_BRIDGE", "%s has no entry for %s or 00:00:00:00:00:00", dev.Name, f.dst), fact("IFLA_VXLAN_GROUP", "no remote")),
			Fix:   fix(s.t.otherEnd(r, under, dev)),
		})
		s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr, out: true})
		return
	}
	for _, x := range to {
		s.tunnel(r, under, dev, x, f.clone(), tr.fork())
	}
}

// tunnel carries a frame to one remote.
func (s *search) tunnel(r, under *room, dev *state.Link, x remote, f frame, tr trail) {
	v := dev.VXLAN
	if x.ip.IsMulticast() {
		s.toGroup(r, under, dev, x, f, tr)
		return
	}
	if s.t.depth > 3 {
		return
	}
	head := 20 + 8 + 8 + 14
	if x.ip.Is6() {
		head += 20
	}
	src := v.Local
	if src.IsUnspecified() {
		src = netip.Addr{}
	}
	p := &filter.Packet{
		Src: src, Dst: x.ip, Proto: filter.UDP, SPort: 45678, DPort: x.port, Length: f.length() + head, TTL: v.TTL,
		DF: v.DF == 1,
	}
	if f.ip != nil {
		p.Mark = f.ip.Mark
		p.DF = p.DF || v.DF == 2 && f.ip.DF
	}
	tr.step(r, "tunnel", "link "+dev.Name, "%s ==vxlan %d==> %s:%d", dev.Name, x.vni, x.ip, x.port)
	s.tooBigForTunnel(r, under, dev, p, f.ip, head, &tr)
	s.t.depth++
	var u trail
	d := s.t.travel(under, p, &u, walkOptions{tunnel: dev})
	s.t.depth--
	tr.followTroubles(u)
	if d == nil {
		s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr, lost: true})
		return
	}
	if d.out {
		s.got = append(s.got, reception{r: d.r, dev: d.dev, frame: f, trail: tr, out: true})
		return
	}
	s.untunnel(d, x, d.p, f, tr) // as it arrives: it may have been translated on the way
}

// tooBigForTunnel is what a vxlan that is a port of a bridge does with packets that must not be fragmented and do not fit the
// underlay (skb_tunnel_check_pmtu): it answers them, as if who is asked did.
func (s *search) tooBigForTunnel(r, under *room, dev *state.Link, p, inner *filter.Packet, head int, tr *trail) {
	if m := r.byName[dev.Master]; m == nil || m.Kind != "bridge" || inner == nil || !inner.DF && !inner.Is6() || inner.IsICMPError() || inner.Dst.IsMulticast() {
		return
	}
	a := under.fib.lookup(query{dst: p.Dst, src: p.Src, local: true, mark: p.Mark, proto: p.Proto, sport: p.SPort, dport: p.DPort})
	if a.typ != "unicast" || len(a.hops) == 0 || a.hops[0].link == nil {
		return
	}
	least := 576
	if inner.Is6() {
		least = 1280
	}
	limit := mtuOf(&a, a.hops[0].link, p.Is6()) - head
	if limit < least || inner.Length <= limit {
		return
	}
	tr.stop(r, "mtu", Reason{
		Code: MTUExceeded, Object: "link " + dev.Name,
		Text:  fmt.Sprintf("the packet has %d bytes and may not be fragmented; through %s, by %s with mtu %d, go %d", inner.Length, dev.Name, a.hops[0].link.Name, limit+head, limit),
		Facts: facts(fact("RTM_GETLINK", "mtu of %s in %q is %d, and vxlan needs %d", a.hops[0].link.Name, under.name(), limit+head, head)),
		Fix:   fix(under.ip("link set %s mtu %d", a.hops[0].link.Name, inner.Length+head), fmt.Sprintf("# or send at most %d bytes", limit)),
	})
	n := &notice{r: r, p: *inner, typ: 3, code: 4, text: fmt.Sprintf("Frag needed and DF set (mtu = %d)", limit), bridged: true}
	if inner.Is6() {
		n.typ, n.code, n.text = 2, 0, fmt.Sprintf("Packet too big: mtu=%d", limit)
	}
	tr.troubles[len(tr.troubles)-1].tells = n
}

// untunnel finds the device that takes the datagram (vxlan_rcv).
func (s *search) untunnel(d *delivery, x remote, p *filter.Packet, f frame, tr trail) {
	var port, vni *seat
	for i := range s.t.s.Namespaces {
		ns := &s.t.s.Namespaces[i]
		for j := range ns.Links {
			l := &ns.Links[j]
			if l.Kind != "vxlan" || l.VXLAN == nil {
				continue
			}
			r := s.t.room(ns.Name)
			if r == nil {
				s.t.missing.name(ns.Name)
				continue
			}
			under := r
			if l.Lower != nil && l.Lower.NSID >= 0 {
				under = s.t.farRoom(r, l.Lower)
			}
			if under != d.r {
				continue
			}
			c := &seat{r, r.byName[l.Name]}
			switch {
			case vxPort(l.VXLAN) == p.DPort && l.VXLAN.ID == x.vni:
				s.arrive(c, f, p, tr)
				return
			case vxPort(l.VXLAN) == p.DPort:
				vni = c
			default:
				port = c
			}
		}
	}
	switch {
	case vni != nil:
		tr.stop(vni.r, "tunnel", Reason{
			Code: VXLANVNI, Object: "link " + vni.dev.Name,
			Text:  fmt.Sprintf("%s has the id %d; what arrives has %d", vni.dev.Name, vni.dev.VXLAN.ID, x.vni),
			Facts: facts(fact("IFLA_VXLAN_ID", "%s: %d", vni.dev.Name, vni.dev.VXLAN.ID), fact("packet", "id %d", x.vni)),
			Fix:   fix(remade(vni, x.vni, p.DPort)),
		})
		s.arrive(vni, f, p, tr)
	case port != nil:
		tr.stop(port.r, "tunnel", Reason{
			Code: VXLANPort, Object: "link " + port.dev.Name,
			Text:  fmt.Sprintf("%s listens on port %d; what arrives is for port %d", port.dev.Name, vxPort(port.dev.VXLAN), p.DPort),
			Facts: facts(fact("IFLA_VXLAN_PORT", "%s: %d", port.dev.Name, vxPort(port.dev.VXLAN)), fact("packet", "port %d", p.DPort)),
			Fix:   fix(remade(port, x.vni, p.DPort)),
		})
		s.arrive(port, f, p, tr)
	default:
		if !s.t.flow.Complete {
			s.t.missing.Everywhere = true
			return
		}
		tr.stop(d.r, "tunnel", Reason{
			Code: VXLANRemote, Object: "address " + x.ip.String(),
			Text: fmt.Sprintf("nobody in %q takes vxlan on port %d: no device of kind vxlan was made there", d.r.name(), p.DPort),
			Fix:  fix(d.r.ip("link add vx0 type vxlan id %d dstport %d remote %s", x.vni, p.DPort, p.Src)),
		})
		s.got = append(s.got, reception{r: d.r, dev: d.dev, frame: f, trail: tr, lost: true})
	}
}

func (s *search) arrive(c *seat, f frame, p *filter.Packet, tr trail) {
	if !c.dev.Up {
		tr.stop(c.r, "link", downReason(c.r, c.dev))
	}
	if on(c.dev.VXLAN.Learning, true) {
		if e := c.r.teach(c.dev, f.src, p.Src); e != nil {
			tr.stop(c.r, "tunnel", Reason{
				Code: StaleFDB, Object: "fdb " + f.src.String(),
				Text:  fmt.Sprintf("an entry that somebody made says that %s is at %s; %s drops what comes from it at %s", f.src, e.Dst, c.dev.Name, p.Src),
				Facts: facts(fact("RTM_GETNEIGH AF_BRIDGE", "%s dev %s dst %s %s", f.src, c.dev.Name, e.Dst, e.State)),
				Fix:   fix(fmt.Sprintf("bridge -n %s fdb del %s dev %s dst %s", c.r.ref(), f.src, c.dev.Name, e.Dst)),
			})
		}
	}
	f.left(true)
	tr.step(c.r, "tunnel", "link "+c.dev.Name, "arrives at %s:%s", c.r.name(), c.dev.Name)
	s.rx(c.r, c.dev, f, tr)
}

// teach remembers behind which remote a station is (vxlan_snoop): what was learned before is overwritten. What somebody made is
// not; such an entry that says otherwise is returned, and the frame is dropped.
func (r *room) teach(dev *state.Link, mac state.MAC, from netip.Addr) *state.FDBEntry {
	if mac.IsMulticast() || mac.IsZero() {
		return nil
	}
	kept := make([]state.FDBEntry, 0, len(r.FDB)+1)
	for _, e := range r.FDB {
		if e.Link == dev.Name && e.MAC == mac && e.Dst.IsValid() {
			if e.Dst == from {
				return nil
			}
			if e.State == "permanent" || e.State == "static" || e.State == "noarp" {
				return &e
			}
			continue
		}
		kept = append(kept, e)
	}
	ns := *r.Namespace // the snapshot itself is not changed
	ns.FDB = append(kept, state.FDBEntry{Link: dev.Name, MAC: mac, Dst: from, State: "reachable", Flags: 2})
	r.Namespace = &ns
	return nil
}
