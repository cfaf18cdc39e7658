package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"warren/reach/filter"
	"warren/state"
)

// A frame is one packet on a link.
type frame struct {
	src, dst state.MAC
	vlan     uint16 // tag on the wire, 0 = none
	bvlan    uint16 // VLAN inside of the present bridge
	ip       *filter.Packet
	arp      *filter.ARP
	// seen: br_netfilter took it through prerouting already.
	seen bool
	// host: the device that it came in by took it for its own (PACKET_HOST).
	host bool
	// received: it came in by a device of the namespace, which says what kind of packet it is (eth_type_trans).
	received bool
	// port is that of the bridge which it came in by last.
	port *state.Link
	// target is whom a neighbour solicitation is for.
	target netip.Addr
	depth  int
	// bridges are those that it came through.
	bridges []visit
	// answered: a bridge that answers for others, or has the address, does not pass the question on to ports that suppress it.
	answered bool
}

// comesRound reports whether a frame was at a bridge before, and remembers it.
func (f *frame) comesRound(v visit) bool {
	if slices.Contains(f.bridges, v) {
		return true
	}
	f.bridges = append(slices.Clip(f.bridges), v)
	return false
}

var broadcast = state.MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// ether is the EtherType.
func (f *frame) ether() uint16 {
	switch {
	case f.arp != nil:
		return filter.EtherARP
	case f.ip.Is6():
		return filter.EtherIPv6
	}
	return filter.EtherIPv4
}

// length is that of the packet behind the link-layer header, in bytes.
func (f *frame) length() int {
	if f.arp != nil {
		return 28
	}
	return f.ip.Length
}

// clone is a copy that hooks may change.
func (f *frame) clone() frame {
	g := *f
	if f.ip != nil {
		p := *f.ip
		g.ip = &p
	}
	if f.arp != nil {
		a := *f.arp
		g.arp = &a
	}
	return g
}

// left clears what does not go with a packet through a cable: connection, and to another namespace the mark.
func (f *frame) left(other bool) {
	if f.ip == nil {
		return
	}
	untrack(f.ip)
	f.ip.HasSocket, f.ip.PhysIn = false, ""
	if other {
		f.ip.Mark = 0
	}
}

func untrack(p *filter.Packet) {
	p.Conn, p.Reply, p.Related, p.Untracked, p.Invalid, p.Zone = nil, false, false, false, false, filter.Zone{}
}

// packet is the frame as rules see it.
func (f *frame) packet() *filter.Packet {
	p := f.ip
	if p == nil {
		p = &filter.Packet{ARP: f.arp, Length: 28}
	}
	p.SrcMAC, p.DstMAC, p.EtherType, p.VLAN = f.src, f.dst, f.ether(), f.vlan
	switch {
	case !f.received:
		p.PktType = filter.ToHost // as memory is made
	case f.dst == broadcast:
		p.PktType = filter.ToBroadcast
	case f.dst.IsMulticast():
		p.PktType = filter.ToMulticast
	default:
		p.PktType = filter.ToHost
	}
	return p
}

func packetText(p *filter.Packet) string {
	switch p.Proto {
	case filter.ICMP, filter.ICMPv6:
		return fmt.Sprintf("%s > %s icmp type %d", p.Src, p.Dst, p.ICMPType)
	}
	return fmt.Sprintf("%s:%d > %s:%d", p.Src, p.SPort, p.Dst, p.DPort)
}

// A reception is where a frame can come to the protocols of a device, and what stands in its way there.
type reception struct {
	r     *room
	dev   *state.Link
	frame frame
	trail trail
	// out: it leaves the host here.
	out bool
	// lost: it dies here, and would even if what is in the way were gone.
	lost bool
}

// accepts reports whether the device takes the frame for its own.
func (c *reception) accepts() bool {
	if c.lost {
		return false
	}
	return c.frame.host || c.frame.dst.IsMulticast() || c.frame.dst == c.dev.MAC || isLoopback(c.dev) || c.frame.dst.IsZero()
}

