package xt

import (
	"encoding/binary"
	"net/netip"

	"warren/state"
)

// DecodeMatch reads a match's data, as it follows struct xt_entry_match or stands in NFTA_MATCH_INFO. v6 says that the
// rule is one of ip6tables.
func DecodeMatch(name string, revision uint8, data []byte, v6 bool) state.XTMatch {
	m := state.XTMatch{Name: name, Revision: revision}
	if !decodeMatch(&m, data, v6) {
		m = state.XTMatch{Name: name, Revision: revision, Data: append([]byte(nil), data...)}
	}
	return m
}

// decodeMatch reports whether the match is understood in full.
func decodeMatch(m *state.XTMatch, d []byte, v6 bool) bool {
	has := func(revision uint8, n int) bool { return m.Revision == revision && len(d) >= n }
	switch m.Name {
	case "tcp":
		if has(0, 12) {
			m.Ports = ports(d, d[11])
			m.Ports.FlagsMask, m.Ports.Flags, m.Ports.FlagsInverted = d[9], d[10], d[11]&4 != 0
			m.Ports.Option, m.Ports.OptionInverted = d[8], d[11]&8 != 0
			return true
		}
	case "udp", "udplite":
		if has(0, 9) {
			m.Ports = ports(d, d[8])
			return true
		}
	case "sctp":
		return has(0, 68) && sctp(m, d)
	case "multiport":
		return has(1, 48) && multiport(m, d)
	case "conntrack":
		return conntrack(m, d, v6)
	case "state":
		if has(0, 4) {
			m.Conntrack = &state.XTConntrack{Match: matchState, States: states(uint16(u32(d)), true)}
			return true
		}
	case "mark", "connmark":
		if has(1, 9) {
			m.Mark = &state.XTMark{Value: u32(d), Mask: u32(d[4:]), Inverted: d[8] != 0}
			return true
		}
	case "addrtype":
		return addrtype(m, d)
	case "icmp", "icmp6":
		if has(0, 4) {
			m.ICMP = &state.XTICMP{Type: d[0], Code: [2]uint8{d[1], d[2]}, Inverted: d[3]&1 != 0}
			return true
		}
	case "mac":
		if has(0, 12) {
			m.MAC = &state.XTMAC{MAC: state.MAC(d[:6]), Inverted: u32(d[8:]) != 0}
			return true
		}
	case "physdev":
		if has(0, 66) {
			m.PhysDev = &state.XTPhysDev{In: device(d[:16], d[16:32]), Out: device(d[32:48], d[48:64]), Invert: d[64], Match: d[65]}
			return true
		}
	case "rpfilter":
		if has(0, 1) {
			m.RPFilter = &state.XTRPFilter{Loose: d[0]&1 != 0, ValidMark: d[0]&2 != 0, AcceptLocal: d[0]&4 != 0, Inverted: d[0]&8 != 0}
			return d[0]&^0xf == 0
		}
	case "iprange":
		return has(1, 65) && iprange(m, d, v6)
	case "pkttype":
		if has(0, 8) {
			m.PktType = &state.XTPktType{Type: uint8(u32(d)), Inverted: u32(d[4:]) != 0}
			return true
		}
	case "length":
		if has(0, 5) {
			m.Length = &state.XTLength{Min: u16(d), Max: u16(d[2:]), Inverted: d[4] != 0}
			return true
		}
	case "set":
		return set(m, d)
	case "owner", "ttl", "hl", "tos", "dscp", "devgroup", "policy", "helper":
		return decodeMore(m, d)
	case "comment":
		s := cstring(d)
		m.Comment = &s
		return true
	}
	return false
}

func u16(b []byte) uint16 { return binary.NativeEndian.Uint16(b) }

func u32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }

// ports reads spts and dpts of struct xt_tcp and xt_udp.
func ports(d []byte, inv byte) *state.XTPorts {
	return &state.XTPorts{
		Src: [2]uint16{u16(d), u16(d[2:])}, Dst: [2]uint16{u16(d[4:]), u16(d[6:])},
		SrcInverted: inv&1 != 0, DstInverted: inv&2 != 0,
	}
}

// sctp reads struct xt_sctp_info, unless it compares chunks. The destination comes first.
func sctp(m *state.XTMatch, d []byte) bool {
	const srcPorts, dstPorts, chunkTypes = 1, 2, 4
	flags, inv := u32(d[60:]), u32(d[64:])
	if flags&chunkTypes != 0 {
		return false
	}
	m.Ports = &state.XTPorts{Src: [2]uint16{0, 0xffff}, Dst: [2]uint16{0, 0xffff}}
	if flags&srcPorts != 0 {
		m.Ports.Src, m.Ports.SrcInverted = [2]uint16{u16(d[4:]), u16(d[6:])}, inv&srcPorts != 0
	}
	if flags&dstPorts != 0 {
		m.Ports.Dst, m.Ports.DstInverted = [2]uint16{u16(d), u16(d[2:])}, inv&dstPorts != 0
	}
	return true
}

// multiport reads struct xt_multiport_v1: a port whose flag is set is the first of a range, the next one is its last.
func multiport(m *state.XTMatch, d []byte) bool {
	const most = 15
	n := int(d[1])
	if n > most || d[0] > 2 {
		return false
	}
	p := &state.XTMultiport{Which: [3]string{"source", "destination", "either"}[d[0]], Inverted: d[47] != 0, Ranges: [][2]uint16{}}
	for i := 0; i < n; i++ {
		first := u16(d[2+2*i:])
		last := first
		if d[32+i] != 0 && i+1 < n {
			i++
			last = u16(d[2+2*i:])
		}
		p.Ranges = append(p.Ranges, [2]uint16{first, last})
	}
	m.Multiport = p
	return true
}

// addrtype reads struct xt_addrtype_info and xt_addrtype_info_v1.
func addrtype(m *state.XTMatch, d []byte) bool {
	switch {
	case m.Revision == 1 && len(d) >= 8:
		f := u32(d[4:])
		m.AddrType = &state.XTAddrType{
			Src: u16(d), Dst: u16(d[2:]), SrcInverted: f&1 != 0, DstInverted: f&2 != 0, LimitIn: f&4 != 0, LimitOut: f&8 != 0,
		}
	case m.Revision == 0 && len(d) >= 12:
		m.AddrType = &state.XTAddrType{Src: u16(d), Dst: u16(d[2:]), SrcInverted: u32(d[4:]) != 0, DstInverted: u32(d[8:]) != 0}
	default:
		return false
	}
	return true
}

// iprange reads struct xt_iprange_mtinfo.
func iprange(m *state.XTMatch, d []byte, v6 bool) bool {
	const src, dst, srcInv, dstInv = 0x01, 0x02, 0x10, 0x20
	f := d[64]
	r := &state.XTIPRange{SrcInverted: f&srcInv != 0, DstInverted: f&dstInv != 0}
	if f&src != 0 {
		r.Src = [2]netip.Addr{inetAddr(d, v6), inetAddr(d[16:], v6)}
	}
	if f&dst != 0 {
		r.Dst = [2]netip.Addr{inetAddr(d[32:], v6), inetAddr(d[48:], v6)}
	}
	m.IPRange = r
	return true
}

// inetAddr reads union nf_inet_addr.
func inetAddr(b []byte, v6 bool) netip.Addr {
	if v6 {
		return netip.AddrFrom16([16]byte(b[:16]))
	}
	return netip.AddrFrom4([4]byte(b[:4]))
}
