package state

import "net/netip"

// An MDBEntry is a multicast group on a bridge's port (RTM_NEWMDB, bridge(8)).
type MDBEntry struct {
	Bridge string     `json:"bridge"`
	Port   string     `json:"port"`
	Group  netip.Addr `json:"group,omitzero"`
	MAC    MAC        `json:"mac,omitzero"` // of a group that is not IP
	Source netip.Addr `json:"source,omitzero"`
	VLAN   uint16     `json:"vlan,omitempty"`
	State  string     `json:"state,omitempty"` // "temp" or "permanent"
	Flags  uint8      `json:"flags,omitempty"`
	// Router: no group, but a port behind which a multicast router is (MDBA_ROUTER).
	Router bool `json:"router,omitempty"`
}

// A PortVLAN is a range of VLANs of a bridge or of a port (IFLA_BRIDGE_VLAN_INFO).
type PortVLAN struct {
	Link     string `json:"link"`
	First    uint16 `json:"vlan"`
	Last     uint16 `json:"vlan_end,omitempty"` // 0 = First
	PVID     bool   `json:"pvid,omitempty"`
	Untagged bool   `json:"untagged,omitempty"`
	State    uint8  `json:"state,omitempty"` // BR_STATE_*
}