// maxDepth bounds how many devices a frame goes through: a loop of bridges ends there.
const maxDepth = 24

// A search follows one frame to all the places where it can come out.
type search struct {
	t   *tracer
	got []reception
	// near leaves out, at bridges with many ports, those behind which nobody has been looked at.
	near    bool
	skipped []state.AddrBeyond // of those: the bridges' namespaces, and the ids; no address
	visited map[visit]bool
}

type visit struct {
	r   *room
	dev *state.Link
}

// manyPorts is from when on a flood looks first at the namespaces that are known anyway.
const manyPorts = 16

func (t *tracer) transmit(r *room, dev *state.Link, f frame, near bool) *search {
	s := &search{t: t, near: near, visited: map[visit]bool{}}
	s.xmit(r, dev, f, trail{})
	return s
}

// xmit sends a frame out of a device.
func (s *search) xmit(r *room, dev *state.Link, f frame, tr trail) {
	if f.depth++; f.depth > maxDepth {
		return
	}
	f = f.clone()
	s.t.touch(r)
	s.t.gaps(r, &tr)
	if !dev.Up {
		tr.stop(r, "link", downReason(r, dev))
	}
	s.hook(r, &f, filter.Hook{Family: "netdev", Name: "egress", Out: dev}, &tr)
	s.programs(r, dev, &tr, "egress")
	s.queue(r, dev, &tr)
	s.children(r, dev, f, tr)
	switch {
	case isLoopback(dev):
		f.host = true
		tr.step(r, "link", "link "+dev.Name, "%s loops back", dev.Name)
		s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr})
	case dev.Kind == "veth":
		s.veth(r, dev, f, tr)
	case dev.Kind == "bridge":
		s.bridgeOut(r, dev, f, tr)
	case dev.Kind == "macvlan" || dev.Kind == "macvtap":
		s.macvlanOut(r, dev, f, tr)
	case dev.Kind == "vlan":
		s.vlanOut(r, dev, f, tr)
	case dev.Kind == "vxlan":
		s.vxlanOut(r, dev, f, tr)
	case dev.Kind == "":
		tr.step(r, "link", "link "+dev.Name, "%s leaves the host", dev.Name)
		s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr, out: true})
	default:
		tr.doubt(r, "link", Doubt{
			Object: "link " + dev.Name, Text: fmt.Sprintf("what lies beyond %s (kind %s) is not modelled", dev.Name, dev.Kind),
			Resolve: "send a probe and look on the other side",
		}, true)
		s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr, out: true})
	}
}

// rx takes a frame that came in by a device, up to its protocols or to what it is a part of.
func (s *search) rx(r *room, dev *state.Link, f frame, tr trail) {
	if f.depth++; f.depth > maxDepth {
		return
	}
	s.t.touch(r)
	s.t.gaps(r, &tr)
	f.host, f.received = f.dst == dev.MAC, true
	if dev.XDP != "" {
		tr.doubt(r, "link", Doubt{
			Object: "link " + dev.Name, Text: fmt.Sprintf("an XDP program (%s) on %s decides what comes in", dev.XDP, dev.Name),
			Resolve: "ip link set dev " + dev.Name + " xdp off, or a probe",
		}, true)
	}
	s.programs(r, dev, &tr, "ingress")
	s.hook(r, &f, filter.Hook{Family: "netdev", Name: "ingress", In: dev}, &tr)
	if f.vlan != 0 && s.vlanIn(r, dev, f, tr) {
		return
	}
	if m := r.byName[dev.Master]; dev.Master != "" && m != nil {
		if m.Kind == "bridge" {
			f.port = dev
			s.bridgeIn(r, m, dev, f, tr)
			return
		}
		tr.doubt(r, "link", Doubt{Object: "link " + m.Name, Text: fmt.Sprintf("%s is part of %s, and kind %s is not modelled", dev.Name, m.Name, m.Kind)}, true)
		s.got = append(s.got, reception{r: r, dev: m, frame: f, trail: tr})
		return
	}
	s.macvlanIn(r, dev, f, tr)
	s.passedThrough(r, dev, &f, &tr)
	if f.vlan == 0 {
		s.got = append(s.got, reception{r: r, dev: dev, frame: f, trail: tr})
	} else if r.asked(&f) {
		s.got = append(s.got, s.strayTag(r, dev, f, tr))
	}
}

