package sockdiag

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"warren/state"
)

// Socket is the value of package state. protocol is the one that was asked for; link names links.
func (s *Inet) Socket(protocol int, link func(index uint32) string) state.Socket {
	v := state.Socket{
		Protocol: ProtocolName(protocol), State: s.Status.String(), Local: s.Local, Remote: s.Remote, IPv6: s.Family == unix.AF_INET6,
		V6Only: s.V6Only != nil && *s.V6Only != 0, UID: s.UID, Inode: s.Inode,
		ReadQueue: s.ReadQueue, WriteQueue: s.WriteQueue, CgroupID: s.Cgroup,
	}
	if s.Link != 0 {
		v.Link = link(s.Link)
	}
	if s.Mark != nil {
		v.Mark = *s.Mark
	}
	if protocol == unix.IPPROTO_RAW {
		v.Number = uint8(s.Local.Port()) // a raw socket's "port"
	}
	if s.Remote.Port() == 0 && s.Remote.Addr().IsUnspecified() {
		v.Remote = netip.AddrPort{}
	}
	return v
}

// Socket is the value of package state.
func (s *Unix) Socket() state.Socket {
	v := state.Socket{
		Protocol: "unix", Type: typeName(s.Type), State: s.Status.String(), Path: s.Path(), Peer: s.Peer, Inode: s.Inode,
		ReadQueue: s.ReadQueue, WriteQueue: s.WriteQueue,
	}
	if s.UID != nil {
		v.UID = *s.UID
	}
	return v
}

// Socket is the value of package state; link names links.
func (s *Packet) Socket(link func(index uint32) string) state.Socket {
	v := state.Socket{Protocol: "packet", Type: typeName(s.Type), State: Close.String(), Inode: s.Inode, EtherType: s.Protocol}
	if s.Info != nil && s.Info.Link != 0 {
		v.Link = link(s.Info.Link)
	}
	if s.UID != nil {
		v.UID = *s.UID
	}
	if s.Buffers != nil {
		v.ReadQueue = s.Buffers.Read
	}
	return v
}

// Socket is the value of package state.
func (s *Netlink) Socket() state.Socket {
	v := state.Socket{Protocol: "netlink", Type: typeName(s.Type), State: Close.String(), Inode: s.Inode, Number: s.Protocol}
	if s.Buffers != nil {
		v.ReadQueue, v.WriteQueue = s.Buffers.Read, s.Buffers.Transmit
	}
	return v
}

// Socket is the value of package state.
func (s *Vsock) Socket() state.Socket {
	return state.Socket{Protocol: "vsock", Type: typeName(s.Type), State: s.Status.String(), Inode: s.Inode}
}

func typeName(t uint8) string {
	switch t {
	case unix.SOCK_STREAM:
		return "stream"
	case unix.SOCK_DGRAM:
		return "dgram"
	case unix.SOCK_SEQPACKET:
		return "seqpacket"
	case unix.SOCK_RAW:
		return "raw"
	}
	return ""
}
