package kernel

import (
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/state"
)

// readInside are the parts that are read inside of a namespace.
const readInside = state.PartsWalk

// readNeighbors reads what somebody made, or all, the answers given for others (proxies) included.
func (o *observation) readNeighbors(r *reading, conn *nl.Conn, parts state.Parts) {
	all := parts.Has(state.PartAllNeighbors)
	if !all && !parts.Has(state.PartNeighbors) {
		return
	}
	decode := func(m []netlink.Message) ([]state.Neighbor, error) {
		if !all {
			m = inState(unix.NUD_PERMANENT, m)
		}
		return rtnl.DecodeNeighbors(m, &r.names)
	}
	r.ns.Neighbors = dump(o, r, conn, "neighbours", rtnl.DumpNeighbors(false), decode)
	if all {
		r.ns.Neighbors = append(r.ns.Neighbors, dump(o, r, conn, "proxied neighbours", rtnl.DumpNeighbors(true), decode)...)
	}
}

// readFDB reads what somebody made, or all.
func (o *observation) readFDB(r *reading, conn *nl.Conn, parts state.Parts, links []state.Link) {
	all := parts.Has(state.PartAllFDB)
	if !all && !parts.Has(state.PartFDB) || !hasForwarding(links) {
		return
	}
	r.ns.FDB = dump(o, r, conn, "forwarding entries", rtnl.DumpFDB(), func(m []netlink.Message) ([]state.FDBEntry, error) {
		if !all {
			m = inState(unix.NUD_PERMANENT|unix.NUD_NOARP, m)
		}
		return rtnl.DecodeFDBs(m, &r.names)
	})
}

// withKeys is a list of keys with more, each once.
func withKeys(keys, more []string) []string {
	if len(keys) == 0 {
		return slices.Clone(more)
	}
	all := slices.Concat(keys, more)
	slices.Sort(all)
	return slices.Compact(all)
}
