package iproute

import (
	"fmt"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Messages about the multicast groups of a bridge (linux/if_bridge.h).
const (
	mdbaSetEntry      = 1 // struct br_mdb_entry
	mdbaSetEntryAttrs = 2
	mdbeAttrSource    = 1

	mdbEntryLen = 28

	mdbaMDB          = 1
	mdbaRouter       = 2
	mdbaMDBEntry     = 1
	mdbaMDBEntryInfo = 1
	mdbaRouterPort   = 1

	mdbPermanent = 1
)

// mdbObject is "bridge mdb".
func mdbObject(s *session, w *words) {
	verbs := []verb{
		{"show", mdbShow},
		{"add", func(s *session, w *words) { mdbModify(s, w, unix.RTM_NEWMDB, netlink.Create|netlink.Excl) }},
		{"delete", func(s *session, w *words) { mdbModify(s, w, unix.RTM_DELMDB, 0) }},
		{"lst", mdbShow},
		{"list", mdbShow},
		{"help", func(*session, *words) { usageOf(mdbUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownBridgeVerb("mdb", word)
	}
}

func mdbModify(s *session, w *words, typ int, flags netlink.HeaderFlags) {
	var dev, port, group, source string
	var state uint8
	vid := uint16(0)
	for w.more() {
		switch word := w.peek(); word {
		case "dev":
			dev = w.next()
		case "grp":
			group = w.next()
		case "port":
			port = w.next()
		case "permanent":
			state |= mdbPermanent
		case "temp":
			state &^= mdbPermanent
		case "vid":
			vid = uint16(atoi(w.next()))
		case "src":
			source = w.next()
		default:
			if matches(word, "help") {
				usageOf(mdbUsage)
			}
		}
		w.skip()
	}
	if dev == "" || group == "" || port == "" {
		fail(exitFailed, "Device, group address and port name are required arguments.")
	}
	index, portIndex := s.device(dev), s.device(port)
	entry := make([]byte, mdbEntryLen)
	native.PutUint32(entry, portIndex)
	entry[4] = state
	native.PutUint16(entry[6:], vid)
	putGroup(entry, group)
	m := rtnl.NewMessage(rtnl.BrPortLen)
	m.Bytes(mdbaSetEntry, entry)
	if source != "" {
		a, err := netip.ParseAddr(source)
		if err != nil || a.Zone() != "" {
			fail(exitFailed, "Invalid source address \"%s\"", source)
		}
		at := m.Begin(mdbaSetEntryAttrs)
		m.Addr(mdbeAttrSource, a)
		m.End(at)
	}
	m.Head()[0] = unix.AF_BRIDGE
	native.PutUint32(m.Head()[4:], index)
	s.do(m.Request(typ, flags))
}

// putGroup writes the union of addresses and the protocol that says which it is.
func putGroup(entry []byte, group string) {
	proto := entry[24:26]
	if a, err := netip.ParseAddr(group); err == nil && a.Zone() == "" {
		copy(entry[8:], a.AsSlice())
		if a.Is4() {
			proto[0], proto[1] = unix.ETH_P_IP>>8, unix.ETH_P_IP&0xff
		} else {
			proto[0], proto[1] = unix.ETH_P_IPV6>>8, unix.ETH_P_IPV6&0xff
		}
		return
	}
	hw, ok := parseHW(group)
	switch {
	case !ok:
		fail(exitFailed, "\"%s\" is invalid lladdr.\nInvalid address \"%s\"", group, group)
	case len(hw) != 6:
		fail(exitFailed, "Invalid address \"%s\"", group)
	}
	copy(entry[8:], hw)
}

// An mdbPrinter prints groups and the ports behind which routers are.
type mdbPrinter struct {
	s           *session
	p           *printer
	index, vlan int
	monitor     bool
}

func mdbShow(s *session, w *words) {
	v := &mdbPrinter{s: s}
	v.index, v.vlan = portFilter(s, w)
	m := rtnl.NewMessage(rtnl.BrPortLen)
	m.Head()[0] = unix.AF_BRIDGE
	req, err := m.Request(unix.RTM_GETMDB, 0)
	if err != nil {
		die("%v", err)
	}
	v.p = s.out()
	msgs := s.dump(req)
	v.p.openObject("")
	v.p.openArray("mdb", "")
	for _, msg := range msgs {
		v.groups(msg.Data)
	}
	v.p.closeArray("")
	v.p.openObject("router")
	for _, msg := range msgs {
		v.routers(msg.Data)
	}
	v.p.closeObject()
	v.p.closeObject()
}

// attrs are a message's, when the filter lets it through.
func (v *mdbPrinter) attrs(data []byte) (rtnl.Attrs, int, bool) {
	if len(data) < rtnl.BrPortLen {
		return rtnl.Attrs{}, 0, false
	}
	index := int(native.Uint32(data[4:]))
	return rtnl.ParseAttrs(data[rtnl.BrPortLen:]), index, v.index == 0 || v.index == index
}

func (v *mdbPrinter) groups(data []byte) {
	a, index, ok := v.attrs(data)
	if !ok {
		return
	}
	rtnl.EachAttr(a.Bytes(mdbaMDB), func(typ uint16, entry []byte) {
		if typ != mdbaMDBEntry {
			return
		}
		rtnl.EachAttr(entry, func(typ uint16, b []byte) {
			if typ == mdbaMDBEntryInfo && len(b) >= mdbEntryLen {
				v.group(index, b[:mdbEntryLen], rtnl.ParseAttrs(b[mdbEntryLen:]))
			}
		})
	})
}

func mdbTimer(hundredths uint32) string {
	return fmt.Sprintf("%4d.%02d", hundredths/100, hundredths%100)
}

// group prints struct br_mdb_entry and its attributes (MDBA_MDB_EATTR_*).
func (v *mdbPrinter) group(index int, e []byte, a rtnl.Attrs) {
	const timer, srcList, mode, source, proto = 1, 2, 3, 4, 5
	vid := native.Uint16(e[6:])
	if v.vlan != 0 && v.vlan != int(vid) {
		return
	}
	p := v.p
	p.openObject("")
	v.s.printDeleted(p)
	num(p, "index", "", index)
	p.colored(colorName, "dev", "dev %s", v.s.nameOf(index))
	p.str("port", " port %s", v.s.nameOf(int(native.Uint32(e))))
	grp, color := groupAddr(e)
	p.colored(color, "grp", " grp %s", grp)
	if a.Has(source) {
		p.colored(color, "src", " src %s", a.Addr(source).String())
	}
	word := "temp"
	if e[4]&mdbPermanent != 0 {
		word = "permanent"
	}
	p.str("state", " %s", word)
	if v.s.opt.details {
		if a.Has(mode) {
			word := "include"
			if a.U8(mode) == 0 {
				word = "exclude"
			}
			p.str("filter_mode", " filter_mode %s", word)
		}
		if a.Has(srcList) {
			v.sources(a.Bytes(srcList), color)
		}
		if a.Has(proto) {
			p.str("protocol", " proto %s ", protocolName(v.s, a.U8(proto)))
		}
	}
	p.openArray("flags", "")
	for i, name := range []string{"offload", "fast_leave", "added_by_star_ex", "blocked"} {
		if e[5]&(1<<i) != 0 {
			p.item(" %s", name)
		}
	}
	p.closeArray("")
	if vid != 0 {
		num(p, "vid", " vid %d", vid)
	}
	if v.s.opt.stats > 0 && a.Has(timer) {
		p.str("timer", " %s", mdbTimer(a.U32(timer)))
	}
	p.text("%s", p.nl)
	p.closeObject()
}

// groupAddr is an address of Internet's protocols or of Ethernet.
func groupAddr(e []byte) (string, string) {
	switch uint16(e[24])<<8 | uint16(e[25]) {
	case unix.ETH_P_IP:
		return netip.AddrFrom4([4]byte(e[8:12])).String(), colorInet
	case unix.ETH_P_IPV6:
		return netip.AddrFrom16([16]byte(e[8:24])).String(), colorInet6
	}
	return hwAddr(e[8:14], 0), ""
}

// sources prints the list of sources that are listened to, or not.
func (v *mdbPrinter) sources(list []byte, color string) {
	const entryType, address, timer = 1, 1, 2
	v.p.openArray("source_list", " source_list")
	sep := " "
	rtnl.EachAttr(list, func(typ uint16, b []byte) {
		a := rtnl.ParseAttrs(b)
		if typ != entryType || !a.Has(address) {
			return
		}
		v.p.openObject("")
		v.p.text("%s", sep)
		v.p.colored(color, "address", "%s", a.Addr(address).String())
		v.p.str("timer", "/%s", mdbTimer(a.U32(timer)))
		v.p.closeObject()
		sep = ","
	})
	v.p.closeArray("")
}

// routers prints the ports behind which there is a multicast router; without -d they are of no interest.
func (v *mdbPrinter) routers(data []byte) {
	a, index, ok := v.attrs(data)
	if !ok || !v.monitor && !v.s.opt.details || !a.Has(mdbaRouter) {
		return
	}
	v.routerPorts(a.Bytes(mdbaRouter), v.s.nameOf(index))
}

func (v *mdbPrinter) routerPorts(list []byte, bridge string) {
	const timer, kind, multicastTemp = 1, 2, 3
	p, stats := v.p, v.s.opt.stats > 0
	p.openArray(bridge, "")
	v.s.printDeleted(p)
	if !stats {
		p.text("router ports on %s: ", bridge)
	}
	rtnl.EachAttr(list, func(typ uint16, b []byte) {
		if typ != mdbaRouterPort || len(b) < 4 {
			return
		}
		a := rtnl.ParseAttrs(b[4:])
		port := v.s.nameOf(int(native.Uint32(b)))
		p.openObject("")
		if stats {
			p.text("router ports on %s: ", bridge)
		}
		if p.isJSON() || !stats {
			p.str("port", "%s ", port)
		} else {
			p.text("%s", port)
		}
		if stats {
			if a.Has(timer) {
				p.str("timer", " %s", mdbTimer(a.U32(timer)))
			}
			if a.Has(kind) {
				word := "permanent"
				if t := a.U8(kind); t == 0 || t == multicastTemp || t == 1 {
					word = "temp"
				}
				p.str("type", " %s", word)
			}
			p.text("%s", p.nl)
		}
		p.closeObject()
	})
	if !stats {
		p.text("%s", p.nl)
	}
	p.closeArray("")
}
