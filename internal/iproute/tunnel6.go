package iproute

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A tunnel6 is a tunnel with IPv6 on the outside (struct ip6_tnl_parm2).
type tunnel6 struct {
	Name       [unix.IFNAMSIZ]byte
	Link       int32
	Proto      uint8
	EncapLimit uint8
	HopLimit   uint8
	_          byte
	FlowInfo   [4]byte
	Flags      uint32
	Local      [16]byte
	Remote     [16]byte
	GRE        greParts
}

// What a new tunnel has (linux/ip6_tunnel.h and iproute2).
const (
	tunnelDefaultHops     = 64
	tunnelDefaultEncapLim = 4
)

// tunnelModes6 are the modes with what they carry.
func tunnelModes6() map[string]uint8 {
	return map[string]uint8{
		"ipv6/ipv6": unix.IPPROTO_IPV6, "ip6ip6": unix.IPPROTO_IPV6, "vti6": unix.IPPROTO_IPV6,
		"ip/ipv6": unix.IPPROTO_IPIP, "ipv4/ipv6": unix.IPPROTO_IPIP, "ipip6": unix.IPPROTO_IPIP, "ip4ip6": unix.IPPROTO_IPIP,
		"ip6gre": unix.IPPROTO_GRE, "gre/ipv6": unix.IPPROTO_GRE, "any/ipv6": protoAnyIP, "any": protoAnyIP,
	}
}

func (t *tunnel6) name() string { return cString(t.Name[:]) }

func (t *tunnel6) base() string {
	switch {
	case t.Proto == unix.IPPROTO_GRE:
		return "ip6gre0"
	case t.GRE.In&tunnelIsVTI != 0:
		return "ip6_vti0"
	}
	return "ip6tnl0"
}

// flow is the number of the class and label of packets.
func (t *tunnel6) flow() uint32 { return binary.BigEndian.Uint32(t.FlowInfo[:]) }

func (t *tunnel6) setFlow(mask, v uint32) {
	binary.BigEndian.PutUint32(t.FlowInfo[:], t.flow()&^mask|v)
}

func (t *tunnelCommand) words6(w *words, request uint, p *tunnel6) {
	medium := ""
	for n := 0; w.more(); n++ {
		word := w.peek()
		switch {
		case word == "mode":
			proto, ok := tunnelModes6()[w.next()]
			if !ok {
				die("Unknown tunnel mode \"%s\"", w.peek())
			}
			p.Proto = proto
			if w.peek() == "vti6" {
				p.GRE.In |= tunnelIsVTI
			}
		case word == "remote":
			p.Remote = address6(w.next())
		case word == "local":
			p.Local = address6(w.next())
		case word == "dev":
			medium = w.next()
		case word == "encaplimit":
			if !inherits(w, &p.Flags, tunnelNoLimit, "none") {
				p.EncapLimit = u8(w.peek(), "invalid ELIM")
			}
		case word == "hoplimit", word == "ttl", word == "hlim":
			p.HopLimit = u8(w.next(), "invalid TTL")
		case word == "tclass", word == "tc", word == "tos", matches(word, "dsfield"):
			if p.setFlow(tunnelClassMask, 0); !inherits(w, &p.Flags, tunnelTclass, "inherit") {
				p.setFlow(tunnelClassMask, classWord(w.peek()))
			}
		case word == "flowlabel", word == "fl":
			if p.setFlow(tunnelLabelMask, 0); !inherits(w, &p.Flags, tunnelFlowlabel, "inherit") {
				p.setFlow(tunnelLabelMask, labelWord(w.peek()))
			}
		case word == "dscp":
			if w.next() != "inherit" {
				invalid("not inherit", w.peek())
			}
			p.Flags |= tunnelDSCP
		case word == "allow-localremote":
			p.Flags |= tunnelLocalRemote
		case word == "noallow-localremote":
			p.Flags &^= tunnelLocalRemote
		case word != "" && p.GRE.word(w):
		default:
			name := tunnelName(&p.Name, w)
			if request == tunnelChg && n == 0 {
				b := make([]byte, binary.Size(p))
				t.mustGet(name, b)
				readTunnel(b, p)
			}
		}
		w.skip()
	}
	if medium != "" {
		p.Link = int32(t.device(medium))
	}
}

// address6 reads an IPv6 address or a word for none.
func address6(word string) (b [16]byte) {
	if word == "any" || word == "default" || word == "all" {
		return b
	}
	return address(word, unix.AF_INET6).As16()
}

func (t *tunnelCommand) modify6(w *words, request uint) {
	p := tunnel6{Proto: unix.IPPROTO_IPV6, HopLimit: tunnelDefaultHops, EncapLimit: tunnelDefaultEncapLim}
	t.words6(w, request, &p)
	if p.Name[0] == 0 {
		t.hint("Tunnel interface name not specified")
	}
	to := p.base()
	if request == tunnelChg && p.Name[0] != 0 {
		to = p.name()
	}
	t.change("add", request, to, tunnelLayout(p))
}

