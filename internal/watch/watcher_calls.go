package watch

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"warren/netns"
)

// called takes in that a thread is in another namespace now.
func (w *watcher) called(c Call) error {
	if c.PID == 0 || c.PID == os.Getpid() { // somewhere else on the machine; or we ourselves, looking
		return nil
	}
	if c.Number == unix.SYS_SETNS {
		return w.entered(c)
	}
	if len(w.makers) > mostMemory {
		clear(w.makers)
	}
	w.makers[c.To] = c
	if c.Number == unix.SYS_UNSHARE { // coming back from there is not worth an event
		w.leave(c)
	}
	if w.byCookie[c.To] != nil {
		return nil // its name was seen first
	}
	h, err := netns.OpenPath("/proc/" + strconv.Itoa(c.PID) + "/task/" + strconv.Itoa(c.TID) + "/ns/net")
	if err == nil && h.Cookie() != c.To {
		err = errors.Join(errElsewhere, h.Close())
	}
	if err != nil { // it has ended already, or is elsewhere
		sp := w.add(c.To, uint64(c.Inode))
		return w.made(sp, nil)
	}
	defer h.Close()
	sp, _, err := w.found(h, nil, nil)
	if err != nil {
		return err
	}
	return w.readOne(sp, "pid:"+strconv.Itoa(c.TID))
}

var errElsewhere = errors.New("the thread is elsewhere by now")

// entered tells of a thread that went to another namespace, but not that it came back.
func (w *watcher) entered(c Call) error {
	if w.home[c.TID] == c.To {
		delete(w.home, c.TID)
		return nil
	}
	w.leave(c)
	sp := w.byCookie[c.To]
	if sp == nil {
		return nil
	}
	e := sp.stamp(Event{Kind: Entered}, w.now)
	e.who(c)
	return w.emit(e)
}

// leave remembers where a thread came from.
func (w *watcher) leave(c Call) {
	if len(w.home) > mostMemory {
		clear(w.home)
	}
	if _, away := w.home[c.TID]; !away {
		w.home[c.TID] = c.From
	}
}
