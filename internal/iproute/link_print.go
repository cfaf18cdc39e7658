package iproute

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Attributes of links that package unix does not name (linux/if_link.h).
const (
	iflaParentDevName    = 56
	iflaParentDevBusName = 57
	iflaTSOMaxSize       = 59
	iflaTSOMaxSegs       = 60
	iflaAllmulti         = 61
)

// A linkMsg is an RTM_NEWLINK message.
type linkMsg struct {
	family uint8
	hw     uint16
	index  int
	flags  uint32
	a      rtnl.Attrs
}

func readLink(data []byte) (linkMsg, bool) {
	if len(data) < rtnl.IfinfoLen {
		return linkMsg{}, false
	}
	return linkMsg{
		family: data[0], hw: native.Uint16(data[2:]), index: int(int32(native.Uint32(data[4:]))),
		flags: native.Uint32(data[8:]), a: rtnl.ParseAttrs(data[rtnl.IfinfoLen:]),
	}, true
}

// printName prints NAME, or NAME@LOWER, and says whether the lower link is down. In JSON the lower link comes first.
func (s *session) printName(p *printer, l *linkMsg) (down bool) {
	name := l.a.Str(unix.IFLA_IFNAME)
	shown := name
	if l.a.Has(unix.IFLA_LINK) {
		lower := int(l.a.S32(unix.IFLA_LINK))
		switch {
		case lower == 0:
			shown += "@NONE"
			if p.isJSON() {
				p.js.name("link")
				p.js.raw("%s", "null")
			}
		case l.a.Has(unix.IFLA_LINK_NETNSID):
			num(p, "link_index", "", lower)
			shown += "@if" + strconv.Itoa(lower)
		default:
			at, known := s.brief(lower)
			if known {
				shown += "@" + at.name
			} else {
				shown += "@if" + strconv.Itoa(lower)
			}
			p.str("link", "", s.nameOf(lower))
			down = known && at.flags&unix.IFF_UP == 0
		}
	}
	p.str("ifname", "", name)
	switch {
	case p.isJSON():
	case s.opt.brief:
		p.colored(colorName, "", "%s", fmt.Sprintf("%-16s ", shown))
	default:
		p.colored(colorName, "", "%s: ", shown)
	}
	return down
}

// printOper prints the operational state.
func (s *session) printOper(p *printer, l *linkMsg) {
	code := l.a.U8(unix.IFLA_OPERSTATE)
	state := operState(code)
	if s.opt.brief {
		p.str("operstate", "", state)
		p.colored(colorOfState(code), "", "%s", fmt.Sprintf("%-14s ", state))
		return
	}
	p.text("state ")
	p.colored(colorOfState(code), "operstate", "%s ", state)
}

// printLinkBrief prints the line of -br; addresses come after it.
func (s *session) printLinkBrief(p *printer, l *linkMsg, addrs bool) {
	p.openObject("")
	down := s.printName(p, l)
	s.printOper(p, l)
	if addrs {
		return
	}
	if a := l.a.Bytes(unix.IFLA_ADDRESS); a != nil {
		p.colored(colorMAC, "address", "%s ", hwAddr(a, l.hw))
	}
	printFlags(p, l.flags, down)
	p.text("\n")
	p.closeObject()
}

