package state

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// HostNS is the key of the namespace that warren was called from.
const HostNS = "host"

// SnapshotVersion is the version of the JSON form of [Snapshot]. It grows when a field changes its meaning.
const SnapshotVersion = 1

// A Snapshot is what the kernel holds, read in one go. Namespaces are sorted by Name.
type Snapshot struct {
	Version int `json:"version"`
	// Time, Kernel (uname -r) and Host are of the reading; a snapshot that was not read from a kernel has none.
	Time       time.Time   `json:"time,omitzero"`
	Kernel     string      `json:"kernel,omitempty"`
	Host       string      `json:"host,omitempty"`
	Namespaces []Namespace `json:"namespaces"`
	// Unread names what could not be read, and why. An empty list means that the snapshot is complete for the query
	// that it answers.
	Unread []Unread `json:"unread,omitempty"`
	// Behind says who is behind the ids that the query asked for (Query.Beyond, Query.Asks).
	Behind []Behind `json:"-"`
	// Fresh holds the sysctl values that a newly made namespace has, for the keys that the query asked for. A sysctl
	// that is no longer declared returns to this value.
	Fresh []Sysctl `json:"fresh,omitempty"`
}

// Namespace returns the namespace of that key, or nil.
func (s *Snapshot) Namespace(name string) *Namespace {
	i, ok := slices.BinarySearchFunc(s.Namespaces, name, func(n Namespace, k string) int { return strings.Compare(n.Name, k) })
	if !ok {
		return nil
	}
	return &s.Namespaces[i]
}

// Unread is something that a snapshot should hold and does not.
type Unread struct {
	NS     string `json:"ns,omitempty"`
	Object string `json:"object"` // "links", "routes", "/proc/17/ns/net", ...
	Reason string `json:"reason"`
}

// A Namespace is one observed network namespace.
type Namespace struct {
	Name   string   `json:"name"`             // key, see the package comment
	Names  []string `json:"names,omitempty"`  // all names below /run/netns, sorted
	Paths  []string `json:"paths,omitempty"`  // mount points that hold it
	Cookie uint64   `json:"cookie,omitempty"` // SO_NETNS_COOKIE (Linux 5.14): never reused while the machine runs
	Inode  uint64   `json:"inode,omitempty"`  // of the nsfs file; reused by the kernel, for display only
	Mark   Mark     `json:"mark,omitzero"`    // set when the namespace is a lab's
	// NSIDs are the ids under which this namespace knows others, sorted by ID.
	NSIDs     []NSID    `json:"nsids,omitempty"`
	Processes []Process `json:"processes,omitempty"`
	Holders   []Holder  `json:"holders,omitempty"`
	Owner     *Owner    `json:"owner,omitempty"`
	// Containers are those that have processes in it, the oldest first: its owner among them, and those that share it.
	Containers []Container `json:"containers,omitempty"`
	// Created is when it was made, as far as that can be told: the oldest of its name's file and its processes.
	Created time.Time `json:"created,omitzero"`
	// UserNS is the inode of the owning user namespace; 0 = not known.
	UserNS uint64 `json:"userns,omitempty"`
	// Read says which parts were read, whole or with entries in Unread. What is not in it is not known, rather than empty.
	Read Parts `json:"read,omitempty"`
	// Skim says what was left out of it; nil = nothing.
	Skim *Skim `json:"-"`
	// Learned are the routes that were asked for one by one (Closer.Routes).
	Learned []LearnedRoute `json:"-"`
	Contents
}

// A Mark says which lab owns a namespace: the altname "warren.LAB.NODE" on its lo.
type Mark struct {
	Lab  string `json:"lab"`
	Node string `json:"node"`
}

// IsZero reports whether there is no mark.
func (m Mark) IsZero() bool { return m == Mark{} }

// AltName is the altname that carries the mark in the kernel.
func (m Mark) AltName() string { return "warren." + m.Lab + "." + m.Node }

// ParseMark reads an altname; ok is false when it is not a mark.
func ParseMark(altname string) (m Mark, ok bool) {
	rest, ok := strings.CutPrefix(altname, "warren.")
	if !ok {
		return Mark{}, false
	}
	m.Lab, m.Node, ok = strings.Cut(rest, ".")
	if !ok || m.Lab == "" || m.Node == "" {
		return Mark{}, false
	}
	return m, true
}

// An NSID is a namespace's id as seen from another one (RTM_GETNSID).
type NSID struct {
	ID int    `json:"id"`
	NS string `json:"ns,omitempty"` // key of the namespace when known
}

// Contents is what a namespace holds. Every list is sorted (see Sort), so that equal contents are equal values.
type Contents struct {
	Links     []Link          `json:"links,omitempty"`
	Addrs     []Addr          `json:"addrs,omitempty"`
	Routes    []Route         `json:"routes,omitempty"`
	Rules     []Rule          `json:"rules,omitempty"`
	Neighbors []Neighbor      `json:"neighbors,omitempty"`
	FDB       []FDBEntry      `json:"fdb,omitempty"`
	NextHops  []NextHopObject `json:"nexthop_objects,omitempty"`
	MDB       []MDBEntry      `json:"mdb,omitempty"`
	VLANs     []PortVLAN      `json:"vlans,omitempty"`
	Qdiscs    []Qdisc         `json:"qdiscs,omitempty"`
	Tables    []Table         `json:"tables,omitempty"`  // nftables
	XTables   []XTable        `json:"xtables,omitempty"` // legacy iptables
	EBTables  []EBTable       `json:"ebtables,omitempty"`
	IPSets    []IPSet         `json:"ipsets,omitempty"`
	Conntrack []Conn          `json:"conntrack,omitempty"`
	Sysctls   []Sysctl        `json:"sysctls,omitempty"`
	Sockets   []Socket        `json:"sockets,omitempty"`
	Agents    []Agent         `json:"agents,omitempty"`
}

