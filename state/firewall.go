package state

// A Table is an nftables table (nft(8)). Legacy iptables tables are not among them.
type Table struct {
	Family  string  `json:"family"` // "inet", "ip", "ip6", "arp", "bridge", "netdev"
	Name    string  `json:"name"`
	Comment string  `json:"comment,omitempty"`
	Flags   uint32  `json:"flags,omitempty"` // NFT_TABLE_F_*: dormant 1, owner 2, persist 4
	Handle  uint64  `json:"handle,omitempty"`
	Sets    []Set   `json:"sets,omitempty"`   // sorted by name; anonymous sets are inside of their rules
	Chains  []Chain `json:"chains,omitempty"` // sorted by name
	// Flowtables are sorted by name.
	Flowtables []Flowtable `json:"flowtables,omitempty"`
}

// Key is family and name, which together identify a table in its namespace.
func (t Table) Key() string { return t.Family + " " + t.Name }

// Chain returns the chain of that name, or nil.
func (t *Table) Chain(name string) *Chain {
	for i := range t.Chains {
		if t.Chains[i].Name == name {
			return &t.Chains[i]
		}
	}
	return nil
}

// Set returns the set of that name, or nil.
func (t *Table) Set(name string) *Set {
	for i := range t.Sets {
		if t.Sets[i].Name == name {
			return &t.Sets[i]
		}
	}
	return nil
}

// A Set of nftables, or a map when Data is not empty, or a verdict map when Data is {"verdict"}.
type Set struct {
	Name string `json:"name,omitempty"` // "" when anonymous
	// Key is the type of an element's key; several = a concatenation.
	Key  []DataType `json:"key"`
	Data []DataType `json:"data,omitempty"`
	// DataInterval: the values of a map are intervals, of which Data has the type twice: of the first, and of the last.
	DataInterval bool `json:"data_interval,omitempty"`
	// Flags (NFT_SET_*).
	Constant bool `json:"constant,omitempty"`
	Interval bool `json:"interval,omitempty"`
	Dynamic  bool `json:"dynamic,omitempty"`
	Timeout  bool `json:"timeout,omitempty"`
	// TimeoutMS is after how many milliseconds an element goes away; 0 = never, or as each element says. It implies Timeout.
	TimeoutMS uint64 `json:"timeout_ms,omitempty"`
	// Statements names expressions that the kernel carries out when an element is found (counter, limit, last ...). They may
	// end the rule as a match that fails; what exactly they do is not read.
	Statements []string `json:"statements,omitempty"`
	// Elements are sorted by key.
	Elements []Element `json:"elements,omitempty"`
	Comment  string    `json:"comment,omitempty"`
	Handle   uint64    `json:"handle,omitempty"`
}

// An Element of a set or map.
type Element struct {
	Key []Value `json:"key"`
	// KeyEnd is the last key of an interval, included; nil for a single key.
	KeyEnd  []Value  `json:"key_end,omitempty"`
	Data    []Value  `json:"data,omitempty"`    // of a map
	Verdict *Verdict `json:"verdict,omitempty"` // of a verdict map
	Comment string   `json:"comment,omitempty"`
}

// A Chain of nftables: a base chain when Hook is set.
type Chain struct {
	Name    string         `json:"name"`
	Comment string         `json:"comment,omitempty"`
	Hook    *Hook          `json:"hook,omitempty"`
	Rules   []FirewallRule `json:"rules,omitempty"` // in order
	Handle  uint64         `json:"handle,omitempty"`
}

// A Flowtable holds connections whose packets its devices forward past all rules, once a rule with "flow add" has put them in.
type Flowtable struct {
	Name     string   `json:"name"`
	Priority int32    `json:"priority"` // at ingress
	Devices  []string `json:"devices,omitempty"`
	Flags    uint32   `json:"flags,omitempty"` // NFT_FLOWTABLE_*: offload 1, counter 2
	Handle   uint64   `json:"handle,omitempty"`
}

