package reach

// pathReasons explains the codes of filters and routes.
func pathReasons() []Explanation {
	return []Explanation{
		{
			Code: FilterDrop, Means: "A rule, or the policy of a chain, drops the packet (nftables or iptables, in either direction).",
			Looks: "Timeouts; of a local output rule EPERM for UDP.", See: "`nft list ruleset` and `iptables-legacy -S` (each shows only its own half); `nft monitor trace`",
			Fix: "accept the flow in that chain, in front of the rule; an accept in another base chain does not help",
		},
		{
			Code: FilterReject, Means: "A rule refuses the packet and tells the sender.",
			Looks: `"Packet filtered", "No route to host", "Connection refused".`, See: "as filter-drop",
			Fix: "allow the flow in that chain",
		},
		{
			Code: ForwardingDisabled, Means: "The namespace is asked to pass a packet on and does not forward: IPv4 by the device that it came in by, IPv6 by `all.forwarding`.",
			Looks: "Silence behind the router.", See: "`sysctl net.ipv4.conf.DEV.forwarding net.ipv6.conf.all.forwarding`",
			Fix: "`sysctl -w net.ipv4.ip_forward=1`, or of IPv6 `net.ipv6.conf.all.forwarding=1`",
		},
		{
			Code: NoRoute, Means: "No rule and no table has a route to the destination.",
			Looks: `"Network is unreachable"; from a router "Destination Net Unreachable".`, See: "`ip route get DST`, `ip rule`",
			Fix: "add a route or a default",
		},
		{
			Code: NoReturnRoute, Means: "The request arrived, and who should answer has no route back. The kernel tells nobody.",
			Looks: "Timeouts, though a capture shows the request arriving.", See: "`ip route get SRC` where the request arrives",
			Fix: "add the route back, or masquerade on the router",
		},
		{
			Code: RouteBlackhole, Means: "A route or rule of type blackhole takes the packet.",
			Looks: `"Invalid argument" locally, silence behind a router.`, See: "`ip route show table all type blackhole`",
			Fix: "remove it",
		},
		{
			Code: RouteUnreachable, Means: "A route or rule of type unreachable takes the packet.",
			Looks: `"No route to host".`, See: "`ip route show table all type unreachable`",
			Fix: "remove it",
		},
		{
			Code: RouteProhibit, Means: "A route or rule of type prohibit takes the packet.",
			Looks: `"Permission denied" locally, "Packet filtered" from a router.`, See: "`ip route show table all type prohibit`",
			Fix: "remove it",
		},
		{
			Code: RouteShadowed, Means: "A route that is more specific, or preferred, sends the packet where nobody has the address, and hides one that would find it.",
			Looks: `"Host Unreachable" for some addresses of a net.`, See: "`ip route get DST`, `ip route show match DST`",
			Fix: "remove the overlapping address or route",
		},
		{
			Code: RuleTableEmpty, Means: "A policy rule matches and its table is empty, so that the look-up goes on with other rules.",
			Looks: "Marked traffic does not take its route.", See: "`ip rule`, `ip route show table N`",
			Fix: "put the route into that table",
		},
		{
			Code: ReplyMisrouted, Means: "The answer leaves by another device than the request came in by, and is lost there.",
			Looks: "One address of a host answers, another does not.", See: "`ip route get SRC from DST` where the request arrives",
			Fix: "a rule before, or a route in the table that is taken",
		},
		{
			Code: RPFilter, Means: "Reverse path filtering: the best way back to the source is not by this device (1), or there is none (2). It looks at ARP requests too.",
			Looks: `Silence, or "Host Unreachable" when it is the ARP request that is refused.`, See: "`sysctl net.ipv4.conf.all.rp_filter net.ipv4.conf.DEV.rp_filter` (the greater counts), `ip route get SRC`",
			Fix: "make the ways agree, or `rp_filter=0` or 2",
		},
		{
			Code: RPFRule, Means: "A rule with `fib saddr . iif` (or the match rpfilter) drops what does not come back the same way.",
			Looks: "Silence for sources of one prefix.", See: "`nft list ruleset | grep fib`",
			Fix: "a route to that source, or an exemption",
		},
		{
			Code: MartianOwnSource, Means: "The packet's source is an address of the receiver, too.",
			Looks: `"Host Unreachable" (the ARP request is refused) or silence.`, See: "`ip address` on both sides",
			Fix: "remove the address that is there twice, or `accept_local=1`",
		},
		{
			Code: MartianAddress, Means: "A source or destination that no packet on a wire may have.",
			Looks: "Silence.", See: "`sysctl net.ipv4.conf.all.log_martians`, kernel log",
			Fix: "send from another address",
		},
		{
			Code: Localnet, Means: "127.0.0.0/8 came in by another device than lo, as after DNAT to 127.0.0.1, or would leave by one, as after DNAT of what goes to 127.0.0.1.",
			Looks: "Silence; \"Invalid argument\" where a socket is bound to such an address.", See: "`sysctl net.ipv4.conf.DEV.route_localnet`",
			Fix: "listen on a real address, or `route_localnet=1`, and masquerade what leaves",
		},
		{
			Code: Loop, Means: "Routers send the packet to each other until its TTL is gone.",
			Looks: `"Time to live exceeded".`, See: "`traceroute`",
			Fix: "correct the route in one of them",
		},
		{
			Code: TTLExceeded, Means: "The TTL (or hop limit) was used up on the way: that of the question, of the sender's route or sysctl, or of a tunnel.",
			Looks: `"Time to live exceeded".`, See: "`traceroute`",
			Fix: "send with a greater TTL",
		},
	}
}
