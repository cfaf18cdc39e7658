package iproute

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Attributes of routes that package unix does not name (linux/rtnetlink.h).
const (
	rtaNewDst = 19
	rtaNHID   = 30
)

// A metricWord is a word for one of RTAX_*.
type metricWord struct {
	name   string
	typ    uint16
	whole  bool   // is not to be shortened
	lock   bool   // "lock" may come first
	scale  uint32 // of a time, for what is said in milliseconds; 0 = no time
	binary bool   // 0 or 1
}

// metricWords are in the order in which the words are looked through.
func metricWords() []metricWord {
	return []metricWord{
		{name: "mtu", typ: unix.RTAX_MTU, whole: true, lock: true},
		{name: "hoplimit", typ: unix.RTAX_HOPLIMIT, whole: true, lock: true},
		{name: "advmss", typ: unix.RTAX_ADVMSS, whole: true, lock: true},
		{name: "reordering", typ: unix.RTAX_REORDERING, lock: true},
		{name: "rtt", typ: unix.RTAX_RTT, whole: true, lock: true, scale: 8},
		{name: "rto_min", typ: unix.RTAX_RTO_MIN, whole: true, scale: 1},
		{name: "window", typ: unix.RTAX_WINDOW, lock: true},
		{name: "cwnd", typ: unix.RTAX_CWND, lock: true},
		{name: "initcwnd", typ: unix.RTAX_INITCWND, lock: true},
		{name: "initrwnd", typ: unix.RTAX_INITRWND, lock: true},
		{name: "features", typ: unix.RTAX_FEATURES},
		{name: "quickack", typ: unix.RTAX_QUICKACK, binary: true},
		{name: "congctl", typ: unix.RTAX_CC_ALGO, lock: true},
		{name: "rttvar", typ: unix.RTAX_RTTVAR, lock: true, scale: 4},
		{name: "ssthresh", typ: unix.RTAX_SSTHRESH, lock: true},
	}
}

// metricWord reads a metric.
func (r *routeRequest) metricWord(w *words) bool {
	for _, m := range metricWords() {
		if m.whole && w.peek() != m.name || !matches(w.peek(), m.name) {
			continue
		}
		r.metric(&m, w)
		return true
	}
	return false
}

func (r *routeRequest) metric(m *metricWord, w *words) {
	word := w.next()
	if m.typ == unix.RTAX_RTO_MIN {
		r.locked |= 1 << m.typ
	}
	if m.lock && word == "lock" {
		r.locked |= 1 << m.typ
		word = w.next()
	}
	what := "\"" + m.name + "\" value is invalid\n"
	v := uint32(0)
	switch {
	case m.typ == unix.RTAX_FEATURES:
		if word != "ecn" {
			invalid("\"features\" value not valid\n", word)
		}
		v = 1 // RTAX_FEATURE_ECN
	case m.typ == unix.RTAX_CC_ALGO:
		r.congestion = word
		return
	case m.typ == unix.RTAX_HOPLIMIT:
		n, ok := parseUint(word, 0, 32)
		if !ok || n > 255 {
			invalid("\"hoplimit\" value is invalid\n", word)
		}
		v = uint32(n)
	case m.binary:
		if v = u32(word, what); v > 1 {
			invalid("\""+m.name+"\" value should be 0 or 1\n", word)
		}
	case m.scale != 0:
		v = milliseconds(word, m.scale, what)
	default:
		v = u32(word, what)
	}
	r.metrics = append(r.metrics, metric{m.typ, v})
}

// milliseconds reads "5s", "5ms" or a number that is taken as it is.
func milliseconds(word string, scale uint32, what string) uint32 {
	digits := strings.TrimRight(word, "abcdefghijklmnopqrstuvwxyz")
	unit := word[len(digits):]
	factor := float64(scale)
	switch unit {
	case "s", "sec", "secs":
		factor *= 1000
	case "ms", "msec", "msecs":
	case "":
		factor = 1
	default:
		invalid(what, word)
	}
	v, err := strconv.ParseFloat(digits, 64)
	if err != nil || v < 0 {
		invalid(what, word)
	}
	whole := uint32(v)
	if float64(whole) < v { // what is a bit more becomes one more, as a deadline
		whole++
	}
	if unit == "s" || unit == "sec" || unit == "secs" {
		return uint32(v*factor + 0.5)
	}
	return whole * uint32(factor)
}

func (r *routeRequest) word(w *words) {
	switch word := w.peek(); {
	case word == "src":
		a := address(w.next(), r.family)
		r.learn(a)
		r.m.Addr(unix.RTA_PREFSRC, a)
	case word == "as":
		next := w.next()
		if next == "to" {
			next = w.next()
		}
		a := address(next, r.family)
		r.learn(a)
		r.m.Addr(rtaNewDst, a)
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
		r.tos = r.s.dsWord(w.next(), "\"tos\" value is invalid\n")
	case word == "expires":
		r.m.U32(unix.RTA_EXPIRES, u32(w.next(), "\"expires\" value is invalid\n"))
	case matches(word, "metric"), matches(word, "priority"), word == "preference":
		r.m.U32(unix.RTA_PRIORITY, u32(w.next(), "\"metric\" value is invalid\n"))
	case word == "scope":
		r.scope, r.hasScope = scopeWord(r.s, w.next()), true
	case r.metricWord(w):
	case matches(word, "realms"):
		r.m.U32(unix.RTA_FLOW, r.s.realmWord(w.next(), "\"realm\" value is invalid\n"))
	case word == "onlink":
		r.flags |= unix.RTNH_F_ONLINK
	case word == "nexthop":
		r.hasHops = true
	case word == "nhid":
		r.nhid = true
		r.m.U32(rtaNHID, u32(w.next(), "\"id\" value is invalid\n"))
	case matches(word, "protocol"):
		r.protocol = protocolWord(r.s, w.next())
	case matches(word, "table"):
		r.table, r.hasTable = tableWord(r.s, w.next()), true
	case matches(word, "vrf"):
		if r.table, r.hasTable = r.s.domainTable(w.next()), true; r.table == 0 {
			invalid("Invalid VRF\n", w.peek())
		}
	case word == "dev", word == "oif":
		r.dev = w.next()
	case word == "pref":
		v, ok := map[string]uint8{"low": 3, "medium": 0, "high": 1}[w.next()]
		if !ok {
			v = u8(w.peek(), "\"pref\" value is invalid\n")
		}
		r.m.U8(unix.RTA_PREF, v)
	case word == "encap":
		r.s.parseEncap(w, r.m, unix.RTA_ENCAP, unix.RTA_ENCAP_TYPE)
	case word == "ttl-propagate":
		switch w.next() {
		case "enabled":
			r.m.U8(unix.RTA_TTL_PROPAGATE, 1)
		case "disabled":
			r.m.U8(unix.RTA_TTL_PROPAGATE, 0)
		default:
			invalid("\"ttl-propagate\" value is invalid\n", w.peek())
		}
	case matches(word, "fastopen_no_cookie"):
		n := u32(w.next(), "\"fastopen_no_cookie\" value is invalid\n")
		if n > 1 {
			invalid("\"fastopen_no_cookie\" value should be 0 or 1\n", w.peek())
		}
		r.metrics = append(r.metrics, metric{unix.RTAX_FASTOPEN_NO_COOKIE, n})
	default:
		r.destination(w)
	}
}
