package iproute

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/mdlayher/netlink"

	"warren/internal/rtnl"
)

// routeObject is "ip route".
func routeObject(s *session, w *words) {
	modify := func(typ int, flags netlink.HeaderFlags) func(*session, *words) {
		return func(s *session, w *words) { routeModify(s, w, typ, flags) }
	}
	verbs := []verb{
		{"list", routeShow},
		{"show", routeShow},
		{"lst", routeShow},
		{"get", routeGet},
		{"add", modify(unix.RTM_NEWROUTE, netlink.Create|netlink.Excl)},
		{"change", modify(unix.RTM_NEWROUTE, netlink.Replace)},
		{"chg", modify(unix.RTM_NEWROUTE, netlink.Replace)},
		{"replace", modify(unix.RTM_NEWROUTE, netlink.Create|netlink.Replace)},
		{"prepend", modify(unix.RTM_NEWROUTE, netlink.Create)},
		{"append", modify(unix.RTM_NEWROUTE, netlink.Create|netlink.Append)},
		{"test", modify(unix.RTM_NEWROUTE, netlink.Excl)},
		{"delete", modify(unix.RTM_DELROUTE, 0)},
		{"save", routeSave},
		{"restore", func(s *session, _ *words) { s.restore(routeMagic, restoreRoutes) }},
		{"showdump", routeShowdump},
		{"flush", routeFlush},
		{"help", func(*session, *words) { usageOf(routeUsage) }},
	}
	if !w.more() {
		routeShow(s, w)
		return
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownVerb("route", word)
	}
}

// routeTypes are RTN_*.
func routeTypes() []string {
	return []string{"unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw", "nat", "xresolve"}
}

func routeType(word string) (uint8, bool) {
	if word == "brd" {
		return unix.RTN_BROADCAST, true
	}
	for i, name := range routeTypes() {
		if i > 0 && name == word {
			return uint8(i), true
		}
	}
	// All but "local", "nat" and "throw" may be shortened.
	for _, typ := range []uint8{
		unix.RTN_BROADCAST, unix.RTN_ANYCAST, unix.RTN_MULTICAST, unix.RTN_PROHIBIT, unix.RTN_UNREACHABLE, unix.RTN_BLACKHOLE,
		unix.RTN_XRESOLVE, unix.RTN_UNICAST,
	} {
		if matches(word, routeTypes()[typ]) {
			return typ, true
		}
	}
	n, ok := parseUint(word, 0, 8)
	return uint8(n), ok
}

// A routeRequest is what the words said so far.
type routeRequest struct {
	s             *session
	m             *rtnl.Message
	family        int
	typ, scope    uint8
	protocol, tos uint8
	table         uint32
	flags         uint32
	dst, src      prefixWord
	hasScope      bool
	hasTable      bool
	hasType       bool
	hasGateway    bool
	hasHops       bool
	dev           string
	metrics       []metric
	locked        uint32
	congestion    string
	nhid          bool
}

type metric struct {
	typ uint16
	v   uint32
}

func routeModify(s *session, w *words, typ int, flags netlink.HeaderFlags) {
	r := &routeRequest{s: s, m: rtnl.NewMessage(rtnl.RtmsgLen), family: s.opt.family, table: unix.RT_TABLE_MAIN, scope: unix.RT_SCOPE_NOWHERE}
	if typ != unix.RTM_DELROUTE {
		r.protocol, r.scope, r.typ = unix.RTPROT_BOOT, unix.RT_SCOPE_UNIVERSE, unix.RTN_UNICAST
	}
	for w.more() && !r.hasHops {
		r.word(w)
		if !r.hasHops {
			w.skip()
		}
	}
	if !r.dst.set() {
		usageOf(routeUsage)
	}
	if r.dev != "" {
		r.m.U32(unix.RTA_OIF, s.device(r.dev))
	}
	r.writeMetrics()
	if r.hasHops {
		r.nexthops(w)
	}
	if !r.hasTable && (r.typ == unix.RTN_LOCAL || r.typ == unix.RTN_BROADCAST || r.typ == unix.RTN_NAT || r.typ == unix.RTN_ANYCAST) {
		r.table = unix.RT_TABLE_LOCAL
	}
	if !r.hasScope {
		r.guessScope(typ)
	}
	if r.family == unix.AF_UNSPEC {
		r.family = unix.AF_INET
	}
	if r.dst.addr.IsValid() && (r.dst.bits > 0 || !r.dst.addr.IsUnspecified()) || r.dst.addr.IsValid() {
		r.m.Addr(unix.RTA_DST, r.dst.addr)
	}
	head := r.m.Head()
	table := r.table
	if table > 255 {
		table = unix.RT_TABLE_UNSPEC
	}
	head[0], head[1], head[2], head[3] = uint8(r.family), uint8(r.dst.bits), uint8(r.src.bits), r.tos
	head[4], head[5], head[6], head[7] = uint8(table), r.protocol, r.scope, r.typ
	native.PutUint32(head[8:], r.flags)
	if r.table > 255 {
		r.m.U32(unix.RTA_TABLE, r.table)
	}
	s.doEcho(r.m.Request(typ, flags))
}

