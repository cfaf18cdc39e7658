package reach

import (
	"fmt"
	"net/netip"

	"warren/reach/filter"
	"warren/state"
)

// ndAnswer is what a receiver does with a neighbour solicitation: IPv6 input, rules, and ndisc_recv_ns.
func (t *tracer) ndAnswer(a *answer, ip netip.Addr) {
	c := a.at
	r, dev := c.r, c.dev
	tr := &a.trail
	own := r.ownsOn(dev.Name, ip)
	elsewhere := own == nil && r.owns(ip) != nil
	proxied := own == nil && r.proxy(dev, ip) && r.dev6(dev, conf6Forwarding, "forwarding") != 0 &&
		(r.dev6(dev, conf6ProxyNDP, "proxy_ndp") != 0 || r.sysctl("net/ipv6/conf/all/proxy_ndp") != 0)
	a.owner = own != nil || proxied
	if r.ipv6Off(dev) {
		if t.flow.Target == r.Namespace.Name || elsewhere {
			a.owner = true
		}
		tr.stop(r, "neighbour", ipv6Reason(r, dev))
		return
	}
	if !a.owner {
		return
	}
	g := c.frame
	if !g.seen {
		t.filterAs(r, &g, filter.Hook{Family: "ip6", Name: "prerouting", In: dev}, tr)
	}
	t.filterAs(r, &g, filter.Hook{Family: "ip6", Name: "input", In: dev}, tr)
	if own != nil {
		addressReady(r, own, tr)
	}
}

// advertiseTo chooses the link-layer address of a neighbour advertisement. It is a packet like others (ndisc_send_skb): its way
// is by the neighbour table, where the solicitation's own option changes neither a permanent entry nor that of a device without
// neighbour discovery.
func (t *tracer) advertiseTo(a *answer, f *frame, tr *trail) {
	r, dev, asker := a.at.r, a.at.dev, f.dst
	switch n, permanent := r.neighbor(dev, f.ip.Dst); {
	case noARP(dev) && !pointToPoint(dev) && !dev.MAC.IsZero() && ethernet(dev):
		t.withoutARP(r, dev, hop{}, f, tr)
		if tr.obstacles() > 0 {
			f.dst = asker
		}
	case permanent && !n.MAC.IsZero():
		f.dst = n.MAC
	}
}

// addressReady stops at an IPv6 address that is not usable (yet).
func addressReady(r *room, a *state.Addr, tr *trail) {
	ip := a.Prefix.Addr()
	switch {
	case a.Flags&state.AddrDADFailed != 0:
		tr.stop(r, "deliver", Reason{
			Code: AddressDADFailed, Object: "address " + ip.String(),
			Text:  fmt.Sprintf("%s on %s is not used: duplicate address detection found another owner", ip, a.Link),
			Facts: facts(fact("RTM_GETADDR", "%s has the flag dadfailed", a.Prefix)),
			Fix:   fix(anew(r, a), "# after the other owner gave it up"),
		})
	case a.Flags&state.AddrTentative != 0:
		tr.stop(r, "deliver", Reason{
			Code: AddressTentative, Object: "address " + ip.String(),
			Text:  fmt.Sprintf("%s on %s is tentative: duplicate address detection is not over", ip, a.Link),
			Facts: facts(fact("RTM_GETADDR", "%s has the flag tentative", a.Prefix)),
			Fix:   fix(anew(r, a), "# or wait a second or two"),
		})
	}
}

// anew takes an address off and sets it again without looking for others who have it.
func anew(r *room, a *state.Addr) string {
	return r.ip("addr del %s dev %s", a.Prefix, a.Link) + " && " + r.ip("addr add %s dev %s nodad", a.Prefix, a.Link)
}

func ipv6Reason(r *room, dev *state.Link) Reason {
	if r.tooNarrow6(dev) {
		return Reason{
			Code: IPv6Disabled, Object: "link " + dev.Name, Text: fmt.Sprintf("there is no IPv6 on %s: its mtu is %d, and IPv6 wants 1280", dev.Name, dev.MTU),
			Facts: facts(fact("RTM_GETLINK", "mtu of %s is %d", dev.Name, dev.MTU)), Fix: fix(r.ip("link set %s mtu 1280", dev.Name), "# addresses went with it and must be set again"),
		}
	}
	return Reason{
		Code: IPv6Disabled, Object: "link " + dev.Name, Text: fmt.Sprintf("IPv6 is disabled on %s", dev.Name),
		Facts: facts(fact("IFLA_AF_SPEC", "net.ipv6.conf.%s.disable_ipv6=1", dev.Name)),
		Fix:   fix(r.in("sysctl -w net.ipv6.conf.%s.disable_ipv6=0", dev.Name), "# addresses went with it and must be set again"),
	}
}
