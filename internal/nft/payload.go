package nft

import "warren/state"

// A field is a header field that nft knows by name.
type field struct {
	proto, name string
	base        uint32 // NFT_PAYLOAD_*
	off, len    uint32 // bits
	typ         state.DataType
}

// Bases of payload expressions (enum nft_payload_bases).
const (
	baseLL = iota
	baseNH
	baseTH
	baseIH
)

var baseNames = [...]string{"ll", "nh", "th", "ih"}

// fields holds the headers of nft(8), "Payload expressions", as far as they have fixed places. Where several fields lie at one place
// (icmp: sequence and mtu) the first is taken.
var fields = [...]field{
	{"ether", "daddr", baseLL, 0, 48, state.TypeEther},
	{"ether", "saddr", baseLL, 48, 48, state.TypeEther},
	{"ether", "type", baseLL, 96, 16, state.TypeEtherTyp},

	{"ip", "version", baseNH, 0, 4, state.TypeInteger},
	{"ip", "hdrlength", baseNH, 4, 4, state.TypeInteger},
	{"ip", "dscp", baseNH, 8, 6, typeDSCP},
	{"ip", "ecn", baseNH, 14, 2, "ecn"},
	{"ip", "length", baseNH, 16, 16, state.TypeInteger},
	{"ip", "id", baseNH, 32, 16, state.TypeInteger},
	{"ip", "frag-off", baseNH, 48, 16, state.TypeInteger},
	{"ip", "ttl", baseNH, 64, 8, state.TypeInteger},
	{"ip", "protocol", baseNH, 72, 8, state.TypeProto},
	{"ip", "checksum", baseNH, 80, 16, state.TypeInteger},
	{"ip", "saddr", baseNH, 96, 32, state.TypeIPv4},
	{"ip", "daddr", baseNH, 128, 32, state.TypeIPv4},

	{"ip6", "version", baseNH, 0, 4, state.TypeInteger},
	{"ip6", "length", baseNH, 32, 16, state.TypeInteger},
	{"ip6", "nexthdr", baseNH, 48, 8, state.TypeProto},
	{"ip6", "hoplimit", baseNH, 56, 8, state.TypeInteger},
	{"ip6", "saddr", baseNH, 64, 128, state.TypeIPv6},
	{"ip6", "daddr", baseNH, 192, 128, state.TypeIPv6},

	{"arp", "htype", baseNH, 0, 16, state.TypeInteger},
	{"arp", "ptype", baseNH, 16, 16, state.TypeEtherTyp},
	{"arp", "hlen", baseNH, 32, 8, state.TypeInteger},
	{"arp", "plen", baseNH, 40, 8, state.TypeInteger},
	{"arp", "operation", baseNH, 48, 16, "arp_op"},
	{"arp", "saddr ether", baseNH, 64, 48, state.TypeEther},
	{"arp", "saddr ip", baseNH, 112, 32, state.TypeIPv4},
	{"arp", "daddr ether", baseNH, 144, 48, state.TypeEther},
	{"arp", "daddr ip", baseNH, 192, 32, state.TypeIPv4},

	{"th", "sport", baseTH, 0, 16, state.TypePort},
	{"th", "dport", baseTH, 16, 16, state.TypePort},

	{"tcp", "sport", baseTH, 0, 16, state.TypePort},
	{"tcp", "dport", baseTH, 16, 16, state.TypePort},
	{"tcp", "sequence", baseTH, 32, 32, state.TypeInteger},
	{"tcp", "ackseq", baseTH, 64, 32, state.TypeInteger},
	{"tcp", "doff", baseTH, 96, 4, state.TypeInteger},
	{"tcp", "flags", baseTH, 104, 8, typeTCPFlag},
	{"tcp", "window", baseTH, 112, 16, state.TypeInteger},
	{"tcp", "checksum", baseTH, 128, 16, state.TypeInteger},
	{"tcp", "urgptr", baseTH, 144, 16, state.TypeInteger},

	{"udp", "sport", baseTH, 0, 16, state.TypePort},
	{"udp", "dport", baseTH, 16, 16, state.TypePort},
	{"udp", "length", baseTH, 32, 16, state.TypeInteger},
	{"udp", "checksum", baseTH, 48, 16, state.TypeInteger},
	{"udplite", "sport", baseTH, 0, 16, state.TypePort},
	{"udplite", "dport", baseTH, 16, 16, state.TypePort},
	{"udplite", "csumcov", baseTH, 32, 16, state.TypeInteger},
	{"udplite", "checksum", baseTH, 48, 16, state.TypeInteger},
	{"sctp", "sport", baseTH, 0, 16, state.TypePort},
	{"sctp", "dport", baseTH, 16, 16, state.TypePort},
	{"sctp", "vtag", baseTH, 32, 32, state.TypeInteger},
	{"sctp", "checksum", baseTH, 64, 32, state.TypeInteger},
	{"dccp", "sport", baseTH, 0, 16, state.TypePort},
	{"dccp", "dport", baseTH, 16, 16, state.TypePort},

	{"icmp", "type", baseTH, 0, 8, state.TypeICMP},
	{"icmp", "code", baseTH, 8, 8, "icmp_code"},
	{"icmp", "checksum", baseTH, 16, 16, state.TypeInteger},
	{"icmp", "id", baseTH, 32, 16, state.TypeInteger},
	{"icmp", "sequence", baseTH, 48, 16, state.TypeInteger},
	{"icmp", "gateway", baseTH, 32, 32, state.TypeInteger},
	{"icmpv6", "type", baseTH, 0, 8, state.TypeICMPv6},
	{"icmpv6", "code", baseTH, 8, 8, "icmpv6_code"},
	{"icmpv6", "checksum", baseTH, 16, 16, state.TypeInteger},
	{"icmpv6", "id", baseTH, 32, 16, state.TypeInteger},
	{"icmpv6", "sequence", baseTH, 48, 16, state.TypeInteger},
	{"icmpv6", "mtu", baseTH, 32, 32, state.TypeInteger},
	{"igmp", "type", baseTH, 0, 8, "igmp_type"},
	{"igmp", "checksum", baseTH, 16, 16, state.TypeInteger},
	{"igmp", "group", baseTH, 32, 32, state.TypeIPv4},
	{"ah", "nexthdr", baseTH, 0, 8, state.TypeProto},
	{"ah", "spi", baseTH, 32, 32, state.TypeInteger},
	{"ah", "sequence", baseTH, 64, 32, state.TypeInteger},
	{"esp", "spi", baseTH, 0, 32, state.TypeInteger},
	{"esp", "sequence", baseTH, 32, 32, state.TypeInteger},
	{"comp", "nexthdr", baseTH, 0, 8, state.TypeProto},
	{"comp", "cpi", baseTH, 16, 16, state.TypeInteger},
}