// A Hook attaches a base chain to the packet's path.
type Hook struct {
	Type     string   `json:"type"` // "filter", "nat", "route"
	Hook     string   `json:"hook"` // "prerouting", "input", "forward", "output", "postrouting", "ingress", "egress"
	Priority int32    `json:"priority"`
	Policy   string   `json:"policy,omitempty"` // "" = "accept"; "drop"
	Devices  []string `json:"devices,omitempty"`
}

// A FirewallRule is one rule of a chain: expressions from left to right. The first match that fails ends it.
type FirewallRule struct {
	Exprs   []Expr `json:"exprs"`
	Comment string `json:"comment,omitempty"`
	Handle  uint64 `json:"handle,omitempty"`
}

// An Expr is one matching or acting part of a rule: exactly one field is set.
type Expr struct {
	Match      *Match      `json:"match,omitempty"`
	VerdictMap *VerdictMap `json:"vmap,omitempty"`
	Verdict    *Verdict    `json:"verdict,omitempty"`
	NAT        *NAT        `json:"nat,omitempty"`
	Reject     *Reject     `json:"reject,omitempty"`
	Counter    *Counter    `json:"counter,omitempty"`
	Log        *Log        `json:"log,omitempty"`
	Limit      *Limit      `json:"limit,omitempty"`
	SetValue   *SetValue   `json:"set,omitempty"`
	Notrack    bool        `json:"notrack,omitempty"`
	FlowAdd    string      `json:"flow_add,omitempty"`  // "flow add @NAME": a flowtable of the table
	XTMatch    *XTMatch    `json:"xt_match,omitempty"`  // iptables-nft
	XTTarget   *XTTarget   `json:"xt_target,omitempty"` // iptables-nft
	Opaque     *Opaque     `json:"opaque,omitempty"`
}

// Match compares what Left reads from the packet with a value, a range, or a set.
type Match struct {
	Left Operand `json:"left"`
	// Concat holds further operands when the set's key is a concatenation.
	Concat []Operand `json:"concat,omitempty"`
	Op     string    `json:"op,omitempty"` // "" = "=="; "!=", "<", "<=", ">", ">="; with SetName or Set: "" or "!="
	// Exactly one of Value, Range, SetName (a named set of the table) and Set (anonymous) is set.
	Value   *Value    `json:"value,omitempty"`
	Range   *[2]Value `json:"range,omitempty"`
	SetName string    `json:"set_name,omitempty"`
	Set     *Set      `json:"set,omitempty"`
}

// VerdictMap looks the operands up in a verdict map: the named one, or an anonymous one.
type VerdictMap struct {
	Keys    []Operand `json:"keys"`
	SetName string    `json:"set_name,omitempty"`
	Set     *Set      `json:"set,omitempty"`
}

// An Operand is something that a rule reads from the packet or its surroundings: exactly one of Payload, Meta, CT, FIB
// and Raw is set.
type Operand struct {
	Payload *Payload `json:"payload,omitempty"`
	Meta    string   `json:"meta,omitempty"` // nft's word: "iifname", "oifname", "l4proto", "nfproto", "mark", "pkttype", ...
	CT      *CT      `json:"ct,omitempty"`
	FIB     *FIB     `json:"fib,omitempty"`
	Raw     *Raw     `json:"raw,omitempty"`
	// Mask is and-ed to what was read before it is compared; its length is the operand's. Nil = no mask. (A prefix
	// is a mask; the text form writes it as one.)
	Mask *Value `json:"mask,omitempty"`
	// Xor is xor-ed after the mask; nil = none.
	Xor *Value `json:"xor,omitempty"`
}

// Payload is a header field that nft knows by name: {"ip", "saddr"}, {"tcp", "dport"}, {"th", "dport"}, {"icmp", "type"}.
type Payload struct {
	Protocol string `json:"protocol"`
	Field    string `json:"field"`
}

// Raw is a header field without a name: nft's "@nh,96,32".
type Raw struct {
	Base   string `json:"base"`   // "ll", "nh", "th", "ih"
	Offset uint32 `json:"offset"` // bits
	Length uint32 `json:"length"` // bits
}

