package reach

import (
	"fmt"
	"net/netip"
	"strings"

	"warren/reach/filter"
	"warren/state"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// martian refuses addresses that cannot be on a wire (ip_route_input_slow, ip6_rcv_core).
func martian(r *room, dev *state.Link, p *filter.Packet) (Reason, bool) {
	var why string
	switch {
	case p.Src.IsMulticast():
		why = fmt.Sprintf("%s, a multicast address, cannot be a source", p.Src)
	case !p.Is6() && p.Src.Is4() && p.Src.As4() == [4]byte{255, 255, 255, 255}:
		why = "the broadcast address cannot be a source"
	case !p.Is6() && p.Src.Is4() && p.Src.As4()[0] == 0 && p.Dst.As4() != [4]byte{255, 255, 255, 255}:
		why = fmt.Sprintf("%s cannot be a source", p.Src)
	case p.Is6() && !isLoopback(dev) && (p.Src.IsLoopback() || p.Dst.IsLoopback()):
		why = "::1 does not come from outside"
	default:
		return Reason{}, false
	}
	return Reason{Code: MartianAddress, Object: "address " + p.Src.String(), Text: fmt.Sprintf("%q refuses the packet: %s", r.name(), why)}, true
}

// localnetReason explains why an address of 127.0.0.0/8 does not come in. Where it is the source of somebody else's packet (to dst)
// he has to hide it: no answer would find back.
func (t *tracer) localnetReason(r *room, dev *state.Link, ip, dst netip.Addr) Reason {
	w := Reason{
		Code: Localnet, Object: "sysctl net.ipv4.conf." + dev.Name + ".route_localnet",
		Text:  fmt.Sprintf("%s came in on %s, and addresses of 127.0.0.0/8 are only taken from lo", ip, dev.Name),
		Facts: facts(fact("IFLA_AF_SPEC, sysctl", "net.ipv4.conf.{all,%s}.route_localnet=0", dev.Name)),
		Fix:   fix(r.in("sysctl -w net.ipv4.conf.%s.route_localnet=1", dev.Name), "# better: listen on another address than 127.0.0.1"),
	}
	if src := t.rooms[t.flow.Source]; ip != dst && src != nil && src != r {
		w.Fix = fix(masqueradeFix(src, ip, dst))
	}
	return w
}

// leavesLocalnet refuses to send from 127.0.0.0/8 by a device that is not lo (__mkroute_output).
func (t *tracer) leavesLocalnet(r *room, dev *state.Link, p *filter.Packet, tr *trail, symptom string) {
	if !p.Src.Is4() || !p.Src.IsLoopback() || dev == nil || isLoopback(dev) || r.or4(dev, conf4RouteLocalnet, "route_localnet") {
		return
	}
	tr.stop(r, "route", Reason{
		Code: Localnet, Object: "sysctl net.ipv4.conf." + dev.Name + ".route_localnet",
		Text:    fmt.Sprintf("%s would leave by %s, and addresses of 127.0.0.0/8 only leave by lo", p.Src, dev.Name),
		Facts:   facts(fact("IFLA_AF_SPEC, sysctl", "net.ipv4.conf.{all,%s}.route_localnet=0", dev.Name)),
		Fix:     fix(r.in("sysctl -w net.ipv4.conf.%s.route_localnet=1", dev.Name), "# and masquerade there, for nobody answers to "+p.Src.String()),
		Symptom: symptom,
	})
}

// validate is source validation (fib_validate_source): rp_filter, and without it that nobody outside has our own address. It
// also looks at ARP requests. oif is where the packet goes on, nil when it is for here.
func (t *tracer) validate(r *room, dev *state.Link, src, dst netip.Addr, oif *state.Link, mark uint32, tos uint8, tr *trail, what string) {
	if !src.Is4() || src.IsUnspecified() || isLoopback(dev) {
		return
	}
	if what == "" {
		what = "the packet"
	}
	rpf := r.max4(dev, conf4RPFilter, "rp_filter")
	acceptLocal := r.or4(dev, conf4AcceptLocal, "accept_local")
	r.fib.build(false)
	if rpf == 0 && (dev != oif || r.dev4(dev, conf4SendRedirects, "send_redirects") == 0 && r.all4("send_redirects") == 0) {
		if acceptLocal {
			return
		}
		if !r.fib.localV4 && !r.fib.customV4 {
			if r.owns(src) != nil {
				tr.stop(r, "validate", ownSource(r, dev, src, what))
			}
			return
		}
	}
	q := query{dst: src, src: dst, iif: oif, local: oif == nil, tos: tos, linkstateOK: true}
	if r.or4(dev, conf4SrcVMark, "src_valid_mark") {
		q.mark = mark
	}
	a := r.fib.lookup(q)
	if a.route == nil {
		if rpf != 0 {
			tr.stop(r, "validate", rpReason(r, dev, src, rpf, nil, what))
		}
		return
	}
	if a.typ == "local" && !acceptLocal {
		tr.stop(r, "validate", ownSource(r, dev, src, what))
		return
	}
	if a.typ != "unicast" && a.typ != "local" {
		if isAction(a.typ) {
			if rpf != 0 {
				tr.stop(r, "validate", rpReason(r, dev, src, rpf, &a, what))
			}
			return
		}
		tr.stop(r, "validate", Reason{Code: MartianAddress, Object: "address " + src.String(), Text: fmt.Sprintf("%q refuses %s: its source %s is of type %s", r.name(), what, src, a.typ)})
		return
	}
	for _, h := range r.fib.nextHops(a.route) {
		if h.link == dev {
			return
		}
	}
	if rpf == 0 || rpf == 2 && len(r.addrsOn(dev.Name, false)) > 0 {
		return
	}
	tr.stop(r, "validate", rpReason(r, dev, src, rpf, &a, what))
}

func ownSource(r *room, dev *state.Link, src netip.Addr, what string) Reason {
	where := ""
	if a := r.owns(src); a != nil {
		where = a.Link
	}
	w := Reason{
		Code: MartianOwnSource, Object: "address " + src.String(),
		Text:  fmt.Sprintf("%q refuses %s: its source %s is an address of its own (on %s)", r.name(), what, src, where),
		Facts: facts(fact("RTM_GETADDR", "%s is on %s", src, where), fact("IFLA_AF_SPEC, sysctl", "net.ipv4.conf.{all,%s}.accept_local=0", dev.Name)),
	}
	if a := r.owns(src); a != nil {
		w.Fix = append(w.Fix, r.ip("addr del %s dev %s", a.Prefix, a.Link))
	}
	w.Fix = append(w.Fix, r.in("sysctl -w net.ipv4.conf.%s.accept_local=1", dev.Name))
	return w
}

func rpReason(r *room, dev *state.Link, src netip.Addr, rpf int32, a *routed, what string) Reason {
	w := Reason{
		Code: RPFilter, Object: "sysctl net.ipv4.conf." + dev.Name + ".rp_filter",
		Facts: facts(fact("IFLA_AF_SPEC, sysctl", "net.ipv4.conf.{all,%s}.rp_filter: the greater is %d", dev.Name, rpf)),
		Fix:   fix(r.in("sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.%s.rp_filter=0", dev.Name)),
	}
	if a == nil || a.route == nil {
		w.Text = fmt.Sprintf("%q refuses %s on %s: rp_filter is %d, and there is no route back to %s", r.name(), what, dev.Name, rpf, src)
		return w
	}
	w.Text = fmt.Sprintf("%q refuses %s on %s: rp_filter is %d, and the way back to %s is %s", r.name(), what, dev.Name, rpf, src, routeText(a.route))
	w.Facts = append(w.Facts, fact("RTM_GETROUTE", "%s", routeText(a.route)))
	return w
}
