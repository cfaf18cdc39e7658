package reach

import (
	"fmt"
	"net/netip"

	"warren/reach/filter"
	"warren/state"
)

// arpAnswer is what arp_rcv and arp_process do with a request.
func (t *tracer) arpAnswer(a *answer, ip netip.Addr) {
	c := a.at
	r, dev, q := c.r, c.dev, c.frame.arp
	tr := &a.trail
	a.owner = r.owns(ip) != nil || r.fib.AddrType(ip, nil) == "local"
	proxied := !a.owner && r.proxy(dev, ip)
	proxy, pvlan := r.or4(dev, conf4ProxyARP, "proxy_arp"), r.or4(dev, conf4ProxyARPPVLAN, "proxy_arp_pvlan")
	if !a.owner && !proxied && !proxy && !pvlan {
		return
	}
	if noARP(dev) {
		tr.stop(r, "neighbour", Reason{
			Code: NoARP, Object: "link " + dev.Name, Text: fmt.Sprintf("ARP is off on %s: it neither asks nor answers", dev.Name),
			Facts: facts(fact("RTM_GETLINK", "%s has the flag NOARP", dev.Name)), Fix: fix(r.ip("link set %s arp on", dev.Name)),
		})
	}
	t.filterAs(r, &c.frame, filter.Hook{Family: "arp", Name: "input", In: dev}, tr)
	if !r.or4(dev, conf4RouteLocalnet, "route_localnet") {
		for _, x := range []netip.Addr{ip, q.Sender} {
			if x.IsLoopback() {
				tr.stop(r, "neighbour", t.localnetReason(r, dev, x, q.Target))
			}
		}
	}
	if a.owner {
		t.validate(r, dev, q.Sender, ip, nil, 0, 0, tr, "the ARP request for "+ip.String())
		r.arpIgnore(dev, ip, q.Sender, tr)
		r.arpFilter(dev, ip, q.Sender, tr)
		return
	}
	// Proxy ARP (arp_fwd_proxy): forwarding, and a route to the address by another device.
	back := r.fib.lookup(query{dst: ip, src: q.Sender, iif: dev})
	routed := back.typ == "unicast" && len(back.hops) > 0
	if same := routed && back.hops[0].link == dev; pvlan && same && r.forwards(dev, false) && q.Sender != ip { // arp_fwd_pvlan
		a.owner = true
		t.validate(r, dev, q.Sender, ip, dev, 0, 0, tr, "the ARP request for "+ip.String())
		return
	} else if !proxied && (same || !proxy) {
		return // never for what is on the same side
	}
	if !proxied && !routed {
		tr.stop(r, "neighbour", Reason{
			Code: ProxyARPNoRoute, Object: "link " + dev.Name,
			Text:  fmt.Sprintf("%s answers ARP for others (proxy_arp), but has no route to %s", dev.Name, ip),
			Facts: facts(fact("IFLA_AF_SPEC", "net.ipv4.conf.%s.proxy_arp=1", dev.Name), fact("RTM_GETROUTE", "no route to %s", ip)),
			Fix:   proxyFix(r, dev, ip),
		})
		a.owner = true
		return
	}
	if routed && back.hops[0].link != dev {
		a.owner = true
		if !r.forwards(dev, false) {
			tr.stop(r, "neighbour", forwardingReason(r, dev, false))
		}
		t.validate(r, dev, q.Sender, ip, back.hops[0].link, 0, 0, tr, "the ARP request for "+ip.String())
	}
}

// proxy reports whether a proxy entry makes the namespace answer for an address on that device.
func (r *room) proxy(dev *state.Link, ip netip.Addr) bool {
	r.need6(ip.Is6())
	for i := range r.Neighbors {
		if n := &r.Neighbors[i]; n.Proxy && n.IP == ip && (n.Link == dev.Name || n.Link == "") {
			return true
		}
	}
	return false
}

// arpIgnore is arp_ignore of ip-sysctl.
func (r *room) arpIgnore(dev *state.Link, ip, sender netip.Addr, tr *trail) {
	v := r.max4(dev, conf4ARPIgnore, "arp_ignore")
	var why string
	on := r.ownsOn(dev.Name, ip)
	switch v {
	case 0:
		return
	case 1:
		if on == nil {
			why = fmt.Sprintf("%s is not on %s", ip, dev.Name)
		}
	case 2:
		switch {
		case on == nil:
			why = fmt.Sprintf("%s is not on %s", ip, dev.Name)
		case !on.Prefix.Contains(sender):
			why = fmt.Sprintf("%s, who asks, is not in %s", sender, on.Prefix.Masked())
		}
	case 3:
		if a := r.owns(ip); a != nil && a.Scope >= scopeLink {
			why = fmt.Sprintf("%s has not the scope global", ip)
		}
	case 8:
		why = "no request is answered"
	default:
		return
	}
	if why == "" {
		return
	}
	tr.stop(r, "neighbour", Reason{
		Code: ARPIgnored, Object: "link " + dev.Name,
		Text:  fmt.Sprintf("%q does not answer ARP for %s on %s: arp_ignore is %d, and %s", r.name(), ip, dev.Name, v, why),
		Facts: facts(fact("IFLA_AF_SPEC, sysctl", "net.ipv4.conf.{all,%s}.arp_ignore: the greater is %d", dev.Name, v)),
		Fix:   fix(r.in("sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.%s.arp_ignore=0", dev.Name)),
	})
}

// arpFilter is arp_filter: no answer where the way back to the asker is by another device.
func (r *room) arpFilter(dev *state.Link, ip, sender netip.Addr, tr *trail) {
	if !r.or4(dev, conf4ARPFilter, "arp_filter") {
		return
	}
	a := r.fib.lookup(query{dst: sender, src: ip, local: true})
	if len(a.hops) > 0 && a.hops[0].link == dev {
		return
	}
	tr.stop(r, "neighbour", Reason{
		Code: ARPIgnored, Object: "link " + dev.Name,
		Text:  fmt.Sprintf("%q does not answer ARP for %s on %s: arp_filter is on, and the way back to %s is by another device", r.name(), ip, dev.Name, sender),
		Facts: facts(fact("IFLA_AF_SPEC, sysctl", "net.ipv4.conf.%s.arp_filter=1", dev.Name)),
		Fix:   fix(r.in("sysctl -w net.ipv4.conf.all.arp_filter=0 net.ipv4.conf.%s.arp_filter=0", dev.Name)),
	})
}

// proxyFix gives a proxy a route to what it is asked for, by another link if there is one; else it may have the address itself.
func proxyFix(r *room, dev *state.Link, ip netip.Addr) []string {
	var out []string
	for i := range r.Links {
		if l := &r.Links[i]; l != dev && l.Up && !isLoopback(l) && l.Master == "" {
			out = append(out, r.ip("route add %s dev %s", ip, l.Name))
			break
		}
	}
	return append(out, r.ip("addr add %s/32 dev %s", ip, dev.Name))
}
