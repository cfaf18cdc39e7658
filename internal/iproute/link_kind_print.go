package iproute

import (
	"fmt"
	"net"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// printLinkInfo prints what is particular to the link's kind, and to its master's.
func (s *session) printLinkInfo(p *printer, l *linkMsg) {
	info := l.a.Nested(unix.IFLA_LINKINFO)
	p.openObject("linkinfo")
	if info.Has(unix.IFLA_INFO_KIND) {
		kind := info.Str(unix.IFLA_INFO_KIND)
		p.text("%s", p.nl)
		p.str("info_kind", "    %s ", kind)
		if print := kindPrinters()[kind]; print != nil && (info.Has(unix.IFLA_INFO_DATA) || kind == "tun") {
			p.openObject("info_data")
			print(s, p, info.Nested(unix.IFLA_INFO_DATA), l)
			p.closeObject()
		}
	}
	if info.Has(unix.IFLA_INFO_SLAVE_KIND) {
		kind := info.Str(unix.IFLA_INFO_SLAVE_KIND)
		p.text("%s", p.nl)
		p.str("info_slave_kind", "    %s_slave ", kind)
		if print := slavePrinter(kind); print != nil && info.Has(unix.IFLA_INFO_SLAVE_DATA) {
			p.openObject("info_slave_data")
			print(s, p, info.Nested(unix.IFLA_INFO_SLAVE_DATA))
			p.closeObject()
		}
	}
	p.closeObject()
}

// slavePrinter prints what a master of that kind knows of its part.
func slavePrinter(kind string) func(*session, *printer, rtnl.Attrs) {
	switch kind {
	case "bridge":
		return printBridgeSlave
	case "bond":
		return printBondSlave
	case "vrf":
		return func(s *session, p *printer, a rtnl.Attrs) { printVRF(s, p, a, nil) }
	}
	return nil
}

func kindPrinters() map[string]func(*session, *printer, rtnl.Attrs, *linkMsg) {
	return map[string]func(*session, *printer, rtnl.Attrs, *linkMsg){
		"bridge": printBridgeKind, "vxlan": printVxlan, "macvlan": printMacvlan, "macvtap": printMacvlan,
		"vlan": printVlan, "ipvlan": printIpvlan, "ipvtap": printIpvlan, "tun": printTun, "bareudp": printBareudp, "xfrm": printXfrmKind,
		"bond": printBond, "vrf": printVRF, "geneve": printGeneve, "ipip": printIptun, "sit": printIptun, "ip6tnl": printIP6Tnl,
		"vti": printVTI, "vti6": printVTI, "gre": printGre, "gretap": printGre, "erspan": printGre, "ip6gre": printGre,
		"ip6gretap": printGre, "ip6erspan": printGre, "hsr": printHSR, "amt": printAMT, "rmnet": printRmnet, "ipoib": printIPoIB,
		"gtp": printGTP, "wwan": printWWAN, "dsa": printDSA,
	}
}

// A kernel timer counts hundredths of a second.
func printTimer(p *printer, key, format string, v uint64) {
	if p.isJSON() {
		p.js.name(key)
		p.js.raw("%s", fmt.Sprintf("%d.%02d", v/100, v%100))
		return
	}
	p.text(format, fmt.Sprintf("%4d.%02d", v/100, v%100))
}

func bridgeID(b []byte) string {
	if len(b) < 8 {
		return ""
	}
	return fmt.Sprintf("%02x%02x.%x:%x:%x:%x:%x:%x", b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7])
}

// A field is an attribute that is printed as a number.
type field struct {
	typ         int
	size        int
	key, format string
}

func printFields(p *printer, a rtnl.Attrs, fields []field) {
	for _, f := range fields {
		if a.Has(f.typ) {
			num(p, f.key, f.format, numberOf(a, f.typ, f.size))
		}
	}
}

func numberOf(a rtnl.Attrs, typ, size int) uint64 {
	switch size {
	case 1:
		return uint64(a.U8(typ))
	case 2:
		return uint64(a.U16(typ))
	case 4:
		return uint64(a.U32(typ))
	}
	return a.U64(typ)
}

func printMacvlan(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if a.Has(unix.IFLA_MACVLAN_MODE) {
		mode := a.U32(unix.IFLA_MACVLAN_MODE)
		word := "unknown"
		for _, m := range macvlanModes() {
			if m.value == mode {
				word = m.name
			}
		}
		p.str("mode", "mode %s ", word)
	}
	if flags := a.U16(unix.IFLA_MACVLAN_FLAGS); flags&1 != 0 {
		p.is("nopromisc", "nopromisc ")
	}
	if flags := a.U16(unix.IFLA_MACVLAN_FLAGS); flags&2 != 0 {
		p.is("nodst", "nodst ")
	}
	printFields(p, a, []field{
		{unix.IFLA_MACVLAN_BC_QUEUE_LEN, 4, "bcqueuelen", "bcqueuelen %d "},
		{unix.IFLA_MACVLAN_BC_QUEUE_LEN_USED, 4, "usedbcqueuelen", "usedbcqueuelen %d "},
	})
	const source = 16 // MACVLAN_MODE_SOURCE
	if a.U32(unix.IFLA_MACVLAN_MODE) != source || !a.Has(unix.IFLA_MACVLAN_MACADDR_COUNT) {
		return
	}
	num(p, "macaddr_count", "remotes (%d) ", a.U32(unix.IFLA_MACVLAN_MACADDR_COUNT))
	if a.U32(unix.IFLA_MACVLAN_MACADDR_COUNT) == 0 {
		return
	}
	p.openArray("macaddr_data", "")
	rtnl.EachAttr(a.Bytes(unix.IFLA_MACVLAN_MACADDR_DATA), func(_ uint16, b []byte) {
		p.item("%s ", net.HardwareAddr(b).String())
	})
	p.closeArray("")
}

