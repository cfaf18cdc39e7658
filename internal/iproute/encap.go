package iproute

import (
	"encoding/binary"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Kinds of lightweight tunnels (linux/lwtunnel.h) and their attributes.
const (
	encapMPLS = 1
	encapIP   = 2
	encapIP6  = 4

	mplsDst = 1
	mplsTTL = 2

	lwtID    = 1
	lwtDst   = 2
	lwtSrc   = 3
	lwtTTL   = 4
	lwtTOS   = 5
	lwtFlags = 6

	tunnelCsum = 0x01
	tunnelKey  = 0x04
	tunnelSeq  = 0x08
)

func encapName(kind uint16) string {
	names := []string{"none", "mpls", "ip", "ila", "ip6", "seg6", "bpf", "seg6local", "rpl", "ioam6", "xfrm"}
	if int(kind) < len(names) {
		return names[kind]
	}
	return "unknown"
}

// parseEncap reads "encap KIND ...", which may not be the last of a line, and ends at its last word.
func (s *session) parseEncap(w *words, m *rtnl.Message, attr, kindAttr uint16) {
	kind := w.next()
	if w.next(); w.left() <= 1 {
		die("Error: unexpected end of line after \"encap\"")
	}
	switch kind {
	case "mpls":
		at := m.Begin(attr)
		parseEncapMPLS(w, m)
		m.End(at)
		m.U16(kindAttr, encapMPLS)
	case "ip", "ip6":
		at := m.Begin(attr)
		parseEncapIP(w, m, kind == "ip6")
		m.End(at)
		v := uint16(encapIP)
		if kind == "ip6" {
			v = encapIP6
		}
		m.U16(kindAttr, v)
	case "seg6":
		at := m.Begin(attr)
		parseEncapSeg6(w, m)
		m.End(at)
		m.U16(kindAttr, encapSeg6)
	case "seg6local":
		at := m.Begin(attr)
		s.parseEncapSeg6Local(w, m)
		m.End(at)
		m.U16(kindAttr, encapSeg6Local)
	case "ila", "rpl", "ioam6", "xfrm":
		at := m.Begin(attr)
		var v uint16
		switch kind {
		case "ila":
			parseEncapILA(w, m)
			v = encapILA
		case "rpl":
			parseEncapRPL(w, m)
			v = encapRPL
		case "ioam6":
			parseEncapIOAM6(w, m)
			v = encapIOAM6
		default:
			s.parseEncapXFRM(w, m)
			v = encapXFRM
		}
		m.End(at)
		m.U16(kindAttr, v)
	case "bpf":
		die("ip route ... encap %s is not supported by this version of warren: use iproute2's own ip for it.", kind)
	default:
		die("Error: argument \"%s\" is wrong: \"encap type\" value is invalid\n", kind)
	}
}

// labels reads "100/200" as a stack of labels of MPLS (RFC 3032).
func labels(word string) ([]byte, bool) {
	var b []byte
	parts := strings.Split(word, "/")
	for i, part := range parts {
		n, ok := parseUint(part, 0, 32)
		if !ok || n >= 1<<20 || part == "" {
			return nil, false
		}
		entry := uint32(n) << 12
		if i == len(parts)-1 {
			entry |= 1 << 8 // the bottom of the stack
		}
		b = binary.BigEndian.AppendUint32(b, entry)
	}
	return b, true
}

// labelText writes a stack of labels.
func labelText(b []byte) string {
	var parts []string
	for ; len(b) >= 4; b = b[4:] {
		entry := binary.BigEndian.Uint32(b)
		parts = append(parts, strconv.FormatUint(uint64(entry>>12), 10))
		if entry&(1<<8) != 0 {
			break
		}
	}
	return strings.Join(parts, "/")
}

func parseEncapMPLS(w *words, m *rtnl.Message) {
	b, ok := labels(w.peek())
	if !ok {
		exit("Error: mpls address is expected rather than \"%s\".", w.peek())
	}
	m.Bytes(mplsDst, b)
	if w.left() > 2 && w.list[w.at+1] == "ttl" {
		w.next()
		n, ok := parseUint(w.next(), 0, 8)
		if !ok || n == 0 {
			invalid("\"ttl\" value is invalid\n", w.peek())
		}
		m.U8(mplsTTL, uint8(n))
	}
}

// parseEncapIP reads the outer header's fields.
func parseEncapIP(w *words, m *rtnl.Message, six bool) {
	family := unix.AF_INET
	if six {
		family = unix.AF_INET6
	}
	flags, hasFlags := uint16(0), false
	seen := map[string]bool{}
	once := func(key string) string {
		next := w.next()
		if seen[key] {
			duplicate(key, next)
		}
		seen[key] = true
		return next
	}
	last := w.at
	for w.more() {
		switch word := w.peek(); {
		case word == "id":
			n, ok := parseUint(once("id"), 0, 64)
			if !ok {
				invalid("\"id\" value is invalid\n", w.peek())
			}
			m.Bytes(lwtID, binary.BigEndian.AppendUint64(nil, n))
		case word == "dst":
			m.Addr(lwtDst, address(once("dst"), family))
		case word == "src":
			m.Addr(lwtSrc, address(once("src"), family))
		case word == "tos" && !six:
			m.U8(lwtTOS, dsfield(once("tos"), "\"tos\" value is invalid\n"))
		case word == "tc" && six:
			m.U8(lwtTOS, dsfield(once("tc"), "\"tc\" value is invalid\n"))
		case word == "ttl" && !six:
			m.U8(lwtTTL, u8(once("ttl"), "\"ttl\" value is invalid\n"))
		case word == "hoplimit" && six:
			m.U8(lwtTTL, u8(once("hoplimit"), "\"hoplimit\" value is invalid\n"))
		case word == "key":
			flags, hasFlags = flags|tunnelKey, true
		case word == "csum":
			flags, hasFlags = flags|tunnelCsum, true
		case word == "seq":
			flags, hasFlags = flags|tunnelSeq, true
		default:
			w.at = last
			if hasFlags {
				m.BE16(lwtFlags, flags)
			}
			return
		}
		last = w.at
		w.skip()
	}
	w.at = last
	if hasFlags {
		m.BE16(lwtFlags, flags)
	}
}

// printEncap prints RTA_ENCAP.
func (s *session) printEncap(p *printer, kind uint16, b []byte) {
	if kind == 0 {
		return
	}
	a := rtnl.ParseAttrs(b)
	p.str("encap", " encap %s ", encapName(kind))
	switch kind {
	case encapMPLS:
		if a.Has(mplsDst) {
			p.str("dst", " %s ", labelText(a.Bytes(mplsDst)))
		}
		if a.Has(mplsTTL) {
			num(p, "ttl", "ttl %d ", a.U8(mplsTTL))
		}
	case encapIP, encapIP6:
		printEncapIP(p, a, kind == encapIP6)
	case encapSeg6:
		printEncapSeg6(p, a)
	case encapSeg6Local:
		s.printEncapSeg6Local(p, a)
	case encapILA:
		printEncapILA(p, a)
	case encapRPL:
		printEncapRPL(p, a)
	case encapIOAM6:
		printEncapIOAM6(p, a)
	case encapXFRM:
		s.printEncapXFRM(p, a)
	}
}

func printEncapIP(p *printer, a rtnl.Attrs, six bool) {
	if b := a.Bytes(lwtID); len(b) >= 8 {
		num(p, "id", "id %d ", binary.BigEndian.Uint64(b))
	}
	if a.Has(lwtSrc) {
		p.colored(colorOfFamily(familyOfAddr(a.Addr(lwtSrc))), "src", "src %s ", a.Addr(lwtSrc).String())
	}
	if a.Has(lwtDst) {
		p.colored(colorOfFamily(familyOfAddr(a.Addr(lwtDst))), "dst", "dst %s ", a.Addr(lwtDst).String())
	}
	ttl, tos := "ttl", "tos"
	if six {
		ttl, tos = "hoplimit", "tc"
	}
	if a.Has(lwtTTL) {
		num(p, ttl, ttl+" %d ", a.U8(lwtTTL))
	}
	if a.Has(lwtTOS) {
		num(p, tos, tos+" %d ", a.U8(lwtTOS))
	}
	if a.Has(lwtFlags) {
		flags := a.BE16(lwtFlags)
		for _, f := range []struct {
			bit  uint16
			name string
		}{{tunnelKey, "key"}, {tunnelCsum, "csum"}, {tunnelSeq, "seq"}} {
			if flags&f.bit != 0 {
				p.is(f.name, f.name+" ")
			}
		}
	}
}
