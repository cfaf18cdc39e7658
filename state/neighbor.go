package state

import "net/netip"

// A Neighbor is an entry of the ARP or ND table (RTM_NEWNEIGH, ip-neighbour(8)).
type Neighbor struct {
	Link string     `json:"link"`
	IP   netip.Addr `json:"ip"`
	MAC  MAC        `json:"mac,omitzero"`
	// State is ndm_state's word: "permanent", "reachable", "stale", "delay", "probe", "failed", "incomplete", "noarp", "none".
	State    string `json:"state,omitempty"`
	Proxy    bool   `json:"proxy,omitempty"`
	Router   bool   `json:"router,omitempty"`
	Protocol uint8  `json:"protocol,omitempty"`
}

// An FDBEntry is an entry of a bridge's or vxlan's forwarding table (RTM_NEWNEIGH of AF_BRIDGE, bridge(8)).
type FDBEntry struct {
	Link   string     `json:"link"` // the port, or the vxlan device
	Master string     `json:"master,omitempty"`
	MAC    MAC        `json:"mac"`
	VLAN   uint16     `json:"vlan,omitempty"`
	Dst    netip.Addr `json:"dst,omitzero"` // vxlan: the remote
	Port   uint16     `json:"port,omitempty"`
	VNI    uint32     `json:"vni,omitempty"`
	Via    string     `json:"via,omitempty"`
	State  string     `json:"state,omitempty"` // "permanent" (local), "static" (noarp), "reachable", "stale" (learned)
	Flags  uint8      `json:"flags,omitempty"` // NTF_SELF 2, NTF_MASTER 4, NTF_EXT_LEARNED 16, NTF_STICKY 64
	// NSID of the underlay when the vxlan's is elsewhere (NDA_LINK_NETNSID), -1 = none; kept as pointer: 0 is an id.
	NSID *int `json:"nsid,omitempty"`
}
