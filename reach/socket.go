package reach

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"warren/reach/filter"
	"warren/state"
)

// accept gives a delivered request to who answers it: a listener, or the kernel for echo requests. It returns the device that
// the answer is bound to.
func (t *tracer) accept(d *delivery, tr *trail) *state.Link {
	r, p := d.r, d.p
	switch p.Proto {
	case filter.ICMP, filter.ICMPv6:
		t.echo(r, p, tr)
		return nil
	}
	proto := protoWord(p.Proto)
	if !r.reads(state.PartSockets) {
		tr.doubt(r, "socket", Doubt{Object: "sockets", Text: "sockets were not read"}, false)
		return nil
	}
	t.socketPrograms(r, tr)
	var near, taken, best *state.Socket
	var code Code
	full := false // of those that fit best one takes no more in
	for i := range r.Sockets {
		s := &r.Sockets[i]
		if s.Protocol != proto || s.Local.Port() != p.DPort || proto == "tcp" && s.State != "LISTEN" {
			continue
		}
		if proto == "udp" && s.Remote.IsValid() && s.Remote.Port() != 0 && s.Remote != netip.AddrPortFrom(p.Src, p.SPort) {
			if mismatch(s, p, d.dev) == "" {
				taken = s
			}
			continue
		}
		why := mismatch(s, p, d.dev)
		if why == "" {
			switch {
			case best == nil || fits(s) > fits(best):
				best, full = s, false
			case fits(s) < fits(best):
				continue
			}
			full = full || proto == "tcp" && s.ReadQueue > s.WriteQueue
			continue
		}
		if near == nil || rank(why) > rank(code) {
			near, code = s, why
		}
	}
	if best != nil {
		return t.taken(d, best, full, tr)
	}
	if v := t.vxlanAt(r, p); v != nil {
		tr.step(r, "socket", "link "+v.Name, "vxlan %s listens on port %d", v.Name, p.DPort)
		return nil
	}
	at := netip.AddrPortFrom(p.Dst, p.DPort).String()
	w := Reason{
		Code: NoListener, Object: proto + " " + at, Text: fmt.Sprintf("nobody listens on %s port %d in %q", proto, p.DPort, r.name()),
		Facts: facts(fact("SOCK_DIAG", "no %s socket on port %d", proto, p.DPort)), Fix: fix(fmt.Sprintf("# start the service in %q so that it listens on %s", r.name(), at)),
	}
	if taken != nil {
		w.Text += fmt.Sprintf(": the socket %s%s is connected, and takes packets from %s alone", taken.Local, holder(taken), taken.Remote)
		w.Facts = facts(fact("SOCK_DIAG", "udp %s connected to %s%s", taken.Local, taken.Remote, holder(taken)))
	}
	if near != nil {
		w.Code, w.Object = code, "socket "+near.Local.String()
		w.Facts = facts(fact("SOCK_DIAG", "%s %s%s", proto, socketText(near), holder(near)))
		switch code {
		case ListenerWrongAddress:
			w.Text = fmt.Sprintf("the service in %q listens only on %s%s, not on %s", r.name(), near.Local, holder(near), p.Dst)
			w.Fix = fix(fmt.Sprintf("# let the service listen on %s, or on all addresses", at))
		case ListenerWrongDevice:
			w.Text = fmt.Sprintf("the service in %q listens only on the device %s%s; the packet came in on %s", r.name(), near.Link, holder(near), d.dev.Name)
			w.Fix = fix("# start the service without SO_BINDTODEVICE, or bound to " + d.dev.Name)
		default:
			w.Text = fmt.Sprintf("the service in %q listens for %s only%s", r.name(), familyName(near.IPv6), holder(near))
			w.Fix = fix(fmt.Sprintf("# let the service listen for %s too, on %s", familyName(p.Is6()), at))
		}
	}
	n := &notice{r: r, p: *p, typ: 3, code: 3, text: "Connection refused"}
	if p.Is6() {
		n.typ, n.code = 1, 4
	}
	if proto == "tcp" {
		n.typ = 0
	}
	tr.stop(r, "socket", w)
	tr.troubles[len(tr.troubles)-1].tells = n
	return nil
}

// taken gives a request to the socket that takes it, and returns the device that the socket is bound to.
func (t *tracer) taken(d *delivery, s *state.Socket, full bool, tr *trail) *state.Link {
	r := d.r
	st := tr.step(r, "socket", "socket "+s.Local.String(), "%s %s listens%s", s.Protocol, s.Local, holder(s))
	st.Source = "SOCK_DIAG"
	t.socketGroup(r, s, tr)
	d.socket = s
	if full {
		tr.doubt(r, "socket", Doubt{
			Object: "socket " + s.Local.String(), Resolve: "ss -lt, or a probe",
			Text: fmt.Sprintf("%d connections wait to be accepted%s, and %d may: no more are taken in until the program takes some out", s.ReadQueue, holder(s), s.WriteQueue),
		}, false)
	}
	if s.Link == "" {
		return nil
	}
	l := r.byName[s.Link]
	r.needPort(l)
	return l
}

