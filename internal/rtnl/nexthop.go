package rtnl

import (
	"encoding/binary"
	"fmt"

	"warren/internal/nl"
	"warren/state"

	"golang.org/x/sys/unix"
)

// nhmsgLen is the size of struct nhmsg (linux/nexthop.h).
const nhmsgLen = 8

// Attributes of next hop objects (NHA_*).
const (
	nhaID, nhaGroup, nhaGroupType, nhaBlackhole, nhaOIF, nhaGateway, nhaEncapType = 1, 2, 3, 4, 5, 6, 7
	nhaFDB                                                                        = 11
)

// nexthopGrpLen is the size of struct nexthop_grp.
const nexthopGrpLen = 8

// groupTypes are NEXTHOP_GRP_TYPE_*; the first is the default, and so "".
var groupTypes = words{0: "mpath", 1: "resilient"}

// DumpNextHops reads all next hop objects. Linux 5.3.
func DumpNextHops() nl.Request {
	return nl.Request{Type: unix.RTM_GETNEXTHOP, Data: make([]byte, nhmsgLen)}
}

// DecodeNextHop reads the body of an RTM_NEWNEXTHOP or RTM_DELNEXTHOP message.
func DecodeNextHop(data []byte, names Names) (state.NextHopObject, error) {
	head, w, err := header(data, nhmsgLen)
	if err != nil {
		return state.NextHopObject{}, fmt.Errorf("next hop: %w", err)
	}
	n := state.NextHopObject{Scope: head[1], Protocol: head[2], Flags: binary.NativeEndian.Uint32(head[4:])}
	for w.next() {
		switch w.typ {
		case nhaID:
			n.ID = w.u32()
		case nhaGroup:
			n.Group = w.nextHopGroup()
		case nhaGroupType:
			if t := w.u16(); t != 0 {
				n.GroupType = groupTypes.name(uint32(t))
			}
		case nhaBlackhole:
			n.Blackhole = true
		case nhaFDB:
			n.FDB = true
		case nhaOIF:
			n.Link = nameOf(names, w.u32())
		case nhaGateway:
			n.Via = w.addr()
		case nhaEncapType:
			n.Encap = w.u16()
		}
	}
	if w.err == nil && n.ID == 0 {
		w.err = fmt.Errorf("%w: no id", ErrMalformed)
	}
	if w.err != nil {
		return state.NextHopObject{}, fmt.Errorf("next hop: %w", w.err)
	}
	return n, nil
}

// nextHopGroup reads struct nexthop_grp, whose weights are one less than what they say; the high byte came with Linux 6.12.
func (w *walker) nextHopGroup() []state.NextHopMember {
	if len(w.data)%nexthopGrpLen != 0 {
		w.fail(fmt.Errorf("%w: a group of %d bytes", ErrMalformed, len(w.data)))
		return nil
	}
	var list []state.NextHopMember
	for b := w.data; len(b) > 0; b = b[nexthopGrpLen:] {
		list = append(list, state.NextHopMember{
			ID: binary.NativeEndian.Uint32(b), Weight: uint16(b[4]) + uint16(b[5])<<8 + 1,
		})
	}
	return list
}

// EncodeNextHop writes the body of an RTM_NEWNEXTHOP message as the kernel would.
func EncodeNextHop(n state.NextHopObject, names Names) ([]byte, error) {
	e := newEncoder()
	fam := uint8(unix.AF_UNSPEC)
	if n.Via.IsValid() {
		fam = family(n.Via)
	}
	e.b = append(e.b, fam, n.Scope, n.Protocol, 0)
	e.b = binary.NativeEndian.AppendUint32(e.b, n.Flags)
	e.u32(nhaID, n.ID)
	if n.Group != nil {
		var b []byte
		for _, m := range n.Group {
			b = binary.NativeEndian.AppendUint32(b, m.ID)
			b = append(b, byte(m.Weight-1), byte((m.Weight-1)>>8), 0, 0)
		}
		e.bytes(nhaGroup, b)
	}
	if n.GroupType != "" {
		t, err := groupTypes.value("type of a group", n.GroupType)
		if err != nil {
			e.fail(err)
		}
		e.u16(nhaGroupType, uint16(t))
	}
	if n.Blackhole {
		e.bytes(nhaBlackhole, nil)
	}
	e.index(nhaOIF, names, n.Link)
	e.optAddr(nhaGateway, n.Via)
	e.optU16(nhaEncapType, n.Encap)
	if n.FDB {
		e.bytes(nhaFDB, nil)
	}
	return e.data()
}
