package filter

import (
	"math"
	"net/netip"
	"strings"

	"warren/state"
)

// ebStages are legacy ebtables' chains on a hook of bridges (linux/netfilter_bridge.h, NF_BR_PRI_*).
func (n *Namespace) ebStages(h Hook) (list []stage) {
	if h.Family != "bridge" {
		return nil
	}
	for i := range n.ns.EBTables {
		t := &n.ns.EBTables[i]
		name, priority := strings.ToUpper(h.Name), int32(0)
		switch {
		case t.Name == "filter" && h.Name == "output":
			priority = 200
		case t.Name == "filter":
			priority = -200
		case t.Name == "nat" && h.Name == "prerouting":
			priority = -300
		case t.Name == "nat" && h.Name == "output":
			priority = 100
		case t.Name == "nat":
			priority = 300
		case t.Name == "broute" && h.Name == "prerouting":
			name, priority = "BROUTING", math.MinInt32
		}
		if c := t.Chain(name); c != nil && !c.User {
			list = append(list, stage{what: stageEB, priority: priority, ebtable: t, ebchain: c})
		}
	}
	return list
}

func (e *eval) ebPlace(t *state.EBTable, c *state.EBChain, number int) Rule {
	r := Rule{Backend: "ebtables", Family: "bridge", Table: t.Name, Chain: c.Name, Number: number}
	if c.Name != e.base.Chain {
		r.Base = e.base.Chain
	}
	return r
}

// ebChain runs a built-in chain (ebt_do_table). A chain of the table broute that drops has the frame routed, not bridged: where
// it goes then is not modelled.
func (e *eval) ebChain(t *state.EBTable, c *state.EBChain) verdict {
	e.base = e.ebPlace(t, c, 0)
	v := e.ebRules(t, c)
	if !v.final() { // RETURN out of it
		v = verdict{kind: "accept", rule: e.base}
		if c.Policy == "DROP" {
			v.kind, v.rule.Policy = "drop", true
		}
	}
	if t.Name == "broute" && v.kind == "drop" {
		e.doubts = append(e.doubts, doubt{"other", v.rule, "it takes the frame from the bridge (broute)"})
	}
	return v
}

func (e *eval) ebRules(t *state.EBTable, c *state.EBChain) verdict {
	if e.depth++; e.depth > maxDepth*4 {
		return verdict{kind: "drop", rule: e.ebPlace(t, c, 0)}
	}
	defer func() { e.depth-- }()
	for i := range c.Rules {
		at := e.ebPlace(t, c, i+1)
		v, done := e.ebRule(at, &c.Rules[i])
		v = e.visited(at, v, done)
		switch v.kind {
		case "", "continue":
			continue
		case "jump":
			to := t.Chain(v.to)
			if to == nil {
				e.doubts = append(e.doubts, doubt{"other", at, "chain " + v.to + " is not there"})
				continue
			}
			if inner := e.ebRules(t, to); inner.final() {
				return inner
			}
		default:
			return v
		}
	}
	switch c.Policy {
	case "DROP":
		v := verdict{kind: "drop", rule: e.ebPlace(t, c, 0)}
		v.rule.Policy = true
		return v
	case "RETURN":
		return verdict{kind: "return"}
	}
	return verdict{kind: "accept", rule: e.ebPlace(t, c, 0)}
}

func (e *eval) ebRule(at Rule, r *state.EBRule) (verdict, bool) {
	if !e.ebHeader(r) {
		return verdict{}, false
	}
	list := make([]state.Expr, 0, len(r.Matches)+1)
	for i := range r.Matches {
		list = append(list, state.Expr{XTMatch: &r.Matches[i]})
	}
	return e.run(at, append(list, state.Expr{XTTarget: &r.Target}))
}