// printLink prints a link; for "ip addr" without what only "ip link" shows, and left open for the addresses.
func (s *session) printLink(p *printer, l *linkMsg, forLink bool, family int) {
	p.openObject("")
	s.printDeleted(p)
	num(p, "ifindex", "%d: ", l.index)
	down := s.printName(p, l)
	printFlags(p, l.flags, down)
	num(p, "mtu", "mtu %d ", l.a.U32(unix.IFLA_MTU))
	if l.a.Has(unix.IFLA_QDISC) {
		p.str("qdisc", "qdisc %s ", l.a.Str(unix.IFLA_QDISC))
	}
	if l.a.Has(unix.IFLA_MASTER) {
		p.str("master", "master %s ", s.nameOf(int(l.a.U32(unix.IFLA_MASTER))))
	}
	if l.a.Has(unix.IFLA_OPERSTATE) {
		s.printOper(p, l)
	}
	if forLink && l.a.Has(unix.IFLA_LINKMODE) {
		mode := strconv.Itoa(int(l.a.U8(unix.IFLA_LINKMODE)))
		if n := []string{"DEFAULT", "DORMANT"}; int(l.a.U8(unix.IFLA_LINKMODE)) < len(n) {
			mode = n[l.a.U8(unix.IFLA_LINKMODE)]
		}
		p.str("linkmode", "mode %s ", mode)
	}
	if l.a.Has(unix.IFLA_GROUP) {
		p.str("group", "group %s ", groupName(s, l.a.U32(unix.IFLA_GROUP)))
	}
	if q := s.queueLength(l); q != 0 {
		num(p, "txqlen", "qlen %d", q)
	}
	if l.a.U32(iflaEvent) != 0 {
		p.str("event", "event %s ", linkEvent(l.a.U32(iflaEvent)))
	}
	if family == unix.AF_UNSPEC || family == unix.AF_PACKET || s.opt.details {
		s.printLinkAddr(p, l)
	}
	s.printPeerSpace(p, l)
	if l.a.U8(unix.IFLA_PROTO_DOWN) != 0 {
		p.boolean("proto_down", " protodown on ", true)
	}
	printReasons(p, l.a)
	if s.opt.details {
		s.printLinkDetails(p, l, forLink)
	}
	if l.a.Has(unix.IFLA_IFALIAS) && (forLink || s.opt.details) {
		p.text("%s    ", p.nl)
		p.str("ifalias", "alias %s", l.a.Str(unix.IFLA_IFALIAS))
	}
	if s.opt.stats > 0 && forLink {
		s.printStats(p, l)
	}
	if forLink || s.opt.details {
		s.printVFs(p, l)
	}
	s.printAltNames(p, l)
}

func (s *session) printLinkAddr(p *printer, l *linkMsg) {
	p.text("%s", p.nl)
	p.str("link_type", "    link/%s ", s.hardware(l.hw))
	if a := l.a.Bytes(unix.IFLA_ADDRESS); a != nil {
		p.colored(colorMAC, "address", "%s", hwAddr(a, l.hw))
	}
	b := l.a.Bytes(unix.IFLA_BROADCAST)
	if b == nil {
		return
	}
	if l.flags&unix.IFF_POINTOPOINT != 0 {
		p.text(" peer ")
		p.is("link_pointtopoint", "")
	} else {
		p.text(" brd ")
	}
	p.colored(colorMAC, "broadcast", "%s", hwAddr(b, l.hw))
}

// printPeerSpace says in which namespace the other end is.
func (s *session) printPeerSpace(p *printer, l *linkMsg) {
	if l.a.Has(unix.IFLA_LINK_NETNSID) {
		id := l.a.S32(unix.IFLA_LINK_NETNSID)
		switch {
		case p.isJSON():
			num(p, "link_netnsid", "", id)
			if s.personality == Warren {
				if name, ok := s.namesByID()[int(id)]; ok {
					p.str("link_netns", "", name)
				}
			}
		case id < 0:
			p.text(" link-netnsid unknown")
		default:
			if name, ok := s.namesByID()[int(id)]; ok {
				p.text(" link-netns %s", name)
			} else {
				p.text(" link-netnsid %d", id)
			}
		}
	}
	if l.a.Has(unix.IFLA_NEW_NETNSID) {
		num(p, "new_netnsid", " new-nsid %d", l.a.S32(unix.IFLA_NEW_NETNSID))
	}
	if l.a.Has(unix.IFLA_NEW_IFINDEX) {
		num(p, "new_ifindex", " new-ifindex %d", l.a.S32(unix.IFLA_NEW_IFINDEX))
	}
}

