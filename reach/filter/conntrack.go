package filter

import (
	"net/netip"
	"slices"

	"warren/state"
)

// connections are the kernel's, read when they are first asked for, and those that the walk made.
func (n *Namespace) connections() []*Conn {
	if !n.loaded {
		n.loaded = true
		for _, c := range n.ns.Conntrack {
			n.conns = append(n.conns, &Conn{Conn: c, Confirmed: true, SeenReply: c.Status&statusSeenReply != 0, NATDone: [2]bool{true, true}})
		}
	}
	return n.conns
}

// tuple is what conntrack knows a packet by.
func (p *Packet) tuple() (state.ConnTuple, uint8) {
	t := state.ConnTuple{Src: p.Src, Dst: p.Dst, SPort: p.SPort, DPort: p.DPort}
	if p.Proto == ICMP || p.Proto == ICMPv6 {
		t.ID, t.Type, t.Code = p.ICMPID, p.ICMPType, p.ICMPCode
	}
	return t, p.Proto
}

// inverse is the tuple of the answer; ok is false for what has none (nf_ct_invert_tuple).
func inverse(t state.ConnTuple, proto uint8) (state.ConnTuple, bool) {
	t.Src, t.Dst, t.SPort, t.DPort = t.Dst, t.Src, t.DPort, t.SPort
	if proto != ICMP && proto != ICMPv6 {
		return t, true
	}
	answers := [][2]uint8{{8, 0}, {13, 14}, {15, 16}, {17, 18}}
	if proto == ICMPv6 {
		answers = [][2]uint8{{128, 129}, {139, 140}}
	}
	for _, a := range answers {
		switch t.Type {
		case a[0]:
			t.Type = a[1]
			return t, true
		case a[1]:
			t.Type = a[0]
			return t, true
		}
	}
	return t, false
}

// find is the connection of that tuple in a packet's zone, and whether the tuple is its reply direction (nf_ct_key_equal).
func (n *Namespace) find(t state.ConnTuple, proto uint8, z Zone) (c *Conn, reply bool) {
	for _, c := range n.connections() {
		switch {
		case c.Proto != proto || !c.Confirmed:
		case sameTuple(c.Original, t) && c.zone().id(false) == z.id(false):
			return c, false
		case sameTuple(c.Reply, t) && c.zone().id(true) == z.id(true):
			return c, true
		}
	}
	return nil, false
}

// sameTuple compares; of ICMP the code is no part of it.
func sameTuple(a, b state.ConnTuple) bool {
	a.Code, b.Code = 0, 0
	return a == b
}

// track looks the packet's connection up, or makes it (nf_conntrack_in).
func (n *Namespace) track(p *Packet) {
	if p.Untracked || p.Conn != nil || p.ARP != nil {
		return
	}
	if p.Proto == ICMPv6 && untracked6(p.ICMPType) {
		p.Untracked = true
		return
	}
	if p.IsICMPError() {
		n.trackError(p)
		return
	}
	t, proto := p.tuple()
	c, reply := n.find(t, proto, p.Zone)
	if c != nil && proto == TCP && !n.trackTCP(c, p, reply) {
		if !n.gone(c) {
			p.Invalid = true
			return
		}
		c = nil // it is over, and this begins a new one
	}
	if c == nil {
		c = n.begin(p, t, proto)
		if c == nil {
			p.Invalid = true
			return
		}
	}
	p.Conn, p.Reply = c, reply && !c.New || reply && c.Confirmed
	if p.Reply {
		c.SeenReply = true
	}
}

// untracked6: neighbour discovery and multicast listeners' reports (noct_valid_new in nf_conntrack_proto_icmpv6.c).
func untracked6(kind uint8) bool { return kind >= 130 && kind <= 137 || kind == 143 }

