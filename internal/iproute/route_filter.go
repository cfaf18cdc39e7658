package iproute

import (
	"errors"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mdlayher/netlink"

	"warren/internal/rtnl"
)

// A routeMsg is an RTM_NEWROUTE message.
type routeMsg struct {
	family, dstLen, srcLen, tos uint8
	table                       uint32
	protocol, scope, typ        uint8
	flags                       uint32
	a                           rtnl.Attrs
	data                        []byte
}

func readRoute(data []byte) (routeMsg, bool) {
	if len(data) < rtnl.RtmsgLen {
		return routeMsg{}, false
	}
	m := routeMsg{
		family: data[0], dstLen: data[1], srcLen: data[2], tos: data[3], table: uint32(data[4]), protocol: data[5], scope: data[6], typ: data[7],
		flags: native.Uint32(data[8:]), a: rtnl.ParseAttrs(data[rtnl.RtmsgLen:]), data: data,
	}
	if m.a.Has(unix.RTA_TABLE) {
		m.table = m.a.U32(unix.RTA_TABLE)
	}
	return m, true
}

// A routeFilter is what is to be shown or flushed. What it fixes is not printed.
type routeFilter struct {
	family                    int
	table                     uint32 // 0 = all
	cached                    bool
	protocol, scope, typ, tos *uint8
	foreign                   bool // neither local nor broadcast
	oif, iif                  uint32
	metric, mark              *uint32
	via, src                  prefixWord
	fromRoot, fromMatch       prefixWord
	realms                    *realmFilter
	root, match               prefixWord
}

func (s *session) routeFilter(w *words) *routeFilter {
	f := &routeFilter{family: s.opt.family, table: unix.RT_TABLE_MAIN}
	for w.more() {
		s.routeFilterWord(f, w)
		w.skip()
	}
	if f.family == unix.AF_UNSPEC && f.table != 0 {
		f.family = unix.AF_INET
	}
	return f
}

func (s *session) routeFilterWord(f *routeFilter, w *words) {
	switch word := w.peek(); {
	case matches(word, "table"):
		switch next := w.next(); next {
		case "all":
			f.table = 0
		case "cache":
			f.cached = true
		default:
			f.table = tableWord(s, next)
		}
	case matches(word, "vrf"):
		if f.table = s.domainTable(w.next()); f.table == 0 {
			invalid("Invalid VRF\n", w.peek())
		}
		f.typ, f.foreign = nil, true
	case matches(word, "cached"), matches(word, "cloned"):
		f.cached = true
	case word == "tos", matches(word, "dsfield"):
		v := s.dsWord(w.next(), "TOS value is invalid\n")
		f.tos = &v
	case matches(word, "protocol"):
		if next := w.next(); next != "all" {
			v := protocolWord(s, next)
			f.protocol = &v
		}
	case matches(word, "scope"):
		if next := w.next(); next != "all" {
			v := scopeWord(s, next)
			f.scope = &v
		}
	case matches(word, "type"):
		v, ok := routeType(w.next())
		if !ok {
			invalid("node type value is invalid\n", w.peek())
		}
		f.typ, f.foreign = &v, false
	case word == "dev", word == "oif":
		f.oif = s.device(w.next())
	case word == "iif":
		f.iif = s.device(w.next())
	case word == "mark":
		v := u32(w.next(), "invalid mark value")
		f.mark = &v
	case matches(word, "metric"), matches(word, "priority"), word == "preference":
		v := u32(w.next(), "\"metric\" value is invalid\n")
		f.metric = &v
	case word == "via":
		f.via = s.routePrefix(f, w.next())
	case word == "src":
		f.src = s.routePrefix(f, w.next())
	case matches(word, "realms"):
		f.realms = s.realmFilter(w.next())
	case matches(word, "from"):
		s.fromFilter(f, w)
	default:
		if word == "to" {
			word = w.next()
		}
		switch {
		case matches(word, "root"):
			f.root = s.routePrefix(f, w.next())
		case matches(word, "match"):
			f.match = s.routePrefix(f, w.next())
		case matches(word, "help"):
			usageOf(routeUsage)
		default:
			if matches(word, "exact") {
				word = w.next()
			}
			f.match = s.routePrefix(f, word)
			f.root = f.match
		}
	}
}

// fromFilter reads "from [root|match|exact] PREFIX".
func (s *session) fromFilter(f *routeFilter, w *words) {
	switch word := w.next(); {
	case matches(word, "root"):
		f.fromRoot = s.routePrefix(f, w.next())
	case matches(word, "match"):
		f.fromMatch = s.routePrefix(f, w.next())
	default:
		if matches(word, "exact") {
			word = w.next()
		}
		f.fromMatch = s.routePrefix(f, word)
		f.fromRoot = f.fromMatch
	}
}

// A realmFilter is a pattern of RTA_FLOW.
type realmFilter struct{ value, mask uint32 }

func (s *session) realmFilter(word string) *realmFilter {
	const what = "invalid realms\n"
	from, to, both := strings.Cut(word, "/")
	if !both {
		return &realmFilter{value: s.realmWord(word, what), mask: 0xffff}
	}
	f := &realmFilter{}
	if from != "" {
		f.value, f.mask = s.realmWord(from, what)<<16, 0xffff0000
	} else {
		invalid(what, word)
	}
	if to != "" {
		f.value |= s.realmWord(to, what)
		f.mask |= 0xffff
	}
	return f
}

