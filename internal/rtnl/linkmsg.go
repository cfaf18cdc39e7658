package rtnl

import (
	"encoding/binary"
	"fmt"
	"slices"

	"warren/state"

	"golang.org/x/sys/unix"
)

// operStates are RFC 2863's states in ip(8)'s words (linux/if.h, IF_OPER_*).
var operStates = words{"UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP"}

// ifinfoLen is the size of struct ifinfomsg.
const ifinfoLen = 16

// DecodeLink reads the body of an RTM_NEWLINK or RTM_DELLINK message. Messages of other families than AF_UNSPEC (a bridge's
// notifications about its ports) are [ErrFamily].
func DecodeLink(data []byte, names Names) (state.Link, error) { return decodeLink(data, names, true) }

func decodeLink(data []byte, names Names, stats bool) (state.Link, error) {
	head, w, err := header(data, ifinfoLen)
	if err != nil {
		return state.Link{}, fmt.Errorf("link: %w", err)
	}
	if head[0] != unix.AF_UNSPEC {
		return state.Link{}, fmt.Errorf("link: family %d: %w", head[0], ErrFamily)
	}
	l := state.Link{
		Index: int(int32(binary.NativeEndian.Uint32(head[4:]))),
		Flags: binary.NativeEndian.Uint32(head[8:]),
	}
	l.Up = l.Flags&unix.IFF_UP != 0
	var info []byte
	var link uint32
	nsid := -1
	for w.next() {
		switch w.typ {
		case unix.IFLA_IFNAME:
			l.Name = w.str()
		case unix.IFLA_OPERSTATE:
			l.OperState = operStates.name(uint32(w.u8()))
		case unix.IFLA_MTU:
			l.MTU = w.u32()
		case unix.IFLA_ADDRESS:
			l.MAC = w.mac()
		case unix.IFLA_TXQLEN:
			l.TxQueueLen = w.u32()
		case unix.IFLA_GROUP:
			l.Group = w.u32()
		case unix.IFLA_PROMISCUITY:
			l.Promiscuity = w.u32()
		case unix.IFLA_IFALIAS:
			l.Alias = w.str()
		case unix.IFLA_MASTER:
			l.Master = nameOf(names, w.u32())
		case unix.IFLA_LINK:
			link = w.u32()
		case unix.IFLA_LINK_NETNSID:
			nsid = max(-1, int(int32(w.u32())))
		case unix.IFLA_LINKINFO:
			info = w.data
		case unix.IFLA_PROP_LIST:
			l.AltNames = w.altNames()
		case unix.IFLA_AF_SPEC:
			w.devconf(&l)
		case unix.IFLA_XDP:
			l.XDP = w.xdp()
		case unix.IFLA_STATS64:
			if stats {
				l.Stats = w.stats()
			}
		}
	}
	if w.err == nil {
		w.err = decodeLinkInfo(&l, info, link, nsid, names)
	}
	if w.err != nil {
		return state.Link{}, fmt.Errorf("link %q: %w", l.Name, w.err)
	}
	return l, nil
}

// xdpModes are XDP_ATTACHED_* (linux/if_link.h).
var xdpModes = words{1: "driver", 2: "generic", 3: "offload", 4: "multiple"}

// xdp reads IFLA_XDP; "" when no program is attached.
func (w *walker) xdp() string {
	in := walk(w.data)
	for in.next() {
		if in.typ == unix.IFLA_XDP_ATTACHED {
			if v := in.u8(); v != 0 {
				return xdpModes.name(uint32(v))
			}
		}
	}
	w.fail2(in.err)
	return ""
}

