package filter

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"warren/state"
)

// legacyChain runs a built-in chain of a legacy table.
func (e *eval) legacyChain(t *state.XTable, c *state.XChain) verdict {
	e.xtable, e.base = t, e.legacyPlace(t, c, 0)
	if e.policy = "accept"; c.Policy == "DROP" {
		e.policy = "drop"
	}
	v := e.legacyRules(t, c)
	if !v.final() {
		v = verdict{kind: e.policy, rule: e.base}
		v.rule.Policy = true
	}
	return v
}

func (e *eval) legacyPlace(t *state.XTable, c *state.XChain, number int) Rule {
	r := Rule{Backend: "legacy", Family: "ip", Table: t.Name, Chain: c.Name, Number: number}
	if t.IPv6 {
		r.Family = "ip6"
	}
	if c.Name != e.base.Chain {
		r.Base = e.base.Chain
	}
	return r
}

func (e *eval) legacyRules(t *state.XTable, c *state.XChain) verdict {
	if e.depth++; e.depth > maxDepth*4 {
		return verdict{kind: "drop", rule: e.legacyPlace(t, c, 0)}
	}
	defer func() { e.depth-- }()
	for i := range c.Rules {
		r := &c.Rules[i]
		at := e.legacyPlace(t, c, i+1)
		v, done := e.legacyRule(at, r)
		v.fib = slices.ContainsFunc(r.Matches, func(m state.XTMatch) bool { return m.RPFilter != nil })
		v = e.visited(at, v, done)
		switch v.kind {
		case "", "continue":
			continue
		case "jump", "goto":
			to := t.Chain(v.to)
			if to == nil {
				e.doubts = append(e.doubts, doubt{"other", at, "chain " + v.to + " is not there"})
				continue
			}
			inner := e.legacyRules(t, to)
			if inner.final() || v.kind == "goto" {
				return inner
			}
		default:
			return v
		}
	}
	return verdict{kind: "return"}
}

func (e *eval) legacyRule(at Rule, r *state.XRule) (verdict, bool) {
	if !e.header(r) {
		return verdict{}, false
	}
	list := make([]state.Expr, 0, len(r.Matches)+1)
	for i := range r.Matches {
		list = append(list, state.Expr{XTMatch: &r.Matches[i]})
	}
	return e.run(at, append(list, state.Expr{XTTarget: &r.Target}))
}

// header compares what every rule has (ip_packet_match in net/ipv4/netfilter/ip_tables.c).
func (e *eval) header(r *state.XRule) bool {
	p := e.p
	in, out := name(e.hook.In), name(e.hook.Out)
	switch {
	case r.Src.Addr.IsValid() && masked(p.Src, r.Src) == r.Src.Inverted,
		r.Dst.Addr.IsValid() && masked(p.Dst, r.Dst) == r.Dst.Inverted,
		r.In != "" && likeInterface(in, r.In) == r.InInverted,
		r.Out != "" && likeInterface(out, r.Out) == r.OutInvert,
		(r.HasProto || r.Proto != 0) && (p.Proto == r.Proto) == r.ProtoInverted,
		r.Fragment && !r.FragInverted:
		return false
	}
	return true
}

func masked(a netip.Addr, x state.XPrefix) bool {
	b, c := a.AsSlice(), x.Addr.AsSlice()
	m := x.Mask.AsSlice()
	if len(b) != len(c) || len(m) != 0 && len(m) != len(b) {
		return false
	}
	for i := range b {
		bits := byte(0xff)
		if len(m) > 0 {
			bits = m[i]
		}
		if (b[i]^c[i])&bits != 0 {
			return false
		}
	}
	return true
}

func likeInterface(have, want string) bool {
	if prefix, ok := strings.CutSuffix(want, "+"); ok {
		return strings.HasPrefix(have, prefix)
	}
	return have == want
}

// xtTarget carries out a target.
func (e *eval) xtTarget(t *state.XTTarget) (verdict, outcome, string) {
	p := e.p
	switch {
	case t.Verdict == "ACCEPT", t.Verdict == "DROP", t.Verdict == "RETURN":
		return verdict{kind: strings.ToLower(t.Verdict)}, yes, ""
	case t.Verdict == "CONTINUE":
		return verdict{}, yes, ""
	case t.Verdict == "jump", t.Verdict == "goto":
		return verdict{kind: t.Verdict, to: t.Chain}, yes, ""
	case t.Verdict == "QUEUE":
		return verdict{}, maybe, "it hands the packet to a program (QUEUE)"
	case t.Name == "" && t.Verdict == "", t.NoEffect:
		return verdict{}, yes, ""
	case t.Reject != "":
		return verdict{kind: "reject", with: t.Reject}, yes, ""
	case t.Notrack:
		e.notrack()
		return verdict{}, yes, ""
	case t.SetMark != nil && t.Name == "MARK":
		p.Mark = p.Mark&^t.SetMark.Mask ^ t.SetMark.Value
		return verdict{}, yes, ""
	case t.SetMark != nil && t.Name == "CONNMARK":
		if p.Conn != nil {
			p.Conn.Mark = p.Conn.Mark&^t.SetMark.Mask ^ t.SetMark.Value
		}
		return verdict{}, yes, ""
	case t.ConnMark != nil:
		e.moveMark(t.ConnMark)
		return verdict{}, yes, ""
	case t.SetTTL != nil:
		p.TTL = newTTL(t.SetTTL, p.TTL)
		return verdict{}, yes, ""
	case t.SetTOS != nil:
		p.TOS = p.TOS&^t.SetTOS.Mask ^ t.SetTOS.Value
		return verdict{}, yes, ""
	case t.Zone != nil:
		e.zone(Zone{ID: t.Zone.ID, Dir: t.Zone.Dir})
		return verdict{}, yes, ""
	case t.NAT != nil:
		return e.xtNAT(t)
	}
	return verdict{}, maybe, "the target " + t.Name + " is not modelled"
}

