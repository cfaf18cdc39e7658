package warren

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"warren/plan"
	"warren/state"
	"warren/topo"
)

// prepared is a lab held against the kernel.
type prepared struct {
	want   *topo.Expanded
	have   state.Snapshot
	asked  state.Query // what have answers
	plan   plan.Plan
	former *topo.Expanded
	// Of the host only these links were read; the others are as they were made. Nil = all were read.
	hostLinks []string
	hostParts state.Parts
	record    *laterRecord // of want
}

// Plan says what Up would do. It takes no lock and changes nothing. Errors: those of the lab ([topo.Error]), of the kernel,
// and [plan.CollisionError] where something of a name that the lab needs belongs to somebody else.
func (w *Warren) Plan(ctx context.Context, l *topo.Lab) (*Change, error) {
	former, err := w.former(l.Name)
	if err != nil {
		return nil, err
	}
	p, err := w.prepare(ctx, l, former, true)
	if err != nil {
		return nil, err
	}
	return &Change{Expanded: p.want, Plan: p.plan, Snapshot: p.have}, nil
}

// prepare reads the kernel, expands the lab with the addresses that live nodes have, and computes the difference. Unless
// all is asked for, kinds of objects that the lab has none of, and had none of, are not read.
func (w *Warren) prepare(ctx context.Context, l *topo.Lab, former *topo.Expanded, all bool) (*prepared, error) {
	dir, err := w.runDir().Dir(l.Name)
	if err != nil {
		return nil, err
	}
	// A change that was cut off may have made what neither says.
	all = all || dir.Changing()
	var same *expansion
	if !all && former != nil {
		var p *prepared
		if p, same, err = w.preparePart(ctx, l, former); p != nil || err != nil {
			return p, err
		}
	}
	opt := plan.Options{}
	query := state.Query{Lab: l.Name, Parts: state.PartsLab, SysctlKeys: map[string][]string{}}
	if former != nil {
		opt.Former = &former.Desired
		query = plan.Query(former.Desired, opt)
	}
	have, err := w.observeFor(ctx, l, &query, all)
	if err != nil {
		return nil, err
	}
	in := inputs(l, have)
	var want *topo.Expanded
	if same != nil && same.holdsFor(in) {
		want = same.want
	} else if want, err = topo.Expand(l, in); err != nil {
		return nil, err
	}
	// What matters is known only now. In a second up of the same file all of it was read.
	need := plan.Query(want.Desired, opt)
	if !all && moreParts(need, query, have) {
		if have, err = w.observeFor(ctx, l, &need, all); err != nil {
			return nil, err
		}
		query = need
	} else if missing := missingSysctls(need, query, have); len(missing.SysctlKeys) > 0 {
		more, err := w.kernel.Observe(ctx, missing)
		if err != nil {
			return nil, fmt.Errorf("lab %q: read sysctls: %w", l.Name, err)
		}
		addSysctls(&have, more)
	}
	p, err := plan.Diff(want.Desired, have, opt)
	if err != nil {
		return nil, fmt.Errorf("lab %q: %w", l.Name, portsTaken(want, have, err))
	}
	return &prepared{want: want, have: have, asked: query, plan: p, former: former}, nil
}

// observeFor reads what the query asks for, and what expansion needs besides.
func (w *Warren) observeFor(ctx context.Context, l *topo.Lab, query *state.Query, all bool) (state.Snapshot, error) {
	if all {
		query.PartsIn = nil
	}
	query.Names = slices.Compact(slices.Sorted(slices.Values(append(append(query.Names, state.HostNS), foreignNames(l)...))))
	query.SysctlKeys[state.HostNS] = append(query.SysctlKeys[state.HostNS], bridgeNFKey)
	have, err := w.kernel.Observe(ctx, *query)
	if err != nil {
		return have, fmt.Errorf("lab %q: observe: %w", l.Name, err)
	}
	return have, nil
}

// moreParts reports whether in a namespace that exists more kinds of objects matter than were read.
func moreParts(need, asked state.Query, have state.Snapshot) bool {
	for ns, parts := range need.PartsIn {
		if !asked.PartsOf(ns).Has(parts) && have.Namespace(ns) != nil {
			return true
		}
	}
	return false
}

// bridgeNFKey says whether bridged packets pass through iptables' and nftables' hooks of IPv4.
const bridgeNFKey = "net/bridge/bridge-nf-call-iptables"

