package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"warren/reach/filter"
	"warren/state"
)

// oldConnections looks whether a connection that conntrack remembers goes another way than a new one would: its packets
// follow what was decided when it began, whatever the rules say now. A sender whose socket is still open on that
// connection's port meets that; others are only told.
func oldConnections(s *state.Snapshot, f *Flow, o *outcome, missing *Missing) {
	if f.Proto != filter.UDP || f.SrcPort != 0 || o.state() != Yes {
		return
	}
	from, err := netip.ParseAddr(o.from)
	if err != nil {
		return
	}
	for _, key := range o.used {
		ns := s.Namespace(key)
		for i := range ns.Conntrack {
			c := &ns.Conntrack[i]
			if c.Proto != filter.UDP || c.Original.Src != from || c.Original.Dst != f.Dst || c.Original.DPort != f.Port {
				continue
			}
			g := *f
			g.SrcPort = c.Original.SPort
			alt := walkOnce(s, &g, missing, nil)
			w, unknown := alt.first()
			if w == nil || unknown {
				continue
			}
			open := openOn(s.Namespace(f.Source), g.SrcPort)
			u := trouble{reason: staleReason(ns, c, w, open), step: -1}
			u.reason.note = !open
			o.request.troubles = append([]trouble{u}, o.request.troubles...)
			return
		}
	}
}

// openOn reports whether a UDP socket of the namespace has that port.
func openOn(ns *state.Namespace, port uint16) bool {
	return slices.ContainsFunc(ns.Sockets, func(s state.Socket) bool { return s.Protocol == "udp" && s.Local.Port() == port })
}

func staleReason(ns *state.Namespace, c *state.Conn, w *Reason, open bool) *Reason {
	r := room{Namespace: ns}
	who := "packets from that port"
	if open {
		who = "the socket that is open on that port"
	}
	return &Reason{
		Code: StaleConntrack, Namespace: r.name(), Object: fmt.Sprintf("conntrack udp %s:%d > %s:%d", c.Original.Src, c.Original.SPort, c.Original.Dst, c.Original.DPort),
		Text: fmt.Sprintf("conntrack in %q remembers a connection from port %d that began under other rules; new ones pass, %s ends with %s: %s", r.name(), c.Original.SPort, who, w.Code, w.Text),
		Facts: facts(fact("CTNETLINK", "original %s:%d > %s:%d, reply %s:%d > %s:%d", c.Original.Src, c.Original.SPort, c.Original.Dst, c.Original.DPort,
			c.Reply.Src, c.Reply.SPort, c.Reply.Dst, c.Reply.DPort)),
		Fix: fix(r.in("conntrack -D -p udp -s %s --sport %d -d %s --dport %d", c.Original.Src, c.Original.SPort, c.Original.Dst, c.Original.DPort), "# or let the program use another source port"),
	}
}
