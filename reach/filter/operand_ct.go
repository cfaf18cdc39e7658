package filter

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"warren/state"
)

// Bits of "ct state" (linux/netfilter/nf_conntrack_common.h).
const (
	stateInvalid     = 1
	stateEstablished = 2
	stateRelated     = 4
	stateNew         = 8
	stateUntracked   = 64
)

// Bits of "ct status" (enum ip_conntrack_status).
const (
	statusSeenReply = 1 << 1
	statusConfirmed = 1 << 3
	statusSrcNAT    = 1 << 4
	statusDstNAT    = 1 << 5
	statusAssured   = 1 << 2
	statusOffload   = 1 << 14
)

// State is what rules see as the packet's connection state, as a bit of nft's "ct state". A packet that conntrack has not
// looked at (yet) is invalid for them, not untracked (nft_ct_get_eval in net/netfilter/nft_ct.c).
func (p *Packet) state() uint32 {
	switch {
	case p.Untracked:
		return stateUntracked
	case p.Conn == nil:
		return stateInvalid
	case p.Related:
		return stateRelated
	case p.Reply || p.Conn.SeenReply:
		return stateEstablished
	}
	return stateNew
}

// status is Conn's status in bits.
func (c *Conn) status() uint32 {
	s := c.Status
	if c.SeenReply {
		s |= statusSeenReply
	}
	if c.Confirmed {
		s |= statusConfirmed
	}
	return s
}

func (e *eval) ct(o state.CT) (register, outcome, string) {
	if o.Key == "state" {
		return number(e.p.state()), yes, ""
	}
	c := e.p.Conn
	if c == nil || e.p.Untracked {
		return register{}, no, ""
	}
	tuple := c.Original
	if o.Direction == "reply" {
		tuple = c.Reply
	}
	switch o.Key {
	case "helper":
		if c.New {
			return register{}, no, "" // only what a helper expected has one (nft_ct_get_eval asks the master)
		}
	case "direction":
		return flag(e.p.Reply), yes, ""
	case "status":
		return number(c.status()), yes, ""
	case "mark":
		return number(c.Mark), yes, ""
	case "l3proto":
		if c.Original.Src.Is6() {
			return exactly(10), yes, ""
		}
		return exactly(2), yes, ""
	case "protocol":
		return exactly(c.Proto), yes, ""
	case "zone":
		return exactly(binary.NativeEndian.AppendUint16(nil, c.Zone)...), yes, ""
	case "proto-src", "proto-dst":
		if c.Proto == ICMP || c.Proto == ICMPv6 {
			break
		}
		port := tuple.SPort
		if o.Key == "proto-dst" {
			port = tuple.DPort
		}
		return exactly(binary.BigEndian.AppendUint16(nil, port)...), yes, ""
	case "ip saddr":
		return ofFamily(tuple.Src, false)
	case "ip daddr":
		return ofFamily(tuple.Dst, false)
	case "ip6 saddr":
		return ofFamily(tuple.Src, true)
	case "ip6 daddr":
		return ofFamily(tuple.Dst, true)
	}
	return register{}, maybe, "ct " + o.Key + " is not known"
}

func ofFamily(a netip.Addr, is6 bool) (register, outcome, string) {
	if a.Is6() != is6 {
		return register{}, no, ""
	}
	return exactly(a.AsSlice()...), yes, ""
}

// fibOf asks the routing table (net/ipv4/netfilter/nft_fib_ipv4.c, net/ipv6/netfilter/nft_fib_ipv6.c).
func (e *eval) fibOf(f state.FIB) (register, outcome, string) {
	has := func(flag string) bool { return slices.Contains(f.Flags, flag) }
	if e.ns.fib == nil || e.p.ARP != nil {
		return register{}, maybe, "fib cannot be asked"
	}
	dev := (*state.Link)(nil)
	switch {
	case has("iif"):
		dev = e.hook.In
	case has("oif"):
		dev = e.hook.Out
	}
	addr, other := e.p.Src, e.p.Dst
	if has("daddr") {
		addr, other = e.p.Dst, e.p.Src
	}
	if f.Result == "type" {
		return e.fibType(addr, dev)
	}
	q := FIBQuery{Dst: addr, Src: other, TOS: e.p.TOS & 0x1c}
	if has("mark") {
		q.Mark = e.p.Mark
	}
	if e.hook.Name == "prerouting" && e.hook.In != nil && e.hook.In.Name == "lo" {
		return fibResult(f, e.hook.In), yes, ""
	}
	if addr.Is6() && addr.IsLinkLocalUnicast() {
		q.OIF = dev
	}
	a := e.ns.fib.Lookup(q)
	switch {
	case a.Type == "" || a.Type == "local" || a.Type == "blackhole" || a.Type == "unreachable" || a.Type == "prohibit" || a.Type == "throw":
		return fibResult(f, nil), yes, ""
	case dev == nil && len(a.Links) > 1:
		return register{}, maybe, "fib: the route has several ways"
	case dev == nil:
		return fibResult(f, a.Link), yes, ""
	}
	uses := a.Link != nil && a.Link.Index == dev.Index || slices.ContainsFunc(a.Links, func(l *state.Link) bool { return l.Index == dev.Index })
	if uses {
		return fibResult(f, dev), yes, ""
	}
	return fibResult(f, nil), yes, ""
}

func fibResult(f state.FIB, dev *state.Link) register {
	switch {
	case f.Present && dev != nil:
		return number(1)
	case f.Present:
		return number(0)
	case f.Result == "oifname":
		return ifname(name(dev))
	default:
		return number(index(dev))
	}
}

func (e *eval) fibType(a netip.Addr, dev *state.Link) (register, outcome, string) {
	names := [...]string{"unspec", "unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable", "prohibit"}
	t := e.ns.fib.AddrType(a, dev)
	if i := slices.Index(names[:], t); i >= 0 {
		return number(uint32(i)), yes, ""
	}
	return register{}, maybe, "fib: an address of type " + t
}
