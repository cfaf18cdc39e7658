package reach

import (
	"fmt"
	"strings"

	"warren/state"
)

// ruleMatches compares one policy rule with a packet (fib_rule_match, fib4_rule_match, fib6_rule_match). doubt is set when a
// rule asks for what the snapshot cannot tell.
func (f *fib) ruleMatches(u *state.Rule, q *query) (match bool, doubt string) {
	match, doubt = f.ruleSelects(u, q)
	if u.Invert && doubt == "" {
		match = !match
	}
	return match, doubt
}

func (f *fib) ruleSelects(u *state.Rule, q *query) (match bool, doubt string) {
	if u.IIF != "" {
		in := "lo"
		if !q.local && q.iif != nil {
			in = q.iif.Name
		}
		if in != u.IIF {
			return false, ""
		}
	}
	if u.OIF != "" && (q.oif == nil || q.oif.Name != u.OIF) {
		return false, ""
	}
	mask := u.MarkMask
	if u.Mark != 0 && mask == 0 {
		mask = ^uint32(0)
	}
	if (u.Mark^q.mark)&mask != 0 {
		return false, ""
	}
	if u.From.Bits() > 0 && (!q.src.IsValid() || !u.From.Contains(q.src)) {
		return false, ""
	}
	if u.To.Bits() > 0 && !u.To.Contains(q.dst) {
		return false, ""
	}
	if u.TOS != 0 && u.TOS&^3 != q.tos&^3 {
		return false, ""
	}
	// What no socket of here sends is root's (sock_net_uid, ip_route_input_slow).
	if u.UIDs != nil && (q.uid < u.UIDs[0] || q.uid > u.UIDs[1]) {
		return false, ""
	}
	if u.IPProto != 0 && u.IPProto != q.proto {
		return false, ""
	}
	if u.SPort != [2]uint16{} && (q.sport < u.SPort[0] || q.sport > u.SPort[1]) {
		return false, ""
	}
	if u.DPort != [2]uint16{} && (q.dport < u.DPort[0] || q.dport > u.DPort[1]) {
		return false, ""
	}
	if u.TunID != 0 {
		return false, "" // only packets of a tunnel have one
	}
	if u.L3MDev {
		for i := range f.r.Links {
			if f.r.Links[i].Kind == "vrf" {
				return false, "rule " + ruleText(u) + " (VRF)"
			}
		}
		return false, ""
	}
	return true, ""
}

// ruleText is the rule as ip rule prints it, roughly.
func ruleText(u *state.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d: ", u.Priority)
	if u.Invert {
		b.WriteString("not ")
	}
	if u.From.Bits() > 0 {
		fmt.Fprintf(&b, "from %s", u.From)
	} else {
		b.WriteString("from all")
	}
	if u.To.Bits() > 0 {
		fmt.Fprintf(&b, " to %s", u.To)
	}
	if u.TOS != 0 {
		fmt.Fprintf(&b, " tos 0x%02x", u.TOS)
	}
	if u.Mark != 0 || u.MarkMask != 0 {
		fmt.Fprintf(&b, " fwmark 0x%x", u.Mark)
		if u.MarkMask != 0 && u.MarkMask != ^uint32(0) {
			fmt.Fprintf(&b, "/0x%x", u.MarkMask)
		}
	}
	if u.IIF != "" {
		b.WriteString(" iif " + u.IIF)
	}
	if u.OIF != "" {
		b.WriteString(" oif " + u.OIF)
	}
	if u.IPProto != 0 {
		fmt.Fprintf(&b, " ipproto %d", u.IPProto)
	}
	if u.SPort != [2]uint16{} {
		fmt.Fprintf(&b, " sport %d-%d", u.SPort[0], u.SPort[1])
	}
	if u.DPort != [2]uint16{} {
		fmt.Fprintf(&b, " dport %d-%d", u.DPort[0], u.DPort[1])
	}
	switch u.Action {
	case "", "lookup":
		b.WriteString(" lookup " + tableName(u.Table))
	case "goto":
		fmt.Fprintf(&b, " goto %d", u.Goto)
	default:
		b.WriteString(" " + u.Action)
	}
	return b.String()
}

func tableName(id uint32) string {
	switch id {
	case 0, state.MainTable:
		return "main"
	case state.LocalTable:
		return "local"
	case 253:
		return "default"
	}
	return fmt.Sprint(id)
}

// routeText is the route as ip route prints it, roughly, with its table.
func routeText(r *state.Route) string {
	var b strings.Builder
	if t := r.TypeName(); t != "unicast" {
		b.WriteString(t + " ")
	}
	if r.Dst.Bits() == 0 {
		b.WriteString("default")
	} else {
		b.WriteString(r.Dst.String())
	}
	for i, n := range r.NextHops {
		if i > 0 {
			b.WriteString(" nexthop")
		}
		if n.Via.IsValid() {
			b.WriteString(" via " + n.Via.String())
		}
		if n.Link != "" {
			b.WriteString(" dev " + n.Link)
		}
	}
	if r.NextHopID != 0 {
		fmt.Fprintf(&b, " nhid %d", r.NextHopID)
	}
	if r.Metric != 0 && !r.Dst.Addr().Is6() {
		fmt.Fprintf(&b, " metric %d", r.Metric)
	}
	b.WriteString(" table " + tableName(r.TableID()))
	return b.String()
}
