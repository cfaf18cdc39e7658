package reach

import (
	"fmt"
	"net/netip"
	"strconv"

	"warren/reach/filter"
	"warren/state"
)

// unzone takes the zones off a flow's addresses and keeps them aside: no packet carries one.
func (f *Flow) unzone() {
	if z := f.Dst.Zone(); z != "" {
		f.zone, f.Dst = z, f.Dst.WithZone("")
	}
	if z := f.From.Zone(); z != "" {
		f.fromZone, f.From = z, f.From.WithZone("")
	}
}

// zoneLink is the link that a zone names: by its name, else by its number.
func (r *room) zoneLink(zone string) *state.Link {
	l := r.byName[zone]
	if n, err := strconv.Atoi(zone); l == nil && err == nil && n > 0 {
		l = r.byIndex[n]
	}
	r.needPort(l)
	return l
}

// scope is the link that the sending socket is bound to by the scope id of a link-local address: the destination's (connect,
// rawv6_sendmsg), or its own (bind). Of other addresses the kernel does not look at the scope id, but whoever turns the zone
// into a number needs a link of that name.
func (t *tracer) scope(r *room, tr *trail) (*state.Link, bool) {
	f := t.flow
	var bound *state.Link
	for _, a := range []struct {
		ip   netip.Addr
		zone string
	}{{f.From, f.fromZone}, {f.Dst, f.zone}} {
		if a.zone == "" {
			continue
		}
		l := r.zoneLink(a.zone)
		if l == nil {
			tr.stop(r, "route", Reason{
				Code: NoRoute, Object: "link " + a.zone, Text: fmt.Sprintf("the zone of %s%%%s names a link, and there is none in %q", a.ip, a.zone, r.name()),
				Facts: facts(fact("RTM_GETLINK", "no link %s", a.zone)), Fix: fix("# name one of the links of " + r.name() + " behind the %"),
			})
			return nil, false
		}
		if !a.ip.IsLinkLocalUnicast() {
			continue
		}
		if bound != nil && bound != l {
			tr.stop(r, "route", Reason{
				Code: NoRoute, Object: "address " + a.ip.String(), Text: fmt.Sprintf("a socket that is bound to %s by its source address does not send to %s%%%s", bound.Name, a.ip, a.zone),
				Symptom: "Invalid argument",
			})
			return nil, false
		}
		bound = l
	}
	if bound == nil && f.Dst.Is6() && f.Dst.IsLinkLocalUnicast() && (f.Proto == filter.TCP || f.Proto == filter.UDP) {
		tr.stop(r, "route", Reason{
			Code: NoRoute, Object: "address " + f.Dst.String(), Text: fmt.Sprintf("%s is a link-local address, and the question does not say of which link", f.Dst),
			Facts: facts(fact("connect(2)", "sin6_scope_id is 0")), Fix: fix("# name the link behind the address: " + f.Dst.String() + "%LINK"), Symptom: "Invalid argument",
		})
		return nil, false
	}
	return bound, true
}

// replyLink is the link that an answer to a link-local address leaves by: the one that the request came in by; within one
// namespace the one that has the address (inet6_iif).
func replyLink(d *delivery, asked *state.Link) *state.Link {
	if !isLoopback(d.dev) {
		return d.dev
	}
	if asked != nil {
		return asked
	}
	if a := d.r.owns(d.p.Dst); a != nil {
		l := d.r.byName[a.Link]
		d.r.needPort(l)
		return l
	}
	return nil
}

// zoned is the link that the zone of a flow's link-local destination names; nil = it has none.
func (r *room) zoned(f *Flow) *state.Link {
	if !f.Dst.IsLinkLocalUnicast() || f.zone == "" {
		return nil
	}
	return r.zoneLink(f.zone)
}
