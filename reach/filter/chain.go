package filter

import (
	"fmt"
	"slices"
	"strings"

	"warren/state"
)

// An eval is one base chain at work on one packet.
type eval struct {
	ns     *Namespace
	hook   Hook
	p      *Packet
	table  *state.Table  // of nftables
	xtable *state.XTable // of legacy iptables
	base   Rule          // the base chain
	res    *Result
	depth  int
	at     Rule // the rule that is run
	// aside: only what a chain would do is asked, with a copy of the packet.
	aside bool
	// policy is how the base chain ends when no rule decides: "accept" or "drop".
	policy string
	// doubts are what rules whose outcome is not known might do.
	doubts []doubt
}

// A doubt is a rule that perhaps matches.
type doubt struct {
	would string // "accept", "drop", "other"
	rule  Rule
	why   string
}

// A verdict is how a chain or a rule ends.
type verdict struct {
	kind string // "" or "continue" = go on, "accept", "drop", "reject", "return", "queue", "jump", "goto"
	to   string // chain
	with string // of reject
	rule Rule
	fib  bool // the rule asked the routing table
}

func (v verdict) final() bool { return v.kind == "accept" || v.kind == "drop" || v.kind == "reject" }

// maxDepth is the kernel's limit of nested jumps (NFT_JUMP_STACK_SIZE).
const maxDepth = 16

// nftChain runs a base chain, and settles what is in doubt.
func (e *eval) nftChain(c *state.Chain) verdict {
	e.base, e.policy = e.place(c, nil), "accept"
	if c.Hook.Policy == "drop" {
		e.policy = "drop"
	}
	v := e.rules(c)
	if !v.final() {
		v = verdict{kind: e.policy, rule: e.base}
		v.rule.Policy = true
	}
	return v
}

func (e *eval) place(c *state.Chain, r *state.FirewallRule) Rule {
	p := Rule{Backend: "nft", Family: e.table.Family, Table: e.table.Name, Chain: c.Name}
	if c.Name != e.base.Chain {
		p.Base = e.base.Chain
	}
	if r == nil {
		return p
	}
	if p.Handle = r.Handle; p.Handle == 0 { // not in a kernel yet
		for i := range c.Rules {
			if r == &c.Rules[i] {
				p.Number = i + 1
			}
		}
	}
	return p
}

// rules runs a chain's rules, and those that it jumps to.
func (e *eval) rules(c *state.Chain) verdict {
	if e.depth++; e.depth > maxDepth {
		return verdict{kind: "drop", rule: e.place(c, nil)}
	}
	defer func() { e.depth-- }()
	for i := range c.Rules {
		v := e.rule(c, &c.Rules[i])
		switch v.kind {
		case "", "continue":
			continue
		case "jump", "goto":
			to := e.table.Chain(v.to)
			if to == nil {
				e.doubts = append(e.doubts, doubt{"other", v.rule, "chain " + v.to + " is not there"})
				continue
			}
			inner := e.rules(to)
			if inner.final() || v.kind == "goto" {
				return inner
			}
		default:
			return v
		}
	}
	return verdict{kind: "return"}
}

// rule runs one rule.
func (e *eval) rule(c *state.Chain, r *state.FirewallRule) verdict {
	at := e.place(c, r)
	v, done := e.run(at, r.Exprs)
	v.fib = slices.ContainsFunc(r.Exprs, asksFIB)
	return e.visited(at, v, done)
}

// visited notes that a rule was looked at, and gives its verdict its name. done: it matched.
func (e *eval) visited(at Rule, v verdict, done bool) verdict {
	if done || e.ns.Explain {
		e.res.Visits = append(e.res.Visits, Visit{Rule: at, Matched: done, Effect: effect(v)})
	}
	v.rule = at
	return v
}

func effect(v verdict) string {
	switch v.kind {
	case "jump", "goto":
		return v.kind + " " + v.to
	case "reject":
		return "reject with " + v.with
	case "continue":
		return ""
	}
	return v.kind
}

// asksFIB reports whether an expression is met when there is no way back to the source by the device that the packet came in by.
func asksFIB(x state.Expr) bool {
	if x.XTMatch != nil && x.XTMatch.RPFilter != nil {
		return true
	}
	m := x.Match
	if m == nil || m.Left.FIB == nil || m.Left.FIB.Result == "type" || !slices.Contains(m.Left.FIB.Flags, "saddr") || m.Value == nil {
		return false
	}
	none := strings.Trim(m.Value.Data, "\x00") == ""
	return none == (m.Op == "" || m.Op == "==")
}

