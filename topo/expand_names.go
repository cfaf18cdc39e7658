package topo

import (
	"net/netip"
	"slices"
)

// names fills the hosts files: every node under NODE and NODE.NET, the host where an uplink leads to it, and what the nodes
// want besides.
func (e *expander) names(x *Expanded) {
	for _, r := range e.nodes {
		for _, p := range r.plugs {
			if p.wire.NoDNS {
				continue
			}
			for _, a := range p.addrs {
				x.Hosts = append(x.Hosts, HostsEntry{Addr: a.Addr(), Names: []string{r.Name, r.Name + "." + p.wire.Name}})
			}
		}
	}
	for _, w := range e.nets {
		if w.NoDNS {
			continue
		}
		for _, a := range w.hostAddr {
			x.Hosts = append(x.Hosts, HostsEntry{Addr: a, Names: []string{"host", "host." + w.Name}})
		}
	}
	for _, r := range e.nodes {
		for _, h := range r.Hosts {
			for _, a := range h.Addr {
				x.Hosts = append(x.Hosts, HostsEntry{Addr: a, Names: []string{h.Name}, Node: r.Name})
			}
		}
		if len(r.DNS) > 0 {
			x.Resolv = append(x.Resolv, ResolvEntry{Node: r.Name, Servers: r.DNS})
		}
	}
}

// services lists them in an order in which each comes after those that it waits for.
func (e *expander) services(x *Expanded) {
	nodes := make(map[string]*Node, len(e.nodes))
	for _, r := range e.nodes {
		nodes[r.Name] = r.Node
	}
	all := map[string]ServiceInfo{}
	var keys []string
	for _, r := range e.nodes {
		for _, s := range r.Services {
			info := ServiceInfo{
				Key: r.Name + "/" + s.Name, Node: r.Name, NS: r.ns, Name: s.Name, Argv: s.Cmd.Args(), Ready: s.Ready, Env: s.Env,
				Dir: s.Dir, User: s.User, Stop: s.Stop, Logs: s.Logs,
			}
			for _, a := range s.After {
				on, _ := afterKeys(nodes, r.Node, s, a)
				for _, k := range on {
					if !slices.Contains(info.After, k) {
						info.After = append(info.After, k)
					}
				}
			}
			all[info.Key] = info
			keys = append(keys, info.Key)
		}
	}
	placed := map[string]bool{}
	var place func(key string)
	place = func(key string) {
		if placed[key] {
			return
		}
		placed[key] = true
		for _, k := range all[key].After {
			place(k)
		}
		x.Services = append(x.Services, all[key])
	}
	for _, k := range keys {
		place(k)
	}
}

// AddrOf is the address of a node as seen from another: on the net that is asked for, else on one that both are on, else the
// first. from may be "" or "host", node may be "host". A family of 0 prefers IPv4.
func (x *Expanded) AddrOf(from, node, net string, family int) (netip.Addr, bool) {
	families := []int{4, 6}
	if family != 0 {
		families = []int{family}
	}
	for _, f := range families {
		first := netip.Addr{}
		for _, a := range x.addrs(node) {
			addr := a.Prefix.Addr()
			if addr.Is4() != (f == 4) || net != "" && a.Net != net {
				continue
			}
			if slices.ContainsFunc(x.addrs(from), func(b NodeAddr) bool { return b.Net == a.Net }) {
				return addr, true
			}
			if !first.IsValid() {
				first = addr
			}
		}
		if first.IsValid() {
			return first, true
		}
	}
	return netip.Addr{}, false
}

// addrs are the addresses of a node, or of the host at its uplinks.
func (x *Expanded) addrs(node string) []NodeAddr {
	if node == "host" {
		var out []NodeAddr
		for _, u := range x.Uplinks {
			for i, g := range u.Gateways {
				out = append(out, NodeAddr{Net: u.Net, Link: u.Bridge, Prefix: netip.PrefixFrom(g, u.Prefixes[i].Bits())})
			}
		}
		return out
	}
	if n := x.Node(node); n != nil {
		return n.Addrs
	}
	return nil
}
