package topo

import (
	"net/netip"
	"time"

	"warren/state"
)

// A Lab is a lab file in canonical form. Zero fields mean defaults; [Lab.Complete] fills them in.
type Lab struct {
	Name     string   `json:"name"`
	Defaults Defaults `json:"defaults,omitzero"`
	// Nets in order of mention, links included.
	Nets []Net `json:"nets,omitempty"`
	// Nodes in order of mention. A node that a net mentions need not be listed.
	Nodes  []Node  `json:"nodes,omitempty"`
	Checks []Check `json:"checks,omitempty"`
	// File is the path that Parse was given; "" when the lab was built in Go.
	File string `json:"file,omitempty"`
	// Edited: the lab is not what its file says, for an [Editor] changed it since.
	Edited bool `json:"edited,omitempty"`

	// where holds positions by path ("nets/lan/cidr"); nil when the lab was built in Go.
	where map[string]Pos
	// text is what Parse read; nil when the lab was built in Go.
	text []byte
}

// Defaults of a lab.
type Defaults struct {
	MTU   uint32       `json:"mtu,omitempty"`  // bytes; 0 = 1500
	IPv6  bool         `json:"ipv6,omitempty"` // every net gets a /64
	Pool4 netip.Prefix `json:"pool4,omitzero"` // zero = 10.0.0.0/8
	Pool6 netip.Prefix `json:"pool6,omitzero"` // zero = a ULA /48 from the lab's name
}

// Kinds of nets.
const (
	KindPair   = "pair"
	KindBridge = "bridge"
)

// A Net is one layer-2 segment.
type Net struct {
	Name    string   `json:"name"`
	Members []Member `json:"members,omitempty"`
	// CIDR holds at most one prefix of each family; none = chosen from the pools.
	CIDR []netip.Prefix `json:"cidr,omitempty"`
	// IPv6 asks for a /64 of pool6 where CIDR has no IPv6 prefix; nil = the lab's default.
	IPv6 *bool `json:"ipv6,omitempty"`
	// Kind is "pair" or "bridge"; "" = a pair for two members where possible, else a bridge.
	Kind string `json:"kind,omitempty"`
	// Uplink, when not nil, puts the bridge into the host's namespace.
	Uplink   *Uplink `json:"uplink,omitempty"`
	Isolated bool    `json:"isolated,omitempty"` // members reach the gateway, not each other
	Internal bool    `json:"internal,omitempty"` // no way out although a router is there
	MTU      uint32  `json:"mtu,omitempty"`      // bytes; 0 = the lab's default
	STP      bool    `json:"stp,omitempty"`
	Gateway  Gateway `json:"gateway,omitzero"`
	// NoDNS keeps the addresses on this net out of the hosts files (dns: false).
	NoDNS bool `json:"no_dns,omitempty"`
}

// Uplink says how a net reaches the outside through the host.
type Uplink struct {
	// RouteOnly forwards without masquerading ({nat: false}).
	RouteOnly bool `json:"route_only,omitempty"`
}

// Gateway says who is the default gateway of a net's hosts. The zero Gateway is the default: the host on an uplink, else
// the first router.
type Gateway struct {
	None bool         `json:"none,omitempty"` // nobody
	Node string       `json:"node,omitempty"`
	Addr []netip.Addr `json:"addr,omitempty"` // at most one of each family; on an uplink the host takes them
}

// IsZero reports whether nothing was said.
func (g Gateway) IsZero() bool { return !g.None && g.Node == "" && len(g.Addr) == 0 }

// A Member is a node's attachment to a net.
type Member struct {
	Node string `json:"node"`
	// IP are fixed addresses; a family without one gets its address automatically. A length of 32 or 128 stands for the
	// net's.
	IP  []netip.Prefix `json:"ip,omitempty"`
	MAC state.MAC      `json:"mac,omitzero"` // zero = from a hash of lab, node and net
	If  string         `json:"if,omitempty"` // interface's name in the node; "" = the net's
	MTU uint32         `json:"mtu,omitempty"`
}

