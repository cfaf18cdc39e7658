package iproute

import (
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// bridgeLink is "bridge link".
func bridgeLink(s *session, w *words) {
	verbs := []verb{
		{"show", bridgeLinkShow},
		{"set", bridgeLinkSet},
		{"change", bridgeLinkSet},
		{"lst", bridgeLinkShow},
		{"list", bridgeLinkShow},
		{"help", func(*session, *words) { usageOf(bridgeLinkUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownBridgeVerb("link", word)
	}
}

func bridgeLinkShow(s *session, w *words) {
	var index uint32
	for w.more() { // bridge passes over what it does not know
		if w.peek() == "dev" {
			index = s.device(w.next())
		}
		w.skip()
	}
	p := s.out()
	for _, msg := range s.dump(s.bridgeLinks(false)) {
		l, ok := readLink(msg.Data)
		if !ok || l.family != unix.AF_BRIDGE && l.family != unix.AF_UNSPEC || index != 0 && l.index != int(index) || !l.a.Has(unix.IFLA_IFNAME) {
			continue
		}
		s.printPort(p, &l)
	}
}

// printPort prints a bridge's port in bridge's own way.
func (s *session) printPort(p *printer, l *linkMsg) {
	p.openObject("")
	s.printDeleted(p)
	num(p, "ifindex", "%d: ", l.index)
	down := s.printName(p, l)
	printFlags(p, l.flags, down)
	if l.a.Has(unix.IFLA_MTU) {
		num(p, "mtu", "mtu %d ", l.a.U32(unix.IFLA_MTU))
	}
	if l.a.Has(unix.IFLA_MASTER) {
		p.str("master", "master %s ", s.nameOf(int(l.a.U32(unix.IFLA_MASTER))))
	}
	if l.a.Has(unix.IFLA_PROTINFO) {
		s.printProtinfo(p, l.a.Nested(unix.IFLA_PROTINFO))
	}
	if l.a.Has(unix.IFLA_AF_SPEC) {
		s.printPortSpec(p, l)
	}
	p.text("\n")
	p.closeObject()
}

// bridgeLinks asks for the ports, with their VLANs if they are wanted.
func (s *session) bridgeLinks(vlans bool) nl.Request {
	const brvlan, compressed = 2, 4 // RTEXT_FILTER_BRVLAN...
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	m.Head()[0] = unix.AF_BRIDGE
	switch {
	case vlans && s.opt.compress:
		m.U32(unix.IFLA_EXT_MASK, compressed)
	case vlans:
		m.U32(unix.IFLA_EXT_MASK, brvlan)
	}
	req, err := m.Request(unix.RTM_GETLINK, 0)
	if err != nil {
		die("%v", err)
	}
	return req
}

// Attributes of IFLA_AF_SPEC of a bridge's port (linux/if_bridge.h).
const (
	bridgeFlags          = 0
	bridgeMode           = 1
	bridgeVlanInfo       = 2
	bridgeVlanTunnelInfo = 3
)

// printPortSpec prints the mode of a device that switches itself.
func (s *session) printPortSpec(p *printer, l *linkMsg) {
	spec := l.a.Nested(unix.IFLA_AF_SPEC)
	if spec.Has(bridgeMode) {
		modes := []string{"VEB", "VEPA"}
		word := "unknown"
		if mode := int(spec.U16(bridgeMode)); mode < len(modes) {
			word = modes[mode]
		}
		p.str("hwmode", "hwmode %s ", word)
	}
}

func (s *session) printProtinfo(p *printer, a rtnl.Attrs) {
	if a.Has(unix.IFLA_BRPORT_STATE) {
		p.str("state", "state %s ", portState(a.U8(unix.IFLA_BRPORT_STATE)))
	}
	printFields(p, a, []field{{unix.IFLA_BRPORT_PRIORITY, 2, "priority", "priority %d "}, {unix.IFLA_BRPORT_COST, 4, "cost", "cost %d "}})
	if !s.opt.details {
		return
	}
	p.text("%s    ", p.nl)
	printSwitches(p, a, []portSwitch{
		{unix.IFLA_BRPORT_MODE, "hairpin", "hairpin"},
		{unix.IFLA_BRPORT_GUARD, "guard", "guard"},
		{unix.IFLA_BRPORT_PROTECT, "root_block", "root_block"},
		{unix.IFLA_BRPORT_FAST_LEAVE, "fastleave", "fastleave"},
		{unix.IFLA_BRPORT_LEARNING, "learning", "learning"},
		{unix.IFLA_BRPORT_UNICAST_FLOOD, "flood", "flood"},
		{unix.IFLA_BRPORT_MCAST_FLOOD, "mcast_flood", "mcast_flood"},
		{unix.IFLA_BRPORT_BCAST_FLOOD, "bcast_flood", "bcast_flood"},
	})
	printFields(p, a, []field{{unix.IFLA_BRPORT_MULTICAST_ROUTER, 1, "mcast_router", "mcast_router %d "}})
	printSwitches(p, a, []portSwitch{
		{unix.IFLA_BRPORT_MCAST_TO_UCAST, "mcast_to_unicast", "mcast_to_unicast"},
		{unix.IFLA_BRPORT_NEIGH_SUPPRESS, "neigh_suppress", "neigh_suppress"},
		{unix.IFLA_BRPORT_VLAN_TUNNEL, "vlan_tunnel", "vlan_tunnel"},
	})
	if port := a.U32(unix.IFLA_BRPORT_BACKUP_PORT); port != 0 {
		p.str("backup_port", "backup_port %s ", s.nameOf(int(port)))
	}
	printSwitches(p, a, []portSwitch{{unix.IFLA_BRPORT_ISOLATED, "isolated", "isolated"}, {iflaBrportLocked, "locked", "locked"}})
}
