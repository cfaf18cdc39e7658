package state

import (
	"net/netip"
)

// Accept ends the base chain: the packet goes on to the next one.
func Accept() []Expr { return verdict("accept", "") }

// Drop ends the packet.
func Drop() []Expr { return verdict("drop", "") }

// Return goes back to the calling chain, or to the policy.
func Return() []Expr { return verdict("return", "") }

// Jump calls a chain.
func Jump(chain string) []Expr { return verdict("jump", chain) }

// Goto goes to a chain that does not come back.
func Goto(chain string) []Expr { return verdict("goto", chain) }

func verdict(kind, chain string) []Expr { return []Expr{{Verdict: &Verdict{Kind: kind, Chain: chain}}} }

// RejectWith answers and drops: "tcp reset", "icmp port-unreachable", "icmpx port-unreachable", "icmpx admin-prohibited" ...
// A TCP reset brings the match of TCP with it.
func RejectWith(with string) []Expr {
	r := []Expr{{Reject: &Reject{With: with}}}
	if with == "tcp reset" {
		return append(MetaIs("l4proto", ProtoValue("tcp")), r...)
	}
	return r
}

// Count counts what comes here.
func Count() []Expr { return []Expr{{Counter: &Counter{}}} }

// LogPrefix writes to the kernel's log.
func LogPrefix(prefix string) []Expr { return []Expr{{Log: &Log{Prefix: prefix}}} }

// LimitTo lets rate packets per unit ("second", "minute", "hour", "day", "week") pass, with nft's default burst of 5.
func LimitTo(rate uint64, unit string) []Expr {
	return []Expr{{Limit: &Limit{Rate: rate, Unit: unit, Burst: 5}}}
}

// SetMark is "meta mark set MARK".
func SetMark(mark uint32) []Expr {
	return []Expr{{SetValue: &SetValue{Target: MetaOf("mark"), Value: MarkValue(mark)}}}
}

// Masquerade rewrites the source to the address of the interface that the packet leaves by.
func Masquerade() []Expr { return []Expr{{NAT: &NAT{Kind: "masquerade"}}} }

// SNATTo rewrites the source address.
func SNATTo(a netip.Addr) []Expr { return nat("snat", a, PortRange{}) }

// DNATTo rewrites the destination address, and the port unless it is 0.
func DNATTo(a netip.Addr, port uint16) []Expr { return nat("dnat", a, OnePort(port)) }

func nat(kind string, a netip.Addr, ports PortRange) []Expr {
	v := AddrValue(a)
	n := NAT{Kind: kind, Family: ipName(v.Type == TypeIPv6), Addr: &v}
	if ports.First != 0 {
		p := PortValue(ports.First)
		n.Port = &p
	}
	return append(Family(v.Type == TypeIPv6), Expr{NAT: &n})
}

// DNATPorts is a whole rule's matching and acting part for a range of ports that is passed on to a range of the same size at a:
// DNATPorts("tcp", PortRange{8000, 8010}, web, 9000). The kernel's NAT cannot shift a range, therefore a shifted one becomes an
// anonymous map with one element per port.
func DNATPorts(proto string, ports PortRange, a netip.Addr, first uint16) []Expr {
	if ports.First == first {
		return append(Dport(proto, ports), nat("dnat", a, PortRange{})...)
	}
	if ports.First == ports.Last {
		return append(Dport(proto, ports), DNATTo(a, first)...)
	}
	v := AddrValue(a)
	s := Set{Constant: true, Key: []DataType{TypePort}, Data: []DataType{v.Type, TypePort}}
	for i := 0; i <= int(ports.Last-ports.First); i++ {
		from, to := int(ports.First)+i, int(first)+i
		s.Elements = append(s.Elements, MapElem([]Value{PortValue(uint16(from))}, v, PortValue(uint16(to))))
	}
	is6 := v.Type == TypeIPv6
	return append(append(Family(is6), Needs(proto)...),
		Expr{NAT: &NAT{Kind: "dnat", Family: ipName(is6), Map: &MapLookup{Keys: []Operand{PayloadOf(proto, "dport")}, Set: &s}}})
}