// printLinkDetails prints what -d adds.
func (s *session) printLinkDetails(p *printer, l *linkMsg, forLink bool) {
	for _, f := range []struct {
		typ         int
		key, format string
	}{
		{unix.IFLA_PROMISCUITY, "promiscuity", " promiscuity %d "},
		{iflaAllmulti, "allmulti", " allmulti %d "},
		{unix.IFLA_MIN_MTU, "min_mtu", "minmtu %d "},
		{unix.IFLA_MAX_MTU, "max_mtu", "maxmtu %d "},
	} {
		if l.a.Has(f.typ) {
			num(p, f.key, f.format, l.a.U32(f.typ))
		}
	}
	if l.a.Has(unix.IFLA_LINKINFO) {
		s.printLinkInfo(p, l)
	}
	if spec := l.a.Nested(unix.IFLA_AF_SPEC).Nested(unix.AF_INET6); forLink && spec.Has(unix.IFLA_INET6_ADDR_GEN_MODE) {
		mode := spec.U8(unix.IFLA_INET6_ADDR_GEN_MODE)
		names := []string{"eui64", "none", "stable_secret", "random"}
		word := strconv.Itoa(int(mode))
		if int(mode) < len(names) {
			word = names[mode]
		}
		p.str("inet6_addr_gen_mode", "addrgenmode %s ", word)
	}
	for _, f := range []struct {
		typ         int
		key, format string
	}{
		{unix.IFLA_NUM_TX_QUEUES, "num_tx_queues", "numtxqueues %d "},
		{unix.IFLA_NUM_RX_QUEUES, "num_rx_queues", "numrxqueues %d "},
		{unix.IFLA_GSO_MAX_SIZE, "gso_max_size", "gso_max_size %d "},
		{unix.IFLA_GSO_MAX_SEGS, "gso_max_segs", "gso_max_segs %d "},
		{iflaTSOMaxSize, "tso_max_size", "tso_max_size %d "},
		{iflaTSOMaxSegs, "tso_max_segs", "tso_max_segs %d "},
		{unix.IFLA_GRO_MAX_SIZE, "gro_max_size", "gro_max_size %d "},
	} {
		if l.a.Has(f.typ) {
			num(p, f.key, f.format, l.a.U32(f.typ))
		}
	}
	if l.a.Has(unix.IFLA_PHYS_PORT_NAME) {
		p.str("phys_port_name", "portname %s ", l.a.Str(unix.IFLA_PHYS_PORT_NAME))
	}
	if b := l.a.Bytes(unix.IFLA_PHYS_PORT_ID); b != nil {
		p.str("phys_port_id", "portid %s ", fmt.Sprintf("%x", b))
	}
	if b := l.a.Bytes(unix.IFLA_PHYS_SWITCH_ID); b != nil {
		p.str("phys_switch_id", "switchid %s ", fmt.Sprintf("%x", b))
	}
	if l.a.Has(iflaParentDevBusName) {
		p.str("parentbus", "parentbus %s ", l.a.Str(iflaParentDevBusName))
	}
	if l.a.Has(iflaParentDevName) {
		p.str("parentdev", "parentdev %s ", l.a.Str(iflaParentDevName))
	}
}

// iflaEvent is IFLA_EVENT (linux/if_link.h): what a notification is about.
const iflaEvent = 44

func linkEvent(v uint32) string {
	names := []string{"NONE", "REBOOT", "FEATURE CHANGE", "BONDING FAILOVER", "NOTIFY PEERS", "RESEND IGMP", "BONDING OPTION"}
	if int64(v) < int64(len(names)) {
		return names[v]
	}
	return strconv.FormatUint(uint64(v), 10)
}

func altNames(l *linkMsg) []string {
	var names []string
	rtnl.EachAttr(l.a.Bytes(unix.IFLA_PROP_LIST), func(typ uint16, data []byte) {
		if typ == unix.IFLA_ALT_IFNAME {
			name, _, _ := bytes.Cut(data, []byte{0})
			names = append(names, string(name))
		}
	})
	return names
}

func (s *session) printAltNames(p *printer, l *linkMsg) {
	names := altNames(l)
	if len(names) == 0 {
		return
	}
	p.openArray("altnames", "")
	for _, name := range slices.Clip(names) {
		p.text("%s    ", p.nl)
		p.item("altname %s", name)
	}
	p.closeArray("")
}

// queueLength is how many packets may wait in front of a link. What IPv6 tells of a link does not say it; iproute2 asks once more.
func (s *session) queueLength(l *linkMsg) uint32 {
	switch {
	case s.monitoring:
		return 0
	case l.a.Has(unix.IFLA_TXQLEN):
		return l.a.U32(unix.IFLA_TXQLEN)
	}
	msgs, err := s.ask(rtnl.GetLinkIndex(l.index))
	if err != nil || len(msgs) == 0 {
		return 0
	}
	whole, _ := readLink(msgs[0].Data)
	return whole.a.U32(unix.IFLA_TXQLEN)
}
