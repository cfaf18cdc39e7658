package iproute

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/xfrm"
)

// The parsers of parts of a command begin at their first word and end at their last one. One that meets a word which it does not
// know goes back by one: its caller goes on with it.

// An xfrmName is a name of a number.
type xfrmName struct {
	name  string
	value uint8
}

// Protocols that have states only.
const (
	protoRouting = 43
	protoComp    = 108
	protoDstOpts = 60
	protoMH      = 135
	protoAny     = 255 // of IPsec
)

func xfrmProtos() []xfrmName {
	return []xfrmName{
		{"esp", unix.IPPROTO_ESP}, {"ah", unix.IPPROTO_AH}, {"comp", protoComp}, {"route2", protoRouting}, {"hao", protoDstOpts}, {"ipsec-any", protoAny},
	}
}

func xfrmModes() []xfrmName {
	return []xfrmName{
		{"transport", xfrm.ModeTransport}, {"tunnel", xfrm.ModeTunnel}, {"ro", xfrm.ModeRO}, {"in_trigger", xfrm.ModeInTrigger}, {"beet", xfrm.ModeBEET},
	}
}

func xfrmStateFlags() []xfrmName {
	return []xfrmName{
		{"noecn", xfrm.StateNoECN}, {"decap-dscp", xfrm.StateDecapDSCP}, {"nopmtudisc", xfrm.StateNoPMTUDisc}, {"wildrecv", xfrm.StateWildRecv},
		{"icmp", xfrm.StateICMP}, {"af-unspec", xfrm.StateAFUnspec}, {"align4", xfrm.StateAlign4}, {"esn", xfrm.StateESN},
	}
}

func xfrmExtraFlags() []xfrmName {
	return []xfrmName{{"dont-encap-dscp", xfrm.ExtraDontEncapDSCP}, {"oseq-may-wrap", xfrm.ExtraOSeqMayWrap}}
}

func xfrmPolicyFlags() []xfrmName {
	return []xfrmName{{"localok", xfrm.PolicyLocalOK}, {"icmp", xfrm.PolicyICMP}}
}

func xfrmDirections() []xfrmName {
	return []xfrmName{{"in", xfrm.PolicyIn}, {"out", xfrm.PolicyOut}, {"fwd", xfrm.PolicyFwd}}
}

func xfrmTypes() []xfrmName {
	return []xfrmName{{"main", xfrm.PolicyMain}, {"sub", xfrm.PolicySub}}
}

func xfrmActions() []xfrmName {
	return []xfrmName{{"allow", xfrm.PolicyAllow}, {"block", xfrm.PolicyBlock}}
}

// named finds a name's number.
func named(list []xfrmName, word string) (uint8, bool) {
	for _, n := range list {
		if n.name == word {
			return n.value, true
		}
	}
	return 0, false
}

// mustName is named for a word that must be one.
func mustName(list []xfrmName, word, what string) uint8 {
	v, ok := named(list, word)
	if !ok {
		invalid(what, word)
	}
	return v
}

// nameFor finds a number's name; without one it is the number.
func nameFor(list []xfrmName, v uint8) string {
	for _, n := range list {
		if n.value == v {
			return n.name
		}
	}
	return strconv.Itoa(int(v))
}

// u64 reads a number of 64 bits as strtoull does: a sign turns it round.
func u64(word, what string) uint64 {
	digits, negative := strings.CutPrefix(strings.TrimLeft(word, " \t"), "-")
	n, ok := parseUint(digits, 0, 64)
	if !ok {
		invalid(what, word)
	}
	if negative {
		return -n
	}
	return n
}

// missing is iproute2's missarg.
func missing(key string) { die("Error: argument \"%s\" is required", key) }

// follow goes to the next word of the same part; false when there is none.
func follow(w *words) bool {
	if w.left() <= 1 {
		return false
	}
	w.skip()
	return true
}

// flags reads the names of flags, or one number in hexadecimal.
func xfrmFlagWords(w *words, names []xfrmName, bits int, flags uint32, what string) uint32 {
	if word := w.peek(); len(word) > 2 && strings.HasPrefix(word, "0x") {
		n, ok := parseUint(word, 16, bits)
		if !ok {
			invalid(what, word)
		}
		return uint32(n)
	}
	for {
		v, ok := named(names, w.peek())
		if !ok {
			w.at--
			return flags
		}
		flags |= uint32(v)
		if !follow(w) {
			return flags
		}
	}
}

