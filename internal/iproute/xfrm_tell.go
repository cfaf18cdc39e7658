package iproute

import (
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
	"warren/internal/xfrm"
)

// after is what stands behind a layout in a message.
func after[T xfrm.Layout](b []byte) []byte {
	return b[min((xfrm.Size[T]()+3)&^3, len(b)):]
}

// wrongLength says what iproute2 says about a message that is too short.
func (x *xfrmCommand) wrongLength(have, want int) {
	x.hint(fmt.Sprintf("BUG: wrong nlmsg len %d", have-(want+3)&^3))
}

// told are the words that a message of a change starts with.
func told(m netlink.Message) string {
	switch m.Header.Type {
	case xfrm.DelState, xfrm.DelPolicy:
		return "Deleted "
	case xfrm.UpdState, xfrm.UpdPolicy:
		return "Updated "
	case xfrm.MsgExpire, xfrm.PolExpire:
		return "Expired "
	}
	return ""
}

// tellState prints a message about a state.
func (x *xfrmCommand) tellState(p *printer, m netlink.Message) {
	var state xfrm.State
	var hard uint8
	var ok bool
	var attrs []byte
	want := xfrm.Size[xfrm.State]()
	switch m.Header.Type {
	case xfrm.DelState:
		_, ok = xfrm.Decode[xfrm.StateID](m.Data)
		attrs, want = after[xfrm.StateID](m.Data), xfrm.Size[xfrm.StateID]()
	case xfrm.MsgExpire:
		var e xfrm.Expire
		e, ok = xfrm.Decode[xfrm.Expire](m.Data)
		state, hard = e.State, e.Hard
		attrs, want = after[xfrm.Expire](m.Data), xfrm.Size[xfrm.Expire]()
	case xfrm.NewState, xfrm.UpdState:
		state, ok = xfrm.Decode[xfrm.State](m.Data)
		attrs = after[xfrm.State](m.Data)
	default:
		x.hint(fmt.Sprintf("Not a state: %08x %08x %08x", m.Header.Length, uint16(m.Header.Type), uint16(m.Header.Flags)))
		return
	}
	if !ok {
		x.wrongLength(len(m.Data), want)
		return
	}
	if m.Header.Type != xfrm.DelState && !x.filter.letsState(&state) {
		return
	}
	p.text("%s", told(m))
	a := rtnl.ParseAttrs(attrs)
	if m.Header.Type == xfrm.DelState {
		if state, ok = xfrm.Decode[xfrm.State](a.Bytes(xfrm.AttrState)); !ok {
			x.hint("Buggy XFRM_MSG_DELSA: no XFRMA_SA")
			return
		}
	}
	x.printState(p, &state, a)
	if m.Header.Type == xfrm.MsgExpire {
		p.text("\thard %d%s", hard, p.nl)
	}
	x.endLine(p)
}

func (x *xfrmCommand) printState(p *printer, s *xfrm.State, a rtnl.Attrs) {
	ipsec := s.ID.Proto == unix.IPPROTO_ESP || s.ID.Proto == unix.IPPROTO_AH || s.ID.Proto == protoComp
	x.printID(p, s.Src, s.ID, s.Family, s.Mode, s.ReqID, ipsec, "", "")
	const prefix = "\t"
	p.text("%sreplay-window %d ", prefix, s.ReplayWindow)
	if x.detailed() {
		p.text("seq 0x%08d ", s.Seq)
	}
	if x.detailed() || s.Flags != 0 {
		p.text("flag ")
		printFlagNames(p, xfrmStateFlags(), uint32(s.Flags))
	}
	if x.detailed() && a.Has(xfrm.AttrExtraFlags) {
		p.text("extra_flag ")
		printFlagNames(p, xfrmExtraFlags(), a.U32(xfrm.AttrExtraFlags))
	}
	if x.detailed() {
		p.text(" (0x%08b)", s.Flags)
	}
	p.text("%s", p.nl)
	x.printAttrs(p, a, s.Family, prefix, x.nokeys && !x.showsAnyway)
	if !s.Sel.IsZero() {
		x.printSelector(p, &s.Sel, s.Family, prefix+"sel ")
	}
	if x.detailed() {
		printLifetime(p, &s.Lifetime, &s.Used, prefix)
		p.text("%sstats:%s%s  replay-window %d replay %d failed %d%s", prefix, p.nl, prefix,
			s.Stats.ReplayWindow, s.Stats.Replay, s.Stats.IntegrityFailed, p.nl)
	}
	printContext(p, a, "%s %s")
}

