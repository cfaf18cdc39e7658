package watch

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"warren/netns"
)

// nameEvents follows the directory of names.
func (w *watcher) nameEvents(list []nameEvent) error {
	for _, e := range list {
		var err error
		switch {
		case e.name == "":
			err = w.scan(false)
		case e.gone:
			if sp := w.named(e.name); sp != nil {
				was := sp.stamp(Event{Kind: Unnamed, Name: e.name}, w.now)
				sp.names = slices.DeleteFunc(sp.names, func(n string) bool { return n == e.name })
				err = w.emit(was)
			}
		default:
			err = w.name(e.name, w.now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A retry is a name that is no namespace yet: the file comes first, the mount a moment later, which inotify does not tell.
type retry struct {
	name  string
	since time.Time
}

// patience is how long one waits for the mount.
const (
	patience = 2 * time.Second
	between  = 2 * time.Millisecond
)

// name looks at a new name.
func (w *watcher) name(name string, since time.Time) error {
	path := filepath.Join(w.opt.Dir, name)
	h, err := netns.OpenPath(path)
	if err != nil {
		if _, statErr := os.Lstat(path); statErr == nil && w.now.Sub(since) < patience {
			time.AfterFunc(between, func() { w.put(input{retry: &retry{name, since}}) })
		}
		return nil
	}
	defer h.Close()
	if h.Cookie() == 0 {
		return nil
	}
	if old := w.named(name); old != nil && old.cookie != h.Cookie() {
		old.names = slices.DeleteFunc(old.names, func(n string) bool { return n == name })
	}
	sp, fresh, err := w.found(h, []string{name}, nil)
	if err != nil || !fresh {
		return err
	}
	return w.readOne(sp, name)
}
