package iproute

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/xfrm"
)

// selector reads which packets are meant.
func (x *xfrmCommand) selector(w *words, sel *xfrm.Selector) {
	var src, dst uint16
	upper := false
	for {
		var bits int
		switch w.peek() {
		case "src":
			sel.Src, src, bits = x.prefixWord(w.next(), "value after \"src\" has an unrecognized address family")
			sel.Family, sel.SrcPrefix, x.filter.src = src, uint8(bits), bits
		case "dst":
			sel.Dst, dst, bits = x.prefixWord(w.next(), "value after \"dst\" has an unrecognized address family")
			sel.Family, sel.DstPrefix, x.filter.dst = dst, uint8(bits), bits
		case "dev":
			sel.Link = 0
			if name := w.next(); name != "none" {
				if sel.Link = int32(x.indexOf(name)); sel.Link == 0 {
					invalid("DEV value is invalid", name)
				}
			}
			x.filter.given.link = true
		default:
			if upper {
				w.at--
				sameFamily(w, src, dst)
				return
			}
			upper = true
			x.upper(w, sel)
		}
		if !follow(w) {
			sameFamily(w, src, dst)
			return
		}
	}
}

// upper reads the protocol within the packets, with its ports or what takes their place.
func (x *xfrmCommand) upper(w *words, sel *xfrm.Selector) {
	all := xfrm.Put16(0xffff)
	var port, kind, key bool
	g := &x.filter.given
	short := func(to, mask *xfrm.BE16) {
		key := w.peek()
		n := u16(w.next(), "value after \""+key+"\" is invalid")
		*to = xfrm.Put16(n)
		if n != 0 {
			*mask = all
		}
	}
	octet := func(to, mask *xfrm.BE16, what string) {
		n, ok := parseUint(w.next(), 0, 8)
		if !ok {
			invalid("value after \""+what+"\" is invalid", w.peek())
		}
		*to, *mask = xfrm.Put16(uint16(n)), all
	}
words:
	for {
		switch w.peek() {
		case "proto":
			sel.Proto = x.upperProto(w.next())
			g.upper = true
		case "sport":
			port, g.sport = true, true
			short(&sel.SrcPort, &sel.SrcPortMask)
		case "dport":
			port, g.dport = true, true
			short(&sel.DstPort, &sel.DstPortMask)
		case "type":
			kind, g.sport = true, true
			octet(&sel.SrcPort, &sel.SrcPortMask, "type")
		case "code":
			kind, g.dport = true, true
			octet(&sel.DstPort, &sel.DstPortMask, "code")
		case "key":
			key, g.dport = true, true
			v := xfrmGREKey(w.next())
			sel.SrcPort, sel.DstPort = xfrm.Put16(uint16(v>>16)), xfrm.Put16(uint16(v))
			sel.SrcPortMask, sel.DstPortMask = all, all
		default:
			w.at--
			break words
		}
		if !follow(w) {
			break
		}
	}
	refuse := func(what string, given bool, of ...uint8) {
		for _, proto := range of {
			given = given && sel.Proto != proto
		}
		if given {
			exit("%s invalid with PROTO value \"%s\"", what, x.protoName(sel.Proto))
		}
	}
	refuse("\"sport\" and \"dport\" are", port, unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_SCTP, unix.IPPROTO_DCCP)
	refuse("\"type\" and \"code\" are", kind, unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6, protoMH)
	refuse("\"key\" is", key, unix.IPPROTO_GRE)
}

func xfrmGREKey(word string) uint32 {
	if strings.Contains(word, ".") {
		return xfrm.BE32(address4(word)).Get()
	}
	n, ok := parseUint(word, 0, 32)
	if !ok {
		die("value after \"key\" is invalid")
	}
	return uint32(n)
}

// upperProto reads a protocol's name or number.
func (x *xfrmCommand) upperProto(word string) uint8 {
	if word == "any" {
		return 0
	}
	if id, ok := x.ipProtocols().byName[word]; ok {
		return uint8(id)
	}
	return u8(word, "PROTO value is invalid")
}

// protoName is a protocol's name, or its number.
func (s *session) protoName(v uint8) string {
	if name, ok := s.ipProtocols().byID[uint32(v)]; ok {
		return name
	}
	return strconv.Itoa(int(v))
}
