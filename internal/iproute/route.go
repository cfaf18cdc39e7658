package iproute

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mdlayher/netlink"

	"warren/internal/rtnl"
)

// routeObject is "ip route".
func routeObject(s *session, w *words) {
	modify := func(typ int, flags netlink.HeaderFlags) func(*session, *words) {
		return func(s *session, w *words) { routeModify(s, w, typ, flags) }
	}
	unsupported := func(name string) verb {
		return verb{name, func(*session, *words) {
			die("ip route %s is not supported by this version of warren: use iproute2's own ip for it.", name)
		}}
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
		unsupported("save"), unsupported("restore"), unsupported("showdump"),
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
	s.do(r.m.Request(typ, flags))
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
		} else if !r.hasGateway && !r.hasHops {
			r.scope = unix.RT_SCOPE_LINK
		}
	}
}

func (r *routeRequest) writeMetrics() {
	if len(r.metrics) == 0 && r.locked == 0 {
		return
	}
	at := r.m.Begin(unix.RTA_METRICS)
	if r.locked != 0 {
		r.m.U32(unix.RTAX_LOCK, r.locked)
	}
	for _, m := range r.metrics {
		r.m.U32(m.typ, m.v)
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
	a := address(word, family)
	if r.family == unix.AF_UNSPEC {
		r.family = familyOfAddr(a)
	}
	if familyOfAddr(a) == r.family {
		m.Addr(unix.RTA_GATEWAY, a)
		return
	}
	m.Bytes(unix.RTA_VIA, append(native.AppendUint16(nil, uint16(familyOfAddr(a))), a.AsSlice()...))
}

// metricWords are the words for RTAX_*, with whether "lock" may follow.
func metricWords() []struct {
	name string
	typ  uint16
} {
	return []struct {
		name string
		typ  uint16
	}{
		{"mtu", unix.RTAX_MTU},
		{"hoplimit", unix.RTAX_HOPLIMIT},
		{"advmss", unix.RTAX_ADVMSS},
		{"reordering", unix.RTAX_REORDERING},
		{"rtt", unix.RTAX_RTT},
		{"rto_min", unix.RTAX_RTO_MIN},
		{"window", unix.RTAX_WINDOW},
		{"cwnd", unix.RTAX_CWND},
		{"initcwnd", unix.RTAX_INITCWND},
		{"initrwnd", unix.RTAX_INITRWND},
		{"quickack", unix.RTAX_QUICKACK},
		{"rttvar", unix.RTAX_RTTVAR},
		{"ssthresh", unix.RTAX_SSTHRESH},
	}
}

func (r *routeRequest) metricWord(w *words) bool {
	for _, m := range metricWords() {
		if !matches(w.peek(), m.name) || len(w.peek()) < 2 || (m.name != "mtu" && w.peek() == "rt") {
			continue
		}
		word := w.next()
		if word == "lock" {
			r.locked |= 1 << m.typ
			word = w.next()
		}
		v := uint32(0)
		if d, err := time.ParseDuration(word); err == nil && (m.name == "rtt" || m.name == "rto_min" || m.name == "rttvar") {
			v = uint32(d.Milliseconds())
		} else {
			v = u32(word, "\""+m.name+"\" value is invalid\n")
		}
		r.metrics = append(r.metrics, metric{m.typ, v})
		return true
	}
	return false
}

func (r *routeRequest) word(w *words) {
	switch word := w.peek(); {
	case word == "src":
		a := address(w.next(), r.family)
		r.learn(a)
		r.m.Addr(unix.RTA_PREFSRC, a)
	case word == "via":
		r.via(w, r.m)
		r.hasGateway = true
	case word == "from":
		r.src = prefix(w.next(), r.family)
		r.learn(r.src.addr)
		if r.src.addr.IsValid() {
			r.m.Addr(unix.RTA_SRC, r.src.addr)
		}
	case word == "tos", matches(word, "dsfield"):
		n, ok := parseUint(w.next(), 16, 8)
		if !ok {
			invalid("\"tos\" value is invalid\n", w.peek())
		}
		r.tos = uint8(n)
	case word == "metric", matches(word, "priority"), word == "preference":
		r.m.U32(unix.RTA_PRIORITY, u32(w.next(), "\"metric\" value is invalid\n"))
	case word == "expires":
		r.m.U32(unix.RTA_EXPIRES, u32(w.next(), "\"expires\" value is invalid\n"))
	case word == "scope":
		r.scope, r.hasScope = scopeWord(w.next()), true
	case word == "onlink":
		r.flags |= unix.RTNH_F_ONLINK
	case word == "nexthop":
		r.hasHops = true
	case matches(word, "protocol"):
		r.protocol = protocolWord(w.next())
	case matches(word, "table"):
		r.table, r.hasTable = tableWord(w.next()), true
	case word == "dev", word == "oif":
		r.dev = w.next()
	case word == "pref":
		values := map[string]uint8{"low": 3, "medium": 0, "high": 1}
		v, ok := values[w.next()]
		if !ok {
			v = u8(w.peek(), "\"pref\" value is invalid\n")
		}
		r.m.U8(unix.RTA_PREF, v)
	case word == "encap", word == "nhid", word == "vrf", matches(word, "features") && len(word) > 3, matches(word, "realms") && len(word) > 3, word == "congctl", word == "ttl-propagate", word == "as", word == "fastopen_no_cookie":
		die("ip route ... %s is not supported by this version of warren: use iproute2's own ip for it.", word)
	case r.metricWord(w):
	default:
		r.destination(w)
	}
}

func (r *routeRequest) destination(w *words) {
	word := w.peek()
	if word == "to" {
		word = w.next()
	}
	if typ, ok := routeType(word); ok && !r.hasType {
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
		switch w.peek() {
		case "via":
			r.via(w, r.m)
		case "dev":
			index = uint32(r.s.indexOf(w.next()))
			if index == 0 {
				die("Cannot find device \"%s\"", w.peek())
			}
		case "weight":
			n, ok := parseUint(w.next(), 0, 16)
			if !ok || n == 0 || n > 256 {
				invalid("\"weight\" is invalid\n", w.peek())
			}
			weight = uint8(n - 1)
		case "onlink":
			flags |= unix.RTNH_F_ONLINK
		case "nexthop":
			break words
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
