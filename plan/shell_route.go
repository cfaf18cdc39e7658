package plan

import (
	"fmt"
	"strings"

	"warren/state"
)

// routeArgs is the route as ip route takes it.
func routeArgs(r *state.Route) string {
	var b strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&b, format+" ", args...) }
	if r.TypeName() != "unicast" {
		add("%s", r.TypeName())
	}
	add("%v", r.Dst)
	if r.From.IsValid() {
		add("from %v", r.From)
	}
	if r.TOS != 0 {
		add("tos %#x", r.TOS)
	}
	if r.TableID() != state.MainTable {
		add("table %d", r.TableID())
	}
	if r.Protocol != 0 {
		add("proto %d", r.Protocol)
	}
	if r.Scope != 0 {
		add("scope %d", r.Scope)
	}
	if r.Metric != 0 {
		add("metric %d", r.Metric)
	}
	if r.Src.IsValid() {
		add("src %v", r.Src)
	}
	hop := func(h state.NextHop) {
		if h.Via.IsValid() {
			if h.Via.Is6() && r.Dst.Addr().Is4() {
				add("via inet6 %v", h.Via)
			} else {
				add("via %v", h.Via)
			}
		}
		if h.Link != "" {
			add("dev %s", quote(h.Link))
		}
		if len(r.NextHops) > 1 {
			add("weight %d", max(h.Weight, 1))
		}
		if h.Flags&state.NextHopOnLink != 0 {
			add("onlink")
		}
	}
	if len(r.NextHops) == 1 {
		hop(r.NextHops[0])
	}
	for _, m := range []struct {
		name  string
		value uint32
	}{
		{"advmss", r.Metrics.AdvMSS},
		{"window", r.Metrics.Window},
		{"hoplimit", r.Metrics.HopLimit},
		{"initcwnd", r.Metrics.InitCwnd},
		{"initrwnd", r.Metrics.InitRwnd},
		{"quickack", r.Metrics.Quickack},
	} {
		if m.value != 0 {
			add("%s %d", m.name, m.value)
		}
	}
	switch {
	case r.Metrics.MTU == 0:
	case r.Metrics.LockMTU:
		add("mtu lock %d", r.Metrics.MTU)
	default:
		add("mtu %d", r.Metrics.MTU)
	}
	if len(r.NextHops) > 1 {
		for _, h := range r.NextHops {
			add("nexthop")
			hop(h)
		}
	}
	return strings.TrimSpace(b.String())
}
