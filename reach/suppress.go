package reach

import (
	"fmt"
	"net/netip"
	"slices"

	"warren/state"
)

// answersItself is what a bridge does with a question for a neighbour that it may answer out of its own table, or keep from
// some of its ports (br_do_proxy_suppress_arp, br_do_suppress_nd). in is nil for questions of its own namespace.
func (s *search) answersItself(r *room, br, in *state.Link, f *frame, tr *trail) {
	f.answered = false
	ip, ok := f.asks()
	if !ok || noARP(br) {
		return
	}
	ports := r.ports(br)
	suppress := slices.ContainsFunc(ports, func(p *state.Link) bool { return on(portOf(p).NeighSuppress, false) })
	proxied := slices.ContainsFunc(ports, func(p *state.Link) bool { return on(portOf(p).ProxyARP, false) })
	if !suppress && !proxied || suppress && in != nil && on(portOf(in).NeighSuppress, false) {
		return
	}
	if suppress && r.ownsOn(br.Name, ip) != nil {
		f.answered = true
		return
	}
	n, _ := r.neighbor(br, ip)
	if n == nil || n.MAC.IsZero() || !validCache(n.State) && n.State != "permanent" && n.State != "noarp" {
		return
	}
	port, _ := r.lookFDB(br, &frame{dst: n.MAC, bvlan: f.bvlan, ip: f.ip})
	if port == nil {
		return
	}
	answers := in != nil && on(portOf(in).ProxyARP, false) || on(portOf(port).NeighSuppress, false)
	f.answered = answers || suppress
	if !answers {
		return
	}
	if s.t.depth <= 3 && s.t.heldBy(r, br, n.MAC, ip) {
		f.answered = false // who is asked would say the same
		return
	}
	tr.doubt(r, "bridge", Doubt{
		Object: "neighbour " + ip.String() + " dev " + br.Name,
		Text:   fmt.Sprintf("%s answers for others (neigh_suppress, proxy_arp), and thinks that %s is at %s, which does not have it", br.Name, ip, n.MAC), Resolve: "a probe",
	}, true)
}

// asks returns the address that a frame asks for, when it is an ARP request or a neighbour solicitation.
func (f *frame) asks() (netip.Addr, bool) {
	if f.arp != nil && f.arp.Op == 1 {
		return f.arp.Target, true
	}
	return f.target, f.target.IsValid()
}
