package iproute

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// printEndpoint prints an end of a tunnel; one that is not there is any.
func printEndpoint(p *printer, a rtnl.Attrs, typ int, key string) {
	word := "any"
	if addr, ok := netip.AddrFromSlice(a.Bytes(typ)); ok && !addr.IsUnspecified() {
		word = addr.String()
	}
	p.str(key, key+" %s ", word)
}

func (s *session) printTunnelLink(p *printer, a rtnl.Attrs) {
	if index := a.U32(iptunLink); index != 0 { // the first attribute of all of them
		p.str("link", "dev %s ", s.nameOf(int(index)))
	}
}

func printMark(p *printer, mark uint32) {
	if mark != 0 {
		p.hexa("fwmark", "fwmark %#x ", uint64(mark))
	}
}

// printEncapOf prints how a tunnel's packets are wrapped once more; the attribute of the type is the first of four.
func printEncapOf(p *printer, a rtnl.Attrs, typ int) {
	encap := presentEncap(a, typ)
	kind, flags, sport, dport := encap[0], encap[1], encap[2], encap[3]
	if kind == 0 {
		return
	}
	p.openObject("encap")
	p.text("encap ")
	switch kind {
	case 1:
		p.str("type", "%s ", "fou")
	case 2:
		p.str("type", "%s ", "gue")
	default:
		p.null("type", "unknown ")
	}
	if p.isJSON() {
		num(p, "sport", "", sport)
		num(p, "dport", "", dport)
		p.boolean("csum", "", flags&1 != 0)
		p.boolean("csum6", "", flags&2 != 0)
		p.boolean("remcsum", "", flags&4 != 0)
	} else {
		if sport == 0 {
			p.text("encap-sport auto ")
		} else {
			p.text("encap-sport %d ", sport)
		}
		p.text("encap-dport %d ", dport)
		for i, name := range []string{"csum", "csum6", "remcsum"} {
			if flags&(1<<i) == 0 {
				p.text("no")
			}
			p.text("encap-%s ", name)
		}
	}
	p.closeObject()
}

func printIptun(s *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if a.Has(iptunMetadata) {
		p.is("external", "external ")
	}
	if a.Has(iptunProto) {
		printTunnelProto(p, a.U8(iptunProto), "ipip", "ip6ip")
	}
	printEndpoint(p, a, iptunRemote, "remote")
	printEndpoint(p, a, iptunLocal, "local")
	s.printTunnelLink(p, a)
	printOrWord(p, "ttl", a.U8(iptunTTL), "inherit")
	printTOS(p, a.U8(iptunTOS))
	on := a.U8(iptunPMTUDisc) != 0
	p.boolean("pmtudisc", map[bool]string{true: "pmtudisc ", false: "nopmtudisc "}[on], on)
	if a.U16(iptunFlags)&sitISATAP != 0 {
		p.is("isatap", "isatap ")
	}
	if bits := a.U16(iptun6rdLen); bits != 0 {
		print6rd(p, a, bits)
	}
	printMark(p, a.U32(iptunFwmark))
	printEncapOf(p, a, iptunEncapType)
}

// printTunnelProto prints what a tunnel carries.
func printTunnelProto(p *printer, proto uint8, four, six string) {
	switch proto {
	case unix.IPPROTO_IPIP:
		p.str("proto", "%s ", four)
	case unix.IPPROTO_IPV6:
		p.str("proto", "%s ", six)
	case unix.IPPROTO_MPLS:
		if four == "ipip" {
			p.str("proto", "%s ", "mplsip")
		}
	case 0:
		p.str("proto", "%s ", "any")
	}
}

// print6rd prints the prefixes of RFC 5969.
func print6rd(p *printer, a rtnl.Attrs, bits uint16) {
	prefix, relay, relayBits := a.Addr(iptun6rdPrefix), a.Addr(iptun6rdRelay), a.U16(iptun6rdRelLen)
	p.text("6rd-prefix %s/%d ", prefix, bits)
	if p.isJSON() {
		p.str("prefix", "", prefix.String())
		num(p, "prefixlen", "", bits)
	}
	if !relay.IsValid() || relay.IsUnspecified() {
		return
	}
	p.text("6rd-relay_prefix %s/%d ", relay, relayBits)
	if p.isJSON() {
		p.str("relay_prefix", "", relay.String())
		num(p, "relay_prefixlen", "", relayBits)
	}
}

func printIP6Tnl(s *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	if a.Has(iptunMetadata) {
		p.is("external", "external ")
	}
	flags := a.U32(iptunFlags)
	if a.Has(iptunProto) && a.U8(iptunProto) != unix.IPPROTO_MPLS {
		printTunnelProto(p, a.U8(iptunProto), "ipip6", "ip6ip6")
	}
	printEndpoint(p, a, iptunRemote, "remote")
	printEndpoint(p, a, iptunLocal, "local")
	s.printTunnelLink(p, a)
	printOver6(p, a, flags, iptunTTL, iptunEncapLimit, iptunFlowinfo)
	if flags&tunnelMIP6 != 0 {
		p.is("ip6_tnl_f_mip6_dev", "mip6 ")
	}
	printLocalAndMark(p, flags, a.U32(iptunFwmark))
	printEncapOf(p, a, iptunEncapType)
}

