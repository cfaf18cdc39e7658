package iproute

import (
	"fmt"
	"net/netip"
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
	dst, color := "default", colorOfFamily(int(r.family))
	switch {
	case r.a.Has(unix.RTA_DST) && r.dstLen != hostLen:
		dst = fmt.Sprintf("%s/%d", r.a.Addr(unix.RTA_DST), r.dstLen)
	case r.a.Has(unix.RTA_DST):
		dst = s.host(r.a.Addr(unix.RTA_DST))
	case r.dstLen != 0:
		dst = fmt.Sprintf("0/%d", r.dstLen)
	default:
		color = ""
	}
	p.colored(color, "dst", "%s ", dst)
	if r.a.Has(unix.RTA_SRC) {
		src := s.host(r.a.Addr(unix.RTA_SRC))
		if r.srcLen != hostLen {
			src = fmt.Sprintf("%s/%d", r.a.Addr(unix.RTA_SRC), r.srcLen)
		}
		p.colored(colorOfFamily(int(r.family)), "from", "from %s ", src)
	} else if r.srcLen != 0 {
		p.str("src", "from %s ", fmt.Sprintf("0/%d", r.srcLen))
	}
	if r.a.Has(rtaNHID) {
		num(p, "nhid", "nhid %d ", r.a.U32(rtaNHID))
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
	s.printGateway(p, r.a, f.via.addr.IsValid() && f.via.bits == int(hostLen))
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
	if r.a.Has(unix.RTA_PREFSRC) && !(f.src.addr.IsValid() && f.src.bits == int(hostLen)) {
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
	s.printRouteEnd(p, f, r)
	p.text("\n")
	p.closeObject()
}

func (s *session) printRouteEnd(p *printer, f *routeFilter, r *routeMsg) {
	if r.flags&unix.RTM_F_CLONED != 0 && r.family == unix.AF_INET {
		p.text("%s", p.nl)
		p.openArray("cache", "    cache ")
		p.printCacheFlags(r.flags &^ 0xffff)
		p.closeArray("")
	}
	if b := r.a.Bytes(unix.RTA_CACHEINFO); len(b) >= cacheInfoLen && r.family != unix.AF_MPLS {
		s.printCacheInfo(p, b)
	}
	if r.a.Has(unix.RTA_METRICS) {
		printMetrics(p, r.a.Nested(unix.RTA_METRICS))
	}
	if r.a.Has(unix.RTA_IIF) && f.iif == 0 {
		p.text("iif ")
		p.colored(colorName, "iif", "%s ", s.nameOf(int(r.a.U32(unix.RTA_IIF))))
	}
	if r.a.Has(unix.RTA_PREF) {
		printPref(p, r.a.U8(unix.RTA_PREF))
	}
	if r.a.Has(unix.RTA_TTL_PROPAGATE) {
		word := "disabled"
		if r.a.U8(unix.RTA_TTL_PROPAGATE) != 0 {
			word = "enabled"
		}
		p.boolean("ttl-propogate", "ttl-propogate "+word, word == "enabled") //nolint:misspell // as iproute2 spells it
	}
	if nhid := r.a.U32(rtaNHID); nhid != 0 && s.opt.details {
		s.printNexthopInfo(p, nhid)
	}
	if b := r.a.Bytes(unix.RTA_MULTIPATH); b != nil {
		s.printNexthops(p, r, b)
	}
}

// printPref prints how much a router is liked (RFC 4191).
func printPref(p *printer, pref uint8) {
	switch pref {
	case 0:
		p.str("pref", "pref %s", "medium")
	case 1:
		p.str("pref", "pref %s", "high")
	case 3:
		p.str("pref", "pref %s", "low")
	default:
		num(p, "pref", "%d", pref)
	}
}

const cacheInfoLen = 32 // struct rta_cacheinfo

// printCacheInfo prints struct rta_cacheinfo; its times are in hundredths of a second.
func (s *session) printCacheInfo(p *printer, b []byte) {
	users, age, used := native.Uint32(b), native.Uint32(b[4:]), native.Uint32(b[16:])
	expires, err := int32(native.Uint32(b[8:])), native.Uint32(b[12:])
	id, stamp, stampAge := native.Uint32(b[20:]), native.Uint32(b[24:]), native.Uint32(b[28:])
	if expires != 0 {
		num(p, "expires", "expires %dsec ", expires/100)
	}
	if err != 0 {
		num(p, "error", "error %d ", err)
	}
	if s.opt.stats > 0 {
		if users != 0 {
			num(p, "users", "users %d ", users)
		}
		if used != 0 {
			num(p, "used", "used %d ", used)
		}
		if age != 0 {
			num(p, "age", "age %dsec ", age/100)
		}
	}
	if id != 0 {
		p.hexa("ipid", "ipid 0x%04x ", uint64(id))
	}
	if stamp != 0 || stampAge != 0 {
		p.hexa("ts", "ts 0x%x", uint64(stamp))
		num(p, "tsage", "tsage %dsec ", stampAge)
	}
}

// printCacheFlags prints RTCF_*.
func (p *printer) printCacheFlags(flags uint32) {
	if flags == 0 {
		return
	}
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
			p.item("%s> ", f.name)
		}
	}
	if flags != 0 {
		p.text("%x>", flags)
		if p.isJSON() {
			p.js.str(strconv.FormatUint(uint64(flags), 16))
		}
	}
}

func (s *session) printGateway(p *printer, a rtnl.Attrs, hidden bool) {
	if a.Has(unix.RTA_GATEWAY) && !hidden {
		gateway := a.Addr(unix.RTA_GATEWAY)
		p.text("via ")
		p.colored(colorOfFamily(familyOfAddr(gateway)), "gateway", "%s ", s.host(gateway))
	}
	b := a.Bytes(unix.RTA_VIA)
	if len(b) < 6 {
		return
	}
	family := int(native.Uint16(b))
	addr := viaAddr(b[2:])
	p.openObject("via")
	p.str("family", "via %s ", familyName(family))
	p.colored(colorOfFamily(family), "host", "%s ", s.host(addr))
	p.closeObject()
}

func viaAddr(b []byte) netip.Addr {
	m := rtnl.ParseAttrs(append(native.AppendUint16(native.AppendUint16(nil, uint16(4+len(b))), 1), b...))
	return m.Addr(1)
}

func tosWord(tos uint8) string {
	return fmt.Sprintf("0x%02x", tos)
}

const rtmOffloadFailed = 0x20000000 // RTM_F_OFFLOAD_FAILED, since Linux 5.12

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
		{rtmOffloadFailed, "rt_offload_failed"},
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
		s.printGateway(p, a, false)
		if a.Has(unix.RTA_FLOW) {
			s.printRealms(p, a.U32(unix.RTA_FLOW))
		}
		if index := int(native.Uint32(b[4:])); index != 0 {
			p.str("dev", "dev %s ", s.nameOf(index)) // of one of several iproute2 does not colour it
		}
		if r.family != unix.AF_MPLS {
			num(p, "weight", "weight %d ", int(b[3])+1)
		}
		printRouteFlags(p, uint32(b[2]))
		p.closeObject()
		b = b[min((n+3)&^3, len(b)):]
	}
	p.closeArray("")
}
