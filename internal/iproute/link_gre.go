package iproute

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Attributes of GRE tunnels (linux/if_tunnel.h) and the bits of its header that say what it carries.
const (
	greLink        = 1
	greIflags      = 2
	greOflags      = 3
	greIkey        = 4
	greOkey        = 5
	greLocal       = 6
	greRemote      = 7
	greTTL         = 8
	greTOS         = 9
	grePMTUDisc    = 10
	greEncapLimit  = 11
	greFlowinfo    = 12
	greFlags       = 13
	greEncapType   = 14 // and flags, source port, destination port behind it
	greMetadata    = 18
	greIgnoreDF    = 19
	greFwmark      = 20
	greErspanIndex = 21
	greErspanVer   = 22
	greErspanDir   = 23
	greErspanHWID  = 24

	greCsum = 0x8000
	greKey  = 0x2000
	greSeq  = 0x1000
)

// A greWords is what the words of a GRE tunnel said so far.
type greWords struct {
	r             *linkRequest
	six           bool
	flags, keys   [2]uint32 // of what comes in, of what goes out
	local, remote netip.Addr
	link          uint32
	ttl, tos      uint8
	pmtudisc      bool
	ignoreDF      uint8 // 2 = said no
	external      bool
	encap         [4]uint16 // type, flags, source and destination port
	limit         uint8
	mark          uint32
	flowinfo      uint32
	flags6        uint32 // IP6_TNL_F_*, linux/ip6_tunnel.h
	erspan        struct {
		version, dir uint8
		index        uint32
		hwid         uint16
	}
}

// parseGre reads the options of the kinds gre, gretap, erspan and their siblings over IPv6.
func (r *linkRequest) parseGre(w *words) {
	g := &greWords{r: r, six: strings.HasPrefix(r.kind, "ip6"), pmtudisc: true}
	g.erspan.version = 1
	if g.six {
		g.ttl, g.limit, g.encap[1] = 64, 4, encapCsum6
	}
	if r.set {
		g.present()
	}
	for w.more() {
		if !g.header(w) && !g.endpoint(w) && !encapWords(w, &g.encap) && !g.erspanWord(w) {
			r.unknownOption(r.kind, w)
		}
		w.skip()
	}
	g.write()
}

// header reads "[no][i|o]key", "[no][i|o]seq" and "[no][i|o]csum".
func (g *greWords) header(w *words) bool {
	for _, bit := range []struct {
		word string
		flag uint32
	}{{"key", greKey}, {"seq", greSeq}, {"csum", greCsum}} {
		for _, side := range []struct {
			prefix string
			which  []int
		}{{"", []int{0, 1}}, {"i", []int{0}}, {"o", []int{1}}} {
			word := side.prefix + bit.word
			on := matches(w.peek(), word)
			if !on && !matches(w.peek(), "no"+word) {
				continue
			}
			key := uint32(0)
			if on && bit.flag == greKey {
				key = greKeyWord(w.next())
			}
			for _, i := range side.which {
				if g.flags[i] &^= bit.flag; on {
					g.flags[i] |= bit.flag
				}
				if bit.flag == greKey {
					g.keys[i] = key
				}
			}
			return true
		}
	}
	return false
}

// greKeyWord reads a number or what looks like an IPv4 address.
func greKeyWord(word string) uint32 {
	if strings.Contains(word, ".") {
		a := address(word, unix.AF_INET).As4()
		return binary.BigEndian.Uint32(a[:])
	}
	return u32(word, "invalid value of \"key\"")
}