// Link returns the link of that name, or nil. Links need not be sorted.
func (c *Contents) Link(name string) *Link {
	for i := range c.Links {
		if c.Links[i].Name == name {
			return &c.Links[i]
		}
	}
	return nil
}

// Sysctl returns the value of a key and whether it is there.
func (c *Contents) Sysctl(key string) (string, bool) {
	for _, s := range c.Sysctls {
		if s.Key == key {
			return s.Value, true
		}
	}
	return "", false
}

// A Sysctl is one value below /proc/sys of a namespace.
type Sysctl struct {
	// Key is the path below /proc/sys with slashes, "net/ipv4/conf/eth0.5/forwarding": with dots an interface's name
	// that has a dot could not be told apart (sysctl(8)).
	Key   string `json:"key"`
	Value string `json:"value"` // white space as the kernel prints it, tabs between numbers, no newline
}

// Dotted is the key as people write it: dots, unless a component has one.
func (s Sysctl) Dotted() string {
	if strings.Contains(s.Key, ".") {
		return s.Key
	}
	return strings.ReplaceAll(s.Key, "/", ".")
}

// A Query says what to observe. The zero Query observes nothing.
type Query struct {
	// Names are the keys of the namespaces to read; those that do not exist are left out of the snapshot silently.
	Names []string
	// Lab adds every namespace that carries this lab's mark, and the hidden ones.
	Lab string
	// All adds every namespace that has a name, and host.
	All bool
	// Everywhere adds every namespace of the host that can be found, named or not. Those without a name below /run/netns have
	// the key "cookie:N".
	Everywhere bool
	// Beyond adds the namespaces that others know by an id: the other sides of their cables.
	Beyond []NSIDOf
	// Asks adds, of the namespaces that others know by an id, those that have an address, or may answer for it.
	Asks []AddrBeyond
	// Known are keys among which those of Beyond are looked for first. They are not read for being found there.
	Known []string
	// Ours leaves out what no lab's plan looks at: somebody else's tables of the firewall, and the routes of the table
	// local. A query for a lab always does.
	Ours bool
	// Skim leaves out, of namespaces whose bridges have many ports, what a packet's walk asks for port by port, and SkimIPv4 what
	// it has of IPv6. See [Skim].
	Skim, SkimIPv4 bool
	// Parts selects what to read in them, but for those in PartsIn.
	Parts Parts
	// PartsIn selects what to read in single namespaces, by key.
	PartsIn map[string]Parts
	// SysctlKeys are read besides what Parts says, per namespace key. Their fresh values are read too when Fresh is set.
	SysctlKeys map[string][]string
	Fresh      bool
}

// An NSIDOf is the namespace that NS knows by an id.
type NSIDOf struct {
	NS string `json:"ns"`
	ID int    `json:"id"`
}

// A Behind is who is behind an id.
type Behind struct {
	NSIDOf
	Key string
}

// An AddrBeyond is whoever has that address among the namespaces that NS knows by those ids.
type AddrBeyond struct {
	NS   string     `json:"ns"`
	Addr netip.Addr `json:"addr"`
	IDs  []int      `json:"ids"`
	// Proxies asks for those instead that do not have it, but may answer for it: a proxy, a local route, a bridge with others behind.
	Proxies bool `json:"proxies,omitempty"`
}

// SameQuestion reports whether both ask for the same address at the same place.
func (a AddrBeyond) SameQuestion(b AddrBeyond) bool {
	return a.NS == b.NS && a.Addr == b.Addr && a.Proxies == b.Proxies
}

// PartsOf returns what to read in a namespace.
func (q *Query) PartsOf(key string) Parts {
	if p, ok := q.PartsIn[key]; ok {
		return p
	}
	return q.Parts
}

// Parts is a set of kinds of objects.
type Parts uint32

// Parts of a namespace.
const (
	PartLinks Parts = 1 << iota
	PartAddrs
	PartRoutes
	PartRules
	PartNeighbors
	PartFDB
	PartFirewall
	PartNSIDs
	PartSockets
	PartProcesses
	// PartAllNeighbors and PartAllFDB read what was learned, too; the plain parts only what is permanent or static.
	PartAllNeighbors
	PartAllFDB
	PartNextHops
	PartMDB
	PartVLANs
	PartQdiscs
	PartXTables
	PartConntrack
	PartSysctls // those that decide forwarding (see internal/kernel)
	PartHolders
	PartOwner
	PartStats // the counters of links
	PartAgents
	// PartSenders adds to the agents those that judge what the processes of a namespace send, by their control groups.
	PartSenders

	// PartsWalk is what a packet's walk may look at in a namespace.
	PartsWalk = PartLinks | PartAddrs | PartRoutes | PartRules | PartNeighbors | PartFDB | PartFirewall | PartNSIDs | PartSockets |
		PartAllNeighbors | PartAllFDB | PartNextHops | PartMDB | PartVLANs | PartQdiscs | PartXTables | PartConntrack | PartSysctls | PartAgents
	// PartsAll is everything.
	PartsAll = PartsWalk | PartProcesses | PartHolders | PartOwner | PartStats | PartSenders

	// PartsLab is what a lab's plan compares.
	PartsLab = PartLinks | PartAddrs | PartRoutes | PartRules | PartNeighbors | PartFDB | PartFirewall
)

// Has reports whether all of q are in p.
func (p Parts) Has(q Parts) bool { return p&q == q }
