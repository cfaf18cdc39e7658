package state

import "net/netip"

// A Rule is a routing policy rule (RTM_NEWRULE, ip-rule(8)).
type Rule struct {
	IPv6     bool         `json:"ipv6,omitempty"`
	Priority uint32       `json:"priority"`
	Invert   bool         `json:"not,omitempty"`
	From     netip.Prefix `json:"from,omitzero"` // zero = all
	To       netip.Prefix `json:"to,omitzero"`
	TOS      uint8        `json:"tos,omitempty"`
	Mark     uint32       `json:"fwmark,omitempty"`
	MarkMask uint32       `json:"fwmask,omitempty"`
	IIF      string       `json:"iif,omitempty"`
	OIF      string       `json:"oif,omitempty"`
	UIDs     *[2]uint32   `json:"uidrange,omitempty"`
	IPProto  uint8        `json:"ipproto,omitempty"`
	SPort    [2]uint16    `json:"sport,omitzero"`
	DPort    [2]uint16    `json:"dport,omitzero"`
	TunID    uint64       `json:"tun_id,omitempty"`
	L3MDev   bool         `json:"l3mdev,omitempty"`
	Action   string       `json:"action,omitempty"` // "" = "lookup"; "goto", "nop", "blackhole", "unreachable", "prohibit"
	Table    uint32       `json:"table,omitempty"`
	Goto     uint32       `json:"goto,omitempty"`
	// Suppress*: -1 in the kernel = unset; here nil.
	SuppressPrefix *uint32 `json:"suppress_prefixlength,omitempty"`
	SuppressGroup  *uint32 `json:"suppress_ifgroup,omitempty"`
	Protocol       uint8   `json:"protocol,omitempty"`
}
