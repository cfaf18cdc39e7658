package reach

import (
	"slices"
	"time"

	"warren/reach/filter"
	"warren/state"
)

// Answers.
const (
	Yes     = "yes"
	No      = "no"
	Unknown = "unknown"
)

// Directions.
const (
	Request = "request"
	Reply   = "reply"
)

// A Verdict is the answer.
type Verdict struct {
	Query Query `json:"query"`
	// Reachable is "yes", "no" or "unknown".
	Reachable string `json:"reachable"`
	// Failed is the direction that failed, "request" or "reply"; nil when none did.
	Failed *string `json:"failed"`
	// Reason of a no; nil else.
	Reason *Reason `json:"reason"`
	// Steps of both ways. The step at which the packet dies has OK false; those after it say what would be if it did not.
	Request []Step `json:"request"`
	Reply   []Step `json:"reply"`
	// Also lists what would be in the way next, and what was noticed besides.
	Also []Reason `json:"also"`
	// Unknowns lists what could not be told.
	Unknowns []Doubt `json:"unknowns"`
	// Snapshot says what the answer rests on.
	Snapshot Basis `json:"snapshot"`
}

// Query is the question as it was understood.
type Query struct {
	Source string `json:"source"`
	Dst    string `json:"dst"`
	Target string `json:"target,omitempty"`
	Proto  string `json:"proto"`
	Port   uint16 `json:"port,omitempty"`
	From   string `json:"from,omitempty"` // the source address, chosen by the kernel where the question does not say
	Mark   uint32 `json:"mark,omitempty"`
	Size   int    `json:"size,omitempty"` // bytes
}

// Basis is what an answer rests on.
type Basis struct {
	Time       time.Time `json:"time,omitzero"`
	Kernel     string    `json:"kernel,omitempty"`
	Namespaces []string  `json:"namespaces"` // that the walk looked at
}

// A Reason says why a packet does not arrive.
type Reason struct {
	Code Code `json:"code"`
	// Namespace is that in which the cause lies, which need not be where it shows.
	Namespace string `json:"namespace"`
	// Object is the guilty one: "link va", "route 10.0.2.0/24 table main", "nft inet filter/forward handle 7".
	Object string `json:"object"`
	Text   string `json:"text"`
	// Facts were read; each names its source.
	Facts []string `json:"facts"`
	// Fix lists commands, the first the most likely one. A line may say the same as the one before it in another tool.
	Fix []string `json:"fix"`
	// Direction is "request" or "reply".
	Direction string `json:"direction,omitempty"`
	// Symptom is what the sender sees: "no answer", "connection refused", ...
	Symptom string `json:"symptom,omitempty"`
	// Step is the number of the step in its direction, from 1; 0 = none.
	Step int `json:"step,omitempty"`

	// stop ends the walk: there is no sensible "as if fixed". note only remarks.
	note bool
}

// A Doubt is something that the model does not cover, or that could not be read.
type Doubt struct {
	Namespace string `json:"namespace,omitempty"`
	Object    string `json:"object"`
	Text      string `json:"text"`
	// Resolve says what would tell.
	Resolve string `json:"resolve,omitempty"`
}

// A Step is one decision on the way.
type Step struct {
	Seq       int    `json:"seq"`
	Namespace string `json:"namespace"`
	// Stage: "socket", "route", "filter", "neighbour", "link", "bridge", "tunnel", "validate", "forward", "deliver", "mtu".
	Stage  string `json:"stage"`
	Object string `json:"object,omitempty"`
	Text   string `json:"text"`
	OK     bool   `json:"ok"`
	// Code of the obstacle, when not OK.
	Code Code `json:"code,omitempty"`
	// Source says where the fact was read: a netlink message, a sysctl.
	Source string `json:"source,omitempty"`
	// Packet is the packet after the step, where the step changed it.
	Packet string `json:"packet,omitempty"`
	// Visits are the rules looked at.
	Visits []filter.Visit `json:"visits,omitempty"`
	// Unknown: it could not be told what happens here.
	Unknown bool `json:"unknown,omitempty"`
}

// Missing is what the snapshot lacks for an answer.
type Missing struct {
	Names  []string
	Beyond []state.NSIDOf
	// Asks are addresses that somebody behind one of many cables may have. Once asked, they belong into Flow.Asked.
	Asks []state.AddrBeyond
	// Everywhere: somebody whom nothing leads to may be meant: addresses of all namespaces are needed.
	Everywhere bool
	// Closer are ports and stations of namespaces that were skimmed, and Whole those that it does not do to have skimmed.
	Closer []state.Closer
	Whole  []string
}

// Empty reports whether nothing is missing.
func (m *Missing) Empty() bool {
	return len(m.Names) == 0 && len(m.Beyond) == 0 && len(m.Asks) == 0 && !m.Everywhere && len(m.Closer) == 0 && len(m.Whole) == 0
}

func (m *Missing) name(key string) {
	if !slices.Contains(m.Names, key) {
		m.Names = append(m.Names, key)
	}
}

func (m *Missing) beyond(ns string, id int) {
	if b := (state.NSIDOf{NS: ns, ID: id}); !slices.Contains(m.Beyond, b) {
		m.Beyond = append(m.Beyond, b)
	}
}

func (m *Missing) ask(a state.AddrBeyond) {
	if !slices.ContainsFunc(m.Asks, a.SameQuestion) {
		m.Asks = append(m.Asks, a)
	}
}
