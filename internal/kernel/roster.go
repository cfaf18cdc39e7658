package kernel

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// A roster is a scratch namespace that knows by number all namespaces that have a name. Asked from there, the kernel tells
// in one answer who is behind all ids of another namespace (RTM_GETNSID with NETNSA_TARGET_NSID, Linux 5.0), where else each
// of a thousand names had to be tried for each. To make it costs as much as one search. Its numbers hold nothing alive: what
// goes away leaves it.
type roster struct {
	mu   sync.Mutex
	conn *nl.Conn                  // nil = there is none
	keys []string                  // by number
	free int                       // the next number that nobody has
	ids  map[uint64]map[int]string // by viewer's cookie

	searches int      // one by one
	names    []string // that they went through
}

// From how many ids on a dump of them may have been cut off: in a wide part (see nl.Conn.Widen), 36 bytes each, and in a
// usual one.
const (
	manyIDs = 800
	cutIDs  = 100
)

// Rest gives back what the adapter keeps from one question to the next within a walk, and forgets it. It may be used on.
func (k *Kernel) Rest() {
	r := &k.roster
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil {
		_ = r.conn.Close()
	}
	r.searches, r.names = 0, nil
	r.conn, r.keys, r.free, r.ids = nil, nil, 0, nil
}

// rosterOf returns the keys behind the ids of a namespace. ok is false where each name has to be tried.
func (k *Kernel) rosterOf(ctx context.Context, viewer *netns.Handle) (ids map[int]string, ok bool) {
	r := &k.roster
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil && !r.make(k) {
		return nil, false
	}
	if ids, ok := r.ids[viewer.Cookie()]; ok {
		return ids, true
	}
	at := idsOf(r.conn, []int{viewer.FD()})[0]
	if at == rtnl.NoNSID {
		at = r.free
		r.free++
		if err := r.conn.Batch([]nl.Request{rtnl.SetNSID(viewer.FD(), at)})[0]; err != nil {
			return nil, false
		}
	}
	msgs, err := r.conn.Dump(ctx, rtnl.DumpNSIDsOf(at))
	if err != nil && !errors.Is(err, nl.ErrInconsistent) {
		return nil, false
	}
	pairs, err := rtnl.DecodeNSIDPairs(msgs)
	if err != nil || len(pairs) > manyIDs {
		return nil, false
	}
	ids = map[int]string{}
	for _, p := range pairs {
		if p.Here >= 0 && p.Here < len(r.keys) {
			ids[p.There] = r.keys[p.Here]
		}
	}
	if viewer.Cookie() != 0 {
		r.ids[viewer.Cookie()] = ids
	}
	return ids, true
}

// make fills a new roster.
func (r *roster) make(k *Kernel) bool {
	err := netns.Scratch(func(in *netns.Inside) (err error) {
		r.conn, err = in.Netlink(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return false
	}
	_ = r.conn.Widen() // where it does not help, fewer ids are known
	r.keys, r.ids = append(k.allKeys(), state.HostNS), map[uint64]map[int]string{}
	r.free = len(r.keys)
	base := 0
	for part := range slices.Chunk(r.keys, beyondBatch) {
		keys, fds := k.peek(part)
		reqs := make([]nl.Request, len(fds))
		for i, fd := range fds {
			reqs[i] = rtnl.SetNSID(fd, base+slices.Index(part, keys[i]))
		}
		_ = r.conn.Batch(reqs) // EEXIST: a namespace with two names; of others the ids stay unknown
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
		base += len(part)
	}
	return true
}

// idsOf asks which ids the namespace of a socket has for others.
func idsOf(conn *nl.Conn, fds []int) []int {
	reqs, ids := make([]nl.Request, len(fds)), make([]int, len(fds))
	for i, fd := range fds {
		reqs[i], ids[i] = rtnl.GetNSID(fd), rtnl.NoNSID
	}
	conn.QueryEach(reqs, func(i int, m netlink.Message, err error) {
		if err != nil {
			return
		}
		if id, err := rtnl.DecodeNSID(m.Data); err == nil {
			ids[i] = id
		}
	})
	return ids
}

// allKeys lists the keys of everything that has a name.
func (k *Kernel) allKeys() []string {
	names, _ := k.names()
	hidden, _ := k.hiddenKeys()
	return slices.Concat(names, hidden)
}

// peek opens the namespaces of keys, those that there are, without looking closer: for asking the kernel about many.
func (k *Kernel) peek(keys []string) (open []string, fds []int) {
	for _, key := range keys {
		p, err := k.place(key)
		if err != nil {
			continue
		}
		if key == state.HostNS {
			p.path = "/proc/thread-self/ns/net"
		}
		// Whatever else sits there is neither waited for nor taken as a terminal, and the kernel refuses it as a namespace.
		if fd, err := unix.Open(p.path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK, 0); err == nil {
			open, fds = append(open, key), append(fds, fd)
		}
	}
	return open, fds
}
