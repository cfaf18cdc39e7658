package kernel

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// A Named is a name below NetnsDir, with what a list shows of its namespace.
type Named struct {
	Name string
	// Stale: no network namespace is mounted there. The name was left half-made, or is being made at this moment, or the
	// mount is not to be seen from here, or it is something else.
	Stale bool
	// Namespace has Cookie, Inode, Created, Mark, and of Addrs those that [Listed] says.
	Namespace state.Namespace
	Processes int // how many
}

// Listed reports whether an address is worth a place in a list: loopback and link-local ones are everywhere.
func Listed(a netip.Addr) bool { return !a.IsLoopback() && !a.IsLinkLocalUnicast() }

// Roll lists the names, sorted, and reads of each namespace only what a list shows: of a thousand in the time of some system
// calls each. What could not be read is in the second result.
func (k *Kernel) Roll(ctx context.Context) ([]Named, []state.Unread, error) {
	entries, err := readDir(k.cfg.NetnsDir)
	if err != nil {
		return nil, nil, &OpError{Op: "read", Object: "names of namespaces", Err: err}
	}
	r := &roll{ctx: ctx, dir: k.cfg.NetnsDir, entries: entries, named: make([]Named, len(entries)), unread: make([][]state.Unread, len(entries))}
	var wg sync.WaitGroup
	// As for readAll; the walk over /proc takes as long as a few names.
	for range min(readWorkers, len(entries)/readBatch) {
		wg.Go(r.work)
	}
	inhabitants, procErr := netns.Inhabitants(ctx)
	r.work()
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, nil, &OpError{Op: "read", Object: "namespaces", Err: err}
	}
	var unread []state.Unread
	if procErr != nil {
		unread = append(unread, state.Unread{Object: "processes", Reason: procErr.Error()})
	}
	list := r.named[:0]
	for i, n := range r.named {
		unread = append(unread, r.unread[i]...)
		if n.Name != "" {
			n.Processes = inhabitants[n.Namespace.Inode]
			list = append(list, n)
		}
	}
	return list, unread, nil
}

// A roll is one call of Roll. A place in its lists belongs to the worker that took it.
type roll struct {
	ctx     context.Context
	dir     string
	entries []os.DirEntry
	next    atomic.Int64
	named   []Named // without a name: gone
	unread  [][]state.Unread
}

// work visits namespaces until there are no more.
func (r *roll) work() {
	at := 0
	q := newQuick()
	err := netns.Tour(func() (h *netns.Handle) {
		h, at = r.open()
		return h
	}, func(h *netns.Handle, err error) error {
		n := &r.named[at].Namespace
		n.Cookie, n.Inode, n.Created = h.Cookie(), h.Inode(), h.Made()
		if err == nil {
			err = q.read(r.ctx, n)
		}
		if err != nil {
			r.miss(at, "addresses", err)
		}
		return nil
	})
	if err != nil && int(r.next.Load()) < len(r.entries) {
		// No thread could be had: what is left is told as unread.
		for i := int(r.next.Add(1)) - 1; i < len(r.entries); i = int(r.next.Add(1)) - 1 {
			r.named[i].Name = r.entries[i].Name()
			r.miss(i, "namespace", err)
		}
	}
}

func (r *roll) miss(i int, object string, err error) {
	r.unread[i] = append(r.unread[i], state.Unread{NS: r.entries[i].Name(), Object: object, Reason: err.Error()})
}

// open opens the next namespace that can be; nil = there are no more.
func (r *roll) open() (*netns.Handle, int) {
	for r.ctx.Err() == nil {
		i := int(r.next.Add(1)) - 1
		if i >= len(r.entries) {
			break
		}
		e := r.entries[i]
		h, err := netns.OpenEntry(r.dir, e)
		if err != nil && errors.Is(err, fs.ErrNotExist) {
			if _, err := os.Lstat(r.dir + "/" + e.Name()); err != nil {
				continue // deleted meanwhile; else a symbolic link to nowhere
			}
		}
		r.named[i].Name = e.Name()
		switch {
		case err == nil:
			return h, i
		case errors.Is(err, netns.ErrNotNamespace), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, unix.ELOOP):
			r.named[i].Stale = true
		default:
			r.miss(i, "namespace", err)
		}
	}
	return nil, 0
}

// quick reads a list's columns.
type quick struct {
	lo, addrs nl.Request
}

func newQuick() *quick {
	return &quick{lo: rtnl.GetLinkIndex(loopbackIndex), addrs: rtnl.DumpAddrs()}
}

// read reads the mark and the addresses of the namespace that the calling thread is in.
func (q *quick) read(ctx context.Context, n *state.Namespace) error {
	conn, err := openSocket(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer conn.Close()
	res := conn.Query([]nl.Request{q.lo})[0]
	if res.Err != nil {
		return res.Err
	}
	for _, m := range res.Messages {
		lo, err := rtnl.DecodeLink(m.Data, nil)
		if err != nil {
			return err
		}
		n.Mark = markOf([]state.Link{lo})
	}
	msgs, err := conn.Dump(ctx, q.addrs)
	if err != nil && !errors.Is(err, nl.ErrInconsistent) {
		return err
	}
	addrs, decodeErr := rtnl.DecodeAddrs(msgs, &askedNames{fd: conn.FD()})
	n.Addrs = slices.DeleteFunc(addrs, func(a state.Addr) bool { return !Listed(a.Prefix.Addr()) })
	return errors.Join(err, decodeErr)
}

// askedNames asks for names one by one (SIOCGIFNAME, netdevice(7)): few are needed, and a dump of links costs more.
type askedNames struct {
	fd    int // of any socket in the namespace
	index int
	name  string
}

func (l *askedNames) Name(index int) (string, bool) {
	if index == l.index {
		return l.name, l.name != ""
	}
	l.index, l.name = index, ""
	var ifr unix.Ifreq
	ifr.SetUint32(uint32(index))
	if unix.IoctlIfreq(l.fd, unix.SIOCGIFNAME, &ifr) == nil {
		l.name = ifr.Name()
	}
	return l.name, l.name != ""
}

func (l *askedNames) Index(string) (int, bool) { return 0, false }
