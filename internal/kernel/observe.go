package kernel

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"warren/internal/nflink"
	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// Observe reads what the query asks for. The error is for what makes the whole answer worthless (a key that cannot be one,
// the directory of names cannot be read, ctx ended); what could not be read of a namespace is in Snapshot.Unread, and a
// namespace that does not exist, or no longer, is left out.
//
// Of neighbours and forwarding tables only what somebody made is read (permanent and static entries). A query for a lab
// reads what a plan compares: of the firewall only our own table, and no routes of the table local.
func (k *Kernel) Observe(ctx context.Context, q state.Query) (state.Snapshot, error) {
	o := &observation{k: k, ctx: ctx, query: q}
	defer o.close()
	places, err := k.places(q)
	if err != nil {
		return state.Snapshot{}, err
	}
	if surveyed(q) {
		if anywhere(q, state.PartSockets|state.PartProcesses) {
			o.sockets = map[uint32]int{}
		}
		found, unread, err := k.survey(ctx, q, o.sockets)
		if err != nil {
			return state.Snapshot{}, err
		}
		places, o.unread = mergePlaces(found, places), unread
	}
	if len(q.Beyond)+len(q.Asks) > 0 && !q.Everywhere {
		beyond, behind, unread := k.findBeyond(ctx, q, &o.viewers)
		places, o.unread, o.behind = mergePlaces(places, beyond), append(o.unread, unread...), behind
	}
	o.readings = make([]reading, len(places))
	for i, p := range places {
		o.readings[i].place = p
	}
	o.readAll()
	if err := ctx.Err(); err != nil {
		return state.Snapshot{}, &OpError{Op: "read", Object: "namespaces", Err: err}
	}
	o.resolvePeers()
	return o.snapshot(ctx)
}

