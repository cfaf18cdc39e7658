package topo

import (
	"net/netip"
	"slices"

	"warren/state"
)

// firewalls gives every node that needs one its table.
func (e *expander) firewalls() {
	for _, r := range e.nodes {
		var chains []state.Chain
		if c, ok := e.dnatChain(r); ok {
			chains = append(chains, c)
		}
		if c, ok := e.natChain(r); ok {
			chains = append(chains, c)
		}
		if c, ok := e.forwardChain(r); ok {
			chains = append(chains, c)
		}
		if c, ok := e.endChain(r, "input", r.In); ok {
			chains = append(chains, c)
		}
		if c, ok := e.endChain(r, "output", r.Out); ok {
			chains = append(chains, c)
		}
		if len(chains) > 0 {
			r.Tables = append(r.Tables, state.Table{Family: "inet", Name: state.FirewallTable, Chains: chains})
		}
	}
}

func portRange(p Ports) state.PortRange { return state.PortRange{First: p.First, Last: p.Last} }

// dnatChain passes ports on. Only packets for the router itself are looked at (fib daddr type local): transit traffic to the
// same port is nobody's business.
func (e *expander) dnatChain(r *room) (state.Chain, bool) {
	var rules []state.FirewallRule
	for i, d := range r.DNAT {
		p := r.plugOn(d.On)
		made := 0
		for _, is6 := range []bool{false, true} {
			to := d.Addr
			if d.Node != "" {
				to = e.nearest(r, e.byOwn[d.Node], is6)
			}
			if !to.IsValid() || to.Is6() != is6 || !p.addr(is6).IsValid() {
				continue
			}
			made++
			rules = append(rules, state.RuleOf(
				state.IifIs(p.If), state.Family(is6), state.FIBLocal(), state.DNATPorts(d.Proto, portRange(d.Ports), to, d.ToPorts.First),
			).WithComment(short(d.String())))
		}
		if made == 0 {
			e.add(e.lab.at(itemPath("/nodes/"+r.Name+"/dnat", i)), "", "dnat of %s: %s: net %s and the target have no family in common", r.Name, d, d.On)
		}
	}
	return state.BaseChain("dnat", "nat", "prerouting", state.PriorityDstNAT, "accept", rules...), len(rules) > 0
}

// short is a comment within nftables' bounds.
func short(s string) string {
	if len(s) > 120 {
		return s[:120]
	}
	return s
}

// nearest is the address of a node as seen from another: on a net that both are on, else its first one.
func (e *expander) nearest(from, to *room, is6 bool) netip.Addr {
	first := netip.Addr{}
	for _, p := range to.plugs {
		a := p.addr(is6)
		if !a.IsValid() {
			continue
		}
		if from != nil && p.wire.byNode[from.Name] != nil {
			return a
		}
		if !first.IsValid() {
			first = a
		}
	}
	return first
}

// natChain rewrites sources: towards the nets of nat, and of what came in through dnat and goes back into the net that it came
// from (the answer would otherwise not pass here).
func (e *expander) natChain(r *room) (state.Chain, bool) {
	var rules []state.FirewallRule
	for _, n := range r.NAT {
		p := r.plugOn(n.To)
		if !n.Addr.IsValid() {
			rules = append(rules, state.RuleOf(state.OifIs(p.If), state.Masquerade()).WithComment("nat "+n.To))
			continue
		}
		rules = append(rules, state.RuleOf(state.OifIs(p.If), state.Family(n.Addr.Is6()), state.SNATTo(n.Addr)).WithComment("nat "+n.To))
		// Answers come to this address: somebody has to say where it is.
		if !slices.ContainsFunc(r.Addrs, func(a state.Addr) bool { return a.Prefix.Addr() == n.Addr }) {
			r.Addrs = append(r.Addrs, addressOf(p.If, prefixOf(n.Addr)))
		}
	}
	back := map[string]bool{}
	for _, d := range r.DNAT {
		p := r.plugOn(d.On)
		if r.hides(d.On) || back[p.If] {
			continue
		}
		back[p.If] = true
		for _, c := range p.wire.prefixes {
			rules = append(rules, state.RuleOf(state.OifIs(p.If), state.SaddrIn(c), state.CTStatus("dnat"), state.Masquerade()).WithComment("dnat back into "+d.On))
		}
	}
	return state.BaseChain("nat", "nat", "postrouting", state.PrioritySrcNAT, "accept", rules...), len(rules) > 0
}

// forwardChain is the policy of a router.
func (e *expander) forwardChain(r *room) (state.Chain, bool) {
	var inner []string
	if *r.Forward {
		for _, p := range r.plugs {
			if p.wire.Internal {
				inner = append(inner, p.If)
			}
		}
	}
	p := r.Through
	if p.IsZero() && len(inner) == 0 {
		return state.Chain{}, false
	}
	rules := []state.FirewallRule{state.RuleOf(state.CTState("established", "related"), state.Accept())}
	if len(inner) > 0 {
		rules = append(rules,
			state.RuleOf(state.IifOneOf(inner...), state.RejectWith("icmpx admin-prohibited")).WithComment("internal"),
			state.RuleOf(state.OifOneOf(inner...), state.RejectWith("icmpx admin-prohibited")).WithComment("internal"))
	}
	for _, f := range p.Deny {
		rules = append(rules, e.flowRules(r, f, f.through(), refuse(f.Drop)...)...)
	}
	for _, f := range p.Allow {
		rules = append(rules, e.flowRules(r, f, f.through(), state.Accept())...)
	}
	rules = append(rules, rejects(p)...)
	return state.BaseChain("forward", "filter", "forward", state.PriorityFilter, policyWord(p), rules...), true
}

