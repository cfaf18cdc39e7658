package warren

import (
	"context"
	"errors"
	"time"

	"warren/internal/lab"
)

// How often a watchdog looks whether the time was set anew, or somebody confirmed; and how often it tries to undo, with
// pauses that double from the first one on.
const (
	watchEvery = time.Second
	undoTries  = 6
	undoPause  = time.Second
)

// Watch is the watchdog of a lab: it waits until the time to confirm its last change is over, and then undoes the change. It
// returns nil when that is done, or there is nothing to wait for any more. [Options].Watchdog is the command line of a
// process that calls it.
func (w *Warren) Watch(ctx context.Context, name string) error {
	dir, err := w.runDir().Dir(name)
	if err != nil {
		return err
	}
	var u *unconfirmed
	for seen := (time.Time{}); ; {
		if now := dir.UnconfirmedChanged(); u == nil || !now.Equal(seen) {
			seen = now
			if u, err = loadUnconfirmed(dir); err != nil {
				return err
			}
		}
		if !u.waits() {
			return nil
		}
		left, err := u.left()
		if err != nil {
			return err
		}
		if left <= 0 {
			break
		}
		if err := pause(ctx, min(left, watchEvery)); err != nil {
			return err
		}
	}
	var last error
	for try := range undoTries {
		if try > 0 {
			if err := pause(ctx, undoPause<<(try-1)); err != nil {
				return err
			}
		}
		again, err := w.undoWhenOver(ctx, name)
		if err == nil && again {
			return w.Watch(ctx, name)
		}
		if last = err; err == nil {
			return nil
		}
	}
	return last
}

// undoWhenOver undoes the change, if the time is still over once the lab is ours. It reports that there is time again.
func (w *Warren) undoWhenOver(ctx context.Context, name string) (again bool, err error) {
	lock, err := w.lock(ctx, name, false)
	if errors.Is(err, lab.ErrNoLab) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer lock.Unlock()
	u, err := loadUnconfirmed(lock.Dir())
	if err != nil || !u.waits() {
		return false, err
	}
	left, err := u.left()
	if err != nil || left > 0 {
		return left > 0, err
	}
	return false, w.undoUnconfirmed(ctx, lock, u)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
