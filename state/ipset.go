package state

import "net/netip"

// An IPSet is a set of ipset(8), as rules of iptables ask for it (-m set).
type IPSet struct {
	Name   string `json:"name"`
	Type   string `json:"type"`             // "hash:ip", "hash:net,port", "bitmap:port", ...
	Family string `json:"family,omitempty"` // "ip", "ip6"; "" = both
	// Elements in the order in which the kernel told them.
	Elements []IPSetElement `json:"elements,omitempty"`
	// Opaque: it is of a type, or has an option, that is not understood; the elements say nothing then.
	Opaque bool `json:"opaque,omitempty"`
}

// An IPSetElement is one member. What the set's type does not compare is zero.
type IPSetElement struct {
	Net  netip.Prefix `json:"net,omitzero"`
	Port uint16       `json:"port,omitempty"` // of ICMP type*256+code
	// Proto goes with Port, but for sets of ports alone.
	Proto uint8 `json:"proto,omitempty"`
	// Second is the third dimension's address or net.
	Second netip.Prefix `json:"second,omitzero"`
	// NoMatch: what is in it is not in the set.
	NoMatch bool `json:"nomatch,omitempty"`
}

// XTSet asks whether the packet is in an IPSet.
type XTSet struct {
	Index uint16 `json:"index"`          // the kernel's number of the set
	Name  string `json:"name,omitempty"` // "" = not told
	// Source says of each dimension whether it is of the source.
	Source   []bool `json:"source"`
	Inverted bool   `json:"inverted,omitempty"`
}
