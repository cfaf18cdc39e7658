package iproute

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// More kinds of encapsulation: in-situ OAM (RFC 9197, linux/ioam6_iptunnel.h), source routes of RPL (RFC 6554,
// linux/rpl_iptunnel.h), identifiers and locators (linux/ila.h), and IPsec's interfaces (linux/lwtunnel.h).
const (
	encapILA   = 3
	encapRPL   = 8
	encapIOAM6 = 9
	encapXFRM  = 10

	ioam6Mode  = 1
	ioam6Dst   = 2
	ioam6Trace = 3 // struct ioam6_trace_hdr
	ioam6FreqK = 4
	ioam6FreqN = 5

	ioam6Inline    = 1
	ioam6MaxFreq   = 1_000_000
	ioam6MaxTrace  = 244 // bytes of a trace
	ioam6TraceHead = 8

	rplSRH      = 1
	rplHeadLen  = 8
	rplSegments = 3 // the routing header's type

	ilaLocator = 1
	ilaCsum    = 7
	ilaIdent   = 8
	ilaHook    = 9

	xfrmIfID = 1
	xfrmLink = 2
)

func ioam6Modes() []string { return []string{"", "inline", "encap", "auto"} }

func ilaCsumModes() []string {
	return []string{"adj-transport", "neutral-map", "no-action", "neutral-map-auto"}
}

func ilaIdentType(t uint8) string {
	names := []string{"iid", "luid", "virt-v4", "virt-uni-v6", "virt-multi-v6", "nonlocal-addr"}
	switch {
	case int(t) < len(names):
		return names[t]
	case t == 32:
		return "use-format"
	}
	return "unknown"
}

// parseFreq reads "K/N": how many of how many packets.
func parseFreq(word string) (k, n uint32) {
	if len(word) > 15 {
		invalid("Invalid frequency (too long)", word)
	}
	first, second, _ := strings.Cut(word, "/")
	a, ok := parseUint(first, 10, 32)
	b, too := parseUint(second, 10, 32)
	switch {
	case !ok || !too:
		invalid("Invalid frequency (malformed)", word)
	case a < 1 || a > ioam6MaxFreq:
		invalid("Out of bound \"k\" frequency", word)
	case b < 1 || b > ioam6MaxFreq:
		invalid("Out of bound \"n\" frequency", word)
	case a > b:
		invalid("Frequency with k > n is forbidden", word)
	}
	return uint32(a), uint32(b)
}

// parseEncapIOAM6 reads "[ freq K/N ] [ mode MODE ] [ tundst ADDR ] trace prealloc type T ns N size S", in this order.
func parseEncapIOAM6(w *words, m *rtnl.Message) {
	k, n, mode := uint32(1), uint32(1), ioam6Inline
	var dst netip.Addr
	if w.peek() == "freq" {
		k, n = parseFreq(w.next())
		w.next()
	}
	if w.peek() == "mode" {
		word := w.next()
		if mode = slices.Index(ioam6Modes(), word); mode <= 0 {
			invalid("Invalid mode", word)
		}
		w.next()
	}
	switch is := w.peek() == "tundst"; {
	case is && mode == ioam6Inline:
		invalid("Inline mode does not need tundst", w.peek())
	case is:
		if dst = address(w.next(), unix.AF_INET6); !dst.IsValid() {
			invalid("Invalid IPv6 address for tundst", w.peek())
		}
		w.next()
	case mode != ioam6Inline:
		missing("tundst")
	}
	if w.peek() != "trace" {
		missing("trace")
	}
	if w.next() != "prealloc" {
		missing("prealloc")
	}
	head := parseTrace(w)
	m.U32(ioam6FreqK, k)
	m.U32(ioam6FreqN, n)
	m.U8(ioam6Mode, uint8(mode))
	if mode != ioam6Inline {
		m.Addr(ioam6Dst, dst)
	}
	m.Bytes(ioam6Trace, head)
}

