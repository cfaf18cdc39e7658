package warren

import (
	"net/netip"
	"os"
	"slices"
	"strings"

	"warren/internal/lab"
	"warren/internal/wayout"
	"warren/state"
	"warren/topo"
)

// writeNames writes the hosts and resolv.conf files of a lab: one pair for all nodes, and one for each node that has
// lines of its own.
func writeNames(dir lab.Dir, x *topo.Expanded, host *state.Namespace, out wayout.Way) error {
	var way []netip.Addr // resolvers that a node can reach, where the lab has a way out
	if len(x.Uplinks) > 0 && host != nil {
		if way = reachable(machineResolvers(), host); len(way) == 0 {
			way = wayResolvers(out)
		}
	}
	var common []lab.HostsEntry
	own := map[string][]lab.HostsEntry{}
	for _, h := range x.Hosts {
		e := lab.HostsEntry{Addr: h.Addr, Names: h.Names}
		if h.Node == "" {
			common = append(common, e)
		} else {
			own[h.Node] = append(own[h.Node], e)
		}
	}
	resolvers := map[string][]netip.Addr{}
	for _, r := range x.Resolv {
		resolvers[r.Node] = r.Servers
	}
	if err := dir.WriteHosts("", lab.HostsText(common)); err != nil {
		return err
	}
	// Without a server a lookup of a name that is not in the hosts file fails at once, instead of waiting for one that no
	// node can reach.
	if err := dir.WriteResolv("", lab.ResolvText(way, nil)); err != nil {
		return err
	}
	had, err := dir.OwnEtc()
	if err != nil {
		return err
	}
	for _, node := range had {
		if len(own[node]) > 0 || len(resolvers[node]) > 0 {
			continue
		}
		if err := dir.RemoveEtc(node); err != nil {
			return err
		}
	}
	for _, n := range x.Nodes {
		lines, servers := own[n.Name], resolvers[n.Name]
		if len(lines) == 0 && len(servers) == 0 {
			continue
		}
		if err := dir.WriteHosts(n.Name, lab.HostsText(slices.Concat(common, lines))); err != nil {
			return err
		}
		if len(servers) == 0 {
			continue
		}
		if err := dir.WriteResolv(n.Name, lab.ResolvText(servers, nil)); err != nil {
			return err
		}
	}
	return nil
}

// hostsFor is what a node's hosts file says.
func hostsFor(x *topo.Expanded, node string) map[string][]netip.Addr {
	names := map[string][]netip.Addr{"localhost": {netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}}
	for _, h := range x.Hosts {
		if h.Node == "" || h.Node == node {
			for _, n := range h.Names {
				names[n] = append(names[n], h.Addr)
			}
		}
	}
	return names
}

// resolversFor are the resolvers that a program in the node asks.
func resolversFor(dir lab.Dir, node string) []netip.Addr {
	if path := dir.ResolvPath(node); path != "" {
		return readResolvers(path)
	}
	return machineResolvers()
}

// machineResolvers are the resolvers that this machine asks. Where a local one stands between (systemd-resolved), those
// that it asks: nobody listens on a node's loopback.
func machineResolvers() []netip.Addr {
	servers := readResolvers("/etc/resolv.conf")
	if slices.ContainsFunc(servers, netip.Addr.IsLoopback) {
		servers = readResolvers("/run/systemd/resolve/resolv.conf")
	}
	return slices.DeleteFunc(servers, netip.Addr.IsLoopback)
}

// reachable leaves out servers that the host has no route to.
func reachable(servers []netip.Addr, host *state.Namespace) []netip.Addr {
	return slices.DeleteFunc(servers, func(a netip.Addr) bool {
		return !slices.ContainsFunc(host.Routes, func(r state.Route) bool {
			return r.TypeName() == "unicast" && r.Dst.Contains(a.WithZone(""))
		})
	})
}

// readResolvers reads a resolv.conf(5); one that is not there names nobody.
func readResolvers(path string) []netip.Addr {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(f[1]); err == nil {
			out = append(out, a)
		}
	}
	return out
}
