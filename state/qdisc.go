package state

// A Qdisc is a queueing discipline (RTM_NEWQDISC, tc(8)).
type Qdisc struct {
	Link   string `json:"link"`
	Kind   string `json:"kind"`             // "noqueue", "fq_codel", "clsact", ...
	Handle uint32 `json:"handle,omitempty"` // major<<16 | minor
	Parent uint32 `json:"parent,omitempty"`
	// Filters are the kinds of the filters attached to it (RTM_NEWTFILTER): "bpf", "u32", "matchall", ...
	Filters []string `json:"filters,omitempty"`
	Stats   *Stats   `json:"stats,omitempty"`
}
