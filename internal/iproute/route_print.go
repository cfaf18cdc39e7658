package iproute

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

func routeShow(s *session, w *words) {
	f := s.routeFilter(w)
	p := s.out()
	for _, r := range s.routes(f, true) {
		s.printRoute(p, f, &r)
	}
}

// routeGet is "ip route get".
func routeGet(s *session, w *words) {
	m := rtnl.NewMessage(rtnl.RtmsgLen)
	head := make([]byte, rtnl.RtmsgLen)
	family, has := s.opt.family, false
	var iif, oif string
	flags := uint32(unix.RTM_F_LOOKUP_TABLE)
	for w.more() {
		switch word := w.peek(); {
		case word == "from":
			p := prefix(w.next(), family)
			if family == unix.AF_UNSPEC && p.addr.IsValid() {
				family = familyOfAddr(p.addr)
			}
			if p.addr.IsValid() {
				m.Addr(unix.RTA_SRC, p.addr)
				head[2] = uint8(p.bits)
			}
		case matches(word, "iif"):
			iif = w.next()
		case matches(word, "oif"), word == "dev":
			oif = w.next()
		case matches(word, "mark"):
			m.U32(unix.RTA_MARK, u32(w.next(), "invalid mark value"))
		case matches(word, "uid"):
			m.U32(unix.RTA_UID, u32(w.next(), "invalid UID\n"))
		case word == "tos", matches(word, "dsfield"):
			n, ok := parseUint(w.next(), 16, 8)
			if !ok {
				invalid("TOS value is invalid\n", w.peek())
			}
			head[3] = uint8(n)
		case matches(word, "fibmatch"):
			flags |= unix.RTM_F_FIB_MATCH
		case matches(word, "notify"), matches(word, "connected"), word == "vrf", word == "ipproto", word == "sport", word == "dport", matches(word, "cached"), word == "as":
			die("ip route get %s is not supported by this version of warren: use iproute2's own ip for it.", word)
		default:
			if word == "to" {
				word = w.next()
			}
			if matches(word, "help") {
				usageOf(routeUsage)
			}
			p := prefix(word, family)
			if family == unix.AF_UNSPEC && p.addr.IsValid() {
				family = familyOfAddr(p.addr)
			}
			if p.addr.IsValid() {
				m.Addr(unix.RTA_DST, p.addr)
				has = true
			}
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
		if r, ok := readRoute(msg.Data); ok {
			s.printRoute(p, &routeFilter{table: unix.RT_TABLE_MAIN}, &r)
		}
	}
}

func (s *session) printRoute(p *printer, f *routeFilter, r *routeMsg) {
	hostLen := uint8(32)
	if r.family == unix.AF_INET6 {
		hostLen = 128
	}
	p.openObject("")
	if r.typ != unix.RTN_UNICAST || s.opt.details {
		word := strconv.Itoa(int(r.typ))
		if names := routeTypes(); int(r.typ) < len(names) {
			word = names[r.typ]
		}
		p.str("type", "%s ", word)
	}
	dst := "default"
	switch {
	case r.a.Has(unix.RTA_DST) && r.dstLen != hostLen:
		dst = fmt.Sprintf("%s/%d", r.a.Addr(unix.RTA_DST), r.dstLen)
	case r.a.Has(unix.RTA_DST):
		dst = r.a.Addr(unix.RTA_DST).String()
	case r.dstLen != 0:
		dst = fmt.Sprintf("0/%d", r.dstLen)
	}
	p.colored(colorOfFamily(int(r.family)), "dst", "%s ", dst)
	if r.a.Has(unix.RTA_SRC) {
		src := r.a.Addr(unix.RTA_SRC).String()
		if r.srcLen != hostLen {
			src = fmt.Sprintf("%s/%d", src, r.srcLen)
		}
		p.str("from", "from %s ", src)
	} else if r.srcLen != 0 {
		p.str("from", "from %s ", fmt.Sprintf("0/%d", r.srcLen))
	}
	if r.tos != 0 && f.tos == nil {
		p.str("tos", "tos %s ", tosWord(r.tos))
	}
	printGateway(p, r.a, f.via.addr.IsValid() && f.via.bits == int(hostLen))
	if r.a.Has(unix.RTA_OIF) && f.oif == 0 {
		p.text("dev ")
		p.colored(colorName, "dev", "%s ", s.nameOf(int(r.a.U32(unix.RTA_OIF))))
	}
	if r.table != unix.RT_TABLE_MAIN && f.table == 0 {
		p.str("table", "table %s ", tableName(s, r.table))
	}
	if r.flags&unix.RTM_F_CLONED == 0 {
		if (r.protocol != unix.RTPROT_BOOT || s.opt.details) && f.protocol == nil {
			p.str("protocol", "proto %s ", protocolName(s, r.protocol))
		}
		if (r.scope != unix.RT_SCOPE_UNIVERSE || s.opt.details) && f.scope == nil {
			p.str("scope", "scope %s ", scopeName(s, r.scope))
		}
	}
	if r.a.Has(unix.RTA_PREFSRC) {
		p.text("src ")
		p.colored(colorOfFamily(int(r.family)), "prefsrc", "%s ", r.a.Addr(unix.RTA_PREFSRC).String())
	}
	if r.a.Has(unix.RTA_PRIORITY) && f.metric == nil {
		num(p, "metric", "metric %d ", r.a.U32(unix.RTA_PRIORITY))
	}
	printRouteFlags(p, r.flags)
	if mark := r.a.U32(unix.RTA_MARK); mark != 0 {
		if mark >= 16 {
			p.str("mark", "mark %s ", fmt.Sprintf("0x%x", mark))
		} else {
			num(p, "mark", "mark %d ", mark)
		}
	}
	if r.a.Has(unix.RTA_UID) {
		num(p, "uid", "uid %d ", r.a.U32(unix.RTA_UID))
	}
	s.printRouteEnd(p, r)
	p.text("\n")
	p.closeObject()
}

func (s *session) printRouteEnd(p *printer, r *routeMsg) {
	expires := uint32(0)
	if b := r.a.Bytes(unix.RTA_CACHEINFO); len(b) >= 12 {
		expires = native.Uint32(b[8:])
	}
	if r.flags&unix.RTM_F_CLONED != 0 && r.family == unix.AF_INET {
		p.text("%s", p.nl)
		p.openArray("cache", "    cache ")
		if cached := r.flags &^ 0xffff; cached != 0 {
			p.printCacheFlags(cached)
		}
		p.closeArray("")
		if expires != 0 {
			num(p, "expires", "expires %dsec ", int32(expires)/100)
		}
	} else if r.family == unix.AF_INET6 && expires != 0 {
		num(p, "expires", "expires %dsec ", int32(expires)/100)
	}
	if r.a.Has(unix.RTA_METRICS) {
		printMetrics(p, r.a.Nested(unix.RTA_METRICS))
	}
	if r.a.Has(unix.RTA_IIF) {
		p.str("iif", "iif %s ", s.nameOf(int(r.a.U32(unix.RTA_IIF))))
	}
	if b := r.a.Bytes(unix.RTA_MULTIPATH); b != nil {
		s.printNexthops(p, r, b)
	}
	if r.a.Has(unix.RTA_PREF) {
		words := map[uint8]string{0: "medium", 1: "high", 3: "low"}
		word, ok := words[r.a.U8(unix.RTA_PREF)]
		if !ok {
			word = strconv.Itoa(int(r.a.U8(unix.RTA_PREF)))
		}
		p.str("pref", "pref %s", word)
	}
}

// printCacheFlags prints RTCF_*.
func (p *printer) printCacheFlags(flags uint32) {
	p.text("<")
	for _, f := range []struct {
		bit  uint32
		name string
	}{{0x01000000, "redirect"}, {0x20000000, "mc"}, {0x10000000, "brd"}, {0x80000000, "local"}, {0x02000000, "src-direct"}, {0x04000000, "nat"}} {
		if flags&f.bit != 0 {
			flags &^= f.bit
			more := ""
			if flags&^0xffffff != 0 && flags&^uint32(0x00ffffff) != 0 {
				more = ","
			}
			p.item("%s"+more, f.name)
		}
	}
	p.text("> ")
}

func printGateway(p *printer, a rtnl.Attrs, hidden bool) {
	if a.Has(unix.RTA_GATEWAY) && !hidden {
		gateway := a.Addr(unix.RTA_GATEWAY)
		p.text("via ")
		p.colored(colorOfFamily(familyOfAddr(gateway)), "gateway", "%s ", gateway.String())
	}
	b := a.Bytes(unix.RTA_VIA)
	if len(b) < 6 {
		return
	}
	family := familyName(int(native.Uint16(b)))
	addr := viaAddr(b[2:])
	p.openObject("via")
	p.str("family", "via %s ", family)
	p.str("host", "%s ", addr)
	p.closeObject()
}

func viaAddr(b []byte) string {
	m := rtnl.ParseAttrs(append(native.AppendUint16(native.AppendUint16(nil, uint16(4+len(b))), 1), b...))
	return m.Addr(1).String()
}

func tosWord(tos uint8) string {
	return fmt.Sprintf("0x%02x", tos)
}

func printRouteFlags(p *printer, flags uint32) {
	p.openArray("flags", "")
	for _, f := range []struct {
		bit  uint32
		name string
	}{
		{unix.RTNH_F_DEAD, "dead"},
		{unix.RTNH_F_ONLINK, "onlink"},
		{unix.RTNH_F_PERVASIVE, "pervasive"},
		{unix.RTNH_F_OFFLOAD, "offload"},
		{unix.RTNH_F_TRAP, "trap"},
		{unix.RTM_F_NOTIFY, "notify"},
		{unix.RTNH_F_LINKDOWN, "linkdown"},
		{unix.RTNH_F_UNRESOLVED, "unresolved"},
		{unix.RTM_F_OFFLOAD, "rt_offload"},
		{unix.RTM_F_TRAP, "rt_trap"},
	} {
		if flags&f.bit != 0 {
			p.item("%s ", f.name)
		}
	}
	p.closeArray("")
}

func printMetrics(p *printer, a rtnl.Attrs) {
	names := []string{"", "lock", "mtu", "window", "rtt", "rttvar", "ssthresh", "cwnd", "advmss", "reordering", "hoplimit", "initcwnd", "features", "rto_min", "initrwnd", "quickack", "congctl", "fastopen_no_cookie"}
	lock := a.U32(unix.RTAX_LOCK)
	p.openArray("metrics", "")
	p.openObject("")
	for i := 2; i < len(names); i++ {
		if !a.Has(i) {
			continue
		}
		p.text("%s ", names[i])
		if lock&(1<<i) != 0 {
			p.text("lock ")
		}
		v := a.U32(i)
		if i == unix.RTAX_RTT || i == unix.RTAX_RTTVAR || i == unix.RTAX_RTO_MIN {
			unit := map[int]uint32{unix.RTAX_RTT: 8, unix.RTAX_RTTVAR: 4, unix.RTAX_RTO_MIN: 1}[i]
			p.text("%s ", ms(v/unit))
			num(p, names[i], "", v/unit)
			continue
		}
		num(p, names[i], "%d ", v)
	}
	p.closeObject()
	p.closeArray("")
}

func ms(v uint32) string { return strconv.FormatUint(uint64(v), 10) + "ms" }

func (s *session) printNexthops(p *printer, r *routeMsg, b []byte) {
	p.openArray("nexthops", "")
	for len(b) >= unix.SizeofRtNexthop {
		n := int(native.Uint16(b))
		if n < unix.SizeofRtNexthop || n > len(b) {
			break
		}
		a := rtnl.ParseAttrs(b[unix.SizeofRtNexthop:n])
		p.openObject("")
		p.text("%s\tnexthop ", p.nl)
		printGateway(p, a, false)
		if index := int(native.Uint32(b[4:])); index != 0 {
			p.text("dev ")
			p.colored(colorName, "dev", "%s ", s.nameOf(index))
		}
		if r.flags&unix.RTM_F_CLONED == 0 || r.family != unix.AF_INET {
			num(p, "weight", "weight %d ", int(b[3])+1)
		}
		printRouteFlags(p, uint32(b[2]))
		p.closeObject()
		b = b[min((n+3)&^3, len(b)):]
	}
	p.closeArray("")
}
