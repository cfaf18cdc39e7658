package warren

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"warren/internal/kernel"
	"warren/netns"
	"warren/plan"
	"warren/state"
	"warren/topo"
)

// preparePart is prepare for a lab that was brought up whole and whose file has changed since: the cost is that of the
// change, not of the lab. The namespaces whose declaration changed are read, with the hidden one, and what matters of the
// host. Of the others it is only looked whether they are there, and whether the far ends of their cables are; then they are taken to
// hold what they were made to hold. (What somebody else changed inside of them is found by an up of an unchanged file, by
// plan, status and repair.) p is nil when that will not do: nothing has changed, most has, or something is missing. What the file was
// expanded to meanwhile may be of use then.
func (w *Warren) preparePart(ctx context.Context, l *topo.Lab, former *topo.Expanded) (p *prepared, same *expansion, err error) {
	was := former.Desired.Namespace(state.HostNS)
	outside := plan.Query(only(former.Desired, map[string]bool{state.HostNS: true}), plan.Options{Former: new(only(former.Desired, map[string]bool{state.HostNS: true}))})
	outside = state.Query{Names: []string{state.HostNS}, Ours: true, Parts: outside.PartsOf(state.HostNS) & state.PartsLab, SysctlKeys: map[string][]string{
		state.HostNS: append(sysctlKeys(was), bridgeNFKey),
	}}
	if was == nil {
		outside.Parts = state.PartLinks | state.PartAddrs | state.PartRoutes
	}
	host, _, err := w.kernel.ObserveSome(ctx, outside, kernel.Some{Links: portless(was)})
	if err != nil {
		return nil, nil, err
	}
	in := inputs(l, host)
	in.Live = recordedAddrs(former)
	want, err := topo.Expand(l, in)
	if err != nil {
		return nil, nil, nil //nolint:nilerr // the whole look says it again, with the addresses that are live
	}
	changed := changedNamespaces(want.Desired, former.Desired)
	if len(changed) == 0 || 4*len(changed) > len(want.Desired.Namespaces) {
		return nil, &expansion{in: in, want: want}, nil
	}
	looked := maps.Clone(changed)
	looked[state.HostNS] = false
	if hidden := l.Name + "." + topo.SwitchNode; former.Desired.Namespace(hidden) != nil {
		looked[hidden] = true
	}
	ports, ok, err := w.hostPorts(ctx, &host, want.Desired, former.Desired, looked)
	if !ok || err != nil {
		return nil, nil, err
	}
	part := plan.Query(only(want.Desired, looked), plan.Options{Former: new(only(former.Desired, looked))})
	part.Lab, part.Ours = "", true
	part.Names = slices.DeleteFunc(part.Names, func(n string) bool { return n == state.HostNS })
	have, err := w.kernel.Observe(ctx, part)
	if err != nil {
		return nil, nil, err
	}
	have.Namespaces = append(have.Namespaces, host.Namespaces...)
	have.Unread = append(have.Unread, host.Unread...)
	looked[state.HostNS] = true
	there, err := namesThere()
	if err != nil {
		return nil, nil, err
	}
	if !fillIn(&have, former.Desired, looked, there) {
		return nil, nil, nil
	}
	part.SysctlKeys[state.HostNS] = outside.SysctlKeys[state.HostNS]
	missing := missingSysctls(plan.Query(want.Desired, plan.Options{Former: &former.Desired}), part, host)
	if len(missing.SysctlKeys) > 0 {
		more, err := w.kernel.Observe(ctx, missing)
		if err != nil {
			return nil, nil, err
		}
		addSysctls(&have, more)
	}
	steps, err := plan.Diff(want.Desired, have, plan.Options{Former: &former.Desired})
	if err != nil {
		return nil, nil, nil //nolint:nilerr // as above
	}
	return &prepared{want: want, have: have, asked: part, plan: steps, former: former, hostParts: outside.Parts, hostLinks: ports}, nil, nil
}

// An expansion is what a file stands for, with what was known of the kernel.
type expansion struct {
	in   topo.Inputs
	want *topo.Expanded
}

// holdsFor reports whether expanding with that would come to the same.
func (e *expansion) holdsFor(in topo.Inputs) bool {
	inOrder := func(in topo.Inputs) topo.Inputs {
		in.Live = slices.SortedFunc(slices.Values(in.Live), func(a, b topo.LiveAddr) int {
			return cmp.Or(strings.Compare(a.Node, b.Node), strings.Compare(a.Net, b.Net), a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Prefix.Bits(), b.Prefix.Bits()))
		})
		return in
	}
	return reflect.DeepEqual(inOrder(e.in), inOrder(in))
}

// hostPorts completes a look at the host, which has a port for every node of an uplink, with the links that are declared
// differently, newly or no longer, or whose other end was looked at or is in the host, too; their names are returned. Of the others it is only looked
// whether they are there; then they are taken to be as they were made. ok is false when one is not there, or when more has to be known
// of the host than was read.
func (w *Warren) hostPorts(ctx context.Context, have *state.Snapshot, want, former state.Desired, looked map[string]bool) (changed []string, ok bool, err error) {
	host, is, was := have.Namespace(state.HostNS), want.Namespace(state.HostNS), former.Namespace(state.HostNS)
	if host == nil {
		return nil, false, nil
	}
	if is != nil && !host.Read.Has(plan.Parts(&is.Contents)) {
		return nil, false, nil
	}
	links := linksOf(was)
	var kept []state.Link
	for name, l := range linksOf(is) {
		if old := links[name]; old != nil && old.Peer != nil && old.Peer.NS != state.HostNS && !looked[old.Peer.NS] && reflect.DeepEqual(old, l) {
			kept = append(kept, *l)
			delete(links, name)
			continue
		}
		links[name] = l
	}
	for i := range kept {
		kept[i].Peer = new(*kept[i].Peer)
	}
	ports := kernel.Some{Links: slices.Sorted(maps.Keys(links)), There: make([]string, len(kept))}
	for i := range kept {
		ports.There[i] = kept[i].Name
	}
	more, absent, err := w.kernel.ObserveSome(ctx, state.Query{Names: []string{state.HostNS}, Parts: state.PartLinks}, ports)
	n := more.Namespace(state.HostNS)
	if err != nil || len(absent) > 0 || n == nil {
		return nil, false, err
	}
	host.Links = slices.DeleteFunc(host.Links, func(l state.Link) bool { return n.Link(l.Name) != nil })
	host.Links = slices.Concat(host.Links, n.Links, kept)
	have.Unread = append(have.Unread, more.Unread...)
	host.Sort()
	return ports.Links, true, nil
}