// ebHeader compares what every rule has (ebt_basic_match).
func (e *eval) ebHeader(r *state.EBRule) bool {
	p, h := e.p, e.hook
	ether := e.etherType()
	if p.VLAN != 0 {
		ether = 0x8100
	}
	differs := func(have *state.Link, want string, bridge bool) bool {
		s := name(have)
		if bridge && have != nil {
			s = have.Master
		}
		return want != "" && !likeInterface(s, want)
	}
	wrong := func(x *state.EBMAC, have state.MAC) bool { return x != nil && sameMAC(have, x) == x.Inverted }
	switch {
	case r.Length && !r.ProtoInverted, !r.Length && r.Proto != 0 && (r.Proto != ether) != r.ProtoInverted,
		differs(h.In, r.In, false) != r.InInverted && r.In != "",
		differs(h.Out, r.Out, false) != r.OutInverted && r.Out != "",
		h.In != nil && r.LogicalIn != "" && differs(h.In, r.LogicalIn, true) != r.LogicalInInverted,
		h.Out != nil && r.LogicalOut != "" && differs(h.Out, r.LogicalOut, true) != r.LogicalOutInverted,
		wrong(r.Src, p.SrcMAC), wrong(r.Dst, p.DstMAC):
		return false
	}
	return true
}

func sameMAC(have state.MAC, x *state.EBMAC) bool {
	for i := range have {
		if (have[i]^x.MAC[i])&x.Mask[i] != 0 {
			return false
		}
	}
	return true
}

// Bits of what ip and ip6 compare (EBT_IP_*, EBT_IP6_*), and arp (EBT_ARP_*).
const (
	ebSrc = 1 << iota
	ebDst
	ebTOS
	ebProto
	ebSPort
	ebDPort
	ebICMP

	ebOp     = 1 << 0
	ebHType  = 1 << 1
	ebPType  = 1 << 2
	ebARPSrc = 1 << 3
	ebARPDst = 1 << 4
	ebSrcMAC = 1 << 5
	ebDstMAC = 1 << 6
)

// xtEther follows ebt_ip_mt, ebt_ip6_mt and ebt_arp_mt.
func (e *eval) xtEther(kind string, x *state.XTEther) outcome {
	p := e.p
	differs := func(bit uint8, same bool) bool { return x.Match&bit != 0 && same == (x.Invert&bit != 0) }
	// A prefix carries its inversion itself.
	outside := func(bit uint8, want state.XPrefix, have netip.Addr) bool {
		return x.Match&bit != 0 && want.Addr.IsValid() && masked(have, want) == want.Inverted
	}
	if kind == "arp" {
		a := p.ARP
		if a == nil {
			return no
		}
		return truth(!(differs(ebOp, x.Op == a.Op) || differs(ebHType, x.HType == 1) || differs(ebPType, x.PType == EtherIPv4) ||
			outside(ebARPSrc, x.Src, a.Sender) || outside(ebARPDst, x.Dst, a.Target) ||
			x.Match&ebSrcMAC != 0 && sameMAC(a.SenderMAC, x.SrcMAC) == x.SrcMAC.Inverted || x.Match&ebDstMAC != 0 && sameMAC(a.TargetMAC, x.DstMAC) == x.DstMAC.Inverted))
	}
	if p.ARP != nil || p.Is6() != (kind == "ip6") {
		return no
	}
	icmp := p.ICMPType >= x.ICMPType[0] && p.ICMPType <= x.ICMPType[1] && p.ICMPCode >= x.ICMPCode[0] && p.ICMPCode <= x.ICMPCode[1]
	switch {
	case differs(ebTOS, x.TOS == p.TOS), outside(ebSrc, x.Src, p.Src), outside(ebDst, x.Dst, p.Dst), differs(ebProto, x.Proto == p.Proto):
		return no
	case x.Match&ebProto == 0: // ports and the like are looked at only behind a protocol
		return yes
	case differs(ebDPort, within16(p.DPort, x.DPort)), differs(ebSPort, within16(p.SPort, x.SPort)), differs(ebICMP, icmp):
		return no
	}
	return yes
}
