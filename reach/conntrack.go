package reach

import (
	"fmt"

	"warren/reach/filter"
)

// fullConntrack doubts what becomes of a connection's first packet where conntrack holds as many as it may: it is dropped, unless
// an old one makes room (nf_conntrack_alloc, early_drop).
func (t *tracer) fullConntrack(r *room, p *filter.Packet, h filter.Hook, tr *trail) {
	if len(r.Conntrack) == 0 || h.Name != "prerouting" && h.Name != "output" || p.ARP != nil || p.Conn != nil || p.Untracked || discovers(p) {
		return
	}
	most := r.sysctl("net/netfilter/nf_conntrack_max")
	if most <= 0 || len(r.Conntrack) < int(most) || !r.nf.Active(h.Family) {
		return
	}
	d := Doubt{
		Namespace: r.name(), Object: "sysctl net.netfilter.nf_conntrack_max", Resolve: "conntrack -C, or a probe",
		Text: fmt.Sprintf("conntrack in %q holds %d connections, and may hold %d: a new one is taken in only when an old one makes room", r.name(), len(r.Conntrack), most),
	}
	if !tr.doubts(d.Namespace, d.Object) {
		tr.doubt(r, "filter", d, false)
	}
}