// CT reads conntrack: {Key: "state"}, {Key: "status"}, {Key: "saddr", Direction: "original"}.
type CT struct {
	Key       string `json:"key"`
	Direction string `json:"direction,omitempty"` // "original", "reply"
}

// FIB asks the routing table: nft's "fib daddr . iif type".
type FIB struct {
	Result string   `json:"result"` // "oif", "oifname", "type"
	Flags  []string `json:"flags"`  // of "saddr", "daddr", "mark", "iif", "oif", in this order
	// Present: the rule asks only whether there is a route (NFTA_FIB_F_PRESENT).
	Present bool `json:"present,omitempty"`
}

// A Verdict ends the rule.
type Verdict struct {
	Kind  string `json:"kind"` // "accept", "drop", "jump", "goto", "return", "continue", "queue"
	Chain string `json:"chain,omitempty"`
}

// NAT rewrites an address: exactly as nft's dnat, snat, masquerade and redirect.
type NAT struct {
	Kind   string `json:"kind"`             // "dnat", "snat", "masquerade", "redirect"
	Family string `json:"family,omitempty"` // "ip" or "ip6"; in inet tables for dnat and snat
	// Addr, AddrMax, Port, PortMax are constants; nil = keep.
	Addr    *Value `json:"addr,omitempty"`
	AddrMax *Value `json:"addr_max,omitempty"`
	Port    *Value `json:"port,omitempty"`
	PortMax *Value `json:"port_max,omitempty"`
	// Map gives address, or address and port (the map's data is a concatenation), instead.
	Map         *MapLookup `json:"map,omitempty"`
	Random      bool       `json:"random,omitempty"`
	FullyRandom bool       `json:"fully_random,omitempty"`
	Persistent  bool       `json:"persistent,omitempty"`
	// Netmap: Addr to AddrMax (or what Map gives) is a network, and only its part of the address is replaced.
	Netmap bool `json:"netmap,omitempty"`
}

// MapLookup reads a value out of a map. A key that is not in it ends the rule, as a match that fails.
type MapLookup struct {
	Keys    []Operand `json:"keys"`
	SetName string    `json:"set_name,omitempty"`
	Set     *Set      `json:"set,omitempty"`
}

// Reject answers and drops.
type Reject struct {
	With string `json:"with"` // "tcp reset", "icmp port-unreachable", "icmpx port-unreachable", "icmpx admin-prohibited", "icmpv6 no-route", ...
}

// Counter counts; the numbers are observed.
type Counter struct {
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
}

// Log writes to the kernel's log or to a nflog group.
type Log struct {
	Prefix string  `json:"prefix,omitempty"`
	Level  string  `json:"level,omitempty"`
	Group  *uint16 `json:"group,omitempty"`
}

// Limit is nft's "limit rate [over] N[ bytes]/UNIT burst N".
type Limit struct {
	Rate  uint64 `json:"rate"`
	Unit  string `json:"unit"` // "second", "minute", "hour", "day", "week"
	Burst uint32 `json:"burst,omitempty"`
	Bytes bool   `json:"bytes,omitempty"`
	Over  bool   `json:"over,omitempty"`
}

// SetValue writes: nft's "meta mark set 1", "ct mark set 1", "ip dscp set cs1", or what From reads: "meta mark set ct mark".
// A rule that writes what is computed otherwise is opaque.
type SetValue struct {
	Target Operand  `json:"target"`
	Value  Value    `json:"value,omitzero"`
	From   *Operand `json:"from,omitempty"` // in place of Value
	// Map is where the value is looked up, in place of Value. A key that is not in it ends the rule.
	Map *MapLookup `json:"map,omitempty"`
}

// Opaque is an expression that warren does not understand. It is never taken for a match nor for none.
type Opaque struct {
	Name string `json:"name"` // the kernel's name of the expression: "xt", "synproxy", "objref", ...
	Text string `json:"text,omitempty"`
	Data []byte `json:"data,omitempty"` // the netlink attributes as read
}
