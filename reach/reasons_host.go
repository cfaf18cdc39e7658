package reach

// hostReasons explains the codes of sizes, tunnels, state and sockets.
func hostReasons() []Explanation {
	return []Explanation{
		{
			Code: MTUPeer, Means: "The other end of the veth has a smaller MTU: what is more than 4 bytes longer vanishes, and nobody is told.",
			Looks: "Small packets pass, large ones vanish.", See: "`ip link` on both sides; `ping -M do -s`",
			Fix: "the same MTU on both ends",
		},
		{
			Code: MTUBridgePort, Means: "The bridge's outgoing port has a smaller MTU. Bridges tell nobody.",
			Looks: "Small packets pass, large ones vanish.", See: "`ip link`; `ping -M do -s`",
			Fix: "the same MTU on all ports",
		},
		{
			Code: MTUExceeded, Means: "The packet does not fit the next link (or what the route says, or what the sender was told before) and must not be fragmented; the sender is told.",
			Looks: `"Message too long", "Frag needed", "Packet too big".`, See: "`tracepath`",
			Fix: "a greater MTU there, or smaller packets",
		},
		{
			Code: PMTUBlackhole, Means: "As mtu-exceeded, but the ICMP error does not come back to the sender.",
			Looks: "Connections open and hang when data flows.", See: "`tracepath`; a capture shows the ICMP error dying",
			Fix: "let ICMP type 3 code 4 (ICMPv6 type 2) pass, or clamp the MSS",
		},
		{
			Code: VXLANVNI, Means: "The two ends of the tunnel have different ids.",
			Looks: `"Host Unreachable" in the overlay.`, See: "`ip -d link show type vxlan`",
			Fix: "the same id",
		},
		{
			Code: VXLANPort, Means: "The two ends of the tunnel use different UDP ports.",
			Looks: `"Host Unreachable" in the overlay.`, See: "`ip -d link show type vxlan`",
			Fix: "the same dstport",
		},
		{
			Code: VXLANRemote, Means: "The remote address exists, and no tunnel was made there; or nobody is in the multicast group that the tunnel sends to.",
			Looks: `"Host Unreachable" in the overlay.`, See: "`ip -d link show type vxlan` at the remote",
			Fix: "make the tunnel there, or correct the remote",
		},
		{
			Code: VXLANNoFDB, Means: "The tunnel does not know where to send: no entry and no default.",
			Looks: `"Host Unreachable" in the overlay.`, See: "`bridge fdb show dev VX`",
			Fix: "`bridge fdb append 00:00:00:00:00:00 dev VX dst REMOTE`",
		},
		{
			Code: VXLANUnderlayNoRoute, Means: "The namespace in which the tunnel was made has no route to the remote.",
			Looks: `"Host Unreachable" in the overlay.`, See: "`ip route get REMOTE` there",
			Fix: "add the route in the underlay",
		},
		{
			Code: NATBypassed, Means: "The answer did not pass where the request was rewritten, or passed unchanged where a rule only wrote into the request, and comes from an address or a port that was not asked.",
			Looks: "Connections are refused or hang; a capture shows the answers. ping counts them, and says DIFFERENT ADDRESS.", See: "`conntrack -L`, a capture at both ends",
			Fix: "masquerade there, or br_netfilter on, so that answers come back by it",
		},
		{
			Code: NATPortsTaken, Means: "NAT has no port left for the connection: others to the same destination hold all that the rule allows.",
			Looks: "Some connections time out, others work; what is there goes on.", See: "`conntrack -L`, `conntrack -S` counts insert_failed",
			Fix: "let the rule use more ports or addresses, or remove connections that are over",
		},
		{
			Code: StaleConntrack, Means: "An old connection's entry decides, though the rules have changed since.",
			Looks: "New rules do not work until the old connection is forgotten.", See: "`conntrack -L`",
			Fix: "`conntrack -D` for that connection",
		},
		{
			Code: CTInvalid, Means: "conntrack saw only one way of the connection and holds its packets for invalid, and a rule drops those.",
			Looks: "`connect` succeeds and no data flows.", See: "`conntrack -E`, `nft monitor trace`",
			Fix: "make both ways pass the router, or do not drop invalid there",
		},
		{
			Code: NoListener, Means: "Nobody listens on that port.",
			Looks: `"Connection refused"; UDP: ICMP port unreachable.`, See: "`ss -lntu` there",
			Fix: "start the service",
		},
		{
			Code: ListenerWrongAddress, Means: "The service listens on another address, often 127.0.0.1.",
			Looks: `"Connection refused".`, See: "`ss -lntup`",
			Fix: "let it listen on that address or on all",
		},
		{
			Code: ListenerWrongDevice, Means: "The service is bound to another device.",
			Looks: `"Connection refused".`, See: "`ss -lntup` shows %DEV",
			Fix: "start it without the device, or on the right one",
		},
		{
			Code: ListenerWrongFamily, Means: "The service listens for the other family only (or :: with v6only).",
			Looks: `"Connection refused" for one family.`, See: "`ss -lntue` shows v6only",
			Fix: "let it listen for both",
		},
		{
			Code: EchoIgnored, Means: "The host answers no echo requests.",
			Looks: "ping times out, TCP works.", See: "`sysctl net.ipv4.icmp_echo_ignore_all net.ipv6.icmp.echo_ignore_all`",
			Fix: "set them to 0",
		},
		{
			Code: ProbePermission, Means: "The user may not send echo requests in that namespace; that says nothing about the path.",
			Looks: `"ping: socket: Operation not permitted".`, See: "`sysctl net.ipv4.ping_group_range`",
			Fix: "widen the range, or give ping its capability",
		},
		{
			Code: SourceNotLocal, Means: "The source address is none of the sender's.",
			Looks: `"Cannot assign requested address".`, See: "`ip address`",
			Fix: "add the address, or name another one",
		},
		{
			Code: NoSourceAddress, Means: "The sender has no usable address for that destination.",
			Looks: `"Cannot assign requested address" or "Network is unreachable".`, See: "`ip address`",
			Fix: "add one",
		},
		{
			Code: RouteDead, Means: "The routes that match lead over links without carrier, and such routes are passed over.",
			Looks: `"Network is unreachable".`, See: "`ip route` shows dead or linkdown",
			Fix: "bring the link up",
		},
		{
			Code: IPv6Disabled, Means: "IPv6 is off on the device; its addresses are gone.",
			Looks: `"Address unreachable" or no route.`, See: "`sysctl net.ipv6.conf.DEV.disable_ipv6`",
			Fix: "set it to 0 and set the addresses again",
		},
		{
			Code: AddressTentative, Means: "Duplicate address detection for the address is not over.",
			Looks: "Silence for a second or two after it was set.", See: "`ip -6 address` shows tentative",
			Fix: "wait, or add with nodad",
		},
		{
			Code: AddressDADFailed, Means: "Duplicate address detection found another owner; the address is not used.",
			Looks: `"Address unreachable".`, See: "`ip -6 address` shows dadfailed",
			Fix: "find the other owner, then add the address again",
		},
	}
}
