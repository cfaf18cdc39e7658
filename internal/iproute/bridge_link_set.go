package iproute

import (
	"strconv"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// A setWord is an option of "bridge link set" that is a switch.
type setWord struct {
	word string
	typ  uint16
}

func portSwitches() []setWord {
	return []setWord{
		{"guard", unix.IFLA_BRPORT_GUARD},
		{"hairpin", unix.IFLA_BRPORT_MODE},
		{"fastleave", unix.IFLA_BRPORT_FAST_LEAVE},
		{"root_block", unix.IFLA_BRPORT_PROTECT},
		{"learning", unix.IFLA_BRPORT_LEARNING},
		{"learning_sync", unix.IFLA_BRPORT_LEARNING_SYNC},
		{"flood", unix.IFLA_BRPORT_UNICAST_FLOOD},
		{"mcast_flood", unix.IFLA_BRPORT_MCAST_FLOOD},
		{"bcast_flood", unix.IFLA_BRPORT_BCAST_FLOOD},
		{"mcast_to_unicast", unix.IFLA_BRPORT_MCAST_TO_UCAST},
		{"neigh_suppress", unix.IFLA_BRPORT_NEIGH_SUPPRESS},
		{"vlan_tunnel", unix.IFLA_BRPORT_VLAN_TUNNEL},
		{"isolated", unix.IFLA_BRPORT_ISOLATED},
		{"locked", iflaBrportLocked},
	}
}

// Which side of a port a request is for (BRIDGE_FLAGS_*).
const (
	bridgeMaster = 1
	bridgeSelf   = 2
)

// bridgeLinkSet is "bridge link set".
func bridgeLinkSet(s *session, w *words) {
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	at := m.Begin(unix.IFLA_PROTINFO)
	dev, flags, mode := "", uint16(0), -1
words:
	for w.more() {
		word := w.peek()
		for _, o := range portSwitches() {
			if o.word == word {
				v := uint8(0)
				if offOrOn(word, w.next()) {
					v = 1
				}
				m.U8(o.typ, v)
				w.skip()
				continue words
			}
		}
		switch word {
		case "dev":
			dev = w.next()
		case "cost":
			if n := uint32(atoi(w.next())); n > 0 {
				m.U32(unix.IFLA_BRPORT_COST, n)
			}
		case "priority":
			if n := int16(atoi(w.next())); n >= 0 {
				m.U16(unix.IFLA_BRPORT_PRIORITY, uint16(n))
			}
		case "state":
			if n := stpState(w.next()); n >= 0 {
				m.U8(unix.IFLA_BRPORT_STATE, uint8(n))
			}
		case "mcast_router":
			m.U8(unix.IFLA_BRPORT_MULTICAST_ROUTER, uint8(atoi(w.next())))
		case "hwmode":
			flags = bridgeSelf
			switch w.next() {
			case "vepa":
				mode = 1
			case "veb":
				mode = 0
			default:
				fail(exitFailed, "Mode argument must be \"vepa\" or \"veb\".")
			}
		case "self":
			flags |= bridgeSelf
		case "master":
			flags |= bridgeMaster
		case "backup_port":
			m.U32(unix.IFLA_BRPORT_BACKUP_PORT, s.bridgeDevice(w.next(), "Error: device %s does not exist"))
		case "nobackup_port":
			m.U32(unix.IFLA_BRPORT_BACKUP_PORT, 0)
		default:
			usageOf(bridgeLinkUsage)
		}
		w.skip()
	}
	m.End(at)
	if dev == "" {
		fail(exitFailed, "Device is a required argument.")
	}
	index := s.bridgeDevice(dev, "Cannot find bridge device \"%s\"")
	if mode >= 0 || flags != 0 {
		spec := m.Begin(unix.IFLA_AF_SPEC)
		if flags != 0 {
			m.U16(bridgeFlags, flags)
		}
		if mode >= 0 {
			m.U16(bridgeMode, uint16(mode))
		}
		m.End(spec)
	}
	head := m.Head()
	head[0] = unix.AF_BRIDGE
	native.PutUint32(head[4:], index)
	s.do(m.Request(unix.RTM_SETLINK, 0))
}

// stpState reads a state of the spanning tree by name or number.
func stpState(word string) int {
	if n, err := strconv.Atoi(word); err == nil {
		return n
	}
	for v := range uint8(5) {
		if portState(v) == word {
			return int(v)
		}
	}
	fail(exitFailed, "Error: invalid STP port state")
	return 0
}
