package filter

import (
	"slices"

	"warren/state"
)

// unique moves the source port (of ICMP the id) of a new connection's tuple to one whose answers no other connection
// expects (get_unique_tuple, nf_nat_l4proto_unique_tuple). The kernel takes any free one, the walk the lowest, so that its
// words are the same each time. When none is free the tuple stays, and conntrack will not take it in.
func (n *Namespace) unique(conn *Conn, then state.ConnTuple, c change) state.ConnTuple {
	port, first, last := keyOf(&then, conn.Proto, c)
	if port == nil {
		return then
	}
	inUse := n.inUse(conn, then, c)
	if inUse[*port] == nil {
		return then
	}
	for _, reuse := range []bool{false, true} { // what is over makes room only when nothing else is left
		for p := int(first); p <= int(last); p++ {
			owner := inUse[uint16(p)]
			if owner == nil || reuse && n.gone(owner) {
				*port = uint16(p)
				return then
			}
		}
	}
	return then
}

// keyOf is the field of a tuple that may be changed to make it unique, and the range that it may be in.
func keyOf(t *state.ConnTuple, proto uint8, c change) (key *uint16, first, last uint16) {
	const top = 65535
	switch proto {
	case ICMP, ICMPv6:
		return &t.ID, 0, top
	case TCP, UDP, 132, 33, 136: // SCTP, DCCP, UDP-Lite
	default:
		return nil, 0, 0
	}
	switch {
	case c.port != 0:
		return &t.SPort, c.port, c.last
	case t.SPort < 512:
		return &t.SPort, 1, 511
	case t.SPort < 1024:
		return &t.SPort, 600, 1023
	}
	return &t.SPort, 1024, top
}

// inUse maps the keys that other connections have taken, of tuples that are the same otherwise, to their owners.
func (n *Namespace) inUse(conn *Conn, t state.ConnTuple, c change) map[uint16]*Conn {
	key, _, _ := keyOf(&t, conn.Proto, c)
	*key = 0
	found := map[uint16]*Conn{}
	for _, other := range n.connections() {
		if other == conn || other.Proto != conn.Proto || !other.Confirmed || other.zone().id(true) != conn.zone().id(true) {
			continue
		}
		for _, held := range [...]state.ConnTuple{other.Original, other.Reply} {
			held, ok := inverse(held, conn.Proto)
			if !ok {
				continue
			}
			key, _, _ := keyOf(&held, conn.Proto, c)
			k := *key
			*key = 0
			if sameTuple(held, t) {
				found[k] = other
			}
		}
	}
	return found
}

// clash is another connection that one end of the tuples of a new one belongs to already.
func (n *Namespace) clash(conn *Conn) *Conn {
	if c, _ := n.find(conn.Reply, conn.Proto, conn.zone()); c != nil && c != conn {
		return c
	}
	return nil
}

// translates reports whether NAT is switched on for a family ("ip" or "ip6"): some chain or table of it exists
// (nf_nat_register_fn). Every connection gets a binding then, one that changes nothing as long as it is unique.
func (n *Namespace) translates(family string) bool {
	on, known := n.translated[family]
	if !known {
		on = slices.ContainsFunc(n.ns.Tables, func(t state.Table) bool {
			return (t.Family == family || t.Family == "inet") && slices.ContainsFunc(t.Chains, func(c state.Chain) bool { return c.Hook != nil && c.Hook.Type == "nat" })
		}) || slices.ContainsFunc(n.ns.XTables, func(t state.XTable) bool { return t.Name == "nat" && t.IPv6 == (family == "ip6") })
		if n.translated == nil {
			n.translated = map[string]bool{}
		}
		n.translated[family] = on
	}
	return on
}
