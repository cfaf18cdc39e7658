package filter

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"warren/state"
)

// act carries out an expression that does something. The outcome no ends the rule, as a comparison that fails.
func (e *eval) act(x state.Expr) (verdict, outcome, string) {
	switch {
	case x.Verdict != nil:
		return e.nftVerdict(*x.Verdict)
	case x.VerdictMap != nil:
		el, out, why := e.lookup(x.VerdictMap.Keys, x.VerdictMap.SetName, x.VerdictMap.Set)
		if out != yes {
			return verdict{}, out, why
		}
		if el.Verdict == nil {
			return verdict{}, maybe, "a verdict map without a verdict"
		}
		return e.nftVerdict(*el.Verdict)
	case x.Reject != nil:
		return verdict{kind: "reject", with: x.Reject.With}, yes, ""
	case x.NAT != nil:
		return e.nftNAT(x.NAT)
	case x.SetValue != nil:
		return verdict{}, e.assign(x.SetValue), "it sets what is not modelled"
	case x.FlowAdd != "":
		return verdict{}, e.offload(), ""
	case x.Notrack:
		e.notrack()
	case x.XTTarget != nil:
		return e.xtTarget(x.XTTarget)
	}
	return verdict{}, yes, ""
}

func (e *eval) nftVerdict(v state.Verdict) (verdict, outcome, string) {
	switch v.Kind {
	case "accept", "drop", "return", "jump", "goto":
		return verdict{kind: v.Kind, to: v.Chain}, yes, ""
	case "continue":
		return verdict{}, yes, ""
	case "queue":
		return verdict{}, maybe, "it hands the packet to a program (queue)"
	}
	return verdict{}, maybe, "verdict " + v.Kind + " is not modelled"
}

// notrack keeps the packet from conntrack, when that has not seen it yet (nft_notrack_eval).
func (e *eval) notrack() {
	if e.p.Conn == nil {
		e.p.Untracked = true
	}
}

// assign writes into the packet or beside it.
func (e *eval) assign(s *state.SetValue) outcome {
	if s.Target.Mask != nil || s.Target.Xor != nil {
		return maybe
	}
	v := []byte(s.Value.Data)
	if s.Map != nil {
		el, out, _ := e.lookup(s.Map.Keys, s.Map.SetName, s.Map.Set)
		if out != yes {
			return out
		}
		if len(el.Data) != 1 {
			return maybe
		}
		v = []byte(el.Data[0].Data)
	}
	if s.From != nil || s.Target.Raw != nil {
		r := exactly(v...)
		if s.From != nil {
			var out outcome
			if r, out, _ = e.read(*s.From); out != yes {
				return out
			}
		}
		if s.Target.Raw != nil {
			return e.overwrite(*s.Target.Raw, r)
		}
		if !r.whole() {
			return maybe
		}
		v = r.data
	}
	switch o := s.Target; {
	case o.Meta == "mark" && len(v) == 4:
		e.p.Mark = binary.NativeEndian.Uint32(v)
	case o.Meta == "priority", o.Meta == "nftrace", o.Meta == "secmark":
	case o.CT != nil && o.CT.Key == "mark" && len(v) == 4:
		if e.p.Conn != nil && !e.p.Untracked {
			e.p.Conn.Mark = binary.NativeEndian.Uint32(v)
		}
	case o.CT != nil && o.CT.Key == "zone" && len(v) == 2:
		e.zone(zoneOf(v))
	case o.CT != nil && (o.CT.Key == "event" || o.CT.Key == "secmark"):
	case o.Payload != nil && len(v) == 1 && (o.Payload.Field == "ttl" || o.Payload.Field == "hoplimit"):
		e.p.TTL = v[0]
	case o.Payload != nil && e.readdress(*o.Payload, v):
	case o.Payload != nil && len(v) == 1 && o.Payload.Field == "dscp":
		e.p.TOS = e.p.TOS&3 | v[0]<<2
	default:
		return maybe
	}
	return yes
}

// readdress writes an address or a port. conntrack does not know of it: what it has not seen yet it takes for another connection,
// and that of a packet that it has seen stays as it was; there the walk would have to follow the packet under two names.
func (e *eval) readdress(f state.Payload, v []byte) bool {
	p := e.p
	if p.Conn != nil && !p.Untracked || p.ARP != nil || p.IsICMPError() {
		return false
	}
	was := *p
	a, isAddr := netip.AddrFromSlice(v)
	ports := (p.Proto == TCP || p.Proto == UDP) && len(v) == 2
	switch {
	case f.Protocol == family(p) && f.Field == "saddr" && isAddr && a.Is6() == p.Is6():
		p.Src = a
	case f.Protocol == family(p) && f.Field == "daddr" && isAddr && a.Is6() == p.Is6():
		p.Dst = a
	case ports && f.Field == "sport":
		p.SPort = binary.BigEndian.Uint16(v)
	case ports && f.Field == "dport":
		p.DPort = binary.BigEndian.Uint16(v)
	default:
		return false
	}
	switch {
	case was.Src != p.Src || was.SPort != p.SPort:
		e.res.NAT = fmt.Sprintf("%s saddr, %s -> %s", Rewrite, endpoint(was.Src, was.SPort), endpoint(p.Src, p.SPort))
	case was.Dst != p.Dst || was.DPort != p.DPort:
		e.res.NAT = fmt.Sprintf("%s daddr, %s -> %s", Rewrite, endpoint(was.Dst, was.DPort), endpoint(p.Dst, p.DPort))
	}
	return true
}

// Rewrite begins what a Result says of a packet that a rule wrote another address or port into, which no connection remembers.
const Rewrite = "rewrite"

func family(p *Packet) string {
	if p.Is6() {
		return "ip6"
	}
	return "ip"
}

// overwrite writes bytes of the network header, as "ip dscp set" does with those around the field: the type of service and
// the TTL may change, all else must stay as it is.
func (e *eval) overwrite(at state.Raw, r register) outcome {
	p := e.p
	if at.Base != "nh" || at.Offset%8 != 0 || int(at.Length) != 8*len(r.data) || p.ARP != nil {
		return maybe
	}
	now := p.network()
	first := int(at.Offset / 8)
	if first+len(r.data) > len(now.data) {
		return no
	}
	tos, ttl := p.TOS, p.TTL
	for i, b := range r.data {
		known := r.known[i] & now.known[first+i]
		switch at := first + i; {
		case (b^now.data[at])&known == 0 && r.known[i] == now.known[at]: // as it was
		case r.known[i]&now.known[at] != now.known[at]:
			return maybe
		case !p.Is6() && at == 1:
			tos = b
		case p.Is6() && at == 0 && b>>4 == 6:
			tos = tos&0x0f | b<<4
		case p.Is6() && at == 1:
			tos = tos&0xf0 | b>>4
		case !p.Is6() && at == 8, p.Is6() && at == 7:
			ttl = b
		default:
			return maybe
		}
	}
	p.TOS, p.TTL = tos, ttl
	return yes
}
