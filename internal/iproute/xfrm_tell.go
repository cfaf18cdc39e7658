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

// An xfrmKind is a database's kind of entries, T, as messages tell of them; X tells of one whose time is over.
type xfrmKind[T, X xfrm.Layout] struct {
	name                     string // after "Not a"
	add, update, del, expire netlink.HeaderType
	entry                    int    // the attribute that holds what was deleted
	lost                     string // what iproute2 says when that is missing
	expired                  func(X) (T, uint8)
	// lets reports whether an entry is meant; ok is false when its attributes make no sense.
	lets  func(*T, rtnl.Attrs) (lets, ok bool)
	print func(*printer, *T, rtnl.Attrs)
}

// tellEntry prints a message about an entry, which ID names where it is deleted.
func tellEntry[ID, T, X xfrm.Layout](x *xfrmCommand, p *printer, m netlink.Message, k *xfrmKind[T, X]) {
	var entry T
	var hard uint8
	var ok bool
	var attrs []byte
	want := xfrm.Size[T]()
	switch m.Header.Type {
	case k.del:
		_, ok = xfrm.Decode[ID](m.Data)
		attrs, want = after[ID](m.Data), xfrm.Size[ID]()
	case k.expire:
		var e X
		e, ok = xfrm.Decode[X](m.Data)
		entry, hard = k.expired(e)
		attrs, want = after[X](m.Data), xfrm.Size[X]()
	case k.add, k.update:
		entry, ok = xfrm.Decode[T](m.Data)
		attrs = after[T](m.Data)
	default:
		x.hint(fmt.Sprintf("Not a %s: %08x %08x %08x", k.name, m.Header.Length, uint16(m.Header.Type), uint16(m.Header.Flags)))
		return
	}
	if !ok {
		x.wrongLength(len(m.Data), want)
		return
	}
	a := rtnl.ParseAttrs(attrs)
	if lets, ok := k.lets(&entry, a); !ok || !lets && m.Header.Type != k.del {
		return
	}
	p.text("%s", told(m))
	if m.Header.Type == k.del {
		if entry, ok = xfrm.Decode[T](a.Bytes(k.entry)); !ok {
			x.hint(k.lost)
			return
		}
	}
	k.print(p, &entry, a)
	if m.Header.Type == k.expire {
		p.text("\thard %d%s", hard, p.nl)
	}
	x.endLine(p)
}

// tellState prints a message about a state.
func (x *xfrmCommand) tellState(p *printer, m netlink.Message) {
	tellEntry[xfrm.StateID](x, p, m, &xfrmKind[xfrm.State, xfrm.Expire]{
		name: "state", add: xfrm.NewState, update: xfrm.UpdState, del: xfrm.DelState, expire: xfrm.MsgExpire,
		entry: xfrm.AttrState, lost: "a state was deleted, but the message does not say which",
		expired: func(e xfrm.Expire) (xfrm.State, uint8) { return e.State, e.Hard },
		lets:    func(s *xfrm.State, _ rtnl.Attrs) (lets, ok bool) { return x.filter.letsState(s), true },
		print:   x.printState,
	})
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
	tellEntry[xfrm.PolicyID](x, p, m, &xfrmKind[xfrm.Policy, xfrm.PolicyExpire]{
		name: "policy", add: xfrm.NewPolicy, update: xfrm.UpdPolicy, del: xfrm.DelPolicy, expire: xfrm.PolExpire,
		entry: xfrm.AttrPolicy, lost: "a policy was deleted, but the message does not say which",
		expired: func(e xfrm.PolicyExpire) (xfrm.Policy, uint8) { return e.Policy, e.Hard },
		lets: func(policy *xfrm.Policy, a rtnl.Attrs) (lets, ok bool) {
			if a.Has(xfrm.AttrPolicyType) {
				if _, ok := xfrm.Decode[xfrm.PolicyType](a.Bytes(xfrm.AttrPolicyType)); !ok {
					x.hint("too short XFRMA_POLICY_TYPE len")
					return false, false
				}
			}
			return x.filter.letsPolicy(policy, policyType(a)), true
		},
		print: func(p *printer, policy *xfrm.Policy, a rtnl.Attrs) { x.printPolicy(p, policy, a, "", "") },
	})
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
