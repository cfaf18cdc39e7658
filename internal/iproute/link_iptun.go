package iproute

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// Attributes of tunnels of IP in IP (IFLA_IPTUN_*, linux/if_tunnel.h).
const (
	iptunLink       = 1
	iptunLocal      = 2
	iptunRemote     = 3
	iptunTTL        = 4
	iptunTOS        = 5
	iptunEncapLimit = 6
	iptunFlowinfo   = 7
	iptunFlags      = 8 // 16 bits of sit, 32 of ip6tnl
	iptunProto      = 9
	iptunPMTUDisc   = 10
	iptun6rdPrefix  = 11
	iptun6rdRelay   = 12
	iptun6rdLen     = 13
	iptun6rdRelLen  = 14
	iptunEncapType  = 15 // and flags, source port, destination port behind it
	iptunMetadata   = 19
	iptunFwmark     = 20

	sitISATAP = 1
)

// An iptunWords is what the words of a tunnel of IP in IP said so far.
type iptunWords struct {
	r                    *linkRequest
	family               int
	local, remote        netip.Addr
	link, mark           uint32
	ttl, tos, limit      uint8
	proto                uint8
	pmtudisc, external   bool
	flags, flowinfo      uint32
	encap                [4]uint16 // type, flags, source and destination port
	prefix, relay        netip.Addr
	prefixLen, relayBits int
}

// parseIptun reads the options of the kinds ipip, sit and ip6tnl.
func (r *linkRequest) parseIptun(w *words) {
	t := &iptunWords{r: r, family: unix.AF_INET, pmtudisc: true}
	if r.kind == "ip6tnl" {
		t.family, t.ttl, t.limit, t.encap[1] = unix.AF_INET6, 64, 4, encapCsum6
	}
	if r.set {
		t.present()
	}
	for ; w.more(); w.skip() {
		own := t.four
		if t.family == unix.AF_INET6 {
			own = t.six
		}
		if !t.common(w) && !own(w) && !encapWords(w, &t.encap) {
			r.unknownOption(r.kind, w)
		}
	}
	if t.family == unix.AF_INET && t.ttl != 0 && !t.pmtudisc {
		die("ttl != 0 and nopmtudisc are incompatible")
	}
	t.write()
}

// present takes over what the tunnel has: a change resets what it does not name.
func (t *iptunWords) present() {
	a := t.r.presentData()
	t.local, t.remote, t.link, t.mark = a.Addr(iptunLocal), a.Addr(iptunRemote), a.U32(iptunLink), a.U32(iptunFwmark)
	if a.Has(iptunTTL) {
		t.ttl = a.U8(iptunTTL)
	}
	if a.Has(iptunPMTUDisc) {
		t.pmtudisc = a.U8(iptunPMTUDisc) != 0
	}
	if a.Has(iptunEncapLimit) {
		t.limit = a.U8(iptunEncapLimit)
	}
	t.flowinfo = a.BE32(iptunFlowinfo)
	t.tos, t.proto, t.external = a.U8(iptunTOS), a.U8(iptunProto), a.Has(iptunMetadata)
	t.prefix, t.prefixLen = a.Addr(iptun6rdPrefix), int(a.U16(iptun6rdLen))
	t.relay, t.relayBits = a.Addr(iptun6rdRelay), int(a.U16(iptun6rdRelLen))
	if t.family == unix.AF_INET6 {
		t.flags = a.U32(iptunFlags)
		return // what wraps it once more is not taken over
	}
	t.flags = uint32(a.U16(iptunFlags))
	t.encap = presentEncap(a, iptunEncapType)
}

// common reads the words of both families.
func (t *iptunWords) common(w *words) bool {
	switch word := w.peek(); {
	case word == "mode":
		t.mode(w.next())
	case word == "remote":
		t.remote = address(w.next(), t.family)
	case word == "local":
		t.local = address(w.next(), t.family)
	case matches(word, "dev"):
		t.link = t.r.s.lower(w.next())
	case word == "ttl", word == "hoplimit", word == "hlim":
		if t.ttl = 0; w.next() != "inherit" {
			t.ttl = u8(w.peek(), map[int]string{unix.AF_INET: "invalid TTL\n", unix.AF_INET6: "invalid HLIM\n"}[t.family])
		}
	case word == "external":
		t.external = true
	case word == "fwmark" && t.family == unix.AF_INET6 && w.at+1 < len(w.list) && w.list[w.at+1] == "inherit":
		w.next()
		t.flags, t.mark = t.flags|tunnelFwmark, 0
	case word == "fwmark":
		t.mark = u32(w.next(), "invalid fwmark\n")
		if t.family == unix.AF_INET6 {
			t.flags &^= tunnelFwmark
		}
	default:
		return false
	}
	return true
}