// EncodeLink writes the body of an RTM_NEWLINK message as the kernel would: all that the value holds.
func EncodeLink(l state.Link, names Names) ([]byte, error) {
	e := &encoder{b: make([]byte, 0, 512)}
	flags := l.Flags &^ unix.IFF_UP
	if l.Up {
		flags |= unix.IFF_UP
	}
	e.linkHeader(uint32(l.Index), flags, 0)
	e.str(unix.IFLA_IFNAME, l.Name)
	e.optU32(unix.IFLA_TXQLEN, l.TxQueueLen)
	if l.OperState != "" {
		v, err := operStates.value("operational state", l.OperState)
		if err != nil {
			e.fail(err)
		}
		e.u8(unix.IFLA_OPERSTATE, uint8(v))
	}
	e.optU32(unix.IFLA_MTU, l.MTU)
	e.optU32(unix.IFLA_GROUP, l.Group)
	e.optU32(unix.IFLA_PROMISCUITY, l.Promiscuity)
	e.optMAC(unix.IFLA_ADDRESS, l.MAC)
	e.optStr(unix.IFLA_IFALIAS, l.Alias)
	e.index(unix.IFLA_MASTER, names, l.Master)
	if l.Stats != nil {
		e.stats(l.Stats)
	}
	if l.XDP != "" {
		v, err := xdpModes.value("mode of XDP", l.XDP)
		if err != nil {
			e.fail(err)
		}
		at := e.begin(unix.IFLA_XDP)
		e.u8(unix.IFLA_XDP_ATTACHED, uint8(v))
		e.end(at)
	}
	for _, p := range []*state.Peer{l.Peer, l.Lower} {
		if p == nil {
			continue
		}
		if l.Kind != "vxlan" {
			e.peerIndex(unix.IFLA_LINK, p, names)
		}
		if p.NSID >= 0 {
			e.u32(unix.IFLA_LINK_NETNSID, uint32(p.NSID))
		}
	}
	if l.Kind != "" || l.Port != nil {
		info := e.begin(unix.IFLA_LINKINFO)
		e.optStr(unix.IFLA_INFO_KIND, l.Kind)
		e.kindData(&l, names, true)
		if l.Port != nil {
			e.slaveData(l.Port)
		}
		e.end(info)
	}
	if len(l.AltNames) > 0 {
		e.propList(l.AltNames)
	}
	e.devconf(&l)
	return e.data()
}

// peerIndex writes a peer's index: its number, or its name's.
func (e *encoder) peerIndex(typ uint16, p *state.Peer, names Names) {
	if p.Index != 0 {
		e.u32(typ, uint32(p.Index))
		return
	}
	e.index(typ, names, p.Name)
}

// decodeLinkInfo reads IFLA_LINKINFO, which says what IFLA_LINK means.
func decodeLinkInfo(l *state.Link, info []byte, link uint32, nsid int, names Names) error {
	var data, slave []byte
	var slaveKind string
	hasData, hasSlave := false, false
	w := walk(info)
	for w.next() {
		switch w.typ {
		case unix.IFLA_INFO_KIND:
			l.Kind = w.str()
		case unix.IFLA_INFO_DATA:
			data, hasData = w.data, true
		case unix.IFLA_INFO_SLAVE_KIND:
			slaveKind = w.str()
		case unix.IFLA_INFO_SLAVE_DATA:
			slave, hasSlave = w.data, true
		}
	}
	if w.err != nil {
		return w.err
	}
	if hasData {
		lower, err := decodeKindData(l, data)
		if err != nil {
			return err
		}
		if l.Kind == "vxlan" {
			link = lower
		}
	} else if l.Kind == "vxlan" {
		link = 0
	}
	if hasSlave && slaveKind == "bridge" {
		if err := decodePort(l, slave); err != nil {
			return err
		}
	}
	if link == 0 && nsid < 0 {
		return nil
	}
	p := &state.Peer{Index: int(link), NSID: nsid}
	if nsid < 0 {
		p.Name = nameOf(names, link)
	}
	if l.Kind == "veth" {
		l.Peer = p
	} else {
		l.Lower = p
	}
	return nil
}

func (w *walker) altNames() []string {
	var alts []string
	in := walk(w.data)
	for in.next() {
		if in.typ == unix.IFLA_ALT_IFNAME {
			alts = append(alts, in.str())
		}
	}
	w.fail(in.err)
	slices.Sort(alts)
	return alts
}