// places lists what to read, sorted by key, each once.
func (k *Kernel) places(q state.Query) ([]place, error) {
	keys := slices.Clone(q.Names)
	if q.Lab != "" {
		lab, err := k.labKeys(q.Lab)
		if err != nil {
			return nil, &OpError{Op: "read", Object: "names of lab " + q.Lab, Err: err}
		}
		keys = append(keys, lab...)
	}
	if q.All {
		names, err := k.names()
		if err != nil {
			return nil, &OpError{Op: "read", Object: "names of namespaces", Err: err}
		}
		hidden, err := k.hiddenKeys()
		if err != nil {
			return nil, &OpError{Op: "read", Object: "names of hidden namespaces", Err: err}
		}
		keys = append(slices.Concat(keys, names, hidden), state.HostNS)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	places := make([]place, len(keys))
	for i, key := range keys {
		p, err := k.place(key)
		if err != nil {
			return nil, &OpError{Op: "read", Object: "namespace", NS: key, Err: err}
		}
		places[i] = p
	}
	return places, nil
}

// A reading is one namespace that is being read.
type reading struct {
	place  place
	ns     state.Namespace
	handle *netns.Handle // nil = it does not exist, or could not be opened
	conn   *nl.Conn      // stays open where the peers of links are to be found
	names  rtnl.NameTable
	keys   []string // sysctls that are still to be read
	unread []state.Unread
}

func (r *reading) miss(object string, err error) {
	if err != nil {
		r.unread = append(r.unread, state.Unread{NS: r.place.key, Object: object, Reason: err.Error()})
	}
}

// An observation is one call of Observe.
type observation struct {
	k        *Kernel
	ctx      context.Context
	query    state.Query
	readings []reading
	unread   []state.Unread // of no single namespace
	behind   []state.Behind
	viewers  []viewer

	groupsMutex  sync.Mutex
	groups       *groupTree
	inhabitants  map[string][]int // processes by their namespace
	ebtablesOnce sync.Once
	ebtables     bool // legacy ebtables are in memory
	linksOnce    sync.Once
	links        []nflink.Link // programs at hooks of netfilter
	linksErr     error
	sockets      map[uint32]int // inode -> first process that has it open
	sctpOnce     sync.Once
	sctp         bool
}

func (o *observation) close() {
	o.groups.close()
	for _, v := range o.viewers {
		_ = v.handle.Close()
	}
	for i := range o.readings {
		r := &o.readings[i]
		if r.conn != nil {
			_ = r.conn.Close()
		}
		if r.handle != nil {
			_ = r.handle.Close()
		}
		if r.place.found != nil {
			_ = r.place.found.Close()
		}
		if r.place.handle != nil {
			_ = r.place.handle.Close()
		}
	}
}

// Namespaces are read by up to two workers (the kernel's lock for links makes more of them useless), each taking a few at
// a time and reading them in one visit.
const (
	readWorkers = 2
	readBatch   = 16
)

func (o *observation) readAll() {
	n := len(o.readings)
	var next atomic.Int64
	work := func() {
		p := newProc(n)
		defer p.close()
		for o.ctx.Err() == nil {
			end := int(next.Add(readBatch))
			if end-readBatch >= n {
				return
			}
			o.readBatch(o.readings[end-readBatch:min(end, n)], p)
		}
	}
	workers := min(readWorkers, runtime.GOMAXPROCS(0), (n+readBatch-1)/readBatch)
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

// readBatch opens the namespaces and reads them inside of one visit to all of them.
func (o *observation) readBatch(rs []reading, p *proc) {
	var open []*reading
	var handles []*netns.Handle
	for i := range rs {
		r := &rs[i]
		h, err := o.k.openPlace(o.ctx, r.place)
		switch {
		case err == nil:
			r.handle = h
			open, handles = append(open, r), append(handles, h)
		case errors.Is(err, netns.ErrNotExist), errors.Is(err, netns.ErrNotNamespace):
		default:
			r.miss("namespace", err)
		}
	}
	for len(handles) > 0 {
		done := 0
		err := netns.Each(handles, func(i int, _ *netns.Handle) error {
			done = i + 1
			o.read(open[i], p)
			return o.ctx.Err()
		})
		p.files.close() // the next visit may be another thread's
		if err == nil || o.ctx.Err() != nil {
			return
		}
		// One could not be entered.
		r := open[done]
		r.miss("namespace", err)
		_ = r.handle.Close()
		r.handle = nil
		open, handles = open[done+1:], handles[done+1:]
	}
}

// read reads one namespace. It runs inside of it.
func (o *observation) read(r *reading, p *proc) {
	r.ns.Name = r.place.key
	r.ns.Cookie, r.ns.Inode = r.handle.Cookie(), r.handle.Inode()
	if r.place.path != "" && r.place.found == nil {
		r.ns.Paths = []string{r.place.path}
		if !strings.Contains(r.place.key, "@") {
			r.ns.Names = []string{r.place.key}
		}
	}
	r.keys = o.query.SysctlKeys[r.place.key]
	parts := o.query.PartsOf(r.place.key)
	if r.place.found != nil {
		r.describeFound(parts)
	}
	r.ns.Read |= parts & readInside
	if parts&rtnetlinkParts != 0 {
		o.readRoute(r)
	} else {
		mark, err := readMark()
		r.miss("mark", err)
		r.ns.Mark = mark
	}
	if parts.Has(state.PartFirewall) {
		r.miss("firewall", o.readFirewall(r))
	}
	if parts.Has(state.PartXTables) {
		tables, err := readXTables(&p.files)
		r.ns.XTables = tables
		r.miss("iptables", err)
	}
	if parts.Has(state.PartXTables) {
		r.miss("IP sets", o.readIPSets(r))
	}
	if parts.Has(state.PartConntrack) {
		r.miss("conntrack", o.readConntrack(r))
	}
	if parts.Has(state.PartSockets) {
		r.miss("sockets", o.readSockets(r, p))
	}
	if parts.Has(state.PartAgents) {
		r.miss("agents", o.readAgents(r, &p.files))
		r.miss("ebtables", o.readEBTables(r))
	}
	if parts.Has(state.PartSysctls) {
		r.keys = withKeys(r.keys, conntrackKeys(&r.ns.Contents, o.looked(parts)))
	}
	if len(r.keys) > 0 {
		p.next()
		r.miss("sysctls", readSysctls(p, r.keys, &r.ns.Contents))
	}
}

func readSysctls(p *proc, keys []string, c *state.Contents) error {
	c.Sysctls = slices.Grow(c.Sysctls, len(keys))
	defer p.leave()
	var errs []error
	for _, key := range keys {
		v, ok, err := p.read(key)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
		if ok {
			c.Sysctls = append(c.Sysctls, state.Sysctl{Key: key, Value: v})
		}
	}
	return errors.Join(errs...)
}

// snapshot puts the readings together.
func (o *observation) snapshot(ctx context.Context) (state.Snapshot, error) {
	s := state.Snapshot{Version: state.SnapshotVersion, Unread: o.unread, Behind: o.behind}
	s.Namespaces = make([]state.Namespace, 0, len(o.readings))
	if surveyed(o.query) && o.query.Parts.Has(state.PartOwner) {
		o.nameOwners()
	}
	o.fillOwners()
	for i := range o.readings {
		r := &o.readings[i]
		s.Unread = append(s.Unread, r.unread...)
		if r.handle == nil {
			if r.place.found == nil {
				continue
			}
			r.ns = state.Namespace{Name: r.place.key}
			r.describeFound(o.query.PartsOf(r.place.key)) // found, but not to be entered
			r.ns.Read |= state.PartHolders                // nothing of what is inside: 0 would not say so
		}
		r.ns.Sort()
		s.Namespaces = append(s.Namespaces, r.ns)
	}
	if o.query.Parts.Has(state.PartProcesses) && !surveyed(o.query) {
		if err := o.readProcesses(&s); err != nil {
			s.Unread = append(s.Unread, state.Unread{Object: "processes", Reason: err.Error()})
		}
		if o.query.Parts.Has(state.PartSockets) {
			o.findOwners(&s)
		}
	}
	if o.query.Fresh {
		fresh, err := o.k.fresh(ctx, o.query.SysctlKeys)
		if err != nil {
			return s, err
		}
		s.Fresh = fresh
	}
	return s, nil
}

// openSocket opens a socket in the namespace that the calling thread is in.
func openSocket(protocol int) (*nl.Conn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, err
	}
	return nl.New(fd)
}
