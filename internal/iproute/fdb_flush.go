package iproute

import (
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Parts of requests about neighbours that package unix does not name (linux/neighbour.h, linux/netlink.h).
const (
	nlmFBulk      = 0x200 // NLM_F_BULK, Linux 5.19
	ndaStateMask  = 16
	ndaFlagsMask  = 17
	ntfExtManaged = 1
	ndaFlagsExt   = 15
	ndaNHID       = 13
)

// fdbGet asks for one entry.
func fdbGet(s *session, w *words) {
	m := rtnl.NewMessage(rtnl.NdmsgLen)
	var dev, bridge string
	var mac []byte
	flags, vlan, state := uint8(0), -1, uint16(0)
	for w.more() {
		switch word := w.peek(); {
		case word == "brport", word == "dev":
			if next := w.next(); dev != "" {
				duplicate(word, next)
			}
			dev = w.peek()
		case word == "br":
			if next := w.next(); bridge != "" {
				duplicate("br", next)
			}
			bridge = w.peek()
		case matches(word, "vlan"):
			if next := w.next(); vlan >= 0 {
				duplicate("vlan", next)
			}
			vlan = atoi(w.peek())
		case matches(word, "vni"):
			m.U32(unix.NDA_VNI, vniWord(w.next()))
		case word == "self":
			flags |= unix.NTF_SELF
		case matches(word, "master"):
			flags |= unix.NTF_MASTER
		case matches(word, "dynamic"):
			state |= 2
		default:
			if word == "to" {
				word = w.next()
			}
			if matches(word, "help") {
				usageOf(fdbUsage)
			}
			if mac != nil {
				garbage("to", word)
			}
			mac = fdbMAC(word)
		}
		w.skip()
	}
	if dev == "" && bridge == "" || mac == nil {
		fail(exitFailed, "Device or master and address are required arguments.")
	}
	m.Bytes(unix.NDA_LLADDR, mac)
	if vlan >= 0 {
		m.U16(unix.NDA_VLAN, uint16(vlan))
	}
	head := m.Head()
	head[0], head[10] = unix.AF_BRIDGE, flags
	native.PutUint16(head[8:], state)
	if dev != "" {
		native.PutUint32(head[4:], s.bridgeDevice(dev, "Cannot find device \"%s\""))
	}
	if bridge != "" {
		m.U32(unix.NDA_MASTER, s.bridgeDevice(bridge, "Cannot find bridge device \"%s\""))
	}
	req, err := m.Request(unix.RTM_GETNEIGH, 0)
	if err != nil {
		die("%v", err)
	}
	msgs, err := s.ask(req)
	if err != nil {
		exitQuietly(256-2, kernelText(err))
	}
	p := s.out()
	for _, msg := range msgs {
		s.printFDB(p, msg.Data, false)
	}
}

// exitQuietly ends the command with that code, and not the batch.
func exitQuietly(code int, text string) {
	panic(&failure{code: code, exact: true, text: text})
}

func vniWord(word string) uint32 {
	n, ok := parseUint(word, 0, 32)
	if !ok || n >= 1<<24 || n == 1<<24-1 {
		invalid("invalid VNI\n", word)
	}
	return uint32(n)
}

// fdbMAC reads an address of Ethernet.
func fdbMAC(word string) []byte {
	hw, ok := parseHW(word)
	if !ok || len(hw) != 6 || strings.Count(word, ":") != 5 {
		fail(exitFailed, "Invalid mac address %s", word)
	}
	return hw
}

// A flushWord is what entries can be chosen by: a flag, or a state.
type flushWord struct {
	word string
	flag uint8
	set  uint16
	mask uint16
}

func flushWords() []flushWord {
	return []flushWord{
		{"permanent", 0, nudPermanent, nudPermanent},
		{"static", 0, nudNoARP, nudNoARP | nudPermanent},
		{"dynamic", 0, 0, nudNoARP | nudPermanent},
		{"added_by_user", unix.NTF_USE, 0, 0},
		{"extern_learn", unix.NTF_EXT_LEARNED, 0, 0},
		{"sticky", ntfSticky, 0, 0},
		{"offloaded", unix.NTF_OFFLOADED, 0, 0},
	}
}

// fdbFlush deletes the entries that its words describe.
func fdbFlush(s *session, w *words) {
	m := rtnl.NewMessage(rtnl.NdmsgLen)
	var dev, port string
	var flags, flagMask uint8
	var state, stateMask uint16
	vlan := -1
words:
	for w.more() {
		word := w.peek()
		name, not := strings.CutPrefix(word, "no")
		for _, f := range flushWords() {
			if f.word != name {
				continue
			}
			flagMask |= f.flag
			stateMask |= f.mask
			if not {
				flags &^= f.flag
				state &^= f.mask
				if f.word == "dynamic" {
					state |= nudNoARP
				}
			} else {
				flags |= f.flag
				state |= f.set
			}
			w.skip()
			continue words
		}
		switch word {
		case "dev":
			if next := w.next(); dev != "" {
				duplicate("dev", next)
			}
			dev = w.peek()
		case "brport":
			if next := w.next(); port != "" {
				duplicate("brport", next)
			}
			port = w.peek()
		case "vlan":
			if next := w.next(); vlan >= 0 {
				duplicate("vlan", next)
			}
			vlan = atoi(w.peek())
		case "self":
			flags |= unix.NTF_SELF
		case "master":
			flags |= unix.NTF_MASTER
		case "help":
			usageOf(fdbUsage)
		}
		w.skip()
	}
	if dev == "" {
		fail(exitFailed, "Device is a required argument.")
	}
	index := s.bridgeDevice(dev, "Cannot find bridge device \"%s\"")
	if port != "" {
		m.U32(unix.NDA_IFINDEX, s.bridgeDevice(port, "Cannot find port device \"%s\""))
	}
	if vlan >= 4096 {
		fail(exitFailed, "Invalid VLAN ID \"%d\"", vlan)
	}
	if flags&(unix.NTF_SELF|unix.NTF_MASTER) == 0 {
		flags |= unix.NTF_SELF
	}
	if vlan >= 0 {
		m.U16(unix.NDA_VLAN, uint16(vlan))
	}
	if flagMask != 0 {
		m.U8(ndaFlagsMask, flagMask)
	}
	if stateMask != 0 {
		m.U16(ndaStateMask, stateMask)
	}
	head := m.Head()
	head[0], head[10] = unix.AF_BRIDGE, flags
	native.PutUint32(head[4:], index)
	native.PutUint16(head[8:], state)
	s.do(m.Request(unix.RTM_DELNEIGH, nlmFBulk))
}
