package iproute

import (
	"math/bits"

	"golang.org/x/sys/unix"

	"warren/internal/sockdiag"
)

// A ssKind is a table of sockets that ss can show.
type ssKind uint

// The tables.
const (
	kindTCP ssKind = iota
	kindMPTCP
	kindDCCP
	kindUDP
	kindRaw
	kindUnixDgram
	kindUnixStream
	kindUnixSeqpacket
	kindPacketDgram
	kindPacketRaw
	kindNetlink
	kindSCTP
	kindVsockStream
	kindVsockDgram
	kindTIPC
	kindXDP
	ssKinds
)

const (
	ssUnix   = 1<<kindUnixDgram | 1<<kindUnixStream | 1<<kindUnixSeqpacket
	ssPacket = 1<<kindPacketDgram | 1<<kindPacketRaw
	ssVsock  = 1<<kindVsockStream | 1<<kindVsockDgram
	ssInet   = 1<<kindTCP | 1<<kindMPTCP | 1<<kindDCCP | 1<<kindUDP | 1<<kindRaw | 1<<kindSCTP
)

// Sets of states.
const (
	ssAll       sockdiag.Statuses = 1<<12 - 1
	ssConnected                   = ssAll &^ (1<<sockdiag.Listen | 1<<sockdiag.Close | 1<<sockdiag.TimeWait | 1<<sockdiag.SynRecv)
	ssClose     sockdiag.Statuses = 1 << sockdiag.Close
)

// A ssSelection says which sockets to show.
type ssSelection struct {
	kinds    uint32
	states   sockdiag.Statuses
	families uint64
	family   int  // the last one that was asked for
	all      bool // nothing was asked for so far: everything
	filter   *ssFilter
}

func inetFamilies() uint64 { return 1<<unix.AF_INET | 1<<unix.AF_INET6 }

// ssKindDefaults are the states and families of a table.
func ssKindDefaults(k ssKind) (sockdiag.Statuses, uint64) {
	switch k {
	case kindTCP, kindMPTCP, kindDCCP, kindSCTP:
		return ssConnected, inetFamilies()
	case kindUDP, kindRaw:
		return 1 << sockdiag.Established, inetFamilies()
	case kindUnixDgram:
		return ssClose, 1 << unix.AF_UNIX
	case kindUnixStream, kindUnixSeqpacket:
		return ssConnected, 1 << unix.AF_UNIX
	case kindPacketDgram, kindPacketRaw:
		return ssClose, 1 << unix.AF_PACKET
	case kindNetlink:
		return ssClose, 1 << unix.AF_NETLINK
	case kindVsockStream, kindVsockDgram:
		return ssConnected, 1 << unix.AF_VSOCK
	case kindTIPC:
		return tipcStates, 1 << unix.AF_TIPC
	case kindXDP:
		return ssClose, 1 << unix.AF_XDP
	}
	panic("no such table of sockets")
}

const tipcStates sockdiag.Statuses = 1<<sockdiag.Established | 1<<sockdiag.Listen | 1<<sockdiag.Close

// A ssFamily is a protocol family with its tables and states.
type ssFamily struct {
	family int
	name   string // as -f takes it
	kinds  uint32
	states sockdiag.Statuses
}

func ssFamilies() []ssFamily {
	return []ssFamily{
		{unix.AF_UNIX, "unix", ssUnix, ssConnected},
		{unix.AF_INET, "inet", ssInet, ssConnected},
		{unix.AF_INET6, "inet6", ssInet, ssConnected},
		{unix.AF_NETLINK, "netlink", 1 << kindNetlink, ssClose},
		{unix.AF_PACKET, "link", ssPacket, ssClose},
		{unix.AF_TIPC, "tipc", 1 << kindTIPC, tipcStates},
		{unix.AF_VSOCK, "vsock", ssVsock, ssConnected},
		{unix.AF_XDP, "xdp", 1 << kindXDP, ssClose},
	}
}

