package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"warren/reach/filter"
	"warren/state"
)

// A notice is an ICMP error that somebody on the way sends to the sender.
type notice struct {
	r         *room
	p         filter.Packet // about it, as it was there
	typ, code uint8
	text      string // as ping prints it
	// bridged: it comes back by the bridge that the packet came by.
	bridged bool
}

// receive takes a packet that came in by a device: to the namespace itself, or on (ip_rcv, ip6_rcv).
func (t *tracer) receive(c *carried, tr *trail) (*carried, *delivery) {
	r, dev, p := c.r, c.dev, c.frame.ip
	t.touch(r)
	t.gaps(r, tr)
	if p.Is6() && r.ipv6Off(dev) && !isLoopback(dev) {
		tr.stop(r, "deliver", ipv6Reason(r, dev))
	}
	if w, bad := martian(r, dev, p); bad {
		tr.stop(r, "validate", w)
	}
	before := p.Dst
	if !c.frame.seen {
		t.filterTells(r, c.frame.packet(), filter.Hook{Family: family(p), Name: "prerouting", In: dev}, tr)
	}
	if isLoopback(dev) && p.Dst == before {
		return nil, t.deliver(r, dev, p, tr)
	}
	if !p.Is6() && !isLoopback(dev) && !r.or4(dev, conf4RouteLocalnet, "route_localnet") {
		for _, ip := range []netip.Addr{p.Dst, p.Src} {
			if ip.IsLoopback() {
				tr.stop(r, "validate", t.localnetReason(r, dev, ip, p.Dst))
			}
		}
	}
	q := query{dst: p.Dst, src: p.Src, iif: dev, mark: p.Mark, tos: p.TOS, proto: p.Proto, sport: p.SPort, dport: p.DPort}
	a := r.fib.lookup(q)
	switch a.typ {
	case "local":
		if !p.Is6() {
			t.validate(r, dev, p.Src, p.Dst, nil, p.Mark, p.TOS, tr, "")
		}
		return nil, t.deliver(r, dev, p, tr)
	case "broadcast", "multicast", "anycast":
		tr.doubt(r, "route", Doubt{Object: "address " + p.Dst.String(), Text: a.typ + " is not modelled"}, true)
		return nil, nil
	}
	return t.forward(c, &q, a, tr)
}