func (g *greWords) endpoint(w *words) bool {
	family := unix.AF_INET
	if g.six {
		family = unix.AF_INET6
	}
	switch word := w.peek(); {
	case matches(word, "nopmtudisc"):
		g.pmtudisc = false
	case matches(word, "pmtudisc"):
		g.pmtudisc = true
	case matches(word, "remote"):
		g.remote = endpointAddr(w.next(), family)
	case matches(word, "local"):
		g.local = endpointAddr(w.next(), family)
	case matches(word, "dev"):
		g.link = g.r.s.lower(w.next())
	case matches(word, "ttl"), matches(word, "hoplimit"), matches(word, "hlim"):
		g.ttl = 0
		if w.next() != "inherit" {
			g.ttl = u8(w.peek(), "invalid TTL\n")
		}
	case matches(word, "tos"), matches(word, "tclass"), matches(word, "dsfield"):
		switch w.next(); {
		case w.peek() != "inherit":
			if g.tos = g.r.s.dsWord(w.peek(), "bad TOS value"); g.six {
				g.flowinfo, g.flags6 = g.flowinfo&^tunnelClassMask|uint32(g.tos)<<20, g.flags6&^tunnelTclass
			}
		case g.six:
			g.flags6 |= tunnelTclass
		default:
			g.tos = 1
		}
	case g.six && g.sixWord(w):
	case word == "external":
		g.external = true
	case !g.six && word == "ignore-df":
		g.ignoreDF = 1
	case !g.six && word == "noignore-df":
		g.ignoreDF = 2
	case word == "fwmark":
		g.mark = u32(w.next(), "invalid fwmark\n")
	default:
		return false
	}
	return true
}

// sixWord reads what only tunnels over IPv6 have.
func (g *greWords) sixWord(w *words) bool {
	switch w.peek() {
	case "flowlabel", "fl":
		if g.flowinfo &^= tunnelLabelMask; !inherits(w, &g.flags6, tunnelFlowlabel, "inherit") {
			g.flowinfo |= labelWord(w.peek())
		}
	case "dscp":
		if w.next() != "inherit" {
			invalid("not inherit", w.peek())
		}
		g.flags6 |= tunnelDSCP
	case "encaplimit":
		if !inherits(w, &g.flags6, tunnelNoLimit, "none") {
			g.limit = u8(w.peek(), "invalid ELIM")
		}
	case "fwmark":
		if g.mark = 0; !inherits(w, &g.flags6, tunnelFwmark, "inherit") {
			g.mark = u32(w.peek(), "invalid fwmark\n")
		}
	case "allow-localremote":
		g.flags6 |= tunnelLocalRemote
	case "noallow-localremote":
		g.flags6 &^= tunnelLocalRemote
	default:
		return false
	}
	return true
}

// present takes over what the tunnel has: a change resets what it does not name.
func (g *greWords) present() {
	a := g.r.presentData()
	for i := range 2 {
		g.flags[i] = uint32(a.BE16(greIflags + i))
		g.keys[i] = a.BE32(greIkey + i)
	}
	g.local, g.remote, g.link = a.Addr(greLocal), a.Addr(greRemote), a.U32(greLink)
	g.ttl, g.tos, g.mark, g.limit = a.U8(greTTL), a.U8(greTOS), a.U32(greFwmark), a.U8(greEncapLimit)
	g.pmtudisc, g.external = a.U8(grePMTUDisc) != 0, a.Has(greMetadata)
	g.flowinfo, g.flags6 = a.BE32(greFlowinfo), a.U32(greFlags)
	g.encap = presentEncap(a, greEncapType)
	if a.Has(greErspanVer) {
		g.erspan.version = a.U8(greErspanVer)
	}
	g.erspan.index, g.erspan.dir, g.erspan.hwid = a.U32(greErspanIndex), a.U8(greErspanDir), a.U16(greErspanHWID)
}

// presentData is what the link that is changed has of its kind's own.
func (r *linkRequest) presentData() rtnl.Attrs {
	l := r.present(0)
	info := l.a.Nested(unix.IFLA_LINKINFO)
	if !info.Has(unix.IFLA_INFO_DATA) {
		fail(exitFailed, "Failed to get existing tunnel info.")
	}
	return info.Nested(unix.IFLA_INFO_DATA)
}

