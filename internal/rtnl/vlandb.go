package rtnl

import (
	"encoding/binary"
	"errors"
	"fmt"

	"warren/internal/nl"
	"warren/state"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// brVLANLen is the size of struct br_vlan_msg (linux/if_bridge.h).
const brVLANLen = 8

// Messages and attributes of the VLANs of bridges and their ports (linux/rtnetlink.h, BRIDGE_VLANDB_*).
const (
	rtmNewVLAN, rtmGetVLAN               = 112, 114
	vlandbEntry                          = 1
	vlandbInfo, vlandbRange, vlandbState = 1, 2, 3
	bridgeVLANPVID, bridgeVLANUntagged   = 1 << 1, 1 << 2 // BRIDGE_VLAN_INFO_*
)

// DumpVLANs reads the VLANs of all bridges and ports. Linux 5.6.
func DumpVLANs() nl.Request {
	b := make([]byte, brVLANLen)
	b[0] = unix.AF_BRIDGE
	return nl.Request{Type: rtmGetVLAN, Data: b}
}

// DecodeVLANs reads a dump of VLANs: each message is about one link.
func DecodeVLANs(msgs []netlink.Message, names Names) ([]state.PortVLAN, error) {
	var list []state.PortVLAN
	var errs []error
	for _, m := range msgs {
		if m.Header.Type != rtmNewVLAN {
			continue
		}
		l, err := DecodeVLAN(m.Data, names)
		list = append(list, l...)
		errs = append(errs, err)
	}
	return list, errors.Join(errs...)
}

// DecodeVLAN reads the body of an RTM_NEWVLAN or RTM_DELVLAN message: the VLANs of a bridge or of a port.
func DecodeVLAN(data []byte, names Names) ([]state.PortVLAN, error) {
	head, w, err := header(data, brVLANLen)
	if err != nil {
		return nil, fmt.Errorf("VLANs: %w", err)
	}
	link := nameOf(names, binary.NativeEndian.Uint32(head[4:]))
	var list []state.PortVLAN
	for w.next() {
		if w.typ != vlandbEntry {
			continue // options of the whole bridge
		}
		v := state.PortVLAN{Link: link}
		in := walk(w.data)
		for in.next() {
			switch in.typ {
			case vlandbInfo: // struct bridge_vlan_info
				if in.sized(4) {
					flags := binary.NativeEndian.Uint16(in.data)
					v.First = binary.NativeEndian.Uint16(in.data[2:])
					v.PVID, v.Untagged = flags&bridgeVLANPVID != 0, flags&bridgeVLANUntagged != 0
				}
			case vlandbRange:
				v.Last = in.u16()
			case vlandbState:
				v.State = in.u8()
			}
		}
		if v.Last == v.First {
			v.Last = 0
		}
		w.fail2(in.err)
		list = append(list, v)
	}
	if w.err != nil {
		return list, fmt.Errorf("VLANs of %s: %w", link, w.err)
	}
	return list, nil
}

// EncodeVLAN writes the body of an RTM_NEWVLAN message of one link as the kernel would.
func EncodeVLAN(link string, list []state.PortVLAN, names Names) ([]byte, error) {
	e := newEncoder()
	index, err := indexOf(names, link)
	if err != nil {
		return nil, err
	}
	e.b = append(e.b, unix.AF_BRIDGE, 0, 0, 0)
	e.b = binary.NativeEndian.AppendUint32(e.b, index)
	for _, v := range list {
		at := e.begin(vlandbEntry)
		var flags uint16
		if v.PVID {
			flags |= bridgeVLANPVID
		}
		if v.Untagged {
			flags |= bridgeVLANUntagged
		}
		b := binary.NativeEndian.AppendUint16(nil, flags)
		e.bytes(vlandbInfo, binary.NativeEndian.AppendUint16(b, v.First))
		e.optU16(vlandbRange, v.Last)
		e.optU8(vlandbState, v.State)
		e.end(at)
	}
	return e.data()
}
