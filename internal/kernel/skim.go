package kernel

import (
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// A namespace with a thousand ports takes the kernel some 40 ms to tell of: 15 for the links, because it looks up the id of the
// namespace behind each port among a thousand; 9 for the forwarding table, which it goes through once for each port; the rest for
// what IPv6 has on each of them. A walk passes two of the ports.

const (
	// skimFrom is from how many ports on a namespace is skimmed.
	skimFrom = 48
	// maxOdd is how many of them may be something else than one end of a cable to elsewhere.
	maxOdd = 48
	// maxListedIDs is how many ids surely fit into one part of a dump, see [roster].
	maxListedIDs = 1100
)

// skim reads a namespace whose bridges have many ports without what a walk does not look at: of cables to elsewhere that end at
// a port only what the bridge tells, of forwarding tables of bridges nothing, and nothing of IPv6 where the query says so. It
// reports false, and everything is to be read, when the query does not ask for that, the ports are few, or something is there
// that needs a closer look.
func (o *observation) skim(r *reading, conn *nl.Conn) bool {
	if !o.query.Skim || !o.query.PartsOf(r.place.key).Has(state.PartsWalk) {
		return false
	}
	links, ok := o.looseLinks(r, conn)
	if !ok {
		return false
	}
	msgs, err := conn.Dump(o.ctx, rtnl.DumpPorts())
	if err != nil || len(msgs) < skimFrom {
		return false
	}
	ports, err := rtnl.DecodePorts(msgs, &r.names)
	if err != nil {
		return false
	}
	odd, ok := oddPorts(conn, links, ports)
	if !ok {
		return false
	}
	if o.readIDs(r, conn); len(r.ns.NSIDs) > maxListedIDs {
		return false
	}
	c := &r.ns.Contents
	full, err := linksAt(conn, odd, &r.names)
	if err != nil || o.slaves(conn, full) {
		return false
	}
	c.Links = append(links, full...)
	r.ns.Mark = markOf(c.Links)
	o.readQdiscs(r, conn, rtnl.DecodeQueues)
	r.missPrograms(readBPF(c.Links))
	tunnels := slices.Clone(c.Links)
	c.Links = slices.Grow(c.Links, len(ports))
	for i := range ports {
		if p := &ports[i]; !slices.Contains(odd, p.Index) {
			c.Links = append(c.Links, state.Link{
				Name: p.Name, Index: p.Index, Flags: p.Flags, Up: p.Flags&unix.IFF_UP != 0, MAC: p.MAC, Master: p.Master, Thin: true,
			})
		}
	}
	o.skimTables(r, conn)
	for i := range tunnels {
		if l := &tunnels[i]; l.Kind == "vxlan" {
			c.FDB = append(c.FDB, dump(o, r, conn, "forwarding entries", rtnl.DumpFDBOf(l.Index), func(m []netlink.Message) ([]state.FDBEntry, error) {
				return rtnl.DecodeFDBs(m, &r.names)
			})...)
		}
	}
	r.conn = conn
	return true
}

// skimTables reads addresses, routes and the like.
func (o *observation) skimTables(r *reading, conn *nl.Conn) {
	c := &r.ns.Contents
	narrow := func(req nl.Request) nl.Request { return req }
	r.ns.Skim = &state.Skim{OnlyIPv4: o.query.SkimIPv4}
	r.ns.Read &^= state.PartFDB | state.PartAllFDB | state.PartVLANs
	if o.query.SkimIPv4 {
		narrow = rtnl.OnlyIPv4
		r.ns.Read &^= state.PartMDB
	} else {
		c.MDB = dump(o, r, conn, "multicast groups", rtnl.DumpMDB(), func(m []netlink.Message) ([]state.MDBEntry, error) {
			return rtnl.DecodeMDBs(m, &r.names)
		})
	}
	c.Addrs = dump(o, r, conn, "addresses", narrow(rtnl.DumpAddrs()), func(m []netlink.Message) ([]state.Addr, error) {
		return rtnl.DecodeAddrs(m, &r.names)
	})
	c.Routes = dump(o, r, conn, "routes", narrow(rtnl.DumpRoutes()), func(m []netlink.Message) ([]state.Route, error) {
		return rtnl.DecodeRoutes(m, &r.names)
	})
	ownGateways(conn, c, &r.names)
	c.Rules = dump(o, r, conn, "rules", rtnl.DumpRules(), rtnl.DecodeRules)
	for _, proxies := range []bool{false, true} {
		c.Neighbors = append(c.Neighbors, dump(o, r, conn, "neighbours", narrow(rtnl.DumpNeighbors(proxies)), func(m []netlink.Message) ([]state.Neighbor, error) {
			return rtnl.DecodeNeighbors(m, &r.names)
		})...)
	}
	c.NextHops = dump(o, r, conn, "next hop objects", rtnl.DumpNextHops(), func(m []netlink.Message) ([]state.NextHopObject, error) {
		return rtnl.DecodeNextHops(m, &r.names)
	})
}

// looseLinks reads the links that are enslaved to nothing. ok is false when others than those and the bridges' ports may be there,
// or when a bridge tells VLANs apart.
func (o *observation) looseLinks(r *reading, conn *nl.Conn) (links []state.Link, ok bool) {
	msgs, err := conn.Dump(o.ctx, rtnl.DumpLoose())
	if err != nil {
		return nil, false
	}
	links, err = rtnl.DecodeLinks(msgs, &r.names)
	if err != nil || !slices.ContainsFunc(links, func(l state.Link) bool { return l.Flags&unix.IFF_LOOPBACK != 0 }) {
		return nil, false // an older kernel took the filter for a link that there is not
	}
	bridges := 0
	for i := range links {
		if b := links[i].Bridge; b != nil {
			bridges++
			if b.VLANFiltering != nil && *b.VLANFiltering {
				return nil, false
			}
		}
	}
	return links, bridges > 0 && !o.slaves(conn, links)
}

// slaves reports whether anything is, or may be, enslaved to one of these links, bridges left out.
func (o *observation) slaves(conn *nl.Conn, links []state.Link) bool {
	for i := range links {
		l := &links[i]
		switch l.Kind {
		case "bridge", "veth", "vxlan", "dummy", "ifb", "tun", "vlan", "macvlan", "macvtap", "ipvlan", "wireguard", "geneve", "gre", "gretap", "sit",
			"ip6tnl", "ipip", "vti", "vti6", "ip6gre", "ip6gretap", "erspan", "ip6erspan", "xfrm", "nlmon":
			continue
		}
		if l.Flags&unix.IFF_LOOPBACK != 0 {
			continue
		}
		if msgs, err := conn.Dump(o.ctx, rtnl.DumpEnslaved(l.Index)); err != nil || len(msgs) > 0 {
			return true
		}
	}
	return false
}

// oddPorts lists the ports that are not one end of a veth with its other end elsewhere: those are read whole. A veth whose other
// end has by chance the same index as another link here, which may be that end, is taken for one of them. ok is false when they
// are too many.
func oddPorts(conn *nl.Conn, links []state.Link, ports []rtnl.Port) (odd []int, ok bool) {
	lower := make(map[int]int, len(ports))
	for i := range ports {
		lower[ports[i].Index] = ports[i].Lower
	}
	for i := range links {
		if p := links[i].Peer; p != nil && p.NSID < 0 {
			lower[links[i].Index] = p.Index
		}
	}
	for i := range ports {
		p := &ports[i]
		if p.Lower == 0 || lower[p.Lower] == p.Index || !isVeth(conn.FD(), p.Name) {
			if odd = append(odd, p.Index); len(odd) > maxOdd {
				return nil, false
			}
		}
	}
	return odd, true
}

// isVeth asks for a link's driver (ETHTOOL_GDRVINFO), a microsecond each, where the list of links would tell the kind.
func isVeth(fd int, name string) bool {
	info, err := unix.IoctlGetEthtoolDrvinfo(fd, name)
	return err == nil && unix.ByteSliceToString(info.Driver[:]) == "veth"
}

// linksAt reads links by index; those that are gone are left out.
func linksAt(conn *nl.Conn, indexes []int, names rtnl.Names) ([]state.Link, error) {
	reqs := make([]nl.Request, len(indexes))
	for i, index := range indexes {
		reqs[i] = rtnl.GetLinkIndex(index)
	}
	links := make([]state.Link, 0, len(reqs))
	for _, res := range conn.Query(reqs) {
		if res.Err != nil && !isGone(res.Err) {
			return nil, res.Err
		}
		for _, m := range res.Messages {
			l, err := rtnl.DecodeLink(m.Data, names)
			if err != nil {
				return nil, err
			}
			l.Stats = nil
			links = append(links, l)
		}
	}
	return links, nil
}
