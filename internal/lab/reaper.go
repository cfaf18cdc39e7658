package lab

import (
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A reaper is the only one that waits for children: of a subreaper they include every orphan of every service, so
// os/exec, which waits for its own, is not used beside it.
type reaper struct {
	// mu is held from a fork until the PID is known, and while a child is reaped: under it a PID in waiters is that of
	// a child which has not been reaped, and may be signalled by number.
	mu      sync.Mutex
	waiters map[int]chan exit
	// orphan is called after a child was reaped that nobody waits for.
	orphan func()
}

// An exit is how a process ended.
type exit struct {
	status int
	signal unix.Signal
}

func newReaper(orphan func()) *reaper {
	return &reaper{waiters: map[int]chan exit{}, orphan: orphan}
}

// run reaps until the process ends.
func (r *reaper) run() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGCHLD)
	for {
		r.reapAll()
		<-c
	}
}

func (r *reaper) reapAll() {
	for {
		r.mu.Lock()
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
		if errors.Is(err, unix.EINTR) {
			r.mu.Unlock()
			continue
		}
		if err != nil || pid <= 0 {
			r.mu.Unlock()
			return
		}
		c := r.waiters[pid]
		delete(r.waiters, pid)
		r.mu.Unlock()
		e := exit{status: ws.ExitStatus()}
		if ws.Signaled() {
			e = exit{signal: ws.Signal()}
		}
		if c != nil {
			c <- e // has room for it
		} else {
			r.orphan()
		}
	}
}

// fork starts a child. Its exit arrives on the channel.
func (r *reaper) fork(path string, argv []string, attr *syscall.ProcAttr) (int, <-chan exit, error) {
	c := make(chan exit, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return 0, nil, err
	}
	r.waiters[pid] = c
	return pid, c, nil
}

// signalGroup sends a signal to the process group of a child that has not been reaped.
func (r *reaper) signalGroup(pid int, s unix.Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiters[pid] == nil {
		return
	}
	if unix.Kill(-pid, s) != nil {
		_ = unix.Kill(pid, s) // it has not made its group yet
	}
}