// fits orders sockets that would take a packet: one with its address comes before all others, then one bound to its device, then
// one of IPv4 alone (inet_lookup_listener, compute_score).
func fits(s *state.Socket) int {
	n := 0
	if !s.Local.Addr().IsUnspecified() {
		n += 4
	}
	if s.Link != "" {
		n += 2
	}
	if !s.IPv6 && !s.Local.Addr().Is6() {
		n++
	}
	return n
}

// rank prefers the explanation that is the least trivial.
func rank(c Code) int {
	switch c {
	case ListenerWrongAddress:
		return 3
	case ListenerWrongDevice:
		return 2
	case ListenerWrongFamily:
		return 1
	}
	return 0
}

// mismatch says why a socket does not take a packet; "" when it does (inet_lookup_listener, compute_score).
func mismatch(s *state.Socket, p *filter.Packet, dev *state.Link) Code {
	local := s.Local.Addr()
	if p.Is6() {
		if !s.IPv6 && !local.Is6() || local.Is4In6() {
			return ListenerWrongFamily
		}
	} else if s.IPv6 || local.Is6() {
		if s.V6Only || !local.Is4In6() && !local.IsUnspecified() && local.Is6() {
			return ListenerWrongFamily
		}
	}
	if !local.IsUnspecified() && local.Unmap() != p.Dst {
		return ListenerWrongAddress
	}
	if s.Link != "" && s.Link != dev.Name {
		return ListenerWrongDevice
	}
	return ""
}

func familyName(is6 bool) string {
	if is6 {
		return "IPv6"
	}
	return "IPv4"
}

func socketText(s *state.Socket) string {
	out := s.Local.String()
	if s.Link != "" {
		out += " dev " + s.Link
	}
	if s.V6Only {
		out += " v6only"
	}
	return out
}

func holder(s *state.Socket) string {
	if s.Process == nil {
		return ""
	}
	return fmt.Sprintf(" (%s, pid %d)", s.Process.Command, s.Process.PID)
}

// vxlanAt finds a vxlan whose kernel socket takes the datagram.
func (t *tracer) vxlanAt(r *room, p *filter.Packet) *state.Link {
	if p.Proto != filter.UDP {
		return nil
	}
	for i := range r.Links {
		if l := &r.Links[i]; l.Kind == "vxlan" && l.VXLAN != nil && l.Up && vxPort(l.VXLAN) == p.DPort {
			return l
		}
	}
	return nil
}

// echo is what icmp_rcv does with an echo request.
func (t *tracer) echo(r *room, p *filter.Packet, tr *trail) {
	key := "net/ipv4/icmp_echo_ignore_all"
	if p.Is6() {
		key = "net/ipv6/icmp/echo_ignore_all"
	}
	if r.sysctl(key) != 0 {
		dotted := strings.ReplaceAll(key, "/", ".")
		tr.stop(r, "deliver", Reason{
			Code: EchoIgnored, Object: "sysctl " + dotted, Text: fmt.Sprintf("%q answers no echo requests: %s=1", r.name(), dotted),
			Facts: facts(fact("sysctl", "%s=1", dotted)), Fix: fix(r.in("sysctl -w %s=0", dotted)),
		})
		return
	}
	tr.step(r, "deliver", "icmp", "answers the echo request").Source = "sysctl " + key
}

// mayProbe checks that an ordinary user may send echo requests at all: that is no fault of the path.
func (t *tracer) mayProbe(r *room, tr *trail) {
	if !t.flow.Unprivileged || t.flow.Proto == filter.TCP || t.flow.Proto == filter.UDP {
		return
	}
	v, ok := r.Sysctl("net/ipv4/ping_group_range")
	if !ok {
		return
	}
	if f := strings.Fields(v); len(f) == 2 {
		lo, err1 := strconv.ParseUint(f[0], 10, 32)
		hi, err2 := strconv.ParseUint(f[1], 10, 32)
		if err1 == nil && err2 == nil && uint64(t.flow.GID) >= lo && uint64(t.flow.GID) <= hi {
			return
		}
	}
	tr.stop(r, "socket", Reason{
		Code: ProbePermission, Object: "sysctl net.ipv4.ping_group_range",
		Text:    fmt.Sprintf("group %d may not open an echo socket in %q: net.ipv4.ping_group_range is %q; this says nothing about the path", t.flow.GID, r.name(), strings.Join(strings.Fields(v), " ")),
		Facts:   facts(fact("sysctl", "net.ipv4.ping_group_range=%s", v)),
		Fix:     fix(r.in("sysctl -w net.ipv4.ping_group_range='0 2147483647'"), "setcap cap_net_raw+ep $(command -v ping)"),
		Symptom: "ping: socket: Operation not permitted",
	})
}
