package rtnl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"warren/state"
)

// ErrMalformed is what a decoder returns for bytes that are not the message it expects.
var ErrMalformed = errors.New("malformed rtnetlink message")

// ErrFamily is what a decoder returns for a message of an address family that package state does not describe, such as a
// multicast route in a dump of all families.
var ErrFamily = errors.New("address family is not IPv4 or IPv6")

// A walker goes from attribute to attribute. The data is not copied.
type walker struct {
	rest []byte
	typ  uint16
	data []byte
	err  error
}

func walk(b []byte) walker { return walker{rest: b} }

// next advances. After it returned false, err says whether it was the end.
func (w *walker) next() bool {
	if w.err != nil || len(w.rest) == 0 {
		return false
	}
	if len(w.rest) < 4 {
		w.err = fmt.Errorf("%w: %d bytes after the last attribute", ErrMalformed, len(w.rest))
		return false
	}
	n := int(binary.NativeEndian.Uint16(w.rest))
	w.typ = binary.NativeEndian.Uint16(w.rest[2:]) & 0x3fff
	if n < 4 || n > len(w.rest) {
		w.err = fmt.Errorf("%w: attribute %d says that it has %d of %d bytes", ErrMalformed, w.typ, n, len(w.rest))
		return false
	}
	w.data = w.rest[4:n:n]
	w.rest = w.rest[min((n+3)&^3, len(w.rest)):]
	return true
}

// sized reports whether the attribute has n bytes; otherwise that is the walker's error.
func (w *walker) sized(n int) bool {
	if len(w.data) == n {
		return true
	}
	w.fail(fmt.Errorf("%w: attribute %d has %d bytes, want %d", ErrMalformed, w.typ, len(w.data), n))
	return false
}

func (w *walker) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *walker) u8() uint8 {
	if !w.sized(1) {
		return 0
	}
	return w.data[0]
}

func (w *walker) u16() uint16 {
	if !w.sized(2) {
		return 0
	}
	return binary.NativeEndian.Uint16(w.data)
}

func (w *walker) be16() uint16 {
	if !w.sized(2) {
		return 0
	}
	return binary.BigEndian.Uint16(w.data)
}

func (w *walker) u32() uint32 {
	if !w.sized(4) {
		return 0
	}
	return binary.NativeEndian.Uint32(w.data)
}

func (w *walker) be64() uint64 {
	if !w.sized(8) {
		return 0
	}
	return binary.BigEndian.Uint64(w.data)
}

func (w *walker) boolean() *bool {
	v := w.u8() != 0
	return &v
}

// str is the string up to its zero.
func (w *walker) str() string {
	s, _, _ := bytes.Cut(w.data, []byte{0})
	return string(s)
}

// addr is an address of 4 or 16 bytes.
func (w *walker) addr() netip.Addr {
	a, ok := netip.AddrFromSlice(w.data)
	if !ok {
		w.fail(fmt.Errorf("%w: attribute %d has %d bytes, want an address", ErrMalformed, w.typ, len(w.data)))
	}
	return a
}

// familyAddr is an address of the family that the message's header says.
func (w *walker) familyAddr(v6 bool) netip.Addr {
	n := 4
	if v6 {
		n = 16
	}
	if !w.sized(n) {
		return netip.Addr{}
	}
	return w.addr()
}

// mac is a link-layer address of six bytes; others are none.
func (w *walker) mac() state.MAC {
	var m state.MAC
	if len(w.data) == len(m) {
		copy(m[:], w.data)
	}
	return m
}

// header cuts a fixed header of n bytes off a message.
func header(b []byte, n int) (head []byte, attrs walker, err error) {
	if len(b) < n {
		return nil, walker{}, fmt.Errorf("%w: %d bytes, want a header of %d", ErrMalformed, len(b), n)
	}
	return b[:n], walk(b[n:]), nil
}
