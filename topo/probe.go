package topo

import (
	"fmt"
	"net/netip"
	"strings"

	"warren/state"
)

// A Probe is one thing to try for a check, with all names resolved.
type Probe struct {
	From string `json:"from"` // node or "host"
	NS   string `json:"ns"`   // key of the namespace to try it from
	Verb string `json:"verb"`
	MTU  uint32 `json:"mtu,omitempty"`
	// To is the target's name as the file has it, for people.
	To string `json:"to"`
	// Addr is where to send; of http and dns it is zero when the name is none of the lab's: then the node's own hosts file and
	// resolver say. Its port is 0 for ping and mtu.
	Addr netip.AddrPort `json:"addr,omitzero"`
	URL  string         `json:"url,omitempty"`  // of http
	Name string         `json:"name,omitempty"` // of dns: to look up
	Over int            `json:"over,omitempty"` // 4, 6, or 0
	// Via is an address of each family of the node that the packets must pass.
	Via []netip.Addr `json:"via,omitempty"`
}

// Probes writes a check out: one probe for each pair of nodes that it speaks about. A check of several holds when every one
// of them does as it says.
func (x *Expanded) Probes(c Check) ([]Probe, error) {
	var out []Probe
	for _, from := range x.sources(c) {
		p := Probe{From: from, NS: state.HostNS, Verb: c.Verb, MTU: c.MTU, Over: c.Over}
		if n := x.Node(from); n != nil {
			p.NS = n.NS
		}
		if c.Via != "" {
			for _, a := range x.addrs(c.Via) {
				p.Via = append(p.Via, a.Prefix.Addr())
			}
		}
		switch {
		case c.Target.All:
			for _, to := range x.members(c.On) {
				if to == from || len(x.addrs(to)) == 0 {
					continue
				}
				one := p
				if err := x.aim(&one, c, Target{Name: to, Port: c.Target.Port, Path: c.Target.Path}); err != nil {
					return nil, err
				}
				out = append(out, one)
			}
		case c.Target.Name == from && c.From != from:
			// "lan can ping r": r itself is left out
		default:
			if err := x.aim(&p, c, c.Target); err != nil {
				return nil, err
			}
			out = append(out, p)
		}
	}
	return out, nil
}

// sources are the nodes that a check starts from.
func (x *Expanded) sources(c Check) []string {
	switch {
	case c.From == "all":
		return x.members(c.On)
	case c.From == "host" || x.Node(c.From) != nil:
		return []string{c.From}
	default:
		return x.members(c.From)
	}
}

// members are the nodes on a net, or all nodes, in order of mention.
func (x *Expanded) members(net string) []string {
	for _, n := range x.Nets {
		if n.Name == net {
			return n.Members
		}
	}
	var out []string
	if net == "" && x.Source != nil {
		for _, n := range x.Source.Nodes {
			out = append(out, n.Name)
		}
	}
	return out
}

// aim resolves the target.
func (x *Expanded) aim(p *Probe, c Check, t Target) error {
	p.To = t.String()
	if c.Verb == "dns" {
		p.Name = t.Name
		return nil
	}
	port := t.Port
	if c.Verb == "http" && port == 0 {
		port = 80
	}
	host := t
	if t.URL != "" {
		rest, _, _ := strings.Cut(strings.TrimPrefix(t.URL, "http://"), "/")
		u, err := splitTarget(rest, "http")
		if err != nil {
			return err
		}
		if host = u; u.Port != 0 {
			port = u.Port
		} else {
			port = 80
		}
	}
	addr := host.Addr
	if !addr.IsValid() {
		name, net, dotted := strings.Cut(host.Name, ".")
		if !dotted {
			net = c.On
		}
		a, ok := x.AddrOf(p.From, name, net, c.Over)
		if !ok && (c.Verb != "http" || x.Node(name) != nil || name == "host") {
			return fmt.Errorf("check %q: %s has no address that %s could use", c.Text, host.Name, p.From)
		}
		addr = a
	}
	if addr.IsValid() {
		p.Addr = netip.AddrPortFrom(addr, port)
	}
	if c.Verb == "http" {
		p.URL = t.URL
		if p.URL == "" {
			path := t.Path
			if path == "" {
				path = "/"
			}
			p.URL = "http://" + netipJoin(hostText(host.Name, host.Addr), port) + path
		}
	}
	return nil
}