// ssQueries are the words of -A.
func ssQueries() map[string]uint32 {
	return map[string]uint32{
		"all":  ssInet | ssUnix | ssPacket | 1<<kindNetlink | ssVsock | 1<<kindXDP,
		"inet": ssInet, "udp": 1 << kindUDP, "dccp": 1 << kindDCCP, "tcp": 1 << kindTCP, "mptcp": 1 << kindMPTCP, "sctp": 1 << kindSCTP,
		"raw": 1 << kindRaw, "unix": ssUnix, "unix_stream": 1 << kindUnixStream, "u_str": 1 << kindUnixStream,
		"unix_dgram": 1 << kindUnixDgram, "u_dgr": 1 << kindUnixDgram, "unix_seqpacket": 1 << kindUnixSeqpacket,
		"u_seq": 1 << kindUnixSeqpacket, "packet": ssPacket, "packet_raw": 1 << kindPacketRaw, "p_raw": 1 << kindPacketRaw,
		"packet_dgram": 1 << kindPacketDgram, "p_dgr": 1 << kindPacketDgram, "netlink": 1 << kindNetlink, "tipc": 1 << kindTIPC,
		"vsock": ssVsock, "vsock_stream": 1 << kindVsockStream, "v_str": 1 << kindVsockStream, "vsock_dgram": 1 << kindVsockDgram,
		"v_dgr": 1 << kindVsockDgram, "xdp": 1 << kindXDP,
	}
}

// addKind asks for a table.
func (f *ssSelection) addKind(k ssKind) {
	states, _ := ssKindDefaults(k)
	f.states |= states
	f.kinds |= 1 << k
	f.all = false
}

// addFamily asks for a family.
func (f *ssSelection) addFamily(family int) {
	for _, d := range ssFamilies() {
		if d.family == family {
			f.states |= d.states
		}
	}
	f.families |= 1 << family
	f.all = false
	f.family = family
}

// query asks for the tables of a word of -A, or with "!" for all but those. It reports whether there is such a word.
func (f *ssSelection) query(word string) bool {
	name, not := word, false
	if len(word) > 0 && word[0] == '!' {
		name, not = word[1:], true
	}
	kinds, ok := ssQueries()[name]
	if !ok {
		return false
	}
	for k := range ssKinds {
		switch {
		case kinds&(1<<k) == 0:
		case not:
			f.kinds &^= 1 << k
		default:
			f.addKind(k)
		}
	}
	f.all = false
	return true
}

// complete adds the families of tables and the tables of families that were asked for alone.
func (f *ssSelection) complete() {
	for k := range ssKinds {
		if f.kinds&(1<<k) == 0 {
			continue
		}
		if _, families := ssKindDefaults(k); families&f.families == 0 {
			f.families |= families
		}
	}
	for _, d := range ssFamilies() {
		if f.families&(1<<d.family) != 0 && d.kinds&f.kinds == 0 {
			f.kinds |= d.kinds
		}
	}
}

func (f *ssSelection) wants(kinds uint32) bool { return f.kinds&kinds != 0 }
func (f *ssSelection) has(family uint8) bool   { return f.families&(1<<family) != 0 }
func (f *ssSelection) oneKind() bool           { return bits.OnesCount32(f.kinds) <= 1 }
func (f *ssSelection) oneState() bool          { return bits.OnesCount32(uint32(f.states)) <= 1 }

// ssStates is the set of states of a word, as "state" takes it.
func ssStates(word string) (sockdiag.Statuses, bool) {
	for _, s := range []struct {
		names []string
		set   sockdiag.Statuses
	}{
		{[]string{"close", "closed", "unconnected"}, ssClose},
		{[]string{"syn-rcv", "syn-recv"}, 1 << sockdiag.SynRecv},
		{[]string{"established"}, 1 << sockdiag.Established},
		{[]string{"all"}, ssAll},
		{[]string{"connected"}, ssAll &^ (ssClose | 1<<sockdiag.Listen)},
		{[]string{"synchronized"}, ssAll &^ (ssClose | 1<<sockdiag.Listen | 1<<sockdiag.SynSent)},
		{[]string{"bucket"}, 1<<sockdiag.SynRecv | 1<<sockdiag.TimeWait},
		{[]string{"big"}, ssAll &^ (1<<sockdiag.SynRecv | 1<<sockdiag.TimeWait)},
		{[]string{"unknown"}, 1},
		{[]string{"syn-sent"}, 1 << sockdiag.SynSent},
		{[]string{"fin-wait-1"}, 1 << sockdiag.FinWait1},
		{[]string{"fin-wait-2"}, 1 << sockdiag.FinWait2},
		{[]string{"time-wait"}, 1 << sockdiag.TimeWait},
		{[]string{"close-wait"}, 1 << sockdiag.CloseWait},
		{[]string{"last-ack"}, 1 << sockdiag.LastAck},
		{[]string{"listening"}, 1 << sockdiag.Listen},
		{[]string{"closing"}, 1 << sockdiag.Closing},
	} {
		for _, n := range s.names {
			if equalFold(n, word) {
				return s.set, true
			}
		}
	}
	return 0, false
}