func printVlan(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if !a.Has(unix.IFLA_VLAN_ID) {
		return
	}
	if a.Has(unix.IFLA_VLAN_PROTOCOL) {
		switch proto := a.BE16(unix.IFLA_VLAN_PROTOCOL); proto {
		case unix.ETH_P_8021Q:
			p.str("protocol", "protocol %s ", "802.1Q")
		case unix.ETH_P_8021AD:
			p.str("protocol", "protocol %s ", "802.1ad")
		default:
			p.str("protocol", "protocol %s ", fmt.Sprintf("[%d]", proto))
		}
	} else {
		p.str("protocol", "protocol %s ", "802.1q")
	}
	num(p, "id", "id %d ", a.U16(unix.IFLA_VLAN_ID))
	if b := a.Bytes(unix.IFLA_VLAN_FLAGS); len(b) >= 4 {
		printVlanFlags(p, native.Uint32(b))
	}
	printQOS(p, a, unix.IFLA_VLAN_INGRESS_QOS, "ingress_qos", "ingress-qos-map")
	printQOS(p, a, unix.IFLA_VLAN_EGRESS_QOS, "egress_qos", "egress-qos-map")
}

// printQOS prints which priority becomes which (struct ifla_vlan_qos_mapping).
func printQOS(p *printer, a rtnl.Attrs, typ int, key, word string) {
	if !a.Has(typ) {
		return
	}
	p.text("%s", p.nl)
	p.openArray(key, "      "+word+" { ")
	rtnl.EachAttr(a.Bytes(typ), func(_ uint16, b []byte) {
		if len(b) < 8 {
			return
		}
		from, to := native.Uint32(b), native.Uint32(b[4:])
		p.openObject("")
		p.text("%d:%d ", from, to)
		if p.isJSON() {
			num(p, "from", "", from)
			num(p, "to", "", to)
		}
		p.closeObject()
	})
	p.closeArray("} ")
}

func printVlanFlags(p *printer, flags uint32) {
	p.openArray("flags", "<")
	for _, f := range []struct {
		bit  uint32
		name string
	}{{1, "REORDER_HDR"}, {2, "GVRP"}, {8, "MVRP"}, {4, "LOOSE_BINDING"}, {16, "BRIDGE_BINDING"}} {
		if flags&f.bit != 0 {
			flags &^= f.bit
			printFlag(p, f.name, flags != 0)
		}
	}
	if flags != 0 {
		p.item("%s", strconv.FormatUint(uint64(flags), 16))
	}
	p.closeArray("> ")
}

func printIpvlan(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if a.Has(unix.IFLA_IPVLAN_MODE) {
		words := []string{"l2", "l3", "l3s"}
		word := "unknown"
		if m := a.U16(unix.IFLA_IPVLAN_MODE); int(m) < len(words) {
			word = words[m]
		}
		p.str("mode", " mode %s ", word)
	}
	if a.Has(unix.IFLA_IPVLAN_FLAGS) {
		switch flags := a.U16(unix.IFLA_IPVLAN_FLAGS); {
		case flags&1 != 0:
			p.is("private", "private ")
		case flags&2 != 0:
			p.is("vepa", "vepa ")
		default:
			p.is("bridge", "bridge ")
		}
	}
}

