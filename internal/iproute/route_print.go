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

func (s *session) printRoute(p *printer, f *routeFilter, r *routeMsg) {
	hostLen := uint8(32)
	if r.family == unix.AF_INET6 {
		hostLen = 128
	}
	p.openObject("")
	s.printDeleted(p)
	if r.typ != unix.RTN_UNICAST || s.opt.details {
		word := strconv.Itoa(int(r.typ))
		if names := routeTypes(); int(r.typ) < len(names) && !s.opt.numeric {
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
	if r.a.Has(rtaNewDst) {
		p.str("to", "as to %s ", s.newDst(r))
	}
	if r.a.Has(unix.RTA_ENCAP) {
		s.printEncap(p, r.a.U16(unix.RTA_ENCAP_TYPE), r.a.Bytes(unix.RTA_ENCAP))
	}
	if r.tos != 0 && f.tos == nil {
		p.str("tos", "tos %s ", s.dsName(r.tos))
	}
	if r.a.Has(rtaNHID) {
		num(p, "nhid", "nhid %d ", r.a.U32(rtaNHID))
	}
	printGateway(p, r.a, f.via.addr.IsValid() && f.via.bits == int(hostLen))
	if r.a.Has(unix.RTA_OIF) && f.oif == 0 {
		p.text("dev ")
		p.colored(colorName, "dev", "%s ", s.nameOf(int(r.a.U32(unix.RTA_OIF))))
	}
	if (r.table != unix.RT_TABLE_MAIN || s.opt.details) && f.table == 0 && r.table != 0 {
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
	if flow := r.a.U32(unix.RTA_FLOW); r.a.Has(unix.RTA_FLOW) && (f.realms == nil || f.realms.mask != forever) {
		s.printRealms(p, flow)
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
	if nhid := r.a.U32(rtaNHID); nhid != 0 && s.opt.details {
		s.printNexthopInfo(p, nhid)
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
	if r.a.Has(unix.RTA_TTL_PROPAGATE) {
		p.text("ttl-propagate ")
		if r.a.U8(unix.RTA_TTL_PROPAGATE) != 0 {
			p.str("ttl-propagate", "%s", "enabled")
		} else {
			p.str("ttl-propagate", "%s", "disabled")
		}
	}
}

// printCacheFlags prints RTCF_*.
func (p *printer) printCacheFlags(flags uint32) {
	p.text("<")
	for _, f := range []struct { // linux/in_route.h
		bit  uint32
		name string
	}{
		{0x80000000, "local"},
		{0x40000000, "reject"},
		{0x20000000, "mc"},
		{0x10000000, "brd"},
		{0x08000000, "dst-nat"},
		{0x00800000, "src-nat"},
		{0x00400000, "masq"},
		{0x00020000, "dst-direct"},
		{0x04000000, "src-direct"},
		{0x00040000, "redirected"},
		{0x01000000, "redirect"},
		{0x00200000, "fastroute"},
		{0x00010000, "notify"},
		{0x00080000, "proxy"},
	} {
		if flags&f.bit == 0 {
			continue
		}
		if flags &^= f.bit; flags != 0 {
			p.item("%s,", f.name)
		} else {
			p.item("%s", f.name)
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
		if a.Has(unix.RTA_ENCAP) {
			s.printEncap(p, a.U16(unix.RTA_ENCAP_TYPE), a.Bytes(unix.RTA_ENCAP))
		}
		if a.Has(rtaNewDst) {
			p.str("to", "as to %s ", a.Addr(rtaNewDst).String())
		}
		printGateway(p, a, false)
		if a.Has(unix.RTA_FLOW) {
			s.printRealms(p, a.U32(unix.RTA_FLOW))
		}
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
