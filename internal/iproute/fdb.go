package iproute

import (
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
		{"get", fdbGet},
		{"lst", fdbShow},
		{"list", fdbShow},
		{"flush", fdbFlush},
		{"help", func(*session, *words) { usageOf(fdbUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownBridgeVerb("fdb", word)
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
		case word == "nhid":
			m.U32(ndaNHID, u32(w.next(), "\"id\" value is invalid\n"))
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
				usageOf(fdbUsage)
			}
			if mac != nil {
				garbage("to", word)
			}
			mac = fdbMAC(word)
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

// An fdbFilter is what is to be shown.
type fdbFilter struct {
	index, bridge uint32
	vlan          int
	state         uint16 // 0 = all
	dynamic       bool
}

func (s *session) fdbFilter(w *words) *fdbFilter {
	f := &fdbFilter{}
	dev, bridge := "", ""
	for w.more() {
		switch word := w.peek(); {
		case word == "brport", word == "dev":
			dev = w.next()
		case word == "br":
			bridge = w.next()
		case word == "vlan":
			if next := w.next(); f.vlan != 0 {
				duplicate("vlan", next)
			}
			f.vlan = atoi(w.peek())
		case word == "state":
			states := map[string]uint16{"permanent": nudPermanent, "static": nudNoARP, "perm": nudPermanent, "stale": 4, "dynamic": 2, "reachable": 2, "all": 0xffff}
			next := w.next()
			v, ok := states[next]
			if !ok {
				n, isNumber := parseUint(next, 0, 16)
				if v = uint16(n); !isNumber {
					invalid("invalid state", next)
				}
			}
			f.state |= v
		case word == "dynamic":
			f.dynamic = true
		case matches(word, "help"):
			usageOf(fdbUsage)
		}
		w.skip()
	}
	if bridge != "" {
		f.bridge = s.bridgeDevice(bridge, "Cannot find bridge device \"%s\"")
	}
	if dev != "" {
		f.index = s.device(dev)
	}
	return f
}

func (f *fdbFilter) lets(b []byte) bool {
	if len(b) < rtnl.NdmsgLen || b[0] != unix.AF_BRIDGE {
		return false
	}
	state := native.Uint16(b[8:])
	switch {
	case f.index != 0 && native.Uint32(b[4:]) != f.index,
		f.state != 0 && state&f.state == 0,
		f.dynamic && state&(nudPermanent|nudNoARP) != 0:
		return false
	}
	if f.vlan == 0 {
		return true
	}
	return int(rtnl.ParseAttrs(b[rtnl.NdmsgLen:]).U16(unix.NDA_VLAN)) == f.vlan
}

// fdbShow prints the forwarding tables.
func fdbShow(s *session, w *words) {
	f := s.fdbFilter(w)
	m := rtnl.NewMessage(rtnl.NdmsgLen)
	m.Head()[0] = unix.AF_BRIDGE
	native.PutUint32(m.Head()[4:], f.index)
	if f.bridge != 0 {
		m.U32(unix.NDA_MASTER, f.bridge)
	}
	req, err := m.Request(unix.RTM_GETNEIGH, 0)
	if err != nil {
		die("%v", err)
	}
	p := s.out()
	for _, msg := range s.dump(req) {
		if f.lets(msg.Data) {
			s.printFDB(p, msg.Data, f.index != 0)
		}
	}
}

func (s *session) printFDB(p *printer, b []byte, hideDev bool) {
	index, state, flags := native.Uint32(b[4:]), native.Uint16(b[8:]), b[10]
	a := rtnl.ParseAttrs(b[rtnl.NdmsgLen:])
	p.openObject("")
	s.printDeleted(p)
	if ll := a.Bytes(unix.NDA_LLADDR); ll != nil {
		p.colored(colorMAC, "mac", "%s ", hwAddr(ll, 0))
	}
	if !hideDev && index != 0 {
		p.text("dev ")
		p.colored(colorName, "ifname", "%s ", s.nameOf(int(index)))
	}
	if a.Has(unix.NDA_DST) {
		dst := a.Addr(unix.NDA_DST)
		p.text("dst ")
		p.colored(colorOfFamily(familyOfAddr(dst)), "dst", "%s ", dst.String())
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
	if a.Has(ndaNHID) {
		num(p, "nhid", "nhid %d ", a.U32(ndaNHID))
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