// moveMark is CONNMARK that saves and restores (connmark_tg_shift).
func (e *eval) moveMark(m *state.XTConnMark) {
	p := e.p
	if p.Conn == nil {
		return
	}
	shifted := func(v uint32) uint32 {
		if m.Shift < 0 {
			return v >> -m.Shift
		}
		return v << m.Shift
	}
	if m.Mode == "save" {
		p.Conn.Mark = p.Conn.Mark&^m.ConnMask ^ shifted(p.Mark&m.PacketMask)
		return
	}
	p.Mark = p.Mark&^m.PacketMask ^ shifted(p.Conn.Mark&m.ConnMask)
}

func (e *eval) xtNAT(t *state.XTTarget) (verdict, outcome, string) {
	n := t.NAT
	kind, source := "", false
	switch t.Name {
	case "DNAT":
		kind = "dnat"
	case "SNAT":
		kind, source = "snat", true
	case "MASQUERADE":
		kind, source = "masquerade", true
	case "REDIRECT":
		kind = "redirect"
	case "NETMAP":
		kind, source = "dnat", e.hook.Name == "postrouting" || e.hook.Name == "input"
	default:
		return verdict{}, maybe, "the target " + t.Name + " is not modelled"
	}
	const offset = 1 << 5 // NF_NAT_RANGE_PROTO_OFFSET
	if n.Flags&offset != 0 {
		return verdict{}, maybe, "a range of ports with a base is not modelled"
	}
	return e.translate(kind, change{source: source, addr: n.Addr, addrLast: n.AddrMax, port: n.Port, last: max(n.Port, n.PortMax), netmap: t.Name == "NETMAP"})
}

// addrTypeBit is 1<<RTN_* of a type of address.
func addrTypeBit(t string) (uint16, bool) {
	for i, n := range []string{"unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit", "throw"} {
		if n == t {
			return 1 << i, true
		}
	}
	return 0, false
}

func (e *eval) xtMatch(m *state.XTMatch) (outcome, string) {
	p := e.p
	switch {
	case m.Ports != nil:
		return e.xtPorts(m.Ports)
	case m.Multiport != nil:
		return truth(multiport(m.Multiport, p)), ""
	case m.Conntrack != nil:
		return e.xtConntrack(m.Conntrack)
	case m.Mark != nil:
		mark := p.Mark
		if m.Name == "connmark" {
			if p.Conn == nil {
				return no, ""
			}
			mark = p.Conn.Mark
		}
		return truth((mark&m.Mark.Mask == m.Mark.Value) != m.Mark.Inverted), ""
	case m.AddrType != nil:
		return e.xtAddrType(m.AddrType)
	case m.ICMP != nil:
		ok := (m.ICMP.Type == 255 && p.Proto == ICMP) || p.ICMPType == m.ICMP.Type && p.ICMPCode >= m.ICMP.Code[0] && p.ICMPCode <= m.ICMP.Code[1]
		return truth(ok != m.ICMP.Inverted), ""
	case m.MAC != nil:
		if p.EtherType == 0 {
			return no, ""
		}
		return truth((p.SrcMAC == m.MAC.MAC) != m.MAC.Inverted), ""
	case m.PhysDev != nil:
		return e.xtPhysDev(m.PhysDev), ""
	case m.RPFilter != nil:
		return e.xtRPFilter(m.RPFilter)
	case m.IPRange != nil:
		r := m.IPRange
		ok := inRange(p.Src, r.Src, r.SrcInverted) && inRange(p.Dst, r.Dst, r.DstInverted)
		return truth(ok), ""
	case m.PktType != nil:
		return truth((p.PktType == m.PktType.Type) != m.PktType.Inverted), ""
	case m.Length != nil:
		n := uint16(min(p.Length, 0xffff))
		return truth((n >= m.Length.Min && n <= m.Length.Max) != m.Length.Inverted), ""
	case m.Comment != nil:
		return yes, ""
	case m.Set != nil:
		return e.xtSet(m.Set)
	case m.Ether != nil:
		return e.xtEther(m.Name, m.Ether), ""
	case m.Owner != nil:
		return e.xtOwner(m.Owner)
	case m.TTL != nil:
		return xtTTL(m.TTL, p.TTL), ""
	case m.TOS != nil:
		return truth((p.TOS&m.TOS.Mask == m.TOS.Value) != m.TOS.Inverted), ""
	case m.DevGroup != nil:
		return truth(inGroup(e.hook.In, m.DevGroup.Src) && inGroup(e.hook.Out, m.DevGroup.Dst)), ""
	case m.Policy != nil:
		return truth(m.Policy.None), "" // where there are IPsec policies for the packet the walk says so itself
	case m.Helper != nil && (p.Conn == nil || p.Conn.New):
		return truth(m.Helper.Inverted), "" // no helper has expected it
	}
	return maybe, "the match " + strconv.Quote(m.Name) + " is not modelled"
}

