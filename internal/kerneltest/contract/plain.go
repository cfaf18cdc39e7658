package contract

import (
	"encoding/json"
	"slices"

	"warren/state"
)

// plain is the observed state as text, without what differs between two equal ones (indexes, cookies, counts, generated MAC
// addresses) and without what the kernel makes by itself.
func (w *world) plain(want state.Desired) string {
	w.Helper()
	s := w.observe(want)
	type end struct{ NS, Name string }
	type link struct {
		Name, Kind, Master string
		Up                 bool
		MTU, Group         uint32
		AltNames           []string `json:",omitempty"`
		Peer               *end     `json:",omitempty"`
		Isolated           bool     `json:",omitempty"`
	}
	type space struct {
		Name      string
		Mark      state.Mark
		Links     []link
		Addrs     []state.Addr
		Routes    []state.Route
		Rules     []state.Rule
		Neighbors []state.Neighbor
		Tables    []state.Table
		Sysctls   []state.Sysctl
	}
	var spaces []space
	for i := range s.Namespaces {
		n := &s.Namespaces[i]
		p := space{Name: n.Name, Mark: n.Mark}
		for _, v := range n.Sysctls { // also others are read when it is known what was applied before
			if d := slices.IndexFunc(want.Namespaces, func(x state.DesiredNamespace) bool { return x.Name == n.Name }); d >= 0 {
				if _, asked := want.Namespaces[d].Sysctl(v.Key); asked {
					p.Sysctls = append(p.Sysctls, v)
				}
			}
		}
		for _, l := range n.Links {
			x := link{Name: l.Name, Kind: l.Kind, Master: l.Master, Up: l.Up, MTU: l.MTU, Group: l.Group, AltNames: l.AltNames}
			if l.Peer != nil {
				x.Peer = &end{l.Peer.NS, l.Peer.Name}
			}
			x.Isolated = l.Port != nil && l.Port.Isolated != nil && *l.Port.Isolated
			p.Links = append(p.Links, x)
		}
		for _, a := range n.Addrs {
			if a.Protocol == state.Protocol {
				a.Flags &^= state.AddrTentative | 1 // secondary: by the order of their making
				p.Addrs = append(p.Addrs, a)
			}
		}
		for _, r := range n.Routes {
			if r.Protocol == state.Protocol {
				r.Flags = 0
				for j := range r.NextHops { // with and without a carrier
					r.NextHops[j].Flags = 0
				}
				p.Routes = append(p.Routes, r)
			}
		}
		for _, r := range n.Rules {
			if r.Protocol == state.Protocol {
				p.Rules = append(p.Rules, r)
			}
		}
		for _, e := range n.Neighbors {
			if e.Protocol == state.Protocol {
				p.Neighbors = append(p.Neighbors, e)
			}
		}
		for _, t := range n.Tables {
			p.Tables = append(p.Tables, t.Canonical())
		}
		spaces = append(spaces, p)
	}
	b, err := json.MarshalIndent(spaces, "", " ")
	if err != nil {
		w.Fatalf("%v", err)
	}
	return string(b)
}
