package nft

import (
	"fmt"
	"strings"

	"warren/internal/xt"
	"warren/state"
)

// RuleText is a rule as nft prints it, without its handle. nft leaves a match out that a later expression implies ("meta l4proto tcp" before
// "tcp dport 80"), and so does this. What is not understood is printed as <NAME>, or as the opaque value's text.
func RuleText(family string, r state.FirewallRule) string {
	implied := impliedMatches(family, r)
	var parts []string
	for i, x := range r.Exprs {
		if !implied[i] {
			parts = append(parts, exprText(family, x))
		}
	}
	if r.Comment != "" {
		parts = append(parts, `comment "`+r.Comment+`"`)
	}
	return strings.Join(parts, " ")
}

// impliedMatches tells which expressions only make sure of a protocol that a later expression names anyway.
func impliedMatches(family string, r state.FirewallRule) []bool {
	implied := make([]bool, len(r.Exprs))
	ll, nh, th := -1, -1, -1 // the matches that may turn out to be implied
	var net, transport string
	use := func(o state.Operand) {
		if o.Payload == nil {
			return
		}
		f, ok := fieldByName(*o.Payload)
		if !ok {
			return
		}
		switch {
		case f.base == baseLL && ll >= 0:
			implied[ll], ll = true, -1
		case f.base == baseNH && nh >= 0 && f.proto == net:
			implied[nh], nh = true, -1
		case f.base == baseTH && th >= 0 && f.proto == transport:
			implied[th], th = true, -1
			if nh >= 0 && (transport == "icmp" && net == "ip" || transport == "icmpv6" && net == "ip6") {
				implied[nh], nh = true, -1
			}
		}
	}
	for i, x := range r.Exprs {
		for _, o := range operands(x) {
			use(o)
		}
		if x.Reject != nil && nh >= 0 && (net == "ip" && strings.HasPrefix(x.Reject.With, "icmp ") || net == "ip6" && strings.HasPrefix(x.Reject.With, "icmpv6 ")) {
			implied[nh], nh = true, -1
		}
		m := x.Match
		if m == nil || m.Value == nil || m.Op != "" && m.Op != "==" {
			continue
		}
		var c known
		c.learn(m)
		switch {
		case m.Left.Meta == "iiftype" && Format(*m.Value) == "ether":
			ll = i
		case c.nh != "" && (m.Left.Meta == "nfproto" && family == "inet" || isEtherType(m.Left) && family != "inet"):
			nh, net = i, c.nh
		case c.th != "" && m.Left.Meta == "l4proto":
			th, transport = i, c.th
		}
	}
	return implied
}

// operands are what an expression reads from the packet.
func operands(x state.Expr) []state.Operand {
	switch {
	case x.Match != nil:
		return append([]state.Operand{x.Match.Left}, x.Match.Concat...)
	case x.VerdictMap != nil:
		return x.VerdictMap.Keys
	case x.NAT != nil && x.NAT.Map != nil:
		return x.NAT.Map.Keys
	case x.SetValue != nil:
		if x.SetValue.From != nil {
			return []state.Operand{x.SetValue.Target, *x.SetValue.From}
		}
		if x.SetValue.Map != nil {
			return append([]state.Operand{x.SetValue.Target}, x.SetValue.Map.Keys...)
		}
		return []state.Operand{x.SetValue.Target}
	}
	return nil
}

