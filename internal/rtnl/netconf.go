package rtnl

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// A Setting is one value of the settings of a protocol in a namespace, as rtnetlink tells it (linux/netconf.h).
type Setting struct {
	IPv6    bool
	Default bool // of "default", else of "all"
	What    uint16
}

// What a [Setting] can be (NETCONFA_*).
const (
	SettingForwarding     uint16 = 2
	SettingRPFilter       uint16 = 3 // IPv4
	SettingProxyNeighbor  uint16 = 5 // proxy_arp, proxy_ndp
	SettingIgnoreLinkdown uint16 = 6 // ignore_routes_with_linkdown
)

const (
	netconfLen     = 4 // struct netconfmsg, aligned
	netconfIndex   = 1 // NETCONFA_IFINDEX
	netconfAll     = -1
	netconfDefault = -2
)

// GetSetting asks for the settings that s is one of. Linux 3.8.
func GetSetting(s Setting) nl.Request {
	family, index := byte(unix.AF_INET), int32(netconfAll)
	if s.IPv6 {
		family = unix.AF_INET6
	}
	if s.Default {
		index = netconfDefault
	}
	e := &encoder{b: append(make([]byte, 0, 16), family, 0, 0, 0)}
	e.u32(netconfIndex, uint32(index)) //nolint:gosec // the attribute is signed
	return nl.Request{Type: unix.RTM_GETNETCONF, Data: e.b}
}

// DecodeSetting reads the value from the body of an RTM_NEWNETCONF message; ok is false when it does not tell it.
func DecodeSetting(s Setting, data []byte) (value int32, ok bool, err error) {
	if len(data) < netconfLen {
		return 0, false, fmt.Errorf("%w: settings of %d bytes", ErrMalformed, len(data))
	}
	w := walk(data[netconfLen:])
	for w.next() {
		if w.typ == s.What && len(w.data) == 4 {
			value, ok = int32(binary.NativeEndian.Uint32(w.data)), true //nolint:gosec // it is signed
		}
	}
	return value, ok, w.err
}
