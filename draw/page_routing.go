package draw

import (
	"fmt"
	"strconv"
	"strings"

	"warren/state"
)

// routing writes the tables of both families as ip-route(8) does, those that packets meet first (the rules' order) aside:
// main, then the others by number, local last.
func (p *page) routing() {
	tables := map[uint32][]state.Route{}
	var order []uint32
	for _, r := range p.n.Routes {
		if tables[r.TableID()] == nil {
			order = append(order, r.TableID())
		}
		tables[r.TableID()] = append(tables[r.TableID()], r)
	}
	rank := func(t uint32) int {
		switch t {
		case state.MainTable:
			return -1
		case state.LocalTable:
			return 1
		}
		return 0
	}
	sortBy(order, func(a, b uint32) bool {
		if rank(a) != rank(b) {
			return rank(a) < rank(b)
		}
		return a < b
	})
	for _, t := range order {
		p.title("routes, table " + tableName(t))
		for _, r := range tables[t] {
			fmt.Fprintf(&p.b, "  %s\n", printable(RouteText(r)))
		}
	}
	if len(p.n.NextHops) > 0 {
		p.title("next hop objects")
		for _, h := range p.n.NextHops {
			fmt.Fprintf(&p.b, "  %s\n", printable(nextHopText(h)))
		}
	}
	if len(p.n.Rules) > 0 {
		p.title("rules")
		for _, r := range p.n.Rules {
			fmt.Fprintf(&p.b, "  %s\n", printable(RuleText(r)))
		}
	}
}

// sortBy is an insertion sort: lists of tables are short.
func sortBy[T any](list []T, less func(a, b T) bool) {
	for i := range list {
		for k := i; k > 0 && less(list[k], list[k-1]); k-- {
			list[k], list[k-1] = list[k-1], list[k]
		}
	}
}

func tableName(t uint32) string {
	switch t {
	case state.LocalTable:
		return "local"
	case state.MainTable:
		return "main"
	case 253:
		return "default"
	}
	return strconv.FormatUint(uint64(t), 10)
}

// RouteText is a route as ip-route(8) writes it, without its table.
func RouteText(r state.Route) string {
	var w []string
	if t := r.TypeName(); t != "unicast" {
		w = append(w, t)
	}
	switch {
	case r.Dst.Bits() == 0 && !r.Dst.Addr().Is6():
		w = append(w, "default")
	case r.Dst.Bits() == 0:
		w = append(w, "default (v6)")
	case r.Dst.IsSingleIP():
		w = append(w, r.Dst.Addr().String())
	default:
		w = append(w, r.Dst.String())
	}
	add := func(word, value string) {
		if value != "" && value != "0" {
			w = append(w, word, value)
		}
	}
	if r.From.IsValid() {
		add("from", r.From.String())
	}
	if r.NextHopID != 0 {
		add("nhid", number(r.NextHopID))
	}
	if len(r.NextHops) == 1 {
		w = append(w, wayText(r.NextHops[0])...)
	}
	if r.Src.IsValid() {
		add("src", r.Src.String())
	}
	add("metric", number(r.Metric))
	add("tos", number(r.TOS))
	add("mtu", number(r.Metrics.MTU))
	add("advmss", number(r.Metrics.AdvMSS))
	if p := protocolName(r.Protocol); p != "" {
		add("proto", p)
	}
	if len(r.NextHops) > 1 {
		for _, h := range r.NextHops {
			w = append(w, "nexthop")
			w = append(w, wayText(h)...)
			if h.Weight > 1 {
				add("weight", number(h.Weight))
			}
		}
	}
	return strings.Join(w, " ")
}

func wayText(h state.NextHop) []string {
	var w []string
	if h.Via.IsValid() {
		w = append(w, "via", h.Via.String())
	}
	if h.Link != "" {
		w = append(w, "dev", h.Link)
	}
	for _, f := range []struct {
		bit  uint8
		word string
	}{{1, "dead"}, {state.NextHopOnLink, "onlink"}, {16, "linkdown"}} {
		if h.Flags&f.bit != 0 {
			w = append(w, f.word)
		}
	}
	return w
}

