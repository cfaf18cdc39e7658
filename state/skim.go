package state

import "net/netip"

// A Skim says what was left out of a namespace whose bridges have many ports (Query.Skim). Such ports are Thin until one is asked
// for; of forwarding tables of bridges only single stations are looked up.
type Skim struct {
	// OnlyIPv4: no addresses, routes and neighbours of IPv6 were read.
	OnlyIPv4 bool
	// Stations were looked up, found or not: those that were found are in the forwarding table (Contents.FDB).
	Stations []Station
}

// A Station is a link-layer address on a bridge, outside of any VLAN.
type Station struct {
	Bridge string
	MAC    MAC
}

// A Closer is a closer look at a namespace: at ports and stations of one that was skimmed, and at what no dump tells.
type Closer struct {
	NS       string
	Ports    []int // indexes
	Stations []Station
	// Routes are asked for one by one: what was learned of the way to a destination is in no table.
	Routes []RouteTo
}

// A RouteTo is a question of a packet that the namespace itself sends.
type RouteTo struct {
	Dst  netip.Addr
	Src  netip.Addr // zero = not chosen
	Mark uint32
}

// A LearnedRoute is the kernel's answer to such a question (RTM_GETROUTE).
type LearnedRoute struct {
	RouteTo
	MTU uint32 // bytes; 0 = no other than the route's
}