// tellPolicy prints a message about a policy.
func (x *xfrmCommand) tellPolicy(p *printer, m netlink.Message) {
	var policy xfrm.Policy
	var hard uint8
	var ok bool
	var attrs []byte
	want := xfrm.Size[xfrm.Policy]()
	switch m.Header.Type {
	case xfrm.DelPolicy:
		_, ok = xfrm.Decode[xfrm.PolicyID](m.Data)
		attrs, want = after[xfrm.PolicyID](m.Data), xfrm.Size[xfrm.PolicyID]()
	case xfrm.PolExpire:
		var e xfrm.PolicyExpire
		e, ok = xfrm.Decode[xfrm.PolicyExpire](m.Data)
		policy, hard = e.Policy, e.Hard
		attrs, want = after[xfrm.PolicyExpire](m.Data), xfrm.Size[xfrm.PolicyExpire]()
	case xfrm.NewPolicy, xfrm.UpdPolicy:
		policy, ok = xfrm.Decode[xfrm.Policy](m.Data)
		attrs = after[xfrm.Policy](m.Data)
	default:
		x.hint(fmt.Sprintf("Not a policy: %08x %08x %08x", m.Header.Length, uint16(m.Header.Type), uint16(m.Header.Flags)))
		return
	}
	if !ok {
		x.wrongLength(len(m.Data), want)
		return
	}
	a := rtnl.ParseAttrs(attrs)
	if a.Has(xfrm.AttrPolicyType) {
		if _, ok := xfrm.Decode[xfrm.PolicyType](a.Bytes(xfrm.AttrPolicyType)); !ok {
			x.hint("too short XFRMA_POLICY_TYPE len")
			return
		}
	}
	if m.Header.Type != xfrm.DelPolicy && !x.filter.letsPolicy(&policy, policyType(a)) {
		return
	}
	p.text("%s", told(m))
	if m.Header.Type == xfrm.DelPolicy {
		if policy, ok = xfrm.Decode[xfrm.Policy](a.Bytes(xfrm.AttrPolicy)); !ok {
			x.hint("Buggy XFRM_MSG_DELPOLICY: no XFRMA_POLICY")
			return
		}
	}
	x.printPolicy(p, &policy, a, "", "")
	if m.Header.Type == xfrm.PolExpire {
		p.text("\thard %d%s", hard, p.nl)
	}
	x.endLine(p)
}

func (x *xfrmCommand) printPolicy(p *printer, policy *xfrm.Policy, a rtnl.Attrs, prefix, title string) {
	x.printSelector(p, &policy.Sel, x.family, title)
	printContext(p, a, "%s %s")
	prefix += "\t"
	dir, word := policy.Dir, "dir"
	if dir >= xfrm.PolicyMax {
		dir, word = dir-xfrm.PolicyMax, "socket"
	}
	p.text("%s%s %s ", prefix, word, nameFor(xfrmDirections(), dir))
	if policy.Action != xfrm.PolicyAllow || x.detailed() {
		p.text("action %s ", nameFor(xfrmActions(), policy.Action))
	}
	if x.detailed() {
		p.text("index %d ", policy.Index)
	}
	p.text("priority %d ", policy.Priority)
	if a.Has(xfrm.AttrPolicyType) {
		p.text("ptype %s ", nameFor(xfrmTypes(), policyType(a)))
	}
	if x.detailed() {
		p.text("share %s ", xfrmShare(policy.Share))
	}
	if x.detailed() || policy.Flags != 0 {
		p.text("flag ")
		printFlagNames(p, xfrmPolicyFlags(), uint32(policy.Flags))
	}
	if x.detailed() {
		p.text(" (0x%08b)", policy.Flags)
	}
	p.text("%s", p.nl)
	if x.detailed() {
		printLifetime(p, &policy.Lifetime, &policy.Used, prefix)
	}
	x.printAttrs(p, a, policy.Sel.Family, prefix, false)
}
