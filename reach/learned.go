package reach

import (
	"fmt"
	"slices"

	"warren/reach/filter"
	"warren/state"
)

// learnedMTU is what the sender was told of the way to a destination, in bytes (ip_rt_update_pmtu, rt6_do_update_pmtu); 0 =
// nothing. It is asked for only where the size of a packet is the question, and counts only where nothing else is in the way: the
// answer is the same before and after the first packet. TCP just sends less, and of a tunnel that cuts what it carries into fragments the
// kernel remembers that it did.
func (t *tracer) learnedMTU(r *room, p *filter.Packet, dev *state.Link, o walkOptions) int {
	if t.flow.Size == 0 || p.Proto == filter.TCP || o.reply || o.tunnel != nil || dev.Kind == "vxlan" || p.Dst.IsLinkLocalUnicast() {
		return 0
	}
	q := state.RouteTo{Dst: p.Dst, Src: p.Src, Mark: p.Mark}
	for _, l := range r.Learned {
		if l.RouteTo == q {
			return int(l.MTU)
		}
	}
	if r.missing != nil && r.Read != 0 {
		if c := r.missing.closer(r.Namespace.Name); !slices.Contains(c.Routes, q) {
			c.Routes = append(c.Routes, q)
		}
	}
	return 0
}

// toldLess explains a packet that its sender does not send any more, because an ICMP error said that it is too big.
func toldLess(r *room, p *filter.Packet, dev *state.Link, limit int) Reason {
	flush := r.ipFor(p.Is6(), "route flush cache")
	return Reason{
		Code: MTUExceeded, Object: "route to " + p.Dst.String(),
		Text: fmt.Sprintf("the packet has %d bytes and must not be fragmented; an ICMP error told %q that %d pass on the way to %s, and it remembers that for some minutes, whatever %s takes",
			p.Length, r.name(), limit, p.Dst, dev.Name),
		Facts: facts(fact("RTM_GETROUTE", "mtu %d to %s", limit, p.Dst)), Fix: fix(flush), Symptom: "Message too long",
	}
}
