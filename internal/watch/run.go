package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/netns"
)

// An input is one thing that was heard.
type input struct {
	net    nl.Event
	lost   bool
	names  []nameEvent
	call   *Call
	err    error
	rescan bool
	retry  *retry
}

// Run watches until ctx ends (nil), f returns an error (that one), or nothing can be heard any more. f is called with one event
// at a time, in the order in which the kernel told of them; events of different sources may be out of order by moments.
func Run(ctx context.Context, o Options, f func(Event) error) error {
	o.fill()
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{opt: o, ctx: ctx, emit: f, in: make(chan input, o.Queue), makers: map[uint64]Call{}, home: map[int]uint64{}}
	defer w.close()
	defer cancel()
	if err := w.listen(); err != nil {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	o.Ready()
	err := w.loop()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// listen opens the ears, before anything is read: so nothing is missed in between.
func (w *watcher) listen() error {
	self, err := netns.Current()
	if err != nil {
		return err
	}
	defer self.Close()
	w.spaces = spaces{byCookie: map[uint64]*space{}, byID: map[int]*space{}, promised: map[int]*space{}}
	w.self = self.Cookie()
	if w.sub, err = w.subscribe(); err != nil {
		return err
	}
	if w.route, err = self.Netlink(unix.NETLINK_ROUTE); err != nil {
		return err
	}
	if w.names, err = watchNames(w.opt.Dir); err != nil {
		return fmt.Errorf("watch the names of namespaces: %w", err)
	}
	if !w.opt.NoCalls {
		if w.calls, err = OpenCalls(); err != nil {
			w.opt.Note(err)
		}
	}
	if w.opt.Rescan == 0 {
		w.opt.Rescan = time.Second
		if w.calls != nil {
			w.opt.Rescan = 10 * time.Second
		}
	}
	w.hear()
	return nil
}

// subscribe opens the socket that hears all namespaces.
func (w *watcher) subscribe() (*nl.Subscription, error) {
	self, err := netns.Current()
	if err != nil {
		return nil, err
	}
	defer self.Close()
	fd, err := self.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	sub, err := nl.Subscribe(fd, nl.SubscribeOptions{AllNSID: true, Buffer: w.opt.Buffer, Groups: []uint32{
		unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE,
		unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE, unix.RTNLGRP_NSID,
	}})
	if err != nil {
		return nil, fmt.Errorf("watch the network of all namespaces: %w", err)
	}
	return sub, nil
}

// hear starts a goroutine for each source.
func (w *watcher) hear() {
	w.wait.Go(func() {
		for {
			e, err := w.sub.Receive(w.ctx)
			switch {
			case errors.Is(err, nl.ErrResync):
				// The loss is told before what was queued earlier: that would be taken for news after everything was read anew.
				// A new socket has nothing old.
				_ = w.sub.Close()
				if w.sub, err = w.subscribe(); err != nil {
					w.put(input{err: err})
					return
				}
				w.put(input{lost: true})
			case err != nil:
				w.put(input{err: err})
				return
			default:
				w.put(input{net: e})
			}
		}
	})
	w.wait.Go(func() {
		for {
			list, err := w.names.receive()
			if err != nil {
				w.put(input{err: err})
				return
			}
			w.put(input{names: list})
		}
	})
	if w.calls != nil {
		w.wait.Go(func() {
			for {
				c, err := w.calls.Receive()
				if err != nil {
					return // closed
				}
				w.put(input{call: &c})
			}
		})
	}
	w.wait.Go(func() {
		t := time.NewTicker(w.opt.Rescan)
		defer t.Stop()
		for {
			select {
			case <-w.ctx.Done():
				return
			case <-t.C:
				w.put(input{rescan: true})
			}
		}
	})
}

func (w *watcher) put(i input) {
	select {
	case w.in <- i:
	case <-w.ctx.Done():
	}
}

func (w *watcher) close() {
	if w.names != nil {
		_ = w.names.file.Close()
	}
	if w.calls != nil {
		_ = w.calls.reader.Close() // the rest when nobody reads any more
	}
	w.wait.Wait()
	if w.sub != nil {
		_ = w.sub.Close()
	}
	if w.calls != nil {
		_ = w.calls.Close()
	}
	if w.route != nil {
		_ = w.route.Close()
	}
}

func (w *watcher) loop() error {
	for {
		select {
		case <-w.ctx.Done():
			return w.ctx.Err()
		case i := <-w.in:
			if err := w.handle(i); err != nil {
				return err
			}
		}
	}
}

func (w *watcher) handle(i input) error {
	w.now = time.Now()
	switch {
	case i.err != nil:
		return i.err
	case i.lost:
		return w.resync()
	case i.call != nil:
		return w.called(*i.call)
	case i.rescan:
		return w.scan(false)
	case i.retry != nil:
		return w.name(i.retry.name, i.retry.since)
	case i.names != nil:
		return w.nameEvents(i.names)
	}
	return w.heard(i.net)
}
