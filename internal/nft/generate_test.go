package nft_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"pgregory.net/rapid"

	. "warren/state" //nolint:revive // rules read as phrases
)

// genTable draws any table within the model that the kernel accepts: sets and maps of all shapes, base chains of each hook, and rules that
// use them.
func genTable(t *rapid.T) Table {
	g := gen{t}
	table := Table{Family: "inet", Name: g.name("table"), Comment: g.comment()}
	table.Flags = uint32(g.n("dormant", 2))
	for i := range g.n("sets", 4) {
		table.Sets = append(table.Sets, g.namedSet(fmt.Sprintf("s%d", i)))
	}
	sub := SubChain("sub")
	for range g.n("rules", 3) {
		sub.Rules = append(sub.Rules, g.rule("", nil))
	}
	table.Chains = []Chain{sub}
	for i, h := range []Hook{
		{Type: "filter", Hook: "input"},
		{Type: "filter", Hook: "forward", Policy: "drop"},
		{Type: "nat", Hook: "prerouting"},
		{Type: "nat", Hook: "postrouting"},
		{Type: "filter", Hook: "prerouting"},
	} {
		if !rapid.Bool().Draw(t, "chain") {
			continue
		}
		h.Priority = rapid.Int32Range(-190, 400).Draw(t, "priority") // nat chains start above -200
		c := Chain{Name: fmt.Sprintf("c%d", i), Hook: &h, Comment: g.comment()}
		for range g.n("rules", 4) {
			c.Rules = append(c.Rules, g.rule(h.Type+" "+h.Hook, table.Sets))
		}
		table.Chains = append(table.Chains, c)
	}
	return table
}

type gen struct{ *rapid.T }

// n is a number below limit.
func (g gen) n(label string, limit int) int { return rapid.IntRange(0, limit-1).Draw(g.T, label) }

func (g gen) name(label string) string {
	return rapid.StringMatching(`[a-z][a-z0-9_]{0,8}`).Draw(g.T, label)
}

func (g gen) comment() string {
	return rapid.OneOf(rapid.Just(""), rapid.StringMatching(`[ -!#-~]{1,127}`)).Draw(g.T, "comment")
}

func (g gen) pick(label string, list ...string) string {
	return rapid.SampledFrom(list).Draw(g.T, label)
}

func (g gen) bytes(n int) string {
	return string(rapid.SliceOfN(rapid.Byte(), n, n).Draw(g.T, "bytes"))
}

func (g gen) addr(is6 bool) netip.Addr {
	n := 4
	if is6 {
		n = 16
	}
	a, _ := netip.AddrFromSlice([]byte(g.bytes(n)))
	return a
}

func (g gen) prefix(is6 bool) netip.Prefix {
	a := g.addr(is6)
	return netip.PrefixFrom(a, rapid.IntRange(1, a.BitLen()).Draw(g.T, "bits")).Masked()
}

func (g gen) port() uint16 { return rapid.Uint16Min(1).Draw(g.T, "port") }

func (g gen) ports() PortRange {
	a, b := g.port(), g.port()
	return PortRange{First: min(a, b), Last: max(a, b)}
}

func (g gen) value(typ DataType) Value {
	switch typ {
	case TypeIPv4:
		return Value{Type: typ, Data: g.bytes(4)}
	case TypeIPv6:
		return Value{Type: typ, Data: g.bytes(16)}
	case TypeEther:
		return Value{Type: typ, Data: g.bytes(6)}
	case TypePort:
		return PortValue(g.port())
	case TypeProto:
		return ProtoValue(g.pick("proto", "tcp", "udp", "sctp"))
	case TypeIfname:
		return IfnameValue(g.name("ifname"))
	default:
		return MarkValue(rapid.Uint32().Draw(g.T, "mark"))
	}
}

func (g gen) namedSet(name string) Set {
	types := []DataType{TypeIPv4, TypeIPv6, TypePort, TypeProto, TypeIfname, TypeMark, TypeEther}
	s := Set{Name: name, Comment: g.comment(), Interval: rapid.Bool().Draw(g.T, "interval")}
	s.Key = rapid.SliceOfN(rapid.SampledFrom(types), 1, 3).Draw(g.T, "key")
	if s.Interval && len(s.Key) == 1 && !slices.Contains([]DataType{TypeIPv4, TypeIPv6, TypePort, TypeMark}, s.Key[0]) {
		s.Key[0] = TypePort
	}
	switch g.n("map", 3) {
	case 1:
		s.Data = rapid.SliceOfN(rapid.SampledFrom(types), 1, 2).Draw(g.T, "data")
	case 2:
		s.Data = []DataType{TypeVerdict}
	}
	s.Elements = g.elements(s)
	return s
}

