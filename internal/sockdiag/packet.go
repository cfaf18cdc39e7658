package sockdiag

import (
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// PacketRequest asks for all packet sockets and all that is known of them (struct packet_diag_req).
func PacketRequest() nl.Request {
	const info, multicast, rings, fanout, buffers, filter = 1, 2, 4, 8, 16, 32
	b := []byte{unix.AF_PACKET, 0, 0, 0}
	b = native.AppendUint32(b, 0)
	b = native.AppendUint32(b, info|rings|fanout|buffers|filter)
	return nl.Request{Type: byFamily, Data: appendCookie(b, cookieNone)}
}

// A PacketInfo is struct packet_diag_info.
type PacketInfo struct {
	Link, Version, Reserve, CopyThreshold, Timestamp uint32
	Flags                                            uint32
}

// Flags of a packet socket (PDI_*).
const (
	PacketRunning = 1 << iota
	PacketAuxdata
	PacketOrigdev
	PacketVnethdr
	PacketLoss
)

// A Ring is struct packet_diag_ring.
type Ring struct{ BlockSize, Blocks, FrameSize, Frames, Timeout, Private, Features uint32 }

// A Packet is a packet socket (packet(7); struct packet_diag_msg and its attributes).
type Packet struct {
	Type     uint8 // unix.SOCK_RAW or unix.SOCK_DGRAM
	Protocol uint16
	Inode    uint32
	Cookie   uint64
	Info     *PacketInfo
	RX, TX   *Ring
	Fanout   *uint32
	UID      *uint32
	Buffers  *Buffers
	Filter   []byte // struct sock_filter, one after the other
}

// Attributes (enum in linux/packet_diag.h).
const (
	packetInfo = iota
	packetMulticast
	packetRX
	packetTX
	packetFanout
	packetUID
	packetBuffers
	packetFilter
)

const packetLen = 16

// DecodePacket reads the data of a reply.
func DecodePacket(data []byte) (Packet, error) {
	if len(data) < packetLen {
		return Packet{}, short("packet socket", len(data), packetLen)
	}
	a := rtnl.ParseAttrs(data[packetLen:])
	s := Packet{
		Type: data[1], Protocol: native.Uint16(data[2:]), Inode: native.Uint32(data[4:]), Cookie: cookie(data[8:]),
		RX: decodeRing(a.Bytes(packetRX)), TX: decodeRing(a.Bytes(packetTX)),
		Fanout: optU32(a, packetFanout), UID: optU32(a, packetUID), Buffers: decodeBuffers(a, packetBuffers), Filter: some(a, packetFilter),
	}
	if b := a.Bytes(packetInfo); len(b) >= 24 {
		w := numbers(b[:24])
		s.Info = &PacketInfo{w[0], w[1], w[2], w[3], w[4], w[5]}
	}
	return s, nil
}

// Encode is the inverse of [DecodePacket].
func (s *Packet) Encode() []byte {
	b := native.AppendUint16([]byte{unix.AF_PACKET, s.Type}, s.Protocol)
	b = native.AppendUint32(b, s.Inode)
	e := encoder{appendCookie(b, s.Cookie)}
	if i := s.Info; i != nil {
		e.words(packetInfo, i.Link, i.Version, i.Reserve, i.CopyThreshold, i.Timestamp, i.Flags)
	}
	s.RX.encode(&e, packetRX)
	s.TX.encode(&e, packetTX)
	e.u32p(packetFanout, s.Fanout)
	e.u32p(packetUID, s.UID)
	s.Buffers.encode(&e, packetBuffers)
	if len(s.Filter) > 0 {
		e.bytes(packetFilter, s.Filter)
	}
	return e.b
}

func decodeRing(b []byte) *Ring {
	if len(b) < 28 {
		return nil
	}
	w := numbers(b[:28])
	return &Ring{w[0], w[1], w[2], w[3], w[4], w[5], w[6]}
}

func (r *Ring) encode(e *encoder, typ uint16) {
	if r != nil {
		e.words(typ, r.BlockSize, r.Blocks, r.FrameSize, r.Frames, r.Timeout, r.Private, r.Features)
	}
}
