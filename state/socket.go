package state

import "net/netip"

// A Socket as sock_diag(7) tells it.
type Socket struct {
	Protocol string         `json:"protocol"` // "tcp", "udp", "raw", "unix", ...
	State    string         `json:"state"`    // "LISTEN", "ESTAB", "UNCONN", ...
	Local    netip.AddrPort `json:"local"`
	Remote   netip.AddrPort `json:"remote,omitzero"`
	// IPv6: a socket of AF_INET6. Without V6Only, and bound to ::, it takes IPv4 too.
	IPv6    bool     `json:"ipv6,omitempty"`
	V6Only  bool     `json:"v6only,omitempty"`
	Link    string   `json:"link,omitempty"`   // SO_BINDTODEVICE
	Mark    uint32   `json:"mark,omitempty"`   // SO_MARK, where it was told
	Number  uint8    `json:"number,omitempty"` // protocol number of a raw or netlink socket
	Path    string   `json:"path,omitempty"`   // unix: the name; "@..." = abstract
	UID     uint32   `json:"uid"`
	Inode   uint32   `json:"inode"`
	Process *Process `json:"process,omitempty"`

	Peer uint32 `json:"peer,omitempty"` // inode of a unix socket's other end
	// Type is "stream", "dgram", "seqpacket" or "raw", of unix, packet, netlink and vsock sockets.
	Type      string `json:"type,omitempty"`
	EtherType uint16 `json:"ethertype,omitempty"` // of packet sockets; 3 = all
	CgroupID  uint64 `json:"cgroup_id,omitempty"` // inode of the cgroup v2 directory
	// Bytes not read and not acknowledged; of a listener how many wait to be accepted, and how many may.
	ReadQueue  uint32 `json:"recvq,omitempty"`
	WriteQueue uint32 `json:"sendq,omitempty"`
}