// portless are the links of a namespace that lead nowhere: bridges above all.
func portless(n *state.DesiredNamespace) (names []string) {
	if n == nil {
		return nil
	}
	for i := range n.Links {
		if n.Links[i].Peer == nil {
			names = append(names, n.Links[i].Name)
		}
	}
	return names
}

func linksOf(n *state.DesiredNamespace) map[string]*state.Link {
	links := map[string]*state.Link{}
	if n != nil {
		for i := range n.Links {
			links[n.Links[i].Name] = &n.Links[i]
		}
	}
	return links
}

func sysctlKeys(n *state.DesiredNamespace) []string {
	if n == nil {
		return nil
	}
	keys := make([]string, 0, len(n.Sysctls)+1)
	for _, s := range n.Sysctls {
		keys = append(keys, s.Key)
	}
	return keys
}

// recordedAddrs are the addresses that a lab was brought up with.
func recordedAddrs(x *topo.Expanded) []topo.LiveAddr {
	var out []topo.LiveAddr
	for _, n := range x.Nodes {
		for _, a := range n.Addrs {
			out = append(out, topo.LiveAddr{Node: n.Name, Net: a.Net, Prefix: a.Prefix})
		}
	}
	for _, u := range x.Uplinks {
		for i, g := range u.Gateways {
			out = append(out, topo.LiveAddr{Node: state.HostNS, Net: u.Net, Prefix: netip.PrefixFrom(g, u.Prefixes[i].Bits())})
		}
	}
	return out
}

// changedNamespaces are those that are declared differently, newly, or no longer.
func changedNamespaces(want, former state.Desired) map[string]bool {
	changed := map[string]bool{}
	for i := range want.Namespaces {
		n := &want.Namespaces[i]
		if f := former.Namespace(n.Name); f == nil || !reflect.DeepEqual(n, f) {
			changed[n.Name] = true
		}
	}
	for i := range former.Namespaces {
		if name := former.Namespaces[i].Name; want.Namespace(name) == nil {
			changed[name] = true
		}
	}
	return changed
}

// only is what is desired of some namespaces.
func only(d state.Desired, names map[string]bool) state.Desired {
	out := state.Desired{Lab: d.Lab}
	for _, n := range d.Namespaces {
		if names[n.Name] {
			out.Namespaces = append(out.Namespaces, n)
		}
	}
	return out
}

// namesThere are the names that a namespace is mounted on.
func namesThere() (map[string]bool, error) {
	entries, err := netns.List("")
	if err != nil {
		return nil, err
	}
	there := make(map[string]bool, len(entries))
	for _, e := range entries {
		there[e.Name] = !e.Stale
	}
	return there, nil
}

// fillIn completes a partial snapshot with what namespaces that were not looked at were made to hold, and tells where the
// cables into them lead. It reports false when one of them, or the end of a cable that was looked at, is not there.
func fillIn(have *state.Snapshot, former state.Desired, looked, there map[string]bool) bool {
	for i := range former.Namespaces {
		f := &former.Namespaces[i]
		if !looked[f.Name] {
			if !f.Owned() || !there[f.Name] {
				return false
			}
			have.Namespaces = append(have.Namespaces, state.Namespace{Name: f.Name, Mark: f.Mark, Contents: f.Contents})
		}
	}
	slices.SortFunc(have.Namespaces, func(a, b state.Namespace) int { return strings.Compare(a.Name, b.Name) })
	for i := range former.Namespaces {
		f := &former.Namespaces[i]
		n := have.Namespace(f.Name)
		if !looked[f.Name] || n == nil {
			continue
		}
		links := make(map[string]*state.Link, len(n.Links))
		for j := range n.Links {
			links[n.Links[j].Name] = &n.Links[j]
		}
		for j := range f.Links {
			was := &f.Links[j]
			if was.Peer == nil {
				continue
			}
			now := links[was.Name]
			if looked[was.Peer.NS] {
				join(f.Name, now, was.Peer.NS, have.Namespace(was.Peer.NS), was.Peer.Name)
				continue
			}
			if now == nil || now.Peer == nil || now.Kind != was.Kind {
				return false
			}
			now.Peer.NS, now.Peer.Name = was.Peer.NS, was.Peer.Name
		}
	}
	return true
}

// join tells two ends of a cable, which were read at different times, of each other, where their indexes say that they
// belong together.
func join(nearNS string, near *state.Link, farNS string, n *state.Namespace, farName string) {
	if near == nil || near.Peer == nil || n == nil {
		return
	}
	far := n.Link(farName)
	if far == nil || far.Peer == nil || far.Peer.Index != near.Index || near.Peer.Index != far.Index {
		return
	}
	near.Peer.NS, near.Peer.Name = farNS, farName
	far.Peer.NS, far.Peer.Name = nearNS, near.Name
}
