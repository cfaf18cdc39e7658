package xfrm

// A Selector says which packets are meant (struct xfrm_selector).
type Selector struct {
	Dst, Src             Address
	DstPort, DstPortMask BE16
	SrcPort, SrcPortMask BE16
	Family               uint16
	DstPrefix, SrcPrefix uint8 // lengths
	Proto                uint8
	_                    [3]byte
	Link                 int32
	User                 uint32
}

// IsZero reports whether it says nothing.
func (s Selector) IsZero() bool { return s == Selector{} }

// An ID is what a state is found by (struct xfrm_id).
type ID struct {
	Dst   Address
	SPI   BE32
	Proto uint8
	_     [3]byte
}

// A Lifetime limits how long and for how much a state or policy is used (struct xfrm_lifetime_cfg): bytes, packets, seconds
// since it was added and since it was first used.
type Lifetime struct {
	SoftBytes, HardBytes, SoftPackets, HardPackets uint64
	SoftAdd, HardAdd, SoftUse, HardUse             uint64
}

// A Used is how much it was used (struct xfrm_lifetime_cur); times are seconds since 1970.
type Used struct {
	Bytes, Packets, Added, First uint64
}

// Stats count what was refused (struct xfrm_stats).
type Stats struct {
	ReplayWindow, Replay, IntegrityFailed uint32
}

// A State is a security association (struct xfrm_usersa_info).
type State struct {
	Sel          Selector
	ID           ID
	Src          Address
	Lifetime     Lifetime
	Used         Used
	Stats        Stats
	Seq          uint32
	ReqID        uint32
	Family       uint16
	Mode         uint8
	ReplayWindow uint8
	Flags        uint8
	_            [7]byte
}

// A StateID names a state (struct xfrm_usersa_id).
type StateID struct {
	Dst    Address
	SPI    BE32
	Family uint16
	Proto  uint8
	_      byte
}

// An SPIRange asks for a state with an index that the kernel finds (struct xfrm_userspi_info).
type SPIRange struct {
	State    State
	Min, Max uint32
}

// A Flush ends the states of a protocol, 0 = of all (struct xfrm_usersa_flush).
type Flush struct {
	Proto uint8
}

// An AddressFilter says which states a dump should have (struct xfrm_address_filter).
type AddressFilter struct {
	Src, Dst             Address
	Family               uint16
	SrcPrefix, DstPrefix uint8 // lengths
}

// An Encap is a state's envelope (struct xfrm_encap_tmpl).
type Encap struct {
	Type         uint16
	SPort, DPort BE16
	_            [2]byte
	Original     Address
}

// Kinds of envelopes (linux/udp.h, UDP_ENCAP_*, and TCP_ENCAP_ESPINTCP).
const (
	EncapUDPNonIKE = 1
	EncapUDP       = 2
	EncapTCP       = 7
)

// A Mark is compared with a packet's (struct xfrm_mark).
type Mark struct {
	Value, Mask uint32
}

// A Replay is the state of the window against replays (struct xfrm_replay_state).
type Replay struct {
	OSeq, Seq, Bitmap uint32
}

// A ReplayESN is the same for numbers of 64 bits and large windows; Words of 32 bits follow it (struct
// xfrm_replay_state_esn).
type ReplayESN struct {
	Words                        uint32
	OSeq, Seq, OSeqHigh, SeqHigh uint32
	Window                       uint32 // packets
}

// An Offload is a device that does the work (struct xfrm_user_offload).
type Offload struct {
	Link  int32
	Flags uint8
	_     [3]byte
}

// An Algorithm has a name and a key, whose bytes follow (struct xfrm_algo).
type Algorithm struct {
	Name [64]byte
	Bits uint32 // of the key
}

// An AlgorithmAEAD has the length of a check value in bits too (struct xfrm_algo_aead).
type AlgorithmAEAD struct {
	Name [64]byte
	Bits uint32 // of the key
	ICV  uint32
}

// An AlgorithmTruncated has the length in bits that it is cut to (struct xfrm_algo_auth).
type AlgorithmTruncated struct {
	Name  [64]byte
	Bits  uint32 // of the key
	Trunc uint32
}

// A Context is a security label, whose words follow with a zero (struct xfrm_user_sec_ctx).
type Context struct {
	Len     uint16 // of it all
	Type    uint16
	Alg     uint8
	DOI     uint8
	TextLen uint16 // with the zero
}

// An Expire says that a state is at one of its limits (struct xfrm_user_expire).
type Expire struct {
	State State
	Hard  uint8
	_     [7]byte
}
