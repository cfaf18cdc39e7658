package iproute

import (
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// showLinkStats prints a link's own counters.
func (s *session) showLinkStats(p *printer, a rtnl.Attrs) {
	p.text("%s", p.nl)
	if b := a.Bytes(statsLink64); b != nil {
		s.showStats64(p, b)
	}
}

// showStats64 prints struct rtnl_link_stats64.
func (s *session) showStats64(p *printer, b []byte) {
	m := rtnl.NewMessage(0)
	m.Bytes(unix.IFLA_STATS64, b)
	l := linkMsg{a: rtnl.ParseAttrs(m.Patch(0))}
	sub := &printer{nl: p.nl, js: p.js, color: p.color, dark: p.dark}
	s.printStats(sub, &l)
	// printStats begins with the end of the line before.
	p.text("%s", sub.b.String()[min(len(p.nl), sub.b.Len()):])
}

// showCPUHit prints what a device could not forward by itself.
func (s *session) showCPUHit(p *printer, a rtnl.Attrs) {
	p.text("%s", p.nl)
	if b := a.Nested(statsOffload).Bytes(offloadCPUHit); b != nil {
		s.showStats64(p, b)
	}
}

// tellStats prints what changed about which counters a device has (RTM_NEWSTATS).
func (s *session) tellStats(p *printer, data []byte) {
	s.printStatsOf(p, data, []statsKind{{show: (*session).showHWInfo}})
}

// printHWInfo prints whether counting was asked for and is done (IFLA_OFFLOAD_XSTATS_HW_S_INFO_*).
func printHWInfo(p *printer, info rtnl.Attrs) {
	const request, used = 1, 2
	if info.Has(request) {
		p.onOff("request", " %s", info.U8(request) != 0)
	}
	if info.Has(used) {
		p.onOff("used", " used %s", info.U8(used) != 0)
	}
}

// showHWInfo prints which counters of its device a link has.
func (s *session) showHWInfo(p *printer, a rtnl.Attrs) {
	offload := a.Nested(statsOffload)
	if !offload.Has(offloadHWInfo) {
		return
	}
	p.text("%s", p.nl)
	p.openObject("info")
	if info := offload.Nested(offloadHWInfo); info.Has(offloadL3) {
		p.text("    l3_stats")
		p.openObject("l3_stats")
		printHWInfo(p, info.Nested(offloadL3))
		p.closeObject()
	}
	p.closeObject()
}

// showL3Stats prints what a device forwarded by itself.
func (s *session) showL3Stats(p *printer, a rtnl.Attrs) {
	offload := a.Nested(statsOffload)
	if !offload.Has(offloadHWInfo) {
		return
	}
	p.openObject("info")
	printHWInfo(p, offload.Nested(offloadHWInfo).Nested(offloadL3))
	p.closeObject()
	if b := offload.Bytes(offloadL3); b != nil {
		p.text("%s", p.nl)
		p.openObject("stats64")
		s.printColumns(p, b, []string{"bytes", "packets", "errors", "dropped", "multicast"}, "mcast", 7)
		p.closeObject()
	}
}

// showMPLSStats prints what passed as MPLS (struct mpls_link_stats).
func (s *session) showMPLSStats(p *printer, a rtnl.Attrs) {
	b := a.Nested(statsAFSpec).Nested(unix.AF_MPLS).Bytes(1)
	if b == nil {
		return
	}
	p.text("%s", p.nl)
	p.openObject("mpls_stats")
	s.printColumns(p, b, []string{"bytes", "packets", "errors", "dropped", "noroute"}, "noroute", 7)
	p.closeObject()
}

// printColumns prints numbers of packets, bytes, errors and drops, received and sent in turn, and one of what was received at the
// end, whose column has a title and a least width.
func (s *session) printColumns(p *printer, b []byte, keys []string, title string, least int) {
	at := func(i int) uint64 {
		if len(b) < 8*(i+1) {
			return 0
		}
		return native.Uint64(b[8*i:])
	}
	sides := [2][]uint64{{at(2), at(0), at(4), at(6), at(8)}, {at(3), at(1), at(5), at(7)}}
	names := []string{"bytes", "packets", "errors", "dropped", title}
	width := []int{9, 7, 6, 7, least}
	for _, side := range sides {
		for i, v := range side {
			width[i] = max(width[i], len(s.amount(v)))
		}
	}
	for n, side := range sides {
		p.openObject([]string{"rx", "tx"}[n])
		if n == 1 {
			p.text("%s", p.nl)
		}
		p.text("    %s:", []string{"RX", "TX"}[n])
		for i := range side {
			w := width[i]
			if i == 0 {
				w -= 4
			}
			p.text(" %*s", w, names[i])
		}
		p.text("%s    ", p.nl)
		for i, v := range side {
			p.text("%*s ", width[i], s.amount(v))
			num(p, keys[i], "", v)
		}
		p.closeObject()
	}
}

// printBondStats prints counters of the link aggregation protocol (BOND_3AD_STAT_*).
func printBondStats(p *printer, a rtnl.Attrs) {
	p.openObject("802.3ad")
	for i, c := range [][2]string{
		{"lacpdu_rx", "LACPDU Rx"},
		{"lacpdu_tx", "LACPDU Tx"},
		{"lacpdu_unknown_rx", "LACPDU Unknown type Rx"},
		{"lacpdu_illegal_rx", "LACPDU Illegal Rx"},
		{"marker_rx", "Marker Rx"},
		{"marker_tx", "Marker Tx"},
		{"marker_response_rx", "Marker response Rx"},
		{"marker_response_tx", "Marker response Tx"},
		{"marker_unknown_rx", "Marker unknown type Rx"},
	} {
		if a.Has(i) {
			num(p, c[0], statIndent+c[1]+" %d\n", a.U64(i))
		}
	}
	p.closeObject()
}
