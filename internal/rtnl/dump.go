package rtnl

import (
	"encoding/binary"
	"errors"

	"warren/state"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Decoders of whole dumps. Messages of another type or family are passed over; one that cannot be read is left out, and the
// error, which comes together with the rest, says so.

func decodeAll[T any](msgs []netlink.Message, typ netlink.HeaderType, decode func([]byte) (T, error)) ([]T, error) {
	if len(msgs) == 0 {
		return nil, nil
	}
	out := make([]T, 0, len(msgs))
	var errs []error
	for _, m := range msgs {
		if m.Header.Type != typ {
			continue
		}
		v, err := decode(m.Data)
		switch {
		case err == nil:
			out = append(out, v)
		case !errors.Is(err, ErrFamily):
			errs = append(errs, err)
		}
	}
	return out, errors.Join(errs...)
}

// DecodeLinks reads a dump of links without their counters, and enters their names into t before anything is looked up there.
func DecodeLinks(msgs []netlink.Message, t *NameTable) ([]state.Link, error) {
	return decodeLinks(msgs, t, false)
}

// DecodeLinksStats is DecodeLinks with the counters.
func DecodeLinksStats(msgs []netlink.Message, t *NameTable) ([]state.Link, error) {
	return decodeLinks(msgs, t, true)
}

func decodeLinks(msgs []netlink.Message, t *NameTable, stats bool) ([]state.Link, error) {
	for _, m := range msgs {
		if m.Header.Type == unix.RTM_NEWLINK {
			t.learn(m.Data)
		}
	}
	return decodeAll(msgs, unix.RTM_NEWLINK, func(b []byte) (state.Link, error) { return decodeLink(b, t, stats) })
}

// learn enters the names in a link's message. What is wrong with the message is the decoder's to say.
func (t *NameTable) learn(b []byte) {
	head, w, err := header(b, ifinfoLen)
	if err != nil || head[0] != unix.AF_UNSPEC {
		return
	}
	index := int(int32(binary.NativeEndian.Uint32(head[4:])))
	for w.next() {
		switch w.typ {
		case unix.IFLA_IFNAME:
			t.Set(index, w.str())
		case unix.IFLA_PROP_LIST:
			for _, a := range w.altNames() {
				t.SetAlt(index, a)
			}
			return // the name comes before
		}
	}
}

// DecodeAddrs reads a dump of addresses.
func DecodeAddrs(msgs []netlink.Message, names Names) ([]state.Addr, error) {
	return decodeAll(msgs, unix.RTM_NEWADDR, func(b []byte) (state.Addr, error) { return DecodeAddr(b, names) })
}

// DecodeRoutes reads a dump of routes.
func DecodeRoutes(msgs []netlink.Message, names Names) ([]state.Route, error) {
	return decodeAll(msgs, unix.RTM_NEWROUTE, func(b []byte) (state.Route, error) { return DecodeRoute(b, names) })
}

// DecodeRules reads a dump of rules.
func DecodeRules(msgs []netlink.Message) ([]state.Rule, error) {
	return decodeAll(msgs, unix.RTM_NEWRULE, DecodeRule)
}

// DecodeNeighbors reads a dump of neighbours.
func DecodeNeighbors(msgs []netlink.Message, names Names) ([]state.Neighbor, error) {
	return decodeAll(msgs, unix.RTM_NEWNEIGH, func(b []byte) (state.Neighbor, error) { return DecodeNeighbor(b, names) })
}

// DecodeFDBs reads a dump of forwarding tables.
func DecodeFDBs(msgs []netlink.Message, names Names) ([]state.FDBEntry, error) {
	return decodeAll(msgs, unix.RTM_NEWNEIGH, func(b []byte) (state.FDBEntry, error) { return DecodeFDB(b, names) })
}

// DecodeNSIDs reads a dump of namespace ids.
func DecodeNSIDs(msgs []netlink.Message) ([]int, error) {
	return decodeAll(msgs, unix.RTM_NEWNSID, DecodeNSID)
}

// DecodeNextHops reads a dump of next hop objects.
func DecodeNextHops(msgs []netlink.Message, names Names) ([]state.NextHopObject, error) {
	return decodeAll(msgs, unix.RTM_NEWNEXTHOP, func(b []byte) (state.NextHopObject, error) { return DecodeNextHop(b, names) })
}

// DecodeQdiscs reads a dump of queueing disciplines.
func DecodeQdiscs(msgs []netlink.Message, names Names) ([]state.Qdisc, error) {
	return decodeAll(msgs, unix.RTM_NEWQDISC, func(b []byte) (state.Qdisc, error) { return DecodeQdisc(b, names) })
}
