package state

import "net/netip"

// A NextHopObject is a next hop that routes name by its id (RTM_NEWNEXTHOP, Linux 5.3).
type NextHopObject struct {
	ID        uint32     `json:"id"`
	Via       netip.Addr `json:"via,omitzero"`
	Link      string     `json:"link,omitempty"`
	Blackhole bool       `json:"blackhole,omitempty"`
	FDB       bool       `json:"fdb,omitempty"`
	// Group: the members and their weights, when it is a group.
	Group     []NextHopMember `json:"group,omitempty"`
	GroupType string          `json:"group_type,omitempty"` // "" = "mpath"; "resilient"
	Scope     uint8           `json:"scope,omitempty"`
	Protocol  uint8           `json:"protocol,omitempty"`
	Flags     uint32          `json:"flags,omitempty"` // RTNH_F_*
	Encap     uint16          `json:"encap,omitempty"` // LWTUNNEL_ENCAP_*; 0 = none
}

// A NextHopMember of a group.
type NextHopMember struct {
	ID     uint32 `json:"id"`
	Weight uint16 `json:"weight"`
}
