package state

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// This file holds short constructors of firewall rules, one per phrase of nft(8). Each returns a list of expressions, because
// many phrases need a second one before them: "tcp dport 80" means nothing before the protocol is known to be TCP. Every
// constructor brings what it needs, and [RuleOf] drops what was already said:
//
//	RuleOf(IifIs("wan"), Dport("tcp", OnePort(80)), Accept())

// RuleOf makes a rule of its phrases, from left to right. A match that stands in it already is not repeated.
func RuleOf(phrases ...[]Expr) FirewallRule {
	var r FirewallRule
	for _, p := range phrases {
		for _, e := range p {
			if e.Match != nil && r.says(*e.Match) {
				continue
			}
			r.Exprs = append(r.Exprs, e)
		}
	}
	return r
}

// says reports whether the last thing that the rule says about what m compares is just that.
func (r FirewallRule) says(m Match) bool {
	if m.Value == nil || m.Left.Meta == "" || m.Left.Mask != nil {
		return false
	}
	for _, e := range slices.Backward(r.Exprs) {
		if x := e.Match; x != nil && x.Left.Meta == m.Left.Meta && x.Value != nil && x.Left.Mask == nil {
			return *x.Value == *m.Value && x.Op == m.Op
		}
	}
	return false
}

// WithComment is the rule with a comment (at most 127 bytes).
func (r FirewallRule) WithComment(comment string) FirewallRule {
	r.Comment = comment
	return r
}

// MetaOf reads "iifname", "oifname", "l4proto", "nfproto", "mark", "pkttype" ...
func MetaOf(key string) Operand { return Operand{Meta: key} }

// PayloadOf reads a header field: PayloadOf("ip", "saddr"). "th" stands for any protocol with ports.
func PayloadOf(protocol, field string) Operand {
	return Operand{Payload: &Payload{Protocol: protocol, Field: field}}
}

// CTOf reads conntrack: CTOf("state").
func CTOf(key string) Operand { return Operand{CT: &CT{Key: key}} }

// Saddr reads the source address of IPv4 or IPv6.
func Saddr(is6 bool) Operand { return PayloadOf(ipName(is6), "saddr") }

// Daddr reads the destination address of IPv4 or IPv6.
func Daddr(is6 bool) Operand { return PayloadOf(ipName(is6), "daddr") }

func ipName(is6 bool) string {
	if is6 {
		return "ip6"
	}
	return "ip"
}

// Is is "OPERAND VALUE".
func Is(o Operand, v Value) []Expr { return []Expr{{Match: &Match{Left: o, Value: &v}}} }

// IsNot is "OPERAND != VALUE".
func IsNot(o Operand, v Value) []Expr { return []Expr{{Match: &Match{Left: o, Op: "!=", Value: &v}}} }

// MetaIs is "meta KEY VALUE".
func MetaIs(key string, v Value) []Expr { return Is(MetaOf(key), v) }

// MetaIsNot is "meta KEY != VALUE".
func MetaIsNot(key string, v Value) []Expr { return IsNot(MetaOf(key), v) }

// PayloadIs is "PROTOCOL FIELD VALUE", with the match of the protocol before it where it has one.
func PayloadIs(protocol, field string, v Value) []Expr {
	return append(Needs(protocol), Is(PayloadOf(protocol, field), v)...)
}

// Needs is what must be known before a field of that protocol may be read in an inet table: the network protocol for "ip"
// and "ip6", the transport protocol for "tcp", "udp", "icmp" ...; nothing for "th" and "ether".
func Needs(protocol string) []Expr {
	switch protocol {
	case "ip":
		return Family(false)
	case "ip6":
		return Family(true)
	}
	if n, ok := ProtoNumber(protocol); ok {
		return MetaIs("l4proto", ProtoNumberValue(n))
	}
	return nil
}

// Family is "meta nfproto ipv4" or "ipv6".
func Family(is6 bool) []Expr { return MetaIs("nfproto", NFProtoValue(is6)) }

// IifIs is "iifname NAME".
func IifIs(name string) []Expr { return MetaIs("iifname", IfnameValue(name)) }

// IifNot is "iifname != NAME".
func IifNot(name string) []Expr { return MetaIsNot("iifname", IfnameValue(name)) }

// OifIs is "oifname NAME".
func OifIs(name string) []Expr { return MetaIs("oifname", IfnameValue(name)) }

// OifNot is "oifname != NAME".
func OifNot(name string) []Expr { return MetaIsNot("oifname", IfnameValue(name)) }

// IifOneOf is "iifname { A, B }"; with one name, [IifIs].
func IifOneOf(names ...string) []Expr { return ifOneOf("iifname", names) }

// OifOneOf is "oifname { A, B }"; with one name, [OifIs].
func OifOneOf(names ...string) []Expr { return ifOneOf("oifname", names) }

func ifOneOf(key string, names []string) []Expr {
	v := make([]Value, len(names))
	for i, n := range names {
		v[i] = IfnameValue(n)
	}
	return oneOf(MetaOf(key), v)
}

// ProtoOneOf is "meta l4proto tcp" or "meta l4proto { tcp, udp }".
func ProtoOneOf(names ...string) []Expr {
	v := make([]Value, len(names))
	for i, n := range names {
		v[i] = ProtoValue(n)
	}
	return oneOf(MetaOf("l4proto"), v)
}

