package iproute

import (
	"errors"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/mdlayher/netlink"

	"warren/internal/nl"
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
	oif                       uint32
	metric                    *uint32
	via, src                  prefixWord
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
			f.table = tableWord(next)
			if f.table == 0 {
				f.table = 0
			}
		}
	case matches(word, "cached"), matches(word, "cloned"):
		f.cached = true
	case word == "tos", matches(word, "dsfield"):
		n, ok := parseUint(w.next(), 16, 8)
		if !ok {
			invalid("TOS value is invalid\n", w.peek())
		}
		v := uint8(n)
		f.tos = &v
	case matches(word, "protocol"):
		if next := w.next(); next != "all" {
			v := protocolWord(next)
			f.protocol = &v
		}
	case matches(word, "scope"):
		if next := w.next(); next != "all" {
			v := scopeWord(next)
			f.scope = &v
		}
	case matches(word, "type"):
		v, ok := routeType(w.next())
		if !ok {
			invalid("node type value is invalid\n", w.peek())
		}
		f.typ = &v
	case word == "dev", word == "oif", word == "iif":
		f.oif = s.device(w.next())
	case matches(word, "metric"), matches(word, "priority"), word == "preference":
		v := u32(w.next(), "\"metric\" value is invalid\n")
		f.metric = &v
	case word == "via":
		f.via = s.routePrefix(f, w.next())
	case word == "src":
		f.src = s.routePrefix(f, w.next())
	case matches(word, "realms"), word == "from", word == "vrf", word == "mark", word == "nhid":
		die("ip route show %s is not supported by this version of warren: use iproute2's own ip for it.", word)
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

func (s *session) routePrefix(f *routeFilter, word string) prefixWord {
	p := prefix(word, f.family)
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
		f.oif != 0 && m.a.U32(unix.RTA_OIF) != f.oif,
		f.metric != nil && m.a.U32(unix.RTA_PRIORITY) != *f.metric:
		return false
	}
	if m.family != unix.AF_INET && m.family != unix.AF_INET6 {
		return f.family == unix.AF_UNSPEC && false
	}
	if f.via.addr.IsValid() && !covers(f.via, m.a.Addr(unix.RTA_GATEWAY)) || f.src.addr.IsValid() && !covers(f.src, m.a.Addr(unix.RTA_PREFSRC)) {
		return false
	}
	dst := m.a.Addr(unix.RTA_DST)
	if !dst.IsValid() {
		dst = netip.IPv4Unspecified()
		if m.family == unix.AF_INET6 {
			dst = netip.IPv6Unspecified()
		}
	}
	if f.root.set() && f.root.addr.IsValid() && (int(m.dstLen) < f.root.bits || !covers(f.root, dst)) {
		return false
	}
	if f.match.any {
		return !f.root.any || m.dstLen == 0
	}
	if f.match.addr.IsValid() {
		p, err := f.match.addr.Prefix(min(int(m.dstLen), f.match.addr.BitLen()))
		if err != nil || int(m.dstLen) > f.match.bits || f.match.addr.BitLen() != dst.BitLen() || !p.Contains(dst) {
			return false
		}
	}
	return true
}

func covers(p prefixWord, a netip.Addr) bool {
	return a.IsValid() && netip.PrefixFrom(p.addr, p.bits).Contains(a)
}

// routes reads what the filter lets through; a table that does not exist is the kernel's error.
func (s *session) routes(f *routeFilter, show bool) []routeMsg {
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
	if show && errors.Is(err, unix.ENOENT) && f.table == unix.RT_TABLE_MAIN {
		return nil // no route has been in it yet
	}
	if err != nil && len(msgs) == 0 {
		s.cut = true
		fail(exitKernel, "%s\nDump terminated", kernelText(err))
	}
	var list []routeMsg
	for _, msg := range msgs {
		if r, ok := readRoute(msg.Data); ok && f.lets(&r) {
			list = append(list, r)
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
		return // there has been no such cache for long
	}
	var reqs []nl.Request
	for _, r := range s.routes(f, false) {
		reqs = append(reqs, nl.Request{Type: netlink.HeaderType(unix.RTM_DELROUTE), Data: r.data})
	}
	if len(reqs) == 0 {
		if s.opt.stats > 0 {
			s.out().text("Nothing to flush.\n")
		}
		return
	}
	s.kernel().Batch(reqs) // what went with another one is an error of no interest
}
