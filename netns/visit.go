package netns

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// Do calls f inside the namespace, on a thread that is not the caller's, and returns what f returns. f must not start
// goroutines (they run outside), nor change the thread's namespaces or lock it. A panic or Goexit in f goes on in the caller.
func (h *Handle) Do(f func() error) error {
	return onThread(func() error {
		if err := h.enter(); err != nil {
			return err
		}
		return f()
	})
}

// Each calls f inside each of the namespaces, one after the other on one thread, with the handle's place in the list. It
// is cheaper than a Do for each. It stops at the first error. The rules are those of [Handle.Do].
func Each(handles []*Handle, f func(i int, h *Handle) error) error {
	return onThread(func() error {
		for i, h := range handles {
			if err := h.enter(); err != nil {
				return err
			}
			if err := f(i, h); err != nil {
				return err
			}
		}
		return nil
	})
}

// Socket opens a socket inside (socket(2)), close-on-exec. It can be used from any thread.
func (h *Handle) Socket(domain, typ, proto int) (fd int, err error) {
	err = h.Do(func() (err error) {
		fd, err = unix.Socket(domain, typ|unix.SOCK_CLOEXEC, proto)
		if err != nil {
			return opError("open socket in", h.ref, err)
		}
		return nil
	})
	if err != nil {
		return -1, err
	}
	return fd, nil
}

// enter moves the calling thread. Only for threads of onThread and onLostThread.
func (h *Handle) enter() error {
	fd := h.FD()
	if fd < 0 {
		return &OpError{Op: "enter", Object: h.ref, Kind: ErrClosed}
	}
	err := unix.Setns(fd, unix.CLONE_NEWNET)
	if errors.Is(err, unix.EPERM) && isAt(fd) == nil {
		return nil // an ordinary user may be where every process of the user's is
	}
	if err != nil {
		return opError("enter", h.ref, err)
	}
	return nil
}

// outcome is how a visit ended.
type outcome struct {
	err    error
	panic  any
	stack  []byte
	goexit bool
}

// deliver ends the caller as the visit ended.
func (o outcome) deliver() error {
	switch {
	case o.panic != nil:
		panic(fmt.Sprintf("%v\n\nduring a visit to a network namespace:\n%s", o.panic, o.stack))
	case o.goexit:
		runtime.Goexit()
	}
	return o.err
}

// onThread calls f on a locked thread that is not the main one, and brings the thread's network namespace back.
func onThread(f func() error) error {
	return start(func(done chan<- outcome) {
		home, err := openRetry("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC)
		if err != nil {
			runtime.UnlockOSThread()
			done <- outcome{err: opError("open", "host", err)}
			return
		}
		o := outcome{goexit: true}
		defer func() {
			if p := recover(); p != nil {
				o = outcome{panic: p, stack: debug.Stack()}
			}
			if goHome(home) == nil {
				runtime.UnlockOSThread()
			} // else the thread dies with this goroutine
			unix.Close(home)
			done <- o
		}()
		o.err = f()
		o.goexit = false
	})
}

// onThisThread calls f on the calling thread, which nobody will ever use for anything else.
func onThisThread(f func() error) error {
	runtime.LockOSThread()
	return f()
}

// onLostThread calls f on a locked thread that is not the main one, and that nobody will ever use again.
func onLostThread(f func() error) error {
	return start(func(done chan<- outcome) {
		o := outcome{goexit: true}
		defer func() {
			if p := recover(); p != nil {
				o = outcome{panic: p, stack: debug.Stack()}
			}
			done <- o
		}()
		o.err = f()
		o.goexit = false
	})
}

// start runs visit in a goroutine that is locked to a thread. If that is the main thread, the goroutine stays there,
// holding it, until another one (which cannot be on the main thread then) has made the visit.
func start(visit func(done chan<- outcome)) error {
	done := make(chan outcome, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			visit(done)
			return
		}
		inner := make(chan outcome, 1)
		go func() {
			runtime.LockOSThread()
			visit(inner)
		}()
		o := <-inner
		runtime.UnlockOSThread()
		done <- o
	}()
	return (<-done).deliver()
}

// errAstray: the thread is not where it was told to go.
var errAstray = errors.New("thread did not come home")

// goHome brings the calling thread back and looks whether it really is.
func goHome(home int) error {
	if err := unix.Setns(home, unix.CLONE_NEWNET); err != nil && !errors.Is(err, unix.EPERM) {
		return err
	}
	return isAt(home)
}

// isAt looks whether the calling thread is in a namespace.
func isAt(ns int) error {
	var want, got unix.Stat_t
	if err := unix.Fstat(ns, &want); err != nil {
		return err
	}
	if err := unix.Stat("/proc/thread-self/ns/net", &got); err != nil {
		return err
	}
	if want.Ino != got.Ino || want.Dev != got.Dev {
		return errAstray
	}
	return nil
}
