package state

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// Sort puts the namespaces and all that they hold in order.
func (s *Snapshot) Sort() {
	slices.SortFunc(s.Namespaces, func(a, b Namespace) int { return strings.Compare(a.Name, b.Name) })
	for i := range s.Namespaces {
		s.Namespaces[i].Sort()
	}
	slices.SortFunc(s.Fresh, Sysctl.Compare)
}

// Sort puts the namespaces and all that they hold in order.
func (d *Desired) Sort() {
	slices.SortFunc(d.Namespaces, func(a, b DesiredNamespace) int { return strings.Compare(a.Name, b.Name) })
	for i := range d.Namespaces {
		d.Namespaces[i].Sort()
	}
}

// Sort puts every list in order, in place. Routes of one destination keep their order beyond metric and type; the
// parts of a table are left as they are (see [Table.Canonical]).
func (c *Contents) Sort() {
	slices.SortFunc(c.Links, func(a, b Link) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(c.Addrs, Addr.Compare)
	slices.SortStableFunc(c.Routes, Route.Compare)
	slices.SortStableFunc(c.Rules, Rule.Compare)
	slices.SortStableFunc(c.Neighbors, Neighbor.Compare)
	slices.SortStableFunc(c.FDB, FDBEntry.Compare)
	slices.SortFunc(c.NextHops, func(a, b NextHopObject) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortStableFunc(c.MDB, MDBEntry.Compare)
	slices.SortStableFunc(c.VLANs, PortVLAN.Compare)
	slices.SortStableFunc(c.Qdiscs, Qdisc.Compare)
	slices.SortStableFunc(c.XTables, XTable.Compare)
	slices.SortStableFunc(c.Conntrack, Conn.Compare)
	slices.SortStableFunc(c.Sockets, Socket.Compare)
	slices.SortFunc(c.Tables, func(a, b Table) int { return strings.Compare(a.Key(), b.Key()) })
	slices.SortFunc(c.Sysctls, Sysctl.Compare)
	slices.SortStableFunc(c.Agents, Agent.Compare)
}

// Compare orders addresses by link, prefix and peer, IPv4 first.
func (a Addr) Compare(b Addr) int {
	if c := strings.Compare(a.Link, b.Link); c != 0 {
		return c
	}
	return cmp.Or(ComparePrefix(a.Prefix, b.Prefix), a.Peer.Compare(b.Peer))
}

// ComparePrefix orders prefixes by family, address and length.
func ComparePrefix(a, b netip.Prefix) int {
	return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
}

// Compare orders routes by family, table, destination, TOS, metric and type.
func (r Route) Compare(o Route) int {
	if c := cmp.Compare(r.Dst.Addr().BitLen(), o.Dst.Addr().BitLen()); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(r.TableID(), o.TableID()), ComparePrefix(r.Dst, o.Dst), ComparePrefix(r.From, o.From),
		cmp.Compare(r.TOS, o.TOS), cmp.Compare(r.Metric, o.Metric), strings.Compare(r.TypeName(), o.TypeName()),
		slices.CompareFunc(r.NextHops, o.NextHops, NextHop.Compare))
}

// Compare orders next hops by link, gateway and weight.
func (n NextHop) Compare(o NextHop) int {
	return cmp.Or(strings.Compare(n.Link, o.Link), n.Via.Compare(o.Via), cmp.Compare(n.Weight, o.Weight))
}

// Compare orders rules by family and priority, then by what they select.
func (r Rule) Compare(o Rule) int {
	if r.IPv6 != o.IPv6 {
		if o.IPv6 {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(r.Priority, o.Priority), ComparePrefix(r.From, o.From), ComparePrefix(r.To, o.To),
		cmp.Compare(r.Mark, o.Mark), strings.Compare(r.IIF, o.IIF), strings.Compare(r.OIF, o.OIF), cmp.Compare(r.Table, o.Table),
		cmp.Compare(r.TOS, o.TOS), cmp.Compare(r.IPProto, o.IPProto), slices.Compare(r.SPort[:], o.SPort[:]), slices.Compare(r.DPort[:], o.DPort[:]),
		strings.Compare(r.Action, o.Action), cmp.Compare(r.TunID, o.TunID))
}

// Compare orders neighbours by link and address.
func (n Neighbor) Compare(o Neighbor) int {
	return cmp.Or(strings.Compare(n.Link, o.Link), n.IP.Compare(o.IP))
}

// Compare orders forwarding entries by link, MAC, VLAN and remote.
func (f FDBEntry) Compare(o FDBEntry) int {
	return cmp.Or(strings.Compare(f.Link, o.Link), slices.Compare(f.MAC[:], o.MAC[:]), cmp.Compare(f.VLAN, o.VLAN),
		f.Dst.Compare(o.Dst), cmp.Compare(f.VNI, o.VNI))
}

// Compare orders sysctls by key.
func (s Sysctl) Compare(o Sysctl) int { return strings.Compare(s.Key, o.Key) }
