package iproute

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Families of multicast routes (linux/rtnetlink.h).
const (
	familyIPMR  = 128
	familyIP6MR = 129
)

// mrouteObject is "ip mroute".
func mrouteObject(s *session, w *words) {
	verbs := []verb{
		{"show", mrouteShow},
		{"lst", mrouteShow},
		{"list", mrouteShow},
		{"help", func(*session, *words) { usageOf(mrouteUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("mroute", word)
	}
}

func mrouteShow(s *session, w *words) {
	family, table, iif := familyIPMR, uint32(unix.RT_TABLE_DEFAULT), uint32(0)
	switch s.opt.family {
	case unix.AF_INET6:
		family, table = familyIP6MR, unix.RT_TABLE_MAIN
	}
	explicit := false
	var to, from prefixWord
	for w.more() {
		switch word := w.peek(); {
		case matches(word, "table"):
			explicit = true
			if next := w.next(); next == "all" {
				table = 0
			} else {
				table = tableWord(s, next)
			}
		case word == "iif":
			iif = s.device(w.next())
		case matches(word, "from"):
			from = s.mroutePrefix(w.next())
		default:
			if word == "to" {
				word = w.next()
			}
			if matches(word, "help") {
				usageOf(mrouteUsage)
			}
			to = s.mroutePrefix(word)
		}
		w.skip()
	}
	m := rtnl.NewMessage(rtnl.RtmsgLen)
	m.Head()[0] = uint8(family)
	if explicit && table != 0 {
		m.U32(unix.RTA_TABLE, table)
	}
	req, err := m.Request(unix.RTM_GETROUTE, 0)
	if err != nil {
		die("%v", err)
	}
	p := s.out()
	msgs, err := s.kernel().Dump(s.ctx, req)
	if err != nil && len(msgs) == 0 && explicit && !(s.inBatch && errors.Is(err, unix.ENOENT)) { // as for routes
		fail(exitFailed, "%s\nDump terminated", kernelText(err))
	}
	for _, msg := range msgs {
		r, ok := readRoute(msg.Data)
		switch {
		case !ok, int(r.family) != family, table != 0 && r.table != table, iif != 0 && r.a.U32(unix.RTA_IIF) != iif,
			to.addr.IsValid() && !covers(to, r.a.Addr(unix.RTA_DST)), from.addr.IsValid() && !covers(from, r.a.Addr(unix.RTA_SRC)):
			continue
		}
		s.printMroute(p, &r, table)
	}
}

func (s *session) mroutePrefix(word string) prefixWord {
	p, ok := parsePrefix(word, 0)
	if !ok || p.addr.IsValid() && s.personality != Warren { // as in iproute2, to which no address is one of its family of multicast routes
		panic(&failure{code: exitFailed, abort: true, text: fmt.Sprintf("Error: ??? prefix is expected rather than \"%s\".", word)})
	}
	return p
}

// printMroute prints a multicast route; a table other than 0 is known.
func (s *session) printMroute(p *printer, r *routeMsg, table uint32) {
	p.openObject("")
	s.printDeleted(p)
	word := func(typ int) string {
		if r.a.Has(typ) {
			return r.a.Addr(typ).String()
		}
		return "unknown"
	}
	src, dst := word(unix.RTA_SRC), word(unix.RTA_DST)
	p.str("src", "", src)
	p.str("dst", "", dst)
	p.text("%-32s Iif: ", fmt.Sprintf("(%s,%s)", src, dst))
	if iif := int(r.a.U32(unix.RTA_IIF)); iif != 0 {
		p.colored(colorName, "iif", "%-10s ", s.nameOf(iif))
	} else {
		p.str("iif", "%s ", "unresolved")
	}
	if b := r.a.Bytes(unix.RTA_MULTIPATH); b != nil {
		p.openArray("multipath", "Oifs: ")
		for len(b) >= unix.SizeofRtNexthop {
			n := int(native.Uint16(b))
			if n < unix.SizeofRtNexthop || n > len(b) {
				break
			}
			p.openObject("")
			p.colored(colorName, "oif", "%s", s.nameOf(int(native.Uint32(b[4:]))))
			if hops := b[3]; hops > 1 {
				num(p, "ttl", "(ttl %d) ", hops)
			} else {
				p.text(" ")
			}
			p.closeObject()
			b = b[min((n+3)&^3, len(b)):]
		}
		p.closeArray("")
	}
	state := "resolved"
	if r.flags&unix.RTNH_F_UNRESOLVED != 0 {
		state = "unresolved"
	}
	p.str("state", " State: %s", state)
	if r.flags&unix.RTNH_F_OFFLOAD != 0 {
		p.null("offload", ", offload")
	}
	s.printMfcStats(p, r)
	if table == 0 {
		p.str("table", " Table: %s", tableName(s, r.table))
	}
	p.text("\n")
	p.closeObject()
}

// printMfcStats prints struct rta_mfc_stats.
func (s *session) printMfcStats(p *printer, r *routeMsg) {
	const mfcStats, expires = 17, 23
	if b := r.a.Bytes(mfcStats); s.opt.stats > 0 && len(b) >= 24 {
		p.text("%s", p.nl)
		num(p, "packets", "  %d packets,", native.Uint64(b))
		num(p, "bytes", " %d bytes", native.Uint64(b[8:]))
		if wrong := native.Uint64(b[16:]); wrong != 0 {
			num(p, "wrong_if", ", %d arrived on wrong iif.", wrong)
		}
	}
	if r.a.Has(expires) {
		v := r.a.U64(expires)
		p.str("expires", ", Age %s", fmt.Sprintf("%4d.%02d", v/100, v%100))
	}
}
