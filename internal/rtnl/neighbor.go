package rtnl

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"warren/internal/nl"
	"warren/state"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// ndaProtocol is NDA_PROTOCOL (linux/neighbour.h, Linux 5.2).
const ndaProtocol = 12

// ndmLen is the size of struct ndmsg.
const ndmLen = 12

// A neighState is a value of ndm_state and its word.
type neighState struct {
	v    uint16
	word string
}

// neighborStates returns the words of ndm_state: for the tables of IPv4 and IPv6 as ip(8) has them.
func neighborStates() []neighState {
	return []neighState{
		{unix.NUD_NONE, "none"},
		{unix.NUD_INCOMPLETE, "incomplete"},
		{unix.NUD_REACHABLE, "reachable"},
		{unix.NUD_STALE, "stale"},
		{unix.NUD_DELAY, "delay"},
		{unix.NUD_PROBE, "probe"},
		{unix.NUD_FAILED, "failed"},
		{unix.NUD_NOARP, "noarp"},
		{unix.NUD_PERMANENT, "permanent"},
	}
}

// fdbStates returns the words of ndm_state for forwarding tables, where NUD_NOARP is called static, as bridge(8) does. A vxlan
// keeps what it was given, and takes no static entry that is not reachable too.
func fdbStates() []neighState {
	return []neighState{
		{unix.NUD_NONE, "none"},
		{unix.NUD_REACHABLE, "reachable"},
		{unix.NUD_STALE, "stale"},
		{unix.NUD_NOARP, "static"},
		{unix.NUD_NOARP | unix.NUD_REACHABLE, "static"},
		{unix.NUD_PERMANENT, "permanent"},
		{unix.NUD_PERMANENT | unix.NUD_REACHABLE, "permanent"}, // where a vxlan floods to
		{unix.NUD_PERMANENT | unix.NUD_NOARP, "permanent"},     // as bridge(8) adds to a vxlan
	}
}

func stateWord(of []neighState, v uint16) string {
	for _, s := range of {
		if s.v == v {
			return s.word
		}
	}
	return strconv.FormatUint(uint64(v), 10)
}

// stateValue reads a state; "" is permanent, which is what a declared entry is.
func (e *encoder) stateValue(of []neighState, word string) uint16 {
	if word == "" {
		return unix.NUD_PERMANENT
	}
	for _, s := range of {
		if s.word == word {
			return s.v
		}
	}
	n, err := strconv.ParseUint(word, 10, 16)
	if err != nil {
		e.fail(fmt.Errorf("unknown state %q of a neighbour", word))
	}
	return uint16(n)
}

// CreateNeighbor adds an entry; it is permanent unless it says something else.
func CreateNeighbor(n state.Neighbor, names Names) (nl.Request, error) {
	return neighborRequest(n, names, unix.RTM_NEWNEIGH, create)
}

// ReplaceNeighbor adds an entry or changes the one with this address: also one that the kernel has learned.
func ReplaceNeighbor(n state.Neighbor, names Names) (nl.Request, error) {
	return neighborRequest(n, names, unix.RTM_NEWNEIGH, netlink.Create|netlink.Replace)
}

// DeleteNeighbor deletes the entry with this address.
func DeleteNeighbor(n state.Neighbor, names Names) (nl.Request, error) {
	return neighborRequest(n, names, unix.RTM_DELNEIGH, 0)
}

// DumpNeighbors reads all entries of both families; the kernel keeps the proxy entries apart.
func DumpNeighbors(proxy bool) nl.Request {
	b := make([]byte, ndmLen)
	if proxy {
		b[10] = unix.NTF_PROXY
	}
	return nl.Request{Type: unix.RTM_GETNEIGH, Data: b}
}

// EncodeNeighbor writes the body of an RTM_NEWNEIGH message.
func EncodeNeighbor(n state.Neighbor, names Names) ([]byte, error) {
	e := newEncoder()
	e.neighbor(&n, names)
	return e.data()
}

func neighborRequest(n state.Neighbor, names Names, typ int, flags netlink.HeaderFlags) (nl.Request, error) {
	e := newEncoder()
	e.neighbor(&n, names)
	return e.request(typ, flags)
}

// ndm writes struct ndmsg.
func (e *encoder) ndm(fam uint8, names Names, link string, st uint16, flags uint8) {
	index, err := indexOf(names, link)
	if err != nil {
		e.fail(err)
	}
	e.b = append(e.b, fam, 0, 0, 0)
	e.b = binary.NativeEndian.AppendUint32(e.b, index)
	e.b = binary.NativeEndian.AppendUint16(e.b, st)
	e.b = append(e.b, flags, 0)
}

func (e *encoder) neighbor(n *state.Neighbor, names Names) {
	if !n.IP.IsValid() {
		e.fail(fmt.Errorf("a neighbour of %q without an address", n.Link))
		return
	}
	var flags uint8
	if n.Proxy {
		flags |= unix.NTF_PROXY
	}
	if n.Router {
		flags |= unix.NTF_ROUTER
	}
	e.ndm(family(n.IP), names, n.Link, e.stateValue(neighborStates(), n.State), flags)
	e.addr(unix.NDA_DST, n.IP)
	e.optMAC(unix.NDA_LLADDR, n.MAC)
	e.optU8(ndaProtocol, n.Protocol)
}

// DecodeNeighbor reads the body of an RTM_NEWNEIGH or RTM_DELNEIGH message of IPv4 or IPv6.
func DecodeNeighbor(data []byte, names Names) (state.Neighbor, error) {
	head, w, err := header(data, ndmLen)
	if err != nil {
		return state.Neighbor{}, fmt.Errorf("neighbour: %w", err)
	}
	if head[0] != unix.AF_INET && head[0] != unix.AF_INET6 {
		return state.Neighbor{}, fmt.Errorf("neighbour: family %d: %w", head[0], ErrFamily)
	}
	n := state.Neighbor{
		Link:   nameOf(names, binary.NativeEndian.Uint32(head[4:])),
		State:  stateWord(neighborStates(), binary.NativeEndian.Uint16(head[8:])),
		Proxy:  head[10]&unix.NTF_PROXY != 0,
		Router: head[10]&unix.NTF_ROUTER != 0,
	}
	for w.next() {
		switch w.typ {
		case unix.NDA_DST:
			n.IP = w.familyAddr(head[0] == unix.AF_INET6)
		case unix.NDA_LLADDR:
			n.MAC = w.mac()
		case ndaProtocol:
			n.Protocol = w.u8()
		}
	}
	if w.err == nil && !n.IP.IsValid() {
		w.err = fmt.Errorf("%w: no address", ErrMalformed)
	}
	if w.err != nil {
		return state.Neighbor{}, fmt.Errorf("neighbour: %w", w.err)
	}
	return n, nil
}
