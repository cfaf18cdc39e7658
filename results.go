package warren

import (
	"time"

	"warren/internal/nft"
	"warren/netns"
	"warren/plan"
	"warren/reach"
	"warren/state"
	"warren/topo"
)

// A Change is what [Warren.Plan] found: what the lab should be, what there is, and the steps between them.
type Change struct {
	Expanded *topo.Expanded `json:"expanded"`
	Plan     plan.Plan      `json:"plan"`
	Snapshot state.Snapshot `json:"-"`
}

// Shell is the plan as the ip, sysctl and nft lines that a person would have typed; they run with sh as root.
func (c *Change) Shell() string {
	return c.Plan.Shell(plan.NFT{Table: nft.Text, Value: nft.Format})
}

// UpOptions of [Warren.Up].
type UpOptions struct {
	// NoChecks leaves out the lab's checks, NoServices its services.
	NoChecks   bool
	NoServices bool
	// NoVerify leaves out the reading back after the steps. For measurements.
	NoVerify bool
	// Prune removes what others have put into the lab's own namespaces too ([Status].Other), but for what routing daemons
	// and router advertisements keep there.
	Prune bool
	// Confirm undoes the change unless [Warren.Confirm] is called within this time, counted from when the lab's network and
	// services stand: a lab that was up becomes what it was, another one is taken down. A process of its own does it
	// ([Options].Watchdog). 0 = the change stays.
	Confirm time.Duration

	repairs bool // an Up that does not count as confirmation
}

// UpReport tells what [Warren.Up] did.
type UpReport struct {
	Lab   string        `json:"lab"`
	Steps int           `json:"steps"`    // carried out; 0 = everything was there already
	Nodes int           `json:"nodes"`    // of the lab
	Apply time.Duration `json:"apply_ns"` // carrying out the steps alone
	Took  time.Duration `json:"took_ns"`
	// Services that are ready, with how long that took.
	Services []ServiceStatus `json:"services,omitempty"`
	Checks   []CheckResult   `json:"checks,omitempty"`
	// Notes are things worth knowing: a foreign firewall chain in the way, a feature used instead of another.
	Notes []string `json:"notes,omitempty"`
	// Pruned names what others had put into the lab's namespaces and UpOptions.Prune removed.
	Pruned []string `json:"pruned,omitempty"`
	// Unconfirmed says until when the change has to be confirmed; nil = it stays.
	Unconfirmed *Unconfirmed `json:"unconfirmed,omitempty"`
	// Undone says how many of the Steps were undone when an error made Up take them back; NotUndone names those that could
	// not be.
	Undone    int      `json:"undone,omitempty"`
	NotUndone []string `json:"not_undone,omitempty"`
}

// DownOptions of [Warren.Down].
type DownOptions struct {
	// Timeout is how long services get to end before they are killed; 0 = what each service says, or 5 s.
	Timeout time.Duration
}

// DownReport tells what [Warren.Down] did.
type DownReport struct {
	Lab string `json:"lab"`
	// Existed is false when there was nothing of that lab.
	Existed   bool          `json:"existed"`
	Steps     int           `json:"steps"`
	Processes int           `json:"processes"` // ended
	Took      time.Duration `json:"took_ns"`
	Notes     []string      `json:"notes,omitempty"`
}

// CheckOptions of [Warren.Check].
type CheckOptions struct {
	// Only runs the checks whose text has this in it; "" = all.
	Only string
}

// A CheckResult is the outcome of one check.
type CheckResult struct {
	Check string `json:"check"` // its text
	OK    bool   `json:"ok"`
	// Detail says what was seen: "answered in 0.1ms", "refused", "no answer within 2s".
	Detail string        `json:"detail"`
	Took   time.Duration `json:"took_ns"`
	// Parts are the single probes when the check stands for several ("all can ping all"); failed ones first.
	Parts []CheckResult `json:"parts,omitempty"`
	// Why says where the packet dies, by the packet walk, when the check does not hold.
	Why *reach.Verdict `json:"why,omitempty"`
}

