package watch

import (
	"time"

	"warren/state"
)

// Kinds of events.
const (
	Made    = "namespace-made"
	Named   = "namespace-named"
	Unnamed = "namespace-unnamed"
	Entered = "namespace-entered"
	Gone    = "namespace-gone"

	LinkAdded   = "link-added"
	LinkRemoved = "link-removed"
	LinkMoved   = "link-moved" // to another namespace, where it is then added
	LinkUp      = "link-up"
	LinkDown    = "link-down"
	LinkChanged = "link-changed"

	AddrAdded    = "addr-added"
	AddrRemoved  = "addr-removed"
	AddrChanged  = "addr-changed"
	RouteAdded   = "route-added"
	RouteRemoved = "route-removed"
	RouteChanged = "route-changed"
	RuleAdded    = "rule-added"
	RuleRemoved  = "rule-removed"

	// Resync: notifications were lost; what follows with the same time was found by reading everything anew.
	Resync = "resync"
)

// An Event is something that happened.
type Event struct {
	Time time.Time `json:"time"`
	Kind string    `json:"kind"`
	// NS is the namespace's key: "host", its name, "cookie:N", or "id:N" when nothing else is known.
	NS     string `json:"ns,omitempty"`
	Cookie uint64 `json:"cookie,omitempty"`
	// Name that came or went.
	Name string `json:"name,omitempty"`
	// Who did it, as far as that is known. Command is the command line, or only the thread's name when the process has ended.
	PID     int    `json:"pid,omitempty"`
	Command string `json:"command,omitempty"`
	User    string `json:"user,omitempty"`
	// What it happened to.
	Link  string       `json:"link,omitempty"`
	State *state.Link  `json:"state,omitempty"` // the link as it is now, or was
	Addr  *state.Addr  `json:"addr,omitempty"`
	Route *state.Route `json:"route,omitempty"`
	Rule  *state.Rule  `json:"rule,omitempty"`
	// To is the namespace that a link moved to, "" when that is not known.
	To string `json:"to,omitempty"`
	// Changes says what is different, in words: "mtu 1500 to 9000".
	Changes []string `json:"changes,omitempty"`
}
