package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/plan"
	"warren/state"
)

// ErrNotOurs says that a namespace which was to be removed does not carry the mark that it should.
var ErrNotOurs = errors.New("the namespace of that name is not the lab's: it does not carry its mark")

// errStop ends the making of namespaces after a sysctl could not be written.
var errStop = errors.New("stopped")

// A birth is a namespace that comes, with what is done in it before it has a name.
type birth struct {
	at      int // position of its step in the group
	key     string
	mark    state.Mark
	sysctls []int // positions of its sysctls' steps
	conn    *nl.Conn
}

// makeNamespaces makes namespaces on one thread: mark and early sysctls inside, then the name. The sockets opened inside
// stay for the steps that follow.
func (w *work) makeNamespaces(steps []plan.Step, results []result) {
	var births []*birth
	for i, s := range steps {
		if n := s.After.Namespace; n != nil {
			births = append(births, &birth{at: i, key: n.Name, mark: n.Mark})
			continue
		}
		b := births[len(births)-1]
		b.sysctls = append(b.sysctls, i)
	}
	ctx, cancel := context.WithCancelCause(w.ctx)
	defer cancel(nil)
	p := newProc(len(births))
	defer p.close()
	list := make([]netns.New, 0, len(births))
	for _, b := range births {
		path, err := w.k.newPath(b.key)
		if err != nil {
			results[b.at].set(err)
			break // those before it are made
		}
		list = append(list, netns.New{Path: path, Setup: func(in *netns.Inside) error {
			return b.setup(in, p, steps, results, cancel)
		}})
	}
	handles, err := netns.CreateMany(ctx, list)
	for i, h := range handles {
		results[births[i].at].set(nil)
		w.spaces.put(births[i].key, h, births[i].conn).next = firstIndex
	}
	if err == nil || errors.Is(err, errStop) {
		return
	}
	if n := len(handles); n < len(list) {
		b := births[n]
		results[b.at].set(err)
		for _, i := range b.sysctls {
			results[i] = result{}
		}
		if b.conn != nil {
			_ = b.conn.Close()
		}
	}
}

// newPath is where a new namespace gets its name. The lab's directory is made when it is not there.
func (k *Kernel) newPath(key string) (string, error) {
	p, err := k.place(key)
	if err != nil {
		return "", err
	}
	if p.path == "" {
		return "", fmt.Errorf("a namespace cannot be made under the key %q: %w", key, unix.EINVAL)
	}
	if dir := filepath.Dir(p.path); dir != netns.Dir {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
	}
	return p.path, nil
}

// setup runs inside of a new namespace.
func (b *birth) setup(in *netns.Inside, p *proc, steps []plan.Step, results []result, cancel context.CancelCauseFunc) error {
	fd, err := in.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	conn, err := nl.New(fd)
	if err != nil {
		return err
	}
	b.conn = conn
	if !b.mark.IsZero() {
		req, err := rtnl.AddAltNames("lo", b.mark.AltName())
		if err == nil {
			err = conn.Batch([]nl.Request{req})[0]
		}
		if err != nil {
			return fmt.Errorf("mark: %w", err)
		}
	}
	if len(b.sysctls) > 0 {
		p.next()
	}
	for _, i := range b.sysctls {
		if err := p.write(*steps[i].After.Sysctl); err != nil {
			// The namespace is made all the same, so that the report is exact: this one is done, that sysctl failed.
			results[i].set(err)
			cancel(errStop)
			return nil
		}
		results[i].set(nil)
	}
	return nil
}

// removeNamespaces takes the names away, of those namespaces that carry the right mark, and waits until the kernel has
// cleaned up behind all of them.
func (w *work) removeNamespaces(steps []plan.Step, results []result) {
	removed := 0
	defer func() {
		if removed == 0 {
			return
		}
		// Not w.ctx alone: what was begun should not be left behind half-way without being told.
		if err := netns.WaitGone(w.ctx); err != nil {
			results[removed-1].set(fmt.Errorf("wait until it is gone: %w", err))
		}
	}()
	for start := 0; start < len(steps); start += readBatch {
		end := min(start+readBatch, len(steps))
		errs := w.checkMarks(steps[start:end])
		for i := start; i < end; i++ {
			err := errs[i-start]
			if err == nil {
				err = w.removeNamespace(steps[i].Before.Namespace.Name)
			}
			results[i].set(err)
			if err != nil {
				return
			}
			removed = i + 1
		}
	}
}

func (w *work) removeNamespace(key string) error {
	w.spaces.drop(key)
	p, err := w.k.place(key)
	if err != nil {
		return err
	}
	if p.path == "" {
		return fmt.Errorf("the namespace has no name to take away: %w", unix.EINVAL)
	}
	return netns.Delete(w.ctx, p.path)
}

// checkMarks says for each namespace whether it may be removed. One that is not there may.
func (w *work) checkMarks(steps []plan.Step) []error {
	errs := make([]error, len(steps))
	var handles []*netns.Handle
	var at []int
	for i, s := range steps {
		h, err := w.k.Open(w.ctx, s.Before.Namespace.Name)
		switch {
		case err == nil:
			handles, at = append(handles, h), append(at, i)
		case errors.Is(err, netns.ErrNotExist), errors.Is(err, netns.ErrNotNamespace):
			// netns.Delete knows what to do with a half-made name.
		default:
			errs[i] = err
		}
	}
	visited := 0
	err := netns.Each(handles, func(j int, _ *netns.Handle) error {
		visited = j + 1
		errs[at[j]] = checkMark(steps[at[j]].Before.Namespace.Mark)
		return nil
	})
	for j, h := range handles {
		if j >= visited {
			errs[at[j]] = err
		}
		_ = h.Close()
	}
	return errs
}

// checkMark looks at lo of the namespace that the calling thread is in.
func checkMark(want state.Mark) error {
	got, err := readMark()
	if err == nil && got != want {
		return ErrNotOurs
	}
	return err
}
