package xt

import "warren/state"

// decodeMore reads matches about the sender's socket, the IP header's small fields, and what is beside the packet.
func decodeMore(m *state.XTMatch, d []byte) bool {
	has := func(revision uint8, n int) bool { return m.Revision == revision && len(d) >= n }
	switch m.Name {
	case "owner": // struct xt_owner_match_info
		if has(1, 18) {
			m.Owner = &state.XTOwner{UID: [2]uint32{u32(d), u32(d[4:])}, GID: [2]uint32{u32(d[8:]), u32(d[12:])}, Match: d[16], Invert: d[17]}
			return m.Owner.Match&^0xf == 0
		}
	case "ttl", "hl": // struct ipt_ttl_info, ip6t_hl_info
		if has(0, 2) {
			m.TTL = &state.XTTTL{Op: word(uint32(d[0]), "==", "!=", "<", ">"), Value: d[1]}
			return m.TTL.Op != ""
		}
	case "dscp": // struct xt_dscp_info
		if has(0, 2) {
			m.TOS = &state.XTTOS{Value: d[0] << 2, Mask: dscpMask, Inverted: d[1] != 0}
			return true
		}
	case "tos": // struct xt_tos_match_info
		if has(1, 3) {
			m.TOS = &state.XTTOS{Value: d[1], Mask: d[0], Inverted: d[2] != 0}
			return true
		}
	case "devgroup":
		return has(0, 20) && devgroup(m, d)
	case "policy":
		return has(0, 308) && policy(m, d)
	case "helper": // struct xt_helper_info
		if has(0, 34) {
			m.Helper = &state.XTHelper{Inverted: u32(d) != 0, Name: cstring(d[4:34])}
			return true
		}
	}
	return false
}

// dscpMask are the bits of the type of service that are the DSCP (RFC 2474).
const dscpMask = 0xfc

// devgroup reads struct xt_devgroup_info.
func devgroup(m *state.XTMatch, d []byte) bool {
	const src, srcInv, dst, dstInv = 1, 2, 4, 8
	f := u32(d)
	m.DevGroup = &state.XTDevGroup{}
	if f&src != 0 {
		m.DevGroup.Src = &state.XTMark{Value: u32(d[4:]), Mask: u32(d[8:]), Inverted: f&srcInv != 0}
	}
	if f&dst != 0 {
		m.DevGroup.Dst = &state.XTMark{Value: u32(d[12:]), Mask: u32(d[16:]), Inverted: f&dstInv != 0}
	}
	return f&^0xf == 0
}

// policy reads the end of struct xt_policy_info, behind its four elements.
func policy(m *state.XTMatch, d []byte) bool {
	const in, out, none = 1, 2, 4
	f := u16(d[304:])
	m.Policy = &state.XTPolicy{Dir: "in", None: f&none != 0, Data: append([]byte(nil), d...)}
	if f&out != 0 {
		m.Policy.Dir = "out"
	}
	return f&(in|out) == in || f&(in|out) == out
}
