package drops

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"warren/state"
)

// An Event is a packet that was dropped.
type Event struct {
	Time time.Time `json:"time"`
	// Cookie and Inode are of the network namespace; 0 = the packet belonged to none.
	Cookie uint64 `json:"cookie,omitempty"`
	Inode  uint32 `json:"inode,omitempty"`
	// Link is the device that the packet was on, where there was one.
	Link  string `json:"link,omitempty"`
	Index int    `json:"index,omitempty"`
	// Reason is the kernel's, from enum skb_drop_reason without its prefix: "NETFILTER_DROP", "NO_SOCKET", "NOT_SPECIFIED".
	Reason string `json:"reason"`
	// Function of the kernel that dropped it; "" where addresses are hidden.
	Function string `json:"function,omitempty"`
	Packet   Packet `json:"packet"`

	number   uint32
	location uint64
}

// A Packet is what the headers say.
type Packet struct {
	// EtherType in network order: 0x0800 IPv4, 0x0806 ARP, 0x86dd IPv6; 0 = none.
	EtherType uint16         `json:"ethertype"`
	Proto     uint8          `json:"proto,omitempty"` // of IP
	Src       netip.AddrPort `json:"src,omitzero"`    // port 0 where there are none
	Dst       netip.AddrPort `json:"dst,omitzero"`
	Type      uint8          `json:"type,omitempty"` // of ICMP
	Code      uint8          `json:"code,omitempty"`
	Length    int            `json:"length,omitempty"` // of the IP packet, bytes
	// Request of ARP, else an answer.
	Request bool `json:"request,omitempty"`
}

// EtherTypes (IEEE 802).
const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherIPv6 = 0x86dd
)

var errShort = errors.New("the record of a drop is too short")

func decode(b []byte) (Event, error) {
	if len(b) < recordSize {
		return Event{}, errShort
	}
	u64 := binary.NativeEndian.Uint64
	name, _, _ := bytes.Cut(b[atDevice:atPacket], []byte{0})
	e := Event{
		Time: time.Now(), Cookie: u64(b[atCookie:]), Inode: uint32(u64(b[atInode:])), Index: int(u64(b[atIndex:])), Link: string(name),
		number: uint32(u64(b[atReason:])), location: u64(b[atLocation:]),
	}
	e.Packet = parse(binary.BigEndian.Uint16(b[atProtocol:]), b[atPacket:recordSize])
	return e, nil
}

// parse reads headers from the network header on. What is cut off stays zero.
func parse(ether uint16, b []byte) Packet {
	p := Packet{EtherType: ether}
	var rest []byte
	var src, dst netip.Addr
	switch {
	case ether == etherIPv4 && len(b) >= 20 && b[0]>>4 == 4:
		src, dst = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
		p.Proto, p.Length = b[9], int(binary.BigEndian.Uint16(b[2:]))
		if n := int(b[0]&15) * 4; n >= 20 && n <= len(b) && binary.BigEndian.Uint16(b[6:])&0x1fff == 0 {
			rest = b[n:]
		}
	case ether == etherIPv6 && len(b) >= 40 && b[0]>>4 == 6:
		src, dst = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
		p.Proto, p.Length = b[6], 40+int(binary.BigEndian.Uint16(b[4:]))
		rest = b[40:]
		if p.Proto == 0 && len(rest) >= 8 && 8+8*int(rest[1]) <= len(rest) { // hop-by-hop options, as MLD has them
			p.Proto, rest = rest[0], rest[8+8*int(rest[1]):]
		}
	case ether == etherARP && len(b) >= 28:
		p.Src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[14:18])), 0)
		p.Dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[24:28])), 0)
		p.Request = binary.BigEndian.Uint16(b[6:]) == 1
		return p
	default:
		return p
	}
	var sport, dport uint16
	switch p.Proto {
	case 6, 17, 33, 132, 136:
		if len(rest) >= 4 {
			sport, dport = binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:])
		}
	case 1, 58:
		if len(rest) >= 2 {
			p.Type, p.Code = rest[0], rest[1]
		}
	}
	p.Src, p.Dst = netip.AddrPortFrom(src, sport), netip.AddrPortFrom(dst, dport)
	return p
}

// String is the packet in a line: "10.0.0.1:4711 > 10.0.0.2:80 tcp 60 bytes".
func (p Packet) String() string {
	switch {
	case !p.Src.Addr().IsValid():
		return fmt.Sprintf("ethertype %#04x", p.EtherType)
	case p.EtherType == etherARP && p.Request:
		return fmt.Sprintf("arp who has %s, asked by %s", p.Dst.Addr(), p.Src.Addr())
	case p.EtherType == etherARP:
		return fmt.Sprintf("arp answer of %s to %s", p.Src.Addr(), p.Dst.Addr())
	case p.Proto == 1 || p.Proto == 58:
		return fmt.Sprintf("%s > %s %s type %d code %d, %d bytes", p.Src.Addr(), p.Dst.Addr(), protoName(p.Proto), p.Type, p.Code, p.Length)
	case p.Src.Port() == 0 && p.Dst.Port() == 0:
		return fmt.Sprintf("%s > %s %s, %d bytes", p.Src.Addr(), p.Dst.Addr(), protoName(p.Proto), p.Length)
	}
	return fmt.Sprintf("%s > %s %s, %d bytes", p.Src, p.Dst, protoName(p.Proto), p.Length)
}

func protoName(n uint8) string {
	switch n {
	case 1:
		return "icmp"
	case 58:
		return "icmpv6"
	}
	if name := state.ProtoName(n); name != "" {
		return name
	}
	return fmt.Sprintf("protocol %d", n)
}
