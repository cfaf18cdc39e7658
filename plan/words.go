package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"warren/state"
)

// String is the object in a few words of ip's language, without its namespace.
func (o Object) String() string {
	switch {
	case o.Namespace != nil:
		return "namespace " + o.Namespace.Name
	case o.Cable != nil:
		return fmt.Sprintf("veth %s to %s in %s%s", o.Cable.A.Link.Name, o.Cable.B.Link.Name, o.Cable.B.NS, linkWords(&o.Cable.A.Link))
	case o.Link != nil:
		return strings.TrimSpace(o.Link.Kind+" "+o.Link.Name) + linkWords(o.Link)
	case o.Addr != nil:
		return "addr " + o.Addr.Prefix.String() + " dev " + o.Addr.Link
	case o.Route != nil:
		return "route " + routeWords(o.Route)
	case o.Rule != nil:
		return "rule " + ruleWords(o.Rule)
	case o.Neighbor != nil:
		return "neigh " + o.Neighbor.IP.String() + " lladdr " + o.Neighbor.MAC.String() + " dev " + o.Neighbor.Link
	case o.FDB != nil:
		return "fdb " + o.FDB.MAC.String() + " dev " + o.FDB.Link
	case o.Table != nil:
		return "table " + o.Table.Key()
	case o.Elements != nil:
		var of []string
		for i := range o.Elements.Elements {
			if c := o.Elements.Elements[i].Comment; c != "" {
				of = append(of, c)
			}
		}
		return strings.TrimSuffix(fmt.Sprintf("elements of %s (%d): %s", o.Elements.Set, len(o.Elements.Elements), strings.Join(of, ", ")), ": ")
	case o.Sysctl != nil:
		return o.Sysctl.Dotted() + " = " + o.Sysctl.Value
	}
	return "nothing"
}

// linkWords are the properties of a link as ip writes them, each with a space before it.
func linkWords(l *state.Link) string {
	var b strings.Builder
	if l.MTU != 0 {
		fmt.Fprintf(&b, " mtu %d", l.MTU)
	}
	if !l.MAC.IsZero() {
		fmt.Fprintf(&b, " address %s", l.MAC)
	}
	if l.Master != "" {
		fmt.Fprintf(&b, " master %s", l.Master)
	}
	if l.VXLAN != nil {
		fmt.Fprintf(&b, " id %d", l.VXLAN.ID)
	}
	if l.VLAN != nil {
		fmt.Fprintf(&b, " id %d", l.VLAN.ID)
	}
	if l.Lower != nil {
		fmt.Fprintf(&b, " on %s", l.Lower.Name)
	}
	if l.Up {
		b.WriteString(" up")
	}
	return b.String()
}

func prefixWord(r *state.Route) string {
	switch {
	case r.Dst.Bits() == 0:
		return "default"
	case r.Dst.IsSingleIP():
		return r.Dst.Addr().String()
	}
	return r.Dst.String()
}

func hopsWord(hops []state.NextHop) string {
	var b strings.Builder
	for i, h := range hops {
		if i > 0 {
			b.WriteString(" and ")
		}
		b.WriteString(strings.TrimSpace(hopWord(h)))
	}
	return b.String()
}

func hopWord(h state.NextHop) string {
	var b strings.Builder
	if h.Via.IsValid() {
		b.WriteString(" via " + h.Via.String())
	}
	if h.Link != "" {
		b.WriteString(" dev " + h.Link)
	}
	return b.String()
}

func routeWords(r *state.Route) string {
	var b strings.Builder
	if r.TypeName() != "unicast" {
		b.WriteString(r.TypeName() + " ")
	}
	b.WriteString(prefixWord(r))
	for i, h := range r.NextHops {
		if i > 0 {
			b.WriteString(" and")
		}
		b.WriteString(hopWord(h))
	}
	if r.Src.IsValid() {
		b.WriteString(" src " + r.Src.String())
	}
	if r.TableID() != state.MainTable {
		fmt.Fprintf(&b, " table %d", r.TableID())
	}
	if r.Metric != 0 {
		fmt.Fprintf(&b, " metric %d", r.Metric)
	}
	return b.String()
}

