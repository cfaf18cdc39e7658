package state

import (
	"cmp"
	"slices"
	"strings"
)

// Canonical is the table as it is compared: without what only the kernel knows (handles, counts), lists that have no order
// sorted, and of several ways to write the same thing always the same one. What was asked for and what was read back are equal
// exactly when their canonical forms are. The table itself is not changed.
func (t Table) Canonical() Table {
	t.Handle = 0
	t.Sets = mapped(t.Sets, Set.canonical)
	slices.SortFunc(t.Sets, func(a, b Set) int { return strings.Compare(a.Name, b.Name) })
	t.Chains = mapped(t.Chains, Chain.canonical)
	slices.SortFunc(t.Chains, func(a, b Chain) int { return strings.Compare(a.Name, b.Name) })
	return t
}

func (c Chain) canonical() Chain {
	c.Handle = 0
	if c.Hook != nil {
		h := *c.Hook
		if h.Policy == "" {
			h.Policy = "accept"
		}
		h.Devices = mapped(h.Devices, strings.Clone)
		slices.Sort(h.Devices)
		c.Hook = &h
	}
	c.Rules = mapped(c.Rules, FirewallRule.canonical)
	return c
}

func (r FirewallRule) canonical() FirewallRule {
	r.Handle = 0
	var transport string
	r.Exprs = mapped(r.Exprs, func(e Expr) Expr {
		e = e.canonical(transport)
		if e.Match != nil {
			transport = cmp.Or(e.Match.transport(), transport)
		}
		return e
	})
	return r
}

// transport is the protocol with ports that a match makes sure of, or "".
func (m Match) transport() string {
	o := m.Left
	if m.Value == nil || m.Op != "" || len(m.Concat) > 0 || o.Mask != nil || o.Xor != nil || len(m.Value.Data) != 1 {
		return ""
	}
	if o.Meta != "l4proto" && (o.Payload == nil || *o.Payload != Payload{"ip", "protocol"} && *o.Payload != Payload{"ip6", "nexthdr"}) {
		return ""
	}
	switch name := ProtoName(m.Value.Data[0]); name {
	case "tcp", "udp", "sctp", "dccp", "udplite":
		return name
	}
	return ""
}

// canonical takes the transport protocol that the rule's matches before have made sure of.
func (e Expr) canonical(transport string) Expr {
	operand := func(o Operand) Operand { return o.canonical(transport) }
	switch {
	case e.Match != nil:
		m := *e.Match
		if m.Op == "==" {
			m.Op = ""
		}
		m.Left = operand(m.Left)
		m.Concat = mapped(m.Concat, operand)
		m.Set = anonymous(m.Set)
		e.Match = &m
	case e.VerdictMap != nil:
		v := *e.VerdictMap
		v.Keys = mapped(v.Keys, operand)
		v.Set = anonymous(v.Set)
		e.VerdictMap = &v
	case e.NAT != nil:
		n := *e.NAT
		if n.AddrMax != nil && n.Addr != nil && *n.AddrMax == *n.Addr {
			n.AddrMax = nil
		}
		if n.PortMax != nil && n.Port != nil && *n.PortMax == *n.Port {
			n.PortMax = nil
		}
		if n.Map != nil {
			m := *n.Map
			m.Keys = mapped(m.Keys, operand)
			m.Set = anonymous(m.Set)
			n.Map = &m
		}
		e.NAT = &n
	case e.Counter != nil:
		e.Counter = &Counter{}
	case e.Log != nil && e.Log.Level == "warn":
		l := *e.Log
		l.Level = "" // the default
		e.Log = &l
	case e.Limit != nil && e.Limit.Burst == 0 && !e.Limit.Bytes:
		l := *e.Limit
		l.Burst = 5 // the kernel's default (NFT_LIMIT_PKT_BURST_DEFAULT)
		e.Limit = &l
	case e.SetValue != nil:
		s := *e.SetValue
		s.Target = operand(s.Target)
		e.SetValue = &s
	}
	return e
}

func (o Operand) canonical(transport string) Operand {
	if o.Payload != nil && o.Payload.Protocol == "th" && transport != "" {
		o.Payload = &Payload{Protocol: transport, Field: o.Payload.Field}
	}
	if o.FIB != nil {
		f := *o.FIB
		f.Flags = slices.Clone(f.Flags)
		slices.SortStableFunc(f.Flags, func(a, b string) int { return cmp.Compare(fibFlagOrder(a), fibFlagOrder(b)) })
		o.FIB = &f
	}
	if o.Xor != nil && allBytes(o.Xor.Data, 0) {
		o.Xor = nil
	}
	if o.Mask != nil && allBytes(o.Mask.Data, 0xff) {
		o.Mask = nil
	}
	return o
}

func fibFlagOrder(f string) int {
	return slices.Index([]string{"saddr", "daddr", "mark", "iif", "oif"}, f)
}

// anonymous is a rule's own set: the kernel calls it constant, and an interval set when it holds a range.
func anonymous(s *Set) *Set {
	if s == nil {
		return nil
	}
	c := s.canonical()
	c.Name, c.Constant = "", true
	c.Interval = slices.ContainsFunc(c.Elements, func(e Element) bool { return e.KeyEnd != nil })
	return &c
}

func (s Set) canonical() Set {
	s.Handle = 0
	s.Elements = mapped(s.Elements, Element.Canonical)
	s.Elements = SortElements(s.Elements)
	return s
}

// Canonical is the element as it is compared: an interval of one key is that key.
func (e Element) Canonical() Element {
	if e.KeyEnd != nil && slices.Equal(e.Key, e.KeyEnd) {
		e.KeyEnd = nil
	}
	return e
}

// Compare orders elements by key, then by the end of the interval. Two elements with the same key cannot both be in a set.
func (e Element) Compare(f Element) int {
	return cmp.Or(slices.CompareFunc(e.Key, f.Key, Value.Compare), slices.CompareFunc(e.KeyEnd, f.KeyEnd, Value.Compare))
}

// SortElements returns the elements sorted by key; the slice that it is given is left as it is.
func SortElements(elements []Element) []Element {
	return slices.SortedStableFunc(slices.Values(elements), Element.Compare)
}

// mapped is f of every member; nil when there is none, so that an empty list and no list compare equal.
func mapped[T any](s []T, f func(T) T) []T {
	if len(s) == 0 {
		return nil
	}
	r := make([]T, len(s))
	for i := range s {
		r[i] = f(s[i])
	}
	return r
}

// allBytes reports whether every byte of s is c.
func allBytes(s string, c byte) bool {
	for i := range len(s) {
		if s[i] != c {
			return false
		}
	}
	return true
}
