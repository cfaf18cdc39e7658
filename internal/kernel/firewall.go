package kernel

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"warren/internal/nft"
	"warren/internal/nl"
	"warren/plan"
	"warren/state"
)

// readFirewall reads the tables of the namespace that the calling thread is in.
func (o *observation) readFirewall(r *reading) error {
	conn, err := openSocket(unix.NETLINK_NETFILTER)
	if errors.Is(err, unix.EPROTONOSUPPORT) {
		return nil // a kernel without netfilter has no tables
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	if !o.ours() {
		r.ns.Tables, err = nft.Read(o.ctx, conn)
		return err
	}
	// Somebody else's tables can be large, and no plan looks at them.
	t, err := nft.ReadTable(o.ctx, conn, "inet", state.FirewallTable)
	if t != nil {
		r.ns.Tables = []state.Table{*t}
	}
	return err
}

// changeFirewall does all steps in one transaction: all of them happen, or none.
func (w *work) changeFirewall(ns string, steps []plan.Step, results []result) {
	var ops []nft.Op
	var of []int // op -> step
	for i, s := range steps {
		for _, op := range firewallOps(s) {
			ops, of = append(ops, op), append(of, i)
		}
	}
	sp, err := w.spaces.get(w.ctx, ns)
	if err != nil {
		results[0].set(err)
		return
	}
	conn, err := sp.ns.Netlink(unix.NETLINK_NETFILTER)
	if err != nil {
		results[0].set(err)
		return
	}
	defer conn.Close()
	err = nft.Apply(conn, ops)
	if err == nil {
		for i := range results {
			results[i].set(nil)
		}
		return
	}
	at := 0
	if e, ok := errors.AsType[*nft.OpError](err); ok && e.Index >= 0 && e.Index < len(of) {
		at = of[e.Index]
	}
	results[at].set(err)
}

func firewallOps(s plan.Step) []nft.Op {
	var ops []nft.Op
	if t := s.After.Table; t != nil {
		ops = append(ops, nft.Op{Replace: t})
	} else if t := s.Before.Table; t != nil {
		ops = append(ops, nft.Op{Delete: t})
	}
	if e := s.Before.Elements; e != nil {
		ops = append(ops, nft.Op{DeleteElements: elements(e)})
	}
	if e := s.After.Elements; e != nil {
		ops = append(ops, nft.Op{AddElements: elements(e)})
	}
	return ops
}

// elements describes the set as far as its elements tell: their types, and whether it holds intervals.
func elements(e *plan.Elements) *nft.Elements {
	set := state.Set{Name: e.Set, Elements: e.Elements}
	if len(e.Elements) > 0 {
		first := e.Elements[0]
		set.Key, set.Data = types(first.Key), types(first.Data)
		if first.Verdict != nil {
			set.Data = []state.DataType{state.TypeVerdict}
		}
		set.Interval = slices.ContainsFunc(e.Elements, func(x state.Element) bool { return x.KeyEnd != nil })
	}
	return &nft.Elements{Family: e.Family, Table: e.Table, Set: set}
}

func types(values []state.Value) []state.DataType {
	var list []state.DataType
	for _, v := range values {
		list = append(list, v.Type)
	}
	return list
}

// nftProbe makes a table for both families with a chain that translates addresses.
func nftProbe(conn *nl.Conn) error {
	t := state.Table{Family: "inet", Name: "probe", Chains: []state.Chain{{
		Name: "nat", Hook: &state.Hook{Type: "nat", Hook: "postrouting", Priority: 100},
		Rules: []state.FirewallRule{{Exprs: []state.Expr{{NAT: &state.NAT{Kind: "masquerade"}}}}},
	}}}
	return nft.Apply(conn, []nft.Op{{Replace: &t}})
}
