package lab

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A Service is a command that the supervisor keeps in a namespace. It is plain data: two equal values are the same
// service, and a service that differs from the running one of its name is restarted.
type Service struct {
	Node string `json:"node"`
	Name string `json:"name"` // unique in the node; no dot
	// NS is the path of the namespace's mount, "/run/netns/classic.c1"; "" = the namespace that the supervisor is in.
	NS string `json:"ns,omitempty"`
	// Cookie is the namespace's, so that a service is restarted when its namespace was made anew; 0 = not compared.
	Cookie uint64 `json:"cookie,omitempty"`
	// Argv is the command. It is looked up in PATH.
	Argv []string `json:"argv"`
	// Env entries "NAME=VALUE" come on top of the environment of the command that started the supervisor.
	Env []string `json:"env,omitempty"`
	// Dir is the working directory; "" = "/".
	Dir string `json:"dir,omitempty"`
	// User is a name or a number, or either with ":GROUP"; "" = as the supervisor.
	User string `json:"user,omitempty"`
	// Hosts and Resolv are files to be mounted over /etc/hosts and /etc/resolv.conf; "" = none.
	Hosts  string `json:"hosts,omitempty"`
	Resolv string `json:"resolv,omitempty"`
	// After lists IDs of services that must be ready before this one is started. It is stopped before them.
	After []string `json:"after,omitempty"`
	Ready Ready    `json:"ready,omitzero"`
	Stop  Stop     `json:"stop,omitzero"`
	// Addrs are the node's addresses: where a readiness probe finds what does not listen on every address.
	Addrs []netip.Addr `json:"addrs,omitempty"`
	// LogBytes is the size at which a log begins anew; one older file is kept. 0 = 4 MiB.
	LogBytes int64 `json:"log_bytes,omitempty"`
}

// ID is NODE.NAME.
func (s Service) ID() string { return s.Node + "." + s.Name }

// Ready says when a service counts as ready. The zero value: as soon as it runs.
type Ready struct {
	// Kind is "", "tcp", "udp", "http", "log" or "cmd".
	Kind string `json:"kind,omitempty"`
	// Port for tcp (somebody listens), udp (somebody is bound) and http.
	Port uint16 `json:"port,omitempty"`
	// Path for http, with its slash; ready when the answer's status is below 400.
	Path string `json:"path,omitempty"`
	// Text for log: the service wrote it, since it was started.
	Text string `json:"text,omitempty"`
	// Argv for cmd: run beside the service, over and over, until its status is 0.
	Argv []string `json:"argv,omitempty"`
	// Within is how long it may take; 0 = 30 s.
	Within time.Duration `json:"within,omitempty"`
}

// String is as in a lab file: "tcp 80", `log "text"`.
func (r Ready) String() string {
	switch r.Kind {
	case "tcp", "udp":
		return fmt.Sprintf("%s %d", r.Kind, r.Port)
	case "http":
		return fmt.Sprintf("http :%d%s", r.Port, r.Path)
	case "log":
		return fmt.Sprintf("log %q", r.Text)
	case "cmd":
		return "cmd " + strings.Join(r.Argv, " ")
	default:
		return "running"
	}
}

const defaultWithin = 30 * time.Second

func (r Ready) within() time.Duration { return cmp.Or(r.Within, defaultWithin) }

// Stop says how a service is ended.
type Stop struct {
	// Signal is the first signal's number; 0 = SIGTERM.
	Signal int `json:"signal,omitempty"`
	// Timeout is how long the service has until SIGKILL; 0 = 5 s.
	Timeout time.Duration `json:"timeout,omitempty"`
}

const (
	defaultStopTimeout = 5 * time.Second
	sigTERM            = 15
)

func (s Stop) signal() int            { return cmp.Or(s.Signal, sigTERM) }
func (s Stop) timeout() time.Duration { return cmp.Or(s.Timeout, defaultStopTimeout) }

// hash identifies the specification.
func (s Service) hash() string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("service %s does not marshal: %v", s.ID(), err)) // plain data always does
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

// CheckServices refuses what a supervisor cannot run: no command, an ID twice, a dependency that is not there or goes
// round in a circle. It does not look at the system.
func CheckServices(services []Service) error {
	byID := map[string]Service{}
	for _, s := range services {
		if len(s.Argv) == 0 || s.Argv[0] == "" {
			return fmt.Errorf("service %s: no command", s.ID())
		}
		if _, ok := byID[s.ID()]; ok {
			return fmt.Errorf("service %s: declared twice", s.ID())
		}
		if strings.ContainsAny(s.ID(), "/\x00") || strings.Count(s.ID(), ".") != 1 || strings.HasPrefix(s.ID(), ".") || strings.HasSuffix(s.ID(), ".") {
			return fmt.Errorf("service %q: not NODE.NAME", s.ID())
		}
		byID[s.ID()] = s
	}
	const visiting, done = 1, 2
	seen := map[string]int{}
	var visit func(id string, path []string) error
	visit = func(id string, path []string) error {
		switch seen[id] {
		case done:
			return nil
		case visiting:
			return fmt.Errorf("service %s: waits for itself: %s", id, strings.Join(append(path, id), " after "))
		}
		seen[id] = visiting
		for _, dep := range byID[id].After {
			if _, ok := byID[dep]; !ok {
				return fmt.Errorf("service %s: after %s, which does not exist", id, dep)
			}
			if err := visit(dep, append(path, id)); err != nil {
				return err
			}
		}
		seen[id] = done
		return nil
	}
	for _, s := range services {
		if err := visit(s.ID(), nil); err != nil {
			return err
		}
	}
	return nil
}

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
