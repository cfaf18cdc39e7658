package kernel

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/internal/xfrm"
	"warren/state"
)

// readXFRM reads the policies of IPsec.
func (o *observation) readXFRM() ([]state.Agent, error) {
	conn, err := openSocket(unix.NETLINK_XFRM)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	msgs, err := conn.Dump(o.ctx, nl.Request{Type: xfrm.GetPolicy})
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP):
		return nil, nil // a kernel without it
	case err != nil && !errors.Is(err, nl.ErrInconsistent):
		return nil, fmt.Errorf("xfrm: %w", err)
	}
	var list []state.Agent
	for _, m := range msgs {
		if m.Header.Type != xfrm.NewPolicy {
			continue
		}
		a, passes, err := DecodeXFRM(m.Data)
		if err != nil {
			return list, err
		}
		if !passes {
			list = append(list, a)
		}
	}
	return list, nil
}

// errXFRM says that the bytes are not a policy.
var errXFRM = errors.New("malformed xfrm policy")

// DecodeXFRM reads the body of an XFRM_MSG_NEWPOLICY message. passes: the policy lets packets through as they are.
func DecodeXFRM(b []byte) (a state.Agent, passes bool, err error) {
	policy, ok := xfrm.Decode[xfrm.Policy](b)
	if !ok {
		return a, false, fmt.Errorf("%w: %d bytes", errXFRM, len(b))
	}
	sel := &policy.Sel
	family := uint16(unix.AF_INET)
	if sel.Family == unix.AF_INET6 {
		family = unix.AF_INET6
	}
	a = state.Agent{
		Kind: "xfrm", Dst: netip.PrefixFrom(sel.Dst.Addr(family), int(sel.DstPrefix)), Src: netip.PrefixFrom(sel.Src.Addr(family), int(sel.SrcPrefix)),
		Proto: sel.Proto,
	}
	if !a.Dst.IsValid() || !a.Src.IsValid() {
		return a, false, fmt.Errorf("%w: prefixes %d and %d", errXFRM, sel.DstPrefix, sel.SrcPrefix)
	}
	if sel.DstPortMask.Get() != 0 {
		a.DPort = sel.DstPort.Get()
	}
	if sel.SrcPortMask.Get() != 0 {
		a.SPort = sel.SrcPort.Get()
	}
	switch policy.Dir {
	case xfrm.PolicyIn:
		a.Dir = "in"
	case xfrm.PolicyOut:
		a.Dir = "out"
	case xfrm.PolicyFwd:
		a.Dir = "fwd"
	default:
		return a, true, nil // of a socket
	}
	what := "allow"
	switch {
	case len(rtnl.ParseAttrs(b[xfrm.Size[xfrm.Policy]():]).Bytes(xfrm.AttrTemplates)) > 0:
		what = "ipsec"
	case policy.Action == xfrm.PolicyBlock:
		what = "block"
	}
	a.Name = fmt.Sprintf("policy src %s dst %s dir %s (%s)", a.Src, a.Dst, a.Dir, what)
	return a, what == "allow", nil
}
