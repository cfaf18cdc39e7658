package warren

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"warren/internal/lab"
	"warren/internal/probe"
	"warren/netns"
	"warren/state"
	"warren/topo"
)

// An aim is one probe of a check: from a node to a node, or to what else the check names.
type aim struct {
	from string
	to   string     // node, "" when the check names an address, a URL or a name to look up
	addr netip.Addr // of the node, or as the check names it
	err  string     // why there is none
}

// aims lists the probes that a check stands for, in order of nodes.
func aims(x *topo.Expanded, c topo.Check) []aim {
	var out []aim
	for _, from := range members(x, c.From, c.On) {
		switch {
		case c.Target.All:
			for _, to := range members(x, "all", c.On) {
				if to != from {
					out = append(out, aimAt(x, c, from, to))
				}
			}
		case c.Target.Addr.IsValid():
			out = append(out, aim{from: from, addr: c.Target.Addr})
		case c.Target.URL != "" || c.Verb == "dns":
			out = append(out, aim{from: from})
		default:
			if to := c.Target.Name; to != from || c.From == to {
				out = append(out, aimAt(x, c, from, to))
			}
		}
	}
	return out
}

// members are the nodes that a name stands for: a node, "all", or a net. On narrows it to a net's members.
func members(x *topo.Expanded, name, on string) []string {
	var list []string
	switch net := netOf(x, name); {
	case name == "all" && on != "":
		list = membersOf(x, on)
	case name == "all":
		for _, n := range x.Nodes {
			list = append(list, n.Name)
		}
	case net != nil && x.Node(name) == nil:
		list = membersOf(x, name)
	default:
		return []string{name}
	}
	return slices.DeleteFunc(list, func(n string) bool { return n == state.HostNS })
}

func netOf(x *topo.Expanded, name string) *topo.NetInfo {
	for i := range x.Nets {
		if x.Nets[i].Name == name {
			return &x.Nets[i]
		}
	}
	return nil
}

func membersOf(x *topo.Expanded, net string) []string {
	if n := netOf(x, net); n != nil {
		return slices.Clone(n.Members)
	}
	return nil
}

// aimAt chooses the address of the target: on the check's net, or on one that both are on, or its first.
func aimAt(x *topo.Expanded, c topo.Check, from, to string) aim {
	addr, ok := x.AddrOf(from, to, c.On, c.Over)
	if !ok {
		return aim{from: from, to: to, err: fmt.Sprintf("%s has no such address", to)}
	}
	return aim{from: from, to: to, addr: addr}
}

// nodeAddrs lists a node's addresses; the host's are those of the uplinks' gateways.
func nodeAddrs(x *topo.Expanded, node string) []netip.Addr {
	var out []netip.Addr
	if n := x.Node(node); n != nil {
		for _, a := range n.Addrs {
			out = append(out, a.Prefix.Addr())
		}
	}
	if node == state.HostNS {
		for _, u := range x.Uplinks {
			out = append(out, u.Gateways...)
		}
	}
	return out
}

// text names one of a check's probes.
func (a aim) text(c topo.Check) string {
	to := a.to
	if to == "" {
		return a.from + " " + c.Verb + " " + c.Target.String()
	}
	return a.from + " " + c.Verb + " " + to
}

// probe sends the packets of one aim.
func (a aim) probe(ctx context.Context, x *topo.Expanded, dir lab.Dir, h *netns.Handle, c topo.Check) probe.Result {
	o := probe.Options{Timeout: c.Within}
	if a.err != "" {
		return probe.Result{Code: probe.Failed, Detail: a.err}
	}
	if c.Via != "" && a.addr.IsValid() {
		if r := probe.Via(ctx, h, a.addr, nodeAddrs(x, c.Via), o); !r.OK || c.Verb == "ping" {
			return r
		}
	}
	return probe.Anew(func() probe.Result { return a.send(ctx, x, dir, h, c, o) })
}

// send sends the packets of a check that names no way.
func (a aim) send(ctx context.Context, x *topo.Expanded, dir lab.Dir, h *netns.Handle, c topo.Check, o probe.Options) probe.Result {
	switch c.Verb {
	case "ping":
		return probe.Ping(ctx, h, a.addr, o)
	case "tcp":
		return probe.TCP(ctx, h, netip.AddrPortFrom(a.addr, c.Target.Port), o)
	case "udp":
		return probe.UDP(ctx, h, netip.AddrPortFrom(a.addr, c.Target.Port), o)
	case "mtu":
		return probe.MTU(ctx, h, a.addr, int(c.MTU), o)
	case "http":
		names := hostsFor(x, a.from)
		return probe.HTTP(ctx, h, probe.HTTPTarget{
			URL: c.Target.URL, Addr: a.addr, Port: c.Target.Port, Path: c.Target.Path, Host: a.to,
			Resolve: func(name string) []netip.Addr { return names[name] },
		}, o)
	case "dns":
		return lookUp(ctx, x, dir, h, a.from, c, o)
	default:
		panic("check with unknown verb " + c.Verb)
	}
}

// lookUp does what a program in the node would: the hosts file first, then the node's resolvers, with real queries.
func lookUp(ctx context.Context, x *topo.Expanded, dir lab.Dir, h *netns.Handle, node string, c topo.Check, o probe.Options) probe.Result {
	name := c.Target.Name
	if found := hostsFor(x, node)[name]; len(found) > 0 {
		return probe.Result{OK: true, Code: probe.OK, Detail: fmt.Sprintf("%s is %s, says the hosts file", name, found[0])}
	}
	r := probe.Result{Code: probe.Unreachable, Detail: fmt.Sprintf("%s is not in the hosts file, and %s has no resolver", name, node)}
	for _, server := range resolversFor(dir, node) {
		if r = probe.DNS(ctx, h, probe.DNSQuery{Server: server, Name: name}, o); r.OK {
			break
		}
	}
	return r
}
