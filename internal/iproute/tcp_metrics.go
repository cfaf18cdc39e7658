package iproute

import (
	"fmt"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

const tcpMetricsUsage = `Usage: ip tcp_metrics { show | flush } [ [ address ] PREFIX ] [ source ADDRESS ]
       ip tcp_metrics delete [ address ] ADDRESS [ source ADDRESS ]`

// What the kernel remembers of TCP's partners (linux/tcp_metrics.h).
const (
	tcpMetricsGet = 1
	tcpMetricsDel = 2

	tcpAddr4       = 1
	tcpAddr6       = 2
	tcpAge         = 3
	tcpTSVal       = 4
	tcpTSStamp     = 5
	tcpVals        = 6
	tcpFastMSS     = 7
	tcpFastDrops   = 8
	tcpFastDropsAt = 9
	tcpFastCookie  = 10
	tcpSource4     = 11
	tcpSource6     = 12
)

// tcpMetricsObject is "ip tcp_metrics"; each verb takes its beginning, as long as it is unambiguous to iproute2.
func tcpMetricsObject(s *session, w *words) {
	word := w.peek()
	if !dispatch(s, w, []verb{
		{"list", tcpMetricsShow},
		{"show", tcpMetricsShow},
		{"lst", tcpMetricsShow},
		{"delete", tcpMetricsDelete},
		{"flush", tcpMetricsFlush},
		{"help", func(*session, *words) { usageOf(tcpMetricsUsage) }},
	}) {
		unknownVerb("tcp_metrics", word)
	}
}

func tcpMetricsShow(s *session, w *words)   { s.tcpMetrics(w, "show") }
func tcpMetricsDelete(s *session, w *words) { s.tcpMetrics(w, "delete") }
func tcpMetricsFlush(s *session, w *words)  { s.tcpMetrics(w, "flush") }

// A tcpMetricsFilter says which partners are meant.
type tcpMetricsFilter struct {
	family      int
	dest, local *prefixWord
}

// exact reports whether a prefix is one address.
func exact(p *prefixWord) bool { return p != nil && p.addr.IsValid() && p.bits == p.addr.BitLen() }

func (s *session) tcpMetricsFilter(w *words, verb string) tcpMetricsFilter {
	f := tcpMetricsFilter{family: s.opt.family}
	if f.family != unix.AF_UNSPEC && f.family != unix.AF_INET && f.family != unix.AF_INET6 {
		die("Unsupported protocol family: %d", f.family)
	}
	for ; w.more(); w.skip() {
		who, to := "address", &f.dest
		word := w.peek()
		switch word {
		case "src", "source":
			who, to = word, &f.local
			w.next()
		case "addr", "address":
			who = word
			w.next()
		}
		if matches(w.peek(), "help") {
			usageOf(tcpMetricsUsage)
		}
		if *to != nil {
			garbage(who, w.peek())
		}
		p := prefix(w.peek(), f.family)
		*to = &p
		if !exact(*to) && (to == &f.local || verb == "delete") {
			die("Error: a specific IP address is expected rather than \"%s\"", w.peek())
		}
		w.skip() // iproute2 passes over every second word
	}
	return f
}

// tcpMetrics shows, deletes or flushes.
func (s *session) tcpMetrics(w *words, verb string) {
	f := s.tcpMetricsFilter(w, verb)
	if verb == "delete" && !exact(f.dest) {
		missing("address")
	}
	if verb == "flush" && (exact(f.dest) || all(f.dest) && all(f.local) && f.family == unix.AF_UNSPEC) {
		verb = "delete"
	}
	g := s.family("tcp_metrics")
	address := func(m *rtnl.Message) {
		for _, a := range []struct {
			p         *prefixWord
			four, six uint16
		}{{f.dest, tcpAddr4, tcpAddr6}, {f.local, tcpSource4, tcpSource6}} {
			if exact(a.p) {
				putAddr(m, a.p.addr, a.four, a.six)
			}
		}
	}
	switch {
	case verb == "delete":
		m := g.message(tcpMetricsDel)
		address(m)
		s.send(g, m)
	case verb == "flush":
		s.flushTCPMetrics(g, &f)
	case exact(f.dest):
		m := g.message(tcpMetricsGet)
		address(m)
		text := &printer{nl: "\n"} // as iproute2 has it: one is never JSON
		for _, a := range s.get(g, m) {
			printTCPMetrics(text, a, &f)
		}
		_, _ = s.stdio.Out.Write(text.b.Bytes())
	default:
		entries := s.list(g, g.message(tcpMetricsGet))
		p := s.out()
		for _, a := range entries {
			printTCPMetrics(p, a, &f)
		}
	}
}

// all reports whether a prefix excludes nothing.
func all(p *prefixWord) bool { return p == nil || p.bits <= 0 }

func putAddr(m *rtnl.Message, a netip.Addr, four, six uint16) {
	if a.Is4() {
		m.Addr(four, a)
	} else {
		m.Addr(six, a)
	}
}

// ends are the partner's address and ours; the second may be missing.
func (f *tcpMetricsFilter) ends(a rtnl.Attrs) (dest, local netip.Addr, ok bool) {
	either := func(four, six int) netip.Addr {
		if a.Has(four) {
			return a.Addr(four)
		}
		return a.Addr(six)
	}
	fits := func(x netip.Addr, p *prefixWord) bool {
		if f.family != unix.AF_UNSPEC && familyOfAddr(x) != f.family {
			return false
		}
		return p == nil || !p.addr.IsValid() || familyOfAddr(x) == familyOfAddr(p.addr) && netip.PrefixFrom(p.addr, p.bits).Contains(x)
	}
	dest, local = either(tcpAddr4, tcpAddr6), either(tcpSource4, tcpSource6)
	return dest, local, dest.IsValid() && fits(dest, f.dest) && (!local.IsValid() || fits(local, f.local))
}

func (s *session) flushTCPMetrics(g genlFamily, f *tcpMetricsFilter) {
	p := s.out()
	for round := 0; ; round++ {
		var requests []nl.Request
		for _, a := range s.list(g, g.message(tcpMetricsGet)) {
			dest, local, ok := f.ends(a)
			if !ok {
				continue
			}
			m := g.message(tcpMetricsDel)
			putAddr(m, dest, tcpAddr4, tcpAddr6)
			if local.IsValid() {
				putAddr(m, local, tcpSource4, tcpSource6)
			}
			if req, err := m.Request(g.id, 0); err == nil {
				requests = append(requests, req)
			}
			if s.opt.stats >= 2 {
				p.text("Deleted ")
				printTCPMetrics(p, a, f)
			}
		}
		if len(requests) == 0 {
			switch {
			case round == 0:
				fmt.Fprintln(s.stdio.Err, "Nothing to flush.")
			case s.opt.stats > 0:
				p.text("*** Flush is complete after %d round%s ***\n", round, map[bool]string{true: "s"}[round > 1])
			}
			return
		}
		for _, err := range s.generic().Batch(requests) {
			refused(err)
		}
		if s.opt.stats > 0 {
			p.text("\n*** Round %d, deleting %d entries ***\n", round+1, len(requests))
		}
	}
}

// fraction is a number as C's %g has it.
func fraction(p *printer, key string, v float64) {
	if p.isJSON() {
		p.js.name(key)
		p.js.raw("%s", strconv.FormatFloat(v, 'g', -1, 64))
	}
}

func printTCPMetrics(p *printer, a rtnl.Attrs, f *tcpMetricsFilter) {
	dest, local, ok := f.ends(a)
	if !ok {
		return
	}
	p.openObject("")
	p.str("dst", "%s", dest.String())
	if a.Has(tcpAge) {
		age := float64(a.U64(tcpAge)) / 1000
		p.text(" age %.03fsec", age)
		fraction(p, "age", age)
	}
	if a.Has(tcpTSStamp) {
		p.str("tw_ts_stamp", " tw_ts %s ago", fmt.Sprintf("%d/%d", a.U32(tcpTSVal), a.S32(tcpTSStamp)))
	}
	if a.Has(tcpVals) {
		printTCPValues(p, a.Nested(tcpVals))
	}
	if a.Has(tcpFastMSS) {
		num(p, "fopen_miss", " fo_mss %d", a.U16(tcpFastMSS))
	}
	if a.Has(tcpFastDrops) {
		num(p, "fopen_syn_drops", " fo_syn_drops %d", a.U16(tcpFastDrops))
		at := float64(a.U64(tcpFastDropsAt)) / 1000000
		p.text("/%.03fusec ago", at)
		fraction(p, "fopen_syn_drop_ts", at)
	}
	if b := a.Bytes(tcpFastCookie); b != nil {
		p.str("fo_cookie", " fo_cookie %s", fmt.Sprintf("%x", b[:min(len(b), 16)]))
	}
	if local.IsValid() {
		p.str("source", " source %s", local.String())
	}
	p.text("\n")
	p.closeObject()
}

// printTCPValues prints what was measured: the times in microseconds where the kernel has them so, in eighths and quarters.
func printTCPValues(p *printer, a rtnl.Attrs) {
	const rtt, rttvar, rttUS, rttvarUS = 1, 2, 6, 7
	names := map[int]string{3: "ssthresh", 4: "cwnd", 5: "reordering"}
	for i := 3; i <= 5; i++ {
		if a.Has(i) {
			num(p, names[i], " "+names[i]+" %d", a.U32(i))
		}
	}
	time := func(us, ms, shift int, key string) {
		v := uint64(a.U32(ms)) * 1000 >> shift
		if a.Has(us) {
			v = uint64(a.U32(us)) >> shift
		}
		if v != 0 {
			p.text(" %s %dus", key, v)
			fraction(p, key, float64(v)/1000000)
		}
	}
	time(rttUS, rtt, 3, "rtt")
	time(rttvarUS, rttvar, 2, "rttvar")
}
