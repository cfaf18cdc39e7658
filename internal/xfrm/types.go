package xfrm

// Messages (XFRM_MSG_*).
const (
	NewState    = 0x10
	DelState    = 0x11
	GetState    = 0x12
	NewPolicy   = 0x13
	DelPolicy   = 0x14
	GetPolicy   = 0x15
	AllocSPI    = 0x16
	MsgAcquire  = 0x17
	MsgExpire   = 0x18
	UpdPolicy   = 0x19
	UpdState    = 0x1a
	PolExpire   = 0x1b
	FlushState  = 0x1c
	FlushPolicy = 0x1d
	NewEvent    = 0x1e
	GetEvent    = 0x1f
	MsgReport   = 0x20
	Migrate     = 0x21
	NewSADInfo  = 0x22
	GetSADInfo  = 0x23
	NewSPDInfo  = 0x24
	GetSPDInfo  = 0x25
	MsgMapping  = 0x26
	SetDefault  = 0x27 // Linux 5.16
	GetDefault  = 0x28 // Linux 5.16
)

// Attributes (XFRMA_*).
const (
	AttrAuth          = 1  // Algorithm and its key
	AttrCrypt         = 2  // Algorithm and its key
	AttrComp          = 3  // Algorithm
	AttrEncap         = 4  // Encap
	AttrTemplates     = 5  // Template, several
	AttrState         = 6  // State
	AttrPolicy        = 7  // Policy
	AttrContext       = 8  // Context and its words
	AttrReplay        = 10 // Replay
	AttrSource        = 13 // Address
	AttrCareOf        = 14 // Address
	AttrLastUsed      = 15 // seconds since 1970, 64 bits
	AttrPolicyType    = 16 // PolicyType
	AttrAEAD          = 18 // AlgorithmAEAD and its key
	AttrAuthTrunc     = 20 // AlgorithmTruncated and its key
	AttrMark          = 21 // Mark
	AttrTFCPad        = 22 // bytes, 32 bits
	AttrReplayESN     = 23 // ReplayESN and its bitmap
	AttrExtraFlags    = 24 // ExtraFlag*, 32 bits
	AttrProto         = 25 // a byte
	AttrAddressFilter = 26 // AddressFilter
	AttrOffload       = 28 // Offload
	AttrOutputMark    = 29 // 32 bits; since Linux 4.19 AttrOutputMask beside it
	AttrOutputMask    = 30
	AttrInterface     = 31 // the id of an xfrm interface, 32 bits
)

// Attributes of the databases' own messages (XFRMA_SAD_*, XFRMA_SPD_*).
const (
	AttrSADCount       = 1 // 32 bits
	AttrSADHash        = 2 // HashCount
	AttrSPDInfo        = 1 // PolicyCount
	AttrSPDHash        = 2 // HashCount
	AttrSPDThresholds4 = 3 // Thresholds
	AttrSPDThresholds6 = 4 // Thresholds
)

// Groups of notifications (XFRMNLGRP_*).
const (
	GroupAcquire = 1
	GroupExpire  = 2
	GroupState   = 3
	GroupPolicy  = 4
	GroupEvent   = 5
	GroupReport  = 6
	GroupMigrate = 7
	GroupMapping = 8
)

// Modes (XFRM_MODE_*).
const (
	ModeTransport = 0
	ModeTunnel    = 1
	ModeRO        = 2 // route optimisation
	ModeInTrigger = 3
	ModeBEET      = 4
)

// Flags of states (XFRM_STATE_*).
const (
	StateNoECN      = 1
	StateDecapDSCP  = 2
	StateNoPMTUDisc = 4
	StateWildRecv   = 8
	StateICMP       = 16
	StateAFUnspec   = 32
	StateAlign4     = 64
	StateESN        = 128
)

// More flags of states (XFRM_SA_XFLAG_*).
const (
	ExtraDontEncapDSCP = 1
	ExtraOSeqMayWrap   = 2
)

// Directions, actions, types and flags of policies (XFRM_POLICY_*).
const (
	PolicyIn  = 0
	PolicyOut = 1
	PolicyFwd = 2
	PolicyMax = 3 // from here on: of a socket

	PolicyAllow = 0
	PolicyBlock = 1

	PolicyMain = 0
	PolicySub  = 1

	PolicyLocalOK = 1
	PolicyICMP    = 2
)

// Actions of the default policies (XFRM_USERPOLICY_*).
const (
	DefaultBlock  = 1
	DefaultAccept = 2
)

// OffloadInbound marks what a device does for packets that come in (XFRM_OFFLOAD_INBOUND).
const OffloadInbound = 2

// Infinite is a limit that there is not (XFRM_INF).
const Infinite = ^uint64(0)

// MaxReplayWindow is the largest window against replays, in packets (XFRMA_REPLAY_ESN_MAX).
const MaxReplayWindow = 4096
