package state

import (
	"net/netip"
	"time"
)

// A Conn is an entry of conntrack (nf_conntrack, ctnetlink).
type Conn struct {
	Proto    uint8     `json:"proto"`
	Original ConnTuple `json:"original"`
	Reply    ConnTuple `json:"reply"`
	// Status are IPS_* (linux/netfilter/nf_conntrack_common.h): SEEN_REPLY 2, ASSURED 4, CONFIRMED 8, SRC_NAT 16, DST_NAT 32.
	Status uint32 `json:"status"`
	// TCPState is "SYN_SENT", "ESTABLISHED", ...; "" for other protocols.
	TCPState string        `json:"tcp_state,omitempty"`
	Mark     uint32        `json:"mark,omitempty"`
	Zone     uint16        `json:"zone,omitempty"`
	Timeout  time.Duration `json:"timeout,omitempty"`
	ID       uint32        `json:"id,omitempty"`
	Helper   string        `json:"helper,omitempty"`
}

// A ConnTuple is one direction of a connection.
type ConnTuple struct {
	Src   netip.Addr `json:"src"`
	Dst   netip.Addr `json:"dst"`
	SPort uint16     `json:"sport,omitempty"`
	DPort uint16     `json:"dport,omitempty"`
	// ICMP's identifier, type and code stand in for ports.
	ID   uint16 `json:"id,omitempty"`
	Type uint8  `json:"type,omitempty"`
	Code uint8  `json:"code,omitempty"`
}
