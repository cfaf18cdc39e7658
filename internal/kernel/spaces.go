package kernel

import (
	"context"
	"errors"
	"math/rand/v2"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/plan"
	"warren/state"
)

// openSpaces bounds the namespaces that are kept open at once when the limit of open files is not known to be higher. Each
// takes two or three descriptors.
const openSpaces = 256

// A space is a namespace that is being worked in.
type space struct {
	key   string
	ns    *netns.Handle
	route *nl.Conn // rtnetlink
	names rtnl.NameTable
	// next is the index for the next link of a namespace that was made by this Apply; 0 = the kernel's choice.
	next int
}

// firstIndex is where links of new namespaces begin: above the fallback tunnels (tunl0, sit0, ...) that some kernels put
// into every one.
const firstIndex = 16

// indexes chooses different indexes for the two ends of a cable, 0 and 0 = the kernel's choice, in the host's namespace
// above all. When they are equal, as the kernel's own choice would often be between namespaces of a lab, it takes the ends
// for one link that stands on nothing and reports their carrier up to a second late (linkwatch_urgent_event in
// net/core/link_watch.c); until then nothing passes. In a namespace that was there before, any index may be taken; one of
// some ten thousands seldom is, and then the kernel says EBUSY and is left the choice.
func indexes(a, b *space) (int, int) {
	if a == b || a.key == state.HostNS || b.key == state.HostNS {
		return 0, 0
	}
	i, j := a.pick(), b.pick()
	if i == j {
		j = b.pick()
	}
	return i, j
}

// pick is the next index, or one that is probably free.
func (s *space) pick() int {
	if s.next == 0 {
		return 1024 + rand.IntN(1<<15)
	}
	s.next++
	return s.next - 1
}

func (s *space) close() {
	if s.route != nil {
		_ = s.route.Close()
	}
	if s.ns != nil {
		_ = s.ns.Close()
	}
}

// spaces are the namespaces that Apply has open: each from its first step to its last one.
type spaces struct {
	k     *Kernel
	open  map[string]*space
	order []string   // keys in the order of opening, closed ones included
	ends  [][]string // position of a step -> keys that no later step needs
	done  int        // positions below are released
	limit int
}

func newSpaces(k *Kernel, steps []plan.Step) *spaces {
	s := &spaces{k: k, open: map[string]*space{}, ends: make([][]string, len(steps)), limit: openSpaces}
	seen := map[string]bool{}
	for i := len(steps) - 1; i >= 0; i-- {
		keys := []string{steps[i].NS}
		if c := steps[i].Object().Cable; c != nil {
			keys = []string{c.A.NS, c.B.NS}
		}
		for _, key := range keys {
			if !seen[key] {
				seen[key] = true
				s.ends[i] = append(s.ends[i], key)
			}
		}
	}
	var rl unix.Rlimit
	// The runtime has raised the soft limit to the hard one already (package os).
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &rl) == nil {
		s.limit = max(8, int(min(rl.Cur, 1<<20)-min(rl.Cur, 128))/4)
	}
	return s
}

// get returns a namespace, opened if necessary.
func (s *spaces) get(ctx context.Context, key string) (*space, error) {
	if sp := s.open[key]; sp != nil {
		return sp, nil
	}
	h, err := s.k.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	conn, err := h.Netlink(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return s.put(key, h, conn), nil
}

// put adds a namespace that is open already.
func (s *spaces) put(key string, h *netns.Handle, conn *nl.Conn) *space {
	sp := &space{key: key, ns: h, route: conn}
	sp.names.Set(loopbackIndex, "lo")
	s.drop(key)
	s.open[key] = sp
	s.order = append(s.order, key)
	return sp
}

// forgetLinks forgets the indexes of links: one of that name that comes later has another.
func (s *spaces) forgetLinks() {
	for _, sp := range s.open {
		sp.names = rtnl.NameTable{}
		sp.names.Set(loopbackIndex, "lo")
	}
}

// loopbackIndex is the index of lo in every namespace (LOOPBACK_IFINDEX, linux/netdevice.h).
const loopbackIndex = 1

// drop closes one namespace.
func (s *spaces) drop(key string) {
	if sp := s.open[key]; sp != nil {
		sp.close()
		delete(s.open, key)
	}
}

// release closes what no step from next on needs, and the oldest when there are too many.
func (s *spaces) release(next int) {
	for ; s.done < next; s.done++ {
		for _, key := range s.ends[s.done] {
			s.drop(key)
		}
	}
	for len(s.open) > s.limit && len(s.order) > 0 {
		s.drop(s.order[0])
		s.order = s.order[1:]
	}
}

func (s *spaces) close() {
	for _, key := range s.order {
		s.drop(key)
	}
}
