package warren

import (
	"net/netip"
	"os"
	"slices"
	"strings"

	"warren/internal/lab"
	"warren/topo"
)

// writeNames writes the hosts and resolv.conf files of a lab: one pair for all nodes, and one for each node that has
// lines of its own.
func writeNames(dir lab.Dir, x *topo.Expanded) error {
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
	if len(x.Uplinks) == 0 {
		// No way out: without this every lookup of a name that is not in the hosts file would wait for a resolver that no
		// node can reach. With an uplink the machine's own file holds.
		if err := dir.WriteResolv("", lab.ResolvText(nil, nil)); err != nil {
			return err
		}
	}
	for _, n := range x.Nodes {
		lines, servers := own[n.Name], resolvers[n.Name]
		if len(lines) == 0 && len(servers) == 0 {
			if err := dir.RemoveEtc(n.Name); err != nil {
				return err
			}
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

// resolversFor are the resolvers that a program in the node asks: the node's, or with a way out the machine's.
func resolversFor(x *topo.Expanded, node string) []netip.Addr {
	for _, r := range x.Resolv {
		if r.Node == node && len(r.Servers) > 0 {
			return r.Servers
		}
	}
	if len(x.Uplinks) == 0 {
		return nil
	}
	data, err := os.ReadFile("/etc/resolv.conf")
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
