package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrService is returned when a service is not as it should be.
var ErrService = errors.New("service failed")

// ApplyOptions of Apply. The zero value works.
type ApplyOptions struct {
	// Progress is called for every change of a service's state, from the calling goroutine; nil = nobody is told.
	Progress func(Event)
}

// Apply makes these services the lab's, and waits until each is ready or has failed: new ones are started, those no
// longer wanted are ended, changed ones and failed ones are started anew, the others are left alone. A supervisor that
// lives is used; one that died is replaced, and what it left behind is ended first. Call it under the lab's lock.
//
// An error that Is ErrService names the services that are not ready; they are left as they are, for [Dir.Stop] or another
// Apply. When the context ends the supervisor goes on with what it was told.
func (d Dir) Apply(ctx context.Context, services []Service, o ApplyOptions) (Status, error) {
	if err := CheckServices(services); err != nil {
		return Status{}, err
	}
	if len(services) == 0 {
		return Status{}, d.Stop(ctx, o)
	}
	st, err := d.ask(ctx, request{Op: opApply, Services: services}, o, true)
	if err != nil {
		return st, err
	}
	return st, failed(st)
}

func failed(st Status) error {
	var bad []string
	for _, s := range st.Services {
		if !s.State.Good() {
			bad = append(bad, fmt.Sprintf("%s: %s: %s", s.ID, s.State, s.Detail))
		}
	}
	if bad == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrService, strings.Join(bad, "; "))
}

// Services tells what is known of the lab's services. A lab without any, or without a directory, has an empty Status. It
// needs no lock.
func (d Dir) Services(ctx context.Context) (Status, error) {
	return d.ask(ctx, request{Op: opStatus}, ApplyOptions{}, false)
}

// Stop ends all services of the lab and its supervisor, and waits until both are gone. What a supervisor that died left
// behind is ended too. No supervisor and no services is no error. Call it under the lab's lock.
func (d Dir) Stop(ctx context.Context, o ApplyOptions) error {
	var old saved
	_ = readJSON(d.file(servicesFile), &old) // garbage: then only marks tell
	c, err := d.dial()
	if err == nil {
		_, err = talk(ctx, c, request{Op: opStop}, o)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("stop services of lab %s: %w", d.lab, ctx.Err())
	}
	if err == nil {
		if waitGone(ctx, old.Supervisor) {
			return d.endOrphans(ctx, saved{}, false)
		}
	}
	if err := d.endSupervisor(ctx, old); err != nil {
		return err
	}
	return d.endOrphans(ctx, old, true)
}

// StopServices ends some services and leaves the others and the supervisor alone.
func (d Dir) StopServices(ctx context.Context, ids []string, o ApplyOptions) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := d.ask(ctx, request{Op: opStop, IDs: ids}, o, false)
	return err
}

// ask talks to the supervisor. When none lives one is started, or the answer is what the last one wrote down.
func (d Dir) ask(ctx context.Context, req request, o ApplyOptions, start bool) (Status, error) {
	for range 3 {
		c, err := d.dial()
		if err == nil {
			st, err := talk(ctx, c, req, o)
			if err == nil || !errors.Is(err, errNoAnswer) {
				return st, err
			}
		}
		if err := ctx.Err(); err != nil {
			return Status{}, fmt.Errorf("ask supervisor of lab %s: %w", d.lab, err)
		}
		var old saved
		err = readJSON(d.file(servicesFile), &old)
		if !start {
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrGarbage) {
				return Status{}, err
			}
			return remembered(old), nil
		}
		if err := d.endSupervisor(ctx, old); err != nil {
			return Status{}, err
		}
		if err := d.endOrphans(ctx, old, true); err != nil {
			return Status{}, err
		}
		if err := d.startSupervisor(); err != nil {
			return Status{}, err
		}
	}
	return Status{}, fmt.Errorf("supervisor of lab %s: %w%s", d.lab, errNoAnswer, d.lastWords())
}

// remembered is what a dead supervisor wrote down, corrected by what can be seen.
func remembered(old saved) Status {
	st := Status{Services: old.Services}
	for i := range st.Services {
		s := &st.Services[i]
		s.Running = process{PID: s.PID, Start: s.Start}.alive()
		if s.State == IsReady || !s.State.Settled() {
			s.State, s.Detail = Failed, "its supervisor has died"
			if s.Running {
				s.Detail += ", it runs on without"
			}
		}
	}
	return st
}