// A Node is one network namespace.
type Node struct {
	Name string `json:"name"`
	// Forward: nil = on when the node is on two or more nets.
	Forward *bool     `json:"forward,omitempty"`
	Routes  Routes    `json:"routes,omitzero"`
	NAT     []NAT     `json:"nat,omitempty"`
	DNAT    []DNAT    `json:"dnat,omitempty"`
	Publish []Publish `json:"publish,omitempty"`
	// Policies of what the node forwards, receives and sends.
	Through  Policy         `json:"through,omitzero"`
	In       Policy         `json:"in,omitzero"`
	Out      Policy         `json:"out,omitzero"`
	Sysctl   []state.Sysctl `json:"sysctl,omitempty"` // keys with slashes
	Services []Service      `json:"services,omitempty"`
	// Netns is a reference to an existing namespace (name, path, pid:N, id:N, cookie:N, container:ID); "" = a new one.
	Netns string       `json:"netns,omitempty"`
	Hosts []ExtraHost  `json:"hosts,omitempty"`
	DNS   []netip.Addr `json:"dns,omitempty"` // resolvers
}

// ExtraHost is an additional line of a node's hosts file.
type ExtraHost struct {
	Name string       `json:"name"`
	Addr []netip.Addr `json:"addr"`
}

// Routes of a node.
type Routes struct {
	// NoAuto leaves out what would be found automatically.
	NoAuto bool    `json:"no_auto,omitempty"`
	List   []Route `json:"list,omitempty"`
}

// IsZero reports whether nothing was said.
func (r Routes) IsZero() bool { return !r.NoAuto && len(r.List) == 0 }

// A Route is written as in ip-route(8), with names of nodes and nets where it has addresses and prefixes.
type Route struct {
	// Dst is a prefix, or zero when Net, Node or Default says the destination.
	Dst     netip.Prefix `json:"dst,omitzero"`
	To      string       `json:"to,omitempty"` // a net (its prefixes) or a node (its addresses)
	Default bool         `json:"default,omitempty"`
	Type    string       `json:"type,omitempty"` // "" = unicast; "blackhole", "unreachable", "prohibit", "throw"
	Via     netip.Addr   `json:"via,omitzero"`
	ViaNode string       `json:"via_node,omitempty"`
	Dev     string       `json:"dev,omitempty"` // a net of the node
	Src     netip.Addr   `json:"src,omitzero"`
	Metric  uint32       `json:"metric,omitempty"`
	Table   uint32       `json:"table,omitempty"` // 0 = main
	MTU     uint32       `json:"mtu,omitempty"`   // bytes
	OnLink  bool         `json:"onlink,omitempty"`
}

// A NAT gives what leaves towards the net To the node's address there (masquerade), or Addr.
type NAT struct {
	To   string     `json:"to"`
	Addr netip.Addr `json:"address,omitzero"`
}

// Ports is a range of ports; Last = First for one. The zero Ports means all.
type Ports struct {
	First uint16 `json:"first"`
	Last  uint16 `json:"last"`
}

// A DNAT sends what arrives from the net On for one of the node's own addresses to another node instead.
type DNAT struct {
	On      string     `json:"on"` // net
	Ports   Ports      `json:"ports"`
	Proto   string     `json:"proto,omitempty"` // "tcp" (also ""), "udp"
	Node    string     `json:"node,omitempty"`  // the target is a node ...
	Addr    netip.Addr `json:"addr,omitzero"`   // ... or an address
	ToPorts Ports      `json:"to_ports"`        // as many as Ports
}

// Publish makes a port of the node reachable at the host.
type Publish struct {
	Addr  netip.Addr `json:"addr,omitzero"` // of the host; zero = all, of the families that the node has
	Host  Ports      `json:"host"`
	Node  Ports      `json:"node"`
	Proto string     `json:"proto,omitempty"` // "tcp" (also ""), "udp"
}

// A Policy is what one direction lets pass. Replies always pass. Deny is looked at first, then Allow; when Strict, the
// rest is denied.
type Policy struct {
	Strict bool   `json:"strict,omitempty"` // an allow list is there, even an empty one
	Allow  []Flow `json:"allow,omitempty"`
	Deny   []Flow `json:"deny,omitempty"`
	Drop   bool   `json:"drop,omitempty"` // the rest is dropped without an answer
}