// parseTrace reads what a trace is to hold, and ends at its last word.
func parseTrace(w *words) []byte {
	var kind uint32
	var ns, size uint16
	hasNS := false
	for more := true; more; {
		if w.at+1 >= len(w.list) {
			w.at-- // iproute2 reads the last word of a line again
			break
		}
		switch w.next() {
		case "type":
			if next := w.next(); kind != 0 {
				garbage("type", next)
			}
			if kind = u32(w.peek(), "Invalid trace type"); kind == 0 {
				invalid("Invalid trace type", w.peek())
			}
		case "ns":
			if next := w.next(); hasNS {
				garbage("ns", next)
			}
			ns, hasNS = u16(w.peek(), "Invalid namespace ID"), true
		case "size":
			if next := w.next(); size != 0 {
				garbage("size", next)
			}
			switch size = u16(w.peek(), "Invalid trace size"); {
			case size == 0:
				invalid("Invalid trace size", w.peek())
			case size%4 != 0:
				invalid("Trace size must be a 4-octet multiple", w.peek())
			case size > ioam6MaxTrace:
				invalid("Trace size is too big", w.peek())
			}
		default:
			w.at--
			more = false
		}
	}
	switch {
	case kind == 0:
		missing("type")
	case !hasNS:
		missing("ns")
	case size == 0:
		missing("size")
	}
	head := binary.BigEndian.AppendUint16(nil, ns)
	return binary.BigEndian.AppendUint32(append(head, 0, uint8(size/4)), kind<<8)
}

// parseEncapRPL reads "segs ADDR,ADDR..."; the header holds them backwards.
func parseEncapRPL(w *words, m *rtnl.Message) {
	word, has := "", false
	for ; w.more() && w.peek() == "segs"; w.skip() {
		if word = w.next(); has {
			garbage("segs", word)
		}
		has = true
	}
	w.at--
	n := strings.Count(word, ",") + 1
	b := make([]byte, rplHeadLen+16*n)
	b[1], b[2], b[3] = uint8(len(b)/8-1), rplSegments, uint8(n)
	at := n
	for part := range strings.SplitSeq(word, ",") {
		if part == "" {
			continue // strtok(3) passes over it
		}
		at--
		a := address(part, unix.AF_INET6).As16()
		copy(b[rplHeadLen+16*at:], a[:])
	}
	m.Bytes(rplSRH, b)
}

// parseEncapILA reads "LOCATOR [ csum-mode MODE ] [ ident-type TYPE ] [ hook-type TYPE ]".
func parseEncapILA(w *words, m *rtnl.Message) {
	locator, ok := parseLocator(w.peek())
	if !ok {
		exit("Bad locator: %s", w.peek())
	}
	m.Bytes(ilaLocator, locator)
	for w.skip(); w.more(); w.skip() {
		var v int
		var typ uint16
		key := w.peek()
		switch key {
		case "csum-mode":
			v, typ = slices.Index(ilaCsumModes(), w.next()), ilaCsum
		case "ident-type":
			typ = ilaIdent
			switch w.next() {
			case "luid":
				v = 1
			case "use-format":
				v = 32
			default:
				v = -1
			}
		case "hook-type":
			v, typ = slices.Index([]string{"output", "input"}, w.next()), ilaHook
		default:
			w.at--
			return
		}
		if v < 0 {
			invalid("\""+key+"\" value is invalid\n", w.peek())
		}
		m.U8(typ, uint8(v))
	}
	w.at--
}

