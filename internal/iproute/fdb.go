package iproute

import (
	"net/netip"

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

// An fdbEntry is what the words said of an entry.
type fdbEntry struct {
	dev, addr            string
	flags                uint8
	state                uint16
	hasDst               bool
	dst                  netip.Addr
	vlan                 int // -1 = none
	nhid, port, via      uint32
	vni, srcVNI          uint32
	hasVNI, hasSourceVNI bool
}

func fdbModify(s *session, w *words, typ int, flags netlink.HeaderFlags) {
	e := fdbEntry{state: nudNoARP, vlan: -1}
	for w.more() {
		e.word(s, w)
		w.skip()
	}
	if e.dev == "" || e.addr == "" {
		fail(exitFailed, "Device and address are required arguments.")
	}
	if e.nhid != 0 && (e.hasDst || e.port != 0 || e.hasVNI) {
		fail(exitFailed, "dst, port, vni are mutually exclusive with nhid")
	}
	if e.flags&(unix.NTF_SELF|unix.NTF_MASTER) == 0 {
		e.flags |= unix.NTF_SELF
	}
	if e.state&(nudPermanent|nudReachable) == 0 {
		e.state |= nudPermanent
	}
	m := rtnl.NewMessage(rtnl.NdmsgLen)
	m.Bytes(unix.NDA_LLADDR, fdbMAC(e.addr))
	e.write(m)
	index := s.device(e.dev)
	head := m.Head()
	head[0], head[10] = unix.AF_BRIDGE, e.flags
	native.PutUint32(head[4:], index)
	native.PutUint16(head[8:], e.state)
	s.do(m.Request(typ, flags))
}

func (e *fdbEntry) word(s *session, w *words) {
	vni := func(what string) uint32 {
		n, ok := parseUint(w.next(), 0, 24)
		if !ok {
			invalid(what, w.peek())
		}
		return uint32(n)
	}
	switch word := w.peek(); {
	case word == "dev":
		e.dev = w.next()
	case word == "dst":
		if next := w.next(); e.hasDst {
			garbage("dst", next)
		}
		e.dst, e.hasDst = address(w.peek(), s.opt.family), true
	case word == "nhid":
		e.nhid = u32(w.next(), "\"id\" value is invalid\n")
	case word == "port":
		e.port = fdbPort(w.next())
	case word == "vni":
		e.vni, e.hasVNI = vni("invalid VNI\n"), true
	case word == "src_vni":
		e.srcVNI, e.hasSourceVNI = vni("invalid src VNI\n"), true
	case word == "via":
		if e.via = uint32(s.indexOf(w.next())); e.via == 0 {
			die("Cannot find device \"%s\"", w.peek())
		}
	case matches(word, "vlan"):
		if next := w.next(); e.vlan >= 0 {
			garbage("vlan", next)
		}
		e.vlan = int(int16(atoi(w.peek())))
	case e.kind(word), e.flag(word):
	default:
		if word == "to" {
			word = w.next()
		}
		if matches(word, "help") {
			usageOf(fdbUsage)
		}
		if e.addr != "" {
			garbage("to", word)
		}
		e.addr = word
	}
}

// flag reads one of NTF_*.
func (e *fdbEntry) flag(word string) bool {
	for _, f := range []struct {
		name  string
		whole bool
		bit   uint8
	}{
		{"self", true, unix.NTF_SELF},
		{"master", false, unix.NTF_MASTER},
		{"router", false, unix.NTF_ROUTER},
		{"use", false, unix.NTF_USE},
		{"extern_learn", false, unix.NTF_EXT_LEARNED},
		{"sticky", false, ntfSticky},
	} {
		if word == f.name || !f.whole && matches(word, f.name) {
			e.flags |= f.bit
			return true
		}
	}
	return false
}

// kind reads how long the entry is to stay.
func (e *fdbEntry) kind(word string) bool {
	switch {
	case matches(word, "local"), matches(word, "permanent"):
		e.state |= nudPermanent
	case matches(word, "temp"), matches(word, "static"):
		e.state |= nudReachable
	case matches(word, "dynamic"):
		e.state = (e.state | nudReachable) &^ nudNoARP
	default:
		return false
	}
	return true
}

// fdbPort reads a port of UDP, by number or name.
func fdbPort(word string) uint32 {
	n, ok := parseUint(word, 0, 16)
	if !ok {
		port, known := readServices("/etc/services").byName(word, "udp")
		if !known {
			invalid("invalid port\n", word)
		}
		n = uint64(port)
	}
	return uint32(n)
}

func (e *fdbEntry) write(m *rtnl.Message) {
	if e.hasDst {
		m.Addr(unix.NDA_DST, e.dst)
	}
	if e.vlan >= 0 {
		m.U16(unix.NDA_VLAN, uint16(e.vlan))
	}
	if e.nhid != 0 {
		m.U32(ndaNHID, e.nhid)
	}
	if e.port != 0 {
		m.BE16(unix.NDA_PORT, uint16(e.port))
	}
	if e.hasVNI {
		m.U32(unix.NDA_VNI, e.vni)
	}
	if e.hasSourceVNI {
		m.U32(unix.NDA_SRC_VNI, e.srcVNI)
	}
	if e.via != 0 {
		m.U32(unix.NDA_IFINDEX, e.via)
	}
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
