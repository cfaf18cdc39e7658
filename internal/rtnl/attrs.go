package rtnl

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// Attrs are the attributes of one level of a message, by type. It is for printers that show more than the values of package
// state hold. Reading what is not there, or too short, gives the zero value; of an attribute that comes twice the last counts.
type Attrs struct{ data [][]byte }

// ParseAttrs reads a level. What follows a malformed attribute is left out.
func ParseAttrs(b []byte) Attrs {
	var a Attrs
	w := walk(b)
	for w.next() {
		for int(w.typ) >= len(a.data) {
			a.data = append(a.data, make([][]byte, int(w.typ)+16-len(a.data))...)
		}
		a.data[w.typ] = w.data
	}
	return a
}

// EachAttr calls f for each attribute in order, also for those that come several times.
func EachAttr(b []byte, f func(typ uint16, data []byte)) {
	w := walk(b)
	for w.next() {
		f(w.typ, w.data)
	}
}

// Bytes is the attribute's content; nil when it is not there.
func (a Attrs) Bytes(typ int) []byte {
	if typ >= len(a.data) {
		return nil
	}
	return a.data[typ]
}

// Has reports whether the attribute is there.
func (a Attrs) Has(typ int) bool { return a.Bytes(typ) != nil }

// U8 is a byte.
func (a Attrs) U8(typ int) uint8 {
	if b := a.Bytes(typ); len(b) >= 1 {
		return b[0]
	}
	return 0
}

// U16 is a number in the machine's order.
func (a Attrs) U16(typ int) uint16 {
	if b := a.Bytes(typ); len(b) >= 2 {
		return binary.NativeEndian.Uint16(b)
	}
	return 0
}

// BE16 is a number in network order.
func (a Attrs) BE16(typ int) uint16 {
	if b := a.Bytes(typ); len(b) >= 2 {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

// BE32 is a number in network order.
func (a Attrs) BE32(typ int) uint32 {
	if b := a.Bytes(typ); len(b) >= 4 {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// U32 is a number in the machine's order.
func (a Attrs) U32(typ int) uint32 {
	if b := a.Bytes(typ); len(b) >= 4 {
		return binary.NativeEndian.Uint32(b)
	}
	return 0
}

// S32 is a signed number in the machine's order.
func (a Attrs) S32(typ int) int32 { return int32(a.U32(typ)) }

// U64 is a number in the machine's order.
func (a Attrs) U64(typ int) uint64 {
	if b := a.Bytes(typ); len(b) >= 8 {
		return binary.NativeEndian.Uint64(b)
	}
	return 0
}

// Str is a string up to its zero.
func (a Attrs) Str(typ int) string {
	s, _, _ := bytes.Cut(a.Bytes(typ), []byte{0})
	return string(s)
}

// Addr is an address of 4 or 16 bytes; the zero value when it is none.
func (a Attrs) Addr(typ int) netip.Addr {
	addr, _ := netip.AddrFromSlice(a.Bytes(typ))
	return addr
}

// Nested is the level inside the attribute.
func (a Attrs) Nested(typ int) Attrs { return ParseAttrs(a.Bytes(typ)) }
