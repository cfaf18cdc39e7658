package iproute

import (
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// What "bridge vlan" shows.
const (
	showVlans = iota
	showTunnels
	showGlobals
)

// vlanIDWidth is the width of a column of VLANs.
const vlanIDWidth = 9

// A vlanPrinter prints VLANs; its filter is one VLAN, 0 for all.
type vlanPrinter struct {
	s     *session
	p     *printer
	index int
	vlan  int
	last  int // the link whose counters were printed last
}

// portFilter reads "dev DEV" and "vid VID", each at most once; 0 = all. Other words are passed over, as bridge does.
func portFilter(s *session, w *words) (index, vlan int) {
	dev := ""
	for w.more() {
		switch w.peek() {
		case "dev":
			if next := w.next(); dev != "" {
				duplicate("dev", next)
			}
			dev = w.peek()
		case "vid":
			if next := w.next(); vlan != 0 {
				duplicate("vid", next)
			}
			vlan = atoi(w.peek())
		}
		w.skip()
	}
	if dev != "" {
		index = int(s.device(dev))
	}
	return index, vlan
}

func vlanShow(s *session, w *words, what int) {
	v := &vlanPrinter{s: s, last: -1}
	v.index, v.vlan = portFilter(s, w)
	v.p = s.out()
	switch {
	case what == showGlobals:
		v.title(false)
		v.database(what, vlandbDumpGlobal)
	case what == showVlans && s.opt.details:
		v.title(false)
		flags := uint32(0)
		if s.opt.stats > 0 {
			flags = vlandbDumpStats
		}
		v.database(what, flags)
	case s.opt.stats > 0:
		v.p.text("%-16s  %s", "port", "vlan-id\n")
		v.counters(statsXstats)
		v.counters(statsXstatsSlave)
	default:
		v.title(what == showTunnels)
		for _, msg := range s.dump(s.bridgeLinks(true)) {
			v.link(msg.Data, what)
		}
	}
}

func (v *vlanPrinter) title(tunnel bool) {
	v.p.text("%-16s  %-*s", "port", vlanIDWidth, "vlan-id")
	if tunnel {
		v.p.text("  tunnel-id")
	}
	v.p.text("\n")
}

// link prints the VLANs that a port's message tells.
func (v *vlanPrinter) link(data []byte, what int) {
	l, ok := readLink(data)
	if !ok || l.family != unix.AF_BRIDGE || v.index != 0 && v.index != l.index || !l.a.Has(unix.IFLA_AF_SPEC) {
		return
	}
	if what == showTunnels {
		v.tunnels(l.a.Bytes(unix.IFLA_AF_SPEC), l.index)
		return
	}
	v.links(l.a.Bytes(unix.IFLA_AF_SPEC), l.index)
}

func (v *vlanPrinter) open(index int, key string) {
	v.p.openObject("")
	v.p.colored(colorName, "ifname", "%-16s  ", v.s.nameOf(index))
	v.p.openArray(key, "")
}

func (v *vlanPrinter) closePort() {
	v.p.closeArray("")
	v.p.closeObject()
}

// lets tells whether a VLAN is to be printed (1), to be passed over (0) or behind all of them (-1).
func (v *vlanPrinter) lets(vid int, flags uint16) int {
	switch {
	case v.vlan != 0 && vid > v.vlan && flags&vlanRangeEnd == 0:
		return -1
	case flags&vlanRangeBegin != 0, vid < v.vlan:
		return 0
	}
	return 1
}

// links prints IFLA_BRIDGE_VLAN_INFO.
func (v *vlanPrinter) links(spec []byte, index int) {
	opened, over, start := false, false, 0
	rtnl.EachAttr(spec, func(typ uint16, b []byte) {
		if typ != bridgeVlanInfo || len(b) < 4 || over {
			return
		}
		flags, vid := native.Uint16(b), int(native.Uint16(b[2:]))
		if flags&vlanRangeEnd == 0 {
			start = vid
		}
		switch v.lets(vid, flags) {
		case -1:
			over = true
			return
		case 0:
			return
		}
		if opened {
			v.p.text("%-16s  ", "")
		} else {
			v.open(index, "vlans")
			opened = true
		}
		v.p.openObject("")
		v.span("vlan", uint32(start), uint32(vid))
		v.flags(flags)
		v.p.closeObject()
		v.p.text("%s", v.p.nl)
	})
	if opened {
		v.closePort()
	}
}

// tunnels prints IFLA_BRIDGE_VLAN_TUNNEL_INFO.
func (v *vlanPrinter) tunnels(spec []byte, index int) {
	const attrID, attrVid, attrFlags = 1, 2, 3
	opened, over, start, startID := false, false, 0, uint32(0)
	rtnl.EachAttr(spec, func(typ uint16, b []byte) {
		a := rtnl.ParseAttrs(b)
		if typ != bridgeVlanTunnelInfo || !a.Has(attrVid) || over {
			return
		}
		vid, id, flags := int(a.U16(attrVid)), a.U32(attrID), a.U16(attrFlags)
		if flags&vlanRangeEnd == 0 {
			start, startID = vid, id
		}
		switch v.lets(vid, flags) {
		case -1:
			over = true
			return
		case 0:
			return
		}
		if opened {
			v.p.text("%-16s  ", "")
		} else {
			v.open(index, "tunnels")
			opened = true
		}
		v.p.openObject("")
		width := v.span("vlan", uint32(start), uint32(vid))
		v.p.text("%*s  ", max(0, vlanIDWidth-width), "")
		v.span("tunid", startID, id)
		v.p.closeObject()
		v.p.text("%s", v.p.nl)
	})
	if opened {
		v.closePort()
	}
}

// span prints "5" or "5-9" and returns its width.
func (v *vlanPrinter) span(key string, from, to uint32) int {
	num(v.p, key, "%d", from)
	width := len(strconv.FormatUint(uint64(from), 10))
	if from != to {
		num(v.p, key+"End", "-%d", to)
		width += 1 + len(strconv.FormatUint(uint64(to), 10))
	}
	return width
}

func (v *vlanPrinter) flags(flags uint16) {
	if flags&(vlanPVID|vlanUntagged) == 0 && flags == 0 {
		return
	}
	v.p.openArray("flags", "")
	if flags&vlanPVID != 0 {
		v.p.item(" %s", "PVID")
	}
	if flags&vlanUntagged != 0 {
		v.p.item(" %s", "Egress Untagged")
	}
	v.p.closeArray("")
}

// database prints what RTM_GETVLAN tells: options of VLANs, or those of the whole bridge.
func (v *vlanPrinter) database(what int, flags uint32) {
	m := rtnl.NewMessage(brVlanLen)
	m.Head()[0] = unix.AF_BRIDGE
	m.U32(vlandbDumpFlags, flags)
	req, err := m.Request(rtmGetVlan, 0)
	if err != nil {
		die("%v", err)
	}
	for _, msg := range v.s.dump(req) {
		v.message(msg.Data, what, false)
	}
}

// message prints a message of the database of VLANs.
func (v *vlanPrinter) message(data []byte, what int, monitor bool) {
	if len(data) < brVlanLen || data[0] != unix.AF_BRIDGE {
		return
	}
	index := int(native.Uint32(data[4:]))
	if v.index != 0 && v.index != index {
		return
	}
	opened := false
	rtnl.EachAttr(data[brVlanLen:], func(typ uint16, b []byte) {
		if typ != vlandbEntry && typ != vlandbGlobal || !monitor && (typ == vlandbGlobal) != (what == showGlobals) {
			return
		}
		if !v.shown(typ, b) {
			return
		}
		switch {
		case !opened:
			v.open(index, "vlans")
			opened = true
		default:
			v.p.text("%-16s  ", "")
		}
		v.p.openObject("")
		if typ == vlandbEntry {
			v.options(rtnl.ParseAttrs(b))
		} else {
			v.globals(b)
		}
		v.p.closeObject()
	})
	if opened {
		v.closePort()
	}
}

// shown asks the filter.
func (v *vlanPrinter) shown(typ uint16, b []byte) bool {
	a := rtnl.ParseAttrs(b)
	if typ == vlandbGlobal {
		return v.lets(max(int(a.U16(vlanGlobalID)), int(a.U16(vlanGlobalRange))), 0) == 1
	}
	info := a.Bytes(vlanEntryInfo)
	if len(info) < 4 {
		return false
	}
	return v.lets(max(int(native.Uint16(info[2:])), int(a.U16(vlanEntryRange))), native.Uint16(info)) == 1
}

// counters prints IFLA_STATS_LINK_XSTATS or the same of ports.
func (v *vlanPrinter) counters(which int) {
	for _, msg := range v.s.dump(statsRequest(v.s, 0, 1<<(which-1))) {
		if len(msg.Data) < ifStatsLen {
			continue
		}
		index := int(native.Uint32(msg.Data[4:]))
		if v.index != 0 && v.index != index {
			continue
		}
		a := rtnl.ParseAttrs(msg.Data[ifStatsLen:])
		for _, typ := range []int{statsXstats, statsXstatsSlave} {
			if a.Has(typ) {
				v.xstats(a.Nested(typ).Bytes(xstatsBridge), index)
			}
		}
	}
}