func exprText(family string, x state.Expr) string {
	switch {
	case x.Match != nil:
		return matchText(*x.Match)
	case x.VerdictMap != nil:
		return operandsText(x.VerdictMap.Keys) + " vmap " + setRef(x.VerdictMap.SetName, x.VerdictMap.Set)
	case x.Verdict != nil:
		return verdictText(*x.Verdict)
	case x.NAT != nil:
		return natText(family, *x.NAT)
	case x.Reject != nil:
		return rejectText(family, x.Reject.With)
	case x.Counter != nil:
		return fmt.Sprintf("counter packets %d bytes %d", x.Counter.Packets, x.Counter.Bytes)
	case x.Log != nil:
		return logText(*x.Log)
	case x.Limit != nil:
		return limitText(*x.Limit)
	case x.FlowAdd != "":
		return "flow add @" + x.FlowAdd
	case x.SetValue != nil:
		if x.SetValue.From != nil {
			return operandText(x.SetValue.Target) + " set " + operandText(*x.SetValue.From)
		}
		if m := x.SetValue.Map; m != nil {
			return operandText(x.SetValue.Target) + " set " + operandsText(m.Keys) + " map " + setRef(m.SetName, m.Set)
		}
		return operandText(x.SetValue.Target) + " set " + Format(x.SetValue.Value)
	case x.Notrack:
		return "notrack"
	case x.XTMatch != nil:
		return "<xt" + xt.Match(x.XTMatch) + ">"
	case x.XTTarget != nil:
		return "<xt" + xt.Target(x.XTTarget) + ">"
	case x.Opaque != nil && x.Opaque.Text != "":
		return x.Opaque.Text
	case x.Opaque != nil:
		return "<" + x.Opaque.Name + ">"
	}
	return "<empty>"
}

func setRef(name string, s *state.Set) string {
	if s != nil {
		return setText(*s)
	}
	return "@" + name
}

func operandsText(list []state.Operand) string {
	parts := make([]string, len(list))
	for i, o := range list {
		parts[i] = operandText(o)
	}
	return strings.Join(parts, " . ")
}

// operandText is the operand, and its mask unless the match prints that.
func operandText(o state.Operand) string {
	s := bareOperand(o)
	if o.Mask != nil {
		s += " & " + Format(*o.Mask)
	}
	if o.Xor != nil {
		s += " ^ " + Format(*o.Xor)
	}
	return s
}

func bareOperand(o state.Operand) string {
	switch {
	case o.Meta != "":
		switch o.Meta {
		case "iif", "oif", "iifname", "oifname", "iifgroup", "oifgroup":
			return o.Meta
		}
		return "meta " + o.Meta
	case o.CT != nil && o.CT.Direction != "":
		return "ct " + o.CT.Direction + " " + o.CT.Key
	case o.CT != nil:
		return "ct " + o.CT.Key
	case o.FIB != nil:
		return "fib " + strings.Join(o.FIB.Flags, " . ") + " " + o.FIB.Result
	case o.Payload != nil:
		return o.Payload.Protocol + " " + o.Payload.Field
	case o.Raw != nil:
		return fmt.Sprintf("@%s,%d,%d", o.Raw.Base, o.Raw.Offset, o.Raw.Length)
	}
	return "<nothing>"
}

func matchText(m state.Match) string {
	op := ""
	if m.Op != "" && m.Op != "==" {
		op = m.Op + " "
	}
	left := operandText(m.Left)
	if len(m.Concat) > 0 {
		left = operandsText(append([]state.Operand{m.Left}, m.Concat...))
	}
	switch {
	case m.Range != nil:
		return left + " " + op + Format(m.Range[0]) + "-" + Format(m.Range[1])
	case m.Value == nil:
		return left + " " + op + setRef(m.SetName, m.Set)
	case bitsOf(m.Value.Type) != nil:
		return bitMatchText(m, op)
	case m.Left.Mask != nil && m.Left.Xor == nil && (m.Value.Type == state.TypeIPv4 || m.Value.Type == state.TypeIPv6):
		if bits, ok := prefixBits(m.Left.Mask.Bytes()); ok {
			return fmt.Sprintf("%s %s%s/%d", bareOperand(m.Left), op, Format(*m.Value), bits)
		}
	}
	right := Format(*m.Value)
	if m.Left.Mask != nil || m.Left.Xor != nil {
		if op == "" {
			op = "== "
		}
	}
	if m.Left.Raw != nil {
		right = fmt.Sprintf("0x%x", number(*m.Value))
	}
	return left + " " + op + right
}

