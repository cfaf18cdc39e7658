package rtnl

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"

	"warren/internal/nl"
	"warren/state"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// To tell of a thousand ports in full takes the kernel 15 ms: it looks up the id of the namespace at the other end of each port
// among a thousand. These requests do without that.

// noMaster is the IFLA_MASTER of a request for links that have none (Linux 5.17; older kernels know no link of that index).
const noMaster = ^uint32(0)

// DumpLoose reads the links that are enslaved to nothing.
func DumpLoose() nl.Request {
	e := newEncoder()
	e.linkHeader(0, 0, 0)
	e.u32(unix.IFLA_EXT_MASK, rtextSkipStats)
	e.u32(unix.IFLA_MASTER, noMaster)
	return nl.Request{Type: unix.RTM_GETLINK, Data: e.b}
}

// DumpEnslaved reads the links that are enslaved to one.
func DumpEnslaved(master int) nl.Request {
	e := newEncoder()
	e.linkHeader(0, 0, 0)
	e.u32(unix.IFLA_EXT_MASK, rtextSkipStats)
	e.u32(unix.IFLA_MASTER, uint32(master))
	return nl.Request{Type: unix.RTM_GETLINK, Data: e.b}
}

// DumpPorts reads what all bridges tell of their ports.
func DumpPorts() nl.Request {
	e := newEncoder()
	e.linkHeader(0, 0, 0)
	e.b[0] = unix.AF_BRIDGE
	return nl.Request{Type: unix.RTM_GETLINK, Data: e.b}
}

// A Port is what a bridge tells of one of its ports: nothing of its kind, nor of where its other end is.
type Port struct {
	Index  int
	Name   string
	Flags  uint32
	MAC    state.MAC
	Master string
	// Lower is the index of the link at the other end, or below; 0 = there is none, or it has the same index as the port.
	Lower int
}

// DecodePorts reads an answer to [DumpPorts], and enters the names into t. The names of the bridges have to be there.
func DecodePorts(msgs []netlink.Message, t *NameTable) ([]Port, error) {
	return decodeAll(msgs, unix.RTM_NEWLINK, func(b []byte) (Port, error) {
		p, err := decodePortLink(b, t)
		if err == nil {
			t.Set(p.Index, p.Name)
		}
		return p, err
	})
}

func decodePortLink(b []byte, names Names) (Port, error) {
	head, w, err := header(b, ifinfoLen)
	if err != nil {
		return Port{}, fmt.Errorf("port: %w", err)
	}
	if head[0] != unix.AF_BRIDGE {
		return Port{}, fmt.Errorf("port: family %d: %w", head[0], ErrFamily)
	}
	p := Port{Index: int(int32(binary.NativeEndian.Uint32(head[4:]))), Flags: binary.NativeEndian.Uint32(head[8:])}
	for w.next() {
		switch w.typ {
		case unix.IFLA_IFNAME:
			p.Name = w.str()
		case unix.IFLA_ADDRESS:
			p.MAC = w.mac()
		case unix.IFLA_MASTER:
			p.Master = nameOf(names, w.u32())
		case unix.IFLA_LINK:
			p.Lower = int(int32(w.u32()))
		}
	}
	if w.err != nil {
		return Port{}, fmt.Errorf("port %q: %w", p.Name, w.err)
	}
	return p, nil
}

// GetStation looks one station up in a bridge's forwarding table, outside of any VLAN (Linux 5.0). It is for [nl.Conn.Query]; ENOENT
// means that the table does not hold it.
func GetStation(bridge int, mac state.MAC) nl.Request {
	e := newEncoder()
	e.ndm(unix.AF_BRIDGE, nil, "", 0, 0)
	e.mac(unix.NDA_LLADDR, mac)
	e.u32(unix.NDA_MASTER, uint32(bridge))
	return nl.Request{Type: unix.RTM_GETNEIGH, Data: e.b}
}

// DumpFDBOf reads the forwarding table of one link, or of the bridge for one port.
func DumpFDBOf(index int) nl.Request {
	r := DumpFDB()
	binary.NativeEndian.PutUint32(r.Data[4:], uint32(index))
	return r
}

// OnlyIPv4 narrows a dump of addresses, routes or neighbours: the family comes first in all their headers.
func OnlyIPv4(dump nl.Request) nl.Request {
	dump.Data[0] = unix.AF_INET
	return dump
}

// DumpAddrsAt reads the addresses of the family of one in the namespace that the socket's one knows by an id (IFA_TARGET_NETNSID,
// Linux 4.20). The request for a single IPv6 address goes there, too, but its answer does not come back (Linux 6.18).
func DumpAddrsAt(like netip.Addr, id int) nl.Request {
	e := newEncoder()
	e.b = append(e.b, family(like), 0, 0, 0, 0, 0, 0, 0)
	e.u32(ifaTargetNSID, uint32(id))
	return nl.Request{Type: unix.RTM_GETADDR, Data: e.b}
}

// ifaTargetNSID is IFA_TARGET_NETNSID (linux/if_addr.h).
const ifaTargetNSID = 10

// HasAddr reports whether a message of a dump of addresses may be about that one, given as bytes: it is an own one, or a peer's, or
// cannot be read.
func HasAddr(data, a []byte) bool {
	_, w, err := header(data, ifaddrLen)
	for w.next() {
		if (w.typ == unix.IFA_LOCAL || w.typ == unix.IFA_ADDRESS) && (len(w.data) != len(a) || bytes.Equal(w.data, a)) {
			return true
		}
	}
	return err != nil || w.err != nil
}

// DecodeQueues reads a dump of queueing disciplines but for those that do nothing ("noqueue").
func DecodeQueues(msgs []netlink.Message, names Names) ([]state.Qdisc, error) {
	kept := make([]netlink.Message, 0, 8)
	for _, m := range msgs {
		if m.Header.Type != unix.RTM_NEWQDISC || !isNoqueue(m.Data) {
			kept = append(kept, m)
		}
	}
	return DecodeQdiscs(kept, names)
}

func isNoqueue(data []byte) bool {
	_, w, _ := header(data, tcmsgLen)
	for w.next() {
		if w.typ == tcaKind {
			return string(w.data) == "noqueue\x00"
		}
	}
	return false
}
