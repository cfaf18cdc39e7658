package nft

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// nested marks an attribute that holds attributes (NLA_F_NESTED).
const nested = 1 << 15

// attrTypeMask takes the flags (nested, network order) off an attribute's type.
const attrTypeMask = 1<<14 - 1

var errTruncated = errors.New("malformed attribute")

// attrs calls f for each attribute of b, in order. The values are part of b.
func attrs(b []byte, f func(typ uint16, v []byte) error) error {
	for len(b) >= 4 {
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			return fmt.Errorf("%w: length %d of %d", errTruncated, n, len(b))
		}
		if err := f(binary.NativeEndian.Uint16(b[2:])&attrTypeMask, b[4:n:n]); err != nil {
			return err
		}
		b = b[min(pad4(n), len(b)):]
	}
	return nil
}

// attrTable has the value of each attribute at its type; nil where there is none. Types above are of no object that is read.
type attrTable [24][]byte

// attrMap is the attributes of b by type; the last of a kind wins.
func attrMap(b []byte) (t attrTable, err error) {
	err = attrs(b, func(typ uint16, v []byte) error {
		if int(typ) < len(t) {
			t[typ] = v
		}
		return nil
	})
	return t, err
}

// be32 reads a 32-bit attribute in network order; 0 when it is not one.
func be32(v []byte) uint32 {
	if len(v) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(v)
}

func be64(v []byte) uint64 {
	if len(v) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}

// cstring is a string up to its zero.
func cstring(v []byte) string {
	s, _, _ := strings.Cut(string(v), "\x00")
	return s
}

// A writer appends attributes.
type writer struct{ b []byte }

func (w *writer) bytes(typ uint16, v []byte) {
	w.b = binary.NativeEndian.AppendUint16(w.b, uint16(4+len(v)))
	w.b = binary.NativeEndian.AppendUint16(w.b, typ)
	w.b = append(w.b, v...)
	w.pad()
}

func (w *writer) pad() {
	for len(w.b)%4 != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *writer) string(typ uint16, s string) { w.bytes(typ, append([]byte(s), 0)) }
func (w *writer) u32(typ uint16, n uint32)    { w.bytes(typ, binary.BigEndian.AppendUint32(nil, n)) }

// nest writes an attribute that holds what f writes. The whole must stay below 64 KiB.
func (w *writer) nest(typ uint16, f func()) {
	start := len(w.b)
	w.b = append(w.b, 0, 0, 0, 0)
	f()
	binary.NativeEndian.PutUint16(w.b[start:], uint16(len(w.b)-start))
	binary.NativeEndian.PutUint16(w.b[start+2:], typ|nested)
}

// Kinds of user data (libnftnl's udata.h). User data is a list of (type, length, value) with one byte each for type and length; the
// kernel only stores it.
const (
	udataComment      = 0 // of tables, chains, rules and elements
	udataSetKeyOrder  = 0
	udataSetDataOrder = 1
	udataSetComment   = 7
	udataHostOrder    = 1
	udataNetworkOrder = 2
	maxComment        = 127 // nft's limit, which leaves a byte for the zero
)

// udataString is user data that holds one string.
func udataString(typ byte, s string) []byte {
	return append([]byte{typ, byte(len(s) + 1)}, append([]byte(s), 0)...)
}

func udataUint32(typ byte, n uint32) []byte {
	return binary.NativeEndian.AppendUint32([]byte{typ, 4}, n)
}

// udata is the value of one kind, nil when there is none.
func udata(b []byte, typ byte) []byte {
	for len(b) >= 2 {
		n := int(b[1])
		if 2+n > len(b) {
			return nil
		}
		if b[0] == typ {
			return b[2 : 2+n]
		}
		b = b[2+n:]
	}
	return nil
}