// Status of a lab.
type Status struct {
	Lab string `json:"lab"`
	// State is "up" (all there), "drifted" (a second up would change something), "partial" (killed half-way, or not
	// all there), "down".
	State    string          `json:"state"`
	Nodes    []NodeStatus    `json:"nodes"`
	Services []ServiceStatus `json:"services,omitempty"`
	Drift    []plan.Step     `json:"drift,omitempty"`  // what up would do
	Other    []string        `json:"other,omitempty"`  // what others put into our namespaces
	Locked   string          `json:"locked,omitempty"` // who is changing it now
	// Edited is the lab file that the lab was brought up from, when single commands (add, rm, connect, publish) have changed
	// the lab since, so that it is another than the file's.
	Edited string `json:"edited,omitempty"`
	// Differences are the drift field by field.
	Differences []Difference `json:"differences,omitempty"`
	// Unconfirmed is a change that waits to be confirmed, or the last one that was undone because nobody did; nil = none.
	Unconfirmed *Unconfirmed `json:"unconfirmed,omitempty"`
}

// NodeStatus is a node as it is.
type NodeStatus struct {
	Name      string   `json:"name"`
	NS        string   `json:"ns"`
	Exists    bool     `json:"exists"`
	Addrs     []string `json:"addrs,omitempty"` // "lan 10.0.0.2/24"
	Processes int      `json:"processes"`
}

// ServiceStatus is a service as it is.
type ServiceStatus struct {
	Node string `json:"node"`
	Name string `json:"name"`
	// State is "waiting", "starting", "ready", "done", "failed", "blocked", "stopping" or "stopped".
	State  string        `json:"state"`
	PID    int           `json:"pid,omitempty"`    // while it runs
	Detail string        `json:"detail,omitempty"` // why, for a person
	Took   time.Duration `json:"ready_ns,omitempty"`
}

// LabInfo is a line of [Warren.Labs].
type LabInfo struct {
	Name  string    `json:"name"`
	State string    `json:"state"` // "up", "partial"
	Nodes int       `json:"nodes"`
	File  string    `json:"file,omitempty"` // that it came from
	Since time.Time `json:"since,omitzero"`
}

// NamespaceInfo is a line of [Warren.List].
type NamespaceInfo struct {
	Name      string   `json:"name"`
	Lab       string   `json:"lab,omitempty"`
	Node      string   `json:"node,omitempty"`
	Owner     string   `json:"owner"` // "warren", "other"
	Cookie    uint64   `json:"cookie,omitempty"`
	Addrs     []string `json:"addrs,omitempty"`
	Processes int      `json:"processes"`
	State     string   `json:"state"` // "ok", "stale" (a name that holds no namespace)
	// Created is when it got its name, or its first process began.
	Created time.Time `json:"created,omitzero"`
	// Kind and Who are of the owner (state.Owner), where all of the host was read; Command is of the first process, Held says
	// by what it is kept alive when it has neither name nor process.
	Kind    string `json:"kind,omitempty"`
	Who     string `json:"who,omitempty"`
	PID     int    `json:"pid,omitempty"`
	Command string `json:"command,omitempty"`
	Held    string `json:"held,omitempty"`
	// Containers are the names of those that have processes in it, the oldest first: the owner's own, and those that share it.
	Containers []string `json:"containers,omitempty"`
}

// LogOptions of [Warren.Logs].
type LogOptions struct {
	// Nodes are NODE or NODE.SERVICE; empty = all.
	Nodes  []string
	Follow bool
	// Lines is how many lines from the end; 0 = all.
	Lines int
}

// ExecSpec says what [Warren.Exec] runs, and where.
type ExecSpec struct {
	// Target is a node, LAB.NODE, or any form that [netns.Open] knows.
	Target string
	Lab    string // narrows Target to one lab; "" = any
	Argv   []string
	Dir    string
	Env    []string // nil = the caller's
	// Sys says what /sys shows; the zero value keeps all that is mounted below it and shows the namespace's devices.
	Sys netns.SysMode
	// Final says that the calling program ends when Exec fails, which makes Exec faster.
	Final bool
	// Warn is told what could not be done and does not matter enough to fail; nil = nobody.
	Warn func(error)
}
