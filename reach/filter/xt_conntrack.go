package filter

import (
	"net/netip"

	"warren/state"
)

// What an XTConntrack compares (XT_CONNTRACK_*, linux/netfilter/xt_conntrack.h).
const (
	ctxState = 1 << iota
	ctxProto
	ctxOrigSrc
	ctxOrigDst
	ctxReplySrc
	ctxReplyDst
	ctxStatus
	ctxExpires
	ctxOrigSPort
	ctxOrigDPort
	ctxReplySPort
	ctxReplyDPort
	ctxDirection
)

// xtConntrack follows conntrack_mt in net/netfilter/xt_conntrack.c.
func (e *eval) xtConntrack(x *state.XTConntrack) (outcome, string) {
	p, c := e.p, e.p.Conn
	if p.Untracked {
		c = nil
	}
	has := func(bit uint16) bool { return x.Match&bit != 0 }
	inverted := func(bit uint16) bool { return x.Invert&bit != 0 }
	if has(ctxState) && e.inStates(x.States, c) == inverted(ctxState) {
		return no, ""
	}
	if c == nil {
		return truth(has(ctxState)), ""
	}
	if has(ctxExpires) {
		return maybe, "the time that a connection has left is not modelled"
	}
	for _, side := range []struct {
		bit  uint16
		want state.XPrefix
		have netip.Addr
	}{
		{ctxOrigSrc, x.OrigSrc, c.Original.Src},
		{ctxOrigDst, x.OrigDst, c.Original.Dst},
		{ctxReplySrc, x.ReplySrc, c.Reply.Src},
		{ctxReplyDst, x.ReplyDst, c.Reply.Dst},
	} {
		if has(side.bit) && masked(side.have, side.want) == inverted(side.bit) {
			return no, ""
		}
	}
	for _, side := range []struct {
		bit  uint16
		want [2]uint16
		have uint16
	}{
		{ctxOrigSPort, x.OrigSPort, c.Original.SPort},
		{ctxOrigDPort, x.OrigDPort, c.Original.DPort},
		{ctxReplySPort, x.ReplySPort, c.Reply.SPort},
		{ctxReplyDPort, x.ReplyDPort, c.Reply.DPort},
	} {
		if has(side.bit) && within16(side.have, side.want) == inverted(side.bit) {
			return no, ""
		}
	}
	switch {
	case has(ctxDirection) && !p.Reply == inverted(ctxDirection),
		has(ctxProto) && (uint16(c.Proto) == x.Proto) == inverted(ctxProto),
		has(ctxStatus) && (c.status()&uint32(x.Status) != 0) == inverted(ctxStatus):
		return no, ""
	}
	return yes, ""
}

// inStates reports whether the packet is in one of the states.
func (e *eval) inStates(states []string, c *Conn) bool {
	now := e.p.state()
	for _, s := range states {
		switch s {
		case "INVALID":
			if now == stateInvalid {
				return true
			}
		case "NEW":
			if now == stateNew {
				return true
			}
		case "ESTABLISHED":
			if now == stateEstablished {
				return true
			}
		case "RELATED":
			if now == stateRelated {
				return true
			}
		case "UNTRACKED":
			if now == stateUntracked {
				return true
			}
		case "SNAT":
			if c != nil && c.Status&statusSrcNAT != 0 {
				return true
			}
		case "DNAT":
			if c != nil && c.Status&statusDstNAT != 0 {
				return true
			}
		}
	}
	return false
}