// run takes the packet through the expressions from left to right. done: the last one was reached.
func (e *eval) run(at Rule, list []state.Expr) (v verdict, done bool) {
	e.at = at
	for i, x := range list {
		if i > 0 && list[i-1].Opaque != nil {
			if out, known := comparesAbsent(list[i-1].Opaque, x.Opaque); known && out == no {
				return verdict{}, false
			} else if known {
				continue
			}
		}
		if x.Opaque != nil && (asksPresence(x.Opaque) || onlyLoads(x.Opaque) || harmless(x.Opaque) || e.loads(x.Opaque)) {
			continue // what is only read matters where it is compared
		}
		out, why := e.compareExpr(x)
		if x.Opaque != nil && out == maybe {
			why = fmt.Sprintf("the expression %s is not modelled", telling(list))
		}
		switch out {
		case no:
			return verdict{}, false
		case maybe:
			e.inDoubt(at, list[i:], why)
			return verdict{}, false
		case yes:
		}
		v, out, why = e.act(x)
		switch {
		case out == no:
			return verdict{}, false
		case out == maybe:
			e.doubts = append(e.doubts, doubt{"other", at, why})
			return verdict{}, false
		case v.kind != "":
			return v, true
		}
	}
	return verdict{}, true
}

// compareExpr evaluates an expression that only looks. Those that act say yes.
func (e *eval) compareExpr(x state.Expr) (outcome, string) {
	switch {
	case x.Match != nil:
		return e.match(x.Match)
	case x.XTMatch != nil:
		return e.xtMatch(x.XTMatch)
	case x.Limit != nil:
		return maybe, "limit is not modelled"
	case x.Opaque != nil:
		switch {
		case e.lacks(x.Opaque):
			return no, ""
		case e.remembers(x.Opaque):
			return yes, ""
		}
		return maybe, fmt.Sprintf("the expression %s is not modelled", x.Opaque.Name)
	}
	return yes, ""
}

// inDoubt notes what a rule would do from the expression on that cannot be told.
func (e *eval) inDoubt(at Rule, rest []state.Expr, why string) {
	for i, x := range rest {
		switch {
		case x.Match != nil, x.XTMatch != nil:
			if out, _ := e.compareExpr(x); i > 0 && out == no {
				return
			}
		case x.Counter != nil, x.Log != nil, x.Limit != nil:
		case x.XTTarget != nil && (x.XTTarget.NoEffect || x.XTTarget.Verdict == "CONTINUE" || x.XTTarget.Verdict == "" && x.XTTarget.Name == ""):
		case x.Verdict != nil && x.Verdict.Kind == "continue":
		case x.Opaque != nil:
			// Of what is left of a program that is not understood the parts that load, compare and count do nothing by themselves.
			if !passive(x.Opaque) {
				e.doubts = append(e.doubts, doubt{"other", at, why})
				return
			}
		default:
			e.doubts = append(e.doubts, e.wouldDo(at, x, why)...)
			return
		}
	}
}

// runChain runs a chain that a rule leads to; false when it is not there, or lies too deep.
func (e *eval) runChain(name string) (verdict, bool) {
	if e.xtable != nil {
		c := e.xtable.Chain(name)
		if c == nil || e.depth >= maxDepth*4 {
			return verdict{}, false
		}
		return e.legacyRules(e.xtable, c), true
	}
	c := e.table.Chain(name)
	if c == nil || e.depth >= maxDepth {
		return verdict{}, false
	}
	return e.rules(c), true
}

// wouldDo is what an acting expression would do in a rule that perhaps matches.
func (e *eval) wouldDo(at Rule, x state.Expr, why string) []doubt {
	kind := "other"
	var chain string
	switch {
	case x.Reject != nil:
		kind = "drop"
	case x.Verdict != nil:
		kind, chain = x.Verdict.Kind, x.Verdict.Chain
	case x.XTTarget != nil:
		switch t := x.XTTarget; {
		case t.Reject != "" || t.Verdict == "DROP":
			kind = "drop"
		case t.Verdict == "ACCEPT":
			kind = "accept"
		case t.Verdict == "jump" && e.xtable != nil:
			kind, chain = "jump", t.Chain
		case t.Verdict == "RETURN":
			kind = "return"
		}
	}
	if kind == "return" && e.depth == 1 && !e.aside {
		kind = e.policy
	}
	switch kind {
	case "accept", "drop":
	case "jump":
		// What the chain would do with a copy of the packet.
		p, conn := e.p.copied()
		f := eval{ns: e.ns, hook: e.hook, p: &p, table: e.table, xtable: e.xtable, base: e.base, res: &Result{}, depth: e.depth, aside: true}
		v, ok := f.runChain(chain)
		switch {
		case !ok:
			kind = "other"
		case len(f.doubts) > 0 || p != *e.p && !p.like(e.p, conn):
			kind = "other"
		case v.kind == "reject":
			kind = "drop"
		case v.final():
			kind = v.kind
		default:
			return nil
		}
	default:
		kind = "other"
	}
	return []doubt{{kind, at, why}}
}
