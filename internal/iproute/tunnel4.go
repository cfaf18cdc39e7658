package iproute

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// A tunnel4 is a tunnel with IPv4 on the outside (struct ip_tunnel_parm with the header that its packets get).
type tunnel4 struct {
	Name    [unix.IFNAMSIZ]byte
	Link    int32
	GRE     greParts
	Version uint8 // and the header's length
	TOS     uint8
	_       [4]byte
	Frag    [2]byte
	TTL     uint8
	Proto   uint8
	_       [2]byte
	Local   [4]byte
	Remote  [4]byte
}

// dontFragment is the flag of the header.
const dontFragment = 0x40

func (t *tunnel4) vti() bool { return t.GRE.In&tunnelIsVTI != 0 }

// base is the kernel's own tunnel of the kind, "" when the kind is not known.
func (t *tunnel4) base() string {
	switch {
	case t.Proto == unix.IPPROTO_IPIP && t.vti():
		return "ip_vti0"
	case t.Proto == unix.IPPROTO_IPIP:
		return "tunl0"
	case t.Proto == unix.IPPROTO_GRE:
		return "gre0"
	case t.Proto == unix.IPPROTO_IPV6:
		return "sit0"
	}
	return ""
}

func (t *tunnel4) name() string { return cString(t.Name[:]) }

// newLinkDump asks for all links as a family sees them.
func newLinkDump(family int) *rtnl.Message {
	const extMask, virtualFunctions = 29, 1
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	m.Head()[0] = uint8(family)
	if family != unix.AF_INET6 { // who knows it not
		m.U32(extMask, virtualFunctions)
	}
	return m
}

func (t *tunnelCommand) words4(w *words, request uint) tunnel4 {
	p := tunnel4{Version: 0x45, Frag: [2]byte{dontFragment}}
	medium, isatap := "", false
	for n := 0; w.more(); n++ {
		word := w.peek()
		switch {
		case word == "mode":
			isatap = p.mode(w.next()) || isatap
		case word != "" && p.GRE.word(w):
		case word == "nopmtudisc":
			p.Frag = [2]byte{}
		case word == "pmtudisc":
			p.Frag = [2]byte{dontFragment}
		case word == "remote":
			p.Remote = address4(w.next())
		case word == "local":
			p.Local = address4(w.next())
		case word == "dev":
			medium = w.next()
		case word == "ttl", word == "hoplimit", word == "hlim":
			if w.next() != "inherit" {
				p.TTL = u8(w.peek(), "invalid TTL\n")
			}
		case word == "tos", word == "tclass", matches(word, "dsfield"):
			p.tos(t.session, w.next())
		default:
			name := tunnelName(&p.Name, w)
			if request == tunnelChg && n == 0 {
				b := make([]byte, binary.Size(p))
				t.mustGet(name, b)
				readTunnel(b, &p)
			}
		}
		w.skip()
	}
	if p.Proto == 0 {
		isatap = p.byName() || isatap
	}
	if (p.GRE.In|p.GRE.Out)&greFlag(greKey) != 0 && !p.vti() && p.Proto != unix.IPPROTO_GRE {
		fail(exitFailed, "Keys are not allowed with ipip and sit tunnels")
	}
	if medium != "" {
		p.Link = int32(t.device(medium))
	}
	p.multicast()
	if isatap {
		p.GRE.In |= tunnelIsISATAP
	}
	return p
}

// multicast makes the group the key of a tunnel to it.
func (t *tunnel4) multicast() {
	if !netip.AddrFrom4(t.Remote).IsMulticast() {
		return
	}
	if t.GRE.InKey == [4]byte{} {
		t.GRE.InKey, t.GRE.In = t.Remote, t.GRE.In|greFlag(greKey)
	}
	if t.GRE.OutKey == [4]byte{} {
		t.GRE.OutKey, t.GRE.Out = t.Remote, t.GRE.Out|greFlag(greKey)
	}
	if t.Local == [4]byte{} {
		fail(exitFailed, "A broadcast tunnel requires a source address")
	}
}

// mode reads a mode and reports whether it is ISATAP.
func (t *tunnel4) mode(word string) (isatap bool) {
	var proto uint8
	switch word {
	case "ipip", "ip/ip":
		proto = unix.IPPROTO_IPIP
	case "gre", "gre/ip":
		proto = unix.IPPROTO_GRE
	case "sit", "ipv6/ip":
		proto = unix.IPPROTO_IPV6
	case "isatap":
		proto, isatap = unix.IPPROTO_IPV6, true
	case "vti":
		proto = unix.IPPROTO_IPIP
	default:
		die("Unknown tunnel mode \"%s\"", word)
	}
	if t.Proto != 0 && t.Proto != proto {
		die("A tunnel has one mode only.")
	}
	t.Proto = proto
	if word == "vti" {
		t.GRE.In |= tunnelIsVTI
	}
	return isatap
}

