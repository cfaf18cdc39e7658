package state

import "net/netip"

// A Socket as sock_diag(7) tells it.
type Socket struct {
	Protocol string         `json:"protocol"` // "tcp", "udp", "raw", "unix", ...
	State    string         `json:"state"`    // "LISTEN", "ESTAB", "UNCONN", ...
	Local    netip.AddrPort `json:"local"`
	Remote   netip.AddrPort `json:"remote,omitzero"`
	V6Only   bool           `json:"v6only,omitempty"`
	Link     string         `json:"link,omitempty"` // SO_BINDTODEVICE
	UID      uint32         `json:"uid"`
	Inode    uint32         `json:"inode"`
	Process  *Process       `json:"process,omitempty"`
}