// endChain is the policy of what the node itself receives or sends. What keeps the net itself working always passes: loopback,
// replies, and neighbour discovery.
func (e *expander) endChain(r *room, hook string, p Policy) (state.Chain, bool) {
	if p.IsZero() {
		return state.Chain{}, false
	}
	word, lo := "from", state.IifIs("lo")
	if hook == "output" {
		word, lo = "to", state.OifIs("lo")
	}
	rules := []state.FirewallRule{
		state.RuleOf(lo, state.Accept()),
		state.RuleOf(state.CTState("established", "related"), state.Accept()),
	}
	if r.has6 {
		for _, t := range []byte{133, 134, 135, 136} { // router and neighbour solicitation and advertisement (RFC 4861)
			rules = append(rules, state.RuleOf(state.PayloadIs("icmpv6", "type", state.Value{Type: state.TypeICMPv6, Data: string([]byte{t})}), state.Accept()))
		}
	}
	for _, f := range p.Deny {
		rules = append(rules, e.flowRules(r, f, f.end(word), refuse(f.Drop)...)...)
	}
	for _, f := range p.Allow {
		rules = append(rules, e.flowRules(r, f, f.end(word), state.Accept())...)
	}
	rules = append(rules, rejects(p)...)
	return state.BaseChain(hook, "filter", hook, state.PriorityFilter, policyWord(p), rules...), true
}

func policyWord(p Policy) string {
	if p.Strict {
		return "drop"
	}
	return "accept"
}

// rejects answer what a strict policy does not let pass, so that nobody has to wait.
func rejects(p Policy) []state.FirewallRule {
	if !p.Strict || p.Drop {
		return nil
	}
	return []state.FirewallRule{
		state.RuleOf(state.RejectWith("tcp reset")),
		state.RuleOf(state.ProtoOneOf("udp"), state.RejectWith("icmpx port-unreachable")),
		state.RuleOf(state.RejectWith("icmpx admin-prohibited")),
	}
}

// refuse are the ways in which a denied packet ends; each makes a rule.
func refuse(drop bool) [][]state.Expr {
	if drop {
		return [][]state.Expr{state.Drop()}
	}
	return [][]state.Expr{state.RejectWith("tcp reset"), state.RejectWith("icmpx port-unreachable")}
}

// flowRules makes the rules of a flow: one for each family where addresses are compared, one for each way to end.
func (e *expander) flowRules(r *room, f Flow, comment string, ends ...[]state.Expr) []state.FirewallRule {
	var protos [][]state.Expr
	switch {
	case f.Proto == "":
		protos = [][]state.Expr{nil}
	case f.Proto == "icmp":
		protos = [][]state.Expr{state.ProtoOneOf("icmp", "ipv6-icmp")}
	case f.Ports.IsZero():
		protos = [][]state.Expr{state.ProtoOneOf(f.Proto)}
	default:
		protos = [][]state.Expr{state.Dport(f.Proto, portRange(f.Ports))}
	}
	var out []state.FirewallRule
	for _, from := range e.ends(r, f.From, true) {
		for _, to := range e.ends(r, f.To, false) {
			if from.family != 0 && to.family != 0 && from.family != to.family {
				continue
			}
			for _, proto := range protos {
				for _, end := range ends {
					if f.Proto != "" && f.Proto != "tcp" && isReset(end) || f.Proto == "tcp" && !isReset(end) && len(ends) > 1 {
						continue
					}
					out = append(out, state.RuleOf(from.exprs, to.exprs, proto, end).WithComment(short(comment)))
				}
			}
		}
	}
	return out
}

func isReset(end []state.Expr) bool {
	return slices.ContainsFunc(end, func(x state.Expr) bool { return x.Reject != nil && x.Reject.With == "tcp reset" })
}

// match is one way to recognise a place.
type match struct {
	family int // 4, 6, or 0 for either
	exprs  []state.Expr
}

// ends says how a router recognises a place: a net that it is on by the interface, anything else by address.
func (e *expander) ends(r *room, p Place, source bool) []match {
	if p.IsZero() {
		return []match{{}}
	}
	var addrs []netip.Prefix
	switch {
	case p.Prefix.IsValid():
		addrs = []netip.Prefix{p.Prefix}
	case p.Name == "host":
		for _, w := range e.nets {
			for _, a := range w.hostAddr {
				addrs = append(addrs, prefixOf(a))
			}
		}
	case e.byNet[p.Name] != nil && r.plugOn(p.Name) != nil:
		link := r.plugOn(p.Name).If
		if source {
			return []match{{exprs: state.IifIs(link)}}
		}
		return []match{{exprs: state.OifIs(link)}}
	default:
		addrs = e.prefixesOf(p.Name)
	}
	var out []match
	for _, is6 := range []bool{false, true} {
		mine := slices.DeleteFunc(slices.Clone(addrs), func(a netip.Prefix) bool { return a.Addr().Is6() != is6 })
		if len(mine) == 0 {
			continue
		}
		slices.SortFunc(mine, state.ComparePrefix)
		m := match{family: 4, exprs: state.DaddrIn(mine...)}
		if source {
			m.exprs = state.SaddrIn(mine...)
		}
		if is6 {
			m.family = 6
		}
		out = append(out, m)
	}
	return out
}
