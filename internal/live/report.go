package live

import (
	"net/netip"
	"slices"
	"time"

	"warren/internal/probe"
	"warren/reach"
)

// Version of the form of [Result] as JSON. Within a version fields are only added.
const Version = 1

// What an [Event] tells.
const (
	Sent     = "sent"     // handed to a device
	Received = "received" // came in by a device
	Dropped  = "dropped"  // thrown away
	Passed   = "passed"   // got to the beginning (prerouting, output) or the end (the others) of a netfilter hook
	Rule     = "rule"     // a rule matched, or a chain's policy was applied
)

// Who tells.
const (
	ByBPF       = "bpf"
	ByTrace     = "nft-trace"
	ByNeighbour = "neighbour"
)

// Errors is the direction of ICMP errors about the probe or its answer; the others are reach.Request and reach.Reply.
const Errors = "error"

// An Event is something that a witness saw of the probe or its answer.
type Event struct {
	// At is since the probe was sent; 0 = not told (nft's trace has no times).
	At        time.Duration `json:"at_ns,omitempty"`
	Witness   string        `json:"witness"`
	Direction string        `json:"direction"`
	// Namespace is the name, or "cookie:N" where it is not known.
	Namespace string `json:"namespace"`
	Event     string `json:"event"`
	Link      string `json:"link,omitempty"` // by which it came or goes
	Hook      string `json:"hook,omitempty"` // of Passed: "forward", of bridges "bridge forward"
	// Object and Verdict are of Rule: "nft inet f/c handle 4", "drop".
	Object  string `json:"object,omitempty"`
	Verdict string `json:"verdict,omitempty"`
	// Reason and Function are the kernel's, of Dropped: "NETFILTER_DROP", "nft_do_chain".
	Reason   string `json:"reason,omitempty"`
	Function string `json:"function,omitempty"`
	// Code and Text explain a drop, as far as the kernel's reason tells.
	Code reach.Code `json:"code,omitempty"`
	Text string     `json:"text,omitempty"`
	// Harmless: the kernel puts away what did its work, or was for nobody there, as a drop, too.
	Harmless bool   `json:"harmless,omitempty"`
	Packet   string `json:"packet,omitempty"`
}

// drop reports an event at which the packet died, as far as one witness can tell.
func (e *Event) drop() bool {
	return e.Event == Dropped && !e.Harmless || e.Event == Rule && e.Verdict == "drop"
}

// A Neighbour is what became of asking for somebody's address on a link.
type Neighbour struct {
	Namespace string     `json:"namespace"`
	Link      string     `json:"link"`
	IP        netip.Addr `json:"ip"`
	MAC       string     `json:"mac,omitempty"`
	// State is "answered", "asking" (not yet answered when the probe was over) or "failed".
	State string `json:"state"`
}

// States of a [Neighbour].
const (
	Answered = "answered"
	Asking   = "asking"
	Failed   = "failed"
)

// An Unseen is something that a witness could not see, and why.
type Unseen struct {
	Witness   string `json:"witness"`
	Namespace string `json:"namespace,omitempty"` // "" = everywhere
	Text      string `json:"text"`
}

// A Probe is the packet that was sent.
type Probe struct {
	Proto string         `json:"proto"`
	Src   netip.AddrPort `json:"src"` // of an echo, the id as port
	Dst   netip.AddrPort `json:"dst"`
	Size  int            `json:"size,omitempty"` // of the IP packet, bytes, not to be fragmented
	Mark  uint32         `json:"mark,omitempty"`
	TTL   uint8          `json:"ttl,omitempty"`
}

// A Report is all that was seen.
type Report struct {
	Probe      Probe
	Answer     probe.Result
	Events     []Event // in the order of the packet's way, as far as times tell
	Neighbours []Neighbour
	Unseen     []Unseen
	// BPF, and the namespaces in which the trace worked: where a witness was there, silence means something.
	BPF    bool
	Traced []string
}

// overload reports reasons that say nothing about the way, only that there is too much to do.
func overload(reason string) bool {
	return slices.Contains([]string{"CPU_BACKLOG", "FULL_RING", "NOMEM", "SOCKET_RCVBUFF", "SOCKET_BACKLOG", "PROTO_MEM", "QDISC_OVERLIMIT", "QDISC_CONGESTED"}, reason)
}

// overloaded reports a probe of which nothing is known but that it, or its answer, was lost in a full queue.
func (r *Report) overloaded() bool {
	lost := false
	for i := range r.Events {
		e := &r.Events[i]
		switch {
		case !e.drop() || e.Direction == Errors:
		case overload(e.Reason):
			lost = true
		case e.Reason != "OTHERHOST":
			return false
		}
	}
	return lost && r.Answer.Code == probe.Timeout
}