// elements draws keys that do not overlap: intervals of one field lie between sorted bounds, those of several differ in the first field.
func (g gen) elements(s Set) []Element {
	var list []Element
	add := func(e Element) {
		e.Comment = g.comment()
		if len(s.Data) > 0 && s.Data[0] == TypeVerdict {
			e.Verdict = &Verdict{Kind: g.pick("verdict", "accept", "drop", "return", "continue")}
		} else {
			for _, d := range s.Data {
				e.Data = append(e.Data, g.value(d))
			}
		}
		list = append(list, e)
	}
	if s.Interval && len(s.Key) == 1 {
		bounds := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Value { return gen{t}.value(s.Key[0]) }), 0, 8, rapid.ID[Value]).Draw(g.T, "bounds")
		slices.SortFunc(bounds, func(a, b Value) int { return slices.Compare(ordered(a), ordered(b)) })
		for i := 0; i+1 < len(bounds); i += 2 {
			if rapid.Bool().Draw(g.T, "single") {
				add(Elem(bounds[i]))
			} else {
				add(ElemRange(bounds[i:i+1], bounds[i+1:i+2]))
			}
		}
		return list
	}
	first := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Value { return gen{t}.value(s.Key[0]) }), 0, 3, rapid.ID[Value]).Draw(g.T, "first")
	for _, v := range first {
		key, end := []Value{v}, []Value{v}
		for _, t := range s.Key[1:] {
			a, b := g.value(t), g.value(t)
			if !s.Interval || t == TypeIfname || t == TypeMark || slices.Compare(ordered(a), ordered(b)) > 0 {
				b = a
			}
			key, end = append(key, a), append(end, b)
		}
		e := Elem(key...)
		if !slices.Equal(key, end) {
			e.KeyEnd = end
		}
		add(e)
	}
	return list
}

// ordered is the value in the order in which the kernel compares it.
func ordered(v Value) []byte {
	b := v.Bytes()
	if v.Type == TypeMark {
		return binary.BigEndian.AppendUint32(nil, binary.NativeEndian.Uint32(b))
	}
	return b
}

// rule draws a rule for a chain of that type and hook ("" = one that is called).
func (g gen) rule(where string, sets []Set) FirewallRule {
	var phrases [][]Expr
	for range g.n("matches", 4) {
		phrases = append(phrases, g.match(sets))
	}
	for range g.n("actions", 2) {
		phrases = append(phrases, g.side())
	}
	phrases = append(phrases, g.end(where))
	return RuleOf(phrases...).WithComment(g.comment())
}

