package state

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// AddrValue is an IPv4 or IPv6 address. A v4-mapped address counts as IPv4.
func AddrValue(a netip.Addr) Value {
	a = a.Unmap()
	if a.Is4() {
		return Value{Type: TypeIPv4, Data: string(a.AsSlice())}
	}
	return Value{Type: TypeIPv6, Data: string(a.AsSlice())}
}

// PortValue is a port of TCP, UDP, SCTP ...
func PortValue(port uint16) Value {
	return Value{Type: TypePort, Data: string(binary.BigEndian.AppendUint16(nil, port))}
}

// IfnameValue is the whole name of an interface, padded as the kernel keeps it in a register.
func IfnameValue(name string) Value {
	b := make([]byte, MaxLinkName+1)
	copy(b[:MaxLinkName], name)
	return Value{Type: TypeIfname, Data: string(b)}
}

// IfnamePrefix is the beginning of an interface's name: nft's "veth*".
func IfnamePrefix(prefix string) Value { return Value{Type: TypeIfname, Data: prefix} }

// ProtoValue is a transport protocol by its name (see [ProtoNumber]). It panics on any other: names of protocols come
// from checked input.
func ProtoValue(name string) Value {
	n, ok := ProtoNumber(name)
	if !ok {
		panic(fmt.Sprintf("state: unknown protocol %q", name))
	}
	return ProtoNumberValue(n)
}

// ProtoNumberValue is a transport protocol by number.
func ProtoNumberValue(n uint8) Value { return Value{Type: TypeProto, Data: string([]byte{n})} }

// ProtoNumber is the number of a transport protocol that nft knows by name (IANA protocol numbers).
func ProtoNumber(name string) (n uint8, ok bool) {
	for _, p := range protoNames {
		if p.name == name {
			return p.number, true
		}
	}
	return 0, false
}

// ProtoName is the name that nft prints for a transport protocol, or "".
func ProtoName(n uint8) string {
	for _, p := range protoNames {
		if p.number == n {
			return p.name
		}
	}
	return ""
}

type protoName struct {
	name   string
	number uint8
}

// The second name of a number is only read, never printed.
var protoNames = [...]protoName{
	{"icmp", 1},
	{"igmp", 2},
	{"ipencap", 4},
	{"tcp", 6},
	{"udp", 17},
	{"dccp", 33},
	{"ipv6", 41},
	{"gre", 47},
	{"esp", 50},
	{"ah", 51},
	{"ipv6-icmp", 58},
	{"icmpv6", 58},
	{"ospf", 89},
	{"pim", 103},
	{"ipcomp", 108},
	{"comp", 108},
	{"vrrp", 112},
	{"l2tp", 115},
	{"sctp", 132},
	{"udplite", 136},
}

// NFProto values say which family a packet of an inet table has.
const (
	nfprotoIPv4 = 2
	nfprotoIPv6 = 10
)

// NFProtoValue is the network protocol of addresses such as a.
func NFProtoValue(is6 bool) Value {
	if is6 {
		return Value{Type: TypeNFProto, Data: string([]byte{nfprotoIPv6})}
	}
	return Value{Type: TypeNFProto, Data: string([]byte{nfprotoIPv4})}
}

// MarkValue is a packet's or a connection's mark.
func MarkValue(mark uint32) Value { return Value{Type: TypeMark, Data: native32(mark)} }

// IfindexValue is the index of an interface.
func IfindexValue(index uint32) Value { return Value{Type: TypeIfindex, Data: native32(index)} }

// EtherValue is a MAC address.
func EtherValue(mac [6]byte) Value { return Value{Type: TypeEther, Data: string(mac[:])} }

// FIBTypeValue is a route's type as fib gives it: "unspec", "unicast", "local", "broadcast", "anycast", "multicast",
// "blackhole", "unreachable", "prohibit". It panics on any other.
func FIBTypeValue(name string) Value {
	for i, n := range []string{"unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit"} {
		if n == name {
			return Value{Type: TypeFIBType, Data: native32(uint32(i))}
		}
	}
	panic(fmt.Sprintf("state: unknown fib type %q", name))
}

// CTStateBits is the set of connection states of these names: "invalid", "established", "related", "new", "untracked".
// It panics on any other.
func CTStateBits(names ...string) Value {
	return bits(TypeCTState, names, map[string]uint32{"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64})
}

// CTStatusBits is the set of conntrack status bits of these names: "expected", "seen-reply", "assured", "confirmed", "snat",
// "dnat", "dying". It panics on any other.
func CTStatusBits(names ...string) Value {
	return bits(TypeCTStatus, names, map[string]uint32{
		"expected": 1, "seen-reply": 2, "assured": 4, "confirmed": 8, "snat": 16, "dnat": 32, "dying": 512,
	})
}

func bits(t DataType, names []string, known map[string]uint32) Value {
	var sum uint32
	for _, n := range names {
		b, ok := known[n]
		if !ok {
			panic(fmt.Sprintf("state: unknown %s %q", t, n))
		}
		sum |= b
	}
	return Value{Type: t, Data: native32(sum)}
}

func native32(n uint32) string { return string(binary.NativeEndian.AppendUint32(nil, n)) }

// maskOf is the netmask of a prefix, as a value of the type of its address.
func maskOf(p netip.Prefix) Value {
	v := AddrValue(p.Addr())
	m := make([]byte, len(v.Data))
	for i := range p.Bits() {
		m[i/8] |= 0x80 >> (i % 8)
	}
	v.Data = string(m)
	return v
}

// LastAddr is the last address of a prefix.
func LastAddr(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