// hook runs one hook of a family whose rules see frames, and writes down what stands in the way.
func (s *search) hook(r *room, f *frame, h filter.Hook, tr *trail) {
	if h.Family == "bridge" && h.Name == "input" && f.port != nil {
		h.In = f.port // br_pass_frame_up
	}
	if r.hasFamily(h.Family) {
		s.t.filter(r, f.packet(), h, tr, f.arp)
	}
}

// hasFamily reports whether the namespace has nft tables of a family that few have.
func (r *room) hasFamily(family string) bool {
	for i := range r.Tables {
		if r.Tables[i].Family == family || family == "netdev" && r.Tables[i].Family == "inet" {
			return true
		}
	}
	return family == "bridge" && (len(r.EBTables) > 0 || slices.ContainsFunc(r.Agents, func(a state.Agent) bool { return a.Kind == "ebtables" }))
}

// programs doubts where BPF looks at packets, or other filters of tc.
func (s *search) programs(r *room, dev *state.Link, tr *trail, side string) {
	for _, b := range dev.BPF {
		if b == "tcx "+side || b == "clsact" {
			tr.doubt(r, "link", Doubt{
				Object: "link " + dev.Name, Text: fmt.Sprintf("a BPF program (%s) on %s decides", b, dev.Name),
				Resolve: "a probe",
			}, true)
		}
	}
	s.filters(r, dev, tr, side)
}

// queue doubts where the queueing discipline loses packets on purpose.
func (s *search) queue(r *room, dev *state.Link, tr *trail) {
	for _, q := range r.Qdiscs {
		if q.Link != dev.Name {
			continue
		}
		switch q.Kind {
		case "netem", "blackhole", "plug", "etf", "taprio":
			tr.doubt(r, "link", Doubt{Object: "qdisc " + q.Kind + " on " + dev.Name, Text: q.Kind + " may delay, lose or change packets", Resolve: "a probe"}, false)
		case "drr", "qfq", "hfsc":
			tr.doubt(r, "link", Doubt{Object: "qdisc " + q.Kind + " on " + dev.Name, Text: q.Kind + " drops what its filters put into no class", Resolve: "tc -s class show dev " + dev.Name + ", or a probe"}, false)
		}
	}
}

func downReason(r *room, dev *state.Link) Reason {
	if isLoopback(dev) {
		return Reason{
			Code: LoopbackDown, Object: "link lo", Text: fmt.Sprintf("lo is down in %q: nothing that is sent to itself arrives", r.name()),
			Facts: facts(fact("RTM_GETLINK", "lo is not up")), Fix: fix(r.ip("link set lo up")),
		}
	}
	if dev.Kind == "bridge" {
		return Reason{
			Code: BridgeDown, Object: "link " + dev.Name, Text: fmt.Sprintf("bridge %s is down", dev.Name),
			Facts: facts(fact("RTM_GETLINK", "%s is not up", dev.Name)), Fix: fix(r.ip("link set %s up", dev.Name)),
		}
	}
	return Reason{
		Code: LinkDown, Object: "link " + dev.Name, Text: fmt.Sprintf("%s is down", dev.Name),
		Facts: facts(fact("RTM_GETLINK", "%s is not up", dev.Name)), Fix: fix(r.ip("link set %s up", dev.Name)),
	}
}
