package rtnl

import (
	"encoding/binary"
	"net/netip"

	"warren/state"

	"golang.org/x/sys/unix"
)

// vxlan writes IFLA_VXLAN_*, except the underlay.
func (e *encoder) vxlan(v *state.VXLAN) {
	e.u32(unix.IFLA_VXLAN_ID, v.ID)
	either := func(v4, v6 uint16, a netip.Addr) {
		if !a.IsValid() {
			return
		}
		if a.Is4() {
			e.addr(v4, a)
			return
		}
		e.addr(v6, a)
	}
	either(unix.IFLA_VXLAN_GROUP, unix.IFLA_VXLAN_GROUP6, v.Remote)
	either(unix.IFLA_VXLAN_LOCAL, unix.IFLA_VXLAN_LOCAL6, v.Local)
	e.optU8(unix.IFLA_VXLAN_TTL, v.TTL)
	e.optU8(unix.IFLA_VXLAN_TOS, v.TOS)
	e.boolean(unix.IFLA_VXLAN_LEARNING, v.Learning)
	e.optU32(unix.IFLA_VXLAN_AGEING, v.Ageing)
	if v.PortMin != 0 || v.PortMax != 0 {
		b := binary.BigEndian.AppendUint16(nil, v.PortMin)
		e.bytes(unix.IFLA_VXLAN_PORT_RANGE, binary.BigEndian.AppendUint16(b, v.PortMax))
	}
	e.boolean(unix.IFLA_VXLAN_PROXY, v.Proxy)
	e.boolean(unix.IFLA_VXLAN_L2MISS, v.L2Miss)
	e.boolean(unix.IFLA_VXLAN_L3MISS, v.L3Miss)
	e.optBE16(unix.IFLA_VXLAN_PORT, v.Port)
	e.boolean(unix.IFLA_VXLAN_UDP_CSUM, v.UDPCsum)
	e.boolean(unix.IFLA_VXLAN_UDP_ZERO_CSUM6_TX, v.UDPZeroCsum6TX)
	e.boolean(unix.IFLA_VXLAN_UDP_ZERO_CSUM6_RX, v.UDPZeroCsum6RX)
	e.boolean(unix.IFLA_VXLAN_COLLECT_METADATA, v.External)
	e.optU8(unix.IFLA_VXLAN_DF, v.DF)
}

func (w *walker) vxlan() (v *state.VXLAN, lower uint32) {
	v = &state.VXLAN{}
	for w.next() {
		switch w.typ {
		case unix.IFLA_VXLAN_ID:
			v.ID = w.u32()
		case unix.IFLA_VXLAN_LINK:
			lower = w.u32()
		case unix.IFLA_VXLAN_GROUP:
			v.Remote = w.familyAddr(false)
		case unix.IFLA_VXLAN_GROUP6:
			v.Remote = w.familyAddr(true)
		case unix.IFLA_VXLAN_LOCAL:
			v.Local = w.familyAddr(false)
		case unix.IFLA_VXLAN_LOCAL6:
			v.Local = w.familyAddr(true)
		case unix.IFLA_VXLAN_TTL:
			v.TTL = w.u8()
		case unix.IFLA_VXLAN_TOS:
			v.TOS = w.u8()
		case unix.IFLA_VXLAN_LEARNING:
			v.Learning = w.boolean()
		case unix.IFLA_VXLAN_AGEING:
			v.Ageing = w.u32()
		case unix.IFLA_VXLAN_PORT_RANGE:
			if w.sized(4) {
				v.PortMin, v.PortMax = binary.BigEndian.Uint16(w.data), binary.BigEndian.Uint16(w.data[2:])
			}
		case unix.IFLA_VXLAN_PROXY:
			v.Proxy = w.boolean()
		case unix.IFLA_VXLAN_L2MISS:
			v.L2Miss = w.boolean()
		case unix.IFLA_VXLAN_L3MISS:
			v.L3Miss = w.boolean()
		case unix.IFLA_VXLAN_PORT:
			v.Port = w.be16()
		case unix.IFLA_VXLAN_UDP_CSUM:
			v.UDPCsum = w.boolean()
		case unix.IFLA_VXLAN_UDP_ZERO_CSUM6_TX:
			v.UDPZeroCsum6TX = w.boolean()
		case unix.IFLA_VXLAN_UDP_ZERO_CSUM6_RX:
			v.UDPZeroCsum6RX = w.boolean()
		case unix.IFLA_VXLAN_COLLECT_METADATA:
			v.External = w.boolean()
		case unix.IFLA_VXLAN_DF:
			v.DF = w.u8()
		}
	}
	return v, lower
}
