package reach

import (
	"fmt"

	"warren/reach/filter"
	"warren/state"
)

// States of a bridge's port (linux/if_bridge.h).
const (
	portDisabled   = 0
	portListening  = 1
	portLearning   = 2
	portForwarding = 3
	portBlocking   = 4
)

func stateWord(s uint8) string {
	words := [...]string{"disabled", "listening", "learning", "forwarding", "blocking"}
	if int(s) < len(words) {
		return words[s]
	}
	return "unknown"
}

// on reads an optional switch with the kernel's default.
func on(b *bool, def bool) bool {
	if b == nil {
		return def
	}
	return *b
}

func portOf(l *state.Link) state.BridgePort {
	if l.Port == nil {
		return state.BridgePort{}
	}
	return *l.Port
}

func bridgeOf(l *state.Link) state.Bridge {
	if l.Bridge == nil {
		return state.Bridge{}
	}
	return *l.Bridge
}

// ports lists a bridge's ports.
func (r *room) ports(br *state.Link) []*state.Link {
	var out []*state.Link
	for i := range r.Links {
		if r.Links[i].Master == br.Name {
			out = append(out, &r.Links[i])
		}
	}
	return out
}

// bridgeIn takes a frame that entered a port (br_handle_frame, br_handle_frame_finish).
func (s *search) bridgeIn(r *room, br, port *state.Link, f frame, tr trail) {
	s.portState(r, br, port, &tr)
	if f.comesRound(visit{r, br}) && tr.obstacles() > 0 {
		return // spanning tree cuts the circle
	}
	if f.dst == br.MAC {
		f.host = true
	}
	pf := portOf(port)
	s.hook(r, &f, filter.Hook{Family: "bridge", Name: "prerouting", In: port}, &tr)
	if r.bridgeCalls(br, &f) && f.arp == nil && !f.seen {
		s.brPrerouting(r, br, port, &f, &tr)
	}
	s.vlanIngress(r, br, port, &f, &tr)
	if on(pf.Locked, false) && !s.stationIs(r, br, &f, port) {
		tr.stop(r, "bridge", Reason{
			Code: PortLocked, Object: "port " + port.Name, Text: fmt.Sprintf("port %s is locked and does not know %s", port.Name, f.src),
			Facts: facts(fact("IFLA_BRPORT_LOCKED", "%s locked", port.Name)),
			Fix:   fix("bridge -n "+r.ref()+" link set dev "+port.Name+" locked off", fmt.Sprintf("bridge -n %s fdb add %s dev %s master static", r.ref(), f.src, port.Name)),
		})
	}
	if on(pf.Learning, true) && !f.src.IsMulticast() {
		r.learn(br, port, &f, tr.obstacles() == 0)
	}
	s.answersItself(r, br, port, &f, &tr)
	if f.dst.IsMulticast() {
		s.flood(r, br, port, f, tr)
		s.bridgeUp(r, br, f, tr)
		return
	}
	if f.dst == br.MAC || r.isLocal(br, f.dst) || s.childOf(r, br, f.dst) {
		s.bridgeLocal(r, br, port, f, tr)
		return
	}
	s.toStation(r, br, port, f, tr)
}

// portState looks whether the port takes frames at all.
func (s *search) portState(r *room, br, port *state.Link, tr *trail) {
	if !br.Up {
		tr.stop(r, "bridge", downReason(r, br))
		return
	}
	st := portForwarding
	if p := port.Port; p != nil && p.State != nil {
		st = int(*p.State)
	}
	if st == portForwarding || !port.Up || st == portDisabled && tr.obstacles() > 0 {
		return // a port that is down, or whose other end is, has said so already
	}
	tr.stop(r, "bridge", portReason(r, br, port, uint8(st)))
}

func portReason(r *room, br, port *state.Link, st uint8) Reason {
	b := bridgeOf(br)
	w := Reason{
		Code: PortNotForwarding, Object: "port " + port.Name, Text: fmt.Sprintf("port %s of %s is in state %s", port.Name, br.Name, stateWord(st)),
		Facts: facts(fact("IFLA_BRPORT_STATE", "%s %s", port.Name, stateWord(st))),
	}
	switch {
	case on(b.STP, false) && (st == portListening || st == portLearning):
		w.Text += fmt.Sprintf(": spanning tree lets it wait %.0f s twice", float64(b.ForwardDelay)/100)
		w.Fix = fix(r.ip("link set %s type bridge stp_state 0", br.Name), fmt.Sprintf("# or wait %.0f s", 2*float64(b.ForwardDelay)/100))
	case st == portBlocking && on(b.STP, false):
		w.Text += " by the spanning tree"
		w.Fix = fix(r.ip("link set %s type bridge stp_state 0", br.Name))
	default:
		w.Fix = fix(fmt.Sprintf("bridge -n %s link set dev %s state 3", r.ref(), port.Name))
	}
	return w
}

