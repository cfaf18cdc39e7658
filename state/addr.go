package state

import (
	"net/netip"
	"time"
)

// An Addr is an address on a link (RTM_NEWADDR, ip-address(8)).
type Addr struct {
	Link string `json:"link"`
	// Prefix is the address with its prefix length: IFA_LOCAL, or IFA_ADDRESS where there is no peer.
	Prefix netip.Prefix `json:"prefix"`
	Peer   netip.Addr   `json:"peer,omitzero"` // IFA_ADDRESS of a point-to-point address
	// Broadcast is IFA_BROADCAST; zero = none.
	Broadcast netip.Addr `json:"broadcast,omitzero"`
	Scope     uint8      `json:"scope,omitempty"` // 0 global, 253 link, 254 host
	Label     string     `json:"label,omitempty"`
	// Flags are IFA_FLAGS (linux/if_addr.h): IFA_F_NODAD, IFA_F_PERMANENT, IFA_F_TENTATIVE, ...
	Flags    uint32 `json:"flags,omitempty"`
	Protocol uint8  `json:"protocol,omitempty"` // IFA_PROTO, Linux 5.18
	// Metric is IFA_RT_PRIORITY, of the prefix route.
	Metric uint32 `json:"metric,omitempty"`
	// Lifetimes; zero = forever.
	Valid     time.Duration `json:"valid,omitempty"`
	Preferred time.Duration `json:"preferred,omitempty"`
}

// Address flags (linux/if_addr.h).
const (
	AddrNoDAD         uint32 = 0x02
	AddrDADFailed     uint32 = 0x08
	AddrDeprecated    uint32 = 0x20
	AddrTentative     uint32 = 0x40
	AddrPermanent     uint32 = 0x80
	AddrNoPrefixRoute uint32 = 0x200
)
