package state

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
)

// A DataType is nft's name of a type of data: it decides length, byte order and text form.
type DataType string

// Data types (nft(8), DATA TYPES).
const (
	TypeIPv4     DataType = "ipv4_addr"
	TypeIPv6     DataType = "ipv6_addr"
	TypeEther    DataType = "ether_addr"
	TypePort     DataType = "inet_service"
	TypeProto    DataType = "inet_proto"
	TypeNFProto  DataType = "nf_proto"
	TypeMark     DataType = "mark"
	TypeIfname   DataType = "ifname"
	TypeIfindex  DataType = "iface_index"
	TypeCTState  DataType = "ct_state"
	TypeCTStatus DataType = "ct_status"
	TypeCTDir    DataType = "ct_dir"
	TypeFIBType  DataType = "fib_addrtype"
	TypeICMP     DataType = "icmp_type"
	TypeICMPv6   DataType = "icmpv6_type"
	TypePktType  DataType = "pkt_type"
	TypeEtherTyp DataType = "ether_type"
	TypeInteger  DataType = "integer"
	TypeVerdict  DataType = "verdict"
)

// A Value is a constant in a rule or set: a type and the bytes as they stand in a register (network byte order for
// header fields, host byte order for marks, states and indexes, padded with zeros to IFNAMSIZ for interface names).
type Value struct {
	Type DataType
	Data string // raw bytes; a string, so that values compare with ==
}

// Bytes returns the raw bytes.
func (v Value) Bytes() []byte { return []byte(v.Data) }

// Compare orders values by type and bytes.
func (v Value) Compare(w Value) int {
	if c := strings.Compare(string(v.Type), string(w.Type)); c != 0 {
		return c
	}
	return bytes.Compare([]byte(v.Data), []byte(w.Data))
}

// MarshalText gives TYPE:HEX, which reads back exactly. The form for people is internal/nft's.
func (v Value) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%s:%s", v.Type, hex.EncodeToString([]byte(v.Data))), nil
}

// UnmarshalText reads what MarshalText wrote.
func (v *Value) UnmarshalText(b []byte) error {
	t, h, ok := strings.Cut(string(b), ":")
	if !ok {
		return fmt.Errorf("value %q: want TYPE:HEX", b)
	}
	d, err := hex.DecodeString(h)
	if err != nil {
		return fmt.Errorf("value %q: %w", b, err)
	}
	v.Type, v.Data = DataType(t), string(d)
	return nil
}