// IsZero reports whether everything passes.
func (p Policy) IsZero() bool { return !p.Strict && len(p.Allow) == 0 && len(p.Deny) == 0 && !p.Drop }

// A Flow matches packets: all that is said must hold.
type Flow struct {
	From  Place  `json:"from,omitzero"`
	To    Place  `json:"to,omitzero"`
	Proto string `json:"proto,omitempty"` // "" = any; "tcp", "udp", "icmp" (both versions)
	Ports Ports  `json:"ports,omitzero"`  // destination
	Drop  bool   `json:"drop,omitempty"`  // no answer
}

// A Place is where packets come from or go to. The zero Place is anywhere.
type Place struct {
	Name   string       `json:"name,omitempty"` // a node, a net, or "host"
	Prefix netip.Prefix `json:"prefix,omitzero"`
}

// A Service is a command that runs in a node.
type Service struct {
	Name  string  `json:"name"`
	Cmd   Command `json:"cmd"`
	Ready Ready   `json:"ready,omitzero"`
	// After names what must be ready first: NODE (all of its services), NODE/SERVICE, or a SERVICE of the same node.
	After []string `json:"after,omitempty"`
	Env   []string `json:"env,omitempty"` // NAME=VALUE, sorted
	Dir   string   `json:"dir,omitempty"` // relative to the lab file's folder; "" = that folder
	User  string   `json:"user,omitempty"`
	Stop  Stop     `json:"stop,omitzero"`
	Logs  string   `json:"logs,omitempty"` // "" = in the run directory; "none"; else a file
}

// A Command is a line for the shell, or words. Exactly one is set.
type Command struct {
	Shell string   `json:"shell,omitempty"`
	Argv  []string `json:"argv,omitempty"`
}

// Args is what to execute.
func (c Command) Args() []string {
	if c.Shell != "" {
		return []string{"/bin/sh", "-c", c.Shell}
	}
	return c.Argv
}

// Ready says when a service is ready. The zero Ready: as soon as it runs.
type Ready struct {
	Kind   string        `json:"kind"`             // "tcp", "udp", "http", "log", "cmd"
	Port   uint16        `json:"port,omitempty"`   // of tcp, udp, http
	Path   string        `json:"path,omitempty"`   // of http
	Text   string        `json:"text,omitempty"`   // of log: appears in the output; of cmd: a line for the shell
	Within time.Duration `json:"within,omitempty"` // 0 = 30 s
}

// Stop says how a service is ended.
type Stop struct {
	Signal string        `json:"signal,omitempty"` // "" = "TERM"
	Within time.Duration `json:"within,omitempty"` // then KILL; 0 = 5 s
}

// A Check is an assertion.
type Check struct {
	Text   string        `json:"text"` // canonical form
	From   string        `json:"from"` // a node, "host", "all", or a net (each of its members)
	Can    bool          `json:"can"`
	Verb   string        `json:"verb"`          // "ping", "tcp", "udp", "http", "dns", "mtu"
	MTU    uint32        `json:"mtu,omitempty"` // bytes, of mtu
	Target Target        `json:"target"`
	On     string        `json:"on,omitempty"`     // net
	Within time.Duration `json:"within,omitempty"` // 0 = no limit of its own
	Over   int           `json:"over,omitempty"`   // 4 or 6; 0 = either
	Via    string        `json:"via,omitempty"`    // node
	Retry  time.Duration `json:"retry,omitempty"`  // try again for so long
	Pos    Pos           `json:"pos,omitzero"`
}

// A Target of a check: exactly one of Name, Addr, All and URL is set.
type Target struct {
	Name string     `json:"name,omitempty"` // a node or "host"; of dns: the name to look up
	Addr netip.Addr `json:"addr,omitzero"`
	All  bool       `json:"all,omitempty"`
	URL  string     `json:"url,omitempty"`
	Port uint16     `json:"port,omitempty"`
	Path string     `json:"path,omitempty"` // of http, "/healthz"
}
