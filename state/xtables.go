package state

import "net/netip"

// An XTable is a table of legacy iptables or ip6tables (linux/netfilter_ipv4/ip_tables.h). iptables-nft's tables are nftables'.
type XTable struct {
	IPv6   bool     `json:"ipv6,omitempty"`
	Name   string   `json:"name"`   // "filter", "nat", "mangle", "raw", "security"
	Chains []XChain `json:"chains"` // built-in chains first, in the order of their hooks, then the user's as they lie
}

// Chain returns the chain of that name, or nil.
func (t *XTable) Chain(name string) *XChain {
	for i := range t.Chains {
		if t.Chains[i].Name == name {
			return &t.Chains[i]
		}
	}
	return nil
}

// An XChain is a chain of a legacy table.
type XChain struct {
	Name string `json:"name"`
	// Policy of a built-in chain: "ACCEPT" or "DROP"; "" for a user's chain.
	Policy string `json:"policy,omitempty"`
	// Counter is of a built-in chain's policy.
	Counter Counter `json:"counter,omitzero"`
	Rules   []XRule `json:"rules,omitempty"`
}

// An XRule is a rule: struct ipt_entry or ip6t_entry, its matches and its target.
type XRule struct {
	Src        XPrefix `json:"src,omitzero"`
	Dst        XPrefix `json:"dst,omitzero"`
	In         string  `json:"in,omitempty"` // interface, "eth+" matches by prefix
	Out        string  `json:"out,omitempty"`
	InInverted bool    `json:"in_inverted,omitempty"`
	OutInvert  bool    `json:"out_inverted,omitempty"`
	Proto      uint8   `json:"proto,omitempty"`
	// HasProto: the protocol is compared (0 is a protocol of IPv6).
	HasProto      bool      `json:"has_proto,omitempty"`
	ProtoInverted bool      `json:"proto_inverted,omitempty"`
	Fragment      bool      `json:"fragment,omitempty"` // second and further fragments only
	FragInverted  bool      `json:"fragment_inverted,omitempty"`
	Matches       []XTMatch `json:"matches,omitempty"`
	Target        XTTarget  `json:"target"`
	Counter       Counter   `json:"counter"`
}

// An XPrefix is an address with a mask that need not be a prefix. The zero value compares nothing.
type XPrefix struct {
	Addr     netip.Addr `json:"addr,omitzero"`
	Mask     netip.Addr `json:"mask,omitzero"`
	Inverted bool       `json:"inverted,omitempty"`
}

// An XTMatch is an xtables match. Of the typed fields the one that belongs to Name is set; none is set when the match is not
// understood, and it must then be taken neither for a match nor for none.
type XTMatch struct {
	Name      string       `json:"name"`
	Revision  uint8        `json:"revision,omitempty"`
	Ports     *XTPorts     `json:"ports,omitempty"`     // tcp, udp, sctp
	Multiport *XTMultiport `json:"multiport,omitempty"` // multiport
	Conntrack *XTConntrack `json:"conntrack,omitempty"` // conntrack, state
	Mark      *XTMark      `json:"mark,omitempty"`      // mark, connmark
	AddrType  *XTAddrType  `json:"addrtype,omitempty"`  // addrtype
	ICMP      *XTICMP      `json:"icmp,omitempty"`      // icmp, icmp6
	MAC       *XTMAC       `json:"mac,omitempty"`       // mac
	PhysDev   *XTPhysDev   `json:"physdev,omitempty"`   // physdev
	RPFilter  *XTRPFilter  `json:"rpfilter,omitempty"`  // rpfilter
	IPRange   *XTIPRange   `json:"iprange,omitempty"`   // iprange
	PktType   *XTPktType   `json:"pkttype,omitempty"`   // pkttype
	Length    *XTLength    `json:"length,omitempty"`    // length
	Comment   *string      `json:"comment,omitempty"`   // comment
	Ether     *XTEther     `json:"ether,omitempty"`     // ip, ip6, arp of ebtables
	Set       *XTSet       `json:"set,omitempty"`       // set
	Owner     *XTOwner     `json:"owner,omitempty"`     // owner
	TTL       *XTTTL       `json:"ttl,omitempty"`       // ttl, hl
	TOS       *XTTOS       `json:"tos,omitempty"`       // tos, dscp
	DevGroup  *XTDevGroup  `json:"devgroup,omitempty"`  // devgroup
	Policy    *XTPolicy    `json:"policy,omitempty"`    // policy
	Helper    *XTHelper    `json:"helper,omitempty"`    // helper
	Data      []byte       `json:"data,omitempty"`      // as read, when none of the above
}