// printVxlan prints an overlay.
func printVxlan(s *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if a.U8(unix.IFLA_VXLAN_COLLECT_METADATA) != 0 {
		p.is("external", "external ")
	}
	if a.U8(iflaVxlanVnifilter) != 0 {
		p.is("vnifilter", "vnifilter")
	}
	if a.Has(unix.IFLA_VXLAN_ID) {
		num(p, "id", "id %d ", a.U32(unix.IFLA_VXLAN_ID))
	}
	remote := a.Addr(unix.IFLA_VXLAN_GROUP)
	if !remote.IsValid() {
		remote = a.Addr(iflaVxlanGroup6)
	}
	if remote.IsValid() && !remote.IsUnspecified() {
		key := "remote"
		if remote.IsMulticast() {
			key = "group"
		}
		if remote.Is6() {
			p.str(key+"6", "", remote.String())
		} else {
			p.str(key, "", remote.String())
		}
		p.text("%s %s ", key, remote)
	}
	local := a.Addr(unix.IFLA_VXLAN_LOCAL)
	if !local.IsValid() {
		local = a.Addr(iflaVxlanLocal6)
	}
	if local.IsValid() && !local.IsUnspecified() {
		key := "local"
		if local.Is6() {
			key = "local6"
		}
		p.str(key, "local %s ", local.String())
	}
	if link := a.U32(unix.IFLA_VXLAN_LINK); link != 0 {
		p.str("link", "dev %s ", s.nameOf(int(link)))
	}
	if b := a.Bytes(unix.IFLA_VXLAN_PORT_RANGE); len(b) >= 4 {
		low, high := uint16(b[0])<<8|uint16(b[1]), uint16(b[2])<<8|uint16(b[3])
		p.openObject("port_range")
		num(p, "low", "srcport %d ", low)
		num(p, "high", "%d ", high)
		p.closeObject()
	}
	if a.Has(unix.IFLA_VXLAN_PORT) {
		num(p, "port", "dstport %d ", a.BE16(unix.IFLA_VXLAN_PORT))
	}
	printVxlanFlags(p, a)
}

func printVxlanFlags(p *printer, a rtnl.Attrs) {
	if a.Has(unix.IFLA_VXLAN_LEARNING) {
		text := ""
		if a.U8(unix.IFLA_VXLAN_LEARNING) == 0 {
			text = "nolearning "
		}
		p.boolean("learning", text, a.U8(unix.IFLA_VXLAN_LEARNING) != 0)
	}
	for _, f := range []struct {
		typ       int
		key, text string
	}{{unix.IFLA_VXLAN_PROXY, "proxy", "proxy "}, {unix.IFLA_VXLAN_RSC, "rsc", "rsc "}, {unix.IFLA_VXLAN_L2MISS, "l2miss", "l2miss "}, {unix.IFLA_VXLAN_L3MISS, "l3miss", "l3miss "}} {
		if a.U8(f.typ) != 0 {
			p.is(f.key, f.text)
		}
	}
	if a.Has(unix.IFLA_VXLAN_TOS) {
		if tos := a.U8(unix.IFLA_VXLAN_TOS); p.isJSON() && tos != 0 || tos > 1 {
			p.hexa("tos", "tos 0x%x ", uint64(tos))
		} else if tos == 1 {
			p.text("tos inherit ")
		}
	}
	inherit := a.U8(unix.IFLA_VXLAN_TTL_INHERIT) != 0
	switch ttl := a.U8(unix.IFLA_VXLAN_TTL); {
	case inherit:
		p.str("ttl", "ttl %s ", "inherit")
	case ttl != 0 || p.isJSON():
		num(p, "ttl", "ttl %d ", ttl)
	default:
		p.text("ttl auto ")
	}
	if a.Has(unix.IFLA_VXLAN_DF) {
		words := []string{"unset", "set", "inherit"}
		if df := int(a.U8(unix.IFLA_VXLAN_DF)); df < len(words) {
			if p.isJSON() || df > 0 {
				p.str("df", "df %s ", words[df])
			}
		}
	}
	if label := a.BE32(unix.IFLA_VXLAN_LABEL); label != 0 {
		p.hexa("label", "flowlabel %#x ", uint64(label))
	}
	if a.Has(unix.IFLA_VXLAN_AGEING) {
		if age := a.U32(unix.IFLA_VXLAN_AGEING); age == 0 {
			num(p, "ageing", "ageing none ", age)
		} else {
			num(p, "ageing", "ageing %d ", age)
		}
	}
	if limit := a.U32(unix.IFLA_VXLAN_LIMIT); limit != 0 {
		num(p, "limit", "maxaddr %d ", limit)
	}
	for _, f := range []struct {
		typ       int
		key, text string
	}{{unix.IFLA_VXLAN_UDP_CSUM, "udp_csum", "udpcsum "}, {unix.IFLA_VXLAN_UDP_ZERO_CSUM6_TX, "udp_zero_csum6_tx", "udp6zerocsumtx "}, {unix.IFLA_VXLAN_UDP_ZERO_CSUM6_RX, "udp_zero_csum6_rx", "udp6zerocsumrx "}} {
		if a.Has(f.typ) {
			text := f.text
			if a.U8(f.typ) == 0 {
				text = "no" + text
			}
			p.boolean(f.key, text, a.U8(f.typ) != 0)
		}
	}
	for _, f := range []struct {
		typ       int
		key, text string
	}{{unix.IFLA_VXLAN_REMCSUM_TX, "remcsum_tx", "remcsumtx "}, {unix.IFLA_VXLAN_REMCSUM_RX, "remcsum_rx", "remcsumrx "}} {
		if a.U8(f.typ) != 0 {
			p.is(f.key, f.text)
		}
	}
	if a.Has(unix.IFLA_VXLAN_GBP) {
		p.is("gbp", "gbp ")
	}
	if a.Has(unix.IFLA_VXLAN_GPE) {
		p.is("gpe", "gpe ")
	}
}