// parseLocator reads half an IPv6 address, "2001:db8:0:1".
func parseLocator(word string) ([]byte, bool) {
	b := make([]byte, 0, 8)
	parts := strings.Split(word, ":")
	for _, part := range parts {
		n, ok := parseUint(part, 16, 16)
		if !ok {
			return nil, false
		}
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	return append(b, make([]byte, max(0, 8-len(b)))...), len(parts) <= 4
}

// parseEncapXFRM reads "if_id N [ link_dev LINK ]"; every other word to the end of the line is passed over.
func (s *session) parseEncapXFRM(w *words, m *rtnl.Message) {
	const usage = "Usage: ip route ... encap xfrm if_id IF_ID [ link_dev LINK ]"
	hasID, hasLink := false, false
	for ; w.more(); w.skip() {
		switch w.peek() {
		case "if_id":
			if next := w.next(); hasID {
				garbage("if_id", next)
			}
			id := u32(w.peek(), "\"if_id\" value is invalid\n")
			if id == 0 {
				invalid("\"if_id\" value is invalid\n", w.peek())
			}
			hasID = true
			m.U32(xfrmIfID, id)
		case "link_dev":
			if next := w.next(); hasLink {
				garbage("link_dev", next)
			}
			hasLink = true
			m.U32(xfrmLink, s.lower(w.peek()))
		case "help":
			usageOf(usage)
		}
	}
	if !hasID {
		usageOf(usage)
	}
	w.at--
}

func printEncapIOAM6(p *printer, a rtnl.Attrs) {
	head := a.Bytes(ioam6Trace)
	if !a.Has(ioam6Mode) || len(head) < ioam6TraceHead || !a.Has(ioam6FreqK) || !a.Has(ioam6FreqN) {
		return
	}
	num(p, "freqk", "freq %d", a.U32(ioam6FreqK))
	num(p, "freqn", "/%d ", a.U32(ioam6FreqN))
	mode := a.U8(ioam6Mode)
	if !a.Has(ioam6Dst) && mode != ioam6Inline {
		return
	}
	name := "<unknown>"
	if names := ioam6Modes(); mode > 0 && int(mode) < len(names) {
		name = names[mode]
	}
	p.str("mode", "mode %s ", name)
	if mode != ioam6Inline {
		p.str("tundst", "tundst %s ", a.Addr(ioam6Dst).String())
	}
	p.null("trace", "trace ")
	p.null("prealloc", "prealloc ")
	kind := binary.BigEndian.Uint32(head[4:]) >> 8
	p.text("type %#06x ", kind)
	if p.isJSON() {
		p.str("type", "", strconv.FormatUint(uint64(kind), 16))
	}
	num(p, "ns", "ns %d ", binary.BigEndian.Uint16(head))
	num(p, "size", "size %d ", int(head[3]&0x7f)*4)
}

func printEncapRPL(p *printer, a rtnl.Attrs) {
	b := a.Bytes(rplSRH)
	if len(b) < rplHeadLen {
		return
	}
	n := min(int(b[3]), (len(b)-rplHeadLen)/16)
	p.openArray("segs", fmt.Sprintf("segs %d [ ", n))
	for i := n - 1; i >= 0; i-- {
		p.item("%s ", netip.AddrFrom16([16]byte(b[rplHeadLen+16*i:])).String())
	}
	p.closeArray("] ")
}

func printEncapILA(p *printer, a rtnl.Attrs) {
	if b := a.Bytes(ilaLocator); len(b) >= 8 {
		be := binary.BigEndian
		p.str("locator", " %s ", fmt.Sprintf("%x:%x:%x:%x", be.Uint16(b), be.Uint16(b[2:]), be.Uint16(b[4:]), be.Uint16(b[6:])))
	}
	name := func(names []string, i uint8) string {
		if int(i) < len(names) {
			return names[i]
		}
		return "unknown"
	}
	if a.Has(ilaCsum) {
		p.str("csum_mode", " csum-mode %s ", name(ilaCsumModes(), a.U8(ilaCsum)))
	}
	if a.Has(ilaIdent) {
		p.str("ident_type", " ident-type %s ", ilaIdentType(a.U8(ilaIdent)))
	}
	if a.Has(ilaHook) {
		p.str("hook_type", " hook-type %s ", name([]string{"output", "input"}, a.U8(ilaHook)))
	}
}

func (s *session) printEncapXFRM(p *printer, a rtnl.Attrs) {
	if a.Has(xfrmIfID) {
		num(p, "if_id", "if_id %d ", a.U32(xfrmIfID))
	}
	if a.Has(xfrmLink) {
		p.str("link_dev", "link_dev %s ", s.nameOf(int(a.U32(xfrmLink))))
	}
}
