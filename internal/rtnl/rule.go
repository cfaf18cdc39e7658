package rtnl

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"warren/internal/nl"
	"warren/state"

	"golang.org/x/sys/unix"
)

// ruleActions are FR_ACT_*.
var ruleActions = words{
	unix.FR_ACT_UNSPEC: "unspec", unix.FR_ACT_TO_TBL: "lookup", unix.FR_ACT_GOTO: "goto", unix.FR_ACT_NOP: "nop",
	unix.FR_ACT_BLACKHOLE: "blackhole", unix.FR_ACT_UNREACHABLE: "unreachable", unix.FR_ACT_PROHIBIT: "prohibit",
}

// ruleInvert is FIB_RULE_INVERT (linux/fib_rules.h).
const ruleInvert = 2

// unset is the kernel's way to say that a rule suppresses nothing.
const unset = ^uint32(0)

// ruleLen is the size of struct fib_rule_hdr.
const ruleLen = 12

// CreateRule adds a rule.
func CreateRule(r state.Rule) (nl.Request, error) {
	e := newEncoder()
	e.rule(&r)
	return e.request(unix.RTM_NEWRULE, create)
}

// DeleteRule deletes the first rule that agrees with what r declares.
func DeleteRule(r state.Rule) (nl.Request, error) {
	e := newEncoder()
	e.rule(&r)
	return e.request(unix.RTM_DELRULE, 0)
}

// DumpRules reads all rules of both families. Decoders pass over those of other families.
func DumpRules() nl.Request {
	return nl.Request{Type: unix.RTM_GETRULE, Data: make([]byte, ruleLen)}
}

// EncodeRule writes the body of an RTM_NEWRULE message.
func EncodeRule(r state.Rule) ([]byte, error) {
	e := newEncoder()
	e.rule(&r)
	return e.data()
}

func (e *encoder) rule(r *state.Rule) {
	fam := uint8(unix.AF_INET)
	if r.IPv6 {
		fam = unix.AF_INET6
	}
	for _, p := range []netip.Prefix{r.From, r.To} {
		if p != (netip.Prefix{}) && (!p.IsValid() || p.Addr().Is4() == r.IPv6) {
			e.fail(fmt.Errorf("rule %d: %v is not a prefix of its family", r.Priority, p))
			return
		}
	}
	action := uint32(unix.FR_ACT_TO_TBL)
	if r.Action != "" {
		var err error
		if action, err = ruleActions.value("action of a rule", r.Action); err != nil {
			e.fail(err)
			return
		}
	}
	var flags uint32
	if r.Invert {
		flags = ruleInvert
	}
	short := uint8(unix.RT_TABLE_UNSPEC)
	if r.Table < 256 {
		short = uint8(r.Table)
	}
	e.b = append(e.b, fam, uint8(max(0, r.To.Bits())), uint8(max(0, r.From.Bits())), r.TOS, short, 0, 0, uint8(action))
	e.b = binary.NativeEndian.AppendUint32(e.b, flags)
	e.optU32(unix.FRA_TABLE, r.Table)
	e.optU32(unix.FRA_PRIORITY, r.Priority)
	e.optU32(unix.FRA_GOTO, r.Goto)
	if r.From.IsValid() {
		e.addr(unix.FRA_SRC, r.From.Addr())
	}
	if r.To.IsValid() {
		e.addr(unix.FRA_DST, r.To.Addr())
	}
	e.optStr(unix.FRA_IIFNAME, r.IIF)
	e.optStr(unix.FRA_OIFNAME, r.OIF)
	e.optU32(unix.FRA_FWMARK, r.Mark)
	e.optU32(unix.FRA_FWMASK, r.MarkMask)
	if r.SuppressPrefix != nil {
		e.u32(unix.FRA_SUPPRESS_PREFIXLEN, *r.SuppressPrefix)
	}
	if r.SuppressGroup != nil {
		e.u32(unix.FRA_SUPPRESS_IFGROUP, *r.SuppressGroup)
	}
	if r.TunID != 0 {
		e.be64(unix.FRA_TUN_ID, r.TunID)
	}
	if r.L3MDev {
		e.u8(unix.FRA_L3MDEV, 1)
	}
	if r.UIDs != nil {
		e.head(unix.FRA_UID_RANGE, 8)
		e.b = binary.NativeEndian.AppendUint32(e.b, r.UIDs[0])
		e.b = binary.NativeEndian.AppendUint32(e.b, r.UIDs[1])
	}
	e.optU8(unix.FRA_PROTOCOL, r.Protocol)
	e.optU8(unix.FRA_IP_PROTO, r.IPProto)
	e.portRange(unix.FRA_SPORT_RANGE, r.SPort)
	e.portRange(unix.FRA_DPORT_RANGE, r.DPort)
}

