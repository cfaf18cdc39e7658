package rtnl

import (
	"encoding/binary"
	"net/netip"

	"warren/internal/nl"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A Message is a request that is put together attribute by attribute. It is for callers whose grammar tells an attribute that
// was given as zero from one that was not given, which the values of package state do not. The first error sticks and is
// returned by [Message.Request].
type Message struct {
	e    encoder
	head int
}

// NewMessage starts a message with a family's header of n bytes, which is zero until [Message.Head] is written to.
func NewMessage(n int) *Message {
	return &Message{e: encoder{b: make([]byte, n, 256)}, head: n}
}

// Head is the header, to be filled in; valid until the next attribute is added.
func (m *Message) Head() []byte { return m.e.b[:m.head] }

// U8 adds a byte.
func (m *Message) U8(typ uint16, v uint8) { m.e.u8(typ, v) }

// U16 adds a number in the machine's order.
func (m *Message) U16(typ uint16, v uint16) { m.e.u16(typ, v) }

// BE16 adds a number in network order.
func (m *Message) BE16(typ uint16, v uint16) { m.e.be16(typ, v) }

// BE32 adds a number in network order.
func (m *Message) BE32(typ uint16, v uint32) { m.e.bytes(typ, binary.BigEndian.AppendUint32(nil, v)) }

// U32 adds a number in the machine's order.
func (m *Message) U32(typ uint16, v uint32) { m.e.u32(typ, v) }

// U64 adds a number in the machine's order.
func (m *Message) U64(typ uint16, v uint64) {
	b := binary.NativeEndian.AppendUint64(nil, v)
	m.e.bytes(typ, b)
}

// Bytes adds bytes as they are.
func (m *Message) Bytes(typ uint16, b []byte) { m.e.bytes(typ, b) }

// Str adds a string with its final zero.
func (m *Message) Str(typ uint16, s string) { m.e.str(typ, s) }

// Flag adds an attribute without a value.
func (m *Message) Flag(typ uint16) { m.e.bytes(typ, nil) }

// Addr adds an address; the zero one is an attribute without a value.
func (m *Message) Addr(typ uint16, a netip.Addr) { m.e.addr(typ, a) }

// Raw appends bytes outside of any attribute, padded.
func (m *Message) Raw(b []byte) { m.e.b = append(m.e.b, b...); m.e.pad() }

// Begin starts a nested attribute; End, with what Begin returned, closes it.
func (m *Message) Begin(typ uint16) int { return m.e.begin(typ) }

// Mark is the present length, for [Message.Patch].
func (m *Message) Mark() int { return len(m.e.b) }

// Patch gives access to what was written from a mark on.
func (m *Message) Patch(from int) []byte { return m.e.b[from:] }

// End closes a nested attribute.
func (m *Message) End(at int) { m.e.end(at) }

// Request closes the message.
func (m *Message) Request(typ int, flags netlink.HeaderFlags) (nl.Request, error) {
	return m.e.request(typ, flags)
}

// LinkRef adds a link's name: as IFLA_IFNAME or, when it is too long for that, as IFLA_ALT_IFNAME.
func (m *Message) LinkRef(name string) {
	if name != "" {
		m.e.linkName(name)
	}
}

// IfinfoLen, IfaddrLen, RtmsgLen, NdmsgLen and so on are the sizes of the families' headers (linux/rtnetlink.h and neighbours).
const (
	IfinfoLen  = unix.SizeofIfInfomsg
	IfaddrLen  = unix.SizeofIfAddrmsg
	RtmsgLen   = unix.SizeofRtMsg
	NdmsgLen   = 12
	FibRuleLen = 12
	BrPortLen  = 8
	RtgenLen   = rtgenLen
)
