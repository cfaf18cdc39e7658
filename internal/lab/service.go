package lab

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Service is a command that the supervisor keeps in a namespace. It is plain data: two equal values are the same
// service, and a service that differs from the running one of its name is restarted.
type Service struct {
	Node string `json:"node"`
	Name string `json:"name"` // unique in the node
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
	// Addrs are the node's addresses, for whoever shows the service. They are not compared: a new one restarts nothing.
	Addrs []netip.Addr `json:"addrs,omitempty"`
	// Log is where the output goes: "" = to the run directory, "none" = nowhere, else to the end of that file, as it is.
	Log string `json:"log,omitempty"`
	// LogBytes is the size at which a log in the run directory begins anew; one older file is kept. 0 = 4 MiB.
	LogBytes int64 `json:"log_bytes,omitempty"`
}

// ID is NODE/NAME.
func (s Service) ID() string { return s.Node + "/" + s.Name }

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
	// Signal is the name of the first signal, with or without SIG; "" = "TERM".
	Signal string `json:"signal,omitempty"`
	// Timeout is how long the service has until SIGKILL; 0 = 5 s.
	Timeout time.Duration `json:"timeout,omitempty"`
}

const defaultStopTimeout = 5 * time.Second

func (s Stop) timeout() time.Duration { return cmp.Or(s.Timeout, defaultStopTimeout) }

// signal is 0 for a name that is none.
func (s Stop) signal() unix.Signal {
	name := strings.ToUpper(cmp.Or(s.Signal, "TERM"))
	return unix.SignalNum("SIG" + strings.TrimPrefix(name, "SIG"))
}

// hash identifies the specification.
func (s Service) hash() string {
	s.Addrs = nil
	data, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("service %s does not marshal: %v", s.ID(), err)) // plain data always does
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}