// XTPorts of tcp, udp and sctp: ranges, first and last included; 0..65535 compares nothing.
type XTPorts struct {
	Src         [2]uint16 `json:"sport"`
	Dst         [2]uint16 `json:"dport"`
	SrcInverted bool      `json:"sport_inverted,omitempty"`
	DstInverted bool      `json:"dport_inverted,omitempty"`
	// FlagsMask and Flags: TCP flags that are looked at and those that must be set; a mask of 0 compares nothing.
	FlagsMask     uint8 `json:"tcp_flags_mask,omitempty"`
	Flags         uint8 `json:"tcp_flags,omitempty"`
	FlagsInverted bool  `json:"tcp_flags_inverted,omitempty"`
	// Option is a TCP option that must be there; 0 = none.
	Option         uint8 `json:"tcp_option,omitempty"`
	OptionInverted bool  `json:"tcp_option_inverted,omitempty"`
}

// XTMultiport compares ports with up to 15 ranges.
type XTMultiport struct {
	Which    string      `json:"which"` // "source", "destination", "either"
	Ranges   [][2]uint16 `json:"ranges"`
	Inverted bool        `json:"inverted,omitempty"`
}

// XTConntrack compares what conntrack knows. Only what Match names is compared; Invert has the same bits
// (XT_CONNTRACK_*, linux/netfilter/xt_conntrack.h).
type XTConntrack struct {
	// Alias: it was written as "-m state" (XT_CONNTRACK_STATE_ALIAS).
	Alias  bool   `json:"alias,omitempty"`
	Match  uint16 `json:"match"`
	Invert uint16 `json:"invert,omitempty"`
	// States are of "INVALID", "NEW", "ESTABLISHED", "RELATED", "UNTRACKED", "SNAT", "DNAT".
	States []string `json:"states,omitempty"`
	// Status are bits of IPS_*.
	Status     uint16    `json:"status,omitempty"`
	OrigSrc    XPrefix   `json:"orig_src,omitzero"`
	OrigDst    XPrefix   `json:"orig_dst,omitzero"`
	ReplySrc   XPrefix   `json:"reply_src,omitzero"`
	ReplyDst   XPrefix   `json:"reply_dst,omitzero"`
	Proto      uint16    `json:"proto,omitempty"`
	OrigSPort  [2]uint16 `json:"orig_sport,omitzero"`
	OrigDPort  [2]uint16 `json:"orig_dport,omitzero"`
	ReplySPort [2]uint16 `json:"reply_sport,omitzero"`
	ReplyDPort [2]uint16 `json:"reply_dport,omitzero"`
	Expires    [2]uint32 `json:"expires,omitzero"` // seconds
}

// XTMark compares (value & Mask) with Value.
type XTMark struct {
	Value    uint32 `json:"value"`
	Mask     uint32 `json:"mask"`
	Inverted bool   `json:"inverted,omitempty"`
}

// XTAddrType compares the types of addresses, as bits 1<<RTN_* (linux/rtnetlink.h).
type XTAddrType struct {
	Src         uint16 `json:"src,omitempty"`
	Dst         uint16 `json:"dst,omitempty"`
	SrcInverted bool   `json:"src_inverted,omitempty"`
	DstInverted bool   `json:"dst_inverted,omitempty"`
	LimitIn     bool   `json:"limit_iface_in,omitempty"`
	LimitOut    bool   `json:"limit_iface_out,omitempty"`
}

// XTICMP compares type and code; type 255 is any.
type XTICMP struct {
	Type     uint8    `json:"type"`
	Code     [2]uint8 `json:"code"`
	Inverted bool     `json:"inverted,omitempty"`
}

// XTMAC compares the source MAC.
type XTMAC struct {
	MAC      MAC  `json:"mac"`
	Inverted bool `json:"inverted,omitempty"`
}

// XTPhysDev compares bridge ports (XT_PHYSDEV_OP_*).
type XTPhysDev struct {
	In     string `json:"in,omitempty"`
	Out    string `json:"out,omitempty"`
	Match  uint8  `json:"match"`
	Invert uint8  `json:"invert,omitempty"`
}

// XTRPFilter holds XT_RPFILTER_* flags.
type XTRPFilter struct {
	Loose       bool `json:"loose,omitempty"`
	ValidMark   bool `json:"validmark,omitempty"`
	AcceptLocal bool `json:"accept_local,omitempty"`
	Inverted    bool `json:"inverted,omitempty"`
}

// XTIPRange compares addresses with ranges.
type XTIPRange struct {
	Src         [2]netip.Addr `json:"src,omitzero"`
	Dst         [2]netip.Addr `json:"dst,omitzero"`
	SrcInverted bool          `json:"src_inverted,omitempty"`
	DstInverted bool          `json:"dst_inverted,omitempty"`
}

// XTPktType compares the packet's type (PACKET_*): 0 host, 1 broadcast, 2 multicast.
type XTPktType struct {
	Type     uint8 `json:"type"`
	Inverted bool  `json:"inverted,omitempty"`
}

// XTLength compares the IP packet's length in bytes.
type XTLength struct {
	Min      uint16 `json:"min"`
	Max      uint16 `json:"max"`
	Inverted bool   `json:"inverted,omitempty"`
}

