package warren

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"warren/topo"
)

// An attendant is a process that waits beside a run, and removes the node when the run's process dies before it has done so
// itself. It knows by a pipe that only that process holds open.
type attendant struct {
	pipe *os.File
	p    *os.Process
}

// attend starts an attendant; without [Options].Attendant it is nil, which is fine.
func (w *Warren) attend(name string) (*attendant, error) {
	if len(w.opt.Attendant) == 0 {
		return nil, nil
	}
	fail := func(err error) (*attendant, error) { return nil, fmt.Errorf("start attendant: %w", err) }
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fail(err)
	}
	defer null.Close()
	r, pipe, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	defer r.Close()
	argv := append(slices.Clip(w.opt.Attendant), name)
	p, err := os.StartProcess("/proc/self/exe", argv, &os.ProcAttr{
		Dir: "/", Files: []*os.File{null, null, null, r},
		Sys: &syscall.SysProcAttr{Setsid: true}, // out of reach of the terminal
	})
	if err != nil {
		_ = pipe.Close()
		return fail(err)
	}
	return &attendant{pipe: pipe, p: p}, nil
}

// dismiss ends the attendant: there is nothing left to do.
func (a *attendant) dismiss() {
	if a == nil {
		return
	}
	_, _ = a.pipe.Write([]byte{'.'}) // fails when it was killed
	_ = a.pipe.Close()
	_, _ = a.p.Wait()
}

// Attend waits until the process at the other end of the pipe is done or dead. In the latter case it ends what runs in the
// nodes of that lab whose runs were killed, and removes them. It is what [Options].Attendant calls, with file descriptor 3.
func (w *Warren) Attend(ctx context.Context, name string, pipe *os.File) error {
	parent, err := unix.PidfdOpen(os.Getppid(), 0)
	if err == nil {
		defer unix.Close(parent)
	}
	var b [1]byte
	if n, _ := pipe.Read(b[:]); n > 0 {
		return nil
	}
	// A dying process closes its files one after the other: the pipe may be closed already, and the claim not yet. When the
	// process is gone, all are. Should it have been gone before we looked, that was somebody else, and not for long.
	if err == nil {
		for {
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(parent), Events: unix.POLLIN}}, dyingMS)
			if !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
	return w.Reap(ctx, name)
}

// dyingMS is how long, in milliseconds, a process that has closed its pipe may take to be gone.
const dyingMS = 3000

// Reap removes the nodes of a lab whose runs were killed. Every edit does so too.
func (w *Warren) Reap(ctx context.Context, name string) error {
	_, err := w.apply(ctx, edit{
		EditOptions: EditOptions{Lab: name}, cleanup: true,
		change: func(*topo.Editor, *topo.Expanded, *EditReport) error { return nil },
	})
	if errors.Is(err, ErrNotExist) {
		return nil
	}
	return err
}
