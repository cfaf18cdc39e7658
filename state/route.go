package state

import "net/netip"

// A Route (RTM_NEWROUTE, ip-route(8)).
type Route struct {
	// Dst is the destination; 0.0.0.0/0 and ::/0 are the defaults. It gives the family.
	Dst      netip.Prefix `json:"dst"`
	Table    uint32       `json:"table,omitempty"` // 0 = main (254)
	Type     string       `json:"type,omitempty"`  // "" = "unicast"; "local", "broadcast", "multicast", "blackhole", "unreachable", "prohibit", "throw", "anycast", "nat"
	Protocol uint8        `json:"protocol,omitempty"`
	Scope    uint8        `json:"scope,omitempty"`
	TOS      uint8        `json:"tos,omitempty"`
	Metric   uint32       `json:"metric,omitempty"` // RTA_PRIORITY
	Src      netip.Addr   `json:"src,omitzero"`     // RTA_PREFSRC
	From     netip.Prefix `json:"from,omitzero"`    // RTA_SRC, IPv6 only
	// One way out, or several (RTA_MULTIPATH). A route without a way (blackhole ...) has none. Sorted only as the kernel
	// keeps them: the order of a multipath route is kept.
	NextHops []NextHop `json:"nexthops,omitempty"`
	// NextHopID is RTA_NH_ID of a nexthop object, Linux 5.3.
	NextHopID uint32  `json:"nhid,omitempty"`
	Metrics   Metrics `json:"metrics,omitzero"`
	// Flags are rtm_flags as observed (RTM_F_*).
	Flags uint32 `json:"flags,omitempty"`
	// Pref is RTA_PREF, IPv6 router preference.
	Pref uint8 `json:"pref,omitempty"`
}

// A NextHop is one way out of a route.
type NextHop struct {
	Via    netip.Addr `json:"via,omitzero"` // gateway; may be of another family (RTA_VIA, Linux 5.2)
	Link   string     `json:"link,omitempty"`
	Weight uint16     `json:"weight,omitempty"` // 1..256; 0 = 1
	// Flags are rtnh_flags: RTNH_F_ONLINK (4) may be set; RTNH_F_DEAD (1), RTNH_F_LINKDOWN (16) are observed.
	Flags uint8 `json:"flags,omitempty"`
	// Encap is RTA_ENCAP_TYPE, how packets are wrapped up: LWTUNNEL_ENCAP_* of linux/lwtunnel.h. Observed only.
	Encap uint16 `json:"encap,omitempty"`
	// Own says of an IPv4 gateway that is an address of the namespace itself whether it counts: "gateway", it became one later than the
	// route was made; "link", it was one, and packets go to the link as if there were no gateway. "" = not so, or not known.
	// Observed only, with all that a walk may look at.
	Own string `json:"own,omitempty"`
}

// Metrics of a route (RTA_METRICS); zero = unset.
type Metrics struct {
	MTU      uint32 `json:"mtu,omitempty"` // bytes
	LockMTU  bool   `json:"lock_mtu,omitempty"`
	AdvMSS   uint32 `json:"advmss,omitempty"` // bytes
	Window   uint32 `json:"window,omitempty"` // bytes
	RTT      uint32 `json:"rtt,omitempty"`
	HopLimit uint32 `json:"hoplimit,omitempty"`
	InitCwnd uint32 `json:"initcwnd,omitempty"`
	InitRwnd uint32 `json:"initrwnd,omitempty"`
	Quickack uint32 `json:"quickack,omitempty"`
}

// MainTable is the number of the routing table main.
const MainTable uint32 = 254

// LocalTable is the number of the routing table local.
const LocalTable uint32 = 255

// NextHopOnLink is RTNH_F_ONLINK.
const NextHopOnLink uint8 = 4

// TableID is Table with the default filled in.
func (r Route) TableID() uint32 {
	if r.Table == 0 {
		return MainTable
	}
	return r.Table
}

// TypeName is Type with the default filled in.
func (r Route) TypeName() string {
	if r.Type == "" {
		return "unicast"
	}
	return r.Type
}
