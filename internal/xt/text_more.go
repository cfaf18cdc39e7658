package xt

import (
	"fmt"
	"strconv"

	"warren/state"
)

// more writes what decodeMore reads; false for all else.
func (w *text) more(m *state.XTMatch) bool {
	switch {
	case m.Owner != nil:
		w.owner(m.Owner)
	case m.TTL != nil:
		name := "--" + m.Name
		switch m.TTL.Op {
		case "<":
			w.option(false, name+"-lt", strconv.Itoa(int(m.TTL.Value)))
		case ">":
			w.option(false, name+"-gt", strconv.Itoa(int(m.TTL.Value)))
		default:
			w.option(m.TTL.Op == "!=", name+"-eq", strconv.Itoa(int(m.TTL.Value)))
		}
	case m.TOS != nil && m.Name == "dscp":
		w.option(m.TOS.Inverted, "--dscp", fmt.Sprintf("0x%02x", m.TOS.Value>>2))
	case m.TOS != nil:
		w.option(m.TOS.Inverted, "--tos", fmt.Sprintf("0x%02x/0x%02x", m.TOS.Value, m.TOS.Mask))
	case m.DevGroup != nil:
		if s := m.DevGroup.Src; s != nil {
			w.option(s.Inverted, "--src-group", masked(s))
		}
		if d := m.DevGroup.Dst; d != nil {
			w.option(d.Inverted, "--dst-group", masked(d))
		}
	case m.Policy != nil:
		w.option(false, "--dir", m.Policy.Dir, "--pol", map[bool]string{true: "none", false: "ipsec"}[m.Policy.None])
	case m.Helper != nil:
		w.option(m.Helper.Inverted, "--helper", quoted(m.Helper.Name))
	default:
		return false
	}
	return true
}

func (w *text) owner(o *state.XTOwner) {
	span := func(r [2]uint32) string {
		if r[0] == r[1] {
			return strconv.FormatUint(uint64(r[0]), 10)
		}
		return fmt.Sprintf("%d-%d", r[0], r[1])
	}
	const uid, gid, socket, groups = 1, 2, 4, 8
	if o.Match&socket != 0 {
		w.option(o.Invert&socket != 0, "--socket-exists")
	}
	if o.Match&uid != 0 {
		w.option(o.Invert&uid != 0, "--uid-owner", span(o.UID))
	}
	if o.Match&gid != 0 {
		w.option(o.Invert&gid != 0, "--gid-owner", span(o.GID))
	}
	if o.Match&groups != 0 {
		w.option(false, "--suppl-groups")
	}
}
