package reach

import "warren/state"

// mdbPorts says which ports get a multicast frame when snooping decides; why is "" when all do: without a querier
// nobody's memberships are known (br_multicast_rcv, br_handle_frame_finish).
func (r *room) mdbPorts(br *state.Link, f *frame) (only map[string]bool, why string) {
	b := bridgeOf(br)
	if !f.dst.IsMulticast() || f.dst == broadcast || f.ip == nil || !on(b.MulticastSnoop, true) || !f.ip.Dst.IsMulticast() {
		return nil, ""
	}
	if !r.reads(state.PartMDB) {
		r.needPorts()
	}
	querier := on(b.MulticastQuerier, false)
	group := false
	only = map[string]bool{}
	for i := range r.MDB {
		e := &r.MDB[i]
		if e.Bridge != br.Name {
			continue
		}
		if e.Router {
			querier = true
			only[e.Port] = true
		}
		if e.Group == f.ip.Dst {
			only[e.Port] = true
			group = true
		}
	}
	if !querier {
		return nil, ""
	}
	if group {
		return only, "knows other members of " + f.ip.Dst.String()
	}
	return only, "knows no member of " + f.ip.Dst.String()
}
