package filter

import (
	"cmp"
	"slices"
	"strings"

	"warren/state"
)

// Kinds of stages.
const (
	stageChain = iota
	stageLegacy
	stageTrack
	stageNAT
	stageConfirm
	stageEB
)

// Priorities of what the kernel itself hooks in (linux/netfilter_ipv4.h).
const (
	priorityTrack   = -200
	priorityDNAT    = -100
	prioritySNAT    = 100
	priorityConfirm = 1<<31 - 1
)

// A stage is one thing that looks at a packet on a hook.
type stage struct {
	what     int
	priority int32
	table    *state.Table
	chain    *state.Chain
	xtable   *state.XTable
	xchain   *state.XChain
	ebtable  *state.EBTable
	ebchain  *state.EBChain
	nat      []stage // of a NAT stage: the chains, in order
	reroutes bool    // what it changes makes the packet be routed again
}

// stages lists what looks at a packet on a hook, in order.
func (n *Namespace) stages(h Hook) []stage {
	var list, nat []stage
	add := func(s stage, isNAT bool) {
		if isNAT {
			nat = append(nat, s)
		} else {
			list = append(list, s)
		}
	}
	for i := range n.ns.Tables {
		t := &n.ns.Tables[i]
		if !serves(t, h) {
			continue
		}
		for j := range t.Chains {
			if c := &t.Chains[j]; c.Hook != nil && c.Hook.Hook == h.Name && onDevice(c.Hook, h) {
				add(stage{what: stageChain, priority: c.Hook.Priority, table: t, chain: c, reroutes: c.Hook.Type == "route"}, c.Hook.Type == "nat")
			}
		}
	}
	for i := range n.ns.XTables {
		t := &n.ns.XTables[i]
		if h.Family != "ip" && h.Family != "ip6" || t.IPv6 != (h.Family == "ip6") {
			continue
		}
		if c := t.Chain(strings.ToUpper(h.Name)); c != nil && c.Policy != "" {
			p, isNAT := legacyPriority(t.Name, h.Name)
			add(stage{what: stageLegacy, priority: p, xtable: t, xchain: c, reroutes: t.Name == "mangle" && h.Name == "output"}, isNAT)
		}
	}
	list = append(list, n.ebStages(h)...)
	slices.SortStableFunc(nat, stage.compare)
	if h.Family == "ip" || h.Family == "ip6" {
		list = append(list, n.own(h, nat)...)
	}
	slices.SortStableFunc(list, stage.compare)
	return list
}

// compare orders stages by priority. Of equal ones the kernel asks the last registered first (nf_hook_entries_grow); handles
// tell which that is, as far as nftables' own are concerned, which come before legacy tables here.
func (s stage) compare(o stage) int {
	if c := cmp.Compare(s.priority, o.priority); c != 0 || s.chain == nil || o.chain == nil {
		return c
	}
	return cmp.Or(cmp.Compare(o.table.Handle, s.table.Handle), cmp.Compare(o.chain.Handle, s.chain.Handle))
}

// own are the stages of conntrack and NAT.
func (n *Namespace) own(h Hook, nat []stage) []stage {
	switch h.Name {
	case "prerouting", "output":
		return []stage{{what: stageTrack, priority: priorityTrack}, {what: stageNAT, priority: priorityDNAT, nat: nat}}
	case "postrouting", "input":
		return []stage{{what: stageNAT, priority: prioritySNAT, nat: nat}, {what: stageConfirm, priority: priorityConfirm}}
	}
	return nil
}

// serves reports whether a table's chains can be on the hook. A dormant table has none (NFT_TABLE_F_DORMANT).
func serves(t *state.Table, h Hook) bool {
	const dormant = 1
	if t.Flags&dormant != 0 {
		return false
	}
	switch t.Family {
	case h.Family:
		return true
	case "inet":
		return h.Family == "ip" || h.Family == "ip6" || h.Family == "netdev" && h.Name == "ingress"
	}
	return false
}

// onDevice: chains of ingress and egress are on the devices that they name.
func onDevice(k *state.Hook, h Hook) bool {
	if h.Family != "netdev" {
		return true
	}
	dev := name(h.In)
	if h.Name == "egress" {
		dev = name(h.Out)
	}
	return slices.ContainsFunc(k.Devices, func(d string) bool {
		if prefix, ok := strings.CutSuffix(d, "*"); ok {
			return strings.HasPrefix(dev, prefix)
		}
		return d == dev
	})
}

// legacyPriority is where a legacy table stands on a hook.
func legacyPriority(table, hook string) (p int32, nat bool) {
	switch table {
	case "raw":
		return -300, false
	case "mangle":
		return -150, false
	case "nat":
		if hook == "prerouting" || hook == "output" {
			return priorityDNAT, true
		}
		return prioritySNAT, true
	case "security":
		return 50, false
	}
	return 0, false
}
