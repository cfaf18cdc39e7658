package warren

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"warren/internal/lab"
	"warren/topo"
)

// ErrUnconfirmed is what [Warren.Confirm] says when there is nothing to confirm any more: the time was over, or nothing
// waited.
var ErrUnconfirmed = errors.New("nothing waits to be confirmed")

// An Unconfirmed tells of a change that is undone unless somebody confirms it.
type Unconfirmed struct {
	// Until is when it is undone.
	Until time.Time `json:"until"`
	// Then says what that means: "down" (the lab was not up before), "former" (it becomes what it was before).
	Then string `json:"then"`
	// Watched is false when the process that would undo it is gone; the next command that changes the lab does it then.
	Watched bool `json:"watched"`
	// Undone is when it was undone; zero while it waits.
	Undone time.Time `json:"undone,omitzero"`
	// Error says why undoing it failed.
	Error string `json:"error,omitempty"`
}

// unconfirmed is the record of a change that waits, in the lab's directory from before the change. Whoever holds the
// lab's lock may write it.
type unconfirmed struct {
	Within   time.Duration `json:"within"`
	Until    time.Time     `json:"until"`    // for people
	Deadline time.Duration `json:"deadline"` // since boot; what decides
	// Former is the lab as it was last confirmed; nil = it was not up.
	Former   *topo.Lab    `json:"former,omitempty"`
	Watchdog lab.Watchdog `json:"watchdog,omitzero"`
	Undone   time.Time    `json:"undone,omitzero"`
	Error    string       `json:"error,omitempty"`
}

func (u *unconfirmed) waits() bool { return u != nil && u.Undone.IsZero() }

// extend sets the time anew.
func (u *unconfirmed) extend() error {
	now, err := lab.SinceBoot()
	if err != nil {
		return err
	}
	u.Deadline, u.Until = now+u.Within, time.Now().Add(u.Within).Truncate(time.Second)
	return nil
}

func (u *unconfirmed) left() (time.Duration, error) {
	now, err := lab.SinceBoot()
	return u.Deadline - now, err
}

func (u *unconfirmed) public() *Unconfirmed {
	if u == nil {
		return nil
	}
	p := &Unconfirmed{Until: u.Until, Then: "former", Watched: u.Watchdog.Alive(), Undone: u.Undone, Error: u.Error}
	if u.Former == nil {
		p.Then = "down"
	}
	return p
}

// loadUnconfirmed is nil when nothing waits, nor was undone since the last up. Garbage is as good as nothing.
func loadUnconfirmed(dir lab.Dir) (*unconfirmed, error) {
	u := &unconfirmed{}
	switch err := dir.LoadUnconfirmed(u); {
	case err == nil:
		return u, nil
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, lab.ErrGarbage):
		return nil, nil
	default:
		return nil, err
	}
}

// arm notes, before the lab is changed, what it was, and starts the watchdog. It returns what had been noted before.
func (w *Warren) arm(dir lab.Dir, o UpOptions) (before *unconfirmed, err error) {
	before, err = loadUnconfirmed(dir)
	if err != nil || o.Confirm == 0 {
		return before, err
	}
	if o.Confirm < 0 {
		return nil, fmt.Errorf("lab %q: the time to confirm is negative: %s", dir.Lab(), o.Confirm)
	}
	if len(w.opt.Watchdog) == 0 {
		return nil, errors.New("a change that is to be confirmed needs Options.Watchdog")
	}
	u := &unconfirmed{Within: o.Confirm}
	if before.waits() {
		u.Former, u.Watchdog = before.Former, before.Watchdog
	} else if former, err := w.former(dir.Lab()); err != nil {
		return nil, err
	} else if former != nil {
		u.Former = former.Source
	}
	return before, w.watch(dir, u)
}

// watch writes the record with its time set anew, and sees to it that a watchdog lives.
func (w *Warren) watch(dir lab.Dir, u *unconfirmed) error {
	if err := u.extend(); err != nil {
		return err
	}
	if err := dir.SaveUnconfirmed(u); err != nil {
		return err
	}
	w.point("noted")
	if u.Watchdog.Alive() {
		return nil // it looks at the record every now and then
	}
	var err error
	if u.Watchdog, err = dir.StartWatchdog(append(slices.Clip(w.opt.Watchdog), dir.Lab())); err != nil {
		return err
	}
	return dir.SaveUnconfirmed(u)
}

// disarm lets the lab be what it is now.
func disarm(ctx context.Context, dir lab.Dir) error {
	u, err := loadUnconfirmed(dir)
	if err != nil || u == nil {
		return err
	}
	if err := u.Watchdog.End(ctx); err != nil {
		return err
	}
	return dir.DropUnconfirmed()
}

