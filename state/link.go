package state

import "net/netip"

// A Link is a network interface (RTM_NEWLINK, ip-link(8)). In a [Desired] a zero field is not declared.
type Link struct {
	Name  string `json:"name"`
	Kind  string `json:"kind,omitempty"` // IFLA_INFO_KIND: "veth", "bridge", "vxlan", ...; "" for lo and hardware
	Index int    `json:"index,omitempty"`
	// Up is IFF_UP. It is always declared.
	Up bool `json:"up"`
	// Flags are all of ifi_flags as observed (netdevice(7)).
	Flags uint32 `json:"flags,omitempty"`
	// OperState is IFLA_OPERSTATE in RFC 2863's words as ip prints them: "UP", "DOWN", "LOWERLAYERDOWN", "UNKNOWN", ...
	OperState  string `json:"operstate,omitempty"`
	MTU        uint32 `json:"mtu,omitempty"` // bytes
	MAC        MAC    `json:"mac,omitzero"`
	TxQueueLen uint32 `json:"txqueuelen,omitempty"` // packets
	Group      uint32 `json:"group,omitempty"`
	// Promiscuity is IFLA_PROMISCUITY: how many take all frames that come by, a bridge, a macvlan in mode passthru, a capture. Observed only.
	Promiscuity uint32   `json:"promiscuity,omitempty"`
	Alias       string   `json:"alias,omitempty"`    // IFLA_IFALIAS, at most 255 bytes
	AltNames    []string `json:"altnames,omitempty"` // sorted; Linux 5.5
	// NoAddrGen: the link gives itself no IPv6 address (IFLA_INET6_ADDR_GEN_MODE is "none", or it has no IPv6 at all).
	// False is not declared.
	NoAddrGen bool `json:"no_addrgen,omitempty"`
	// Master is the name of the bridge (or bond, VRF) that the link is enslaved to, in the same namespace.
	Master string `json:"master,omitempty"`
	// Peer is the other end of a veth.
	Peer *Peer `json:"peer,omitempty"`
	// Lower is the link that a macvlan, vlan, ipvlan or tunnel sits on.
	Lower *Peer `json:"lower,omitempty"`

	Bridge  *Bridge     `json:"bridge,omitempty"` // kind bridge
	Port    *BridgePort `json:"port,omitempty"`   // when Master is a bridge
	VXLAN   *VXLAN      `json:"vxlan,omitempty"`
	MACVLAN *MACVLAN    `json:"macvlan,omitempty"` // kinds macvlan and macvtap
	IPVLAN  *IPVLAN     `json:"ipvlan,omitempty"`
	VLAN    *VLAN       `json:"vlan,omitempty"`
	Tun     *Tun        `json:"tun,omitempty"`

	// IPv4 and IPv6 are the per-device settings as the link dump carries them (IFLA_AF_SPEC), index = constant of
	// linux/ip.h (IPV4_DEVCONF_*, minus one) and linux/ipv6.h (DEVCONF_*). Observed only.
	IPv4 []int32 `json:"ipv4,omitempty"`
	IPv6 []int32 `json:"ipv6,omitempty"`

	Stats *Stats `json:"stats,omitempty"`
	// MACAssign is IFLA_ADDRESS's origin (NET_ADDR_*): 0 permanent, 1 random, 2 stolen, 3 set by hand. Read from
	// /sys/class/net/DEV/addr_assign_type, where that was asked for.
	MACAssign uint8 `json:"mac_assign,omitempty"`
	// XDP says that a BPF program looks at what comes in: its mode, "driver", "generic", "offload" or "multiple".
	XDP string `json:"xdp,omitempty"`
	// BPF names further BPF programs at the link: "tcx ingress", "tcx egress", "clsact".
	BPF []string `json:"bpf,omitempty"`
	// Thin: it is a veth on a bridge, with its other end in another namespace, of which only Name, Index, Up, Flags, MAC and Master
	// were read. A snapshot that is kept has none.
	Thin bool `json:"-"`
}

// A Peer says where the other end of a link is.
type Peer struct {
	NS    string `json:"ns,omitempty"`   // key of its namespace; "" when not known
	Name  string `json:"name,omitempty"` // "" when not known
	Index int    `json:"index,omitempty"`
	// NSID is the id of the peer's namespace as seen from the link's (IFLA_LINK_NETNSID), -1 when it is the same one.
	NSID int `json:"nsid"`
}

// Bridge holds the attributes of kind bridge (IFLA_BR_*). Nil or zero = not declared.
type Bridge struct {
	STP              *bool  `json:"stp,omitempty"`
	ForwardDelay     uint32 `json:"forward_delay,omitempty"` // centiseconds
	HelloTime        uint32 `json:"hello_time,omitempty"`    // centiseconds
	MaxAge           uint32 `json:"max_age,omitempty"`       // centiseconds
	AgeingTime       uint32 `json:"ageing_time,omitempty"`   // centiseconds
	Priority         uint16 `json:"priority,omitempty"`
	VLANFiltering    *bool  `json:"vlan_filtering,omitempty"`
	VLANProtocol     uint16 `json:"vlan_protocol,omitempty"` // EtherType
	DefaultPVID      uint16 `json:"default_pvid,omitempty"`
	MulticastSnoop   *bool  `json:"mcast_snooping,omitempty"`
	MulticastQuerier *bool  `json:"mcast_querier,omitempty"`
	GroupFwdMask     uint16 `json:"group_fwd_mask,omitempty"`
	NFCallIP         *bool  `json:"nf_call_iptables,omitempty"`
	NFCallIP6        *bool  `json:"nf_call_ip6tables,omitempty"`
	NFCallARP        *bool  `json:"nf_call_arptables,omitempty"`
}

