package iproute

import (
	"net"

	"golang.org/x/sys/unix"

	"github.com/mdlayher/netlink"

	"warren/internal/rtnl"
)

// ntfSticky is NTF_STICKY (linux/neighbour.h), which package unix does not name.
const ntfSticky = 0x40

// fdbObject is "bridge fdb".
func fdbObject(s *session, w *words) {
	modify := func(typ int, flags netlink.HeaderFlags) func(*session, *words) {
		return func(s *session, w *words) { fdbModify(s, w, typ, flags) }
	}
	verbs := []verb{
		{"show", fdbShow},
		{"add", modify(unix.RTM_NEWNEIGH, netlink.Create|netlink.Excl)},
		{"append", modify(unix.RTM_NEWNEIGH, netlink.Create|netlink.Append)},
		{"replace", modify(unix.RTM_NEWNEIGH, netlink.Create|netlink.Replace)},
		{"delete", modify(unix.RTM_DELNEIGH, 0)},
		{"get", unknownBridge("fdb get")},
		{"lst", fdbShow},
		{"list", fdbShow},
		{"flush", unknownBridge("fdb flush")},
		{"help", func(*session, *words) { usageOf(bridgeUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		die("Command \"%s\" is unknown, try \"bridge fdb help\".", word)
	}
}

func fdbModify(s *session, w *words, typ int, flags netlink.HeaderFlags) {
	m := rtnl.NewMessage(rtnl.NdmsgLen)
	ndFlags, state, dev := uint8(0), uint16(0), ""
	var mac []byte
	for w.more() {
		switch word := w.peek(); {
		case word == "dev":
			dev = w.next()
		case word == "dst":
			m.Addr(unix.NDA_DST, address(w.next(), 0))
		case word == "port":
			m.BE16(unix.NDA_PORT, u16(w.next(), "invalid port"))
		case word == "vni":
			m.U32(unix.NDA_VNI, u32(w.next(), "invalid VNI\n"))
		case word == "src_vni":
			m.U32(unix.NDA_SRC_VNI, u32(w.next(), "invalid src VNI\n"))
		case word == "via":
			m.U32(unix.NDA_IFINDEX, s.device(w.next()))
		case matches(word, "vlan"):
			m.U16(unix.NDA_VLAN, u16(w.next(), "invalid vlan"))
		case word == "self":
			ndFlags |= unix.NTF_SELF
		case matches(word, "master"):
			ndFlags |= unix.NTF_MASTER
		case matches(word, "router"):
			ndFlags |= unix.NTF_ROUTER
		case matches(word, "local"), matches(word, "permanent"):
			state |= nudPermanent
		case matches(word, "temp"), matches(word, "static"):
			state |= 2 | nudNoARP
		case matches(word, "dynamic"):
			state = (state | 2) &^ nudNoARP
		case matches(word, "use"):
			ndFlags |= unix.NTF_USE
		case matches(word, "extern_learn"):
			ndFlags |= unix.NTF_EXT_LEARNED
		case matches(word, "sticky"):
			ndFlags |= ntfSticky
		default:
			if word == "to" {
				word = w.next()
			}
			if matches(word, "help") {
				usageOf(bridgeUsage)
			}
			if mac != nil {
				garbage("to", word)
			}
			hw, err := net.ParseMAC(word)
			if err != nil || len(hw) != 6 {
				fail(exitFailed, "Invalid mac address %s", word)
			}
			mac = hw
		}
		w.skip()
	}
	if dev == "" || mac == nil {
		die("Device and address are required arguments.")
	}
	if ndFlags&(unix.NTF_SELF|unix.NTF_MASTER) == 0 {
		ndFlags |= unix.NTF_SELF
	}
	if state&(nudPermanent|nudNoARP|2) == 0 {
		state |= nudPermanent
	}
	m.Bytes(unix.NDA_LLADDR, mac)
	index := s.device(dev)
	head := m.Head()
	head[0], head[10] = unix.AF_BRIDGE, ndFlags
	native.PutUint32(head[4:], index)
	native.PutUint16(head[8:], state)
	s.do(m.Request(typ, flags))
}

// fdbShow prints the forwarding tables.
func fdbShow(s *session, w *words) {
	var index, bridge uint32
	for w.more() {
		switch word := w.peek(); word {
		case "brport", "dev":
			index = s.device(w.next())
		case "br":
			bridge = s.device(w.next())
		default:
			die("bridge fdb show %s is not supported by this version of warren: use iproute2's own bridge for it.", word)
		}
		w.skip()
	}
	// The kernel filters by a link's index and by its master only in the old form of the request, that of a link.
	m := rtnl.NewMessage(rtnl.NdmsgLen)
	m.Head()[0] = unix.AF_BRIDGE
	native.PutUint32(m.Head()[4:], index)
	if bridge != 0 {
		m.U32(unix.NDA_MASTER, bridge)
	}
	req, err := m.Request(unix.RTM_GETNEIGH, 0)
	if err != nil {
		die("%v", err)
	}
	p := s.out()
	for _, msg := range s.dump(req) {
		if len(msg.Data) >= rtnl.NdmsgLen && msg.Data[0] == unix.AF_BRIDGE && (index == 0 || native.Uint32(msg.Data[4:]) == index) {
			s.printFDB(p, msg.Data, index != 0)
		}
	}
}

func (s *session) printFDB(p *printer, b []byte, hideDev bool) {
	index, state, flags := native.Uint32(b[4:]), native.Uint16(b[8:]), b[10]
	a := rtnl.ParseAttrs(b[rtnl.NdmsgLen:])
	p.openObject("")
	if ll := a.Bytes(unix.NDA_LLADDR); ll != nil {
		p.str("mac", "%s ", hwAddr(ll, 0))
	}
	if !hideDev && index != 0 {
		p.text("dev ")
		p.str("ifname", "%s ", s.nameOf(int(index)))
	}
	if a.Has(unix.NDA_DST) {
		p.str("dst", "dst %s ", a.Addr(unix.NDA_DST).String())
	}
	if a.Has(unix.NDA_VLAN) {
		num(p, "vlan", "vlan %d ", a.U16(unix.NDA_VLAN))
	}
	if a.Has(unix.NDA_PORT) {
		num(p, "port", "port %d ", a.BE16(unix.NDA_PORT))
	}
	if a.Has(unix.NDA_VNI) {
		num(p, "vni", "vni %d ", a.U32(unix.NDA_VNI))
	}
	if a.Has(unix.NDA_SRC_VNI) {
		num(p, "src_vni", "src_vni %d ", a.U32(unix.NDA_SRC_VNI))
	}
	if via := a.U32(unix.NDA_IFINDEX); via != 0 {
		p.str("viaIf", "via %s ", s.nameOf(int(via)))
	}
	if c := a.Bytes(unix.NDA_CACHEINFO); s.opt.stats > 0 && len(c) >= 12 {
		const ticks = 100 // of a second
		num(p, "used", "used %d", native.Uint32(c[4:])/ticks)
		num(p, "updated", "/%d ", native.Uint32(c[8:])/ticks)
	}
	p.openArray("flags", "")
	for _, f := range []struct {
		bit  uint8
		name string
	}{{unix.NTF_SELF, "self"}, {unix.NTF_ROUTER, "router"}, {unix.NTF_EXT_LEARNED, "extern_learn"}, {unix.NTF_OFFLOADED, "offload"}, {unix.NTF_MASTER, "master"}, {ntfSticky, "sticky"}} {
		if flags&f.bit != 0 {
			p.item("%s ", f.name)
		}
	}
	p.closeArray("")
	if a.Has(unix.NDA_MASTER) {
		p.str("master", "master %s ", s.nameOf(int(a.U32(unix.NDA_MASTER))))
	}
	p.str("state", "%s", fdbState(state))
	p.text("\n")
	p.closeObject()
}

func fdbState(state uint16) string {
	switch {
	case state&nudPermanent != 0:
		return "permanent"
	case state&nudNoARP != 0:
		return "static"
	case state&4 != 0:
		return "stale"
	}
	return ""
}
