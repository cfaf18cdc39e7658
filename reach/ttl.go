package reach

import (
	"fmt"

	"warren/reach/filter"
	"warren/state"
)

// conf6HopLimit is DEVCONF_HOPLIMIT.
const conf6HopLimit = 1

// A ttlLimit says who gave the packet its TTL, when it is not the usual one.
type ttlLimit struct{ fact, fix string }

// setTTL gives a packet of the namespace its TTL, unless the sender chose one: the route's, else that of the namespace, of
// IPv6 that of the device (ip4_dst_hoplimit, ip6_dst_hoplimit).
func (t *tracer) setTTL(r *room, a *routed, dev *state.Link, p *filter.Packet, o walkOptions) {
	t.limit = ttlLimit{}
	if p.TTL != 0 {
		if o.tunnel != nil {
			t.limit = ttlLimit{fact("IFLA_VXLAN_TTL", "%s sends with TTL %d", o.tunnel.Name, p.TTL), r.ip("link set %s type vxlan ttl auto", o.tunnel.Name)}
		}
		return
	}
	p.TTL = 64
	if a.route != nil && a.route.Metrics.HopLimit != 0 && a.route.Metrics.HopLimit < 256 {
		p.TTL = uint8(a.route.Metrics.HopLimit)
		t.limit = ttlLimit{fact("RTM_GETROUTE", "%s has hoplimit %d", routeText(a.route), p.TTL), r.ipOf(a.route, "route change %s hoplimit 64", routeArgs(a.route))}
		return
	}
	if p.Is6() {
		if dev != nil && len(dev.IPv6) > conf6HopLimit && dev.IPv6[conf6HopLimit] > 0 && dev.IPv6[conf6HopLimit] < 256 {
			p.TTL = uint8(dev.IPv6[conf6HopLimit])
			t.limit = ttlLimit{fact("IFLA_AF_SPEC", "net.ipv6.conf.%s.hop_limit=%d in %q", dev.Name, p.TTL, r.name()), r.in("sysctl -w net.ipv6.conf.%s.hop_limit=64", dev.Name)}
		}
		return
	}
	if n := r.sysctl("net/ipv4/ip_default_ttl"); n > 0 && n < 256 {
		p.TTL = uint8(n)
		t.limit = ttlLimit{fact("sysctl", "net.ipv4.ip_default_ttl=%d in %q", n, r.name()), r.in("sysctl -w net.ipv4.ip_default_ttl=64")}
	}
}

// spent explains a packet whose TTL is used up.
func (t *tracer) spent(r *room) Reason {
	w := Reason{Code: TTLExceeded, Object: "packet", Text: fmt.Sprintf("the packet's TTL is used up at %q", r.name()), Fix: fix("# send with a greater TTL")}
	if t.limit.fact != "" {
		w.Text += ": " + t.limit.fact
		w.Facts, w.Fix = facts(t.limit.fact), fix(t.limit.fix)
	}
	return w
}
