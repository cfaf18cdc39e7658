package sockdiag

import (
	"encoding/binary"
	"errors"
	"fmt"

	"warren/internal/rtnl"
)

// byFamily is the type of requests and replies (SOCK_DIAG_BY_FAMILY).
const byFamily = 20

// Errors that callers decide by.
var (
	// ErrMalformed says that a message is too short for what it should be.
	ErrMalformed = errors.New("malformed socket message")
	// ErrNoDiag says that the kernel cannot list this kind of socket: its module (tcp_diag, udp_diag, raw_diag, unix_diag,
	// af_packet_diag, netlink_diag, vsock_diag, sctp_diag) is not there, or the protocol itself is not.
	ErrNoDiag = errors.New("the kernel cannot list these sockets")
)

func short(what string, n, want int) error {
	return fmt.Errorf("%s: %w: %d bytes, want %d", what, ErrMalformed, n, want)
}

// native is the machine's byte order.
var native = binary.NativeEndian

// An encoder appends attributes.
type encoder struct{ b []byte }

func (e *encoder) bytes(typ uint16, v []byte) {
	e.b = native.AppendUint16(e.b, uint16(4+len(v)))
	e.b = native.AppendUint16(e.b, typ)
	e.b = append(e.b, v...)
	for len(e.b)%4 != 0 {
		e.b = append(e.b, 0)
	}
}

func (e *encoder) u8(typ uint16, v uint8)   { e.bytes(typ, []byte{v}) }
func (e *encoder) u32(typ uint16, v uint32) { e.bytes(typ, native.AppendUint32(nil, v)) }
func (e *encoder) u64(typ uint16, v uint64) { e.bytes(typ, native.AppendUint64(nil, v)) }

// words appends an attribute of 32-bit numbers.
func (e *encoder) words(typ uint16, v ...uint32) {
	b := make([]byte, 0, 4*len(v))
	for _, w := range v {
		b = native.AppendUint32(b, w)
	}
	e.bytes(typ, b)
}

// u8p and u32p append what is there.
func (e *encoder) u8p(typ uint16, v *uint8) {
	if v != nil {
		e.u8(typ, *v)
	}
}

func (e *encoder) u32p(typ uint16, v *uint32) {
	if v != nil {
		e.u32(typ, *v)
	}
}

func optU8(a rtnl.Attrs, typ int) *uint8 {
	if len(a.Bytes(typ)) < 1 {
		return nil
	}
	return new(a.U8(typ))
}

func optU32(a rtnl.Attrs, typ int) *uint32 {
	if len(a.Bytes(typ)) < 4 {
		return nil
	}
	return new(a.U32(typ))
}

// numbers reads 32-bit numbers, as many as there are.
func numbers(b []byte) []uint32 {
	list := make([]uint32, 0, len(b)/4)
	for ; len(b) >= 4; b = b[4:] {
		list = append(list, native.Uint32(b))
	}
	return list
}

// cookieNone is the cookie of a request that does not ask for one socket (INET_DIAG_NOCOOKIE, twice).
const cookieNone = ^uint64(0)

// cookie reads a socket's cookie: two words, the low one first whatever the machine's order.
func cookie(b []byte) uint64 { return uint64(native.Uint32(b)) | uint64(native.Uint32(b[4:]))<<32 }

func appendCookie(b []byte, c uint64) []byte {
	b = native.AppendUint32(b, uint32(c))
	return native.AppendUint32(b, uint32(c>>32))
}
