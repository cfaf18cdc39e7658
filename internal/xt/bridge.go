package xt

import (
	"encoding/binary"

	"warren/state"
)

// DecodeBridgeMatch reads the data of one of ebtables' matches, as it follows struct ebt_entry_match or stands in
// NFTA_MATCH_INFO of a table of the family bridge.
func DecodeBridgeMatch(name string, revision uint8, data []byte) state.XTMatch {
	m := state.XTMatch{Name: name, Revision: revision}
	if revision != 0 || !decodeBridgeMatch(&m, data) {
		m = state.XTMatch{Name: name, Revision: revision, Data: append([]byte(nil), data...)}
	}
	return m
}

// Bits of ip and ip6 (EBT_IP_*, EBT_IP6_*), and of arp (EBT_ARP_*).
const (
	ebIP, ebIPICMP, ebIPIGMP = 0x3f, 0x40, 0x80
	ebARPAll, ebARPGrat      = 0x7f, 0x80
)

func decodeBridgeMatch(m *state.XTMatch, d []byte) bool {
	be16 := binary.BigEndian.Uint16
	switch m.Name {
	case "ip": // struct ebt_ip_info
		if len(d) < 28 {
			return false
		}
		x := state.XTEther{Match: d[18], Invert: d[19], TOS: d[16], Proto: d[17]}
		x.Src, x.Dst = maskedAddr(d[:4], d[8:12], x.Invert&1 != 0), maskedAddr(d[4:8], d[12:16], x.Invert&2 != 0)
		x.SPort, x.DPort = [2]uint16{u16(d[20:]), u16(d[22:])}, [2]uint16{u16(d[24:]), u16(d[26:])}
		if x.Match&ebIPICMP != 0 {
			x.ICMPType, x.ICMPCode = [2]uint8(d[20:22]), [2]uint8(d[22:24])
			x.SPort = [2]uint16{}
		}
		m.Ether = &x
		return x.Match&ebIPIGMP == 0
	case "ip6": // struct ebt_ip6_info
		if len(d) < 76 {
			return false
		}
		x := state.XTEther{Match: d[66], Invert: d[67], TOS: d[64], Proto: d[65]}
		x.Src, x.Dst = maskedAddr(d[:16], d[32:48], x.Invert&1 != 0), maskedAddr(d[16:32], d[48:64], x.Invert&2 != 0)
		x.SPort, x.DPort = [2]uint16{u16(d[68:]), u16(d[70:])}, [2]uint16{u16(d[72:]), u16(d[74:])}
		if x.Match&ebIPICMP != 0 {
			x.ICMPType, x.ICMPCode = [2]uint8(d[68:70]), [2]uint8(d[72:74])
			x.SPort, x.DPort = [2]uint16{}, [2]uint16{}
		}
		m.Ether = &x
		return x.Match&^(ebIP|ebIPICMP) == 0
	case "arp": // struct ebt_arp_info
		if len(d) < 50 {
			return false
		}
		x := state.XTEther{Match: d[48], Invert: d[49], HType: be16(d), PType: be16(d[2:]), Op: be16(d[4:])}
		x.Src, x.Dst = maskedAddr(d[8:12], d[12:16], x.Invert&8 != 0), maskedAddr(d[16:20], d[20:24], x.Invert&16 != 0)
		x.SrcMAC = &state.EBMAC{MAC: state.MAC(d[24:30]), Mask: state.MAC(d[30:36]), Inverted: x.Invert&32 != 0}
		x.DstMAC = &state.EBMAC{MAC: state.MAC(d[36:42]), Mask: state.MAC(d[42:48]), Inverted: x.Invert&64 != 0}
		m.Ether = &x
		return x.Match&ebARPGrat == 0
	case "mark_m": // struct ebt_mark_m_info: two longs
		const and = 1
		if len(d) < 18 || d[17] != and {
			return false
		}
		m.Mark = &state.XTMark{Value: uint32(binary.NativeEndian.Uint64(d)), Mask: uint32(binary.NativeEndian.Uint64(d[8:])), Inverted: d[16] != 0}
		return true
	case "pkttype": // struct ebt_pkttype_info
		if len(d) < 2 {
			return false
		}
		m.PktType = &state.XTPktType{Type: d[0], Inverted: d[1] != 0}
		return true
	}
	return false
}

// DecodeBridgeTarget reads the data of one of ebtables' targets other than the standard one.
func DecodeBridgeTarget(name string, revision uint8, data []byte) state.XTTarget {
	switch name {
	case "log", "nflog":
		return state.XTTarget{Name: name, Revision: revision, NoEffect: true}
	}
	return state.XTTarget{Name: name, Revision: revision, Data: append([]byte(nil), data...)}
}