// BridgePort holds a port's attributes (IFLA_BRPORT_*). Nil or zero = not declared.
type BridgePort struct {
	State          *uint8 `json:"state,omitempty"` // 0 disabled 1 listening 2 learning 3 forwarding 4 blocking
	Cost           uint32 `json:"cost,omitempty"`
	Priority       uint16 `json:"priority,omitempty"`
	Hairpin        *bool  `json:"hairpin,omitempty"`
	Guard          *bool  `json:"guard,omitempty"`
	RootBlock      *bool  `json:"root_block,omitempty"`
	FastLeave      *bool  `json:"fastleave,omitempty"`
	Learning       *bool  `json:"learning,omitempty"`
	Flood          *bool  `json:"flood,omitempty"`
	MulticastFlood *bool  `json:"mcast_flood,omitempty"`
	BroadcastFlood *bool  `json:"bcast_flood,omitempty"`
	NeighSuppress  *bool  `json:"neigh_suppress,omitempty"`
	ProxyARP       *bool  `json:"proxy_arp,omitempty"`
	VLANTunnel     *bool  `json:"vlan_tunnel,omitempty"`
	Isolated       *bool  `json:"isolated,omitempty"` // Linux 4.18
	Locked         *bool  `json:"locked,omitempty"`   // Linux 5.18
}

// VXLAN holds the attributes of kind vxlan (IFLA_VXLAN_*).
type VXLAN struct {
	ID             uint32     `json:"id"`
	Local          netip.Addr `json:"local,omitzero"`
	Remote         netip.Addr `json:"remote,omitzero"` // unicast peer or multicast group
	Port           uint16     `json:"port,omitempty"`  // UDP destination
	TTL            uint8      `json:"ttl,omitempty"`
	TOS            uint8      `json:"tos,omitempty"`
	Learning       *bool      `json:"learning,omitempty"`
	Proxy          *bool      `json:"proxy,omitempty"`
	L2Miss         *bool      `json:"l2miss,omitempty"`
	L3Miss         *bool      `json:"l3miss,omitempty"`
	UDPCsum        *bool      `json:"udpcsum,omitempty"`
	UDPZeroCsum6TX *bool      `json:"udp6zerocsumtx,omitempty"`
	UDPZeroCsum6RX *bool      `json:"udp6zerocsumrx,omitempty"`
	DF             uint8      `json:"df,omitempty"`     // 0 unset 1 set 2 inherit
	Ageing         uint32     `json:"ageing,omitempty"` // seconds
	PortMin        uint16     `json:"srcport_min,omitempty"`
	PortMax        uint16     `json:"srcport_max,omitempty"`
	External       *bool      `json:"external,omitempty"`
}

// MACVLAN holds the attributes of kinds macvlan and macvtap.
type MACVLAN struct {
	Mode  string `json:"mode"` // "private", "vepa", "bridge", "passthru", "source"
	Flags uint16 `json:"flags,omitempty"`
	// Sources are the addresses whose frames a device of mode source takes; observed only.
	Sources []MAC `json:"sources,omitempty"`
}

// IPVLAN holds the attributes of kind ipvlan.
type IPVLAN struct {
	Mode  string `json:"mode"`            // "l2", "l3", "l3s"
	Flags uint16 `json:"flags,omitempty"` // 0 bridge, 1 private, 2 vepa
}

// VLAN holds the attributes of kind vlan.
type VLAN struct {
	ID       uint16 `json:"id"`
	Protocol uint16 `json:"protocol,omitempty"` // EtherType, 0x8100 or 0x88a8
	Flags    uint32 `json:"flags,omitempty"`
}

// Tun holds the attributes of kind tun. They can be read but not set through rtnetlink (linux/if_tun.h).
type Tun struct {
	Mode       string  `json:"mode"` // "tun" or "tap"
	Owner      *uint32 `json:"owner,omitempty"`
	GroupID    *uint32 `json:"group,omitempty"`
	PacketInfo bool    `json:"pi,omitempty"`
	VnetHeader bool    `json:"vnet_hdr,omitempty"`
	MultiQueue bool    `json:"multi_queue,omitempty"`
	Persist    bool    `json:"persist,omitempty"`
}

// Stats are a link's counters (IFLA_STATS64).
type Stats struct {
	RxPackets uint64 `json:"rx_packets"`
	RxBytes   uint64 `json:"rx_bytes"`
	RxErrors  uint64 `json:"rx_errors"`
	RxDropped uint64 `json:"rx_dropped"`
	TxPackets uint64 `json:"tx_packets"`
	TxBytes   uint64 `json:"tx_bytes"`
	TxErrors  uint64 `json:"tx_errors"`
	TxDropped uint64 `json:"tx_dropped"`
}