// within reports whether an address of that length fits a pair of "root" and "match".
func within(root, match prefixWord, a netip.Addr, bits int) bool {
	if root.set() && root.addr.IsValid() && (bits < root.bits || !covers(root, a)) {
		return false
	}
	if match.any {
		return !root.any || bits == 0
	}
	if !match.addr.IsValid() {
		return true
	}
	p, err := match.addr.Prefix(min(bits, match.addr.BitLen()))
	return err == nil && bits <= match.bits && match.addr.BitLen() == a.BitLen() && p.Contains(a)
}

func (s *session) routePrefix(f *routeFilter, word string) prefixWord {
	p := prefix(word, f.family)
	if f.family == unix.AF_UNSPEC && p.any && !p.specified {
		return prefixWord{} // of no family: iproute2 compares nothing
	}
	if f.family == unix.AF_UNSPEC && p.addr.IsValid() {
		f.family = familyOfAddr(p.addr)
	}
	return p
}

func (f *routeFilter) lets(m *routeMsg) bool {
	switch {
	case f.family != unix.AF_UNSPEC && int(m.family) != f.family,
		f.cached != (m.flags&unix.RTM_F_CLONED != 0),
		f.table > 0 && m.table != f.table,
		f.protocol != nil && *f.protocol != m.protocol, f.scope != nil && *f.scope != m.scope,
		f.typ != nil && *f.typ != m.typ, f.tos != nil && *f.tos != m.tos,
		f.foreign && (m.typ == unix.RTN_LOCAL || m.typ == unix.RTN_BROADCAST),
		f.oif != 0 && m.a.U32(unix.RTA_OIF) != f.oif, f.iif != 0 && m.a.U32(unix.RTA_IIF) != f.iif,
		f.mark != nil && m.a.U32(unix.RTA_MARK) != *f.mark,
		f.metric != nil && m.a.U32(unix.RTA_PRIORITY) != *f.metric:
		return false
	}
	if m.family != unix.AF_INET && m.family != unix.AF_INET6 {
		return f.family == unix.AF_UNSPEC && false
	}
	if f.via.addr.IsValid() && !covers(f.via, m.a.Addr(unix.RTA_GATEWAY)) || f.src.addr.IsValid() && !covers(f.src, m.a.Addr(unix.RTA_PREFSRC)) {
		return false
	}
	if f.realms != nil && (m.a.U32(unix.RTA_FLOW)^f.realms.value)&f.realms.mask != 0 {
		return false
	}
	return within(f.root, f.match, orZero(m, unix.RTA_DST), int(m.dstLen)) && within(f.fromRoot, f.fromMatch, orZero(m, unix.RTA_SRC), int(m.srcLen))
}

// orZero is a route's address; one that is not there stands for all.
func orZero(m *routeMsg, typ int) netip.Addr {
	if a := m.a.Addr(typ); a.IsValid() {
		return a
	}
	if m.family == unix.AF_INET6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

func covers(p prefixWord, a netip.Addr) bool {
	return a.IsValid() && netip.PrefixFrom(p.addr, p.bits).Contains(a)
}

// routes reads what the filter lets through; a table that does not exist is the kernel's error.
func (s *session) routes(f *routeFilter, show bool) []routeMsg {
	var list []routeMsg
	for _, msg := range s.routeMessages(f, show) {
		if r, ok := readRoute(msg.Data); ok {
			list = append(list, r)
		}
	}
	return list
}

func (s *session) routeMessages(f *routeFilter, show bool) []netlink.Message {
	m := rtnl.NewMessage(rtnl.RtmsgLen)
	m.Head()[0] = uint8(f.family)
	if f.cached {
		native.PutUint32(m.Head()[8:], unix.RTM_F_CLONED)
	}
	if f.protocol != nil {
		m.Head()[5] = *f.protocol
	}
	if f.table != 0 && !f.cached {
		m.U32(unix.RTA_TABLE, f.table)
	}
	if f.oif != 0 {
		m.U32(unix.RTA_OIF, f.oif)
	}
	req, err := m.Request(unix.RTM_GETROUTE, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := s.kernel().Dump(s.ctx, req)
	if show && errors.Is(err, unix.ENOENT) && (f.table == unix.RT_TABLE_MAIN || s.inBatch) {
		return nil // no route has been in it yet; in a batch iproute2 does not have the kernel be strict
	}
	if err != nil && len(msgs) == 0 {
		s.cut = true
		fail(exitKernel, "%s\nDump terminated", kernelText(err))
	}
	var list []netlink.Message
	for _, msg := range msgs {
		if r, ok := readRoute(msg.Data); ok && f.lets(&r) {
			list = append(list, msg)
		}
	}
	return list
}

// routeFlush deletes what the filter lets through.
func routeFlush(s *session, w *words) {
	if !w.more() {
		fail(exitFailed, "\"ip route flush\" requires arguments.")
	}
	f := s.routeFilter(w)
	if f.cached {
		if s.opt.family != unix.AF_INET6 {
			// IPv4 has had no cache for long, but exceptions: a path's MTU, a redirect. They go all at once.
			if err := s.space().SetSysctl("net/ipv4/route/flush", "-1"); err != nil { // no failure, as with iproute2
				s.hint("Cannot open \"/proc/sys/net/ipv4/route/flush\": " + errnoText(err))
			}
			if s.opt.stats > 0 {
				s.out().text("*** IPv4 routing cache is flushed.\n")
			}
			return
		}
	}
	s.empty(&flush{
		what: "entries", typ: unix.RTM_DELROUTE, code: exitKernel,
		each: func(yield func([]byte) bool) {
			for _, r := range s.routes(f, false) {
				if !yield(r.data) {
					return
				}
			}
		},
		show: func(p *printer, data []byte) {
			if r, ok := readRoute(data); ok {
				s.printRoute(p, f, &r)
			}
		},
	})
}
