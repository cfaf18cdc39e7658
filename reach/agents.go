package reach

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"warren/reach/filter"
	"warren/state"
)

// agents doubts where something decides that is not modelled: policies of IPsec, virtual services, programs. Each is named
// only where it looks at this very packet.
func (t *tracer) agents(r *room, p *filter.Packet, h filter.Hook, tr *trail, arp *filter.ARP) {
	for i := range r.Agents {
		a := &r.Agents[i]
		if arp != nil && h.Family == "arp" {
			if a.Kind == "arptables" {
				tr.doubt(r, "filter", Doubt{Object: "arptables " + a.Name, Text: "legacy arptables decide about ARP: " + a.Name, Resolve: "arptables-legacy -L, or a probe"}, false)
			}
			continue
		}
		if h.Family != "ip" && h.Family != "ip6" && a.Kind != "ebtables" {
			continue
		}
		switch a.Kind {
		case "xfrm":
			if policyAt(a, h, p) {
				tr.doubt(r, "filter", Doubt{Object: "xfrm " + a.Name, Text: "an IPsec policy takes the packet: " + a.Name, Resolve: "ip xfrm policy, or a probe"}, a.Dir == "out")
			}
		case "expectation":
			if (h.Name == "prerouting" || h.Name == "output") && p.Conn == nil && touches(a, p) {
				tr.doubt(r, "filter", Doubt{Object: "conntrack " + a.Name, Text: "a helper of conntrack waits for this connection: " + a.Name, Resolve: "conntrack -L expect, or a probe"}, true)
			}
		case "ipvs":
			if (h.Name == "input" || h.Name == "forward" || h.Name == "output") && touches(a, p) {
				tr.doubt(r, "filter", Doubt{Object: "ipvs " + a.Name, Text: "IPVS sends it to one of its servers: " + a.Name, Resolve: "ipvsadm -Ln, or a probe"}, true)
			}
		case "netfilter-bpf":
			if a.Family == h.Family && a.Dir == h.Name {
				d := Doubt{Object: a.Name, Text: "a BPF program at a hook of netfilter accepts or drops: " + a.Name, Resolve: "bpftool link, or a probe"}
				if a.Anywhere {
					d.Text += "; in which namespace it is could not be told, it may be in this one"
				}
				tr.doubt(r, "filter", d, false)
			}
		case "ebtables":
			if h.Family == "bridge" {
				tr.doubt(r, "filter", Doubt{Object: "ebtables " + a.Name, Text: "legacy ebtables may decide: " + a.Name, Resolve: "ebtables-legacy -L, or a probe"}, true)
			}
		case "cgroup-bpf":
			t.groupProgram(r, p, h, a, tr)
		}
	}
}

// groupProgram doubts a program at a control group where it looks at this packet: at what a socket sends, at what it receives,
// and at the socket's calls, which may send the packet elsewhere. Programs judge by the group of the socket: of the sender's it
// is known that it is ours, or that of a process that lives there; of the listener's what the kernel tells (socketGroup). What
// the kernel answers by itself is sent by sockets of the root group, and received by none.
func (t *tracer) groupProgram(r *room, p *filter.Packet, h filter.Hook, a *state.Agent, tr *trail) {
	asker := r.Namespace.Name == t.flow.Source
	if !asker && (a.Own || a.Group != 0) || a.Group != 0 && !a.Sends || discovers(p) {
		return
	}
	mine := a.Own || a.Group != 0 // it judges the sender alone
	stream := p.Proto == filter.TCP || p.Proto == filter.UDP
	sends := h.Name == "output" && asker && p.Dst == t.flow.Dst
	is6 := strings.HasSuffix(a.Dir, "6")
	detour := false
	switch a.Dir {
	case "egress":
		if h.Name != "output" || mine && !sends {
			return
		}
	case "ingress":
		if h.Name != "input" || !asker || !t.isAnswer(p) {
			return // the listener's are looked at where it is found
		}
	case "connect4", "connect6":
		if detour = true; !sends || !stream || is6 != p.Is6() {
			return
		}
	case "sendmsg4", "sendmsg6":
		if detour = true; !sends || p.Proto != filter.UDP || is6 != p.Is6() {
			return
		}
	case "bind4", "bind6", "post_bind4", "post_bind6":
		if detour = strings.HasPrefix(a.Dir, "bind"); !sends || !t.flow.bound || is6 != p.Is6() {
			return
		}
	case "sock_create":
		if !sends {
			return
		}
	default: // what is received may be told to come from elsewhere (recvmsg), but comes
		return
	}
	tr.doubt(r, "socket", groupDoubt(a), detour)
}

