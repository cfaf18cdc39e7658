package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// IsSupervisor reports whether a command line is one that the package started: then main calls SupervisorMain and nothing
// else. args are os.Args.
func IsSupervisor(args []string) bool {
	return len(args) > 1 && slices.Contains([]string{supervisorArg, serviceArg, userArg, proxyArg}, args[1])
}

// SupervisorMain is the program's other life, as a supervisor or as a service that is about to be. args are os.Args. The
// result is the exit status.
func SupervisorMain(args []string) int {
	switch {
	case !IsSupervisor(args):
		return statusBroken
	case args[1] == serviceArg:
		return serviceMain()
	case args[1] == userArg:
		return userMain(args[2:])
	case args[1] == proxyArg:
		return proxyMain(args[2:])
	case len(args) != 3:
		return statusBroken
	}
	if err := supervise(args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "warren: supervisor: %v\n", err)
		return 1
	}
	return 0
}

// listenFD is the control socket, listening already, from whoever started the supervisor.
const listenFD = 3

// firstRequest is how long a supervisor without a job waits for one.
const firstRequest = 10 * time.Second

// A supervisor runs the services of one lab. All fields below mu are guarded by it.
type supervisor struct {
	dir    Dir
	reaper *reaper
	listen net.Listener

	applying sync.Mutex // one apply or stop at a time

	mu       sync.Mutex
	services map[string]*service
	conns    int
	served   bool          // a request has come
	changed  chan struct{} // closed and replaced at every change
	events   []Event
	dirty    bool
	over     chan struct{} // closed when the last job is done
}

func supervise(path string) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become subreaper: %w", err)
	}
	unix.CloseOnExec(listenFD)
	f := os.NewFile(listenFD, "control socket")
	l, err := net.FileListener(f)
	if err != nil {
		return fmt.Errorf("take over control socket: %w", err)
	}
	_ = f.Close()
	s := &supervisor{
		dir:      Dir{lab: path[strings.LastIndexByte(path, '/')+1:], path: path},
		listen:   l,
		services: map[string]*service{},
		changed:  make(chan struct{}),
		over:     make(chan struct{}),
	}
	s.reaper = newReaper(s.change)
	s.recall()
	if err := s.save(); err != nil {
		return err
	}
	go s.reaper.run()
	go s.keep()
	go s.accept()
	ctx, cancel := signal.NotifyContext(context.Background(), unix.SIGTERM, unix.SIGINT)
	defer cancel()
	idle := time.AfterFunc(firstRequest, func() {
		s.mu.Lock()
		s.served = true
		s.mu.Unlock()
		s.change()
	})
	defer idle.Stop()
	select {
	case <-s.over:
	case <-ctx.Done():
		_ = s.stop(context.Background(), nil) // fails only when its context ends
	}
	_ = s.listen.Close()
	s.sweep()
	return s.save()
}

// recall takes over what became of services that ended well under a former supervisor: they are not run again.
func (s *supervisor) recall() {
	var old saved
	if readJSON(s.dir.file(servicesFile), &old) != nil {
		return
	}
	for _, v := range old.Services {
		if v.State == Done && !v.Running {
			s.services[v.ID] = newService(s, Service{}, v)
		}
	}
}

// change tells everybody who waits that something may be different.
func (s *supervisor) change() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changeLocked()
}

func (s *supervisor) changeLocked() {
	s.dirty = true
	close(s.changed)
	s.changed = make(chan struct{})
}

// keep writes down every change, and ends the supervisor with its last job.
func (s *supervisor) keep() {
	for {
		s.mu.Lock()
		changed, dirty := s.changed, s.dirty
		s.dirty = false
		idle := s.served && s.conns == 0
		for _, v := range s.services {
			idle = idle && v.idle()
		}
		s.mu.Unlock()
		if dirty {
			_ = s.save() // the next change tries again; what is lost is a report
		}
		if idle && s.last() {
			close(s.over)
			return
		}
		<-changed
	}
}

// last looks once more, now with the door closed.
func (s *supervisor) last() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns > 0 {
		return false
	}
	for _, v := range s.services {
		if !v.idle() {
			return false
		}
	}
	s.conns = -1 // whoever comes now is sent away
	return true
}

func (s *supervisor) save() error {
	st, _ := readStat(os.Getpid())
	err := writeJSON(s.dir.file(servicesFile), saved{Supervisor: st.process(), Services: s.status().Services}, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return nil // the lab is gone
	}
	return err
}

func (s *supervisor) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Supervisor: os.Getpid()}
	for _, v := range s.services {
		st.Services = append(st.Services, v.st)
	}
	slices.SortFunc(st.Services, func(a, b ServiceStatus) int { return strings.Compare(a.ID, b.ID) })
	return st
}

// apply makes the wanted set of services the running one. It returns when what is to go has gone and what is to come is
// on its way.
func (s *supervisor) apply(want []Service) error {
	if err := CheckServices(want); err != nil {
		return err
	}
	s.applying.Lock()
	defer s.applying.Unlock()
	c := DiffServices(want, s.status())
	wanted := map[string]bool{}
	for _, w := range want {
		wanted[w.ID()] = true
	}
	s.mu.Lock()
	var going []*service
	for id, v := range s.services {
		if !wanted[id] || slices.Contains(c.Restart, id) || slices.Contains(c.Start, id) {
			going = append(going, v)
		}
	}
	s.mu.Unlock()
	if err := s.end(context.Background(), going); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range going {
		delete(s.services, v.id)
	}
	for _, w := range want {
		if s.services[w.ID()] == nil {
			v := newService(s, w, ServiceStatus{ID: w.ID(), State: Waiting, Spec: w.hash()})
			s.services[w.ID()] = v
			s.eventLocked(v)
			go v.run()
		}
	}
	s.changeLocked()
	return nil
}

// stop ends services; no IDs = all.
func (s *supervisor) stop(ctx context.Context, ids []string) error {
	s.applying.Lock()
	defer s.applying.Unlock()
	s.mu.Lock()
	var going []*service
	for id, v := range s.services {
		if len(ids) == 0 || slices.Contains(ids, id) {
			going = append(going, v)
		}
	}
	s.mu.Unlock()
	return s.end(ctx, going)
}

// end ends services, those first that come after others.
func (s *supervisor) end(ctx context.Context, going []*service) error {
	for _, v := range going {
		var after []*service
		for _, w := range going {
			if slices.Contains(w.spec.After, v.id) {
				after = append(after, w)
			}
		}
		go func() {
			for _, w := range after {
				<-w.gone
			}
			v.cancel()
		}()
	}
	for _, v := range going {
		select {
		case <-v.gone:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// sweep kills what is left below us: orphans that hid from their service.
func (s *supervisor) sweep() {
	for range 50 {
		left := descendants(allProcesses(), os.Getpid())
		if len(left) == 0 {
			return
		}
		for _, p := range left {
			_ = signalProcess(p.process(), unix.SIGKILL)
		}
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-time.After(20 * time.Millisecond):
		}
	}
}