// byName takes the mode from how the name starts.
func (t *tunnel4) byName() (isatap bool) {
	for _, prefix := range []string{"gre", "ipip", "sit", "isatap", "vti"} {
		if strings.HasPrefix(t.name(), prefix) {
			return t.mode(prefix)
		}
	}
	return false
}

// tos reads "inherit", a value, or both.
func (t *tunnel4) tos(s *session, word string) {
	first, rest, both := strings.Cut(word, "/")
	t.TOS = 0
	if first == "inherit" {
		t.TOS = 1
		if !both {
			return
		}
	} else {
		rest = first
	}
	if id, ok := s.numbers(numberFile{file: "rt_dsfield"}).byName[rest]; ok {
		t.TOS |= uint8(id)
		return
	}
	n, ok := parseUint(rest, 16, 8)
	if !ok {
		invalid("bad TOS value", first)
	}
	t.TOS |= uint8(n)
}

func (t *tunnelCommand) modify4(w *words, request uint) {
	p := t.words4(w, request)
	if p.TTL != 0 && p.Frag == [2]byte{} {
		fail(exitFailed, "ttl != 0 and nopmtudisc are incompatible")
	}
	to := p.base()
	if to == "" {
		fail(exitFailed, "cannot determine tunnel mode (ipip, gre, vti or sit)")
	}
	if request == tunnelChg && p.Name[0] != 0 {
		to = p.name()
	}
	t.change("add", request, to, tunnelLayout(p))
}

func (t *tunnelCommand) delete4(w *words) {
	p := t.words4(w, tunnelDel)
	to := p.name()
	if to == "" {
		to = p.base()
	}
	t.change("delete", tunnelDel, to, tunnelLayout(p))
}

func (t *tunnelCommand) show4(w *words) {
	p := t.words4(w, tunnelGet)
	if base := p.base(); base != "" {
		if name := p.name(); name != "" {
			base = name
		}
		b := tunnelLayout(p)
		t.mustGet(base, b)
		readTunnel(b, &p)
		t.one(func(out *printer) { t.print4(out, &p) }, "\n")
		return
	}
	const tunnel, ipgre, sit = 768, 778, 776
	t.tunnelList(p.name(), func(_ *linkMsg, name string) bool {
		var is tunnel4
		b := make([]byte, binary.Size(is))
		if !t.get(name, b) {
			return false
		}
		readTunnel(b, &is)
		var none [4]byte
		if p.Link != 0 && p.Link != is.Link || p.Name[0] != 0 && p.Name != is.Name || p.Remote != none && p.Remote != is.Remote ||
			p.Local != none && p.Local != is.Local || p.GRE.InKey != none && p.GRE.InKey != is.GRE.InKey {
			return false
		}
		t.print4(t.out(), &is)
		return true
	}, tunnel, ipgre, sit)
}

// print4 prints a tunnel.
func (t *tunnelCommand) print4(p *printer, is *tunnel4) {
	p.openObject("")
	p.colored(colorName, "ifname", "%s: ", is.name())
	p.str("mode", "%s ", tunnelProto(is.Proto)+"/ip")
	p.text("remote ")
	p.colored(colorOfFamily(unix.AF_INET), "remote", "%s ", addr4(p, is.Remote))
	p.text("local ")
	p.colored(colorOfFamily(unix.AF_INET), "local", "%s", addr4(p, is.Local))
	if is.Proto == unix.IPPROTO_IPV6 && is.GRE.In&tunnelIsISATAP != 0 {
		t.printRouters(p, is.name())
	}
	if is.Link != 0 {
		p.str("dev", " dev %s", t.nameOf(int(is.Link)))
	}
	switch {
	case is.TTL != 0:
		num(p, "ttl", " ttl %d", is.TTL)
	case !p.isJSON():
		p.text(" ttl inherit")
	}
	switch {
	case is.TOS == 1:
		p.text(" tos inherit")
	case is.TOS != 0 && is.TOS&1 != 0 && !p.isJSON():
		p.text(" tos inherit/%s", t.dsName(is.TOS&^1))
	case is.TOS != 0:
		p.str("tos", " tos %s", t.dsName(is.TOS))
	}
	if is.Frag[0]&dontFragment == 0 {
		p.null("nopmtudisc", " nopmtudisc")
	}
	if is.Proto == unix.IPPROTO_IPV6 {
		t.printDeployment(p, is.name())
	}
	is.GRE.print(p, is.Proto)
	p.closeObject()
}
