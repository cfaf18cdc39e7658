package filter

import (
	"bytes"
	"encoding/binary"

	"warren/state"
)

// onlyLoads reports whether an expression of nftables only reads something that every packet has, and never ends the rule.
func onlyLoads(o *state.Opaque) bool {
	switch o.Name {
	case "immediate", "bitwise", "byteorder", "numgen", "hash":
		return true
	case "rt":
		const tcpMSS = 3 // NFT_RT_TCPMSS
		return attrU32(o.Data, 2) == tcpMSS
	}
	return false
}

// harmless reports whether an expression changes nothing about where the packet goes, nor whether it is found: it writes down,
// counts, sends a copy, rewrites an option of TCP ("tcp option maxseg size set"), or gives the connection a helper or a timeout.
func harmless(o *state.Opaque) bool {
	switch o.Name {
	case "log", "counter", "last", "dup":
		return true
	case "exthdr":
		const tcpOption = 1                                          // NFT_EXTHDR_OP_TCPOPT
		return hasAttr(o.Data, 7) && attrU32(o.Data, 6) == tcpOption // NFTA_EXTHDR_SREG, NFTA_EXTHDR_OP
	case "objref":
		switch attrU32(o.Data, 1) { // NFTA_OBJREF_IMM_TYPE
		case 1, 3, 7, 8, 9: // counter, ct helper, ct timeout, secmark, ct expectation
			return true
		}
	}
	return false
}

// loads reports whether an expression only reads something that this packet has.
func (e *eval) loads(o *state.Opaque) bool {
	switch o.Name {
	case "payload":
		bases := [...]string{"ll", "nh", "th"} // NFT_PAYLOAD_*
		base := attrU32(o.Data, 2)
		if hasAttr(o.Data, 5) || int(base) >= len(bases) { // NFTA_PAYLOAD_SREG
			return false
		}
		_, out := e.cut(bases[base], int(attrU32(o.Data, 3)*8), int(attrU32(o.Data, 4)*8))
		return out == yes
	case "meta":
		switch attrU32(o.Data, 2) { // NFTA_META_KEY: length, protocol, mark, devices and their names, families, kind of packet
		case 0, 1, 3, 4, 5, 6, 7, 15, 16, 19:
			return !hasAttr(o.Data, 3) && e.p.ARP == nil
		}
	}
	return false
}

// lacks reports whether an expression reads a header's option that the packet cannot have, which ends the rule: one of TCP's in
// another protocol, or an extension header of IPv6 (nft_exthdr_tcp_eval, nft_exthdr_ipv6_eval). Whether it is there can be asked
// of every packet.
func (e *eval) lacks(o *state.Opaque) bool {
	const present = 1 // NFT_EXTHDR_F_PRESENT
	if o.Name != "exthdr" || hasAttr(o.Data, 7) || attrU32(o.Data, 5)&present != 0 || e.p.ARP != nil {
		return false
	}
	switch attrU32(o.Data, 6) { // NFTA_EXTHDR_OP
	case 0:
		return true
	case 1:
		return e.p.Proto != TCP
	}
	return false
}

// asksPresence reports whether an expression asks if there is an extension header of IPv6. The walk's packets have none.
func asksPresence(o *state.Opaque) bool {
	const present = 1
	return o.Name == "exthdr" && !hasAttr(o.Data, 7) && attrU32(o.Data, 6) == 0 && attrU32(o.Data, 5)&present != 0
}

// comparesAbsent evaluates the comparison that follows such a question: what was read is 0.
func comparesAbsent(asked, cmp *state.Opaque) (out outcome, known bool) {
	if !asksPresence(asked) || cmp == nil || cmp.Name != "cmp" {
		return no, false
	}
	value := attr(attr(cmp.Data, 3), 1) // NFTA_CMP_DATA, NFTA_DATA_VALUE
	if len(value) == 0 || attrU32(cmp.Data, 1) != attrU32(asked.Data, 1) {
		return no, false
	}
	zero := bytes.Count(value, []byte{0}) == len(value)
	switch attrU32(cmp.Data, 2) {
	case 0:
		return truth(zero), true
	case 1:
		return truth(!zero), true
	}
	return no, false
}

// remembers carries out an expression that puts the packet's key into a set or takes it out, and does no more: the rule goes on.
// What is looked up in that set afterwards cannot be told.
func (e *eval) remembers(o *state.Opaque) bool {
	const inverted, expr = 1, 2 // NFT_DYNSET_F_INV, NFT_DYNSET_F_EXPR
	if o.Name != "dynset" || hasAttr(o.Data, 7) || hasAttr(o.Data, 10) || attrU32(o.Data, 9)&(inverted|expr) != 0 {
		return false
	}
	set := attr(o.Data, 1) // NFTA_DYNSET_SET_NAME
	if e.aside || e.table == nil || set == nil {
		return false
	}
	name := string(bytes.TrimRight(set, "\x00"))
	if s := e.table.Set(name); s == nil || len(s.Statements) > 0 {
		return false
	}
	e.ns.changed = append(e.ns.changed, e.table.Key()+" "+name)
	return true
}

// telling names the expression of a rule that says most about why it is not understood.
func telling(list []state.Expr) string {
	name := ""
	for _, x := range list {
		switch {
		case x.Opaque == nil || harmless(x.Opaque):
			continue
		case name == "":
			name = x.Opaque.Name
		}
		switch x.Opaque.Name {
		case "payload", "meta", "ct", "immediate", "bitwise", "byteorder", "cmp", "range", "lookup":
		default:
			return x.Opaque.Name
		}
	}
	return name
}

// passive reports whether an expression of nftables changes nothing about where the packet goes.
func passive(o *state.Opaque) bool {
	switch o.Name {
	case "payload":
		return !hasAttr(o.Data, 5) // NFTA_PAYLOAD_SREG: it writes
	case "meta":
		return !hasAttr(o.Data, 3) // NFTA_META_SREG
	case "ct":
		return !hasAttr(o.Data, 4) // NFTA_CT_SREG
	case "exthdr":
		return !hasAttr(o.Data, 7) // NFTA_EXTHDR_SREG
	case "bitwise", "byteorder", "immediate", "cmp", "range", "lookup", "counter", "log", "last", "hash", "numgen", "rt",
		"socket", "osf", "fib", "xfrm", "tunnel", "connlimit", "quota", "limit", "dynset", "objref", "dup":
		return true
	}
	return false
}

// hasAttr looks for a netlink attribute (netlink(7)).
func hasAttr(b []byte, typ uint16) bool { return attr(b, typ) != nil }

// attr is what a netlink attribute holds, nil where it is not there.
func attr(b []byte, typ uint16) []byte {
	for len(b) >= 4 {
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			return nil
		}
		if binary.NativeEndian.Uint16(b[2:])&0x3fff == typ {
			return b[4:n]
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil
}

// attrU32 is a number of nftables, in network order; 0 where it is not there.
func attrU32(b []byte, typ uint16) uint32 {
	if v := attr(b, typ); len(v) >= 4 {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}
