package kernel

import (
	"slices"

	"warren/state"
)

// forwardingKeys are the sysctls that decide where a packet goes, and who is answered: those that belong to a whole namespace.
// Each that has to be looked up below /proc/sys costs some 7 us, so what only limits rates or writes to the log is not among
// them, and of what cannot matter in a namespace, such as settings of bridges where there is none, nothing is read. Those of
// single links come with the links (state.Link.IPv4 and IPv6). See ip-sysctl.rst and nf_conntrack-sysctl.rst of the kernel's
// documentation. parts is what was read of c before: what was not read is taken to be there.
func forwardingKeys(c *state.Contents, parts state.Parts) []string {
	keys := []string{
		"net/ipv4/ip_forward",
		"net/ipv4/ip_default_ttl",
		"net/ipv4/ip_forward_use_pmtu",
		"net/ipv4/ip_no_pmtu_disc",
		"net/ipv4/ip_nonlocal_bind",
		"net/ipv4/ping_group_range",
		"net/ipv4/fwmark_reflect",
		"net/ipv4/icmp_echo_ignore_all",
		"net/ipv4/icmp_echo_ignore_broadcasts",
		"net/ipv4/tcp_fwmark_accept",
		"net/ipv4/conf/all/accept_local",
		"net/ipv4/conf/all/arp_announce",
		"net/ipv4/conf/all/arp_filter",
		"net/ipv4/conf/all/arp_ignore",
		"net/ipv4/conf/all/drop_unicast_in_l2_multicast",
		"net/ipv4/conf/all/forwarding",
		"net/ipv4/conf/all/ignore_routes_with_linkdown",
		"net/ipv4/conf/all/proxy_arp",
		"net/ipv4/conf/all/proxy_arp_pvlan",
		"net/ipv4/conf/all/route_localnet",
		"net/ipv4/conf/all/rp_filter",
		"net/ipv4/conf/all/send_redirects",
		"net/ipv4/conf/all/src_valid_mark",
		"net/ipv4/conf/default/forwarding",
		"net/ipv4/conf/default/rp_filter",
		"net/ipv6/conf/all/disable_ipv6",
		"net/ipv6/conf/all/forwarding",
		"net/ipv6/conf/all/proxy_ndp",
		"net/ipv6/fwmark_reflect",
		"net/ipv6/ip_nonlocal_bind",
		"net/ipv6/icmp/echo_ignore_all",
		"net/ipv6/icmp/echo_ignore_multicast",
	}
	kind := func(kind string) bool {
		return !parts.Has(state.PartLinks) || slices.ContainsFunc(c.Links, func(l state.Link) bool { return l.Kind == kind })
	}
	if kind("vrf") {
		keys = append(keys, "net/ipv4/tcp_l3mdev_accept", "net/ipv4/udp_l3mdev_accept", "net/ipv4/raw_l3mdev_accept")
	}
	if kind("bridge") {
		keys = append(keys, "net/bridge/bridge-nf-call-arptables", "net/bridge/bridge-nf-call-ip6tables",
			"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-filter-vlan-tagged")
	}
	if !parts.Has(state.PartRoutes) || slices.ContainsFunc(c.Routes, forks) {
		keys = append(keys, "net/ipv4/fib_multipath_hash_policy", "net/ipv4/fib_multipath_use_neigh", "net/ipv6/fib_multipath_hash_policy")
	}
	return keys
}

// looked says by which parts it is decided what cannot matter in a namespace: by those that are read, where everything is read
// as it is; by none where single namespaces are, for the reader may ask what would be if they had a bridge.
func (o *observation) looked(parts state.Parts) state.Parts {
	if !o.query.Everywhere {
		return 0
	}
	return parts
}

// forks reports whether a route may lead more than one way.
func forks(r state.Route) bool { return len(r.NextHops) > 1 || r.NextHopID != 0 }

// conntrackKeys are the sysctls of the tracking of connections, which only rules switch on.
func conntrackKeys(c *state.Contents, parts state.Parts) []string {
	const rules = state.PartFirewall | state.PartXTables
	if parts.Has(rules) && !parts.Has(state.PartConntrack) && len(c.Tables) == 0 && len(c.XTables) == 0 {
		return nil
	}
	return []string{
		"net/netfilter/nf_conntrack_max",
		"net/netfilter/nf_conntrack_tcp_be_liberal",
		"net/netfilter/nf_conntrack_tcp_loose",
	}
}