// XTOwner compares the owner of the socket that sent the packet. Only what Match names is compared; Invert has the same bits
// (XT_OWNER_*, linux/netfilter/xt_owner.h: user 1, group 2, that there is a socket at all 4, supplementary groups too 8).
type XTOwner struct {
	UID    [2]uint32 `json:"uid"` // first and last
	GID    [2]uint32 `json:"gid"`
	Match  uint8     `json:"match"`
	Invert uint8     `json:"invert,omitempty"`
}

// XTTTL compares the TTL or hop limit.
type XTTTL struct {
	Op    string `json:"op"` // "==", "!=", "<", ">"
	Value uint8  `json:"value"`
}

// XTTOS compares (type of service or traffic class & Mask) with Value.
type XTTOS struct {
	Value    uint8 `json:"value"`
	Mask     uint8 `json:"mask"`
	Inverted bool  `json:"inverted,omitempty"`
}

// XTDevGroup compares (group of a device & mask) with a value; nil = not compared.
type XTDevGroup struct {
	Src *XTMark `json:"src,omitempty"`
	Dst *XTMark `json:"dst,omitempty"`
}

// XTPolicy asks for the IPsec policy of a packet, in one direction. With None it matches packets that have none.
type XTPolicy struct {
	Dir  string `json:"dir"` // "in", "out"
	None bool   `json:"none,omitempty"`
	// Data is struct xt_policy_info as read, which says more about the policy.
	Data []byte `json:"data,omitempty"`
}

// XTHelper compares the helper that expected the connection; "" is any.
type XTHelper struct {
	Name     string `json:"name"`
	Inverted bool   `json:"inverted,omitempty"`
}

// An XTTarget is an xtables target. Verdict is set for a standard target; else the typed field that belongs to Name, or none
// when the target is not understood.
type XTTarget struct {
	// Name is "" for a standard target, else "REJECT", "DNAT", ...
	Name     string `json:"name,omitempty"`
	Revision uint8  `json:"revision,omitempty"`
	// Verdict: "ACCEPT", "DROP", "QUEUE", "RETURN", or "jump" and "goto" to Chain.
	Verdict string `json:"verdict,omitempty"`
	Chain   string `json:"chain,omitempty"`
	// NAT of DNAT, SNAT, MASQUERADE, REDIRECT (and NETMAP, when Netmap is set).
	NAT *XTNAT `json:"nat,omitempty"`
	// Reject is the kind of the answer, in nft's words: "icmp port-unreachable", "tcp reset", ...
	Reject string `json:"reject,omitempty"`
	// SetMark of MARK and CONNMARK: mark = (mark & ^Mask) ^ Value.
	SetMark *XTMark `json:"set_mark,omitempty"`
	// ConnMark of CONNMARK that saves the packet's mark in its connection, or restores it from there.
	ConnMark *XTConnMark `json:"conn_mark,omitempty"`
	// Notrack of NOTRACK and of CT with that flag.
	Notrack bool `json:"notrack,omitempty"`
	// SetTTL of TTL and HL.
	SetTTL *XTSetTTL `json:"set_ttl,omitempty"`
	// SetTOS of TOS and DSCP: tos = (tos & ^Mask) ^ Value.
	SetTOS *XTTOS `json:"set_tos,omitempty"`
	// Zone of CT that gives the connection a zone of conntrack.
	Zone *XTZone `json:"zone,omitempty"`
	// NoEffect: it changes nothing about where the packet goes (LOG, NFLOG, TRACE, CLASSIFY, ...).
	NoEffect bool   `json:"no_effect,omitempty"`
	Data     []byte `json:"data,omitempty"` // as read, when it is not understood
}

// XTConnMark moves marks: "save" is connmark = (connmark & ^ConnMask) ^ ((mark & PacketMask) << Shift), "restore" is
// mark = (mark & ^PacketMask) ^ ((connmark & ConnMask) << Shift). A negative shift goes to the right.
type XTConnMark struct {
	Mode       string `json:"mode"` // "save", "restore"
	ConnMask   uint32 `json:"conn_mask"`
	PacketMask uint32 `json:"packet_mask"`
	Shift      int    `json:"shift,omitempty"`
}

// XTSetTTL writes the TTL or hop limit.
type XTSetTTL struct {
	Op    string `json:"op"` // "set", "inc", "dec"
	Value uint8  `json:"value"`
}

// XTZone is a zone of conntrack.
type XTZone struct {
	ID uint16 `json:"id"`
	// Dir: "original" or "reply" when only that direction is in the zone; "" = both.
	Dir string `json:"dir,omitempty"`
}

// XTNAT rewrites addresses and ports into ranges; zero = kept.
type XTNAT struct {
	Addr    netip.Addr `json:"addr,omitzero"`
	AddrMax netip.Addr `json:"addr_max,omitzero"`
	Port    uint16     `json:"port,omitempty"`
	PortMax uint16     `json:"port_max,omitempty"`
	Flags   uint32     `json:"flags,omitempty"` // NF_NAT_RANGE_*
}
