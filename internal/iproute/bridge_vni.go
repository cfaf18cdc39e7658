package iproute

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Messages about the VNIs that a vxlan device lets through (linux/rtnetlink.h, linux/if_link.h; Linux 5.18).
const (
	rtmNewTunnel = 120
	rtmDelTunnel = 121
	rtmGetTunnel = 122

	tunnelLen = 8 // struct tunnel_msg

	vnifilterEntry = 1 // VXLAN_VNIFILTER_ENTRY
	vniStart       = 1
	vniEnd         = 2
	vniGroup       = 3
	vniGroup6      = 4
	vniStats       = 5

	tunnelFlagStats = 1
)

// vniObject is "bridge vni"; its verbs are not to be shortened.
func vniObject(s *session, w *words) {
	if !w.more() {
		vniShow(s, w)
		return
	}
	switch word := w.take(); word {
	case "add":
		vniModify(s, w, rtmNewTunnel)
	case "delete":
		vniModify(s, w, rtmDelTunnel)
	case "show", "lst", "list":
		vniShow(s, w)
	case "help":
		usageOf(vniUsage)
	default:
		unknownBridgeVerb("vni", word)
	}
}

func vniModify(s *session, w *words, typ int) {
	dev, list, said := "", "", false
	var group *netip.Addr
	for w.more() {
		switch word := w.peek(); word {
		case "dev":
			dev = w.next()
		case "vni":
			if next := w.next(); said {
				invalid("duplicate vni", next)
			}
			list, said = w.peek(), true
		case "group", "remote":
			if group != nil {
				invalid("duplicate group", word)
			}
			a := address(w.next(), 0)
			if word == "group" && !a.IsMulticast() {
				invalid("invalid group address", w.peek())
			}
			group = &a
		default:
			if word == "help" {
				usageOf(vniUsage)
			}
		}
		w.skip()
	}
	if dev == "" || !said {
		fail(exitFailed, "Device and VNI ID are required arguments.")
	}
	m := rtnl.NewMessage(tunnelLen)
	writeVNIs(m, list, group)
	m.Head()[0] = unix.AF_BRIDGE
	native.PutUint32(m.Head()[4:], s.bridgeDevice(dev, "Cannot find vxlan device \"%s\""))
	s.do(m.Request(typ, 0))
}

// writeVNIs writes an entry for each part of a list such as "1,5-9", all with the same partner; what is no number is 0.
func writeVNIs(m *rtnl.Message, list string, group *netip.Addr) {
	for item := range strings.SplitSeq(list, ",") {
		if item == "" {
			continue
		}
		at := m.Begin(vnifilterEntry)
		first, last, ranged := strings.Cut(item, "-")
		m.U32(vniStart, uint32(atoi(first)))
		if ranged && atoi(last) != 0 {
			m.U32(vniEnd, uint32(atoi(last)))
		}
		switch {
		case group == nil:
		case !group.IsValid():
			m.Addr(0, *group) // "any"
		case group.Is4():
			m.Addr(vniGroup, *group)
		default:
			m.Addr(vniGroup6, *group)
		}
		m.End(at)
	}
}

func vniShow(s *session, w *words) {
	index := uint32(0)
	for w.more() {
		if w.peek() == "dev" {
			index = s.device(w.next())
		}
		w.skip()
	}
	m := rtnl.NewMessage(tunnelLen)
	m.Head()[0] = unix.AF_BRIDGE
	if s.opt.stats > 0 {
		m.Head()[1] = tunnelFlagStats
	}
	native.PutUint32(m.Head()[4:], index)
	req, err := m.Request(rtmGetTunnel, 0)
	if err != nil {
		die("%v", err)
	}
	p := s.out()
	p.text("%-16s  %-15s  %-15s\n", "dev", "vni", "group/remote")
	for _, msg := range s.dump(req) {
		s.printVNIs(p, msg.Data)
	}
}

// printVNIs prints what a device lets through.
func (s *session) printVNIs(p *printer, data []byte) {
	if len(data) < tunnelLen || data[0] != unix.AF_BRIDGE {
		return
	}
	opened := false
	rtnl.EachAttr(data[tunnelLen:], func(typ uint16, b []byte) {
		if typ != vnifilterEntry {
			return
		}
		a := rtnl.ParseAttrs(b)
		if opened {
			p.text("%-16s  ", "")
		} else {
			p.openObject("")
			p.colored(colorName, "ifname", "%-16s  ", s.nameOf(int(native.Uint32(data[4:]))))
			p.openArray("vnis", "")
			opened = true
		}
		s.printVNI(p, a)
	})
	if opened {
		p.closeArray("")
		p.closeObject()
		p.text("%s", p.nl)
	}
}

func (s *session) printVNI(p *printer, a rtnl.Attrs) {
	const width = 14 // of the column, less what the last number takes
	p.openObject("")
	from := a.U32(vniStart)
	num(p, "vni", " %d", from)
	pad := width - len(fmt.Sprint(from))
	if to := a.U32(vniEnd); a.Has(vniEnd) && to != from {
		num(p, "vniEnd", "-%d", to)
		pad = width + 1 - len(fmt.Sprint(to))
	}
	p.text("%*s", max(0, pad), "")
	group := a.Addr(vniGroup)
	if !group.IsValid() {
		group = a.Addr(vniGroup6)
	}
	if group.IsValid() {
		key := "remote"
		if group.IsMulticast() {
			key = "group"
		}
		p.str(key, " %s", group.String())
	}
	p.text("%s", p.nl)
	if st := a.Nested(vniStats); a.Has(vniStats) {
		p.openObject("stats")
		// VNIFILTER_ENTRY_STATS_*: bytes, packets, drops, errors of either direction.
		for i, side := range []string{"rx", "tx"} {
			p.text("%-16s   %s: ", "", strings.ToUpper(side))
			for j, what := range []struct{ key, word string }{{"bytes", "bytes"}, {"pkts", "pkts"}, {"drops", "drops"}, {"errors", "errors"}} {
				num(p, side+"_"+what.key, what.word+" %d ", st.U64(1+4*i+j))
			}
			p.text("%s", p.nl)
		}
		p.closeObject()
	}
	p.closeObject()
}
