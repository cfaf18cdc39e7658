package xfrm

// A Policy says what becomes of the packets that it selects (struct xfrm_userpolicy_info).
type Policy struct {
	Sel      Selector
	Lifetime Lifetime
	Used     Used
	Priority uint32
	Index    uint32
	Dir      uint8
	Action   uint8
	Flags    uint8
	Share    uint8
	_        [4]byte
}

// A PolicyID names a policy, by what it selects or by its index (struct xfrm_userpolicy_id).
type PolicyID struct {
	Sel   Selector
	Index uint32
	Dir   uint8
	_     [3]byte
}

// A PolicyExpire says that a policy is at one of its limits (struct xfrm_user_polexpire).
type PolicyExpire struct {
	Policy Policy
	Hard   uint8
	_      [7]byte
}

// A PolicyType is main or sub (struct xfrm_userpolicy_type).
type PolicyType struct {
	Type      uint8
	_         byte
	Reserved1 uint16
	Reserved2 uint8
	_         byte
}

// A Template is a transform that a policy wants (struct xfrm_user_tmpl).
type Template struct {
	ID                    ID
	Family                uint16
	_                     [2]byte
	Src                   Address
	ReqID                 uint32
	Mode, Share, Optional uint8
	_                     byte
	Auth, Crypt, Comp     uint32 // masks of algorithms
}

// An Acquire asks who keeps the keys for a state (struct xfrm_user_acquire).
type Acquire struct {
	ID                ID
	Src               Address
	Sel               Selector
	Policy            Policy
	Auth, Crypt, Comp uint32 // masks of algorithms
	Seq               uint32
}

// An Event tells of a state's window or lifetime (struct xfrm_aevent_id).
type Event struct {
	ID    StateID
	Src   Address
	Flags uint32
	ReqID uint32
}

// Why there is an event (XFRM_AE_*).
const (
	EventReplay  = 1 << 4 // the window moved
	EventExpired = 1 << 5 // a timer
	EventPolicy  = 1 << 6 // somebody changed it
)

// A Mapping says that a partner behind NAT has another address now (struct xfrm_user_mapping).
type Mapping struct {
	ID               StateID
	ReqID            uint32
	OldSrc, NewSrc   Address
	OldPort, NewPort BE16
}

// A Report is of a packet of mobile IPv6 (struct xfrm_user_report).
type Report struct {
	Proto uint8
	_     [3]byte
	Sel   Selector
}

// A HashCount is how many buckets a table has and may have (struct xfrmu_sadhinfo, xfrmu_spdhinfo).
type HashCount struct {
	Count, Max uint32
}

// A PolicyCount is how many policies there are, and of sockets (struct xfrmu_spdinfo).
type PolicyCount struct {
	In, Out, Fwd                   uint32
	SocketIn, SocketOut, SocketFwd uint32
}

// Thresholds are from which prefix lengths on policies are found by a hash (struct xfrmu_spdhthresh).
type Thresholds struct {
	Local, Remote uint8
}

// DefaultPolicies are the actions where no policy is met, DefaultBlock or DefaultAccept, 0 = leave it (struct
// xfrm_userpolicy_default).
type DefaultPolicies struct {
	In, Fwd, Out uint8
}