func fieldByName(p state.Payload) (field, bool) {
	for _, f := range fields {
		if f.proto == p.Protocol && f.name == p.Field {
			return f, true
		}
	}
	return field{}, false
}

// span is the field's whole bytes: offset and length in bytes.
func (f field) span() (off, length uint32) {
	first, end := f.off/8, (f.off+f.len+7)/8
	return first, end - first
}

// partial reports whether the field is less than its bytes.
func (f field) partial() bool { return f.off%8 != 0 || f.len%8 != 0 }

// mask is the field's bits in its (one) byte, shift how far its value is from the right.
func (f field) mask() (mask byte, shift uint) {
	shift = uint(8 - (f.off%8 + f.len))
	return byte((1<<f.len - 1) << shift), shift
}

// masked is the field as the byte that it lies in, without the others' bits.
func (f field) masked() state.Operand {
	mask, _ := f.mask()
	off, _ := f.span()
	return state.Operand{
		Raw:  &state.Raw{Base: baseNames[f.base], Offset: 8 * off, Length: 8},
		Mask: &state.Value{Type: state.TypeInteger, Data: string([]byte{mask})},
	}
}

// Known is what a rule's matches so far ensure about the packet: the name of the protocol of each layer, "" when not known.
type known struct {
	nh, th string
}

// newContext is what the table's family alone ensures.
func newKnown(family string) known {
	switch family {
	case "ip", "ip6", "arp":
		return known{nh: family}
	}
	return known{}
}

// learn takes note of a match that the packet has passed.
func (c *known) learn(m *state.Match) {
	if m.Value == nil || m.Op != "" && m.Op != "==" || len(m.Concat) > 0 || m.Left.Mask != nil || m.Left.Xor != nil {
		return
	}
	switch o := m.Left; {
	case o.Meta == "nfproto" && m.Value.Data == "\x02", isEtherType(o) && m.Value.Data == "\x08\x00":
		c.nh = "ip"
	case o.Meta == "nfproto" && m.Value.Data == "\x0a", isEtherType(o) && m.Value.Data == "\x86\xdd":
		c.nh = "ip6"
	case isEtherType(o) && m.Value.Data == "\x08\x06":
		c.nh = "arp"
	case isL4(o) && len(m.Value.Data) == 1:
		c.th = transportName(m.Value.Data[0])
	}
}

func isEtherType(o state.Operand) bool {
	return o.Meta == "protocol" || o.Payload != nil && *o.Payload == state.Payload{Protocol: "ether", Field: "type"}
}

// isL4 reports whether the operand is the transport protocol's number.
func isL4(o state.Operand) bool {
	return o.Meta == "l4proto" || o.Payload != nil && (*o.Payload == state.Payload{Protocol: "ip", Field: "protocol"} || *o.Payload == state.Payload{Protocol: "ip6", Field: "nexthdr"})
}

// transportName is the name under which the fields of a transport protocol are listed above.
func transportName(n uint8) string {
	switch n {
	case 58:
		return "icmpv6"
	case 108:
		return "comp"
	}
	return state.ProtoName(n)
}

// proto is the protocol that fields of that base belong to; "th" when the transport protocol is not known.
func (c known) proto(base uint32) string {
	switch base {
	case baseLL:
		return "ether"
	case baseNH:
		return c.nh
	case baseTH:
		if c.th == "" {
			return "th"
		}
		return c.th
	}
	return ""
}

// find is the field at that place (in bits), by the protocols that are known.
func (c known) find(base, off, length uint32) (field, bool) {
	proto := c.proto(base)
	for _, f := range fields {
		if f.base == base && f.proto == proto && f.off == off && f.len == length {
			return f, true
		}
	}
	return field{}, false
}

// knows reports whether what is known ensures that the packet has that field.
func (c known) knows(f field) bool {
	if f.proto == "th" {
		_, ok := fieldByName(state.Payload{Protocol: c.proto(baseTH), Field: f.name})
		return ok
	}
	return f.proto == c.proto(f.base)
}
