package iproute

import (
	"net/netip"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

const mptcpUsage = `Usage: ip mptcp endpoint [ show [ id NUMBER ] ]
       ip mptcp endpoint add ADDRESS [ dev LINK ] [ id NUMBER ] [ port NUMBER ] [ signal | subflow | backup | fullmesh ]...
       ip mptcp endpoint change { id NUMBER | ADDRESS } [ port NUMBER ] { [no]backup | [no]fullmesh }...
       ip mptcp endpoint delete id NUMBER      ip mptcp endpoint flush
       ip mptcp limits [ show | set [ subflows NUMBER ] [ add_addr_accepted NUMBER ] ]
       ip mptcp monitor`

// Commands and attributes of the path manager of multipath TCP (linux/mptcp.h, MPTCP_PM_*).
const (
	mptcpAdd       = 1
	mptcpDel       = 2
	mptcpGet       = 3
	mptcpFlush     = 4
	mptcpSetLimits = 5
	mptcpGetLimits = 6
	mptcpSetFlags  = 7

	mptcpAddr     = 1
	mptcpAccepted = 2
	mptcpSubflows = 3

	mptcpFamily = 1
	mptcpID     = 2
	mptcpAddr4  = 3
	mptcpAddr6  = 4
	mptcpPort   = 5
	mptcpFlags  = 6
	mptcpLink   = 7

	mptcpSignal   = 1
	mptcpBackup   = 4
	mptcpFullmesh = 8
)

// mptcpFlagNames are the flags of an endpoint, from the lowest bit.
func mptcpFlagNames() []string {
	return []string{"signal", "subflow", "backup", "fullmesh", "implicit"}
}

// mptcpObject is "ip mptcp".
func mptcpObject(s *session, w *words) {
	if !w.more() {
		usageOf(mptcpUsage)
	}
	word := w.peek()
	family := func() genlFamily { return s.family("mptcp_pm") }
	unknown := func(s *session, w *words, verbs []verb) {
		if word := w.peek(); !dispatch(s, w, verbs) {
			unknownVerb("mptcp", word)
		}
	}
	if !dispatch(s, w, []verb{
		{"endpoint", func(s *session, w *words) {
			f := family()
			show := func(s *session, w *words) { s.mptcpShow(f, w) }
			unknown(s, w, []verb{
				{"show", show},
				{"list", show},
				{"add", func(s *session, w *words) { s.mptcpModify(f, mptcpAdd, w) }},
				{"change", func(s *session, w *words) { s.mptcpModify(f, mptcpSetFlags, w) }},
				{"delete", func(s *session, w *words) { s.mptcpModify(f, mptcpDel, w) }},
				{"flush", func(s *session, _ *words) { s.send(f, f.message(mptcpFlush)) }},
			})
		}},
		{"limits", func(s *session, w *words) {
			f := family()
			show := func(s *session, w *words) { s.mptcpLimits(f, mptcpGetLimits, w) }
			unknown(s, w, []verb{{"show", show}, {"set", func(s *session, w *words) { s.mptcpLimits(f, mptcpSetLimits, w) }}})
		}},
		{"monitor", func(s *session, w *words) {
			if w.more() {
				unknownVerb("mptcp", w.peek())
			}
			f := family()
			tell := func(p *printer, m netlink.Message, head func(string)) { s.tellMPTCP(p, f, m, head) }
			s.monitor(watch{protocol: unix.NETLINK_GENERIC, groups: []uint32{f.groups["mptcp_pm_events"]}, tell: tell})
		}},
		{"help", func(*session, *words) { usageOf(mptcpUsage) }},
	}) {
		unknownVerb("mptcp", word)
	}
}

// An mptcpEndpoint is what the words said of an address.
type mptcpEndpoint struct {
	addr         netip.Addr
	flags, index uint32
	port         uint16
	id           uint8
	hasID        bool
	hasAddr      bool
}

func (e *mptcpEndpoint) flag(word string) bool {
	i := slices.Index(mptcpFlagNames()[:4], word)
	switch {
	case i >= 0:
		e.flags |= 1 << i
	case word == "nobackup":
		e.flags &^= mptcpBackup
	case word == "nofullmesh":
		e.flags &^= mptcpFullmesh
	default:
		return false
	}
	return true
}

func (s *session) mptcpEndpoint(command uint8, w *words) mptcpEndpoint {
	var e mptcpEndpoint
	for ; w.more(); w.skip() {
		switch word := w.peek(); {
		case e.flag(word):
			if command == mptcpAdd && e.flags&(mptcpSignal|mptcpFullmesh) == mptcpSignal|mptcpFullmesh {
				invalid("flags mustn't have both signal and fullmesh", word)
			}
			if command == mptcpSetFlags && e.flags&^(mptcpBackup|mptcpFullmesh) != 0 {
				invalid("invalid flags, backup and fullmesh only", word)
			}
		case matches(word, "id"):
			e.id, e.hasID = u8(w.next(), "invalid ID\n"), true
		case matches(word, "dev"):
			name := w.next()
			if !goodLinkName(name, 15) {
				invalid("invalid interface name\n", name)
			}
			if e.index = uint32(s.indexOf(name)); e.index == 0 {
				invalid("device does not exist\n", name)
			}
		case matches(word, "port"):
			e.port = u16(w.next(), "expected port")
		default:
			e.addr, e.hasAddr = address(word, unix.AF_UNSPEC), true
		}
	}
	switch {
	case command == mptcpAdd && !e.hasAddr:
		missing("ADDRESS")
	case command == mptcpDel && !e.hasID:
		missing("ID")
	case command == mptcpDel && e.id != 0 && e.hasAddr:
		invalid("invalid for non-zero id address\n", "ADDRESS")
	case command == mptcpDel && e.id == 0 && !e.hasAddr:
		invalid("address is needed for deleting id 0 address\n", "ID")
	case command == mptcpAdd && e.port != 0 && e.flags&mptcpSignal == 0:
		invalid("flags must have signal when using port", "port")
	case command == mptcpSetFlags && e.hasID && e.port != 0:
		invalid("port can't be used with id", "port")
	}
	return e
}

// message is a command about an endpoint.
func (e *mptcpEndpoint) message(f genlFamily, command uint8) *rtnl.Message {
	m := f.message(command)
	at := m.Begin(mptcpAddr)
	if e.hasID {
		m.U8(mptcpID, e.id)
	}
	if e.flags != 0 {
		m.U32(mptcpFlags, e.flags)
	}
	if e.index != 0 {
		m.U32(mptcpLink, e.index)
	}
	if e.port != 0 {
		m.U16(mptcpPort, e.port)
	}
	if e.hasAddr && !e.addr.IsValid() { // "any"
		m.U16(mptcpFamily, unix.AF_UNSPEC)
		m.Addr(mptcpAddr6, e.addr)
	} else if e.hasAddr {
		m.U16(mptcpFamily, uint16(familyOfAddr(e.addr)))
		putAddr(m, e.addr, mptcpAddr4, mptcpAddr6)
	}
	m.End(at)
	return m
}

func (s *session) mptcpModify(f genlFamily, command uint8, w *words) {
	e := s.mptcpEndpoint(command, w)
	s.send(f, e.message(f, command))
}

func (s *session) mptcpShow(f genlFamily, w *words) {
	var list []rtnl.Attrs
	if w.more() {
		e := s.mptcpEndpoint(mptcpGet, w)
		list = s.get(f, e.message(f, mptcpGet))
	} else {
		list = s.list(f, f.message(mptcpGet))
	}
	p := s.out()
	for _, a := range list {
		s.printEndpoint(p, a.Nested(mptcpAddr))
	}
}

func (s *session) printEndpoint(p *printer, a rtnl.Attrs) {
	p.openObject("")
	addr := a.Addr(mptcpAddr4)
	if !a.Has(mptcpAddr4) {
		addr = a.Addr(mptcpAddr6)
	}
	if addr.IsValid() {
		p.str("address", "%s ", addr.String())
	}
	if a.Has(mptcpPort) {
		if port := a.U16(mptcpPort); port != 0 {
			num(p, "port", "port %d ", port)
		}
	}
	if a.Has(mptcpID) {
		num(p, "id", "id %d ", a.U8(mptcpID))
	}
	flags := a.U32(mptcpFlags)
	for i, name := range mptcpFlagNames() {
		if flags&(1<<i) != 0 {
			p.is(name, name+" ")
			flags &^= 1 << i
		}
	}
	if flags != 0 {
		num(p, "rawflags", "rawflags %x ", flags)
	}
	if index := a.U32(mptcpLink); index != 0 {
		p.str("dev", "dev %s ", s.nameOf(int(index)))
	}
	p.text("\n")
	p.closeObject()
}

func (s *session) mptcpLimits(f genlFamily, command uint8, w *words) {
	m := f.message(command)
	for ; w.more(); w.skip() {
		switch word := w.peek(); {
		case matches(word, "subflows"):
			m.U32(mptcpSubflows, u32(w.next(), "subflows"))
		case matches(word, "add_addr_accepted"):
			m.U32(mptcpAccepted, u32(w.next(), "add_addr_accepted"))
		default:
			invalid("unknown limit", word)
		}
	}
	if command == mptcpSetLimits {
		s.send(f, m)
		return
	}
	for _, a := range s.get(f, m) {
		p := &printer{nl: "\n"} // as iproute2 has it: never JSON
		if a.Has(mptcpAccepted) {
			p.text("add_addr_accepted %d ", a.U32(mptcpAccepted))
		}
		if a.Has(mptcpSubflows) {
			p.text("subflows %d ", a.U32(mptcpSubflows))
		}
		p.text("\n")
		_, _ = s.stdio.Out.Write(p.b.Bytes())
	}
}

// tellMPTCP prints an event (MPTCP_EVENT_*, MPTCP_ATTR_*).
func (s *session) tellMPTCP(p *printer, f genlFamily, m netlink.Message, head func(string)) {
	if int(m.Header.Type) != f.id || len(m.Data) < genlLen {
		return
	}
	head("")
	names := map[uint8]string{
		1: "CREATED", 2: "ESTABLISHED", 3: "CLOSED", 6: "ANNOUNCED", 7: "REMOVED", 10: "SF_ESTABLISHED", 11: "SF_CLOSED", 13: "SF_PRIO",
	}
	name, ok := names[m.Data[0]]
	if !ok {
		p.text("[UNKNOWN %d]\n", m.Data[0])
		return
	}
	const token, locID, remID, source4, source6, dest4, dest6, sport, dport = 1, 3, 4, 5, 6, 7, 8, 9, 10
	const backup, failed, flags, timeout, link, reason, resetFlags = 11, 12, 13, 14, 15, 16, 17
	a := rtnl.ParseAttrs(m.Data[genlLen:])
	p.text("[%14s] token=%08x", name, a.U32(token))
	tell := func(typ int, format string, v any) {
		if a.Has(typ) {
			p.text(format, v)
		}
	}
	tell(remID, " remid=%d", a.U8(remID))
	tell(locID, " locid=%d", a.U8(locID))
	tell(source4, " saddr4=%s", a.Addr(source4))
	tell(dest4, " daddr4=%s", a.Addr(dest4))
	tell(source6, " saddr6=%s", a.Addr(source6))
	tell(dest6, " daddr6=%s", a.Addr(dest6))
	tell(sport, " sport=%d", a.BE16(sport))
	tell(dport, " dport=%d", a.BE16(dport))
	tell(backup, " backup=%d", a.U8(backup))
	tell(failed, " error=%d", a.U8(failed))
	tell(flags, " flags=%x", a.U16(flags))
	tell(timeout, " timeout=%d", a.U32(timeout))
	tell(link, " ifindex=%d", a.S32(link))
	tell(reason, " reset_reason=%d", a.U32(reason))
	tell(resetFlags, " reset_flags=0x%x", a.U32(resetFlags))
	p.text("\n")
}
