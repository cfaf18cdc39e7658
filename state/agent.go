package state

import (
	"cmp"
	"net/netip"
	"strings"
)

// An Agent is something in a namespace that decides about packets and whose decisions are not modelled: all that is known of
// it is which packets it may touch.
type Agent struct {
	// Kind is "xfrm" (an IPsec policy), "ipvs" (a virtual service), "arptables", "cgroup-bpf" or
	// "sk-lookup-bpf".
	Kind string `json:"kind"`
	Name string `json:"name"` // as people know it: a policy's selector, a program's name
	// Dir is where it sits: "in", "out" or "fwd" of xfrm, the attach type of a program ("ingress", "egress", "connect4", ...).
	Dir string `json:"dir,omitempty"`
	// What it looks at; zero = everything.
	Src   netip.Prefix `json:"src,omitzero"`
	Dst   netip.Prefix `json:"dst,omitzero"`
	Proto uint8        `json:"proto,omitempty"` // IPPROTO_*
	SPort uint16       `json:"sport,omitempty"`
	DPort uint16       `json:"dport,omitempty"`
	Mark  uint32       `json:"mark,omitempty"` // of a virtual service for marked packets
	// Own: it only judges processes that are in the same control group as whoever made the snapshot.
	Own bool `json:"own,omitempty"`
}

// Compare orders agents by kind, place and name.
func (a Agent) Compare(b Agent) int {
	return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Dir, b.Dir), strings.Compare(a.Name, b.Name))
}
