package state

import (
	"cmp"
	"net/netip"
	"strings"
)

// Compare orders multicast groups by bridge, port, VLAN, group and source; ports of routers come last.
func (m MDBEntry) Compare(o MDBEntry) int {
	return cmp.Or(strings.Compare(m.Bridge, o.Bridge), compareBool(m.Router, o.Router), strings.Compare(m.Port, o.Port),
		cmp.Compare(m.VLAN, o.VLAN), m.Group.Compare(o.Group), strings.Compare(string(m.MAC[:]), string(o.MAC[:])), m.Source.Compare(o.Source))
}

// Compare orders VLANs by link and number.
func (v PortVLAN) Compare(o PortVLAN) int {
	return cmp.Or(strings.Compare(v.Link, o.Link), cmp.Compare(v.First, o.First))
}

// Compare orders queueing disciplines by link, parent (the root first) and handle.
func (q Qdisc) Compare(o Qdisc) int {
	return cmp.Or(strings.Compare(q.Link, o.Link), cmp.Compare(o.Parent, q.Parent), cmp.Compare(q.Handle, o.Handle))
}

// Compare orders legacy tables by family and name.
func (t XTable) Compare(o XTable) int {
	return cmp.Or(compareBool(t.IPv6, o.IPv6), strings.Compare(t.Name, o.Name))
}

// Compare orders connections by what their first packet looked like.
func (c Conn) Compare(o Conn) int {
	return cmp.Or(cmp.Compare(c.Zone, o.Zone), cmp.Compare(c.Proto, o.Proto), c.Original.Compare(o.Original), c.Reply.Compare(o.Reply),
		cmp.Compare(c.ID, o.ID))
}

// Compare orders tuples by addresses and ports.
func (t ConnTuple) Compare(o ConnTuple) int {
	return cmp.Or(t.Src.Compare(o.Src), t.Dst.Compare(o.Dst), cmp.Compare(t.SPort, o.SPort), cmp.Compare(t.DPort, o.DPort),
		cmp.Compare(t.ID, o.ID), cmp.Compare(t.Type, o.Type), cmp.Compare(t.Code, o.Code))
}

// Compare orders sockets by protocol, addresses and inode.
func (s Socket) Compare(o Socket) int {
	return cmp.Or(strings.Compare(s.Protocol, o.Protocol), compareBool(s.IPv6, o.IPv6), compareAddrPort(s.Local, o.Local),
		compareAddrPort(s.Remote, o.Remote), strings.Compare(s.Path, o.Path), cmp.Compare(s.Inode, o.Inode))
}

func compareAddrPort(a, b netip.AddrPort) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Port(), b.Port()))
}

// compareBool puts false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
