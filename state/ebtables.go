package state

// An EBTable is a table of legacy ebtables (linux/netfilter_bridge/ebtables.h). ebtables-nft's tables are nftables'.
type EBTable struct {
	Name   string    `json:"name"`   // "filter", "nat", "broute"
	Chains []EBChain `json:"chains"` // built-in chains first, in the order of their hooks, then the user's as they lie
}

// Chain returns the chain of that name, or nil.
func (t *EBTable) Chain(name string) *EBChain {
	for i := range t.Chains {
		if t.Chains[i].Name == name {
			return &t.Chains[i]
		}
	}
	return nil
}

// An EBChain is a chain of an EBTable. User's chains have policies, too.
type EBChain struct {
	Name   string   `json:"name"`
	User   bool     `json:"user,omitempty"` // made by somebody
	Policy string   `json:"policy"`         // "ACCEPT", "DROP", "RETURN"
	Rules  []EBRule `json:"rules,omitempty"`
}

// An EBRule is a rule: struct ebt_entry, its matches and its target. What watches (log, nflog) is left out.
type EBRule struct {
	// Proto is the EtherType; 0 = every one. Length: frames of IEEE 802.3, which have a length in its place.
	Proto         uint16 `json:"proto,omitempty"`
	Length        bool   `json:"length,omitempty"`
	ProtoInverted bool   `json:"proto_inverted,omitempty"`
	// In and Out are ports, LogicalIn and LogicalOut bridges; "eth+" matches by prefix.
	In                 string    `json:"in,omitempty"`
	Out                string    `json:"out,omitempty"`
	LogicalIn          string    `json:"logical_in,omitempty"`
	LogicalOut         string    `json:"logical_out,omitempty"`
	InInverted         bool      `json:"in_inverted,omitempty"`
	OutInverted        bool      `json:"out_inverted,omitempty"`
	LogicalInInverted  bool      `json:"logical_in_inverted,omitempty"`
	LogicalOutInverted bool      `json:"logical_out_inverted,omitempty"`
	Src                *EBMAC    `json:"src,omitempty"`
	Dst                *EBMAC    `json:"dst,omitempty"`
	Matches            []XTMatch `json:"matches,omitempty"`
	// Target of a standard target: Verdict "ACCEPT", "DROP", "CONTINUE", "RETURN", or "jump" to Chain.
	Target XTTarget `json:"target"`
}

// An EBMAC is an address with a mask.
type EBMAC struct {
	MAC      MAC  `json:"mac"`
	Mask     MAC  `json:"mask"`
	Inverted bool `json:"inverted,omitempty"`
}

// XTEther is what ebtables' matches ip, ip6 and arp compare. Only what Match names is compared; Invert has the same bits
// (EBT_IP_*, EBT_IP6_*, EBT_ARP_* in linux/netfilter_bridge).
type XTEther struct {
	Match    uint8     `json:"match"`
	Invert   uint8     `json:"invert,omitempty"`
	Src      XPrefix   `json:"src,omitzero"`
	Dst      XPrefix   `json:"dst,omitzero"`
	TOS      uint8     `json:"tos,omitempty"`
	Proto    uint8     `json:"proto,omitempty"`
	SPort    [2]uint16 `json:"sport,omitzero"`
	DPort    [2]uint16 `json:"dport,omitzero"`
	ICMPType [2]uint8  `json:"icmp_type,omitzero"`
	ICMPCode [2]uint8  `json:"icmp_code,omitzero"`
	// Of ARP.
	HType  uint16 `json:"htype,omitempty"`
	PType  uint16 `json:"ptype,omitempty"`
	Op     uint16 `json:"op,omitempty"`
	SrcMAC *EBMAC `json:"src_mac,omitempty"`
	DstMAC *EBMAC `json:"dst_mac,omitempty"`
}
