package rtnl

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strings"

	"warren/internal/nl"
	"warren/state"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// An encoder appends headers and attributes. The first error sticks.
type encoder struct {
	b   []byte
	err error
}

// newEncoder has room for what most requests need.
func newEncoder() *encoder { return &encoder{b: make([]byte, 0, 192)} }

// request closes the encoder.
func (e *encoder) request(typ int, flags netlink.HeaderFlags) (nl.Request, error) {
	if e.err != nil {
		return nl.Request{}, e.err
	}
	return nl.Request{Type: netlink.HeaderType(typ), Flags: flags, Data: e.b}, nil
}

// data closes the encoder when what it made is a message's body.
func (e *encoder) data() ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	return e.b, nil
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// head starts an attribute of n bytes.
func (e *encoder) head(typ uint16, n int) {
	if n > math.MaxUint16-4 {
		e.fail(fmt.Errorf("attribute %d has %d bytes, which is more than netlink can carry", typ, n))
		n = 0
	}
	e.b = binary.NativeEndian.AppendUint16(e.b, uint16(n+4))
	e.b = binary.NativeEndian.AppendUint16(e.b, typ)
}

func (e *encoder) pad() {
	for len(e.b)%4 != 0 {
		e.b = append(e.b, 0)
	}
}

func (e *encoder) u8(typ uint16, v uint8) {
	e.head(typ, 1)
	e.b = append(e.b, v, 0, 0, 0)
}

func (e *encoder) u16(typ uint16, v uint16) {
	e.head(typ, 2)
	e.b = binary.NativeEndian.AppendUint16(e.b, v)
	e.b = append(e.b, 0, 0)
}

func (e *encoder) be16(typ uint16, v uint16) {
	e.head(typ, 2)
	e.b = binary.BigEndian.AppendUint16(e.b, v)
	e.b = append(e.b, 0, 0)
}

func (e *encoder) u32(typ uint16, v uint32) {
	e.head(typ, 4)
	e.b = binary.NativeEndian.AppendUint32(e.b, v)
}

func (e *encoder) be64(typ uint16, v uint64) {
	e.head(typ, 8)
	e.b = binary.BigEndian.AppendUint64(e.b, v)
}

func (e *encoder) bytes(typ uint16, v []byte) {
	e.head(typ, len(v))
	e.b = append(e.b, v...)
	e.pad()
}

// str writes a string with its final zero.
func (e *encoder) str(typ uint16, s string) {
	if strings.IndexByte(s, 0) >= 0 {
		e.fail(fmt.Errorf("%q holds a zero byte", s))
		return
	}
	e.head(typ, len(s)+1)
	e.b = append(e.b, s...)
	e.b = append(e.b, 0)
	e.pad()
}

// linkName writes the name of a link: as IFLA_IFNAME, or as IFLA_ALT_IFNAME when it is too long for that. The kernel looks
// both names and alternative names up by either.
func (e *encoder) linkName(name string) {
	if len(name) > state.MaxLinkName {
		e.str(unix.IFLA_ALT_IFNAME, name)
		return
	}
	e.str(unix.IFLA_IFNAME, name)
}

func (e *encoder) addr(typ uint16, a netip.Addr) {
	e.head(typ, a.BitLen()/8)
	if a.IsValid() {
		e.rawAddr(a)
	}
}

func (e *encoder) rawAddr(a netip.Addr) {
	if a.Is4() {
		v := a.As4()
		e.b = append(e.b, v[:]...)
		return
	}
	v := a.As16()
	e.b = append(e.b, v[:]...)
}

func (e *encoder) mac(typ uint16, m state.MAC) { e.bytes(typ, m[:]) }

func (e *encoder) boolean(typ uint16, v *bool) {
	if v == nil {
		return
	}
	var n uint8
	if *v {
		n = 1
	}
	e.u8(typ, n)
}

// begin starts a nested attribute; end, with what begin returned, closes it.
func (e *encoder) begin(typ uint16) int {
	at := len(e.b)
	e.head(typ|unix.NLA_F_NESTED, 0)
	return at
}

func (e *encoder) end(at int) {
	n := len(e.b) - at
	if n > math.MaxUint16 {
		e.fail(fmt.Errorf("a nested attribute has %d bytes, which is more than netlink can carry", n))
		return
	}
	binary.NativeEndian.PutUint16(e.b[at:], uint16(n))
}

// Optional attributes: zero is not written.

func (e *encoder) optU8(typ uint16, v uint8) {
	if v != 0 {
		e.u8(typ, v)
	}
}

func (e *encoder) optU16(typ uint16, v uint16) {
	if v != 0 {
		e.u16(typ, v)
	}
}

func (e *encoder) optBE16(typ uint16, v uint16) {
	if v != 0 {
		e.be16(typ, v)
	}
}

func (e *encoder) optU32(typ uint16, v uint32) {
	if v != 0 {
		e.u32(typ, v)
	}
}

func (e *encoder) optStr(typ uint16, s string) {
	if s != "" {
		e.str(typ, s)
	}
}

func (e *encoder) optAddr(typ uint16, a netip.Addr) {
	if a.IsValid() {
		e.addr(typ, a)
	}
}

func (e *encoder) optMAC(typ uint16, m state.MAC) {
	if !m.IsZero() {
		e.mac(typ, m)
	}
}
