package watch

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// A watcher is one call of Run.
type watcher struct {
	opt  Options
	ctx  context.Context //nolint:containedctx // of the one call that it stands for
	emit func(Event) error
	in   chan input
	wait sync.WaitGroup
	now  time.Time

	sub   *nl.Subscription
	names *nameWatch
	calls *Calls
	spaces
	self   uint64 // cookie of our own namespace
	scans  uint64
	makers map[uint64]Call // who made a namespace, by cookie
	home   map[int]uint64  // threads that went elsewhere: the cookie of where they came from
}

// mostMemory bounds what is remembered of threads and makers.
const mostMemory = 10000

// parts is what is read of a namespace.
const parts = state.PartLinks | state.PartAddrs | state.PartRoutes | state.PartRules

// begin reads what there is.
func (w *watcher) begin() error {
	w.now = time.Now()
	emit := w.emit
	w.emit = func(Event) error { return nil } // what was there before is no event
	defer func() { w.emit = emit }()
	return w.scan(true)
}

// resync reads everything anew.
func (w *watcher) resync() error {
	if err := w.emit(Event{Time: w.now, Kind: Resync}); err != nil {
		return err
	}
	return w.scan(true)
}

// scan looks for namespaces, and with all reads every one of them.
func (w *watcher) scan(all bool) error {
	found, _, err := netns.Survey(w.ctx, netns.SurveyOptions{Dir: w.opt.Dir, Processes: true, Holders: true})
	if err != nil {
		return err
	}
	defer func() {
		for _, f := range found {
			_ = f.Close()
		}
	}()
	w.scans++
	var fresh []*space
	for _, f := range found {
		if f.Handle == nil || f.Handle.Cookie() == 0 {
			continue
		}
		sp, isFresh, err := w.found(f.Handle, f.Names, f.Processes)
		if err != nil {
			return err
		}
		sp.seen = w.scans
		if isFresh {
			fresh = append(fresh, sp)
		}
	}
	for _, sp := range w.sorted() {
		if sp.seen != w.scans && (sp.id < 0 || all && !w.alive(sp.id)) {
			if err := w.gone(sp); err != nil {
				return err
			}
		}
	}
	if all {
		return w.read(state.Query{Everywhere: true, Parts: parts})
	}
	for _, sp := range fresh {
		if err := w.readOne(sp, ""); err != nil {
			return err
		}
	}
	return nil
}

// found takes a namespace in: a new one, or one whose names are others now. fresh says that it has to be read: nothing was
// heard of it before.
func (w *watcher) found(h *netns.Handle, names []string, processes []state.Process) (sp *space, fresh bool, err error) {
	sp = w.byCookie[h.Cookie()]
	isNew := sp == nil
	fresh = isNew
	if isNew {
		sp = w.add(h.Cookie(), h.Inode())
		sp.host = h.Cookie() == w.self
		sp.names = slices.Clone(names)
		if err := w.made(sp, processes); err != nil {
			return sp, true, err
		}
	}
	if sp.id < 0 && !sp.host {
		fresh = true
		if err := w.own(sp, h); err != nil {
			w.opt.Note(fmt.Errorf("namespace %s is not heard: %w", sp.key(), err))
		}
	}
	for _, n := range names {
		if isNew || !slices.Contains(sp.names, n) {
			if err := w.gotName(sp, n); err != nil {
				return sp, fresh, err
			}
		}
	}
	return sp, fresh, nil
}

// made tells of a new namespace, with who made it when that was seen.
func (w *watcher) made(sp *space, processes []state.Process) error {
	e := sp.stamp(Event{Kind: Made}, w.now)
	if c, known := w.makers[sp.cookie]; known {
		e.who(c)
	} else if len(processes) > 0 {
		e.PID, e.Command, e.User = processes[0].PID, processes[0].Command, userName(processes[0].UID)
	}
	return w.emit(e)
}

func (e *Event) who(c Call) {
	p := c.doer()
	e.PID, e.Command, e.User = p.PID, p.Command, userName(p.UID)
}