// missingSysctls asks for what need wants and asked did not, of the namespaces that exist.
func missingSysctls(need, asked state.Query, have state.Snapshot) state.Query {
	fresh := need.Fresh && !asked.Fresh // and with it all keys, for it is asked by key
	q := state.Query{SysctlKeys: map[string][]string{}, Fresh: fresh}
	for ns, keys := range need.SysctlKeys {
		if have.Namespace(ns) == nil {
			continue
		}
		if fresh {
			q.SysctlKeys[ns] = keys
			continue
		}
		known := make(map[string]bool, len(keys))
		for _, k := range asked.SysctlKeys[ns] {
			known[k] = true
		}
		for _, k := range keys {
			if !known[k] {
				q.SysctlKeys[ns] = append(q.SysctlKeys[ns], k)
			}
		}
	}
	q.Names = slices.Sorted(maps.Keys(q.SysctlKeys))
	return q
}

func addSysctls(have *state.Snapshot, more state.Snapshot) {
	for _, m := range more.Namespaces {
		if n := have.Namespace(m.Name); n != nil {
			n.Sysctls = append(n.Sysctls, m.Sysctls...)
			slices.SortFunc(n.Sysctls, state.Sysctl.Compare)
			n.Sysctls = slices.CompactFunc(n.Sysctls, func(a, b state.Sysctl) bool { return a.Key == b.Key })
		}
	}
	have.Fresh = append(have.Fresh, more.Fresh...)
	slices.SortFunc(have.Fresh, state.Sysctl.Compare)
	have.Fresh = slices.Compact(have.Fresh)
	have.Unread = append(have.Unread, more.Unread...)
}

// inputs are what expansion needs to know of the kernel.
func inputs(l *topo.Lab, have state.Snapshot) topo.Inputs {
	in := topo.Inputs{Live: live(l, have)}
	host := have.Namespace(state.HostNS)
	if host == nil {
		return in
	}
	in.Used = used(l.Name, host)
	v, _ := host.Sysctl(bridgeNFKey)
	in.BridgeNF = v == "1"
	return in
}

// live lists the addresses that nodes have now, so that they keep them.
func live(l *topo.Lab, have state.Snapshot) []topo.LiveAddr {
	members := membersByNode(l)
	var out []topo.LiveAddr
	for i := range have.Namespaces {
		n := &have.Namespaces[i]
		if n.Mark.Lab != l.Name && n.Name != state.HostNS {
			continue
		}
		for _, a := range n.Addrs {
			if a.Protocol != state.Protocol {
				continue
			}
			link := n.Link(a.Link)
			if m, ok := linkMark(link); ok && m.Lab == l.Name {
				out = append(out, topo.LiveAddr{Node: state.HostNS, Net: m.Node, Prefix: a.Prefix})
			} else if net := netOfLink(members[n.Mark.Node], link); net != "" {
				out = append(out, topo.LiveAddr{Node: n.Mark.Node, Net: net, Prefix: a.Prefix})
			}
		}
	}
	return out
}

// membersByNode lists each node's memberships, by net.
func membersByNode(l *topo.Lab) map[string]map[string]topo.Member {
	out := map[string]map[string]topo.Member{}
	for _, n := range l.Nets {
		for _, m := range n.Members {
			if out[m.Node] == nil {
				out[m.Node] = map[string]topo.Member{}
			}
			out[m.Node][n.Name] = m
		}
	}
	return out
}

// netOfLink is the net that a node's link is on: it is called after it, has its name as altname, or the file names it.
func netOfLink(nets map[string]topo.Member, l *state.Link) string {
	if l == nil {
		return ""
	}
	if m, ok := nets[l.Name]; ok && (m.If == "" || m.If == l.Name) {
		return l.Name
	}
	for _, a := range l.AltNames {
		if _, ok := nets[a]; ok {
			return a
		}
	}
	for net, m := range nets {
		if m.If == l.Name { // unique in a node
			return net
		}
	}
	return ""
}

// used are the prefixes that the host has routes to, with their owners, but for those of this lab's own bridges.
func used(name string, host *state.Namespace) []topo.Used {
	var out []topo.Used
	for _, r := range host.Routes {
		if r.Dst.Bits() == 0 || r.Dst.Addr().IsMulticast() || r.Dst.Addr().IsLinkLocalUnicast() || r.TableID() == state.LocalTable {
			continue
		}
		owner := ""
		for _, hop := range r.NextHops {
			owner = hop.Link
			if m, ok := linkMark(host.Link(hop.Link)); ok {
				owner = "lab " + m.Lab
			}
		}
		if owner != "lab "+name {
			out = append(out, topo.Used{Prefix: r.Dst, Owner: owner})
		}
	}
	return out
}

// linkMark is the mark on a link of ours outside of our namespaces: its altname.
func linkMark(l *state.Link) (state.Mark, bool) {
	if l == nil || l.Group != state.LinkGroup {
		return state.Mark{}, false
	}
	for _, a := range l.AltNames {
		if m, ok := state.ParseMark(a); ok {
			return m, true
		}
	}
	return state.Mark{}, false
}