// devconf reads the per-device settings of IPv4 and IPv6.
func (w *walker) devconf(l *state.Link) {
	families := walk(w.data)
	l.NoAddrGen = true // without IPv6
	for families.next() {
		switch families.typ {
		case unix.AF_INET:
			families.settings(unix.IFLA_INET_CONF, &l.IPv4)
		case unix.AF_INET6:
			families.settings(unix.IFLA_INET6_CONF, &l.IPv6)
			l.NoAddrGen = families.noAddrGen()
		}
	}
	w.fail(families.err)
}

// Values of IFLA_INET6_ADDR_GEN_MODE (linux/if_link.h).
const (
	addrGenEUI64 = 0
	addrGenNone  = 1
)

func (w *walker) noAddrGen() bool {
	in := walk(w.data)
	for in.next() {
		if in.typ == unix.IFLA_INET6_ADDR_GEN_MODE {
			return in.u8() == addrGenNone
		}
	}
	return false
}

func (w *walker) settings(typ uint16, to *[]int32) {
	in := walk(w.data)
	for in.next() {
		if in.typ != typ {
			continue
		}
		*to = nil
		if n := len(in.data) / 4; n > 0 {
			*to = make([]int32, n)
		}
		for i := range *to {
			(*to)[i] = int32(binary.NativeEndian.Uint32(in.data[4*i:]))
		}
	}
	w.fail(in.err)
}

func (e *encoder) devconf(l *state.Link) {
	if l.IPv4 == nil && l.IPv6 == nil && !l.NoAddrGen {
		return
	}
	spec := e.begin(unix.IFLA_AF_SPEC)
	if l.IPv4 != nil {
		f := e.begin(unix.AF_INET)
		e.settings(unix.IFLA_INET_CONF, l.IPv4)
		e.end(f)
	}
	if l.IPv6 != nil || !l.NoAddrGen {
		f := e.begin(unix.AF_INET6)
		if l.IPv6 != nil {
			e.settings(unix.IFLA_INET6_CONF, l.IPv6)
		}
		e.addrGen(l.NoAddrGen)
		e.end(f)
	}
	e.end(spec)
}

func (e *encoder) settings(typ uint16, v []int32) {
	e.head(typ, 4*len(v))
	for _, n := range v {
		e.b = binary.NativeEndian.AppendUint32(e.b, uint32(n))
	}
}

func (e *encoder) addrGen(none bool) {
	var mode uint8 = addrGenEUI64
	if none {
		mode = addrGenNone
	}
	e.u8(unix.IFLA_INET6_ADDR_GEN_MODE, mode)
}

// stats reads the first eight counters of struct rtnl_link_stats64.
func (w *walker) stats() *state.Stats {
	if len(w.data) < 64 {
		w.fail(fmt.Errorf("%w: statistics of %d bytes", ErrMalformed, len(w.data)))
		return nil
	}
	at := func(i int) uint64 { return binary.NativeEndian.Uint64(w.data[8*i:]) }
	return &state.Stats{
		RxPackets: at(0), TxPackets: at(1), RxBytes: at(2), TxBytes: at(3),
		RxErrors: at(4), TxErrors: at(5), RxDropped: at(6), TxDropped: at(7),
	}
}

// statsLen is the size of struct rtnl_link_stats64 in Linux 2.6.35, the first to have it.
const statsLen = 184

func (e *encoder) stats(s *state.Stats) {
	e.head(unix.IFLA_STATS64, statsLen)
	for _, v := range []uint64{
		s.RxPackets, s.TxPackets, s.RxBytes, s.TxBytes,
		s.RxErrors, s.TxErrors, s.RxDropped, s.TxDropped,
	} {
		e.b = binary.NativeEndian.AppendUint64(e.b, v)
	}
	e.b = append(e.b, make([]byte, statsLen-64)...)
}
