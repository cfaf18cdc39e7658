package watch

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// A space is a namespace that is known.
type space struct {
	cookie uint64
	inode  uint64
	host   bool
	names  []string // sorted
	id     int      // in our own namespace; -1 = none
	seen   uint64   // the number of the last scan that found it
	*contents
}

func (s *space) key() string {
	switch {
	case s.host:
		return state.HostNS
	case len(s.names) > 0:
		return s.names[0]
	}
	return "cookie:" + strconv.FormatUint(s.cookie, 10)
}

// spaces are those that are known, and which of them has which id.
type spaces struct {
	byCookie map[uint64]*space
	byID     map[int]*space
	// promised are ids that were given away and whose notification is still to come: until then what comes with that id is
	// of the namespace that had it before.
	promised map[int]*space
	route    *nl.Conn // in our own namespace
}

// own makes sure that a namespace has an id here: without one nothing is heard of it.
func (s *spaces) own(sp *space, h *netns.Handle) error {
	if sp.host {
		return nil
	}
	id, err := s.idOf(h)
	given := false
	if err == nil && id < 0 {
		err = s.route.Batch([]nl.Request{rtnl.SetNSID(h.FD(), -1)})[0]
		if given = err == nil; given || errors.Is(err, unix.EEXIST) {
			id, err = s.idOf(h)
		}
	}
	if err != nil || id < 0 {
		return err
	}
	sp.id = id
	was := s.byID[id]
	if was == nil {
		s.byID[id] = sp
	}
	if given || was != nil && was != sp {
		s.promised[id] = sp
	}
	return nil
}

// alive asks whether an id is still some namespace's.
func (s *spaces) alive(id int) bool {
	data := make([]byte, 4, 12) // struct rtgenmsg, padded
	data = binary.NativeEndian.AppendUint16(data, 8)
	data = binary.NativeEndian.AppendUint16(data, netnsaNSID)
	data = binary.NativeEndian.AppendUint32(data, uint32(id))
	return s.route.Exchange([]nl.Request{{Type: unix.RTM_GETNSID, Data: data}})[0].Err == nil
}

const netnsaNSID = 1 // NETNSA_NSID, linux/net_namespace.h

func (s *spaces) idOf(h *netns.Handle) (int, error) {
	r := s.route.Exchange([]nl.Request{rtnl.GetNSID(h.FD())})[0]
	if r.Err != nil {
		return -1, r.Err
	}
	for _, m := range r.Messages {
		return rtnl.DecodeNSID(m.Data)
	}
	return -1, nil
}

// add makes a space of a namespace that was not known.
func (s *spaces) add(cookie, inode uint64) *space {
	sp := &space{cookie: cookie, inode: inode, id: -1, contents: newContents()}
	s.byCookie[cookie] = sp
	return sp
}

// drop forgets a namespace.
func (s *spaces) drop(sp *space) {
	delete(s.byCookie, sp.cookie)
	for _, m := range []map[int]*space{s.byID, s.promised} {
		if m[sp.id] == sp {
			delete(m, sp.id)
		}
	}
}

// sorted lists them by key.
func (s *spaces) sorted() []*space {
	list := make([]*space, 0, len(s.byCookie))
	for _, sp := range s.byCookie {
		list = append(list, sp)
	}
	slices.SortFunc(list, func(a, b *space) int { return cmp.Or(cmp.Compare(a.key(), b.key()), cmp.Compare(a.cookie, b.cookie)) })
	return list
}

// named finds the space of a name.
func (s *spaces) named(name string) *space {
	for _, sp := range s.byCookie {
		if slices.Contains(sp.names, name) {
			return sp
		}
	}
	return nil
}

// stamp fills in what all events have.
func (s *space) stamp(e Event, now time.Time) Event {
	e.Time, e.NS, e.Cookie = now, s.key(), s.cookie
	return e
}
