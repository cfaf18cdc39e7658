package nft

import (
	"encoding/binary"
	"slices"

	"warren/state"
)

// A dataType is what is known of one of nft's types of data.
type dataType struct {
	name state.DataType
	id   uint32 // nft's number of the type, which a set carries for user space
	size int    // bytes; 0 = as the operand or the set says
	host bool   // host byte order: a range of it must be compared in network order
}

// dataTypes is nft's list (nft's include/datatype.h, enum datatypes). A set's key type is the concatenation of these numbers, six bits each.
var dataTypes = [...]dataType{
	{state.TypeVerdict, 1, 0, true},
	{state.TypeNFProto, 2, 1, true},
	{"bitmask", 3, 0, false},
	{state.TypeInteger, 4, 0, false},
	{"string", 5, 0, true},
	{"ll_addr", 6, 0, false},
	{state.TypeIPv4, 7, 4, false},
	{state.TypeIPv6, 8, 16, false},
	{state.TypeEther, 9, 6, false},
	{state.TypeEtherTyp, 10, 2, false},
	{"arp_op", 11, 2, false},
	{state.TypeProto, 12, 1, false},
	{state.TypePort, 13, 2, false},
	{state.TypeICMP, 14, 1, false},
	{typeTCPFlag, 15, 1, false},
	{"dccp_pkttype", 16, 1, false},
	{"mh_type", 17, 1, false},
	{"time", 18, 8, true},
	{state.TypeMark, 19, 4, true},
	{state.TypeIfindex, 20, 4, true},
	{"iface_type", 21, 2, true},
	{"realm", 22, 4, true},
	{"classid", 23, 4, true},
	{typeUID, 24, 4, true},
	{typeGID, 25, 4, true},
	{state.TypeCTState, 26, 4, true},
	{state.TypeCTDir, 27, 1, true},
	{state.TypeCTStatus, 28, 4, true},
	{state.TypeICMPv6, 29, 1, false},
	{"ct_label", 30, 16, true},
	{state.TypePktType, 31, 1, true},
	{"icmp_code", 32, 1, false},
	{"icmpv6_code", 33, 1, false},
	{"icmpx_code", 34, 1, false},
	{"devgroup", 35, 4, true},
	{typeDSCP, 36, 1, false},
	{"ecn", 37, 1, false},
	{state.TypeFIBType, 38, 4, true},
	{typeBoolean, 39, 1, true},
	{"ct_event", 40, 4, true},
	{state.TypeIfname, 41, 16, true},
	{"igmp_type", 42, 1, false},
	{"time", 43, 8, true},
	{"hour", 44, 4, true},
	{"day", 45, 1, true},
	{"cgroupsv2", 46, 8, true},
}

// Types that only this package names.
const (
	typeTCPFlag state.DataType = "tcp_flag"
	typeDSCP    state.DataType = "dscp"
	typeUID     state.DataType = "uid"
	typeGID     state.DataType = "gid"
	typeBoolean state.DataType = "boolean"
	typeBitmask state.DataType = "bitmask"
	// typeHostInt is an integer in host byte order ("meta cpu"); nft calls both "integer".
	typeHostInt state.DataType = "host_integer"
)

// verdictType is what the kernel has for "a verdict" as a map's data type (NFT_DATA_VERDICT).
const verdictType = 0xffffff00

func typeByName(name state.DataType) (dataType, bool) {
	if name == typeHostInt {
		return dataType{name: name, id: 4, host: true}, true
	}
	i := slices.IndexFunc(dataTypes[:], func(t dataType) bool { return t.name == name })
	if i < 0 {
		return dataType{}, false
	}
	return dataTypes[i], true
}

func typeByID(id uint32) (dataType, bool) {
	i := slices.IndexFunc(dataTypes[:], func(t dataType) bool { return t.id == id })
	if i < 0 {
		return dataType{}, false
	}
	return dataTypes[i], true
}

// isHost reports whether values of the type stand in host byte order.
func isHost(name state.DataType) bool {
	t, _ := typeByName(name)
	return t.host
}

// sizeOf is the length of values of the type, 0 when only the operand knows.
func sizeOf(name state.DataType) int {
	t, _ := typeByName(name)
	return t.size
}

// keyType packs a concatenation of types: six bits each, the first one highest.
func keyType(types []state.DataType) (uint32, bool) {
	if len(types) > 5 {
		return 0, false
	}
	var n uint32
	for _, name := range types {
		t, ok := typeByName(name)
		if !ok {
			return 0, false
		}
		n = n<<6 | t.id
	}
	return n, true
}

// unpackKeyType is keyType's inverse; an unknown number is an integer.
func unpackKeyType(n uint32) []state.DataType {
	var types []state.DataType
	for ; n != 0; n >>= 6 {
		t, ok := typeByID(n & 0x3f)
		if !ok {
			t.name = state.TypeInteger
		}
		types = append(types, t.name)
	}
	slices.Reverse(types)
	return types
}

// pad4 is n rounded up to whole 32-bit registers: so much room a field of a concatenation takes.
func pad4(n int) int { return (n + 3) &^ 3 }

// swapped turns a number of 2, 4 or 8 bytes around when this machine is little endian: host order to network order and back.
func swapped(b []byte) []byte {
	b = slices.Clone(b)
	if binary.NativeEndian.Uint16([]byte{0, 1}) != 1 {
		slices.Reverse(b)
	}
	return b
}

// swaps reports whether an ordered comparison of the type needs network order first.
func swaps(name state.DataType, size int) bool {
	return isHost(name) && name != state.TypeIfname && name != "string" && (size == 2 || size == 4 || size == 8)
}