// begin makes a connection of a packet that can be the first one.
func (n *Namespace) begin(p *Packet, t state.ConnTuple, proto uint8) *Conn {
	reply, ok := inverse(t, proto)
	switch {
	case !ok:
		return nil
	case proto == ICMP && (t.Type == 0 || t.Type == 14 || t.Type == 16 || t.Type == 18), proto == ICMPv6 && (t.Type == 129 || t.Type == 140):
		return nil
	}
	c := &Conn{Conn: state.Conn{Proto: proto, Original: t, Reply: reply, Zone: p.Zone.ID}, New: true, Where: p.Zone}
	if proto == TCP {
		switch f := p.TCPFlags &^ FlagPSH; {
		case f == FlagSYN:
			c.TCPState = "SYN_SENT"
		case f == FlagACK && n.sysctl("net/netfilter/nf_conntrack_tcp_loose") != "0":
			c.TCPState = "ESTABLISHED"
		default:
			return nil
		}
	}
	n.conns = append(n.connections(), c)
	return c
}

func (n *Namespace) sysctl(key string) string {
	v, _ := n.ns.Sysctl(key)
	return v
}

// trackTCP follows a connection's state as far as three packets and an answer need it (tcp_conntracks). False: the packet
// makes no sense in it.
func (n *Namespace) trackTCP(c *Conn, p *Packet, reply bool) bool {
	syn, ack, rst := p.TCPFlags&FlagSYN != 0, p.TCPFlags&FlagACK != 0, p.TCPFlags&FlagRST != 0
	switch {
	case rst:
		if c.New {
			c.TCPState = "CLOSE"
		}
	case syn && ack && !reply:
		return c.TCPState != "SYN_SENT" && c.TCPState != "TIME_WAIT"
	case syn && ack:
		if c.TCPState == "SYN_SENT" {
			c.TCPState = "SYN_RECV"
		}
	case syn && !reply:
		return !over(c.TCPState)
	case ack && !syn && c.TCPState == "SYN_SENT":
		return reply && !c.New // an answer without having seen the offer: ignored by the table, invalid for us
	case ack && !reply && c.TCPState == "SYN_RECV":
		c.TCPState = "ESTABLISHED"
	}
	return true
}

func over(tcpState string) bool {
	return tcpState == "TIME_WAIT" || tcpState == "CLOSE" || tcpState == "LAST_ACK"
}

// gone forgets a connection that is over.
func (n *Namespace) gone(c *Conn) bool {
	if c.Proto != TCP || !over(c.TCPState) {
		return false
	}
	n.conns = slices.DeleteFunc(slices.Clone(n.conns), func(x *Conn) bool { return x == c })
	return true
}

// trackError finds the connection that an ICMP error is about (nf_conntrack_inet_error).
func (n *Namespace) trackError(p *Packet) {
	if p.Inner == nil {
		p.Invalid = true
		return
	}
	t, proto := p.Inner.tuple()
	c, reply := n.find(t, proto, p.Zone)
	if c == nil {
		p.Invalid = true
		return
	}
	// The error goes against the packet that it is about.
	p.Conn, p.Reply, p.Related = c, !reply, true
}

// confirm makes the connection known to others, at the end of the packet's way through the hooks. One that clashes with
// another is not taken in, and its packet is dropped (__nf_conntrack_confirm).
func (n *Namespace) confirm(p *Packet, res *Result) {
	if p.Conn == nil || p.Untracked {
		return
	}
	if !p.Conn.Confirmed {
		if other := n.clash(p.Conn); other != nil {
			res.Stops = append(res.Stops, Stop{Kind: Drop, Taken: &other.Conn})
		}
	}
	p.Conn.Confirmed = true
}

// addrOf gives an address and a port of a tuple.
func addrOf(t state.ConnTuple, source bool) (netip.Addr, uint16) {
	if source {
		return t.Src, t.SPort
	}
	return t.Dst, t.DPort
}

// copied is the packet with a connection of its own, and that connection as it was.
func (p *Packet) copied() (Packet, *Conn) {
	q := *p
	if p.Conn != nil {
		c := *p.Conn
		q.Conn = &c
	}
	return q, q.Conn
}

// like reports whether nothing happened to a copied packet.
func (p Packet) like(o *Packet, conn *Conn) bool {
	if p.Conn != conn || conn != nil && *conn != *o.Conn {
		return false
	}
	p.Conn = o.Conn
	return p == *o
}