func oneOf(o Operand, values []Value) []Expr {
	if len(values) == 1 {
		return Is(o, values[0])
	}
	s := Set{Constant: true}
	for _, v := range values {
		s.Key = []DataType{v.Type}
		s.Elements = append(s.Elements, Elem(v))
	}
	s.Elements = SortElements(s.Elements)
	return []Expr{{Match: &Match{Left: o, Set: &s}}}
}

// SaddrIn is "ip saddr PREFIX" or "ip saddr { PREFIX, ... }". All prefixes must be of one family and must not overlap.
func SaddrIn(prefixes ...netip.Prefix) []Expr { return addrIn("saddr", prefixes) }

// DaddrIn is "ip daddr PREFIX" or "ip daddr { PREFIX, ... }". All prefixes must be of one family and must not overlap.
func DaddrIn(prefixes ...netip.Prefix) []Expr { return addrIn("daddr", prefixes) }

// SaddrIs is "ip saddr ADDRESS".
func SaddrIs(a netip.Addr) []Expr {
	return addrIn("saddr", []netip.Prefix{netip.PrefixFrom(a, a.BitLen())})
}

// DaddrIs is "ip daddr ADDRESS".
func DaddrIs(a netip.Addr) []Expr {
	return addrIn("daddr", []netip.Prefix{netip.PrefixFrom(a, a.BitLen())})
}

func addrIn(field string, prefixes []netip.Prefix) []Expr {
	if len(prefixes) == 0 {
		panic("state: an address match without prefixes")
	}
	is6 := prefixes[0].Addr().Is6()
	for _, p := range prefixes {
		if !p.IsValid() || p.Addr().Is6() != is6 {
			panic(fmt.Sprintf("state: prefixes of several families in one match: %v", prefixes))
		}
	}
	o := PayloadOf(ipName(is6), field)
	if len(prefixes) > 1 {
		s := Set{Constant: true, Key: []DataType{AddrValue(prefixes[0].Addr()).Type}}
		for _, p := range prefixes {
			s.Elements = append(s.Elements, ElemPrefix(p))
			s.Interval = s.Interval || !p.IsSingleIP()
		}
		s.Elements = SortElements(s.Elements)
		return append(Family(is6), Expr{Match: &Match{Left: o, Set: &s}})
	}
	p := prefixes[0].Masked()
	if !p.IsSingleIP() {
		m := maskOf(p)
		o.Mask = &m
	}
	return append(Family(is6), Is(o, AddrValue(p.Addr()))...)
}

// A PortRange is a range of ports, both included.
type PortRange struct{ First, Last uint16 }

// OnePort is the range of one port.
func OnePort(p uint16) PortRange { return PortRange{p, p} }

// Dport is "PROTO dport 80", "PROTO dport 8000-8010" or "PROTO dport { ... }". The ranges must not overlap.
func Dport(proto string, ports ...PortRange) []Expr { return portIn(proto, "dport", ports) }

// Sport is Dport for the source.
func Sport(proto string, ports ...PortRange) []Expr { return portIn(proto, "sport", ports) }

func portIn(proto, field string, ports []PortRange) []Expr {
	o := PayloadOf(proto, field)
	m := Match{Left: o}
	switch {
	case len(ports) == 0:
		panic("state: a port match without ports")
	case len(ports) > 1:
		s := Set{Constant: true, Key: []DataType{TypePort}}
		for _, p := range ports {
			s.Elements = append(s.Elements, ElemPorts(p))
			s.Interval = s.Interval || p.First != p.Last
		}
		s.Elements = SortElements(s.Elements)
		m.Set = &s
	case ports[0].First == ports[0].Last:
		v := PortValue(ports[0].First)
		m.Value = &v
	default:
		m.Range = &[2]Value{PortValue(ports[0].First), PortValue(ports[0].Last)}
	}
	return append(Needs(proto), Expr{Match: &m})
}

// InSet is "OPERAND [. OPERAND ...] @NAME".
func InSet(name string, operands ...Operand) []Expr { return inSet("", name, operands) }

// NotInSet is "OPERAND [. OPERAND ...] != @NAME".
func NotInSet(name string, operands ...Operand) []Expr { return inSet("!=", name, operands) }

// inSet brings the family that addresses among the operands need.
func inSet(op, name string, operands []Operand) []Expr {
	m := Match{Left: operands[0], Op: op, SetName: name}
	if len(operands) > 1 {
		m.Concat = operands[1:]
	}
	return append(needsOf(operands), Expr{Match: &m})
}

func needsOf(operands []Operand) []Expr {
	var e []Expr
	for _, o := range operands {
		if o.Payload != nil {
			e = append(e, Needs(o.Payload.Protocol)...)
		}
	}
	return e
}

// CTState is "ct state A,B": one of the states.
func CTState(names ...string) []Expr { return anyBit("state", CTStateBits(names...)) }

// CTStatus is "ct status A,B": one of the bits, as "dnat".
func CTStatus(names ...string) []Expr { return anyBit("status", CTStatusBits(names...)) }

func anyBit(key string, mask Value) []Expr {
	o := CTOf(key)
	o.Mask = &mask
	return IsNot(o, Value{Type: mask.Type, Data: strings.Repeat("\x00", len(mask.Data))})
}

// FIBLocal is "fib daddr type local": the packet's destination is an address of this namespace.
func FIBLocal() []Expr {
	return Is(Operand{FIB: &FIB{Result: "type", Flags: []string{"daddr"}}}, FIBTypeValue("local"))
}

// NotFIBLocal is "fib daddr type != local".
func NotFIBLocal() []Expr {
	return IsNot(Operand{FIB: &FIB{Result: "type", Flags: []string{"daddr"}}}, FIBTypeValue("local"))
}
