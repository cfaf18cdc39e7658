package fake

import (
	"context"
	"maps"
	"slices"
	"sync"

	"warren/plan"
	"warren/state"
)

// A Kernel is a machine's network in memory. It may be used by several goroutines.
type Kernel struct {
	mu     sync.Mutex
	spaces map[string]*space
	cookie uint64
	mac    uint32
}

// New is a machine that has just been started: one namespace, "host", with lo up.
func New() *Kernel {
	k := &Kernel{spaces: map[string]*space{}}
	host := k.newSpace(state.HostNS)
	_ = host.setUp(host.link("lo"), true)
	return k
}

// Clone is a second machine in the same state: the first is not touched by what is done to it.
func (k *Kernel) Clone() *Kernel {
	s, _ := k.Observe(context.Background(), everything)
	c := FromSnapshot(s)
	k.mu.Lock()
	defer k.mu.Unlock()
	for key, s := range k.spaces {
		c.spaces[key].sysctl = maps.Clone(s.sysctl)
	}
	c.mac = k.mac
	return c
}

var everything = state.Query{All: true, Parts: state.PartsLab}

// space is one namespace.
type space struct {
	k      *Kernel
	key    string
	cookie uint64
	links  []*link // by index
	next   int     // next index
	addrs  []state.Addr
	routes []state.Route
	rules  []state.Rule
	neighs []state.Neighbor
	fdb    []state.FDBEntry
	tables []state.Table
	sysctl map[string]string // written values, and those that links have taken from the defaults
}

// link is a link of a space. Its Link's Master, Peer and Lower are filled in when it is read.
type link struct {
	state.Link
	space  *space
	peer   *link
	master *link
	lower  *link
}

func (k *Kernel) newSpace(key string) *space {
	k.cookie++
	s := &space{k: k, key: key, cookie: k.cookie, next: 1, sysctl: map[string]string{}}
	s.add(&link{Link: state.Link{Name: "lo", MTU: 65536, TxQueueLen: 1000}})
	main, local := state.MainTable, state.LocalTable
	const kernel = 2 // RTPROT_KERNEL
	s.rules = []state.Rule{
		{Priority: 0, Table: local, Protocol: kernel},
		{Priority: 32766, Table: main, Protocol: kernel},
		{Priority: 32767, Table: 253, Protocol: kernel},
		{IPv6: true, Priority: 0, Table: local, Protocol: kernel},
		{IPv6: true, Priority: 32766, Table: main, Protocol: kernel},
	}
	k.spaces[key] = s
	return s
}

// Apply carries out the steps in order and reports what became of each. It stops at the first one that fails. The
// error of the report is an [*OpError] (or what hooks.Before or ctx said).
func (k *Kernel) Apply(ctx context.Context, steps []plan.Step, hooks plan.Hooks) plan.Report {
	r := plan.Report{Status: make([]plan.Status, len(steps))}
	for i, s := range steps {
		err := ctx.Err()
		if err == nil && hooks.Before != nil {
			err = hooks.Before(i, s)
		}
		if err == nil {
			k.mu.Lock()
			err = k.step(s)
			k.mu.Unlock()
			if err != nil {
				err = &OpError{Op: s.Verb(), Object: s.Object().String(), NS: s.NS, Err: err}
			}
		}
		if err != nil {
			r.Status[i], r.Err = plan.Failed, err
			return r
		}
		r.Status[i] = plan.Done
		if hooks.After != nil {
			hooks.After(i, s)
		}
	}
	return r
}

// keys lists the namespaces in order.
func (k *Kernel) keys() []string { return slices.Sorted(maps.Keys(k.spaces)) }
