package reach

// linkReasons explains the codes of links, bridges and neighbours.
func linkReasons() []Explanation {
	return []Explanation{
		{
			Code: LinkDown, Means: "The namespace's own link is down; its routes went with it.",
			Looks: `"Network is unreachable".`, See: "`ip link`",
			Fix: "`ip link set DEV up`, and set the routes again",
		},
		{
			Code: PeerDown, Means: "The other end of the veth (or the macvlan that is meant) is down.",
			Looks: `"Host Unreachable"; NO-CARRIER on this side.`, See: "`ip link` in the other namespace",
			Fix: "`ip link set PEER up` there",
		},
		{
			Code: ParentDown, Means: "The link that a macvlan or VLAN sits on is down.",
			Looks: "Silence; the child shows LOWERLAYERDOWN.", See: "`ip link` in the parent's namespace",
			Fix: "`ip link set PARENT up`",
		},
		{
			Code: BridgeDown, Means: "The bridge device is down, and its ports pass nothing.",
			Looks: `"Host Unreachable".`, See: "`ip link show type bridge`; `bridge link` shows state disabled",
			Fix: "`ip link set BR up`",
		},
		{
			Code: LoopbackDown, Means: "lo is down: neither 127.0.0.1 nor any own address can be reached from inside.",
			Looks: "Silence, for the own addresses too.", See: "`ip link show lo`",
			Fix: "`ip link set lo up`",
		},
		{
			Code: NotEnslaved, Means: "The cable's end in the switch's namespace is in no bridge.",
			Looks: `"Host Unreachable".`, See: "`bridge link`",
			Fix: "`ip link set PORT master BR`",
		},
		{
			Code: AddressOnBridgePort, Means: "The address is on a port of a bridge instead of on the bridge: the answer leaves by the port and its neighbour is never found.",
			Looks: "Requests arrive, answers do not come.", See: "`ip address`, `bridge link`",
			Fix: "move the address to the bridge",
		},
		{
			Code: PortNotForwarding, Means: "The port is disabled, blocking, or still listening or learning because of spanning tree.",
			Looks: "Silence, or for 15 to 30 s after a port came up.", See: "`bridge link`",
			Fix: "`stp_state 0`, or wait; `bridge link set dev PORT state 3`",
		},
		{
			Code: PortIsolated, Means: "Both ports are isolated: they reach the bridge, not each other.",
			Looks: `"Host Unreachable" among neighbours.`, See: "`bridge -d link`",
			Fix: "`bridge link set dev PORT isolated off`",
		},
		{
			Code: PortLocked, Means: "The port is locked and does not know the sender (802.1X).",
			Looks: "Silence.", See: "`bridge -d link`, `bridge fdb`",
			Fix: "`locked off`, or a static entry",
		},
		{
			Code: FloodOff, Means: "The bridge does not know the station, and the port gets no unknown (or broadcast, multicast) frames.",
			Looks: `"Host Unreachable", or only the first packets are lost.`, See: "`bridge -d link`",
			Fix: "`bridge link set dev PORT flood on` (`bcast_flood`, `mcast_flood`)",
		},
		{
			Code: StaleFDB, Means: "The bridge has learned the station behind a port where it is no more, or somebody made an entry that is wrong (of a vxlan, too).",
			Looks: "Silence until the entry is too old, or the station sends.", See: "`bridge fdb`",
			Fix: "`bridge fdb del MAC dev PORT master`",
		},
		{
			Code: HairpinOff, Means: "The frame would have to leave by the port that it came in by.",
			Looks: "A container cannot reach its own published port.", See: "`bridge -d link`",
			Fix: "`bridge link set dev PORT hairpin on`",
		},
		{
			Code: VLANNoPVID, Means: "The bridge filters VLANs and the port has none for untagged frames.",
			Looks: `"Host Unreachable".`, See: "`bridge vlan`",
			Fix: "`bridge vlan add dev PORT vid N pvid untagged`",
		},
		{
			Code: VLANMismatch, Means: "A port is not in the frame's VLAN.",
			Looks: `"Host Unreachable".`, See: "`bridge vlan`",
			Fix: "`bridge vlan add dev PORT vid N`",
		},
		{
			Code: NeighbourFailed, Means: "Nobody on the segment has the address.",
			Looks: `"Destination Host Unreachable" from the own address after 3 s.`, See: "`ip neigh` shows FAILED",
			Fix: "set the address, or send to one that exists",
		},
		{
			Code: GatewayUnanswered, Means: "Nobody on the segment has the gateway's address, and nobody answers for it.",
			Looks: `"Destination Host Unreachable".`, See: "`ip route`, `ip neigh`",
			Fix: "set the gateway's address on the other side (or proxy_arp there)",
		},
		{
			Code: StaleNeighbour, Means: "The neighbour table holds a link-layer address that its owner has changed.",
			Looks: "Silence for up to a minute.", See: "`ip neigh`, `ip link` on the other side",
			Fix: "`ip neigh del IP dev DEV`",
		},
		{
			Code: NeighbourMACMismatch, Means: "A permanent entry leads to nobody.",
			Looks: "Silence.", See: "`ip neigh show nud permanent`",
			Fix: "`ip neigh replace IP lladdr MAC dev DEV`",
		},
		{
			Code: DuplicateAddress, Means: "Several on the segment answer for the address; the first answer wins.",
			Looks: "It works now and then, or the wrong one answers.", See: "`arping -D`, `ip address` everywhere",
			Fix: "take it off one of them",
		},
		{
			Code: ProxyARPNoRoute, Means: "proxy_arp is on, but there is no route to the address that is asked for, so that there is no answer.",
			Looks: `"Host Unreachable".`, See: "`ip route get ADDRESS` on the proxy",
			Fix: "add the route on the proxy",
		},
		{
			Code: ARPIgnored, Means: "arp_ignore or arp_filter forbids the answer on that device.",
			Looks: `"Host Unreachable", though the address is there.`, See: "`sysctl net.ipv4.conf.all.arp_ignore net.ipv4.conf.DEV.arp_ignore`",
			Fix: "set them to 0",
		},
		{
			Code: ARPFiltered, Means: "A rule of the family arp (or br_netfilter) drops the question or the answer.",
			Looks: `"Host Unreachable".`, See: "`nft list ruleset arp`",
			Fix: "accept ARP there",
		},
		{
			Code: NoARP, Means: "ARP is off on the device: it neither asks nor answers.",
			Looks: `"Host Unreachable".`, See: "`ip link` shows NOARP",
			Fix: "`ip link set DEV arp on`",
		},
		{
			Code: NoLinkLocal, Means: "The device has no link-local address, and IPv6 cannot ask for neighbours with it.",
			Looks: `"Address unreachable".`, See: "`ip -6 address`",
			Fix: "`ip link set DEV addrgenmode eui64`, or add one",
		},
		{
			Code: MACVLANParent, Means: "A macvlan and the namespace of its parent never hear each other. It is so by design.",
			Looks: `"Host Unreachable" for the host's own address only.`, See: "`ip -d link`",
			Fix: "a macvlan on the host's side, too",
		},
		{
			Code: MACVLANMode, Means: "Siblings on one parent hear each other only when both are in mode bridge; one of mode passthru leaves its parent nothing.",
			Looks: `"Host Unreachable" between siblings.`, See: "`ip -d link`",
			Fix: "`ip link set DEV type macvlan mode bridge`",
		},
		{
			Code: MDBSnooping, Means: "The bridge snoops multicast, and neighbour solicitations do not reach who is not known as a member.",
			Looks: "IPv6 fails now and then, IPv4 works.", See: "`bridge mdb`, `ip -d link show BR`",
			Fix: "`ip link set BR type bridge mcast_snooping 0`",
		},
		{
			Code: NDPFiltered, Means: "A rule drops neighbour solicitations or advertisements.",
			Looks: `IPv4 works, IPv6 says "Address unreachable".`, See: "`ip6tables-legacy -S`, `nft list ruleset`",
			Fix: "accept ICMPv6 types 135 and 136",
		},
	}
}
