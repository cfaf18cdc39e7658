package nl

import (
	"encoding/binary"

	"github.com/mdlayher/netlink"
)

// A Request is one netlink message to send. Its sequence number, and the flags NLM_F_REQUEST and NLM_F_ACK, are filled in
// when it is sent.
type Request struct {
	Type  netlink.HeaderType
	Flags netlink.HeaderFlags
	// Data is what follows the netlink header: the family's own header and the attributes.
	Data []byte
}

// A Result is what the kernel answered to one request.
type Result struct {
	Messages []netlink.Message
	Err      error
}

const (
	headerLen = 16
	alignTo   = 4
)

func align(n int) int { return (n + alignTo - 1) &^ (alignTo - 1) }

// wireLen is the size of the request in a datagram, padding included.
func (r Request) wireLen() int { return align(headerLen + len(r.Data)) }

// appendTo writes the request as it goes over the wire.
func (r Request) appendTo(b []byte, flags netlink.HeaderFlags, seq uint32) []byte {
	b = binary.NativeEndian.AppendUint32(b, uint32(headerLen+len(r.Data)))
	b = binary.NativeEndian.AppendUint16(b, uint16(r.Type))
	b = binary.NativeEndian.AppendUint16(b, uint16(r.Flags|flags|netlink.Request))
	b = binary.NativeEndian.AppendUint32(b, seq)
	b = binary.NativeEndian.AppendUint32(b, 0) // the kernel knows the port
	b = append(b, r.Data...)
	for len(b)%alignTo != 0 {
		b = append(b, 0)
	}
	return b
}

// nextMessage cuts the first message off b. The message's data is part of b.
func nextMessage(b []byte) (m netlink.Message, rest []byte, err error) {
	if len(b) < headerLen {
		return m, nil, ErrMalformed
	}
	n := int(binary.NativeEndian.Uint32(b))
	if n < headerLen || n > len(b) {
		return m, nil, ErrMalformed
	}
	m.Header = netlink.Header{
		Length:   uint32(n),
		Type:     netlink.HeaderType(binary.NativeEndian.Uint16(b[4:])),
		Flags:    netlink.HeaderFlags(binary.NativeEndian.Uint16(b[6:])),
		Sequence: binary.NativeEndian.Uint32(b[8:]),
		PID:      binary.NativeEndian.Uint32(b[12:]),
	}
	m.Data = b[headerLen:n:n]
	return m, b[min(align(n), len(b)):], nil
}