func inRange(a netip.Addr, r [2]netip.Addr, inverted bool) bool {
	if !r[0].IsValid() {
		return true
	}
	return (a.Compare(r[0]) >= 0 && a.Compare(r[1]) <= 0) != inverted
}

func within16(port uint16, r [2]uint16) bool { return port >= r[0] && port <= r[1] }

func (e *eval) xtPorts(x *state.XTPorts) (outcome, string) {
	p := e.p
	switch {
	case within16(p.SPort, x.Src) == x.SrcInverted, within16(p.DPort, x.Dst) == x.DstInverted,
		x.FlagsMask != 0 && (p.TCPFlags&x.FlagsMask == x.Flags) == x.FlagsInverted:
		return no, ""
	case x.Option != 0:
		return maybe, "options of TCP are not modelled"
	}
	return yes, ""
}

func multiport(x *state.XTMultiport, p *Packet) bool {
	found := false
	for _, r := range x.Ranges {
		found = found || x.Which != "destination" && within16(p.SPort, r) || x.Which != "source" && within16(p.DPort, r)
	}
	return found != x.Inverted
}

func (e *eval) xtAddrType(x *state.XTAddrType) (outcome, string) {
	if e.ns.fib == nil {
		return maybe, "types of addresses cannot be asked"
	}
	var dev *state.Link
	if x.LimitIn {
		dev = e.hook.In
	} else if x.LimitOut {
		dev = e.hook.Out
	}
	for _, side := range []struct {
		addr     netip.Addr
		want     uint16
		inverted bool
	}{{e.p.Src, x.Src, x.SrcInverted}, {e.p.Dst, x.Dst, x.DstInverted}} {
		if side.want == 0 {
			continue
		}
		t := e.ns.fib.AddrType(side.addr, dev)
		bit, ok := addrTypeBit(t)
		if !ok {
			return maybe, "an address of type " + t
		}
		if (side.want&bit != 0) == side.inverted {
			return no, ""
		}
	}
	return yes, ""
}

// xtRPFilter asks whether the way back leads over the device that the packet came by (net/ipv4/netfilter/ipt_rpfilter.c).
func (e *eval) xtRPFilter(x *state.XTRPFilter) (outcome, string) {
	in := e.hook.In
	if in == nil || e.ns.fib == nil {
		return maybe, "the route back cannot be asked"
	}
	if in.Name == "lo" {
		return truth(!x.Inverted), ""
	}
	q := FIBQuery{Dst: e.p.Src, Src: e.p.Dst, TOS: e.p.TOS & 0x1c}
	if x.ValidMark {
		q.Mark = e.p.Mark
	}
	if e.p.Is6() && !x.Loose {
		q.OIF = in
	}
	a := e.ns.fib.Lookup(q)
	ok := a.Type == "unicast" || a.Type == "local" && x.AcceptLocal
	if ok && !x.Loose && a.Type == "unicast" {
		ok = a.Link != nil && a.Link.Index == in.Index
		for _, l := range a.Links {
			ok = ok || l.Index == in.Index
		}
	}
	return truth(ok != x.Inverted), ""
}

// Operations of physdev (linux/netfilter/xt_physdev.h).
const (
	physIn      = 0x01
	physOut     = 0x02
	physBridged = 0x04
	physIsIn    = 0x08
	physIsOut   = 0x10
)

// xtPhysDev compares bridge ports; a packet that is not bridged has none (physdev_mt).
func (e *eval) xtPhysDev(x *state.XTPhysDev) outcome {
	h := e.hook
	if !h.Bridged && h.PhysIn == "" && h.PhysOut == "" {
		switch {
		case x.Match&physBridged != 0 && x.Invert&physBridged == 0, x.Match&physIsIn != 0 && x.Invert&physIsIn == 0,
			x.Match&physIsOut != 0 && x.Invert&physIsOut == 0, x.Match&physIn != 0 && x.Invert&physIn == 0,
			x.Match&physOut != 0 && x.Invert&physOut == 0:
			return no
		}
		return yes
	}
	if h.PhysOut == "" && x.Match&physOut != 0 {
		return no
	}
	check := func(bit uint8, have bool) bool { return x.Match&bit == 0 || have != (x.Invert&bit != 0) }
	return truth(check(physBridged, h.PhysOut != "") && check(physIsIn, h.PhysIn != "") && check(physIsOut, h.PhysOut != "") &&
		check(physIn, likeInterface(h.PhysIn, x.In)) && check(physOut, likeInterface(h.PhysOut, x.Out)))
}
