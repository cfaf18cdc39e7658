package rtnl

import (
	"encoding/binary"
	"fmt"

	"warren/internal/nl"
	"warren/state"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// CreateFDB adds an entry to a forwarding table: the device's own unless Flags or Master say that it is the bridge's. It is
// permanent unless it says something else.
func CreateFDB(f state.FDBEntry, names Names) (nl.Request, error) {
	return fdbRequest(f, names, unix.RTM_NEWNEIGH, create)
}

// AppendFDB adds one more remote for an address that a vxlan has already (the all-zero address: where to flood to).
func AppendFDB(f state.FDBEntry, names Names) (nl.Request, error) {
	return fdbRequest(f, names, unix.RTM_NEWNEIGH, netlink.Create|netlink.Append)
}

// ReplaceFDB adds an entry, or changes the one with this address.
func ReplaceFDB(f state.FDBEntry, names Names) (nl.Request, error) {
	return fdbRequest(f, names, unix.RTM_NEWNEIGH, netlink.Create|netlink.Replace)
}

// DeleteFDB deletes an entry.
func DeleteFDB(f state.FDBEntry, names Names) (nl.Request, error) {
	return fdbRequest(f, names, unix.RTM_DELNEIGH, 0)
}

// DumpFDB reads all forwarding tables.
func DumpFDB() nl.Request {
	b := make([]byte, ndmLen)
	b[0] = unix.AF_BRIDGE
	return nl.Request{Type: unix.RTM_GETNEIGH, Data: b}
}

// EncodeFDB writes the body of an RTM_NEWNEIGH message of AF_BRIDGE as the kernel would.
func EncodeFDB(f state.FDBEntry, names Names) ([]byte, error) {
	e := newEncoder()
	e.fdb(&f, names, false)
	return e.data()
}

func fdbRequest(f state.FDBEntry, names Names, typ int, flags netlink.HeaderFlags) (nl.Request, error) {
	if f.Flags&(unix.NTF_SELF|unix.NTF_MASTER) == 0 {
		if f.Master != "" {
			f.Flags |= unix.NTF_MASTER
		} else {
			f.Flags |= unix.NTF_SELF
		}
	}
	e := newEncoder()
	e.fdb(&f, names, true)
	return e.request(typ, flags)
}

func (e *encoder) fdb(f *state.FDBEntry, names Names, request bool) {
	st := e.stateValue(fdbStates(), f.State)
	if request && st == unix.NUD_NOARP {
		st |= unix.NUD_REACHABLE
	}
	e.ndm(unix.AF_BRIDGE, names, f.Link, st, f.Flags)
	e.mac(unix.NDA_LLADDR, f.MAC)
	e.optU16(unix.NDA_VLAN, f.VLAN)
	e.optAddr(unix.NDA_DST, f.Dst)
	e.optBE16(unix.NDA_PORT, f.Port)
	e.optU32(unix.NDA_VNI, f.VNI)
	e.index(unix.NDA_IFINDEX, names, f.Via)
	if request {
		return // NTF_MASTER says it
	}
	e.index(unix.NDA_MASTER, names, f.Master)
	if f.NSID != nil {
		e.u32(unix.NDA_LINK_NETNSID, uint32(*f.NSID))
	}
}

// DecodeFDB reads the body of an RTM_NEWNEIGH or RTM_DELNEIGH message of AF_BRIDGE; another family is [ErrFamily].
func DecodeFDB(data []byte, names Names) (state.FDBEntry, error) {
	head, w, err := header(data, ndmLen)
	if err != nil {
		return state.FDBEntry{}, fmt.Errorf("forwarding entry: %w", err)
	}
	if head[0] != unix.AF_BRIDGE {
		return state.FDBEntry{}, fmt.Errorf("forwarding entry: family %d: %w", head[0], ErrFamily)
	}
	f := state.FDBEntry{
		Link:  nameOf(names, binary.NativeEndian.Uint32(head[4:])),
		State: stateWord(fdbStates(), binary.NativeEndian.Uint16(head[8:])),
		Flags: head[10],
	}
	for w.next() {
		switch w.typ {
		case unix.NDA_LLADDR:
			f.MAC = w.mac()
		case unix.NDA_VLAN:
			f.VLAN = w.u16()
		case unix.NDA_DST:
			f.Dst = w.addr()
		case unix.NDA_PORT:
			f.Port = w.be16()
		case unix.NDA_VNI:
			f.VNI = w.u32()
		case unix.NDA_IFINDEX:
			f.Via = nameOf(names, w.u32())
		case unix.NDA_MASTER:
			f.Master = nameOf(names, w.u32())
		case unix.NDA_LINK_NETNSID:
			v := int(int32(w.u32()))
			f.NSID = &v
		}
	}
	if w.err != nil {
		return state.FDBEntry{}, fmt.Errorf("forwarding entry: %w", w.err)
	}
	return f, nil
}
