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

// Kept is the rule as the kernel keeps it: what is not declared has the value that the kernel takes for it.
func (r Rule) Kept() Rule {
	if r.Action == "lookup" {
		r.Action = ""
	}
	if r.Action == "" && r.Table == 0 && !r.L3MDev {
		r.Table = MainTable
	}
	if r.Mark != 0 && r.MarkMask == 0 {
		r.MarkMask = 0xffffffff
	}
	if r.From.Bits() == 0 {
		r.From = netip.Prefix{}
	}
	if r.To.Bits() == 0 {
		r.To = netip.Prefix{}
	}
	return r
}

// Same reports whether two rules say the same. A rule has no key: they are the same when all but the protocol is.
func (r *Rule) Same(o *Rule) bool {
	if r.Priority != o.Priority || r.IPv6 != o.IPv6 {
		return false
	}
	x, y := r.Kept(), o.Kept()
	if !equalPtr(x.SuppressPrefix, y.SuppressPrefix) || !equalPtr(x.SuppressGroup, y.SuppressGroup) || !equalPtr(x.UIDs, y.UIDs) {
		return false
	}
	x.Protocol, x.SuppressPrefix, x.SuppressGroup, x.UIDs = 0, nil, nil, nil
	y.Protocol, y.SuppressPrefix, y.SuppressGroup, y.UIDs = 0, nil, nil, nil
	return x == y
}

func equalPtr[T comparable](p, q *T) bool { return p == q || p != nil && q != nil && *p == *q }
