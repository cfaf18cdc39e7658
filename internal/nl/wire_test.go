package nl_test

import (
	"encoding/binary"
	"time"

	"github.com/mdlayher/netlink"

	"warren/internal/nl"
)

// A sent request, as the fake wire read it.
type sent struct {
	typ   netlink.HeaderType
	flags netlink.HeaderFlags
	seq   uint32
	data  []byte
}

// A fakeWire answers each datagram with what a function says.
type fakeWire struct {
	answer func(reqs []sent) []reply
	queue  []reply
	sends  [][]sent
	buffed int // receives that offered a buffer
}

// A reply is a datagram or an error of the socket.
type reply struct {
	b   []byte
	err error
}

func (w *fakeWire) Send(b []byte) error {
	var reqs []sent
	for len(b) > 0 {
		n := binary.NativeEndian.Uint32(b)
		reqs = append(reqs, sent{
			typ:   netlink.HeaderType(binary.NativeEndian.Uint16(b[4:])),
			flags: netlink.HeaderFlags(binary.NativeEndian.Uint16(b[6:])),
			seq:   binary.NativeEndian.Uint32(b[8:]),
			data:  append([]byte(nil), b[16:n]...),
		})
		b = b[(n+3)&^3:]
	}
	w.sends = append(w.sends, reqs)
	w.queue = append(w.queue, w.answer(reqs)...)
	return nil
}

func (w *fakeWire) Receive(buf []byte, _ time.Duration) ([]byte, error) {
	if len(w.queue) == 0 {
		return nil, nl.ErrNoAnswer
	}
	r := w.queue[0]
	w.queue = w.queue[1:]
	if cap(buf) >= len(r.b) && r.err == nil {
		w.buffed++
		return append(buf[:0], r.b...), nil
	}
	return r.b, r.err
}

// message builds one netlink message, padded.
func message(typ netlink.HeaderType, flags netlink.HeaderFlags, seq uint32, data ...byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(16+len(data)))
	b = binary.NativeEndian.AppendUint16(b, uint16(typ))
	b = binary.NativeEndian.AppendUint16(b, uint16(flags))
	b = binary.NativeEndian.AppendUint32(b, seq)
	b = binary.NativeEndian.AppendUint32(b, 0)
	b = append(b, data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// ack builds a capped acknowledgement; text is the kernel's explanation.
func ack(s sent, errno int, text string) reply {
	data := binary.NativeEndian.AppendUint32(nil, uint32(-errno))
	data = append(data, message(s.typ, s.flags, s.seq)...)
	flags := netlink.Capped
	if text != "" {
		flags |= netlink.AcknowledgeTLVs
		data = append(data, attr(1, append([]byte(text), 0))...)
		data = append(data, attr(2, binary.NativeEndian.AppendUint32(nil, 40))...)
	}
	return reply{b: message(netlink.Error, flags, s.seq, data...)}
}

func attr(typ uint16, v []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(v)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, v...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func join(parts ...[]byte) reply {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return reply{b: b}
}

func requests(n int) []nl.Request {
	reqs := make([]nl.Request, n)
	for i := range reqs {
		reqs[i] = nl.Request{Type: 16, Data: []byte{byte(i), 0, 0}}
	}
	return reqs
}
