package kernel

import (
	"errors"
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// rtnetlinkParts are the parts that are read over rtnetlink.
const rtnetlinkParts = state.PartLinks | state.PartAddrs | state.PartRoutes | state.PartRules | state.PartNeighbors |
	state.PartFDB | state.PartNSIDs | state.PartAllNeighbors | state.PartAllFDB | state.PartNextHops | state.PartMDB |
	state.PartVLANs | state.PartQdiscs | state.PartSysctls | state.PartStats

// readRoute reads what rtnetlink tells of the namespace that the calling thread is in. Links are always read: their names
// are needed for all else, and lo carries the mark.
func (o *observation) readRoute(r *reading) {
	conn, err := openSocket(unix.NETLINK_ROUTE)
	if err != nil {
		r.miss("links", err)
		return
	}
	defer func() {
		if r.conn == nil {
			_ = conn.Close()
		}
	}()
	if !o.skim(r, conn) {
		o.readTables(r, conn)
	}
	parts := o.query.PartsOf(r.place.key)
	c := &r.ns.Contents
	if parts.Has(state.PartSysctls) {
		r.keys = withKeys(r.keys, forwardingKeys(c, o.looked(parts)))
	}
	if len(r.keys) > 0 {
		r.keys = readSettings(conn, r.keys, c)
	}
	if parts.Has(state.PartNSIDs) && o.readIDs(r, conn) {
		r.conn = conn
	}
}

// readTables reads what there is, link by link and route by route.
func (o *observation) readTables(r *reading, conn *nl.Conn) {
	links := o.readLinks(r, conn)
	r.ns.Mark = markOf(links)
	parts := o.query.PartsOf(r.place.key)
	c := &r.ns.Contents
	if parts.Has(state.PartLinks) {
		c.Links = links
		if hasFarPeers(links) {
			r.conn = conn
		}
		if parts.Has(state.PartSysctls) {
			r.miss("origin of bridges' addresses", readMACAssign(c.Links))
		}
	}
	if parts.Has(state.PartAddrs) {
		c.Addrs = dump(o, r, conn, "addresses", rtnl.DumpAddrs(), func(m []netlink.Message) ([]state.Addr, error) {
			return rtnl.DecodeAddrs(m, &r.names)
		})
	}
	if parts.Has(state.PartRoutes) {
		c.Routes = dump(o, r, conn, "routes", rtnl.DumpRoutes(), func(m []netlink.Message) ([]state.Route, error) {
			return rtnl.DecodeRoutes(o.routes(m), &r.names)
		})
	}
	if parts.Has(state.PartsWalk) {
		ownGateways(conn, c, &r.names)
	}
	if parts.Has(state.PartRules) {
		c.Rules = dump(o, r, conn, "rules", rtnl.DumpRules(), rtnl.DecodeRules)
	}
	o.readNeighbors(r, conn, parts)
	o.readFDB(r, conn, parts, links)
	o.readSwitching(r, conn, parts, links)
}

// readIDs reads, once, the ids under which the namespace knows others. It reports whether there are any.
func (o *observation) readIDs(r *reading, conn *nl.Conn) bool {
	if len(r.ns.NSIDs) > 0 {
		return true
	}
	ids := dump(o, r, conn, "namespace ids", rtnl.DumpNSIDs(), rtnl.DecodeNSIDs)
	if len(ids) > cutIDs {
		_ = conn.Widen() // where it does not help, fewer ids are known
		ids = dump(o, r, conn, "namespace ids", rtnl.DumpNSIDs(), rtnl.DecodeNSIDs)
	}
	for _, id := range ids {
		r.ns.NSIDs = append(r.ns.NSIDs, state.NSID{ID: id})
	}
	return len(ids) > 0
}

func (o *observation) readLinks(r *reading, conn *nl.Conn) []state.Link {
	decode := rtnl.DecodeLinks
	if o.query.PartsOf(r.place.key).Has(state.PartStats) {
		decode = rtnl.DecodeLinksStats
	}
	return dump(o, r, conn, "links", rtnl.DumpLinks(false), func(m []netlink.Message) ([]state.Link, error) {
		return decode(m, &r.names)
	})
}

// dump reads and decodes one kind of object. What is inconsistent or cannot be decoded is told as unread, beside the rest.
func dump[T any](o *observation, r *reading, conn *nl.Conn, what string, req nl.Request, decode func([]netlink.Message) ([]T, error)) []T {
	msgs, err := conn.Dump(o.ctx, req)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT) {
		return nil // a kernel without it has none of it
	}
	r.miss(what, err)
	list, err := decode(msgs)
	r.miss(what, err)
	return list
}

// ours reports whether only what a lab's plan looks at is asked for.
func (o *observation) ours() bool { return o.query.Ours || o.query.Lab != "" }

// routes leaves the table local out when a lab is read: the kernel fills it, and no plan looks at it. Its number is the
// fifth byte of struct rtmsg (linux/rtnetlink.h).
func (o *observation) routes(msgs []netlink.Message) []netlink.Message {
	if !o.ours() {
		return msgs
	}
	return slices.DeleteFunc(msgs, func(m netlink.Message) bool { return len(m.Data) > 4 && m.Data[4] == unix.RT_TABLE_LOCAL })
}

// markOf is the mark on lo.
func markOf(links []state.Link) state.Mark {
	for i := range links {
		if links[i].Name != "lo" {
			continue
		}
		for _, name := range links[i].AltNames {
			if m, ok := state.ParseMark(name); ok {
				return m
			}
		}
	}
	return state.Mark{}
}

// hasFarPeers reports whether some link's other side is in another namespace.
func hasFarPeers(links []state.Link) bool {
	for i := range links {
		if p := farPeer(&links[i]); p != nil {
			return true
		}
	}
	return false
}

// farPeer is the peer, or the lower link, when it is in another namespace.
func farPeer(l *state.Link) *state.Peer {
	for _, p := range []*state.Peer{l.Peer, l.Lower} {
		if p != nil && p.NSID >= 0 {
			return p
		}
	}
	return nil
}

// hasForwarding reports whether a link has a forwarding table that somebody may have written to. All others only tell of
// their own multicast addresses.
func hasForwarding(links []state.Link) bool {
	for i := range links {
		switch links[i].Kind {
		case "bridge", "vxlan", "macvlan", "macvtap":
			return true
		}
	}
	return false
}

// inState keeps the entries of a neighbour or forwarding table that somebody made: what the kernel learned itself is
// not worth decoding. The state is the third field of struct ndmsg (linux/neighbour.h).
func inState(states uint16, msgs []netlink.Message) []netlink.Message {
	keep := msgs[:0]
	for _, m := range msgs {
		if len(m.Data) < 12 {
			continue
		}
		ndmState := uint16(m.Data[8]) | uint16(m.Data[9])
		if ndmState&states != 0 {
			keep = append(keep, m)
		}
	}
	return keep
}
