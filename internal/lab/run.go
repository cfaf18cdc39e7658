package lab

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A service is one life of a Service under the supervisor: started at most once. st is guarded by the supervisor's mu.
type service struct {
	s      *supervisor
	id     string
	spec   Service
	st     ServiceStatus
	ctx    context.Context // ended = the service is to stop
	cancel context.CancelFunc
	gone   chan struct{} // closed when no process of it is left and none will come

	heard     chan struct{} // closed when the text of "log" readiness was written
	heardOnce sync.Once
}

// newService: one with a zero Service is only a memory of what was.
func newService(s *supervisor, spec Service, st ServiceStatus) *service {
	v := &service{s: s, id: st.ID, spec: spec, st: st, gone: make(chan struct{}), heard: make(chan struct{})}
	v.ctx, v.cancel = context.WithCancel(context.Background())
	if len(spec.Argv) == 0 {
		close(v.gone)
	}
	return v
}

// idle: it needs no supervisor. Called with mu held.
func (v *service) idle() bool {
	select {
	case <-v.gone:
		return true
	default:
		return false
	}
}

// set changes the status and tells.
func (v *service) set(f func(*ServiceStatus)) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	before := v.st
	f(&v.st)
	if before.State != v.st.State || before.Detail != v.st.Detail {
		v.s.eventLocked(v)
	}
	v.s.changeLocked()
}

func (s *supervisor) eventLocked(v *service) {
	s.events = append(s.events, Event{ID: v.id, State: v.st.State, Detail: v.st.Detail, Time: time.Now()})
}

func (v *service) run() {
	defer v.s.change()
	defer close(v.gone)
	defer v.cancel()
	if !v.await() {
		return
	}
	v.set(func(st *ServiceStatus) { st.State, st.Started = Starting, time.Now() })
	out, err := v.output()
	if err != nil {
		v.fail("open log", err)
		return
	}
	defer out.end()
	var ended <-chan exit
	pid, err := spawn(v.spec, v.s.dir.path, out.w, func(path string, argv []string, attr *syscall.ProcAttr) (int, error) {
		pid, c, err := v.s.reaper.fork(path, argv, attr)
		ended = c
		if err == nil {
			st, _ := readStat(pid)
			v.set(func(s *ServiceStatus) { s.PID, s.Start, s.Running = pid, st.Start, true })
		}
		return pid, err
	})
	_ = out.w.Close()
	if err != nil {
		var e exit
		if ended != nil {
			v.s.reaper.signalGroup(pid, unix.SIGKILL)
			e = <-ended
		}
		v.set(func(st *ServiceStatus) { st.Running, st.Exit, st.Ended = false, e.status, time.Now() })
		v.fail("start", err)
		return
	}
	v.live(pid, ended)
}

// live follows a running service until no process of it is left. When its first process ends and leaves others, the
// service went into the background, and goes on there.
func (v *service) live(pid int, ended <-chan exit) {
	ready := make(chan error, 1)
	probing, stopProbing := context.WithCancel(v.ctx)
	var probe sync.WaitGroup
	probe.Go(func() { ready <- v.awaitReady(probing) })
	defer probe.Wait()
	defer stopProbing()
	var last exit
	for {
		var changed <-chan struct{}
		var again <-chan time.Time
		if ended == nil {
			v.s.mu.Lock()
			changed = v.s.changed // the end of an orphan is a change
			v.s.mu.Unlock()
			again = time.After(time.Second) // not all are our children
			if v.survivors(pid) == 0 {
				v.finish(last)
				return
			}
		}
		select {
		case err := <-ready:
			ready = nil
			switch {
			case v.ctx.Err() != nil:
			case err != nil:
				v.set(func(st *ServiceStatus) { st.State, st.Detail = Failed, err.Error() })
			default:
				v.set(func(st *ServiceStatus) { st.State, st.Ready = IsReady, time.Now() })
			}
		case last = <-ended:
			ended = nil
		case <-changed:
		case <-again:
		case <-v.ctx.Done():
			v.terminate(pid, ended)
			return
		}
	}
}