// DNATMap is "dnat ip to OPERAND [. OPERAND ...] map @NAME": the named map gives address and port. A packet whose key is not in the
// map goes on to the next rule.
func DNATMap(is6 bool, name string, operands ...Operand) []Expr {
	return append(append(Family(is6), needsOf(operands)...),
		Expr{NAT: &NAT{Kind: "dnat", Family: ipName(is6), Map: &MapLookup{Keys: operands, SetName: name}}})
}

// VMap is "OPERAND [. OPERAND ...] vmap @NAME".
func VMap(name string, operands ...Operand) []Expr {
	return append(needsOf(operands), Expr{VerdictMap: &VerdictMap{Keys: operands, SetName: name}})
}

// Priorities of base chains with a name (nft(8), "Standard priority names").
const (
	PriorityRaw    int32 = -300
	PriorityMangle int32 = -150
	PriorityDstNAT int32 = -100
	PriorityFilter int32 = 0
	PrioritySrcNAT int32 = 100
)

// BaseChain is a chain that the kernel calls. kind is "filter", "nat" or "route"; policy is "accept" or "drop".
func BaseChain(name, kind, hook string, priority int32, policy string, rules ...FirewallRule) Chain {
	return Chain{Name: name, Hook: &Hook{Type: kind, Hook: hook, Priority: priority, Policy: policy}, Rules: rules}
}

// SubChain is a chain that others jump to.
func SubChain(name string, rules ...FirewallRule) Chain { return Chain{Name: name, Rules: rules} }

// SetOf is a named set; interval allows ranges and prefixes among its elements.
func SetOf(name string, interval bool, key []DataType, elements ...Element) Set {
	return Set{Name: name, Key: key, Interval: interval, Elements: SortElements(elements)}
}

// MapOf is a named map.
func MapOf(name string, key, data []DataType, elements ...Element) Set {
	return Set{Name: name, Key: key, Data: data, Elements: SortElements(elements)}
}

// Elem is one key, several values for a concatenation.
func Elem(key ...Value) Element { return Element{Key: key} }

// MapElem is an element of a map.
func MapElem(key []Value, data ...Value) Element { return Element{Key: key, Data: data} }

// VMapElem is an element of a verdict map; chain is empty unless kind is "jump" or "goto".
func VMapElem(key []Value, kind, chain string) Element {
	return Element{Key: key, Verdict: &Verdict{Kind: kind, Chain: chain}}
}

// WithComment is the element with a comment (at most 127 bytes).
func (e Element) WithComment(comment string) Element {
	e.Comment = comment
	return e
}

// ElemRange is an interval of (concatenated) keys, both included. A field with one value stands in both.
func ElemRange(first, last []Value) Element { return Element{Key: first, KeyEnd: last} }

// ElemPrefix is the interval of a prefix, or the single address.
func ElemPrefix(p netip.Prefix) Element {
	first, last := AddrValue(p.Masked().Addr()), AddrValue(LastAddr(p))
	if first == last {
		return Elem(first)
	}
	return ElemRange([]Value{first}, []Value{last})
}

// ElemPorts is the interval of a range of ports, or the single port.
func ElemPorts(r PortRange) Element {
	if r.First == r.Last {
		return Elem(PortValue(r.First))
	}
	return ElemRange([]Value{PortValue(r.First)}, []Value{PortValue(r.Last)})
}

// ElemConcatPrefix is a key of an interval set whose last field is a prefix and whose other fields have one value: "eth0 . 10.0.0.0/24".
func ElemConcatPrefix(p netip.Prefix, before ...Value) Element {
	e := ElemPrefix(p)
	key := append(append([]Value(nil), before...), e.Key...)
	if e.KeyEnd == nil {
		return Elem(key...)
	}
	return ElemRange(key, append(append([]Value(nil), before...), e.KeyEnd...))
}
