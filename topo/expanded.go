package topo

import (
	"net/netip"

	"warren/state"
)

// Inputs are what an expansion needs to know about the world. The zero Inputs is a fresh machine.
type Inputs struct {
	// Live are addresses that nodes of this lab have already: they are kept where the lab file allows it.
	Live []LiveAddr `json:"live,omitempty"`
	// Used are the destinations of the host's routes that are not this lab's own. Automatic prefixes avoid them; a fixed
	// prefix of an uplink that overlaps one is an error. Default routes do not count.
	Used []Used `json:"used,omitempty"`
	// BridgeNF says that bridge-nf-call-iptables is on in the host's namespace.
	BridgeNF bool `json:"bridge_nf,omitempty"`
}

// LiveAddr is an address that a node has on a net.
type LiveAddr struct {
	Node   string       `json:"node"` // HostNS for the host's side of an uplink
	Net    string       `json:"net"`
	Prefix netip.Prefix `json:"prefix"`
}

// Used is a prefix that is taken on the host.
type Used struct {
	Prefix netip.Prefix `json:"prefix"`
	Owner  string       `json:"owner,omitempty"` // for error texts: "lab shop", "eth0"
}

// Expanded is a lab as it should be, with nothing left open.
type Expanded struct {
	Lab     string        `json:"lab"`
	Desired state.Desired `json:"desired"`
	// Nodes are sorted by name.
	Nodes []NodeInfo `json:"nodes"`
	Nets  []NetInfo  `json:"nets"` // in order of mention
	// Hosts are the lines of the hosts files, in order.
	Hosts     []HostsEntry  `json:"hosts,omitempty"`
	Resolv    []ResolvEntry `json:"resolv,omitempty"`
	Services  []ServiceInfo `json:"services,omitempty"` // in an order in which they can be started
	Checks    []Check       `json:"checks,omitempty"`
	Publishes []PublishInfo `json:"publishes,omitempty"`
	Uplinks   []UplinkInfo  `json:"uplinks,omitempty"`
	// Source is the completed lab.
	Source *Lab `json:"source"`
}

// NodeInfo says where a node is and what its addresses are.
type NodeInfo struct {
	Name    string     `json:"name"`
	NS      string     `json:"ns"` // key of its namespace
	Owned   bool       `json:"owned"`
	Forward bool       `json:"forward,omitempty"`
	Addrs   []NodeAddr `json:"addrs,omitempty"` // in order of its nets
}

// NodeAddr is an address of a node on a net.
type NodeAddr struct {
	Net    string       `json:"net"`
	Link   string       `json:"link"`
	Prefix netip.Prefix `json:"prefix"`
	NoDNS  bool         `json:"no_dns,omitempty"`
}

// NetInfo is a net as expanded.
type NetInfo struct {
	Name     string         `json:"name"`
	Kind     string         `json:"kind"`
	Prefixes []netip.Prefix `json:"prefixes,omitempty"`
	Members  []string       `json:"members,omitempty"`
	Bridge   string         `json:"bridge,omitempty"` // name of its (first) bridge
	Uplink   bool           `json:"uplink,omitempty"`
}

// HostsEntry is a line of a hosts file.
type HostsEntry struct {
	Addr  netip.Addr `json:"addr"`
	Names []string   `json:"names"`
	// Node is the node in whose file the line stands; "" = all nodes' files.
	Node string `json:"node,omitempty"`
}

// ResolvEntry is a node's list of resolvers.
type ResolvEntry struct {
	Node    string       `json:"node"`
	Servers []netip.Addr `json:"servers"`
}

// ServiceInfo is a service with its place.
type ServiceInfo struct {
	Key  string   `json:"key"` // NODE/NAME
	Node string   `json:"node"`
	NS   string   `json:"ns"`
	Name string   `json:"name"`
	Argv []string `json:"argv"`
	// After are keys of the services that must be ready first.
	After []string `json:"after,omitempty"`
	Ready Ready    `json:"ready,omitzero"` // Within is filled in
	Env   []string `json:"env,omitempty"`
	Dir   string   `json:"dir,omitempty"` // as in the file; relative to the lab file's folder
	User  string   `json:"user,omitempty"`
	Stop  Stop     `json:"stop"` // filled in
	Logs  string   `json:"logs,omitempty"`
}

// PublishInfo is one published port.
type PublishInfo struct {
	Node  string         `json:"node"`
	Proto string         `json:"proto"`
	Host  netip.AddrPort `json:"host"` // the unspecified address = every address of its family
	To    netip.AddrPort `json:"to"`
	// Proxy: the kernel cannot translate this one (IPv6 loopback), a small proxy has to listen at Host.
	Proxy bool `json:"proxy,omitempty"`
}

// UplinkInfo is a net whose bridge is in the host's namespace.
type UplinkInfo struct {
	Net      string         `json:"net"`
	Bridge   string         `json:"bridge"`
	Prefixes []netip.Prefix `json:"prefixes"`
	Gateways []netip.Addr   `json:"gateways"`
	NAT      bool           `json:"nat"`
}

// Node returns the node of that name, or nil.
func (x *Expanded) Node(name string) *NodeInfo {
	for i := range x.Nodes {
		if x.Nodes[i].Name == name {
			return &x.Nodes[i]
		}
	}
	return nil
}