func (t *tunnelCommand) delete6(w *words) {
	p := tunnel6{Proto: unix.IPPROTO_IPV6, HopLimit: tunnelDefaultHops, EncapLimit: tunnelDefaultEncapLim}
	t.words6(w, tunnelDel, &p)
	to := p.base()
	if p.Name[0] != 0 {
		to = p.name()
	}
	t.change("delete", tunnelDel, to, tunnelLayout(p))
}

func (t *tunnelCommand) show6(w *words) {
	var p tunnel6
	t.words6(w, tunnelGet, &p)
	if p.Name[0] != 0 && t.opt.stats == 0 {
		b := tunnelLayout(p)
		t.mustGet(p.name(), b)
		readTunnel(b, &p)
		t.one(func(out *printer) { t.print6(out, &p) }, "")
		return
	}
	const tunnel6Type, ip6gre = 769, 823
	t.tunnelList(p.name(), func(l *linkMsg, name string) bool {
		is := tunnel6{Name: p.Name, Link: int32(l.index), Proto: unix.IPPROTO_IPV6}
		if l.hw == ip6gre {
			is.Proto = unix.IPPROTO_GRE
		}
		b := tunnelLayout(is)
		if !t.get(name, b) {
			return false
		}
		readTunnel(b, &is)
		if !p.fits(&is) {
			return false
		}
		t.print6(t.out(), &is)
		return true
	}, tunnel6Type, ip6gre)
}

// fits reports whether a tunnel is as the words say.
func (t *tunnel6) fits(is *tunnel6) bool {
	var none [16]byte
	differs := func(mask uint32) bool { return t.flow()&mask != 0 && (t.flow()^is.flow())&mask != 0 }
	return (t.Link == 0 || t.Link == is.Link) && (t.Name[0] == 0 || t.Name == is.Name) &&
		(t.Local == none || t.Local == is.Local) && (t.Remote == none || t.Remote == is.Remote) &&
		(t.Proto == 0 || is.Proto == 0 || t.Proto == is.Proto) && (t.EncapLimit == 0 || t.EncapLimit == is.EncapLimit) &&
		(t.HopLimit == 0 || t.HopLimit == is.HopLimit) && !differs(tunnelClassMask) && !differs(tunnelLabelMask) && (t.Flags == 0 || t.Flags&is.Flags != 0)
}

// print6 prints a tunnel.
func (t *tunnelCommand) print6(p *printer, is *tunnel6) {
	p.openObject("")
	p.colored(colorName, "ifname", "%s: ", is.name())
	p.str("mode", "%s ", tunnelProto(is.Proto)+"/ipv6")
	p.text("remote ")
	p.colored(colorOfFamily(unix.AF_INET6), "remote", "%s ", ntop(netip.AddrFrom16(is.Remote)))
	p.text("local ")
	p.colored(colorOfFamily(unix.AF_INET6), "local", "%s", ntop(netip.AddrFrom16(is.Local)))
	if is.Link != 0 {
		p.str("link", " dev %s", t.nameOf(int(is.Link)))
	}
	if is.Flags&tunnelNoLimit != 0 {
		p.null("ip6_tnl_f_ign_encap_limit", " encaplimit none")
	} else {
		num(p, "encap_limit", " encaplimit %d", is.EncapLimit)
	}
	if is.HopLimit != 0 {
		num(p, "hoplimit", " hoplimit %d", is.HopLimit)
	} else {
		p.text(" hoplimit inherit")
	}
	if is.Flags&tunnelTclass != 0 {
		p.null("ip6_tnl_f_use_orig_tclass", " tclass inherit")
	} else {
		p.str("tclass", " tclass %s", fmt.Sprintf("0x%02x", is.flow()&tunnelClassMask>>20))
	}
	if is.Flags&tunnelFlowlabel != 0 {
		p.null("ip6_tnl_f_use_orig_flowlabel", " flowlabel inherit")
	} else {
		p.str("flowlabel", " flowlabel %s", fmt.Sprintf("0x%05x", is.flow()&tunnelLabelMask))
	}
	p.str("flowinfo", " (flowinfo %s)", fmt.Sprintf("0x%08x", is.flow()))
	if is.Flags&tunnelDSCP != 0 {
		p.null("ip6_tnl_f_rcv_dscp_copy", " dscp inherit")
	}
	if is.Flags&tunnelLocalRemote != 0 {
		p.null("ip6_tnl_f_allow_local_remote", " allow-localremote")
	}
	is.GRE.print(p, is.Proto)
	p.closeObject()
}
