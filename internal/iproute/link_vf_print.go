package iproute

import (
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// What the kernel tells of a virtual function (IFLA_VF_*, linux/if_link.h): most values follow the function's number.
const (
	vfMac       = 1
	vfVlan      = 2
	vfTxRate    = 3
	vfSpoofchk  = 4
	vfLinkState = 5
	vfRate      = 6
	vfRSSQuery  = 7
	vfStats     = 8
	vfTrust     = 9
	vfNodeGUID  = 10
	vfPortGUID  = 11
	vfVlanList  = 12
	vfBroadcast = 13
)

// printVFs prints the virtual functions of a card.
func (s *session) printVFs(p *printer, l *linkMsg) {
	if !l.a.Has(unix.IFLA_VFINFO_LIST) || !l.a.Has(unix.IFLA_NUM_VF) {
		return
	}
	p.openArray("vfinfo_list", "")
	rtnl.EachAttr(l.a.Bytes(unix.IFLA_VFINFO_LIST), func(_ uint16, b []byte) {
		p.openObject("")
		s.printVF(p, l, rtnl.ParseAttrs(b))
		p.closeObject()
	})
	p.closeArray("")
}

func (s *session) printVF(p *printer, l *linkMsg, vf rtnl.Attrs) {
	mac := vf.Bytes(vfMac)
	if len(mac) < 36 {
		return
	}
	const etherLen, infinibandLen = 6, 20
	n := infinibandLen
	if l.hw == unix.ARPHRD_ETHER {
		n = etherLen
	}
	p.text("%s    ", p.nl)
	num(p, "vf", "vf %d ", native.Uint32(mac))
	p.str("link_type", "    link/%s ", s.hardware(l.hw))
	p.colored(colorMAC, "address", "%s", hwAddr(mac[4:4+n], l.hw))
	if b := vf.Bytes(vfBroadcast); len(b) >= n {
		if l.flags&unix.IFF_POINTOPOINT != 0 {
			p.text(" peer ")
			p.is("link_pointtopoint", "")
		} else {
			p.text(" brd ")
		}
		p.colored(colorMAC, "broadcast", "%s", hwAddr(b[:n], l.hw))
	}
	printVFVlans(p, vf)
	if rate := second(vf, vfTxRate); rate != 0 {
		num(p, "tx_rate", ", tx rate %d (Mbps)", rate)
	}
	if b := vf.Bytes(vfRate); len(b) >= 12 {
		least, most := native.Uint32(b[4:]), native.Uint32(b[8:])
		p.openObject("rate")
		if p.isJSON() || most != 0 {
			num(p, "max_tx", ", max_tx_rate %dMbps", most)
		}
		if p.isJSON() || least != 0 {
			num(p, "min_tx", ", min_tx_rate %dMbps", least)
		}
		p.closeObject()
	}
	printVFSwitch(p, vf, vfSpoofchk, "spoofchk", ", spoof checking ")
	for _, guid := range []struct {
		typ       int
		key, text string
	}{{vfNodeGUID, "node guid", ", NODE_GUID %s"}, {vfPortGUID, "port guid", ", PORT_GUID %s"}} {
		if b := vf.Bytes(guid.typ); len(b) >= 16 {
			v := native.Uint64(b[8:])
			eight := make([]byte, 8)
			for i := range eight {
				eight[i] = byte(v >> (8 * (7 - i)))
			}
			p.str(guid.key, guid.text, hwAddr(eight, unix.ARPHRD_INFINIBAND))
		}
	}
	if vf.Has(vfLinkState) {
		word := "disable"
		switch second(vf, vfLinkState) {
		case 0:
			word = "auto"
		case 1:
			word = "enable"
		}
		p.str("link_state", ", link-state %s", word)
	}
	printVFSwitch(p, vf, vfTrust, "trust", ", trust ")
	printVFSwitch(p, vf, vfRSSQuery, "query_rss_en", ", query_rss ")
	if vf.Has(vfStats) && s.opt.stats > 0 {
		printVFStats(p, vf.Nested(vfStats))
	}
}

// second is the number behind the function's.
func second(vf rtnl.Attrs, typ int) uint32 {
	if b := vf.Bytes(typ); len(b) >= 8 {
		return native.Uint32(b[4:])
	}
	return 0
}

// printVFSwitch prints what is on or off; all ones is "not told".
func printVFSwitch(p *printer, vf rtnl.Attrs, typ int, key, text string) {
	v := second(vf, typ)
	if !vf.Has(typ) || v == ^uint32(0) {
		return
	}
	word := "off"
	if v != 0 {
		word = "on"
	}
	p.boolean(key, text+word, v != 0)
}

func printVFVlans(p *printer, vf rtnl.Attrs) {
	one := func(b []byte) {
		if v := native.Uint32(b[4:]); v != 0 {
			num(p, "vlan", ", vlan %d", v)
		}
		if qos := native.Uint32(b[8:]); qos != 0 {
			num(p, "qos", ", qos %d", qos)
		}
	}
	if !vf.Has(vfVlanList) {
		if b := vf.Bytes(vfVlan); len(b) >= 12 {
			one(b)
		}
		return
	}
	p.openArray("vlan_list", "")
	rtnl.EachAttr(vf.Bytes(vfVlanList), func(_ uint16, b []byte) {
		if len(b) < 14 {
			return
		}
		p.openObject("")
		one(b)
		if proto := uint16(b[12])<<8 | uint16(b[13]); proto != 0 && proto != unix.ETH_P_8021Q {
			p.str("protocol", ", vlan protocol %s", etherTypes()[proto])
		}
		p.closeObject()
	})
	p.closeArray("")
}

// printVFStats prints counters (IFLA_VF_STATS_*).
func printVFStats(p *printer, a rtnl.Attrs) {
	const rxPackets, txPackets, rxBytes, txBytes, broadcast, multicast, rxDropped, txDropped = 0, 1, 2, 3, 4, 5, 7, 8
	type counter struct {
		typ       int
		key, head string
		width     int
	}
	columns := func(object, head string, list []counter) {
		p.openObject(object)
		p.text("%s    %s", p.nl, head)
		for _, c := range list {
			if a.Has(c.typ) || c.typ != rxDropped && c.typ != txDropped {
				p.text("%s", c.head)
				num(p, c.key, "", a.U64(c.typ))
			}
		}
		p.text("%s    ", p.nl)
		for _, c := range list {
			if a.Has(c.typ) || c.typ != rxDropped && c.typ != txDropped {
				p.text("%*d ", c.width, a.U64(c.typ))
			}
		}
		p.closeObject()
	}
	p.openObject("stats")
	columns("rx", "RX: ", []counter{
		{rxBytes, "bytes", "bytes  ", 10},
		{rxPackets, "packets", "packets  ", 8},
		{multicast, "multicast", "mcast   ", 7},
		{broadcast, "broadcast", "bcast ", 7},
		{rxDropped, "dropped", "  dropped ", 8},
	})
	columns("tx", "TX: ", []counter{{txBytes, "tx_bytes", "bytes  ", 10}, {txPackets, "tx_packets", "packets ", 8}, {txDropped, "dropped", "  dropped ", 8}})
	p.closeObject()
}
