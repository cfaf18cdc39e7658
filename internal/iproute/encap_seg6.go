package iproute

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Segment routing over IPv6 (RFC 8754, linux/seg6_iptunnel.h, linux/seg6_local.h): the kinds of encapsulation and their attributes.
const (
	encapSeg6      = 5
	encapSeg6Local = 7

	seg6SRH = 1 // struct seg6_iptunnel_encap: how, and a routing header

	seg6Action   = 1
	seg6Header   = 2
	seg6Table    = 3
	seg6NH4      = 4
	seg6NH6      = 5
	seg6IIF      = 6
	seg6OIF      = 7
	seg6VRFTable = 9
	seg6Counters = 10
	seg6Flavors  = 11

	srhFlagHMAC = 1 << 3 // of its flags, SR6_FLAG1_HMAC
	srhHMACLen  = 40
)

// seg6Modes are how a packet gets its routing header, in the kernel's order.
func seg6Modes() []string { return []string{"inline", "encap", "l2encap", "encap.red", "l2encap.red"} }

// seg6Actions are what a router does at a segment of its own, in the kernel's order.
func seg6Actions() []string {
	return []string{
		"", "End", "End.X", "End.T", "End.DX2", "End.DX6", "End.DX4", "End.DT6", "End.DT4", "End.B6", "End.B6.Encaps", "End.BM", "End.S",
		"End.AS", "End.AM", "End.BPF", "End.DT46",
	}
}

func seg6FlavorNames() []string { return []string{"", "psp", "usp", "usd", "next-csid"} }

// routingHeader builds a segment routing header: the segments backwards, and room for the packet's own destination where it is
// put into the packet itself.
func routingHeader(word string, hmac uint32, inline bool) []byte {
	segments := strings.Split(word, ",")
	n := len(segments)
	if inline {
		n++
	}
	size := 8 + 16*n
	if hmac != 0 {
		size += srhHMACLen
	}
	b := make([]byte, size)
	const routingType = 4
	b[1], b[2], b[3], b[4] = byte(size/8-1), routingType, byte(n-1), byte(n-1)
	for i, s := range segments {
		if s == "" {
			continue
		}
		a := address(s, unix.AF_INET6).As16()
		copy(b[8+16*(n-1-i):], a[:])
	}
	if hmac != 0 {
		const tlvHMAC, tlvLen = 5, 38
		b[5] = srhFlagHMAC
		tlv := b[size-srhHMACLen:]
		tlv[0], tlv[1] = tlvHMAC, tlvLen
		binary.BigEndian.PutUint32(tlv[4:], hmac)
	}
	return b
}

// parseEncapSeg6 reads "mode M segs A,B [hmac ID]".
func parseEncapSeg6(w *words, m *rtnl.Message) {
	mode, segments, hmac := -1, "", uint32(0)
	seen := map[string]bool{}
	lastOf(w, func(word string) bool {
		if word != "mode" && word != "segs" && word != "hmac" {
			return false
		}
		value := w.next()
		if seen[word] {
			garbage(word, value)
		}
		seen[word] = true
		switch word {
		case "mode":
			if mode = slices.Index(seg6Modes(), value); mode < 0 {
				invalid("\"mode\" value is invalid\n", value)
			}
		case "segs":
			if mode < 0 {
				invalid("\"segs\" provided before \"mode\"\n", value)
			}
			segments = value
		case "hmac":
			n, _ := parseUint(value, 0, 32)
			hmac = uint32(n)
		}
		return true
	})
	b := native.AppendUint32(nil, uint32(int32(mode)))
	m.Bytes(seg6SRH, append(b, routingHeader(segments, hmac, mode == 0)...))
}

// lastOf takes words as long as they are known, and ends at the last one taken.
func lastOf(w *words, known func(word string) bool) {
	last := w.at - 1
	for w.more() && known(w.peek()) {
		last = w.at
		w.skip()
	}
	w.at = last
}

// parseEncapSeg6Local reads what a router does at a segment of its own.
func (s *session) parseEncapSeg6Local(w *words, m *rtnl.Message) {
	var header []byte
	action := 0
	seen := map[string]bool{}
	lastOf(w, func(word string) bool {
		if !slices.Contains([]string{"action", "table", "vrftable", "nh4", "nh6", "iif", "oif", "flavors", "srh", "count"}, word) {
			return false
		}
		value := word
		if word != "count" {
			value = w.next()
		}
		if seen[word] {
			garbage(word, value)
		}
		seen[word] = true
		switch word {
		case "action":
			if action = slices.Index(seg6Actions(), value); action <= 0 {
				invalid("\"action\" value is invalid\n", value)
			}
			m.U32(seg6Action, uint32(action))
		case "table":
			m.U32(seg6Table, s.numberWord(tablesFile(), value, 32, "invalid table id\n"))
		case "vrftable":
			m.U32(seg6VRFTable, s.numberWord(tablesFile(), value, 32, "invalid vrf table id\n"))
		case "nh4":
			m.Addr(seg6NH4, address(value, unix.AF_INET))
		case "nh6":
			m.Addr(seg6NH6, address(value, unix.AF_INET6))
		case "iif":
			m.U32(seg6IIF, s.lower(value))
		case "oif":
			m.U32(seg6OIF, s.lower(value))
		case "count":
			at := m.Begin(seg6Counters)
			for i := range uint16(3) { // of packets, bytes and errors; the kernel wants them said, and starts from 0
				m.U64(2+i, 0)
			}
			m.End(at)
		case "flavors":
			at := m.Begin(seg6Flavors)
			parseFlavors(w, m)
			m.End(at)
		case "srh":
			if value != "segs" {
				invalid("missing \"segs\" attribute for srh\n", value)
			}
			segments, hmac := w.next(), uint32(0)
			if w.left() > 1 && w.list[w.at+1] == "hmac" {
				w.next()
				n, _ := parseUint(w.next(), 0, 32)
				hmac = uint32(n)
			}
			const b6Encaps = 10
			header = routingHeader(segments, hmac, action != b6Encaps)
		}
		return true
	})
	if action == 0 {
		die("Missing action type")
	}
	if header != nil {
		m.Bytes(seg6Header, header)
	}
}