// printOver6 prints the outer header of a tunnel over IPv6.
func printOver6(p *printer, a rtnl.Attrs, flags uint32, ttl, limit, flow int) {
	printOrWord(p, "hoplimit", a.U8(ttl), "inherit")
	if flags&tunnelNoLimit != 0 {
		p.is("ip6_tnl_f_ign_encap_limit", "encaplimit none ")
	} else if a.Has(limit) {
		num(p, "encap_limit", "encaplimit %d ", a.U8(limit))
	}
	info := a.BE32(flow)
	if flags&tunnelTclass != 0 {
		p.is("ip6_tnl_f_use_orig_tclass", "tclass inherit ")
	} else if a.Has(flow) {
		p.str("tclass", "tclass %s ", fmt.Sprintf("0x%02x", info&tunnelClassMask>>20))
	}
	if flags&tunnelFlowlabel != 0 {
		p.is("ip6_tnl_f_use_orig_flowlabel", "flowlabel inherit ")
	} else if a.Has(flow) {
		p.str("flowlabel", "flowlabel %s ", fmt.Sprintf("0x%05x", info&tunnelLabelMask))
	}
	if flags&tunnelDSCP != 0 {
		p.is("ip6_tnl_f_rcv_dscp_copy", "dscp inherit ")
	}
}

func printLocalAndMark(p *printer, flags, mark uint32) {
	if flags&tunnelLocalRemote != 0 {
		p.is("ip6_tnl_f_allow_local_remote", "allow-localremote ")
	}
	if flags&tunnelFwmark != 0 {
		p.is("ip6_tnl_f_use_orig_fwmark", "fwmark inherit ")
	} else {
		printMark(p, mark)
	}
}

func printVTI(s *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	printEndpoint(p, a, vtiRemote, "remote")
	printEndpoint(p, a, vtiLocal, "local")
	s.printTunnelLink(p, a)
	printDotted(p, a, vtiIkey, "ikey")
	printDotted(p, a, vtiOkey, "okey")
	printMark(p, a.U32(vtiFwmark))
}

// printDotted prints a key as an IPv4 address; 0 is none.
func printDotted(p *printer, a rtnl.Attrs, typ int, key string) {
	if addr, ok := netip.AddrFromSlice(a.Bytes(typ)); ok && addr.Is4() && !addr.IsUnspecified() {
		p.str(key, key+" %s ", addr.String())
	}
}

func printGre(s *session, p *printer, a rtnl.Attrs, l *linkMsg) {
	kind := l.a.Nested(unix.IFLA_LINKINFO).Str(unix.IFLA_INFO_KIND)
	six := strings.HasPrefix(kind, "ip6")
	flags := a.U32(greFlags)
	if a.Has(greMetadata) {
		p.is("external", "external ")
	}
	printEndpoint(p, a, greRemote, "remote")
	printEndpoint(p, a, greLocal, "local")
	s.printTunnelLink(p, a)
	if six {
		printOver6(p, a, flags, greTTL, greEncapLimit, greFlowinfo)
	} else {
		printOrWord(p, "ttl", a.U8(greTTL), "inherit")
		printTOS(p, a.U8(greTOS))
		if a.Has(grePMTUDisc) {
			on := a.U8(grePMTUDisc) != 0
			p.boolean("pmtudisc", map[bool]string{false: "nopmtudisc "}[on], on)
		}
		if a.U8(greIgnoreDF) != 0 {
			p.is("ignore_df", "ignore-df ")
		}
	}
	in, out := a.BE16(greIflags), a.BE16(greOflags)
	key := func(flags uint16, typ int, name string) {
		if addr, ok := netip.AddrFromSlice(a.Bytes(typ)); ok && flags&greKey != 0 {
			p.str(name, name+" %s ", addr.String())
		}
	}
	key(in, greIkey, "ikey")
	key(out, greOkey, "okey")
	for _, f := range []struct {
		flags, bit uint16
		name       string
	}{{in, greSeq, "iseq"}, {out, greSeq, "oseq"}, {in, greCsum, "icsum"}, {out, greCsum, "ocsum"}} {
		if f.flags&f.bit != 0 {
			p.is(f.name, f.name+" ")
		}
	}
	if six {
		printLocalAndMark(p, flags, a.U32(greFwmark))
	} else {
		printMark(p, a.U32(greFwmark))
	}
	printErspan(p, a)
	printEncapOf(p, a, greEncapType)
}

func printErspan(p *printer, a rtnl.Attrs) {
	printFields(p, a, []field{{greErspanIndex, 4, "erspan_index", "erspan_index %d "}, {greErspanVer, 1, "erspan_ver", "erspan_ver %d "}})
	if a.Has(greErspanDir) {
		p.str("erspan_dir", "erspan_dir %s ", map[bool]string{true: "ingress", false: "egress"}[a.U8(greErspanDir) == 0])
	}
	if a.Has(greErspanHWID) {
		p.hexa("erspan_hwid", "erspan_hwid %#x ", uint64(a.U16(greErspanHWID)))
	}
}