// forward routes a packet on (ip_forward, ip6_forward).
func (t *tracer) forward(c *carried, q *query, a routed, tr *trail) (*carried, *delivery) {
	r, dev, p := c.r, c.dev, c.frame.ip
	open := r.forwards(dev, p.Is6())
	mine := r.owns(p.Dst) != nil && isAction(a.typ) // a rule that comes before the table local
	if !open && !mine && (!p.Is6() || a.typ == "unicast") {
		w := forwardingReason(r, dev, p.Is6())
		if r.owns(p.Dst) != nil && !slices.ContainsFunc(r.fib.rules[fam(p.Is6())][:1], func(u state.Rule) bool { return u.Table == state.LocalTable }) {
			w.Text += fmt.Sprintf("; %s is its own, but a rule is asked before the table local", p.Dst)
			w.Fix = append(fix(r.ipFor(p.Is6(), "rule add pref 0 lookup local")), w.Fix...)
		}
		tr.stop(r, "forward", w)
	}
	if a.empty != nil {
		tr.note(r, emptyTable(r, a.empty, &a))
	}
	if a.doubt != "" {
		tr.doubt(r, "route", Doubt{Object: a.doubt, Text: "not modelled: " + a.doubt}, true)
		return nil, nil
	}
	if isAction(a.typ) {
		w := errorRoute(r, &a, walkOptions{}, q)
		w.Symptom = ""
		tr.stop(r, "route", w)
		t.tell(tr, r, p, errorNotice(a.typ, p.Is6()), open || p.Is6())
		if a.route == nil {
			return nil, nil
		}
		q.skip = a.route
		a = r.fib.lookup(*q)
	}
	if a.route == nil || a.typ != "unicast" || len(a.hops) == 0 {
		w, h := t.whyNoRoute(r, q, &a, walkOptions{})
		w.Symptom = ""
		tr.stop(r, "route", w)
		n := notice{typ: 3, code: 0, text: "Net Unreachable"}
		if p.Is6() {
			n = notice{typ: 1, code: 0, text: "No route"}
		}
		t.tell(tr, r, p, n, open || p.Is6())
		if h.link == nil {
			return nil, nil
		}
		a = routed{typ: "unicast", hops: []hop{h}}
	}
	h := t.pickHop(r, &a, q)
	if h.link == nil {
		return nil, nil
	}
	if !p.Is6() {
		t.validate(r, dev, p.Src, p.Dst, h.link, p.Mark, p.TOS, tr, "")
	} else if p.Src.IsLinkLocalUnicast() && h.link != dev {
		tr.stop(r, "validate", Reason{Code: MartianAddress, Object: "address " + p.Src.String(), Text: fmt.Sprintf("%s is a link-local address: packets from it are not forwarded", p.Src)})
	}
	t.stepRoute(r, &a, h, p, tr)
	if p.TTL <= 1 {
		tr.stop(r, "forward", t.spent(r))
		n := notice{typ: 11, code: 0, text: "Time to live exceeded"}
		if p.Is6() {
			n = notice{typ: 3, code: 0, text: "Time exceeded: Hop limit"}
		}
		t.tell(tr, r, p, n, true)
		p.TTL = 64
	}
	t.tooBigToForward(r, p, &a, h.link, tr)
	p.TTL--
	t.filterTells(r, p, filter.Hook{Family: family(p), Name: "forward", In: dev, Out: h.link}, tr)
	tr.step(r, "forward", "link "+dev.Name, "forwarded from %s to %s", dev.Name, h.link.Name)
	return t.emit(r, p, dev, h.link, h, &a, tr)
}

// filterTells runs a hook whose rejects tell the sender.
func (t *tracer) filterTells(r *room, p *filter.Packet, h filter.Hook, tr *trail) filter.Result {
	n := len(tr.troubles)
	res := t.filter(r, p, h, tr, nil)
	k := n
	for _, st := range res.Stops {
		if st.Kind == filter.Reject && k < len(tr.troubles) {
			tr.troubles[k].tells = rejectNotice(r, p, st.With)
		}
		k++
	}
	return res
}

func rejectNotice(r *room, p *filter.Packet, with string) *notice {
	n := &notice{r: r, p: *p, typ: 3, code: 3, text: "Port Unreachable"}
	if p.Is6() {
		n.typ, n.code, n.text = 1, 4, "Port unreachable"
	}
	switch {
	case with == "tcp reset":
		n.typ, n.text = 0, "Connection refused"
	case contains(with, "admin-prohibited"), contains(with, "host-prohibited"), contains(with, "net-prohibited"):
		n.code, n.text = 13, "Packet filtered"
		if p.Is6() {
			n.code, n.text = 1, "Administratively prohibited"
		}
	case contains(with, "host-unreachable"), contains(with, "addr-unreachable"):
		n.code, n.text = 1, "Host Unreachable"
		if p.Is6() {
			n.code, n.text = 3, "Address unreachable"
		}
	case contains(with, "net-unreachable"), contains(with, "no-route"):
		n.code, n.text = 0, "Net Unreachable"
		if p.Is6() {
			n.text = "No route"
		}
	case contains(with, "prot-unreachable"):
		n.code, n.text = 2, "Protocol Unreachable"
	case contains(with, "frag-needed"):
		n.code, n.text = 4, "Frag needed"
	}
	return n
}

