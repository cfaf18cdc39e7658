package filter

import (
	"slices"

	"warren/state"
)

// A Namespace is netfilter of one network namespace during one walk: its rules, in order, and its connections. It is
// made once for each walk and remembers the connections that the walk makes, so that replies find them.
type Namespace struct {
	// Explain makes Run list the rules that did not match, too.
	Explain bool
	// Choose takes one of n ways that the kernel may go at an object; whoever asks goes them all. Nil: it cannot be told.
	Choose func(n int, at Rule, what string) int

	ns         *state.Namespace
	fib        FIB
	conns      []*Conn
	loaded     bool
	active     map[string]bool
	translated map[string]bool // by family: see translates
	changed    []string        // sets that the walk's packets have changed, by table and name
}

// New prepares a namespace's netfilter. It does no work for what the walk does not touch.
func New(ns *state.Namespace, fib FIB) *Namespace {
	return &Namespace{ns: ns, fib: fib}
}

// Run takes the packet through one hook: every base chain and legacy table there in the order of their priorities, with
// conntrack (lookup at -200 in prerouting and output, confirmation at the end of postrouting and input) and NAT where
// they are active.
func (n *Namespace) Run(h Hook, p *Packet) Result {
	var res Result
	if h.PhysIn == "" && (h.Family == "ip" || h.Family == "ip6") {
		h.PhysIn = p.PhysIn
	}
	offloaded := uint32(0)
	if p.Conn != nil {
		offloaded = p.Conn.Status & statusOffload
	}
	for _, s := range n.stages(h) {
		mark, tos, src, dst := p.Mark, p.TOS, p.Src, p.Dst
		switch s.what {
		case stageTrack:
			if n.Active(h.Family) {
				n.track(p)
				n.pastRules(h, p, &res)
			}
		case stageConfirm:
			n.confirm(p, &res)
		case stageNAT:
			n.nat(h, p, s, &res)
			if h.Name == "output" && (p.Dst != dst || p.Src != src) {
				res.Reroute = true
			}
		case stageChain:
			e := eval{ns: n, hook: h, p: p, table: s.table, res: &res}
			if s.table.Family == "inet" && h.Family == "netdev" {
				// For such chains an IP packet is on a hook of IP; others do not come to them (nft_do_chain_inet).
				if e.hook.Family = family(p); p.ARP != nil {
					continue
				}
			}
			res.Chains++
			e.settle(e.nftChain(s.chain))
		case stageLegacy:
			res.Chains++
			e := eval{ns: n, hook: h, p: p, res: &res}
			e.settle(e.legacyChain(s.xtable, s.xchain))
		case stageEB:
			res.Chains++
			e := eval{ns: n, hook: h, p: p, res: &res}
			e.settle(e.ebChain(s.ebtable, s.ebchain))
		}
		if s.reroutes && (p.Mark != mark || p.TOS != tos || p.Dst != dst || p.Src != src) {
			res.Reroute = true
		}
	}
	if p.Conn != nil && p.Conn.New && p.Conn.Status&statusOffload != 0 && offloaded == 0 {
		softened(&res)
	}
	return res
}

// settle turns a chain's verdict and what is in doubt about it into a stop, or none.
func (e *eval) settle(v verdict) {
	passes := v.kind == "accept"
	for _, d := range e.doubts {
		if d.would == "other" || (d.would == "accept") != passes {
			e.res.Stops = append(e.res.Stops, Stop{Kind: Unknown, Rule: d.rule, Why: d.why, Detour: d.would == "other"})
			return
		}
	}
	if passes {
		return
	}
	s := Stop{Kind: Drop, Rule: v.rule, FIB: v.fib, State: e.p.Invalid}
	if v.kind == "reject" {
		s.Kind, s.With = Reject, v.with
	}
	e.res.Stops = append(e.res.Stops, s)
}

