package xt

import (
	"encoding/binary"

	"warren/state"
)

// What the conntrack match compares (XT_CONNTRACK_*).
const (
	matchState     = 1 << 0
	matchProto     = 1 << 1
	matchOrigSrc   = 1 << 2
	matchOrigDst   = 1 << 3
	matchReplySrc  = 1 << 4
	matchReplyDst  = 1 << 5
	matchStatus    = 1 << 6
	matchExpires   = 1 << 7
	matchOrigSPort = 1 << 8
	matchOrigDPort = 1 << 9
	matchReplySP   = 1 << 10
	matchReplyDP   = 1 << 11
	matchDirection = 1 << 12
	matchAlias     = 1 << 13 // "-m state" by another name (XT_CONNTRACK_STATE_ALIAS)
)

// conntrack reads struct xt_conntrack_mtinfo1 to 3. Before the third ports were single, and in network order.
func conntrack(m *state.XTMatch, d []byte, v6 bool) bool {
	size := map[uint8]int{1: 152, 2: 154, 3: 162}[m.Revision]
	if size == 0 || len(d) < size {
		return false
	}
	c := &state.XTConntrack{Alias: u16(d[146:])&matchAlias != 0, Match: u16(d[146:]) &^ matchAlias, Invert: u16(d[148:])}
	var stateMask uint16
	if m.Revision == 1 {
		stateMask, c.Status = uint16(d[150]), uint16(d[151])
	} else {
		stateMask, c.Status = u16(d[150:]), u16(d[152:])
	}
	if c.Match&matchStatus == 0 {
		c.Status = 0
	}
	if c.Match&matchState != 0 {
		c.States = states(stateMask, false)
	}
	for i, a := range []struct {
		bit uint16
		to  *state.XPrefix
	}{{matchOrigSrc, &c.OrigSrc}, {matchOrigDst, &c.OrigDst}, {matchReplySrc, &c.ReplySrc}, {matchReplyDst, &c.ReplyDst}} {
		if c.Match&a.bit != 0 {
			n := 4
			if v6 {
				n = 16
			}
			p := maskedAddr(d[32*i:32*i+n], d[32*i+16:32*i+16+n], true) // whether it is inverted stands in Invert
			p.Inverted = false
			*a.to = p
		}
	}
	if c.Match&matchExpires != 0 {
		c.Expires = [2]uint32{u32(d[128:]), u32(d[132:])}
	}
	if c.Match&matchProto != 0 {
		c.Proto = u16(d[136:])
	}
	for i, p := range []struct {
		bit uint16
		to  *[2]uint16
	}{{matchOrigSPort, &c.OrigSPort}, {matchOrigDPort, &c.OrigDPort}, {matchReplySP, &c.ReplySPort}, {matchReplyDP, &c.ReplyDPort}} {
		if c.Match&p.bit == 0 {
			continue
		}
		if m.Revision == 3 {
			*p.to = [2]uint16{u16(d[138+2*i:]), u16(d[154+2*i:])}
			continue
		}
		v := binary.BigEndian.Uint16(d[138+2*i:])
		*p.to = [2]uint16{v, v}
	}
	m.Conntrack = c
	return true
}

// states names bits of a state mask. The old state match has another bit for UNTRACKED, and none for NAT.
func states(mask uint16, old bool) []string {
	names := [...]string{0: "INVALID", 1: "ESTABLISHED", 2: "RELATED", 3: "NEW", 6: "SNAT", 7: "DNAT", 8: "UNTRACKED"}
	if old {
		names[6] = "UNTRACKED"
	}
	var list []string
	for i, n := range names {
		if mask&(1<<i) != 0 && n != "" {
			list = append(list, n)
		}
	}
	return list
}