func number[T uint8 | uint16 | uint32](n T) string { return strconv.FormatUint(uint64(n), 10) }

// protocolName is who made a route (linux/rtnetlink.h); the kernel and the person at the keyboard are not worth a word.
func protocolName(p uint8) string {
	switch p {
	case 0, 2, 3:
		return ""
	case 1:
		return "redirect"
	case 4:
		return "static"
	case 9:
		return "ra"
	case 12:
		return "bird"
	case 16:
		return "dhcp"
	case 186:
		return "bgp"
	case 188:
		return "ospf"
	case 196:
		return "zebra"
	}
	return number(p)
}

func nextHopText(h state.NextHopObject) string {
	w := []string{"id", number(h.ID)}
	if h.Via.IsValid() {
		w = append(w, "via", h.Via.String())
	}
	if h.Link != "" {
		w = append(w, "dev", h.Link)
	}
	if h.Blackhole {
		w = append(w, "blackhole")
	}
	if len(h.Group) > 0 {
		var parts []string
		for _, m := range h.Group {
			parts = append(parts, fmt.Sprintf("%d*%d", m.ID, max(1, m.Weight)))
		}
		w = append(w, "group", strings.Join(parts, "/"))
	}
	if h.FDB {
		w = append(w, "fdb")
	}
	return strings.Join(w, " ")
}

// RuleText is a rule as ip-rule(8) writes it.
func RuleText(r state.Rule) string {
	w := []string{number(r.Priority) + ":"}
	if r.IPv6 {
		w[0] = "v6 " + w[0]
	} else {
		w[0] = "v4 " + w[0]
	}
	if r.Invert {
		w = append(w, "not")
	}
	from := "all"
	if r.From.IsValid() {
		from = r.From.String()
	}
	w = append(w, "from", from)
	if r.To.IsValid() {
		w = append(w, "to", r.To.String())
	}
	if r.TOS != 0 {
		w = append(w, "tos", number(r.TOS))
	}
	if r.Mark != 0 || r.MarkMask != 0 {
		w = append(w, "fwmark", fmt.Sprintf("%#x", r.Mark))
		if r.MarkMask != 0 && r.MarkMask != 0xffffffff {
			w[len(w)-1] += fmt.Sprintf("/%#x", r.MarkMask)
		}
	}
	for _, x := range [][2]string{{"iif", r.IIF}, {"oif", r.OIF}} {
		if x[1] != "" {
			w = append(w, x[0], x[1])
		}
	}
	if r.UIDs != nil {
		w = append(w, "uidrange", fmt.Sprintf("%d-%d", r.UIDs[0], r.UIDs[1]))
	}
	if r.IPProto != 0 {
		w = append(w, "ipproto", protoName(r.IPProto))
	}
	for _, x := range []struct {
		word  string
		ports [2]uint16
	}{{"sport", r.SPort}, {"dport", r.DPort}} {
		if x.ports != [2]uint16{} {
			w = append(w, x.word, portRange(x.ports, "-"))
		}
	}
	if r.TunID != 0 {
		w = append(w, "tun_id", strconv.FormatUint(r.TunID, 10))
	}
	if r.L3MDev {
		w = append(w, "l3mdev")
	}
	switch r.Action {
	case "", "lookup":
		if !r.L3MDev {
			w = append(w, "lookup", tableName(r.Kept().Table))
		}
	case "goto":
		w = append(w, "goto", number(r.Goto))
	default:
		w = append(w, r.Action)
	}
	if r.SuppressPrefix != nil {
		w = append(w, "suppress_prefixlength", number(*r.SuppressPrefix))
	}
	if r.SuppressGroup != nil {
		w = append(w, "suppress_ifgroup", number(*r.SuppressGroup))
	}
	return strings.Join(w, " ")
}

func portRange(p [2]uint16, sep string) string {
	if p[0] == p[1] || p[1] == 0 {
		return number(p[0])
	}
	return number(p[0]) + sep + number(p[1])
}

func protoName(p uint8) string {
	if n := state.ProtoName(p); n != "" {
		return n
	}
	return number(p)
}
