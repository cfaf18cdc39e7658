package rtnl

import (
	"encoding/binary"
	"fmt"

	"warren/state"

	"golang.org/x/sys/unix"
)

// macvlanModes are enum macvlan_mode: bits, one at a time.
var macvlanModes = words{1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"}

var ipvlanModes = words{"l2", "l3", "l3s"}

// kindData writes IFLA_INFO_DATA for the link's kind when the value has some. Message says that it is for a message as the
// kernel sends it, with what cannot be set.
func (e *encoder) kindData(l *state.Link, names Names, message bool) {
	at := e.begin(unix.IFLA_INFO_DATA)
	switch {
	case l.Kind == "bridge" && l.Bridge != nil:
		e.bridge(l.Bridge)
	case l.Kind == "vxlan" && l.VXLAN != nil:
		if l.Lower != nil {
			if message {
				e.peerIndex(unix.IFLA_VXLAN_LINK, l.Lower, names)
			} else {
				e.index(unix.IFLA_VXLAN_LINK, names, l.Lower.Name)
			}
		}
		e.vxlan(l.VXLAN)
	case (l.Kind == "macvlan" || l.Kind == "macvtap") && l.MACVLAN != nil:
		e.mode(unix.IFLA_MACVLAN_MODE, 4, macvlanModes, l.MACVLAN.Mode)
		e.optU16(unix.IFLA_MACVLAN_FLAGS, l.MACVLAN.Flags)
	case l.Kind == "ipvlan" && l.IPVLAN != nil:
		e.mode(unix.IFLA_IPVLAN_MODE, 2, ipvlanModes, l.IPVLAN.Mode)
		e.optU16(unix.IFLA_IPVLAN_FLAGS, l.IPVLAN.Flags)
	case l.Kind == "vlan" && l.VLAN != nil:
		e.u16(unix.IFLA_VLAN_ID, l.VLAN.ID)
		e.optBE16(unix.IFLA_VLAN_PROTOCOL, l.VLAN.Protocol)
		if l.VLAN.Flags != 0 {
			// struct ifla_vlan_flags: the flags, and which of them are meant.
			b := binary.NativeEndian.AppendUint32(nil, l.VLAN.Flags)
			e.bytes(unix.IFLA_VLAN_FLAGS, binary.NativeEndian.AppendUint32(b, l.VLAN.Flags))
		}
	case l.Kind == "tun" && l.Tun != nil && message:
		e.tun(l.Tun)
	default:
		e.b = e.b[:at]
		return
	}
	e.end(at)
}

// mode writes a mode of two or four bytes; "" is not written.
func (e *encoder) mode(typ uint16, size int, of words, mode string) {
	if mode == "" {
		return
	}
	v, err := of.value("mode", mode)
	if err != nil {
		e.fail(err)
		return
	}
	if size == 2 {
		e.u16(typ, uint16(v))
		return
	}
	e.u32(typ, v)
}

// decodeKindData reads IFLA_INFO_DATA. Lower is a vxlan's underlay.
func decodeKindData(l *state.Link, data []byte) (lower uint32, err error) {
	w := walk(data)
	switch l.Kind {
	case "bridge":
		l.Bridge = w.bridge()
	case "vxlan":
		l.VXLAN, lower = w.vxlan()
	case "macvlan", "macvtap":
		l.MACVLAN = &state.MACVLAN{}
		for w.next() {
			switch w.typ {
			case unix.IFLA_MACVLAN_MODE:
				l.MACVLAN.Mode = macvlanModes.name(w.u32())
			case unix.IFLA_MACVLAN_FLAGS:
				l.MACVLAN.Flags = w.u16()
			case unix.IFLA_MACVLAN_MACADDR_DATA:
				for n := walk(w.data); n.next(); {
					if n.typ == unix.IFLA_MACVLAN_MACADDR && len(n.data) == len(state.MAC{}) {
						l.MACVLAN.Sources = append(l.MACVLAN.Sources, state.MAC(n.data))
					}
				}
			}
		}
	case "ipvlan":
		l.IPVLAN = &state.IPVLAN{}
		for w.next() {
			switch w.typ {
			case unix.IFLA_IPVLAN_MODE:
				l.IPVLAN.Mode = ipvlanModes.name(uint32(w.u16()))
			case unix.IFLA_IPVLAN_FLAGS:
				l.IPVLAN.Flags = w.u16()
			}
		}
	case "vlan":
		l.VLAN = &state.VLAN{}
		for w.next() {
			switch w.typ {
			case unix.IFLA_VLAN_ID:
				l.VLAN.ID = w.u16()
			case unix.IFLA_VLAN_PROTOCOL:
				l.VLAN.Protocol = w.be16()
			case unix.IFLA_VLAN_FLAGS:
				if w.sized(8) {
					l.VLAN.Flags = binary.NativeEndian.Uint32(w.data)
				}
			}
		}
	case "tun":
		l.Tun = w.tun()
	default:
		return 0, nil
	}
	if w.err != nil {
		return 0, fmt.Errorf("attributes of kind %s: %w", l.Kind, w.err)
	}
	return lower, nil
}

// tunModes are IFF_TUN and IFF_TAP (linux/if_tun.h).
var tunModes = words{1: "tun", 2: "tap"}

func (w *walker) tun() *state.Tun {
	t := &state.Tun{}
	for w.next() {
		switch w.typ {
		case unix.IFLA_TUN_OWNER:
			v := w.u32()
			t.Owner = &v
		case unix.IFLA_TUN_GROUP:
			v := w.u32()
			t.GroupID = &v
		case unix.IFLA_TUN_TYPE:
			t.Mode = tunModes.name(uint32(w.u8()))
		case unix.IFLA_TUN_PI:
			t.PacketInfo = w.u8() != 0
		case unix.IFLA_TUN_VNET_HDR:
			t.VnetHeader = w.u8() != 0
		case unix.IFLA_TUN_PERSIST:
			t.Persist = w.u8() != 0
		case unix.IFLA_TUN_MULTI_QUEUE:
			t.MultiQueue = w.u8() != 0
		}
	}
	return t
}

func (e *encoder) tun(t *state.Tun) {
	if t.Owner != nil {
		e.u32(unix.IFLA_TUN_OWNER, *t.Owner)
	}
	if t.GroupID != nil {
		e.u32(unix.IFLA_TUN_GROUP, *t.GroupID)
	}
	if t.Mode != "" {
		v, err := tunModes.value("mode", t.Mode)
		if err != nil {
			e.fail(err)
		}
		e.u8(unix.IFLA_TUN_TYPE, uint8(v))
	}
	e.boolean(unix.IFLA_TUN_PI, &t.PacketInfo)
	e.boolean(unix.IFLA_TUN_VNET_HDR, &t.VnetHeader)
	e.boolean(unix.IFLA_TUN_PERSIST, &t.Persist)
	e.boolean(unix.IFLA_TUN_MULTI_QUEUE, &t.MultiQueue)
}
