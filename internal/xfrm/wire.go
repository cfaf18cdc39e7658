package xfrm

import (
	"encoding/binary"
	"net/netip"
)

// A BE16 is a number of 16 bits in network order.
type BE16 [2]byte

// Put16 makes a number for the wire.
func Put16(v uint16) (b BE16) {
	binary.BigEndian.PutUint16(b[:], v)
	return b
}

// Get is the number.
func (b BE16) Get() uint16 { return binary.BigEndian.Uint16(b[:]) }

// A BE32 is a number of 32 bits in network order.
type BE32 [4]byte

// Put32 makes a number for the wire.
func Put32(v uint32) (b BE32) {
	binary.BigEndian.PutUint32(b[:], v)
	return b
}

// Get is the number.
func (b BE32) Get() uint32 { return binary.BigEndian.Uint32(b[:]) }

// An Address is one of either family (xfrm_address_t), an IPv4 one in its first four bytes. The family is told elsewhere.
type Address [16]byte

// MakeAddress is an address for the wire; the zero value for one that is not valid.
func MakeAddress(a netip.Addr) (x Address) {
	if a.IsValid() {
		copy(x[:], a.AsSlice())
	}
	return x
}

// Addr is the address of that family (AF_INET or AF_INET6), not valid for any other one.
func (x Address) Addr(family uint16) netip.Addr {
	switch family {
	case familyIPv4:
		return netip.AddrFrom4([4]byte(x[:4]))
	case familyIPv6:
		return netip.AddrFrom16(x)
	}
	return netip.Addr{}
}

// Families of addresses (AF_INET, AF_INET6).
const (
	familyIPv4 = 2
	familyIPv6 = 10
)

// Within reports whether two addresses agree in their first bits, at most 128.
func (x Address) Within(y Address, bits int) bool {
	bits = min(bits, 8*len(x))
	for i := 0; i < bits; i += 8 {
		mask := byte(0xff)
		if left := bits - i; left < 8 {
			mask <<= 8 - left
		}
		if (x[i/8]^y[i/8])&mask != 0 {
			return false
		}
	}
	return true
}

// A Layout is a value whose bytes the header fixes.
type Layout interface {
	Selector | ID | Used | Stats | State | StateID | Expire | SPIRange | AddressFilter | Policy | PolicyID | PolicyExpire | Template | Acquire | Event | Mapping |
		Report | Encap | Mark | Replay | ReplayESN | Offload | Lifetime | Algorithm | AlgorithmAEAD | AlgorithmTruncated | Context | PolicyType |
		Flush | HashCount | PolicyCount | Thresholds | DefaultPolicies
}

// Size is how many bytes a value takes.
func Size[T Layout]() int {
	var v T
	return binary.Size(v)
}

// Append appends a value's bytes.
func Append[T Layout](b []byte, v T) []byte {
	b, err := binary.Append(b, binary.NativeEndian, v)
	if err != nil {
		panic(err) // a layout has a size
	}
	return b
}

// Decode reads a value from the start of b; ok is false when b is too short.
func Decode[T Layout](b []byte) (v T, ok bool) {
	_, err := binary.Decode(b, binary.NativeEndian, &v)
	return v, err == nil
}