// settle ends what arm began, when the lab stands. A plain up is a confirmation of what waited: whoever gives it is there.
func (w *Warren) settle(ctx context.Context, dir lab.Dir, before *unconfirmed, o UpOptions, report *UpReport) error {
	switch {
	case o.repairs:
		report.Unconfirmed = before.public()
		return nil
	case o.Confirm == 0:
		if before.waits() {
			report.Notes = append(report.Notes, "the change that waited to be confirmed is kept by this one")
		}
		return disarm(ctx, dir)
	}
	u, err := loadUnconfirmed(dir)
	if err == nil && u == nil {
		err = fmt.Errorf("lab %q: the record of the unconfirmed change is gone: it stays", dir.Lab())
	}
	if err == nil {
		err = w.watch(dir, u) // the time counts from now on
		report.Unconfirmed = u.public()
	}
	return err
}

// standDown ends what arm began, when the up has failed. What is as it was needs no confirmation; what could not be undone, or
// came to nothing in between, is left to the watchdog.
func (w *Warren) standDown(dir lab.Dir, before *unconfirmed, o UpOptions, report *UpReport) error {
	if o.Confirm == 0 || report.Steps != report.Undone || len(report.NotUndone) > 0 {
		return nil
	}
	err := disarm(context.Background(), dir)
	if err == nil && before.waits() {
		before.Within, err = before.left()
		if err == nil {
			err = w.watch(dir, before)
		}
	}
	return err
}

// ConfirmOptions of [Warren.Confirm].
type ConfirmOptions struct {
	// Undo undoes the change now instead of keeping it.
	Undo bool
}

// Confirm keeps what an Up with [UpOptions].Confirm made of a lab. Errors: ErrNotExist; ErrUnconfirmed when nothing waits, or
// the time is over, also when nobody had undone the change by then: it is undone now.
func (w *Warren) Confirm(ctx context.Context, name string, o ConfirmOptions) error {
	if _, err := w.recorded(name); err != nil {
		return err
	}
	lock, err := w.lock(ctx, name, true)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	u, err := loadUnconfirmed(lock.Dir())
	if err != nil {
		return err
	}
	if !u.waits() {
		err := fmt.Errorf("lab %q: %w", name, ErrUnconfirmed)
		if u != nil {
			err = fmt.Errorf("%w: the last change was undone at %s", err, u.Undone.Format(time.TimeOnly))
		}
		return err
	}
	left, err := u.left()
	switch {
	case err != nil:
		return err
	case o.Undo:
		return w.undoUnconfirmed(ctx, lock, u)
	case left <= 0:
		if err := w.undoUnconfirmed(ctx, lock, u); err != nil {
			return err
		}
		return fmt.Errorf("lab %q: %w: the time was over at %s, and the change is undone (hint: give it more time: warren up --confirm 5m)",
			name, ErrUnconfirmed, u.Until.Format(time.TimeOnly))
	}
	return disarm(ctx, lock.Dir())
}

// overdue undoes a change whose time is over while its watchdog is gone, and makes sure that one that still has time is
// watched. It reports whether it undid. Commands that change the lab call it under the lock.
func (w *Warren) overdue(ctx context.Context, lock *lab.Lock) (bool, error) {
	u, err := loadUnconfirmed(lock.Dir())
	if err != nil || !u.waits() {
		return false, err
	}
	left, err := u.left()
	if err != nil {
		return false, err
	}
	if left <= 0 {
		return true, w.undoUnconfirmed(ctx, lock, u)
	}
	if u.Watchdog.Alive() || len(w.opt.Watchdog) == 0 {
		return false, nil
	}
	u.Within = left
	return false, w.watch(lock.Dir(), u)
}

// undoUnconfirmed makes the lab what it was before the change, under its lock. When that fails the record says why.
func (w *Warren) undoUnconfirmed(ctx context.Context, lock *lab.Lock, u *unconfirmed) error {
	dir := lock.Dir()
	if err := u.Watchdog.End(ctx); err != nil {
		return err
	}
	if u.Former == nil {
		if err := w.destroy(ctx, dir, DownOptions{}, &DownReport{Lab: dir.Lab()}); err != nil {
			return w.notUndone(dir, u, err)
		}
		if err := lock.Remove(); err != nil {
			return err
		}
		return w.tidy(ctx, dir.Lab())
	}
	x, err := w.build(ctx, u.Former, UpOptions{}, lock, &UpReport{Lab: dir.Lab()})
	if err == nil {
		_, err = w.startServices(ctx, dir, x)
	}
	if err != nil && !errors.Is(err, ErrService) { // a service that fails now may have failed before
		return w.notUndone(dir, u, err)
	}
	u.Undone, u.Error, u.Watchdog = time.Now().Truncate(time.Second), "", lab.Watchdog{}
	return dir.SaveUnconfirmed(u)
}

func (w *Warren) notUndone(dir lab.Dir, u *unconfirmed, err error) error {
	u.Error = err.Error()
	return errors.Join(fmt.Errorf("undo the change of lab %q: %w", dir.Lab(), err), dir.SaveUnconfirmed(u))
}