// portRange writes struct fib_rule_port_range, in host byte order.
func (e *encoder) portRange(typ uint16, v [2]uint16) {
	if v == [2]uint16{} {
		return
	}
	e.head(typ, 4)
	e.b = binary.NativeEndian.AppendUint16(e.b, v[0])
	e.b = binary.NativeEndian.AppendUint16(e.b, v[1])
}

func (w *walker) portRange() [2]uint16 {
	if !w.sized(4) {
		return [2]uint16{}
	}
	return [2]uint16{binary.NativeEndian.Uint16(w.data), binary.NativeEndian.Uint16(w.data[2:])}
}

// suppress reads a limit; unset is nil.
func (w *walker) suppress() *uint32 {
	v := w.u32()
	if v == unset {
		return nil
	}
	return &v
}

// DecodeRule reads the body of an RTM_NEWRULE or RTM_DELRULE message.
func DecodeRule(data []byte) (state.Rule, error) {
	head, w, err := header(data, ruleLen)
	if err != nil {
		return state.Rule{}, fmt.Errorf("rule: %w", err)
	}
	if head[0] != unix.AF_INET && head[0] != unix.AF_INET6 {
		return state.Rule{}, fmt.Errorf("rule: family %d: %w", head[0], ErrFamily)
	}
	v6 := head[0] == unix.AF_INET6
	r := state.Rule{
		IPv6: v6, TOS: head[3], Table: uint32(head[4]),
		Invert: binary.NativeEndian.Uint32(head[8:])&ruleInvert != 0,
	}
	if head[7] != unix.FR_ACT_TO_TBL {
		r.Action = ruleActions.name(uint32(head[7]))
	}
	var from, to netip.Addr
	for w.next() {
		switch w.typ {
		case unix.FRA_DST:
			to = w.familyAddr(v6)
		case unix.FRA_SRC:
			from = w.familyAddr(v6)
		case unix.FRA_IIFNAME:
			r.IIF = w.str()
		case unix.FRA_OIFNAME:
			r.OIF = w.str()
		case unix.FRA_GOTO:
			r.Goto = w.u32()
		case unix.FRA_PRIORITY:
			r.Priority = w.u32()
		case unix.FRA_FWMARK:
			r.Mark = w.u32()
		case unix.FRA_FWMASK:
			r.MarkMask = w.u32()
		case unix.FRA_TUN_ID:
			r.TunID = w.be64()
		case unix.FRA_SUPPRESS_IFGROUP:
			r.SuppressGroup = w.suppress()
		case unix.FRA_SUPPRESS_PREFIXLEN:
			r.SuppressPrefix = w.suppress()
		case unix.FRA_TABLE:
			r.Table = w.u32()
		case unix.FRA_L3MDEV:
			r.L3MDev = w.u8() != 0
		case unix.FRA_UID_RANGE:
			if w.sized(8) {
				r.UIDs = &[2]uint32{binary.NativeEndian.Uint32(w.data), binary.NativeEndian.Uint32(w.data[4:])}
			}
		case unix.FRA_PROTOCOL:
			r.Protocol = w.u8()
		case unix.FRA_IP_PROTO:
			r.IPProto = w.u8()
		case unix.FRA_SPORT_RANGE:
			r.SPort = w.portRange()
		case unix.FRA_DPORT_RANGE:
			r.DPort = w.portRange()
		}
	}
	if w.err != nil {
		return state.Rule{}, fmt.Errorf("rule: %w", w.err)
	}
	for _, p := range []struct {
		to   *netip.Prefix
		addr netip.Addr
		bits uint8
	}{{&r.To, to, head[1]}, {&r.From, from, head[2]}} {
		if !p.addr.IsValid() && p.bits == 0 {
			continue
		}
		if *p.to = netip.PrefixFrom(p.addr, int(p.bits)); !p.to.IsValid() {
			return state.Rule{}, fmt.Errorf("rule: %w: prefix %v/%d", ErrMalformed, p.addr, p.bits)
		}
	}
	return r, nil
}