// parseFlavors reads "psp,usd lblen BITS nflen BITS".
func parseFlavors(w *words, m *rtnl.Message) {
	ops := uint32(0)
	for name := range strings.SplitSeq(w.peek(), ",") {
		op := slices.IndexFunc(seg6FlavorNames(), func(n string) bool { return strings.EqualFold(n, name) })
		if op <= 0 {
			invalid("invalid \"flavors\" attribute\n", w.peek())
		}
		ops |= 1 << op
	}
	m.U32(1, ops)
	seen := map[string]bool{}
	for w.left() > 1 && (w.list[w.at+1] == "lblen" || w.list[w.at+1] == "nflen") {
		key := w.next()
		value := w.next()
		if seen[key] {
			garbage(key, value)
		}
		seen[key] = true
		typ := uint16(2)
		if key == "nflen" {
			typ = 3
		}
		m.U8(typ, u8(value, "\""+key+"\" value is invalid\n"))
	}
}

func printRoutingHeader(p *printer, b []byte) {
	if len(b) < 8 {
		return
	}
	first := int(b[4])
	p.openArray("segs", "")
	p.text("segs %d [ ", first+1)
	for i := first; i >= 0; i-- {
		if at := 8 + 16*i; at+16 <= len(b) {
			p.coloredItem(colorInet6, "%s ", netip.AddrFrom16([16]byte(b[at:at+16])).String())
		}
	}
	p.closeArray("")
	p.text("] ")
	if size := (int(b[1]) + 1) * 8; b[5]&srhFlagHMAC != 0 && size <= len(b) && size > srhHMACLen {
		id := binary.BigEndian.Uint32(b[size-srhHMACLen+4:])
		p.hexa("hmac", "hmac %X ", uint64(id))
	}
}

func printEncapSeg6(p *printer, a rtnl.Attrs) {
	b := a.Bytes(seg6SRH)
	if len(b) < 4 {
		return
	}
	word := "<unknown>"
	if mode := native.Uint32(b); int(mode) < len(seg6Modes()) {
		word = seg6Modes()[mode]
	}
	p.str("mode", "mode %s ", word)
	printRoutingHeader(p, b[4:])
}

func (s *session) printEncapSeg6Local(p *printer, a rtnl.Attrs) {
	if !a.Has(seg6Action) {
		return
	}
	word := "<unknown>"
	if action := a.U32(seg6Action); action > 0 && int(action) < len(seg6Actions()) {
		word = seg6Actions()[action]
	}
	p.str("action", "action %s ", word)
	if a.Has(seg6Header) {
		p.openObject("srh")
		printRoutingHeader(p, a.Bytes(seg6Header))
		p.closeObject()
	}
	if a.Has(seg6Table) {
		p.str("table", "table %s ", tableName(s, a.U32(seg6Table)))
	}
	if a.Has(seg6VRFTable) {
		p.str("vrftable", "vrftable %s ", tableName(s, a.U32(seg6VRFTable)))
	}
	if a.Has(seg6NH4) {
		p.str("nh4", "nh4 %s ", a.Addr(seg6NH4).String())
	}
	if a.Has(seg6NH6) {
		p.str("nh6", "nh6 %s ", a.Addr(seg6NH6).String())
	}
	if a.Has(seg6IIF) {
		p.str("iif", "iif %s ", s.nameOf(int(a.U32(seg6IIF))))
	}
	if a.Has(seg6OIF) {
		p.str("oif", "oif %s ", s.nameOf(int(a.U32(seg6OIF))))
	}
	if a.Has(seg6Counters) && s.opt.stats > 0 {
		p.openObject("stats64")
		for i, key := range []string{"packets", "bytes", "errors"} {
			p.text("%s ", key)
			num(p, key, "%d ", a.Nested(seg6Counters).U64(i+2))
		}
		p.closeObject()
	}
	if a.Has(seg6Flavors) {
		printFlavors(p, a.Nested(seg6Flavors))
	}
}

func printFlavors(p *printer, a rtnl.Attrs) {
	if a.Has(1) {
		ops, sep := a.U32(1), ""
		p.openArray("flavors", "flavors ")
		for i, name := range seg6FlavorNames() {
			if ops&(1<<i) != 0 && name != "" {
				p.item(sep+"%s", name)
				sep = ","
			}
		}
		p.closeArray(" ")
	}
	for i, key := range []string{"lblen", "nflen"} {
		if a.Has(i + 2) {
			p.text("%s ", key)
			num(p, key, "%d ", a.U8(i+2))
		}
	}
}
