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

// readSwitching reads next hop objects, multicast groups, VLANs, queueing disciplines and what hangs on them. Kinds of
// objects that no link here can have are not asked for.
func (o *observation) readSwitching(r *reading, conn *nl.Conn, parts state.Parts, links []state.Link) {
	c := &r.ns.Contents
	if parts.Has(state.PartNextHops) {
		c.NextHops = dump(o, r, conn, "next hop objects", rtnl.DumpNextHops(), func(m []netlink.Message) ([]state.NextHopObject, error) {
			return rtnl.DecodeNextHops(m, &r.names)
		})
	}
	bridges := slices.ContainsFunc(links, func(l state.Link) bool { return l.Kind == "bridge" })
	if parts.Has(state.PartMDB) && bridges {
		c.MDB = dump(o, r, conn, "multicast groups", rtnl.DumpMDB(), func(m []netlink.Message) ([]state.MDBEntry, error) {
			return rtnl.DecodeMDBs(m, &r.names)
		})
	}
	if parts.Has(state.PartVLANs) && bridges {
		c.VLANs = dump(o, r, conn, "VLANs", rtnl.DumpVLANs(), func(m []netlink.Message) ([]state.PortVLAN, error) {
			return rtnl.DecodeVLANs(m, &r.names)
		})
	}
	if parts.Has(state.PartQdiscs) {
		o.readQdiscs(r, conn, rtnl.DecodeQdiscs)
		r.missPrograms(readBPF(c.Links))
	}
}

func (o *observation) readQdiscs(r *reading, conn *nl.Conn, decode func([]netlink.Message, rtnl.Names) ([]state.Qdisc, error)) {
	c := &r.ns.Contents
	c.Qdiscs = dump(o, r, conn, "queueing disciplines", rtnl.DumpQdiscs(), func(m []netlink.Message) ([]state.Qdisc, error) {
		return decode(m, &r.names)
	})
	for i := range c.Qdiscs {
		q := &c.Qdiscs[i]
		for _, parent := range rtnl.FilterParents(*q) {
			req, err := rtnl.DumpFilters(q.Link, parent, &r.names)
			if err != nil {
				r.miss("filters", err)
				continue
			}
			msgs, err := conn.Dump(o.ctx, req)
			if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENODEV) {
				continue
			}
			r.miss("filters", err)
			kinds, err := rtnl.DecodeFilterKinds(msgs)
			r.miss("filters", err)
			q.Filters = append(q.Filters, kinds...)
		}
		if l := c.Link(q.Link); l != nil && slices.Contains(q.Filters, "bpf") {
			l.BPF = append(l.BPF, q.Kind)
		}
	}
}
