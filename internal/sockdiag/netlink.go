package sockdiag

import (
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
)

// NetlinkRequest asks for the netlink sockets of all protocols (struct netlink_diag_req).
func NetlinkRequest() nl.Request {
	const allProtocols, buffers, groups = 255, 1, 2
	b := []byte{unix.AF_NETLINK, allProtocols, 0, 0}
	b = native.AppendUint32(b, 0)
	b = native.AppendUint32(b, buffers|groups)
	return nl.Request{Type: byFamily, Data: appendCookie(b, 0)}
}

// NetlinkConnected is the state of a netlink socket that is connected; 0 is that of one that is not.
const NetlinkConnected = 1

// A Netlink is a netlink socket (netlink(7); struct netlink_diag_msg and its attributes).
type Netlink struct {
	Type, Protocol, State uint8
	Port                  uint32 // 0 is the kernel
	PeerPort, PeerGroup   uint32
	Inode                 uint32
	Cookie                uint64
	Buffers               *Buffers
	Groups                []byte // a bit for each, in words of the machine
}

// Attributes (enum in linux/netlink_diag.h).
const (
	netlinkBuffers = iota
	netlinkGroups
)

const netlinkLen = 28

// DecodeNetlink reads the data of a reply.
func DecodeNetlink(data []byte) (Netlink, error) {
	if len(data) < netlinkLen {
		return Netlink{}, short("netlink socket", len(data), netlinkLen)
	}
	a := rtnl.ParseAttrs(data[netlinkLen:])
	w := numbers(data[4:20])
	return Netlink{
		Type: data[1], Protocol: data[2], State: data[3], Port: w[0], PeerPort: w[1], PeerGroup: w[2], Inode: w[3],
		Cookie: cookie(data[20:]), Buffers: decodeBuffers(a, netlinkBuffers), Groups: some(a, netlinkGroups),
	}, nil
}

// Encode is the inverse of [DecodeNetlink].
func (s *Netlink) Encode() []byte {
	b := []byte{unix.AF_NETLINK, s.Type, s.Protocol, s.State}
	for _, v := range []uint32{s.Port, s.PeerPort, s.PeerGroup, s.Inode} {
		b = native.AppendUint32(b, v)
	}
	e := encoder{appendCookie(b, s.Cookie)}
	s.Buffers.encode(&e, netlinkBuffers)
	if len(s.Groups) > 0 {
		e.bytes(netlinkGroups, s.Groups)
	}
	return e.b
}