var errNoAnswer = errors.New("no answer")

// answerTimeout is how long a supervisor may take to say that it has heard: one that does not is taken for dead. After
// that it may take its time.
const answerTimeout = 5 * time.Second

func (d Dir) dial() (*net.UnixConn, error) {
	dir, err := os.Open(d.path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return net.DialUnix("unix", nil, &net.UnixAddr{Name: fdPath(dir, socketFile), Net: "unix"})
}

// talk sends a request and reads until the final reply. It closes the connection.
func talk(ctx context.Context, c *net.UnixConn, req request, o ApplyOptions) (Status, error) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	req.Protocol = protocol
	if err := json.NewEncoder(c).Encode(req); err != nil {
		return Status{}, fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	_ = c.SetReadDeadline(time.Now().Add(answerTimeout))
	dec := json.NewDecoder(c)
	for first := true; ; first = false {
		if ctx.Err() != nil { // who ends the context from here on sets the deadline anew
			return Status{}, ctx.Err()
		}
		var r reply
		if err := dec.Decode(&r); err != nil {
			if ctx.Err() != nil {
				return Status{}, ctx.Err()
			}
			return Status{}, fmt.Errorf("%w: %w", errNoAnswer, err)
		}
		if first {
			_ = c.SetReadDeadline(time.Time{})
		}
		if r.Event != nil && o.Progress != nil {
			o.Progress(*r.Event)
		}
		if r.Final {
			if r.Error != "" {
				return r.Status, errors.New(r.Error)
			}
			return r.Status, nil
		}
	}
}

// startSupervisor starts one that listens already: it is there for whoever comes from now on.
func (d Dir) startSupervisor() error {
	fail := func(err error) error { return fmt.Errorf("start supervisor of lab %s: %w", d.lab, err) }
	dir, err := os.Open(d.path)
	if err != nil {
		return fail(err)
	}
	defer dir.Close()
	if err := os.Remove(d.file(socketFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fdPath(dir, socketFile), Net: "unix"})
	if err != nil {
		return fail(err)
	}
	defer l.Close()
	l.SetUnlinkOnClose(false)
	if err := os.Chmod(d.file(socketFile), 0o600); err != nil {
		return fail(err)
	}
	sock, err := l.File()
	if err != nil {
		return fail(err)
	}
	defer sock.Close()
	if err := os.Mkdir(d.file(logsDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fail(err)
	}
	out, err := os.OpenFile(d.supervisorLog(), os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return fail(err)
	}
	defer out.Close()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return fail(err)
	}
	defer null.Close()
	path, err := filepath.Abs(d.path)
	if err != nil {
		return fail(err)
	}
	p, err := os.StartProcess("/proc/self/exe", []string{"warren", supervisorArg, path}, &os.ProcAttr{
		Dir:   "/",
		Files: []*os.File{null, out, out, sock},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fail(err)
	}
	go func() { _, _ = p.Wait() }() // for a caller that lives longer than the supervisor
	return nil
}

func (d Dir) supervisorLog() string { return d.file(logsDir) + "/supervisor" }

// lastWords is the end of what the supervisor wrote to its standard error.
func (d Dir) lastWords() string {
	f, err := os.Open(d.supervisorLog())
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 2048))
	if text := strings.TrimSpace(string(data)); err == nil && text != "" {
		return ": " + text
	}
	return ""
}

// waitGone waits for the end of a process that is about to end by itself.
func waitGone(ctx context.Context, p process) bool {
	if !p.alive() {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return waitProcesses(ctx, []process{p}) == nil
}

// waitProcesses waits until all have ended, by their pidfds.
func waitProcesses(ctx context.Context, ps []process) error {
	for _, p := range ps {
		fd, err := unix.PidfdOpen(p.PID, 0)
		if err != nil {
			continue // gone
		}
		err = waitPidfd(ctx, fd, p)
		_ = unix.Close(fd)
		if err != nil {
			return err
		}
	}
	return nil
}

func waitPidfd(ctx context.Context, fd int, p process) error {
	for p.alive() {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, 20)
		if n > 0 || (err != nil && !errors.Is(err, unix.EINTR)) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("process %d does not end: %w", p.PID, err)
		}
	}
	return nil
}
