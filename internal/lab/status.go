package lab

import (
	"slices"
	"time"
)

// A State is where a service is in its life.
type State string

// States. Ready, Done, Failed, Blocked and Stopped are settled: nothing more happens by itself, unless the process ends.
const (
	Waiting  State = "waiting"  // for those it comes after
	Starting State = "starting" // started, not ready yet
	IsReady  State = "ready"
	Done     State = "done"    // ended with status 0
	Failed   State = "failed"  // could not be started, was not ready in time, ended with another status or by a signal
	Blocked  State = "blocked" // one that it comes after failed
	Stopping State = "stopping"
	Stopped  State = "stopped" // ended because it was told to
)

// Settled reports whether nothing more happens by itself.
func (s State) Settled() bool {
	switch s {
	case IsReady, Done, Failed, Blocked, Stopped:
		return true
	case Waiting, Starting, Stopping:
		return false
	default:
		panic("unknown state " + string(s))
	}
}

// Good reports whether those that come after it may start.
func (s State) Good() bool { return s == IsReady || s == Done }

// A ServiceStatus is what became of a service.
type ServiceStatus struct {
	ID    string `json:"id"`
	State State  `json:"state"`
	// Running: a process of it lives, whatever the state: one that was not ready in time has failed, and runs.
	Running bool `json:"running,omitempty"`
	// PID is the service's own process; 0 before it was started. It stays when the process has ended.
	PID     int       `json:"pid,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Ready   time.Time `json:"ready,omitzero"` // when it was
	Ended   time.Time `json:"ended,omitzero"`
	// Exit is the status with which it ended; Signal the number of the signal that ended it.
	Exit   int `json:"exit,omitempty"`
	Signal int `json:"signal,omitempty"`
	// Detail says why, for a person.
	Detail string `json:"detail,omitempty"`
	// Spec identifies the specification that it was started with.
	Spec string `json:"spec"`
	// Start is the process's start in clock ticks: with the PID it identifies the process.
	Start uint64 `json:"start,omitempty"`
}

// Status is what is known of a lab's services.
type Status struct {
	// Supervisor is the PID of the supervisor that answered; 0 = none lives, and Services is what the last one wrote down.
	Supervisor int             `json:"supervisor,omitempty"`
	Services   []ServiceStatus `json:"services,omitempty"` // sorted by ID
}

// Service returns the status of one service.
func (s Status) Service(id string) (ServiceStatus, bool) {
	for _, v := range s.Services {
		if v.ID == id {
			return v, true
		}
	}
	return ServiceStatus{}, false
}

// Changes is what applying a set of services would do: IDs, each list sorted.
type Changes struct {
	Start, Stop, Restart, Keep []string
}

// Empty reports whether there is nothing to do.
func (c Changes) Empty() bool { return len(c.Start)+len(c.Stop)+len(c.Restart) == 0 }

// DiffServices compares the wanted services with what runs. A service that ended well (Done) is kept, and so is one that
// is on its way; one that failed is started again.
func DiffServices(want []Service, have Status) Changes {
	var c Changes
	wanted := map[string]bool{}
	for _, w := range want {
		wanted[w.ID()] = true
		h, ok := have.Service(w.ID())
		alive := have.Supervisor != 0
		switch {
		case !ok:
			c.Start = append(c.Start, w.ID())
		case h.Spec != w.hash():
			if h.Running {
				c.Restart = append(c.Restart, w.ID())
			} else {
				c.Start = append(c.Start, w.ID())
			}
		case h.State == Done, alive && (h.State == IsReady || h.State == Starting || h.State == Waiting):
			c.Keep = append(c.Keep, w.ID())
		case h.Running:
			c.Restart = append(c.Restart, w.ID())
		default:
			c.Start = append(c.Start, w.ID())
		}
	}
	for _, h := range have.Services {
		if !wanted[h.ID] && h.Running {
			c.Stop = append(c.Stop, h.ID)
		}
	}
	for _, l := range [][]string{c.Start, c.Stop, c.Restart, c.Keep} {
		slices.Sort(l)
	}
	return c
}