// address reads a prefix and returns its family and length.
func (x *xfrmCommand) prefixWord(word, unspecified string) (a xfrm.Address, family uint16, bits int) {
	p := prefix(word, int(x.family))
	switch {
	case p.addr.IsValid():
		return xfrm.MakeAddress(p.addr), uint16(familyOfAddr(p.addr)), p.bits
	case x.family == unix.AF_UNSPEC:
		invalid(unspecified, word)
	}
	return a, x.family, 0
}

// sameFamily refuses two addresses of different families.
func sameFamily(w *words, src, dst uint16) {
	if src != 0 && dst != 0 && src != dst {
		invalid("the same address family is required between values after \"src\" and \"dst\"", w.peek())
	}
}

// id reads what names a state.
func (x *xfrmCommand) id(w *words, id *xfrm.ID, from *xfrm.Address, family *uint16, loose bool) {
	var src, dst uint16
words:
	for {
		switch w.peek() {
		case "src":
			*from, src, x.filter.src = x.prefixWord(w.next(), "value after \"src\" has an unrecognized address family")
			*family = src
		case "dst":
			id.Dst, dst, x.filter.dst = x.prefixWord(w.next(), "value after \"dst\" has an unrecognized address family")
			*family = dst
		case "proto":
			id.Proto = mustName(xfrmProtos(), w.next(), "XFRM-PROTO value is invalid")
			x.filter.given.proto = true
		case "spi":
			id.SPI = xfrm.Put32(u32(w.next(), "SPI value is invalid"))
			x.filter.given.spi = true
		default:
			w.at--
			break words
		}
		if !follow(w) {
			break
		}
	}
	sameFamily(w, src, dst)
	if !loose && id.Proto == 0 {
		missing("XFRM-PROTO")
	}
}

// mode reads a mode or its beginning.
func xfrmMode(word string) uint8 {
	for _, m := range xfrmModes() {
		if matches(word, m.name) {
			return m.value
		}
	}
	invalid("MODE value is invalid", word)
	return 0
}

// markWord reads a value and perhaps a mask.
func markWord(w *words) xfrm.Mark {
	m := xfrm.Mark{Value: u32(w.next(), "MARK value is invalid\n"), Mask: ^uint32(0)}
	if !follow(w) {
		return m
	}
	if w.peek() != "mask" {
		w.at--
		return m
	}
	m.Mask = u32(w.next(), "MASK value is invalid\n")
	return m
}

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
		a, ok := parseAddr(word, unix.AF_INET)
		if !ok {
			panic(&failure{code: exitFailed, abort: true, exact: true, text: "Error: an IP address is expected rather than \"" + word + "\""})
		}
		return xfrm.BE32(a.As4()).Get()
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

// limit reads one limit.
func xfrmLimit(w *words, l *xfrm.Lifetime) {
	var to *uint64
	word := w.peek()
	switch word {
	case "time-soft":
		to = &l.SoftAdd
	case "time-hard":
		to = &l.HardAdd
	case "time-use-soft":
		to = &l.SoftUse
	case "time-use-hard":
		to = &l.HardUse
	case "byte-soft":
		to = &l.SoftBytes
	case "byte-hard":
		to = &l.HardBytes
	case "packet-soft":
		to = &l.SoftPackets
	case "packet-hard":
		to = &l.HardPackets
	default:
		invalid("LIMIT value is invalid", word)
	}
	*to = u64(w.next(), "value after \""+word+"\" is invalid")
}

// unlimited is a lifetime without limits.
func unlimited() xfrm.Lifetime {
	const inf = xfrm.Infinite
	return xfrm.Lifetime{SoftBytes: inf, HardBytes: inf, SoftPackets: inf, HardPackets: inf}
}

// context reads a security label.
func xfrmContext(word string) []byte {
	n := uint16(len(word) + 1)
	c := xfrm.Context{Len: uint16(xfrm.Size[xfrm.Context]()) + n, Type: xfrm.AttrContext, Alg: 1, DOI: 1, TextLen: n}
	return append(append(xfrm.Append(nil, c), word...), 0)
}

// once refuses a word that was there before.
func once(was *bool, key, word string) {
	if *was {
		duplicate(key, word)
	}
	*was = true
}