func (r *routeRequest) guessScope(typ int) {
	if r.family == unix.AF_INET6 || r.family == unix.AF_MPLS {
		r.scope = unix.RT_SCOPE_UNIVERSE
		return
	}
	switch r.typ {
	case unix.RTN_LOCAL, unix.RTN_NAT:
		r.scope = unix.RT_SCOPE_HOST
	case unix.RTN_BROADCAST, unix.RTN_MULTICAST, unix.RTN_ANYCAST:
		r.scope = unix.RT_SCOPE_LINK
	case unix.RTN_UNICAST, unix.RTN_UNSPEC:
		if typ == unix.RTM_DELROUTE {
			r.scope = unix.RT_SCOPE_NOWHERE
		} else if !r.hasGateway && !r.hasHops && !r.nhid {
			r.scope = unix.RT_SCOPE_LINK
		}
	}
}

func (r *routeRequest) writeMetrics() {
	if len(r.metrics) == 0 && r.locked == 0 && r.congestion == "" {
		return
	}
	at := r.m.Begin(unix.RTA_METRICS)
	if r.locked != 0 {
		r.m.U32(unix.RTAX_LOCK, r.locked)
	}
	for _, m := range r.metrics {
		r.m.U32(m.typ, m.v)
	}
	if r.congestion != "" {
		r.m.Str(unix.RTAX_CC_ALGO, r.congestion)
	}
	r.m.End(at)
}

func (r *routeRequest) learn(a netip.Addr) {
	if r.family == unix.AF_UNSPEC && a.IsValid() {
		r.family = familyOfAddr(a)
	}
}

// via reads "via [FAMILY] ADDR"; an address of the other family is written with its family.
func (r *routeRequest) via(w *words, m *rtnl.Message) {
	word := w.next()
	family := r.family
	if word == "inet" || word == "inet6" || word == "bridge" || word == "link" || word == "mpls" {
		family = familyOf(word)
		word = w.next()
	}
	a, of := host(word, family)
	if r.family == unix.AF_UNSPEC {
		r.family = of
	}
	if of == r.family {
		m.Addr(unix.RTA_GATEWAY, a)
		return
	}
	m.Bytes(unix.RTA_VIA, append(native.AppendUint16(nil, uint16(of)), a.AsSlice()...))
}

func (r *routeRequest) destination(w *words) {
	word := w.peek()
	if word == "to" {
		word = w.next()
	}
	if typ, ok := routeType(word); ok && !r.hasType && (word[0] < '0' || word[0] > '9') {
		r.typ, r.hasType = typ, true
		word = w.next()
	}
	if matches(word, "help") {
		usageOf(routeUsage)
	}
	if r.dst.set() {
		garbage("to", word)
	}
	r.dst = prefix(word, r.family)
	r.learn(r.dst.addr)
}

// nexthops reads "nexthop via ADDR dev DEV weight N ..." as often as it comes.
func (r *routeRequest) nexthops(w *words) {
	at := r.m.Begin(unix.RTA_MULTIPATH)
	for w.more() {
		if w.peek() != "nexthop" {
			die("Error: \"nexthop\" or end of line is expected instead of \"%s\"", w.peek())
		}
		if w.left() < 2 {
			die("Error: unexpected end of line after \"nexthop\"")
		}
		w.skip()
		r.nexthop(w)
	}
	r.m.End(at)
}

func (r *routeRequest) nexthop(w *words) {
	mark := r.m.Mark()
	r.m.Raw(make([]byte, unix.SizeofRtNexthop))
	var flags, weight uint8
	var index uint32
words:
	for w.more() {
		switch word := w.peek(); {
		case word == "via":
			r.via(w, r.m)
		case word == "dev":
			index = r.s.lower(w.next())
		case word == "weight":
			n, ok := parseUint(w.next(), 0, 16)
			if !ok || n == 0 || n > 256 {
				invalid("\"weight\" is invalid\n", w.peek())
			}
			weight = uint8(n - 1)
		case word == "onlink":
			flags |= unix.RTNH_F_ONLINK
		case matches(word, "realms"):
			r.m.U32(unix.RTA_FLOW, r.s.realmWord(w.next(), "\"realm\" value is invalid\n"))
		case word == "encap":
			r.s.parseEncap(w, r.m, unix.RTA_ENCAP, unix.RTA_ENCAP_TYPE)
		case word == "as":
			next := w.next()
			if next == "to" {
				next = w.next()
			}
			r.m.Addr(rtaNewDst, address(next, r.family))
		default:
			// iproute2 leaves it to the loop over next hops to complain.
			break words
		}
		w.skip()
	}
	b := r.m.Patch(mark)
	native.PutUint16(b, uint16(len(b)))
	b[2], b[3] = flags, weight
	native.PutUint32(b[4:], index)
}
