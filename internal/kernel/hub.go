package kernel

import (
	"errors"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
)

// hubFrom is from how many namespaces without a mark on a hub is cheaper than asking each about each.
const hubFrom = 16

// A hub is a scratch namespace that knows all namespaces that are read, by their positions. Asked from there, the kernel
// tells in one answer for all ids of another namespace who is behind them (RTM_GETNSID with NETNSA_TARGET_NSID, Linux
// 5.0). Ids mean nothing outside of the namespace that gives them, so nobody else notices.
type hub struct {
	o    *observation
	conn *nl.Conn
	at   map[*reading]int
	ids  map[*reading]map[int]*reading
}

// newHub returns nil when it is not worth it, or not to be had.
func (o *observation) newHub() *hub {
	unmarked := 0
	for i := range o.readings {
		if r := &o.readings[i]; r.handle != nil && r.ns.Mark.IsZero() {
			unmarked++
		}
	}
	if unmarked < hubFrom {
		return nil
	}
	h := &hub{o: o, at: map[*reading]int{}, ids: map[*reading]map[int]*reading{}}
	err := netns.Scratch(func(in *netns.Inside) (err error) {
		h.conn, err = in.Netlink(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return nil
	}
	var reqs []nl.Request
	for i := range o.readings {
		if r := &o.readings[i]; r.handle != nil {
			h.at[r] = i
			reqs = append(reqs, rtnl.SetNSID(r.handle.FD(), i))
		}
	}
	for _, err := range h.conn.Batch(reqs) {
		if err != nil && !errors.Is(err, unix.EEXIST) { // a namespace that is read under two keys
			h.close()
			return nil
		}
	}
	return h
}

func (h *hub) close() {
	if h != nil {
		_ = h.conn.Close()
	}
}

// behind says who is behind the ids of a namespace; those that were not read are not in the map.
func (h *hub) behind(viewer *reading) map[int]*reading {
	if ids, ok := h.ids[viewer]; ok {
		return ids
	}
	ids := map[int]*reading{}
	h.ids[viewer] = ids
	if len(viewer.ns.NSIDs) > cutIDs {
		_ = h.conn.Widen()
	}
	msgs, err := h.conn.Dump(h.o.ctx, rtnl.DumpNSIDsOf(h.at[viewer]))
	if err != nil && !errors.Is(err, nl.ErrInconsistent) {
		return ids
	}
	pairs, err := rtnl.DecodeNSIDPairs(msgs)
	if err != nil {
		return ids
	}
	for _, p := range pairs {
		if p.Here >= 0 && p.Here < len(h.o.readings) {
			ids[p.There] = &h.o.readings[p.Here]
		}
	}
	return ids
}
