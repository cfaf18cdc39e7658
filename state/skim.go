package state

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

// A Closer is a closer look at a namespace that was skimmed.
type Closer struct {
	NS       string
	Ports    []int // indexes
	Stations []Station
}