func hairpinReason(r *room, port *state.Link) Reason {
	return Reason{
		Code: HairpinOff, Object: "port " + port.Name, Text: fmt.Sprintf("the frame would have to leave by %s, the port that it came in by, and hairpin is off there", port.Name),
		Facts: facts(fact("IFLA_BRPORT_MODE", "%s hairpin off", port.Name)),
		Fix:   fix(fmt.Sprintf("bridge -n %s link set dev %s hairpin on", r.ref(), port.Name)),
	}
}

// flood sends to all ports but the one that it came from (br_flood, br_multicast_flood).
func (s *search) flood(r *room, br, in *state.Link, f frame, tr trail) {
	ports := r.ports(br)
	only, why := r.mdbPorts(br, &f)
	many := s.near && len(ports) > manyPorts
	for _, p := range ports {
		if p == in && !on(portOf(p).Hairpin, false) {
			continue
		}
		if many && !s.t.isNear(p) {
			s.skip(r, p)
			continue
		}
		if p.Thin && len(ports) > manyPorts && !s.t.isNear(p) {
			r.needPorts() // each of them is looked at
		}
		b, g := tr.fork(), f.clone()
		if why != "" && !only[p.Name] && r.Read != 0 {
			b.doubt(r, "bridge", Doubt{
				Object: "link " + br.Name, Resolve: "bridge -d mdb show dev " + br.Name + " some seconds later, or a probe",
				Text: fmt.Sprintf("%s snoops multicast and %s: %s gets it only in the first seconds of a querier, and when that began is not told", br.Name, why, p.Name),
			}, false)
		} else if why != "" && !only[p.Name] {
			b.stop(r, "bridge", Reason{
				Code: MDBSnooping, Object: "link " + br.Name, Text: fmt.Sprintf("%s snoops multicast and %s: %s does not get it", br.Name, why, p.Name),
				Facts: facts(fact("RTM_GETMDB", "no entry for port %s", p.Name), fact("IFLA_BR_MCAST_SNOOPING", "on")),
				Fix:   fix(r.ip("link set %s type bridge mcast_snooping 0", br.Name)),
			})
		}
		if flag, off := floodOff(in, p, &f); off {
			is, want := "off", "on"
			if flag == "proxy_arp" || flag == "neigh_suppress" {
				is, want = want, is
			}
			b.stop(r, "bridge", Reason{
				Code: FloodOff, Object: "port " + p.Name, Text: fmt.Sprintf("%s does not know where %s is, and %s is %s on port %s", br.Name, f.dst, flag, is, p.Name),
				Facts: facts(fact("IFLA_BRPORT", "%s %s %s", p.Name, flag, is)),
				Fix:   fix(fmt.Sprintf("bridge -n %s link set dev %s %s %s", r.ref(), p.Name, flag, want)),
			})
		}
		s.portOut(r, br, in, p, g, b)
	}
}

// floodOff reports whether a port is left out of a flood, and the flag that says so. What the bridge's own namespace sends to many
// goes out all the same (br_flood).
func floodOff(in, p *state.Link, f *frame) (string, bool) {
	port := portOf(p)
	switch {
	case on(port.ProxyARP, false):
		return "proxy_arp", true
	case f.answered && on(port.NeighSuppress, false):
		return "neigh_suppress", true
	case in == nil && (f.dst == broadcast || f.dst.IsMulticast()):
		return "", false
	case f.dst == broadcast:
		return "bcast_flood", !on(port.BroadcastFlood, true)
	case f.dst.IsMulticast():
		return "mcast_flood", !on(port.MulticastFlood, true)
	}
	return "flood", !on(port.Flood, true)
}