func (t *iptunWords) mode(word string) {
	six := t.family == unix.AF_INET6
	switch {
	case six && (word == "ipv6/ipv6" || word == "ip6ip6"), t.r.kind == "sit" && (word == "ipv6/ipv4" || word == "ip6ip"):
		t.proto = unix.IPPROTO_IPV6
	case six && (word == "ip/ipv6" || word == "ipv4/ipv6" || word == "ipip6" || word == "ip4ip6"),
		!six && (word == "ipv4/ipv4" || word == "ipip" || word == "ip4ip4"):
		t.proto = unix.IPPROTO_IPIP
	case !six && (word == "mpls/ipv4" || word == "mplsip"):
		t.proto = unix.IPPROTO_MPLS
	case word == "any", six && word == "any/ipv6", !six && word == "any/ipv4":
		t.proto = 0
	default:
		invalid("Cannot guess tunnel mode.", word)
	}
}

// four reads the words of tunnels over IPv4.
func (t *iptunWords) four(w *words) bool {
	switch word := w.peek(); {
	case word == "tos", word == "tclass", word == "tc", matches(word, "dsfield"):
		if t.tos = 1; w.next() != "inherit" {
			t.tos = t.r.s.dsWord(w.peek(), "bad TOS value")
		}
	case word == "pmtudisc", word == "nopmtudisc":
		t.pmtudisc = word == "pmtudisc"
	case word == "isatap" && t.r.kind == "sit":
		t.flags |= sitISATAP
	case word == "6rd-prefix":
		p := hostPrefix(w.next(), unix.AF_INET6)
		t.prefix, t.prefixLen = p.addr, p.bits
	case word == "6rd-relay_prefix":
		p := hostPrefix(w.next(), unix.AF_INET)
		t.relay, t.relayBits = p.addr, p.bits
	case word == "6rd-reset":
		t.prefix, t.prefixLen = netip.AddrFrom16([16]byte{0: 0x20, 1: 0x02}), 16 // 2002::/16, RFC 3056
		t.relay, t.relayBits = netip.Addr{}, 0
	default:
		return false
	}
	return true
}

// six reads the words of tunnels over IPv6.
func (t *iptunWords) six(w *words) bool {
	switch word := w.peek(); {
	case word == "encaplimit":
		if inherits(w, &t.flags, tunnelNoLimit, "none") {
			break
		}
		if n, ok := parseUint(w.peek(), 0, 8); ok {
			t.limit = uint8(n)
		}
	case word == "tos", word == "tclass", word == "tc", matches(word, "dsfield"):
		if t.flowinfo &^= tunnelClassMask; !inherits(w, &t.flags, tunnelTclass, "inherit") {
			t.flowinfo |= classWord(w.peek())
		}
	case word == "flowlabel", word == "fl":
		if t.flowinfo &^= tunnelLabelMask; !inherits(w, &t.flags, tunnelFlowlabel, "inherit") {
			t.flowinfo |= labelWord(w.peek())
		}
	case word == "dscp":
		if w.next() != "inherit" {
			invalid("not inherit", w.peek())
		}
		t.flags |= tunnelDSCP
	case word == "allow-localremote":
		t.flags |= tunnelLocalRemote
	case word == "noallow-localremote":
		t.flags &^= tunnelLocalRemote
	default:
		return false
	}
	return true
}

func (t *iptunWords) write() {
	m := t.r.m
	m.U8(iptunProto, t.proto)
	if t.external {
		m.Flag(iptunMetadata)
		return
	}
	writeEndpoints(m, t.local, t.remote, iptunLocal, iptunRemote)
	if t.family == unix.AF_INET {
		t.r.u8(iptunPMTUDisc, t.pmtudisc)
		m.U8(iptunTOS, t.tos)
		m.U8(iptunTTL, t.ttl)
	} else {
		m.U8(iptunTTL, t.ttl)
		m.U8(iptunEncapLimit, t.limit)
		m.BE32(iptunFlowinfo, t.flowinfo)
		m.U32(iptunFlags, t.flags)
	}
	m.U32(iptunLink, t.link)
	m.U32(iptunFwmark, t.mark)
	t.r.writeEncap(iptunEncapType, t.encap)
	if t.r.kind != "sit" {
		return
	}
	m.U16(iptunFlags, uint16(t.flags))
	if t.prefix.IsValid() {
		m.Addr(iptun6rdPrefix, t.prefix)
		m.U16(iptun6rdLen, uint16(t.prefixLen))
	}
	if t.relay.IsValid() {
		m.Addr(iptun6rdRelay, t.relay)
		m.U16(iptun6rdRelLen, uint16(t.relayBits))
	}
}