func (w *watcher) gotName(sp *space, name string) error {
	if !slices.Contains(sp.names, name) {
		sp.names = append(sp.names, name)
		slices.Sort(sp.names)
	}
	e := sp.stamp(Event{Kind: Named, Name: name}, w.now)
	if c, known := w.makers[sp.cookie]; known {
		e.who(c)
	}
	return w.emit(e)
}

func (w *watcher) gone(sp *space) error {
	w.drop(sp)
	delete(w.makers, sp.cookie)
	return w.emit(sp.stamp(Event{Kind: Gone}, w.now))
}

// read reads namespaces and tells what is different from what was known.
func (w *watcher) read(q state.Query) error {
	snap, err := w.opt.Observe(w.ctx, q)
	if err != nil {
		return err
	}
	for i := range snap.Namespaces {
		n := &snap.Namespaces[i]
		sp := w.byCookie[n.Cookie]
		if sp == nil {
			continue // came after the scan, which will find it
		}
		for _, e := range sp.fill(n) {
			if e.Link == "lo" && e.Kind == LinkAdded { // every namespace has it
				continue
			}
			if err := w.emit(sp.stamp(e, w.now)); err != nil {
				return err
			}
		}
	}
	return nil
}

// readOne reads a namespace that was just found, by a reference that leads there quickly.
func (w *watcher) readOne(sp *space, ref string) error {
	if ref == "" {
		ref = sp.key()
	}
	err := w.read(state.Query{Names: []string{ref}, Parts: parts})
	if w.ctx.Err() != nil {
		return w.ctx.Err()
	}
	if err != nil {
		w.opt.Note(fmt.Errorf("read %s: %w", sp.key(), err))
	}
	return nil
}

// heard takes a notification in.
func (w *watcher) heard(ev nl.Event) error {
	for _, m := range ev.Messages {
		if m.Header.Type == unix.RTM_NEWNSID || m.Header.Type == unix.RTM_DELNSID {
			if ev.NSID >= 0 {
				continue // ids in other namespaces
			}
			if err := w.idEvent(m.Header.Type == unix.RTM_DELNSID, m.Data); err != nil {
				return err
			}
			continue
		}
		sp := w.byID[ev.NSID]
		if ev.NSID < 0 {
			sp = w.byCookie[w.self]
		}
		if sp == nil {
			continue // what is found later is read then
		}
		events, err := sp.apply(m)
		if err != nil {
			w.opt.Note(fmt.Errorf("a notification of %s: %w", sp.key(), err))
			continue
		}
		for _, e := range events {
			if e.To != "" {
				e.To = w.keyOfID(sp, e.To)
			}
			if err := w.emit(sp.stamp(e, w.now)); err != nil {
				return err
			}
		}
	}
	return nil
}

// keyOfID names the namespace that sp knows by an id: only our own namespace's ids are known.
func (w *watcher) keyOfID(sp *space, ref string) string {
	id, err := strconv.Atoi(ref[len("id:"):])
	if err != nil || !sp.host {
		return ""
	}
	for _, m := range []map[int]*space{w.promised, w.byID} {
		if to := m[id]; to != nil {
			return to.key()
		}
	}
	return ref
}

// idEvent follows the ids of namespaces in our own.
func (w *watcher) idEvent(gone bool, data []byte) error {
	id, err := rtnl.DecodeNSID(data)
	if err != nil || id < 0 {
		return nil
	}
	if gone {
		if sp := w.byID[id]; sp != nil && w.promised[id] != sp {
			delete(w.byID, id)
			return w.gone(sp)
		}
		return nil
	}
	if sp := w.promised[id]; sp != nil {
		delete(w.promised, id)
		w.byID[id] = sp
		return nil
	}
	if w.byID[id] != nil {
		return nil
	}
	h, err := netns.Open(w.ctx, "id:"+strconv.Itoa(id))
	if err != nil {
		return w.ctx.Err() // gone again, or hidden: a scan will tell
	}
	defer h.Close()
	var names []string
	if h.Name() != "" {
		names = []string{h.Name()}
	}
	sp, fresh, err := w.found(h, names, nil)
	if err != nil {
		return err
	}
	delete(w.promised, id) // this was its notification
	w.byID[id] = sp
	sp.id = id
	if fresh {
		return w.readOne(sp, "")
	}
	return nil
}