// nat lets the rules for NAT decide about a new connection, and rewrites the packet.
func (n *Namespace) nat(h Hook, p *Packet, s stage, res *Result) {
	source := h.Name == "postrouting" || h.Name == "input"
	end := 1
	if source {
		end = 0
	}
	if p.Conn == nil || p.Untracked {
		return
	}
	for _, c := range s.nat {
		if !p.Conn.New || p.Conn.SeenReply || p.Related || p.Conn.NATDone[end] {
			break
		}
		res.Chains++
		e := eval{ns: n, hook: h, p: p, table: c.table, res: res}
		was := *p.Conn
		var v verdict
		if c.xtable != nil {
			v = e.legacyChain(c.xtable, c.xchain)
		} else {
			v = e.nftChain(c.chain)
		}
		if *p.Conn != was {
			// What came before in doubt would have kept this from happening.
			for i := range e.doubts {
				e.doubts[i].would = "other"
			}
		}
		e.settle(v)
	}
	if e := (eval{ns: n, hook: h, p: p, res: res}); source && p.Conn.New && !p.Conn.SeenReply && !p.Related && n.translates(h.Family) {
		e.rewrite(change{source: true}) // nf_nat_alloc_null_binding
	}
	p.Conn.NATDone[end] = true
	p.manipulate(source)
}

// Conns lists the namespace's connections: the kernel's, then those that the walk made.
func (n *Namespace) Conns() []*Conn { return n.connections() }

// Active reports whether conntrack looks at packets of that family in this namespace ("ip" or "ip6"): some rule needs it.
func (n *Namespace) Active(family string) bool {
	if family != "ip" && family != "ip6" {
		return false
	}
	on, known := n.active[family]
	if !known {
		if n.active == nil {
			n.active = map[string]bool{}
		}
		on = n.needed(family)
		n.active[family] = on
	}
	return on
}

// needed: conntrack is switched on by the first rule that reads or changes what it knows, in whatever chain
// (nf_ct_netns_get).
func (n *Namespace) needed(family string) bool {
	for i := range n.ns.Tables {
		t := &n.ns.Tables[i]
		if t.Family != family && t.Family != "inet" {
			continue
		}
		for _, c := range t.Chains {
			for _, r := range c.Rules {
				if slices.ContainsFunc(r.Exprs, usesConntrack) {
					return true
				}
			}
		}
	}
	for i := range n.ns.XTables {
		t := &n.ns.XTables[i]
		if t.IPv6 != (family == "ip6") {
			continue
		}
		for _, c := range t.Chains {
			for j := range c.Rules {
				if legacyUsesConntrack(&c.Rules[j]) {
					return true
				}
			}
		}
	}
	for i := range n.ns.Conntrack {
		if n.ns.Conntrack[i].Original.Src.Is6() == (family == "ip6") {
			return true
		}
	}
	return false
}

func usesConntrack(x state.Expr) bool {
	ct := func(o state.Operand) bool { return o.CT != nil }
	switch {
	case x.NAT != nil:
		return true
	case x.Match != nil:
		return ct(x.Match.Left) || slices.ContainsFunc(x.Match.Concat, ct)
	case x.VerdictMap != nil:
		return slices.ContainsFunc(x.VerdictMap.Keys, ct)
	case x.FlowAdd != "":
		return true
	case x.SetValue != nil:
		return ct(x.SetValue.Target) || x.SetValue.From != nil && ct(*x.SetValue.From) || x.SetValue.Map != nil && slices.ContainsFunc(x.SetValue.Map.Keys, ct)
	case x.XTMatch != nil:
		return matchUsesConntrack(x.XTMatch.Name)
	case x.XTTarget != nil:
		return targetUsesConntrack(x.XTTarget.Name)
	case x.Opaque != nil:
		switch x.Opaque.Name {
		case "ct", "nat", "masq", "redir", "connlimit", "flow_offload", "synproxy":
			return true
		case "objref":
			kind := attrU32(x.Opaque.Data, 1)
			return kind == 3 || kind == 7 || kind == 9 // a helper, a timeout, an expectation
		}
	}
	return false
}

func legacyUsesConntrack(r *state.XRule) bool {
	return slices.ContainsFunc(r.Matches, func(m state.XTMatch) bool { return matchUsesConntrack(m.Name) }) || targetUsesConntrack(r.Target.Name)
}

func matchUsesConntrack(name string) bool {
	switch name {
	case "conntrack", "state", "connmark", "connbytes", "connlabel", "connlimit", "helper", "cluster":
		return true
	}
	return false
}

func targetUsesConntrack(name string) bool {
	switch name {
	case "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP", "CONNMARK", "CONNSECMARK", "CT", "SYNPROXY", "CLUSTERIP":
		return true
	}
	return false
}