// ruleWords is the rule as ip rule takes it.
func ruleWords(r *state.Rule) string {
	var b strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&b, format+" ", args...) }
	if r.Invert {
		add("not")
	}
	if r.From.Bits() > 0 {
		add("from %v", r.From)
	} else {
		add("from all")
	}
	if r.To.Bits() > 0 {
		add("to %v", r.To)
	}
	if r.TOS != 0 {
		add("tos %#x", r.TOS)
	}
	if r.Mark != 0 || r.MarkMask != 0 {
		if r.MarkMask == 0 || r.MarkMask == 0xffffffff {
			add("fwmark %#x", r.Mark)
		} else {
			add("fwmark %#x/%#x", r.Mark, r.MarkMask)
		}
	}
	if r.IIF != "" {
		add("iif %s", r.IIF)
	}
	if r.OIF != "" {
		add("oif %s", r.OIF)
	}
	if r.UIDs != nil {
		add("uidrange %d-%d", r.UIDs[0], r.UIDs[1])
	}
	if r.IPProto != 0 {
		add("ipproto %d", r.IPProto)
	}
	if r.SPort != [2]uint16{} {
		add("sport %d-%d", r.SPort[0], r.SPort[1])
	}
	if r.DPort != [2]uint16{} {
		add("dport %d-%d", r.DPort[0], r.DPort[1])
	}
	if r.TunID != 0 {
		add("tun_id %d", r.TunID)
	}
	add("priority %d", r.Priority)
	switch {
	case r.L3MDev:
		add("l3mdev")
	case r.Action == "" || r.Action == "lookup":
		t := strconv.Itoa(int(r.Table))
		if r.Table == 0 || r.Table == state.MainTable {
			t = "main"
		}
		add("lookup %s", t)
		if r.SuppressPrefix != nil {
			add("suppress_prefixlength %d", *r.SuppressPrefix)
		}
		if r.SuppressGroup != nil {
			add("suppress_ifgroup %d", *r.SuppressGroup)
		}
	case r.Action == "goto":
		add("goto %d", r.Goto)
	default:
		add("%s", r.Action)
	}
	return strings.TrimSpace(b.String())
}

func addrGenWord(none bool) string {
	if none {
		return "none"
	}
	return "eui64"
}

// changeWords is what a change of a link does, as ip link set takes it: "mtu 1400 up".
func changeWords(before, after *state.Link) string {
	var b strings.Builder
	if before.MTU != after.MTU && after.MTU != 0 {
		fmt.Fprintf(&b, " mtu %d", after.MTU)
	}
	if before.TxQueueLen != after.TxQueueLen && after.TxQueueLen != 0 {
		fmt.Fprintf(&b, " txqueuelen %d", after.TxQueueLen)
	}
	if before.NoAddrGen != after.NoAddrGen {
		b.WriteString(" addrgenmode " + addrGenWord(after.NoAddrGen))
	}
	if before.MAC != after.MAC && !after.MAC.IsZero() {
		fmt.Fprintf(&b, " address %s", after.MAC)
	}
	if before.Group != after.Group {
		fmt.Fprintf(&b, " group %d", after.Group)
	}
	if before.Alias != after.Alias {
		fmt.Fprintf(&b, " alias %s", quote(after.Alias))
	}
	switch {
	case before.Master == after.Master:
	case after.Master == "":
		b.WriteString(" nomaster")
	default:
		b.WriteString(" master " + after.Master)
	}
	switch {
	case before.Up == after.Up:
	case after.Up:
		b.WriteString(" up")
	default:
		b.WriteString(" down")
	}
	return strings.TrimSpace(b.String())
}

// altNameChange tells the altnames that a change adds and takes away.
func altNameChange(before, after *state.Link) (add, remove []string) {
	for _, a := range after.AltNames {
		if !slices.Contains(before.AltNames, a) {
			add = append(add, a)
		}
	}
	for _, a := range before.AltNames {
		if !slices.Contains(after.AltNames, a) {
			remove = append(remove, a)
		}
	}
	return add, remove
}
