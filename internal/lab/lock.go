package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"warren/state"
)

// ErrLocked is returned when somebody else holds the lock and the caller does not want to wait (any longer).
var ErrLocked = errors.New("locked")

// ErrNoLab is returned when a lab has no directory and none was to be made.
var ErrNoLab = errors.New("no such lab")

// A LockedError says who holds a lock. It Is ErrLocked.
type LockedError struct {
	What   string // "lab classic", "the host side"
	Holder Holder
	Err    error // why the wait ended: nil when there was none, else the context's error
}

func (e *LockedError) Error() string {
	s := fmt.Sprintf("%s is locked by %s", e.What, e.Holder)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives ErrLocked and why the wait ended.
func (e *LockedError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrLocked}
	}
	return []error{ErrLocked, e.Err}
}

// LockOptions say how to get a lock. The zero value waits until the context ends and makes nothing.
type LockOptions struct {
	// Create makes the lab's directory when it is not there; else the error Is ErrNoLab.
	Create bool
	// NoWait fails at once when somebody else holds the lock.
	NoWait bool
	// Waiting is called once when there is somebody to wait for; nil = nobody is told.
	Waiting func(Holder)
}

// A Lock is a held lock on a lab or on the host side. It vanishes with its process.
type Lock struct {
	dir  Dir
	f    *os.File
	what string
}

// Lock locks a lab: an exclusive flock on its directory. No two holders exist, in one process or in several. The kernel
// takes the lock from a process that dies.
func (r RunDir) Lock(ctx context.Context, lab string, o LockOptions) (*Lock, error) {
	if err := state.CheckLabName(lab); err != nil {
		return nil, fmt.Errorf("lock lab: %w", err)
	}
	d := Dir{lab: lab, path: filepath.Join(r.path(), lab)}
	return lock(ctx, d, "lab "+lab, o, func() error {
		if !o.Create {
			return fmt.Errorf("lab %q: %w", lab, ErrNoLab)
		}
		if err := r.Ensure(); err != nil {
			return err
		}
		if err := os.Mkdir(d.path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("make directory of lab %s: %w", lab, err)
		}
		return nil // when the run directory was removed in between the next round makes it again
	})
}

// LockHost locks what the labs share: the host's namespace and the ledger. Take it after a lab's lock, never before.
func (r RunDir) LockHost(ctx context.Context, o LockOptions) (*Lock, error) {
	return lock(ctx, Dir{path: r.path()}, "the host side", o, r.Ensure)
}

// Waiting is by polling, with pauses that grow from one to another: a blocked flock(2) does not know of contexts.
const (
	pollFirst = time.Millisecond
	pollLast  = 25 * time.Millisecond
)

func lock(ctx context.Context, d Dir, what string, o LockOptions, missing func() error) (*Lock, error) {
	pause := pollFirst
	told := false
	for {
		f, busy, err := tryLock(d.path)
		switch {
		case err == nil && f != nil:
			return &Lock{dir: d, f: f, what: what}, nil
		case errors.Is(err, fs.ErrNotExist):
			if err := missing(); err != nil {
				return nil, err
			}
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("lock %s: %w", what, err)
			}
			continue
		case err != nil:
			return nil, fmt.Errorf("lock %s: %w", what, err)
		case !busy: // the directory was replaced under us
			continue
		}
		if o.NoWait {
			return nil, &LockedError{What: what, Holder: FindHolder(d.path)}
		}
		if o.Waiting != nil && !told {
			o.Waiting(FindHolder(d.path))
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, &LockedError{What: what, Holder: FindHolder(d.path), Err: ctx.Err()}
		case <-time.After(pause):
			pause = min(2*pause, pollLast)
		}
	}
}

// tryLock returns the locked directory, or busy, or neither when what was locked is no longer what the path names.
func tryLock(path string) (f *os.File, busy bool, err error) {
	f, err = os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, false, err
	}
	if err := flock(f, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, true, nil
		}
		return nil, false, err
	}
	mine, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, false, err
	}
	now, err := os.Stat(path)
	if err != nil || !os.SameFile(mine, now) {
		_ = f.Close()
		return nil, false, err // nil: replaced; ErrNotExist: removed
	}
	return f, false, nil
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// Dir is the lab's directory. Of the host lock it is the run directory.
func (l *Lock) Dir() Dir { return l.dir }

// Unlock gives the lock back. It may be called twice, and after Remove.
func (l *Lock) Unlock() {
	if l.f == nil {
		return
	}
	// Explicitly: a child between fork and exec has a copy of the descriptor, and only the last close would unlock.
	_ = flock(l.f, unix.LOCK_UN)
	_ = l.f.Close()
	l.f = nil
}

// Remove removes the lab's directory with all that is in it and gives the lock back. It is the last act on a lab. What
// cannot be removed (a namespace is still mounted on a file) stays, with the lock held, and is the error.
func (l *Lock) Remove() error {
	if l.f == nil {
		return fmt.Errorf("remove %s: the lock was given back", l.what)
	}
	if l.dir.lab == "" {
		return fmt.Errorf("remove %s: not a lab", l.what)
	}
	// The content first: as long as the directory is there, others wait for it.
	entries, err := os.ReadDir(l.dir.path)
	if err != nil {
		return fmt.Errorf("remove %s: %w", l.what, err)
	}
	var errs []error
	for _, e := range entries {
		if err := os.RemoveAll(l.dir.file(e.Name())); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == 0 {
		errs = append(errs, os.Remove(l.dir.path))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove %s: %w", l.what, err)
	}
	l.Unlock()
	return nil
}
