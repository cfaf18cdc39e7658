package rtnl

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"time"

	"warren/internal/nl"
	"warren/state"

	"golang.org/x/sys/unix"
)

// ifaProto is IFA_PROTO (linux/if_addr.h, Linux 5.18).
const ifaProto = 11

// forever is the lifetime that does not end.
const forever = math.MaxUint32

// ifaddrLen is the size of struct ifaddrmsg.
const ifaddrLen = 8

// CreateAddr adds an address. Without lifetimes it stays for ever.
func CreateAddr(a state.Addr, names Names) (nl.Request, error) {
	e := newEncoder()
	e.address(&a, names)
	return e.request(unix.RTM_NEWADDR, create)
}

// DeleteAddr removes an address: the one with this prefix (and peer) on this link.
func DeleteAddr(a state.Addr, names Names) (nl.Request, error) {
	e := newEncoder()
	e.address(&state.Addr{Link: a.Link, Prefix: a.Prefix, Peer: a.Peer}, names)
	return e.request(unix.RTM_DELADDR, 0)
}

// DumpAddrs reads all addresses of both families.
func DumpAddrs() nl.Request {
	return nl.Request{Type: unix.RTM_GETADDR, Data: make([]byte, ifaddrLen)}
}

// EncodeAddr writes the body of an RTM_NEWADDR message.
func EncodeAddr(a state.Addr, names Names) ([]byte, error) {
	e := newEncoder()
	e.address(&a, names)
	return e.data()
}

func (e *encoder) address(a *state.Addr, names Names) {
	ip := a.Prefix.Addr()
	if !a.Prefix.IsValid() {
		e.fail(fmt.Errorf("%v is not an address with a prefix length", a.Prefix))
		return
	}
	index, err := indexOf(names, a.Link)
	if err != nil {
		e.fail(err)
	}
	e.b = append(e.b, family(ip), uint8(a.Prefix.Bits()), uint8(a.Flags), a.Scope)
	e.b = binary.NativeEndian.AppendUint32(e.b, index)
	// IFA_LOCAL is the own address; IFA_ADDRESS is the peer's, or again the own one. IPv6 has IFA_LOCAL only with a peer.
	far := ip
	if a.Peer.IsValid() {
		far = a.Peer
	}
	e.addr(unix.IFA_ADDRESS, far)
	if ip.Is4() || a.Peer.IsValid() {
		e.addr(unix.IFA_LOCAL, ip)
	}
	e.optAddr(unix.IFA_BROADCAST, a.Broadcast)
	e.optStr(unix.IFA_LABEL, a.Label)
	e.optU32(unix.IFA_RT_PRIORITY, a.Metric)
	e.optU8(ifaProto, a.Protocol)
	e.optU32(unix.IFA_FLAGS, a.Flags)
	deprecated := a.Flags&state.AddrDeprecated != 0
	if a.Valid != 0 || a.Preferred != 0 || deprecated {
		e.head(unix.IFA_CACHEINFO, 16)
		preferred := lifetime(a.Preferred)
		if a.Preferred == 0 && deprecated {
			preferred = 0
		}
		e.b = binary.NativeEndian.AppendUint32(e.b, preferred)
		e.b = binary.NativeEndian.AppendUint32(e.b, lifetime(a.Valid))
		e.b = append(e.b, 0, 0, 0, 0, 0, 0, 0, 0) // when it was made and changed: the kernel's
	}
}

// lifetime is in whole seconds, rounded up; zero and what is too long are for ever.
func lifetime(d time.Duration) uint32 {
	s := (d + time.Second - 1) / time.Second
	if s <= 0 || s >= forever {
		return forever
	}
	return uint32(s)
}

func duration(seconds uint32) time.Duration {
	if seconds == forever {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// family is the address family of an address.
func family(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// DecodeAddr reads the body of an RTM_NEWADDR or RTM_DELADDR message.
func DecodeAddr(data []byte, names Names) (state.Addr, error) {
	head, w, err := header(data, ifaddrLen)
	if err != nil {
		return state.Addr{}, fmt.Errorf("address: %w", err)
	}
	if head[0] != unix.AF_INET && head[0] != unix.AF_INET6 {
		return state.Addr{}, fmt.Errorf("address: family %d: %w", head[0], ErrFamily)
	}
	v6 := head[0] == unix.AF_INET6
	a := state.Addr{
		Link:  nameOf(names, binary.NativeEndian.Uint32(head[4:])),
		Flags: uint32(head[2]),
		Scope: head[3],
	}
	var local, far netip.Addr
	for w.next() {
		switch w.typ {
		case unix.IFA_ADDRESS:
			far = w.familyAddr(v6)
		case unix.IFA_LOCAL:
			local = w.familyAddr(v6)
		case unix.IFA_BROADCAST:
			a.Broadcast = w.familyAddr(v6)
		case unix.IFA_LABEL:
			a.Label = w.str()
		case unix.IFA_FLAGS:
			a.Flags = w.u32()
		case unix.IFA_RT_PRIORITY:
			a.Metric = w.u32()
		case ifaProto:
			a.Protocol = w.u8()
		case unix.IFA_CACHEINFO:
			if w.sized(16) {
				a.Preferred = duration(binary.NativeEndian.Uint32(w.data))
				a.Valid = duration(binary.NativeEndian.Uint32(w.data[4:]))
			}
		}
	}
	if w.err != nil {
		return state.Addr{}, fmt.Errorf("address: %w", w.err)
	}
	if !local.IsValid() {
		local = far
	}
	if far.IsValid() && far != local {
		a.Peer = far
	}
	a.Prefix = netip.PrefixFrom(local, int(head[1]))
	if !a.Prefix.IsValid() {
		return state.Addr{}, fmt.Errorf("address: %w: %v with prefix length %d", ErrMalformed, local, head[1])
	}
	return a, nil
}