// bitMatchText is a comparison of flags: "ct state new,related" is one of the bits, "tcp flags syn / syn,ack" these bits of those.
func bitMatchText(m state.Match, op string) string {
	left := bareOperand(m.Left)
	zero := number(*m.Value).Sign() == 0
	switch {
	case m.Left.Xor != nil:
		return operandText(m.Left) + " " + op + Format(*m.Value)
	case m.Left.Mask == nil && op == "" && m.Value.Type == typeTCPFlag:
		return left + " == " + Format(*m.Value)
	case m.Left.Mask == nil:
		return left + " " + op + Format(*m.Value)
	case zero && m.Op == "!=":
		return left + " " + Format(*m.Left.Mask)
	case zero && op == "":
		return left + " ! " + Format(*m.Left.Mask)
	}
	return left + " " + op + Format(*m.Value) + " / " + Format(*m.Left.Mask)
}

func natText(family string, n state.NAT) string {
	s := n.Kind
	if n.Family != "" && family != "ip" && family != "ip6" {
		s += " " + n.Family
	}
	var to string
	switch {
	case n.Map != nil:
		to = operandsText(n.Map.Keys) + " map " + setRef(n.Map.SetName, n.Map.Set)
	case n.Addr != nil:
		form := Format
		if n.Addr.Type == state.TypeIPv6 && n.Port != nil {
			form = func(v state.Value) string { return "[" + Format(v) + "]" }
		}
		to = form(*n.Addr)
		if n.AddrMax != nil && *n.AddrMax != *n.Addr {
			to += "-" + form(*n.AddrMax)
		}
	}
	if n.Port != nil {
		to += ":" + Format(*n.Port)
		if n.PortMax != nil && *n.PortMax != *n.Port {
			to += "-" + Format(*n.PortMax)
		}
	}
	if n.Netmap {
		s += " prefix"
	}
	if to != "" {
		s += " to " + to
	}
	var flags []string
	for _, f := range []struct {
		on   bool
		word string
	}{{n.Random, "random"}, {n.FullyRandom, "fully-random"}, {n.Persistent, "persistent"}} {
		if f.on {
			flags = append(flags, f.word)
		}
	}
	if flags != nil {
		s += " " + strings.Join(flags, ",")
	}
	return s
}

func rejectText(family, with string) string {
	usual := map[string]string{"ip": "icmp port-unreachable", "ip6": "icmpv6 port-unreachable"}[family]
	if usual == "" {
		usual = "icmpx port-unreachable"
	}
	if with == usual {
		return "reject"
	}
	return "reject with " + with
}

func logText(l state.Log) string {
	s := "log"
	if l.Prefix != "" {
		s += ` prefix "` + l.Prefix + `"`
	}
	if l.Group != nil {
		s += fmt.Sprintf(" group %d", *l.Group)
	}
	if l.Level != "" && l.Level != "warn" {
		s += " level " + l.Level
	}
	return s
}

func limitText(l state.Limit) string {
	over := ""
	if l.Over {
		over = "over "
	}
	if l.Bytes {
		s := fmt.Sprintf("limit rate %s%s/%s", over, bytesText(l.Rate), l.Unit)
		if l.Burst > 0 {
			s += " burst " + bytesText(uint64(l.Burst))
		}
		return s
	}
	s := fmt.Sprintf("limit rate %s%d/%s", over, l.Rate, l.Unit)
	if l.Burst > 0 && l.Burst != 5 {
		s += fmt.Sprintf(" burst %d packets", l.Burst)
	}
	return s
}

// bytesText is a number of bytes in the largest unit that fits exactly.
func bytesText(n uint64) string {
	units := []string{"bytes", "kbytes", "mbytes"}
	i := 0
	for i < len(units)-1 && n >= 1024 && n%1024 == 0 {
		n /= 1024
		i++
	}
	return fmt.Sprintf("%d %s", n, units[i])
}