// survivors counts the service's live processes.
func (v *service) survivors(pid int) int {
	return len(ofService(descendants(allProcesses(), os.Getpid()), pid, marker(v.s.dir.path, v.id)))
}

// finish notes how a service ended by itself.
func (v *service) finish(e exit) {
	v.set(func(st *ServiceStatus) {
		st.Running, st.Exit, st.Signal, st.Ended = false, e.status, int(e.signal), time.Now()
		switch {
		case e.signal != 0:
			st.State, st.Detail = Failed, fmt.Sprintf("ended by signal %s", unix.SignalName(e.signal))
		case e.status != 0:
			st.State, st.Detail = Failed, fmt.Sprintf("ended with status %d", e.status)
		case st.State == Starting && v.spec.Ready.Kind != "":
			st.State, st.Detail = Failed, fmt.Sprintf("ended before it was ready (%s)", v.spec.Ready)
		default:
			st.State, st.Detail = Done, ""
		}
	})
}

// terminate ends all processes of a service: the signal, and SIGKILL when the time is over.
func (v *service) terminate(pid int, ended <-chan exit) {
	v.set(func(st *ServiceStatus) { st.State, st.Detail = Stopping, "" })
	mark := marker(v.s.dir.path, v.id)
	processes := func() []procStat { return ofService(descendants(allProcesses(), os.Getpid()), pid, mark) }
	v.s.reaper.signalGroup(pid, v.spec.Stop.signal())
	for _, p := range processes() {
		if p.PGID != pid {
			_ = signalProcess(p.process(), v.spec.Stop.signal())
		}
	}
	var last exit
	deadline := time.Now().Add(v.spec.Stop.timeout())
	pause := time.Millisecond
	for ended != nil || len(processes()) > 0 {
		if time.Now().After(deadline) {
			v.s.reaper.signalGroup(pid, unix.SIGKILL)
			for _, p := range processes() {
				_ = signalProcess(p.process(), unix.SIGKILL)
			}
		}
		select {
		case last = <-ended:
			ended = nil
		case <-time.After(pause):
			pause = min(2*pause, 50*time.Millisecond)
		}
	}
	v.set(func(st *ServiceStatus) {
		st.State, st.Running, st.Ended, st.Exit, st.Signal = Stopped, false, time.Now(), last.status, int(last.signal)
		if last.signal == unix.SIGKILL {
			st.Detail = fmt.Sprintf("killed: it did not end within %s", v.spec.Stop.timeout())
		}
	})
}

func (v *service) fail(op string, err error) {
	v.set(func(st *ServiceStatus) { st.State, st.Detail = Failed, fmt.Sprintf("%s: %v", op, err) })
}

// await waits for those that the service comes after. False: it is not to be started.
func (v *service) await() bool {
	for {
		v.s.mu.Lock()
		changed := v.s.changed
		missing, bad := "", ""
		for _, id := range v.spec.After {
			dep := v.s.services[id]
			switch {
			case dep == nil || dep.st.State == Stopped || dep.st.State == Failed || dep.st.State == Blocked:
				bad = id
			case !dep.st.State.Good():
				missing = id
			}
		}
		v.s.mu.Unlock()
		switch {
		case v.ctx.Err() != nil:
			v.set(func(st *ServiceStatus) { st.State, st.Detail = Stopped, "" })
			return false
		case bad != "":
			v.set(func(st *ServiceStatus) { st.State, st.Detail = Blocked, bad+" is not ready and will not be" })
			return false
		case missing == "":
			return true
		}
		v.waits(missing)
		select {
		case <-changed:
		case <-v.ctx.Done():
		}
	}
}

// waits tells for whom the service waits, without waking those who wait for changes.
func (v *service) waits(missing string) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	v.st.Detail = "waits for " + missing
}
