package rtnl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"warren/internal/nl"
	"warren/state"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Sizes of struct br_port_msg and struct br_mdb_entry (linux/if_bridge.h).
const (
	brPortLen   = 8
	mdbEntryLen = 28
)

// Attributes of multicast groups (MDBA_*).
const (
	mdbaMDB, mdbaRouter = 1, 2
	mdbaEntry           = 1 // in mdbaMDB
	mdbaEntryInfo       = 1 // in mdbaEntry
	mdbaRouterPort      = 1 // in mdbaRouter
	mdbaAttrSource      = 4 // after struct br_mdb_entry
	mdbaRouterVID       = 6 // after a router port's index (MDBA_ROUTER_PATTR_VID)
)

// mdbStates are MDB_TEMPORARY and MDB_PERMANENT.
var mdbStates = words{"temp", "permanent"}

// DumpMDB reads the multicast groups of all bridges.
func DumpMDB() nl.Request {
	b := make([]byte, brPortLen)
	b[0] = unix.AF_BRIDGE
	return nl.Request{Type: unix.RTM_GETMDB, Data: b}
}

// DecodeMDBs reads a dump of multicast groups: each message is about one bridge.
func DecodeMDBs(msgs []netlink.Message, names Names) ([]state.MDBEntry, error) {
	var list []state.MDBEntry
	var errs []error
	for _, m := range msgs {
		// The kernel calls the messages of a dump RTM_GETMDB.
		if m.Header.Type != unix.RTM_NEWMDB && m.Header.Type != unix.RTM_GETMDB {
			continue
		}
		l, err := DecodeMDB(m.Data, names)
		list = append(list, l...)
		errs = append(errs, err)
	}
	return list, errors.Join(errs...)
}

// DecodeMDB reads the body of an RTM_NEWMDB or RTM_DELMDB message: the groups of one bridge, and the ports behind which
// multicast routers are.
func DecodeMDB(data []byte, names Names) ([]state.MDBEntry, error) {
	head, w, err := header(data, brPortLen)
	if err != nil {
		return nil, fmt.Errorf("multicast groups: %w", err)
	}
	bridge := nameOf(names, binary.NativeEndian.Uint32(head[4:]))
	var list []state.MDBEntry
	for w.next() {
		in := walk(w.data)
		switch w.typ {
		case mdbaMDB:
			for in.next() {
				group := walk(in.data)
				for group.next() {
					if group.typ == mdbaEntryInfo {
						list = append(list, group.mdbEntry(bridge, names))
					}
				}
				in.fail2(group.err)
			}
		case mdbaRouter:
			for in.next() {
				if in.typ == mdbaRouterPort {
					list = append(list, in.mdbRouter(bridge, names))
				}
			}
		}
		w.fail2(in.err)
	}
	if w.err != nil {
		return list, fmt.Errorf("multicast groups of %s: %w", bridge, w.err)
	}
	return list, nil
}

// fail2 takes over the error of a walker inside, if there is one.
func (w *walker) fail2(err error) {
	if err != nil {
		w.fail(err)
	}
}

// mdbEntry reads struct br_mdb_entry and what follows it.
func (w *walker) mdbEntry(bridge string, names Names) state.MDBEntry {
	if len(w.data) < mdbEntryLen {
		w.fail(fmt.Errorf("%w: a group of %d bytes", ErrMalformed, len(w.data)))
		return state.MDBEntry{}
	}
	b := w.data
	m := state.MDBEntry{
		Bridge: bridge, Port: nameOf(names, binary.NativeEndian.Uint32(b)), State: mdbStates.name(uint32(b[4])),
		Flags: b[5], VLAN: binary.NativeEndian.Uint16(b[6:]),
	}
	switch binary.BigEndian.Uint16(b[24:]) {
	case unix.ETH_P_IP:
		m.Group = netip.AddrFrom4([4]byte(b[8:12]))
	case unix.ETH_P_IPV6:
		m.Group = netip.AddrFrom16([16]byte(b[8:24]))
	default:
		m.MAC = state.MAC(b[8:14])
	}
	in := walk(b[mdbEntryLen:])
	for in.next() {
		if in.typ == mdbaAttrSource {
			m.Source = in.addr()
		}
	}
	w.fail2(in.err)
	return m
}

// mdbRouter reads the index of a port and what follows it.
func (w *walker) mdbRouter(bridge string, names Names) state.MDBEntry {
	if len(w.data) < 4 {
		w.fail(fmt.Errorf("%w: a router port of %d bytes", ErrMalformed, len(w.data)))
		return state.MDBEntry{}
	}
	m := state.MDBEntry{Bridge: bridge, Port: nameOf(names, binary.NativeEndian.Uint32(w.data)), Router: true}
	in := walk(w.data[4:])
	for in.next() {
		if in.typ == mdbaRouterVID {
			m.VLAN = in.u16()
		}
	}
	w.fail2(in.err)
	return m
}

// EncodeMDB writes the body of an RTM_NEWMDB message of one bridge as the kernel would.
func EncodeMDB(bridge string, list []state.MDBEntry, names Names) ([]byte, error) {
	e := newEncoder()
	index, err := indexOf(names, bridge)
	if err != nil {
		return nil, err
	}
	e.b = append(e.b, unix.AF_BRIDGE, 0, 0, 0)
	e.b = binary.NativeEndian.AppendUint32(e.b, index)
	for _, m := range list {
		port, err := indexOf(names, m.Port)
		if err != nil {
			return nil, err
		}
		if m.Router {
			at := e.begin(mdbaRouter)
			in := e.begin(mdbaRouterPort)
			e.b = binary.NativeEndian.AppendUint32(e.b, port)
			e.optU16(mdbaRouterVID, m.VLAN)
			e.end(in)
			e.end(at)
			continue
		}
		state, err := mdbStates.value("state of a group", m.State)
		if err != nil {
			return nil, err
		}
		at := e.begin(mdbaMDB)
		entry := e.begin(mdbaEntry)
		info := e.begin(mdbaEntryInfo)
		b := make([]byte, mdbEntryLen)
		binary.NativeEndian.PutUint32(b, port)
		b[4], b[5] = byte(state), m.Flags
		binary.NativeEndian.PutUint16(b[6:], m.VLAN)
		switch {
		case m.Group.Is4():
			copy(b[8:], m.Group.AsSlice())
			binary.BigEndian.PutUint16(b[24:], unix.ETH_P_IP)
		case m.Group.Is6():
			copy(b[8:], m.Group.AsSlice())
			binary.BigEndian.PutUint16(b[24:], unix.ETH_P_IPV6)
		default:
			copy(b[8:], m.MAC[:])
		}
		e.b = append(e.b, b...)
		e.optAddr(mdbaAttrSource, m.Source)
		e.end(info)
		e.end(entry)
		e.end(at)
	}
	return e.data()
}