// present is the link that is changed, with what the mask adds (RTEXT_FILTER_*).
func (r *linkRequest) present(mask uint32) linkMsg {
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	native.PutUint32(m.Head()[4:], r.s.device(r.dev))
	if mask != 0 {
		m.U32(unix.IFLA_EXT_MASK, mask)
	}
	req, err := m.Request(unix.RTM_GETLINK, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := r.s.ask(req)
	refused(err)
	for _, m := range msgs {
		if l, ok := readLink(m.Data); ok {
			return l
		}
	}
	return linkMsg{}
}

// endpointAddr is an address of a tunnel's; "any" is none.
func endpointAddr(word string, family int) netip.Addr {
	if word == "any" || word == "all" {
		return netip.Addr{}
	}
	return address(word, family)
}

// hasErspan: every tunnel over IPv6 takes its words.
func (g *greWords) hasErspan() bool { return g.six || g.r.kind == "erspan" }

func (g *greWords) erspanWord(w *words) bool {
	if !g.hasErspan() {
		return false
	}
	e := &g.erspan
	switch w.peek() {
	case "erspan":
		if e.index = u32(w.next(), "invalid erspan index\n"); e.index == 0 || e.index >= 1<<20 {
			invalid("erspan index must be > 0 and <= 20-bit\n", w.peek())
		}
	case "erspan_ver":
		if e.version = u8(w.next(), "invalid erspan version\n"); e.version > 2 {
			invalid("erspan version must be 0/1/2\n", w.peek())
		}
	case "erspan_dir":
		switch {
		case matches(w.next(), "ingress"):
			e.dir = 0
		case matches(w.peek(), "egress"):
			e.dir = 1
		default:
			invalid("Invalid erspan direction.", w.peek())
		}
	case "erspan_hwid":
		e.hwid = u16(w.next(), "invalid erspan hwid\n")
	default:
		return false
	}
	return true
}

func (g *greWords) write() {
	m := g.r.m
	if !g.six && g.remote.IsValid() && g.remote.IsMulticast() {
		four := g.remote.As4()
		first := binary.BigEndian.Uint32(four[:])
		for i := range g.keys {
			if g.keys[i] == 0 {
				g.keys[i], g.flags[i] = first, g.flags[i]|greKey
			}
		}
		if !g.local.IsValid() || g.local.IsUnspecified() {
			fail(exitFailed, "A broadcast tunnel requires a source address.")
		}
	}
	if g.external {
		m.Flag(greMetadata)
		return
	}
	for i, k := range g.keys {
		m.BE32(uint16(greIkey+i), k)
	}
	for i := range g.flags {
		m.BE16(uint16(greIflags+i), uint16(g.flags[i]))
	}
	writeEndpoints(m, g.local, g.remote, greLocal, greRemote)
	if g.link != 0 {
		m.U32(greLink, g.link)
	}
	m.U8(greTTL, g.ttl)
	m.U32(greFwmark, g.mark)
	if g.six {
		m.U8(greEncapLimit, g.limit)
		m.BE32(greFlowinfo, g.flowinfo)
		m.U32(greFlags, g.flags6)
	} else {
		g.r.u8(grePMTUDisc, g.pmtudisc)
		if g.ignoreDF != 0 {
			m.U8(greIgnoreDF, g.ignoreDF&1)
		}
		m.U8(greTOS, g.tos)
	}
	if g.hasErspan() {
		m.U8(greErspanVer, g.erspan.version)
		switch {
		case g.erspan.version == 1 && g.erspan.index != 0:
			m.U32(greErspanIndex, g.erspan.index)
		case g.erspan.version == 2:
			m.U8(greErspanDir, g.erspan.dir)
			m.U16(greErspanHWID, g.erspan.hwid)
		}
	}
	g.r.writeEncap(greEncapType, g.encap)
}
