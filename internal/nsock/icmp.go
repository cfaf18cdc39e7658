package nsock

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// A Notice is an ICMP error about a packet of a socket.
type Notice struct {
	V6         bool // of ICMPv6
	Type, Code byte
	MTU        uint32     // of the next hop, bytes; 0 = not said
	From       netip.Addr // who says it; zero = not known
}

// sizeofExtendedErr is the size of struct sock_extended_err (linux/errqueue.h); the offender's address follows.
const sizeofExtendedErr = 16

// ParseNotice reads a control message of the error queue (ip(7), IP_RECVERR). ok is false for one that is not of ICMP.
func ParseNotice(m unix.SocketControlMessage) (n Notice, ok bool) {
	v4 := m.Header.Level == unix.SOL_IP && m.Header.Type == unix.IP_RECVERR
	v6 := m.Header.Level == unix.SOL_IPV6 && m.Header.Type == unix.IPV6_RECVERR
	if !v4 && !v6 || len(m.Data) < sizeofExtendedErr {
		return Notice{}, false
	}
	origin := m.Data[4]
	if origin != unix.SO_EE_ORIGIN_ICMP && origin != unix.SO_EE_ORIGIN_ICMP6 {
		return Notice{}, false
	}
	n = Notice{V6: origin == unix.SO_EE_ORIGIN_ICMP6, Type: m.Data[5], Code: m.Data[6], MTU: binary.NativeEndian.Uint32(m.Data[8:12])}
	addr := m.Data[sizeofExtendedErr:]
	switch {
	case v4 && len(addr) >= 8:
		n.From = netip.AddrFrom4([4]byte(addr[4:8]))
	case v6 && len(addr) >= 24:
		n.From = netip.AddrFrom16([16]byte(addr[8:24])).Unmap()
	}
	return n, true
}

// Checksum is the Internet's (RFC 1071).
func Checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
