package iproute

import (
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Messages about a bridge's VLANs (linux/rtnetlink.h, linux/if_bridge.h; Linux 5.6).
const (
	rtmNewVlan = 112
	rtmDelVlan = 113
	rtmGetVlan = 114

	brVlanLen = 8 // struct br_vlan_msg

	vlandbEntry      = 1 // BRIDGE_VLANDB_ENTRY
	vlandbGlobal     = 2 // BRIDGE_VLANDB_GLOBAL_OPTIONS
	vlandbDumpFlags  = 1
	vlandbDumpStats  = 1
	vlandbDumpGlobal = 2

	vlanEntryInfo   = 1
	vlanEntryRange  = 2
	vlanEntryState  = 3
	vlanEntryStats  = 5
	vlanEntryRouter = 6

	vlanGlobalID    = 1
	vlanGlobalRange = 2
)

// Flags of struct bridge_vlan_info.
const (
	vlanMaster     = 1
	vlanPVID       = 2
	vlanUntagged   = 4
	vlanRangeBegin = 8
	vlanRangeEnd   = 16
	vlanBrEntry    = 32
)

// vlanObject is "bridge vlan".
func vlanObject(s *session, w *words) {
	verbs := []verb{
		{"show", func(s *session, w *words) { vlanShow(s, w, showVlans) }},
		{"add", func(s *session, w *words) { vlanModify(s, w, unix.RTM_SETLINK) }},
		{"delete", func(s *session, w *words) { vlanModify(s, w, unix.RTM_DELLINK) }},
		{"lst", func(s *session, w *words) { vlanShow(s, w, showVlans) }},
		{"list", func(s *session, w *words) { vlanShow(s, w, showVlans) }},
		{"tunnelshow", func(s *session, w *words) { vlanShow(s, w, showTunnels) }},
		{"set", vlanSet},
		{"global", vlanGlobalObject},
		{"help", func(*session, *words) { usageOf(vlanUsage) }},
	}
	word := w.peek()
	if !dispatch(s, w, verbs) {
		unknownBridgeVerb("vlan", word)
	}
}

func vlanGlobalObject(s *session, w *words) {
	verbs := []verb{
		{"show", func(s *session, w *words) { vlanShow(s, w, showGlobals) }},
		{"lst", func(s *session, w *words) { vlanShow(s, w, showGlobals) }},
		{"list", func(s *session, w *words) { vlanShow(s, w, showGlobals) }},
		{"set", vlanGlobalSet},
	}
	if !dispatch(s, w, verbs) {
		usageOf(vlanUsage)
	}
}

// A vlanRequest is what words about VLANs have in common.
type vlanRequest struct {
	dev        string
	vid, end   int // end is -1 when it is no range
	ranged     bool
	flags      uint16 // of struct bridge_vlan_info
	where      uint16 // master, self
	tunnel     bool
	tun, tunTo uint32
}

// parseVid reads "5" or "5-9".
func (r *vlanRequest) parseVid(word string) {
	first, last, ranged := strings.Cut(word, "-")
	r.vid = int(int16(atoi(first)))
	if ranged {
		r.end, r.ranged = int(int16(atoi(last))), true
	}
}

func (r *vlanRequest) check() {
	if r.dev == "" || r.vid == -1 {
		fail(exitFailed, "Device and VLAN ID are required arguments.")
	}
}

func (r *vlanRequest) checkRange() {
	if r.vid >= 4096 {
		fail(exitFailed, "Invalid VLAN ID \"%d\"", uint16(r.vid))
	}
	if !r.ranged {
		return
	}
	if r.end == -1 || r.end >= 4096 || r.vid >= r.end {
		fail(exitFailed, "Invalid VLAN range \"%d-%d\"", uint16(r.vid), uint16(r.end))
	}
	if r.flags&vlanPVID != 0 {
		fail(exitFailed, "pvid cannot be configured for a vlan range")
	}
}

// vlanModify is add and delete.
func vlanModify(s *session, w *words, typ int) {
	r := &vlanRequest{vid: -1, end: -1}
	for w.more() {
		switch word := w.peek(); {
		case word == "dev":
			r.dev = w.next()
		case word == "vid":
			r.parseVid(w.next())
		case word == "self":
			r.where |= bridgeSelf
		case word == "master":
			r.where |= bridgeMaster
		case word == "pvid":
			r.flags |= vlanPVID
		case word == "untagged":
			r.flags |= vlanUntagged
		case word == "tunnel_info":
			r.parseTunnel(w)
		case matches(word, "help"):
			w.next() // bridge wants a word here, and does nothing with it
		}
		w.skip()
	}
	r.check()
	index := s.bridgeDevice(r.dev, "Cannot find bridge device \"%s\"")
	r.checkRange()
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	spec := m.Begin(unix.IFLA_AF_SPEC)
	if r.where != 0 {
		m.U16(bridgeFlags, r.where)
	}
	if r.tunnel {
		r.writeTunnel(m)
	} else {
		r.writeInfo(m)
	}
	m.End(spec)
	head := m.Head()
	head[0] = unix.AF_BRIDGE
	native.PutUint32(head[4:], index)
	s.do(m.Request(typ, 0))
}

func (r *vlanRequest) parseTunnel(w *words) {
	if !matches(w.next(), "id") {
		invalid("tunnel id expected", w.peek())
	}
	first, last, ranged := strings.Cut(w.next(), "-")
	id := func(word string) uint32 {
		n, ok := parseUint(word, 0, 32)
		if !ok || n >= 1<<24 {
			invalid("invalid tun id", word)
		}
		return uint32(n)
	}
	r.tunnel, r.tun = true, id(first)
	if ranged {
		r.tunTo = id(last)
	}
}

// info writes struct bridge_vlan_info.
func vlanInfo(flags uint16, vid int) []byte {
	return native.AppendUint16(native.AppendUint16(nil, flags), uint16(vid))
}

func (r *vlanRequest) writeInfo(m *rtnl.Message) {
	if !r.ranged {
		m.Bytes(bridgeVlanInfo, vlanInfo(r.flags, r.vid))
		return
	}
	m.Bytes(bridgeVlanInfo, vlanInfo(r.flags|vlanRangeBegin, r.vid))
	m.Bytes(bridgeVlanInfo, vlanInfo(r.flags|vlanRangeEnd, r.end))
}

// writeTunnel writes IFLA_BRIDGE_VLAN_TUNNEL_INFO.
func (r *vlanRequest) writeTunnel(m *rtnl.Message) {
	const id, vid, flags = 1, 2, 3
	one := func(tun uint32, v int, f uint16) {
		at := m.Begin(bridgeVlanTunnelInfo)
		m.U32(id, tun)
		m.U16(vid, uint16(v))
		m.U16(flags, f)
		m.End(at)
	}
	if r.end-r.vid > 0 && r.end != -1 {
		one(r.tun, r.vid, vlanRangeBegin)
		one(r.tunTo, r.end, vlanRangeEnd)
		return
	}
	one(r.tun, r.vid, 0)
}

// vlanSet is "bridge vlan set": what the spanning tree and multicast do on a VLAN of a port.
func vlanSet(s *session, w *words) {
	r := &vlanRequest{vid: -1, end: -1}
	m := rtnl.NewMessage(brVlanLen)
	entry := m.Begin(vlandbEntry)
	for w.more() {
		switch word := w.peek(); word {
		case "dev":
			r.dev = w.next()
		case "vid":
			r.parseVid(w.next())
		case "state":
			n := stpState(w.next())
			m.U8(vlanEntryState, uint8(n))
		case "mcast_router":
			m.U8(vlanEntryRouter, u8(w.next(), "invalid mcast_router"))
		default:
			if matches(word, "help") {
				w.next()
			}
		}
		w.skip()
	}
	r.check()
	index := s.bridgeDevice(r.dev, "Cannot find network device \"%s\"")
	r.checkRange()
	m.Bytes(vlanEntryInfo, vlanInfo(0, r.vid))
	if r.ranged {
		m.U16(vlanEntryRange, uint16(r.end))
	}
	m.End(entry)
	m.Head()[0] = unix.AF_BRIDGE
	native.PutUint32(m.Head()[4:], index)
	s.do(m.Request(rtmNewVlan, 0))
}

// A vlanGlobalOption is an option of a VLAN of the whole bridge (BRIDGE_VLANDB_GOPTS_*).
type vlanGlobalOption struct {
	word string
	typ  uint16
	as   int
}

func vlanGlobalOptions() []vlanGlobalOption {
	return []vlanGlobalOption{
		{"mcast_snooping", 3, as8},
		{"mcast_querier", 15, as8},
		{"mcast_igmp_version", 4, as8},
		{"mcast_mld_version", 5, as8},
		{"mcast_last_member_count", 6, as32},
		{"mcast_last_member_interval", 8, as64},
		{"mcast_startup_query_count", 7, as32},
		{"mcast_startup_query_interval", 14, as64},
		{"mcast_membership_interval", 10, as64},
		{"mcast_querier_interval", 11, as64},
		{"mcast_query_interval", 12, as64},
		{"mcast_query_response_interval", 13, as64},
	}
}

func vlanGlobalSet(s *session, w *words) {
	r := &vlanRequest{vid: -1, end: -1}
	m := rtnl.NewMessage(brVlanLen)
	entry := m.Begin(vlandbGlobal)
words:
	for w.more() {
		word := w.peek()
		for _, o := range vlanGlobalOptions() {
			if o.word != word {
				continue
			}
			what := "invalid " + word
			switch o.as {
			case as8:
				m.U8(o.typ, u8(w.next(), what))
			case as32:
				m.U32(o.typ, u32(w.next(), what))
			case as64:
				n, ok := parseUint(w.next(), 0, 64)
				if !ok {
					invalid(what, w.peek())
				}
				m.U64(o.typ, n)
			}
			w.skip()
			continue words
		}
		switch word {
		case "dev":
			r.dev = w.next()
		case "vid":
			r.parseVid(w.next())
		default:
			if matches(word, "help") {
				w.next()
			}
		}
		w.skip()
	}
	r.check()
	index := s.bridgeDevice(r.dev, "Cannot find network device \"%s\"")
	r.checkRange()
	m.U16(vlanGlobalID, uint16(r.vid))
	if r.ranged {
		m.U16(vlanGlobalRange, uint16(r.end))
	}
	m.End(entry)
	m.Head()[0] = unix.AF_BRIDGE
	native.PutUint32(m.Head()[4:], index)
	s.do(m.Request(rtmNewVlan, 0))
}
