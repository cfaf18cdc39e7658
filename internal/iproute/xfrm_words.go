package iproute

import (
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/xfrm"
)

// The parsers of parts of a command begin at their first word and end at their last one. One that meets a word which it does not
// know goes back by one: its caller goes on with it.

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
