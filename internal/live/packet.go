package live

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Protocols of IP.
const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58
)

// A tuple says to which exchange a packet belongs. Of an echo both ports are its id.
type tuple struct {
	proto    uint8
	src, dst netip.AddrPort
}

func (t tuple) reverse() tuple { return tuple{t.proto, t.dst, t.src} }

func (t tuple) String() string {
	switch t.proto {
	case protoICMP, protoICMPv6:
		return fmt.Sprintf("%s > %s icmp", t.src.Addr(), t.dst.Addr())
	case protoTCP:
		return fmt.Sprintf("%s > %s tcp", t.src, t.dst)
	case protoUDP:
		return fmt.Sprintf("%s > %s udp", t.src, t.dst)
	}
	return fmt.Sprintf("%s > %s protocol %d", t.src.Addr(), t.dst.Addr(), t.proto)
}

// A packet is what the headers say, from the network header on.
type packet struct {
	tuple
	typ, code uint8 // of ICMP
	reset     bool  // of TCP
	length    int   // of the IP packet, bytes
	// mark is what no router changes: it tells whether two sightings of different addresses are of one packet.
	mark packetMark
	// quoted is the packet that an ICMP error is about.
	quoted *tuple
}

type packetMark struct {
	proto  uint8
	length int
	word   uint64
}

// Where things are in a header.
const (
	header4 = 20
	header6 = 40
)

// parse reads a packet from its network header on. What is cut off stays zero; false = it is no IP packet with a transport
// header behind it.
func parse(b []byte) (packet, bool) {
	p, rest, ok := parseIP(b)
	if !ok {
		return p, false
	}
	p.mark = packetMark{proto: p.proto, length: p.length}
	switch p.proto {
	case protoTCP, protoUDP:
		if len(rest) < 4 {
			return p, false
		}
		p.src = netip.AddrPortFrom(p.src.Addr(), binary.BigEndian.Uint16(rest))
		p.dst = netip.AddrPortFrom(p.dst.Addr(), binary.BigEndian.Uint16(rest[2:]))
		switch {
		case p.proto == protoTCP && len(rest) >= 14: // sequence number, flags
			p.mark.word = uint64(binary.BigEndian.Uint32(rest[4:]))<<8 | uint64(rest[13])
			p.reset = rest[13]&4 != 0
		case p.proto == protoUDP && len(rest) >= 16: // the payload's beginning
			p.mark.word = binary.BigEndian.Uint64(rest[8:])
		}
	case protoICMP, protoICMPv6:
		if len(rest) < 8 {
			return p, false
		}
		p.typ, p.code = rest[0], rest[1]
		if isError(p.proto, p.typ) {
			if inner, _, ok := parseIP(rest[8:]); ok {
				t := inner.tuple
				q := rest[8+ipHeader(rest[8:]):]
				switch {
				case (t.proto == protoTCP || t.proto == protoUDP) && len(q) >= 4:
					t.src = netip.AddrPortFrom(t.src.Addr(), binary.BigEndian.Uint16(q))
					t.dst = netip.AddrPortFrom(t.dst.Addr(), binary.BigEndian.Uint16(q[2:]))
				case (t.proto == protoICMP || t.proto == protoICMPv6) && len(q) >= 6:
					id := binary.BigEndian.Uint16(q[4:])
					t.src, t.dst = netip.AddrPortFrom(t.src.Addr(), id), netip.AddrPortFrom(t.dst.Addr(), id)
				}
				p.quoted = &t
			}
			return p, true
		}
		id := binary.BigEndian.Uint16(rest[4:])
		p.src, p.dst = netip.AddrPortFrom(p.src.Addr(), id), netip.AddrPortFrom(p.dst.Addr(), id)
		p.mark.word = uint64(p.typ)<<16 | uint64(binary.BigEndian.Uint16(rest[6:])) // the sequence number
		if len(rest) >= 16 {
			p.mark.word ^= binary.BigEndian.Uint64(rest[8:])
		}
	default:
		return p, false
	}
	return p, true
}

// ipHeader is the length of the IP header that b starts with; 0 = there is none.
func ipHeader(b []byte) int {
	switch {
	case len(b) >= header4 && b[0]>>4 == 4 && b[0]&15 >= 5 && int(b[0]&15)*4 <= len(b):
		return int(b[0]&15) * 4
	case len(b) >= header6 && b[0]>>4 == 6:
		return header6
	}
	return 0
}

// parseIP reads the network header. Later fragments have no transport header: they are none.
func parseIP(b []byte) (p packet, rest []byte, ok bool) {
	n := ipHeader(b)
	switch n {
	case 0:
		return p, nil, false
	case header6:
		if b[0]>>4 == 6 {
			p.src = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])), 0)
			p.dst = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[24:40])), 0)
			p.proto, p.length = b[6], header6+int(binary.BigEndian.Uint16(b[4:]))
			return p, b[n:], true
		}
	}
	if binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
		return p, nil, false
	}
	p.src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:16])), 0)
	p.dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:20])), 0)
	p.proto, p.length = b[9], int(binary.BigEndian.Uint16(b[2:]))
	return p, b[n:], true
}

// isError reports an ICMP message that quotes the packet it is about (RFC 792, RFC 4443).
func isError(proto, typ uint8) bool {
	if proto == protoICMPv6 {
		return typ >= 1 && typ <= 4
	}
	return typ == 3 || typ == 5 || typ == 11 || typ == 12
}
