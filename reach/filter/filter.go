package filter

import (
	"net/netip"

	"warren/state"
)

// A Hook is a place on the packet's way through a namespace.
type Hook struct {
	// Family is whose hook it is: "ip", "ip6", "arp", "bridge" or "netdev". Chains of tables inet run on ip and ip6, and
	// their ingress chains on netdev.
	Family string
	// Name as nft says it: "prerouting", "input", "forward", "output", "postrouting", "ingress", "egress".
	Name string
	// In and Out are the devices as the rules see them; nil where the hook has none. For a bridged packet on an ip hook
	// (br_netfilter) they are the bridge, and PhysIn and PhysOut its ports.
	In, Out *state.Link
	PhysIn  string
	PhysOut string
	// Bridged: the packet is on an ip hook because of br_netfilter.
	Bridged bool
}

// StopKind says what a stop does to the packet.
type StopKind uint8

// Kinds of stops.
const (
	// Drop: gone without a word.
	Drop StopKind = iota + 1
	// Reject: gone, and the sender is told (Stop.With).
	Reject
	// Unknown: it cannot be told what happens here.
	Unknown
)

// A Stop is where netfilter would end the packet, or where it cannot be told.
type Stop struct {
	Kind StopKind
	Rule Rule
	With string // Reject: the answer in nft's words, "icmp port-unreachable", "tcp reset", "icmpx admin-prohibited"
	// Why of Unknown: "the expression numgen is not modelled".
	Why string
	// Detour of Unknown: what comes may not only accept or drop the packet, but send it elsewhere (NAT, mark).
	Detour bool
	// FIB: the rule that stopped it asks the routing table about the source: a reverse path filter made of rules.
	FIB bool
	// State: the rule that stopped it, or the lack of one that accepts, depends on conntrack's "invalid".
	State bool
	// Taken is the other connection that expects the same answers: NAT found no free port for this one, and conntrack
	// does not take it in. There is no Rule then.
	Taken *state.Conn
}

// A Rule names a rule or a chain's policy in a way that people find it again.
type Rule struct {
	Backend string `json:"backend"` // "nft", "legacy", "ebtables" (legacy)
	Family  string `json:"family"`  // "ip", "ip6", "inet", "bridge", "arp", "netdev"
	Table   string `json:"table"`
	Chain   string `json:"chain"`
	// Base is the base chain that led there, when it is another one.
	Base string `json:"base,omitempty"`
	// Handle of an nft rule; 0 for a policy. Number of a legacy rule in its chain, or of one of nft that has no handle yet, from 1;
	// 0 for the policy.
	Handle uint64 `json:"handle,omitempty"`
	Number int    `json:"number,omitempty"`
	Policy bool   `json:"policy,omitempty"`
	// Text is the rule as nft or iptables-save prints it: who tells the walk fills it in.
	Text string `json:"text,omitempty"`
}

// A Visit is a chain entered or a rule that matched, for the explanation.
type Visit struct {
	Rule    Rule   `json:"rule"`
	Matched bool   `json:"matched"`
	Effect  string `json:"effect,omitempty"` // "accept", "drop", "dnat to 10.0.0.2:80", "mark set 0x1", "jump x", ""
}

// A Result is what one hook did. The packet itself carries the changes.
type Result struct {
	// Stops is empty when the packet passes. The first is the kernel's; the others would follow if that were gone.
	Stops []Stop
	// Visits lists rules in order: those that matched, or all when [Namespace.Explain] is set.
	Visits []Visit
	// Reroute: on output, the packet must be routed again (mark, address or TOS changed, by NAT or a chain of type route).
	Reroute bool
	// NAT says that the address or port was rewritten here, in words: "dnat 10.0.0.1:80 -> 10.0.1.2:8080".
	NAT string
	// Chains is how many base chains and legacy tables looked at the packet: 0 = nobody did.
	Chains int
}

// FIB answers what rules ask the routing of their namespace.
type FIB interface {
	// Lookup routes a packet of that kind. The zero Answer means no route.
	Lookup(q FIBQuery) FIBAnswer
	// AddrType is the type of the address as RTN_* names it: "unicast", "local", "broadcast", "multicast", "blackhole",
	// "unreachable", "prohibit" ... (inet_addr_type, with dev not nil inet_dev_addr_type).
	AddrType(a netip.Addr, dev *state.Link) string
	// HasAddr reports the first usable address of a device for that family, which masquerade and redirect choose.
	// dst is where the packet goes.
	SourceFor(dev *state.Link, dst netip.Addr) (netip.Addr, bool)
}

// A FIBQuery is one lookup. Zero fields are not compared.
type FIBQuery struct {
	Src, Dst netip.Addr
	Mark     uint32
	TOS      uint8
	IIF, OIF *state.Link
}

// A FIBAnswer is what routing said.
type FIBAnswer struct {
	Type string      // as AddrType; "" = no route
	Link *state.Link // the device of the (first) way out, nil when there is none
	// Links are all ways out of a multipath route.
	Links []*state.Link
	Src   netip.Addr // preferred source
	Via   netip.Addr
}
