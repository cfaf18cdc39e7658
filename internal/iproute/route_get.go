package iproute

import (
	"fmt"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// routeGet is "ip route get".
func routeGet(s *session, w *words) {
	m := rtnl.NewMessage(rtnl.RtmsgLen)
	head := make([]byte, rtnl.RtmsgLen)
	family, has, from, connected := s.opt.family, false, false, false
	var iif, oif string
	flags := uint32(0)
	for w.more() {
		switch word := w.peek(); {
		case word == "tos", matches(word, "dsfield"):
			head[3] = s.dsWord(w.next(), "TOS value is invalid\n")
		case matches(word, "from"):
			if matches(w.next(), "help") {
				usageOf(routeUsage)
			}
			p := prefix(w.peek(), family)
			from = true
			if family == unix.AF_UNSPEC && p.addr.IsValid() {
				family = familyOfAddr(p.addr)
			}
			if p.addr.IsValid() {
				m.Addr(unix.RTA_SRC, p.addr)
				head[2] = uint8(p.bits)
			}
		case matches(word, "iif"):
			iif = w.next()
		case matches(word, "mark"):
			m.U32(unix.RTA_MARK, u32(w.next(), "invalid mark value\n"))
		case matches(word, "oif"), word == "dev":
			oif = w.next()
		case matches(word, "notify"):
			flags |= unix.RTM_F_NOTIFY
		case matches(word, "connected"):
			connected = true
		case matches(word, "vrf"):
			oif = w.next()
			s.domain(oif, "Invalid VRF\n")
		case matches(word, "uid"):
			m.U32(unix.RTA_UID, u32(w.next(), "invalid UID\n"))
		case matches(word, "fibmatch"):
			flags |= unix.RTM_F_FIB_MATCH
		case word == "as":
			next := w.next()
			if next == "to" {
				next = w.next()
			}
			a, of := host(next, family)
			family = of
			m.Addr(rtaNewDst, a)
		case matches(word, "sport"):
			m.BE16(rtaSport, u16(w.next(), "invalid sport\n"))
		case matches(word, "dport"):
			m.BE16(rtaDport, u16(w.next(), "invalid dport\n"))
		case matches(word, "ipproto"):
			m.U8(rtaIPProto, s.ipProtocol(w.next(), "Invalid \"ipproto\" value\n"))
		default:
			if word == "to" {
				word = w.next()
			}
			if matches(word, "help") {
				usageOf(routeUsage)
			}
			p := hostPrefix(word, family)
			if p.addr.IsValid() {
				family = familyOfAddr(p.addr)
				if whole := p.addr.BitLen(); p.bits != whole {
					s.hint(fmt.Sprintf("Warning: /%d as prefix is invalid, only /%d (or none) is supported.", p.bits, whole))
					p.bits = whole
				}
				m.Addr(unix.RTA_DST, p.addr)
			}
			has = true
			head[1] = uint8(p.bits)
		}
		w.skip()
	}
	if !has {
		fail(exitFailed, "need at least a destination address")
	}
	if iif != "" {
		m.U32(unix.RTA_IIF, s.device(iif))
	}
	if oif != "" {
		m.U32(unix.RTA_OIF, s.device(oif))
	}
	if family == unix.AF_UNSPEC {
		family = unix.AF_INET
	}
	if family == unix.AF_INET {
		flags |= unix.RTM_F_LOOKUP_TABLE
	}
	head[0] = uint8(family)
	native.PutUint32(head[8:], flags)
	copy(m.Head(), head)
	req, err := m.Request(unix.RTM_GETROUTE, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := s.ask(req)
	refused(err)
	p := s.out()
	for _, msg := range msgs {
		r, ok := readRoute(msg.Data)
		if !ok {
			continue
		}
		s.printRoute(p, &routeFilter{}, &r)
		if connected && !from {
			s.connectedRoute(p, &r)
		}
	}
}

// Attributes of a request for a route (linux/rtnetlink.h; Linux 4.18).
const (
	rtaIPProto = 27
	rtaSport   = 28
	rtaDport   = 29
)

// connectedRoute asks again as a socket would that has got its source address from the first answer; the kernel's second
// answer is that of the first question.
func (s *session) connectedRoute(p *printer, r *routeMsg) {
	if !r.a.Has(unix.RTA_PREFSRC) {
		fail(exitFailed, "Failed to connect the route")
	}
	m := rtnl.NewMessage(rtnl.RtmsgLen)
	m.Addr(unix.RTA_DST, r.a.Addr(unix.RTA_DST))
	m.Head()[0], m.Head()[1] = r.family, r.dstLen
	req, err := m.Request(unix.RTM_GETROUTE, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := s.ask(req)
	refused(err)
	for _, msg := range msgs {
		if again, ok := readRoute(msg.Data); ok {
			s.printRoute(p, &routeFilter{}, &again)
		}
	}
}
