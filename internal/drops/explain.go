package drops

import "warren/reach"

// Explain says what a drop means: a reason code where the kernel's reason and function tell one, and a sentence. Both are
// empty when they do not tell.
func (e Event) Explain() (reach.Code, string) {
	switch e.Reason {
	case "NETFILTER_DROP":
		return reach.FilterDrop, "a rule of the firewall dropped it"
	case "IP_RPFILTER":
		return reach.RPFilter, "the way back to its source does not lead over the device it came by (rp_filter)"
	case "IP_LOCAL_SOURCE":
		return reach.MartianOwnSource, "its source is an address of the receiver itself"
	case "IP_LOCALNET":
		return reach.Localnet, "it has an address of 127.0.0.0/8 and did not come over lo"
	case "IP_INADDRERRORS":
		return reach.ForwardingDisabled, "it is for somebody else, and the namespace does not forward"
	case "IP_INNOROUTES", "IP_OUTNOROUTES":
		return reach.NoRoute, "there is no route to its destination"
	case "NO_SOCKET":
		return reach.NoListener, "nobody listens there"
	case "OTHERHOST":
		return reach.StaleNeighbour, "it was sent to the MAC of somebody else: the sender's neighbour entry is old or wrong"
	case "NEIGH_FAILED":
		return reach.NeighbourFailed, "nobody answered who has the address of the next hop"
	case "BRIDGE_INGRESS_STP_STATE":
		return reach.PortNotForwarding, "the bridge port is not in the state forwarding"
	case "NO_TX_TARGET":
		return "", "the bridge or tunnel has nobody to send it to"
	case "VXLAN_VNI_NOT_FOUND":
		return reach.VXLANVNI, "no vxlan device has its VNI"
	case "PKT_TOO_BIG":
		return reach.MTUExceeded, "it is larger than the next link's MTU and must not be fragmented"
	case "QDISC_DROP":
		return "", "the device does not send: it or the one below it is down, or its queue is full"
	case "IP_INHDR":
		return reach.TTLExceeded, "its time to live is over, or its header is wrong"
	case "IPV6DISABLED":
		return reach.IPv6Disabled, "IPv6 is disabled on the device"
	case "ARP_PROXY_IGNORED", "UNICAST_IN_L2_MULTICAST":
		return "", "it is ignored by the device's settings"
	}
	return e.byFunction()
}

// byFunction explains drops that have no reason of their own by the function that made them.
func (e Event) byFunction() (reach.Code, string) {
	switch e.Function {
	case "__dev_forward_skb2", "veth_xmit", "__dev_forward_skb":
		return "", "the other end of the cable is down, or it is larger than that end's MTU"
	case "br_dev_queue_push_xmit", "br_nf_dev_queue_xmit":
		return reach.MTUBridgePort, "it is larger than the bridge port's MTU"
	case "br_handle_frame_finish", "br_forward", "__br_forward":
		return "", "the bridge does not send it on: an isolated port, no hairpin, or the port of its destination is gone"
	case "veth_xdp_rcv_skb", "veth_xdp_rcv_one", "do_xdp_generic":
		return "", "an XDP program dropped it"
	case "ip_error":
		return "", "the route for it is a blackhole, prohibited or unreachable"
	case "neigh_invalidate", "ndisc_error_report", "arp_error_report":
		return reach.NeighbourFailed, "nobody answered who has the address of the next hop"
	}
	return "", ""
}

// Harmless reports a drop that means nothing: the kernel's way to put away a packet that did its work, or one that nobody
// was meant to get.
func (e Event) Harmless() bool {
	switch e.Reason {
	case "CONSUMED", "NOT_DROPPED_YET", "QUEUE_PURGE", "DEV_READY", "SOCKET_CLOSE", "TCP_RESET": // the last is a reset that was taken
		return true
	}
	switch e.Function {
	case "ping_rcv": // an echo reply that a raw socket took
		return true
	case "inet_sock_destruct", "skb_queue_purge", "sk_stream_kill_queues": // before Linux 6.8 the reason does not tell
		return true
	case "ip6_mc_input", "igmp_rcv", "igmpv6_rcv", "mld_sendpack", "ipv6_mc_dad_complete", "skb_queue_purge_reason", "__skb_queue_purge", "unix_release_sock",
		"netlink_broadcast_filtered", "netlink_unicast", "unix_dgram_sendmsg", "packet_rcv", "tpacket_rcv", "icmp_rcv":
		return true
	}
	p := e.Packet
	switch {
	case p.EtherType == 0 && e.Link == "": // not a packet of a network: unix sockets, netlink
		return true
	case !p.Src.Addr().IsValid() && p.EtherType != etherIPv4 && p.EtherType != etherIPv6 && p.EtherType != etherARP:
		return true
	case p.Dst.Addr().IsMulticast():
		// To groups that nobody there is in. What rules and broken bridges do to neighbour solicitations does matter.
		switch e.Reason {
		case "NOT_SPECIFIED", "NO_TX_TARGET", "IP_INNOROUTES", "IP_INADDRERRORS", "NO_SOCKET", "UNHANDLED_PROTO":
			return true
		}
	}
	return false
}
