package warren

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"

	"warren/internal/kerneltest/fake"
	"warren/plan"
	"warren/state"
	"warren/topo"
)

// Simulate decides a lab's checks by the packet walk on what Up would make, before anything is made. Nodes that have
// services are taken to serve what the checks ask of them: whether their programs do is not known before they run. The
// change is what Up would do; errors are those of [Warren.Plan], and a *CheckError when checks would not hold.
func (w *Warren) Simulate(ctx context.Context, l *topo.Lab, o CheckOptions) (*Change, []CheckResult, error) {
	change, err := w.Plan(ctx, l)
	if err != nil {
		return nil, nil, err
	}
	have, err := w.afterwards(ctx, change)
	if err != nil {
		return change, nil, fmt.Errorf("lab %q: simulate: %w", l.Name, err)
	}
	serve(&have, change.Expanded)
	j := judge{x: change.Expanded, gatherer: gatherer{have: have}}
	results, err := j.all(ctx, o)
	return change, results, err
}

// keys are the namespaces of a lab, and host.
func keys(x *topo.Expanded) []string {
	list := []string{state.HostNS}
	for _, n := range x.Desired.Namespaces {
		list = append(list, n.Name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// afterwards is what the kernel would hold after a change, worked out on a machine in memory that is like this one.
func (w *Warren) afterwards(ctx context.Context, c *Change) (state.Snapshot, error) {
	now, err := w.kernel.Observe(ctx, state.Query{Names: keys(c.Expanded), Parts: state.PartsWalk})
	if err != nil {
		return now, err
	}
	var wide []string // the sysctls of whole namespaces that matter
	if host := now.Namespace(state.HostNS); host != nil {
		for _, s := range host.Sysctls {
			wide = append(wide, s.Key)
		}
	}
	fresh, err := w.kernel.Observe(ctx, state.Query{SysctlKeys: map[string][]string{state.HostNS: wide}, Fresh: true})
	if err != nil {
		return fresh, err
	}
	for i := range now.Namespaces {
		spell(&now.Namespaces[i])
	}
	k := fake.FromSnapshot(now)
	if r := k.Apply(ctx, c.Plan.Steps, plan.Hooks{}); r.Err != nil {
		return state.Snapshot{}, r.Err
	}
	then, err := k.Observe(ctx, state.Query{Names: keys(c.Expanded), Parts: state.PartLinks})
	if err != nil {
		return then, err
	}
	q := state.Query{Names: keys(c.Expanded), Parts: state.PartsWalk, SysctlKeys: map[string][]string{}}
	for _, n := range then.Namespaces {
		q.SysctlKeys[n.Name] = slices.Concat(wide, linkKeys(n.Links))
	}
	if then, err = k.Observe(ctx, q); err != nil {
		return then, err
	}
	then.Time, then.Kernel = now.Time, now.Kernel
	for i := range then.Namespaces {
		n := &then.Namespaces[i]
		n.Read = state.PartsWalk
		if old := now.Namespace(n.Name); old != nil {
			n.Sockets, n.XTables, n.NextHops, n.Conntrack = old.Sockets, old.XTables, old.NextHops, old.Conntrack
			n.EBTables, n.IPSets, n.Agents = old.EBTables, old.IPSets, old.Agents
			continue
		}
		// The machine in memory knows few values of a new namespace.
		want := c.Expanded.Desired.Namespace(n.Name)
		for j := range n.Sysctls {
			s := &n.Sysctls[j]
			if s.Value == "0" && want != nil && !declares(want, s.Key) {
				if v, ok := valueOf(fresh.Fresh, s.Key); ok {
					s.Value = v
				}
			}
		}
	}
	return then, nil
}

func declares(want *state.DesiredNamespace, key string) bool {
	_, ok := valueOf(want.Sysctls, key)
	return ok
}

func valueOf(list []state.Sysctl, key string) (string, bool) {
	i := slices.IndexFunc(list, func(s state.Sysctl) bool { return s.Key == key })
	if i < 0 {
		return "", false
	}
	return list[i].Value, true
}

// A setting is a value that each link has of its own: its sysctl's name, and its place in the link's list.
type setting struct {
	name  string
	index int // IPV4_DEVCONF_* minus one (linux/ip.h), DEVCONF_* (linux/ipv6.h)
}

// settings are those that the packet walk looks at.
func settings(is6 bool) []setting {
	if is6 {
		return []setting{{"forwarding", 0}, {"accept_ra", 3}, {"proxy_ndp", 22}, {"disable_ipv6", 26}, {"ignore_routes_with_linkdown", 39}, {"force_forwarding", 59}}
	}
	return []setting{
		{"forwarding", 0},
		{"proxy_arp", 2},
		{"send_redirects", 5},
		{"rp_filter", 7},
		{"arp_filter", 16},
		{"arp_announce", 17},
		{"arp_ignore", 18},
		{"accept_local", 22},
		{"src_valid_mark", 23},
		{"proxy_arp_pvlan", 24},
		{"route_localnet", 25},
		{"ignore_routes_with_linkdown", 28},
	}
}

func linkKey(family, link, name string) string { return "net/" + family + "/conf/" + link + "/" + name }

func linkKeys(links []state.Link) []string {
	var list []string
	for i := range links {
		for _, s := range settings(false) {
			list = append(list, linkKey("ipv4", links[i].Name, s.name))
		}
		for _, s := range settings(true) {
			list = append(list, linkKey("ipv6", links[i].Name, s.name))
		}
	}
	return list
}

// spell writes the settings of links as sysctls, which a plan changes, in place of the lists.
func spell(n *state.Namespace) {
	for i := range n.Links {
		l := &n.Links[i]
		for _, f := range []struct {
			family string
			values []int32
			list   []setting
		}{{"ipv4", l.IPv4, settings(false)}, {"ipv6", l.IPv6, settings(true)}} {
			for _, s := range f.list {
				if s.index < len(f.values) {
					n.Sysctls = append(n.Sysctls, state.Sysctl{Key: linkKey(f.family, l.Name, s.name), Value: fmt.Sprint(f.values[s.index])})
				}
			}
		}
		l.IPv4, l.IPv6 = nil, nil
	}
	slices.SortFunc(n.Sysctls, state.Sysctl.Compare)
}

// serve lets the nodes that have services listen on the ports that checks ask for, and on those that
// are published or that another node sends on to them.
func serve(s *state.Snapshot, x *topo.Expanded) {
	listen := func(node, proto string, port uint16) {
		info := x.Node(node)
		serves := slices.ContainsFunc(x.Services, func(v topo.ServiceInfo) bool { return v.Node == node })
		if info == nil || !serves || port == 0 {
			return
		}
		n := s.Namespace(info.NS)
		if n == nil {
			return
		}
		sock := state.Socket{Protocol: proto, State: "LISTEN", IPv6: true, Local: netip.AddrPortFrom(netip.IPv6Unspecified(), port)}
		if proto == "udp" {
			sock.State = "UNCONN"
		}
		if !slices.ContainsFunc(n.Sockets, func(o state.Socket) bool { return o.Protocol == proto && o.Local.Port() == port }) {
			n.Sockets = append(n.Sockets, sock)
		}
	}
	for _, c := range x.Checks {
		proto := c.Verb
		if proto == "http" {
			proto = "tcp"
		}
		if proto != "tcp" && proto != "udp" || !c.Can {
			continue
		}
		for _, a := range aims(x, c) {
			port := c.Target.Port
			if c.Verb == "http" && port == 0 {
				port = 80
			}
			listen(a.to, proto, port)
		}
	}
	for _, p := range x.Publishes {
		listen(p.Node, p.Proto, p.To.Port())
	}
	for _, n := range x.Source.Nodes {
		for _, d := range n.DNAT {
			for port := int(d.ToPorts.First); port <= int(d.ToPorts.Last); port++ {
				listen(d.Node, cmp.Or(d.Proto, "tcp"), uint16(port))
			}
		}
	}
}