// isAnswer reports whether a packet is one that the asker's socket waits for.
func (t *tracer) isAnswer(p *filter.Packet) bool {
	switch p.Proto {
	case filter.ICMP:
		return p.ICMPType == 0
	case filter.ICMPv6:
		return p.ICMPType == 129
	}
	return p.SPort == t.flow.Port && p.DPort == t.srcPort()
}

func groupDoubt(a *state.Agent) Doubt {
	return Doubt{Object: a.Name, Text: "a BPF program decides: " + a.Name, Resolve: "bpftool cgroup tree, or a probe"}
}

// discovers reports whether a packet is one of neighbour discovery, which the kernel sends by itself.
func discovers(p *filter.Packet) bool {
	return p.Proto == filter.ICMPv6 && p.ICMPType >= 133 && p.ICMPType <= 137
}

// socketGroup doubts what programs at the control group of a listening socket let in, and let it answer.
func (t *tracer) socketGroup(r *room, s *state.Socket, tr *trail) {
	for i := range r.Agents {
		a := &r.Agents[i]
		if a.Kind == "cgroup-bpf" && (a.Group == 0 && !a.Own && a.Dir == "ingress" || a.Group != 0 && a.Group == s.CgroupID && (a.Dir == "ingress" || a.Dir == "egress")) {
			tr.doubt(r, "socket", groupDoubt(a), false)
		}
	}
}

// policyAt reports whether an IPsec policy is asked about a packet at a hook: what goes out at output and forward, what is
// forwarded, what comes in. Packets over lo are not asked about (disable_xfrm, disable_policy).
func policyAt(a *state.Agent, h filter.Hook, p *filter.Packet) bool {
	switch {
	case h.Out != nil && isLoopback(h.Out), h.In != nil && isLoopback(h.In):
		return false
	case a.Dir == "out" && (h.Name == "output" || h.Name == "forward"), a.Dir == "fwd" && h.Name == "forward", a.Dir == "in" && h.Name == "input":
		return touches(a, p)
	}
	return false
}

// touches reports whether a packet is one of those that an agent looks at.
func touches(a *state.Agent, p *filter.Packet) bool {
	covers := func(pre netip.Prefix, ip netip.Addr) bool { return !pre.IsValid() || pre.Contains(ip) }
	port := func(want, have uint16) bool { return want == 0 || want == have }
	return covers(a.Src, p.Src) && covers(a.Dst, p.Dst) && (a.Proto == 0 || a.Proto == p.Proto) && port(a.SPort, p.SPort) && port(a.DPort, p.DPort) &&
		(a.Mark == 0 || a.Mark == p.Mark)
}

// socketPrograms doubts who gets a packet where programs choose among sockets.
func (t *tracer) socketPrograms(r *room, tr *trail) {
	for i := range r.Agents {
		if a := &r.Agents[i]; a.Kind == "sk-lookup-bpf" {
			tr.doubt(r, "socket", Doubt{Object: "sk_lookup " + a.Name, Text: fmt.Sprintf("%s chooses the socket in %q (sk_lookup)", a.Name, r.name()), Resolve: "bpftool net, or a probe"}, true)
		}
	}
}

// wrapped doubts a route that wraps its packets up (MPLS, segment routing, BPF, ...).
func wrapped(r *room, h hop, tr *trail) {
	if h.nh.Encap == 0 {
		return
	}
	kinds := [...]string{1: "mpls", 2: "ip", 3: "ila", 4: "ip6", 5: "seg6", 6: "bpf", 7: "seg6local", 8: "rpl", 9: "ioam6", 10: "xfrm"} // LWTUNNEL_ENCAP_*
	kind := fmt.Sprint(h.nh.Encap)
	if int(h.nh.Encap) < len(kinds) {
		kind = kinds[h.nh.Encap]
	}
	tr.doubt(r, "route", Doubt{Object: "encapsulation " + kind, Text: fmt.Sprintf("the route wraps packets up (encap %s), and what becomes of them is not modelled", kind), Resolve: "a probe"}, true)
}

// filters doubts where filters of tc see packets: at clsact both what comes and what goes, at ingress what comes.
func (s *search) filters(r *room, dev *state.Link, tr *trail, side string) {
	for i := range r.Qdiscs {
		q := &r.Qdiscs[i]
		if q.Link != dev.Name || len(q.Filters) == 0 || slices.Contains(dev.BPF, q.Kind) || q.Kind != "clsact" && (q.Kind != "ingress" || side != "ingress") {
			continue
		}
		tr.doubt(r, "link", Doubt{
			Object: "filters of tc on " + dev.Name, Text: fmt.Sprintf("filters of tc (%s) on %s decide", strings.Join(q.Filters, ", "), dev.Name),
			Resolve: fmt.Sprintf("tc filter show dev %s %s, or a probe", dev.Name, side),
		}, true)
	}
}