func errorNotice(typ string, is6 bool) notice {
	switch {
	case typ == "blackhole":
		return notice{}
	case typ == "unreachable" && is6:
		return notice{typ: 1, code: 0, text: "No route"}
	case typ == "unreachable":
		return notice{typ: 3, code: 1, text: "Host Unreachable"}
	case is6:
		return notice{typ: 1, code: 1, text: "Administratively prohibited"}
	}
	return notice{typ: 3, code: 13, text: "Packet filtered"}
}

// tell remembers that the last obstacle makes an ICMP error.
func (t *tracer) tell(tr *trail, r *room, p *filter.Packet, n notice, open bool) {
	if n.text == "" || !open || len(tr.troubles) == 0 {
		return
	}
	n.r, n.p = r, *p
	tr.troubles[len(tr.troubles)-1].tells = &n
}

// tooBigToForward is the check of routers: what must not be fragmented (of IPv6 everything) and does not fit is sent back.
func (t *tracer) tooBigToForward(r *room, p *filter.Packet, a *routed, out *state.Link, tr *trail) {
	limit := mtuOf(a, out, p.Is6())
	if p.Length <= limit || !p.DF && !p.Is6() {
		return
	}
	w := Reason{
		Code: MTUExceeded, Object: "link " + out.Name, Text: fmt.Sprintf("the packet has %d bytes and may not be fragmented; %s of %q takes %d", p.Length, out.Name, r.name(), limit),
		Facts: facts(fact("RTM_GETLINK", "mtu of %s in %q is %d", out.Name, r.name(), out.MTU)), Fix: fix(r.ip("link set %s mtu %d", out.Name, p.Length), fmt.Sprintf("# or send at most %d bytes", limit)),
	}
	narrowRoute(r, a, out, p.Length, &w)
	tr.stop(r, "mtu", w)
	n := notice{typ: 3, code: 4, text: fmt.Sprintf("Frag needed and DF set (mtu = %d)", limit)}
	if p.Is6() {
		n = notice{typ: 2, code: 0, text: fmt.Sprintf("Packet too big: mtu=%d", limit)}
	}
	t.tell(tr, r, p, n, true)
}

// deliver gives a packet to the protocols of the namespace (ip_local_deliver).
func (t *tracer) deliver(r *room, dev *state.Link, p *filter.Packet, tr *trail) *delivery {
	if a := r.owns(p.Dst); a != nil && p.Is6() && !isLoopback(dev) {
		addressReady(r, a, tr)
	}
	t.filterTells(r, p, filter.Hook{Family: family(p), Name: "input", In: dev}, tr)
	return &delivery{r: r, dev: dev, p: p}
}

func forwardingReason(r *room, dev *state.Link, is6 bool) Reason {
	if is6 {
		return Reason{
			Code: ForwardingDisabled, Object: "sysctl net.ipv6.conf.all.forwarding", Text: fmt.Sprintf("%q does not forward IPv6: net.ipv6.conf.all.forwarding=0 (the packet came in on %s)", r.name(), dev.Name),
			Facts: facts(fact("sysctl", "net.ipv6.conf.all.forwarding=0")), Fix: fix(r.in("sysctl -w net.ipv6.conf.all.forwarding=1")),
		}
	}
	w := Reason{
		Code: ForwardingDisabled, Object: "sysctl net.ipv4.conf." + dev.Name + ".forwarding",
		Text:  fmt.Sprintf("%q does not forward what comes in on %s: net.ipv4.conf.%s.forwarding=0", r.name(), dev.Name, dev.Name),
		Facts: facts(fact("IFLA_AF_SPEC", "net.ipv4.conf.%s.forwarding=0", dev.Name)), Fix: fix(r.in("sysctl -w net.ipv4.ip_forward=1")),
	}
	if r.sysctl("net/ipv4/ip_forward") != 0 {
		w.Facts = append(w.Facts, fact("sysctl", "net.ipv4.ip_forward=1, but the device's own value counts"))
		w.Fix = fix(r.in("sysctl -w net.ipv4.conf.%s.forwarding=1", dev.Name))
	}
	return w
}