// portOut sends by a port (should_deliver, __br_forward, br_dev_queue_push_xmit).
func (s *search) portOut(r *room, br, in, port *state.Link, f frame, tr trail) {
	if !s.t.known(r, port, &tr) {
		s.got = append(s.got, reception{r: r, dev: port, frame: f, trail: tr, out: true})
		return
	}
	p := portOf(port)
	if st := p.State; st != nil && *st != portForwarding && br.Up && port.Up && !(*st == portDisabled && !s.t.carrier(r, port)) {
		tr.stop(r, "bridge", portReason(r, br, port, *st))
	}
	if in != nil && on(p.Isolated, false) && on(portOf(in).Isolated, false) {
		tr.stop(r, "bridge", Reason{
			Code: PortIsolated, Object: "port " + port.Name, Text: fmt.Sprintf("%s and %s are both isolated ports of %s", in.Name, port.Name, br.Name),
			Facts: facts(fact("IFLA_BRPORT_ISOLATED", "%s and %s on", in.Name, port.Name)),
			Fix:   fix(fmt.Sprintf("bridge -n %s link set dev %s isolated off", r.ref(), port.Name)),
		})
	}
	s.vlanEgress(r, br, port, &f, &tr)
	calls := r.bridgeCalls(br, &f)
	if in != nil {
		s.hook(r, &f, filter.Hook{Family: "bridge", Name: "forward", In: in, Out: port}, &tr)
		if calls {
			s.brForward(r, br, in, port, &f, &tr)
		}
	} else {
		s.hook(r, &f, filter.Hook{Family: "bridge", Name: "output", Out: port}, &tr)
	}
	s.hook(r, &f, filter.Hook{Family: "bridge", Name: "postrouting", Out: port}, &tr)
	if calls && in != nil && f.arp == nil {
		s.t.filter(r, f.packet(), filter.Hook{Family: family(f.ip), Name: "postrouting", Out: br, PhysIn: in.Name, PhysOut: port.Name, Bridged: true}, &tr, nil)
	}
	limit := int(port.MTU) + vlanRoom
	if calls && in != nil {
		limit = int(port.MTU)
	}
	if n := f.length(); port.MTU != 0 && n > limit {
		tr.stop(r, "mtu", Reason{
			Code: MTUBridgePort, Object: "port " + port.Name, Text: fmt.Sprintf("port %s (mtu %d) passes on up to %d bytes of IP; the packet has %d, and a bridge tells nobody", port.Name, port.MTU, limit, n),
			Facts: facts(fact("RTM_GETLINK", "mtu of %s is %d", port.Name, port.MTU)), Fix: fix(r.ip("link set %s mtu %d", port.Name, n)),
		})
	}
	tr.step(r, "bridge", "link "+br.Name, "%s passes it on by port %s", br.Name, port.Name)
	f.seen = false
	s.xmit(r, port, f, tr)
}

// bridgeOut sends what the namespace itself gives to the bridge (br_dev_xmit).
func (s *search) bridgeOut(r *room, br *state.Link, f frame, tr trail) {
	if on(bridgeOf(br).VLANFiltering, false) {
		f.bvlan = r.pvid(br.Name)
	}
	s.answersItself(r, br, nil, &f, &tr)
	if f.dst.IsMulticast() {
		s.flood(r, br, nil, f, tr)
		return
	}
	s.toStation(r, br, nil, f, tr)
}

// bridgeUp gives a frame to the bridge device itself (br_pass_frame_up).
func (s *search) bridgeUp(r *room, br *state.Link, f frame, tr trail) {
	s.hook(r, &f, filter.Hook{Family: "bridge", Name: "input", In: br}, &tr)
	if on(bridgeOf(br).VLANFiltering, false) && f.bvlan != 0 && f.bvlan != r.pvid(br.Name) {
		if !r.vlanMember(br.Name, f.bvlan) {
			tr.stop(r, "bridge", vlanReason(r, br.Name, f.bvlan, "the bridge itself"))
		}
		f.vlan = f.bvlan
		if s.vlanIn(r, br, f, tr) {
			return
		}
		f.vlan = 0
	}
	f.bvlan = 0
	tr.step(r, "bridge", "link "+br.Name, "%s takes it for itself", br.Name)
	if br.XDP != "" || len(br.BPF) > 0 {
		s.programs(r, br, &tr, "ingress")
	}
	if f.vlan != 0 { // tagged on the wire, and no VLANs are told apart here
		if !s.vlanIn(r, br, f, tr) && r.asked(&f) {
			s.got = append(s.got, s.strayTag(r, br, f, tr))
		}
		return
	}
	s.macvlanIn(r, br, f, tr)
	s.got = append(s.got, reception{r: r, dev: br, frame: f, trail: tr})
}
