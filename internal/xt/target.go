package xt

import (
	"encoding/binary"

	"warren/state"
)

// DecodeTarget reads a target's data, as it follows struct xt_entry_target or stands in NFTA_TARGET_INFO. The standard
// target, which has no name, is not for here.
func DecodeTarget(name string, revision uint8, data []byte, v6 bool) state.XTTarget {
	t := state.XTTarget{Name: name, Revision: revision}
	if !decodeTarget(&t, data, v6) {
		t = state.XTTarget{Name: name, Revision: revision, Data: append([]byte(nil), data...)}
	}
	return t
}

// decodeTarget reports whether the target is understood in full.
func decodeTarget(t *state.XTTarget, d []byte, v6 bool) bool {
	switch t.Name {
	case "REJECT":
		if len(d) >= 4 {
			t.Reject = rejectWord(u32(d), v6)
		}
		return t.Reject != ""
	case "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP":
		t.NAT = nat(t, d, v6)
		return t.NAT != nil
	case "MARK":
		if t.Revision == 2 && len(d) >= 8 {
			t.SetMark = &state.XTMark{Value: u32(d), Mask: u32(d[4:])}
			return true
		}
	case "CONNMARK":
		return connmark(t, d)
	case "NOTRACK":
		t.Notrack = true
		return true
	case "CT":
		return ctTarget(t, d)
	case "TTL", "HL": // struct ipt_TTL_info, ip6t_HL_info
		if t.Revision == 0 && len(d) >= 2 {
			t.SetTTL = &state.XTSetTTL{Op: word(uint32(d[0]), "set", "inc", "dec"), Value: d[1]}
			return t.SetTTL.Op != ""
		}
	case "DSCP": // struct xt_DSCP_info
		if t.Revision == 0 && len(d) >= 1 {
			t.SetTOS = &state.XTTOS{Value: d[0] << 2, Mask: dscpMask}
			return true
		}
	case "TOS": // struct xt_tos_target_info
		if t.Revision == 1 && len(d) >= 2 {
			t.SetTOS = &state.XTTOS{Value: d[0], Mask: d[1]}
			return true
		}
	case "LOG", "NFLOG", "ULOG", "TRACE", "CLASSIFY", "AUDIT", "LED", "IDLETIMER", "SECMARK", "CONNSECMARK", "RATEEST",
		"CHECKSUM", "TCPMSS", "TCPOPTSTRIP", "TEE":
		t.NoEffect = true
		return true
	}
	return false
}

// ctTarget reads struct xt_ct_target_info and its later versions: no tracking, or a zone; a helper, a timeout or a choice of events
// alone change nothing about where packets go. A zone by mark is not understood.
func ctTarget(t *state.XTTarget, d []byte) bool {
	const notrack, alias, dirOrig, dirReply, byMark = 1, 2, 4, 8, 16
	if len(d) < 32 {
		return false
	}
	f, zone := u16(d), u16(d[2:])
	switch {
	case f&notrack != 0:
		t.Notrack = true
		return f&^(notrack|alias) == 0
	case f&byMark != 0 || f&^(dirOrig|dirReply) != 0:
		return false
	case zone == 0:
		t.NoEffect = true
		return true
	}
	t.Zone = &state.XTZone{ID: zone}
	switch f & (dirOrig | dirReply) {
	case dirOrig:
		t.Zone.Dir = "original"
	case dirReply:
		t.Zone.Dir = "reply"
	}
	return true
}

// connmark reads struct xt_connmark_tginfo1 and tginfo2, whose second has the shift before the mode. One that sets and shifts
// is not understood.
func connmark(t *state.XTTarget, d []byte) bool {
	const set, save, restore = 0, 1, 2
	shift := 0
	var mode byte
	switch {
	case t.Revision == 1 && len(d) >= 13:
		mode = d[12]
	case t.Revision == 2 && len(d) >= 15:
		if shift, mode = int(d[13]), d[14]; d[12] != 0 {
			shift = -shift
		}
	default:
		return false
	}
	switch mode {
	case set:
		t.SetMark = &state.XTMark{Value: u32(d), Mask: u32(d[4:])}
		return shift == 0
	case save, restore:
		t.ConnMark = &state.XTConnMark{Mode: [...]string{save: "save", restore: "restore"}[mode], ConnMask: u32(d[4:]), PacketMask: u32(d[8:]), Shift: shift}
		return shift > -32 && shift < 32
	}
	return false
}

// rejectWord names enum ipt_reject_with and ip6t_reject_with as nft does.
func rejectWord(v uint32, v6 bool) string {
	if v6 {
		return word(v, "icmpv6 no-route", "icmpv6 admin-prohibited", "icmpv6 not-neighbour", "icmpv6 addr-unreachable",
			"icmpv6 port-unreachable", "", "tcp reset", "icmpv6 policy-fail", "icmpv6 reject-route")
	}
	return word(v, "icmp net-unreachable", "icmp host-unreachable", "icmp prot-unreachable", "icmp port-unreachable", "",
		"icmp net-prohibited", "icmp host-prohibited", "tcp reset", "icmp admin-prohibited")
}

func word(v uint32, words ...string) string {
	if int64(v) < int64(len(words)) {
		return words[v]
	}
	return ""
}

// Flags of a range (NF_NAT_RANGE_*, linux/netfilter/nf_nat.h).
const (
	natMapIPs = 1 << 0
	natProto  = 1 << 1
)

// nat reads struct nf_nat_ipv4_multi_range_compat, nf_nat_range or nf_nat_range2, whichever the target has; nil for
// another one. A port range with a base (NF_NAT_RANGE_PROTO_OFFSET) is told by its flag.
func nat(t *state.XTTarget, d []byte, v6 bool) *state.XTNAT {
	n := &state.XTNAT{}
	old := !v6 && t.Revision == 0
	switch {
	case old && len(d) >= 20 && u32(d) == 1:
		n.Flags = u32(d[4:])
		if n.Flags&natMapIPs != 0 {
			n.Addr, n.AddrMax = inetAddr(d[8:], false), inetAddr(d[12:], false)
		}
		if n.Flags&natProto != 0 {
			n.Port, n.PortMax = binary.BigEndian.Uint16(d[16:]), binary.BigEndian.Uint16(d[18:])
		}
	case !old && t.Revision <= 2 && len(d) >= 40:
		n.Flags = u32(d)
		if n.Flags&natMapIPs != 0 {
			n.Addr, n.AddrMax = inetAddr(d[4:], v6), inetAddr(d[20:], v6)
		}
		if n.Flags&natProto != 0 {
			n.Port, n.PortMax = binary.BigEndian.Uint16(d[36:]), binary.BigEndian.Uint16(d[38:])
		}
	default:
		return nil
	}
	return n
}