func (g gen) match(sets []Set) []Expr {
	is6 := rapid.Bool().Draw(g.T, "is6")
	op := g.pick("op", "", "!=")
	with := func(e []Expr) []Expr {
		e[len(e)-1].Match.Op = op
		return e
	}
	switch g.n("kind", 15) {
	case 0:
		return with(SaddrIn(g.prefix(is6)))
	case 1:
		p := g.prefix(is6)
		if p.Contains(netip.IPv6Loopback()) || p.Contains(netip.AddrFrom4([4]byte{127, 0, 0, 1})) {
			return with(DaddrIn(p))
		}
		lo := netip.IPv6Loopback()
		if !is6 {
			lo = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		return with(DaddrIn(p, netip.PrefixFrom(lo, lo.BitLen())))
	case 2:
		return with(IifOneOf(rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,15}`), 1, 3, rapid.ID[string]).Draw(g.T, "names")...))
	case 3:
		return with(MetaIs("oifname", IfnamePrefix(g.name("prefix"))))
	case 4:
		return with(Dport("tcp", g.ports()))
	case 5:
		return Sport("udp", OnePort(g.port()))
	case 6:
		return CTState(rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"new", "established", "related", "invalid", "untracked"}), 1, 3, rapid.ID[string]).Draw(g.T, "states")...)
	case 7:
		return CTStatus("dnat", "snat")
	case 8:
		return with(FIBLocal())
	case 9:
		return with(ProtoOneOf("tcp", "udp"))
	case 10:
		a, b := g.value(TypeMark), g.value(TypeMark)
		if slices.Compare(ordered(a), ordered(b)) > 0 {
			a, b = b, a
		}
		return []Expr{{Match: &Match{Left: MetaOf("mark"), Op: op, Range: &[2]Value{a, b}}}}
	case 11:
		v := g.value(TypeMark)
		return []Expr{{Match: &Match{Left: CTOf("mark"), Op: g.pick("order", "<", "<=", ">", "", "!="), Value: &v}}}
	case 12:
		return PayloadIs("ip", "dscp", Value{Type: "dscp", Data: string([]byte{byte(g.n("dscp", 64))})})
	case 13:
		v := MarkValue(rapid.Uint32().Draw(g.T, "value"))
		o := MetaOf("mark")
		o.Mask = &Value{Type: TypeMark, Data: g.bytes(4)}
		return []Expr{{Match: &Match{Left: o, Op: op, Value: &v}}}
	}
	return g.lookup(sets, op)
}

// lookup uses one of the named sets, if there is one without data and with a key that can be read.
func (g gen) lookup(sets []Set, op string) []Expr {
	for _, s := range sets {
		var o []Operand
		for _, k := range s.Key {
			switch k {
			case TypeIPv4:
				o = append(o, Saddr(false))
			case TypeIfname:
				o = append(o, MetaOf(g.pick("if", "iifname", "oifname")))
			case TypeMark:
				o = append(o, MetaOf("mark"))
			case TypePort:
				o = append(o, PayloadOf("th", "dport"))
			case TypeProto:
				o = append(o, MetaOf("l4proto"))
			}
		}
		if len(o) != len(s.Key) || rapid.Bool().Draw(g.T, "next") {
			continue
		}
		switch {
		case len(s.Data) == 0 && op == "":
			return InSet(s.Name, o...)
		case len(s.Data) == 0:
			return NotInSet(s.Name, o...)
		case s.Data[0] == TypeVerdict:
			return VMap(s.Name, o...)
		}
	}
	return MetaIs("l4proto", ProtoValue("tcp"))
}

func (g gen) side() []Expr {
	switch g.n("side", 5) {
	case 0:
		return Count()
	case 1:
		group := g.port()
		return []Expr{{Log: &Log{Prefix: g.name("prefix"), Group: &group}}}
	case 2:
		return LogPrefix(g.name("prefix"))
	case 3:
		return []Expr{{Limit: &Limit{
			Rate: uint64(g.port()), Unit: g.pick("unit", "second", "minute", "hour"), Burst: uint32(g.n("burst", 255)), Over: rapid.Bool().Draw(g.T, "over"),
			Bytes: rapid.Bool().Draw(g.T, "bytes"),
		}}}
	}
	return SetMark(rapid.Uint32().Draw(g.T, "mark"))
}

func (g gen) end(where string) []Expr {
	is6 := rapid.Bool().Draw(g.T, "is6")
	flags := func(e []Expr) []Expr {
		n := e[len(e)-1].NAT
		n.Random, n.Persistent = rapid.Bool().Draw(g.T, "random"), rapid.Bool().Draw(g.T, "persistent")
		return e
	}
	plain := func() []Expr {
		switch g.n("end", 5) {
		case 0:
			return Accept()
		case 1:
			return Drop()
		case 2:
			return Return()
		case 3:
			return nil
		}
		if where == "" {
			return Goto("")[:0]
		}
		return Jump("sub")
	}
	if rapid.Bool().Draw(g.T, "plain") {
		return plain()
	}
	switch where {
	case "filter input", "filter forward":
		return RejectWith(g.pick("with", "tcp reset", "icmpx port-unreachable", "icmpx admin-prohibited", "icmpx no-route"))
	case "nat prerouting":
		switch g.n("nat", 4) {
		case 0:
			return flags(DNATTo(g.addr(is6), g.port()))
		case 1:
			p := g.n("first", 60000) + 1
			return DNATPorts("udp", PortRange{First: uint16(p), Last: uint16(p + g.n("size", 4))}, g.addr(is6), g.port()&0x7fff+1)
		case 2:
			port := PortValue(g.port())
			return append(ProtoOneOf("tcp"), Expr{NAT: &NAT{Kind: "redirect", Port: &port}})
		}
		return flags(DNATTo(g.addr(is6), 0))
	case "nat postrouting":
		if rapid.Bool().Draw(g.T, "masquerade") {
			return flags(Masquerade())
		}
		return flags(SNATTo(g.addr(is6)))
	}
	return plain()
}
