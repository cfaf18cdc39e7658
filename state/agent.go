package state

import (
	"cmp"
	"net/netip"
	"strings"
)

// An Agent is something in a namespace that decides about packets and whose decisions are not modelled: all that is known of
// it is which packets it may touch.
type Agent struct {
	// Kind is "xfrm" (an IPsec policy), "ipvs" (a virtual service), "arptables", "expectation" (a connection that a
	// helper of conntrack waits for), "ebtables" (tables that cannot be read
	// without making them), "cgroup-bpf", "netfilter-bpf" (a program at a hook of netfilter) or "sk-lookup-bpf".
	Kind string `json:"kind"`
	Name string `json:"name"` // as people know it: a policy's selector, a program's name
	// Dir is where it sits: "in", "out" or "fwd" of xfrm, the attach type of a program ("ingress", "egress", "connect4", ...),
	// the hook of netfilter ("prerouting", ...).
	Dir string `json:"dir,omitempty"`
	// Family ("ip" or "ip6") and Priority of a program at a hook of netfilter.
	Family   string `json:"family,omitempty"`
	Priority int32  `json:"priority,omitempty"`
	Program  uint32 `json:"program,omitempty"` // id of a BPF program
	// What it looks at; zero = everything.
	Src   netip.Prefix `json:"src,omitzero"`
	Dst   netip.Prefix `json:"dst,omitzero"`
	Proto uint8        `json:"proto,omitempty"` // IPPROTO_*
	SPort uint16       `json:"sport,omitempty"`
	DPort uint16       `json:"dport,omitempty"`
	Mark  uint32       `json:"mark,omitempty"` // of a virtual service for marked packets
	// Own: it only judges processes that are in the same control group as whoever made the snapshot.
	Own bool `json:"own,omitempty"`
	// Group: it only judges the sockets of that control group (Socket.CgroupID); 0 = those of all.
	Group uint64 `json:"group,omitempty"`
	// Sends: a process of the namespace is in that group, and may be who sends.
	Sends bool `json:"sends,omitempty"`
	// Anywhere: in which namespace it is was not told; it may be in this one.
	Anywhere bool `json:"anywhere,omitempty"`
}

// Compare orders agents by kind, place and name.
func (a Agent) Compare(b Agent) int {
	return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Dir, b.Dir), strings.Compare(a.Family, b.Family), cmp.Compare(a.Priority, b.Priority),
		strings.Compare(a.Name, b.Name), cmp.Compare(a.Group, b.Group))
}
