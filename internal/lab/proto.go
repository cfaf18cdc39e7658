package lab

import "time"

// protocol is the version of what client and supervisor say to each other: one request as a JSON value, an empty reply
// at once, then any number of them, of which the last has Final set. A supervisor of another version is replaced.
const protocol = 1

const (
	socketFile   = "supervisor"
	servicesFile = "services.json"
	logsDir      = "logs"
)

type request struct {
	Protocol int       `json:"protocol"`
	Op       op        `json:"op"`
	Services []Service `json:"services,omitempty"` // of apply
	IDs      []string  `json:"ids,omitempty"`      // of stop; none = all
}

type op string

const (
	opStatus op = "status"
	opApply  op = "apply"
	opStop   op = "stop"
)

type reply struct {
	Final  bool   `json:"final,omitempty"`
	Error  string `json:"error,omitempty"`
	Event  *Event `json:"event,omitempty"`
	Status Status `json:"status,omitzero"` // with Final
}

// An Event is a change of a service's state.
type Event struct {
	ID     string    `json:"id"`
	State  State     `json:"state"`
	Detail string    `json:"detail,omitempty"`
	Time   time.Time `json:"time"`
}

// saved is the content of services.json: what the supervisor knows, for when it is gone.
type saved struct {
	Supervisor process         `json:"supervisor"`
	Services   []ServiceStatus `json:"services"`
}

// A process is identified by PID and start time.
type process struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks after boot
}

// alive reports whether the very process still runs.
func (p process) alive() bool {
	st, ok := readStat(p.PID)
	return p.PID > 0 && ok && st.Start == p.Start && st.State != 'Z' && st.State != 'X'
}
