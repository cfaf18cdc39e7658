package contract

import (
	"fmt"
	"net/netip"
	"slices"

	"pgregory.net/rapid"

	"warren/state"
)

// A Lab is a small description from which a [state.Desired] is made, so that random ones make sense: addresses fit to nets,
// gateways are reachable, peers name each other.
type Lab struct {
	Name     string
	Nodes    int
	Nets     []Net
	Uplink   int   // index of the net whose bridge is the host's, -1 = none
	Forward  []int // nodes that forward
	Default  bool  // nodes have a default route by the first member of their first net
	Firewall []int // nodes with a table
	Drop     bool  // what the tables say
	Holes    []int // nodes with a blackhole route
	Rules    []int // nodes with a policy rule
	Static   []int // nodes with a static neighbour
	Publish  []int // nodes with a published port; needs an uplink
	RPFilter []int // nodes with a sysctl of a link
}

// A Net of a Lab.
type Net struct {
	Members  []int // nodes
	Bridge   bool  // also when there are two members
	IPv6     bool
	MTU      uint32
	Isolated bool
	Shift    int // added to every address's last byte
}

// Labs generates labs of that name.
func Labs(name string) *rapid.Generator[Lab] {
	return rapid.Custom(func(t *rapid.T) Lab {
		l := Lab{Name: name, Uplink: -1}
		l.Nodes = rapid.IntRange(1, 4).Draw(t, "nodes")
		some := func(label string) []int {
			return subset(t, l.Nodes, label)
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "nets") {
			n := Net{
				Members: some(fmt.Sprintf("members%d", i)), Bridge: rapid.Bool().Draw(t, "bridge"), IPv6: rapid.Bool().Draw(t, "ipv6"),
				MTU: rapid.SampledFrom([]uint32{0, 0, 1400, 9000}).Draw(t, "mtu"), Isolated: rapid.Bool().Draw(t, "isolated"),
				Shift: rapid.IntRange(0, 1).Draw(t, "shift"),
			}
			l.Nets = append(l.Nets, n)
		}
		if len(l.Nets) > 0 {
			l.Uplink = rapid.IntRange(-1, len(l.Nets)-1).Draw(t, "uplink")
		}
		l.Forward, l.Firewall, l.Holes, l.Rules = some("forward"), some("firewall"), some("holes"), some("rules")
		l.Static, l.Publish, l.RPFilter = some("static"), some("publish"), some("rpfilter")
		l.Default, l.Drop = rapid.Bool().Draw(t, "default"), rapid.Bool().Draw(t, "drop")
		return l
	})
}

func subset(t *rapid.T, n int, label string) []int {
	bits := rapid.IntRange(0, 1<<n-1).Draw(t, label)
	var s []int
	for i := range n {
		if bits&(1<<i) != 0 {
			s = append(s, i)
		}
	}
	return s
}

func (l Lab) node(i int) string { return fmt.Sprintf("%s.n%d", l.Name, i) }

// Desired is the lab as values.
func (l Lab) Desired() state.Desired {
	nodes := make([]state.DesiredNamespace, l.Nodes)
	for i := range nodes {
		nodes[i] = state.DesiredNamespace{Name: l.node(i), Mark: state.Mark{Lab: l.Name, Node: fmt.Sprintf("n%d", i)}}
		nodes[i].Links = []state.Link{{Name: "lo", Up: true}}
		six := slices.ContainsFunc(l.Nets, func(n Net) bool { return n.IPv6 && slices.Contains(n.Members, i) })
		set := func(key, value string) {
			nodes[i].Sysctls = append(nodes[i].Sysctls, state.Sysctl{Key: key, Value: value})
		}
		if six {
			set("net/ipv6/conf/default/accept_dad", "0")
			set("net/ipv6/conf/default/addr_gen_mode", "1")
		}
		if slices.Contains(l.Forward, i) {
			set("net/ipv4/ip_forward", "1")
		}
	}
	host := state.DesiredNamespace{Name: state.HostNS}
	hidden := state.DesiredNamespace{Name: l.Name + ".@switch", Mark: state.Mark{Lab: l.Name, Node: "@switch"}}
	hidden.Sysctls = []state.Sysctl{{Key: "net/ipv6/conf/default/disable_ipv6", Value: "1"}}
	for i, n := range l.Nets {
		if len(n.Members) == 2 && !n.Bridge && i != l.Uplink {
			l.pair(nodes, i, n)
		} else if i == l.Uplink {
			l.bridge(nodes, &host, i, n)
		} else {
			l.bridge(nodes, &hidden, i, n)
		}
	}
	for i := range nodes {
		l.extras(&nodes[i], i)
	}
	d := state.Desired{Lab: l.Name, Namespaces: nodes}
	if len(hidden.Links) > 0 {
		d.Namespaces = append(d.Namespaces, hidden)
	}
	if len(host.Links) > 0 {
		l.publish(&host)
		d.Namespaces = append(d.Namespaces, host)
	}
	d.Sort()
	return d
}

func (l Lab) pair(nodes []state.DesiredNamespace, i int, n Net) {
	a, b := n.Members[0], n.Members[1]
	name := fmt.Sprintf("net%d", i)
	end := func(far int) state.Link {
		return state.Link{Name: name, Kind: "veth", Up: true, MTU: n.MTU, Peer: &state.Peer{NS: l.node(far), Name: name}}
	}
	nodes[a].Links = append(nodes[a].Links, end(b))
	nodes[b].Links = append(nodes[b].Links, end(a))
	l.addresses(&nodes[a], i, n, name, 1)
	l.addresses(&nodes[b], i, n, name, 2)
}

func (l Lab) bridge(nodes []state.DesiredNamespace, at *state.DesiredNamespace, i int, n Net) {
	off := false
	br := fmt.Sprintf("w%sb%d", l.Name, i)
	at.Links = append(at.Links, state.Link{
		Name: br, Kind: "bridge", Up: true, MTU: n.MTU, Group: state.LinkGroup,
		AltNames: []string{fmt.Sprintf("warren.%s.net%d", l.Name, i)}, Bridge: &state.Bridge{STP: &off},
	})
	if at.Name == state.HostNS {
		at.Addrs = append(at.Addrs, state.Addr{Link: br, Prefix: netip.PrefixFrom(l.addr4(i, n, 254), 24), Protocol: state.Protocol})
	}
	for j, m := range n.Members {
		name := fmt.Sprintf("net%d", i)
		port := state.Link{
			Name: fmt.Sprintf("w%sp%d%d", l.Name, i, m), Kind: "veth", Up: true, MTU: n.MTU, Group: state.LinkGroup, Master: br,
			AltNames: []string{fmt.Sprintf("warren.%s.net%d.n%d", l.Name, i, m)}, Peer: &state.Peer{NS: l.node(m), Name: name},
		}
		if n.Isolated {
			port.Port = &state.BridgePort{Isolated: &n.Isolated}
		}
		at.Links = append(at.Links, port)
		nodes[m].Links = append(nodes[m].Links, state.Link{Name: name, Kind: "veth", Up: true, MTU: n.MTU, Peer: &state.Peer{NS: at.Name, Name: port.Name}})
		l.addresses(&nodes[m], i, n, name, j+1)
	}
}

func (l Lab) addr4(i int, n Net, host int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(100 + i), 0, byte(host + n.Shift*(100-host/2))})
}

func (l Lab) addresses(at *state.DesiredNamespace, i int, n Net, link string, host int) {
	at.Addrs = append(at.Addrs, state.Addr{Link: link, Prefix: netip.PrefixFrom(l.addr4(i, n, host), 24), Protocol: state.Protocol})
	if n.IPv6 {
		a := netip.MustParsePrefix(fmt.Sprintf("fd00:%d::%d/64", 100+i, host+n.Shift*100))
		at.Addrs = append(at.Addrs, state.Addr{Link: link, Prefix: a, Flags: state.AddrNoDAD, Protocol: state.Protocol})
	}
}

// extras gives a node what has nothing to do with others.
func (l Lab) extras(n *state.DesiredNamespace, i int) {
	has := func(list []int) bool { return slices.Contains(list, i) }
	if has(l.Firewall) {
		n.Tables = append(n.Tables, *firewall(l.Drop))
	}
	if has(l.Holes) {
		n.Routes = append(n.Routes, *ours("10.66.0.0/16", "", ""))
		n.Routes[len(n.Routes)-1].Type = "blackhole"
	}
	if has(l.Rules) {
		n.Rules = append(n.Rules, state.Rule{Priority: 100, From: netip.MustParsePrefix("10.0.0.0/8"), Table: 77, Protocol: state.Protocol})
	}
	if len(n.Addrs) == 0 {
		return
	}
	first := n.Addrs[0]
	gateway := first.Prefix.Masked().Addr().Next().Next().Next().Next().Next().Next().Next().Next().Next()
	if l.Default {
		n.Routes = append(n.Routes, *ours("0.0.0.0/0", gateway.String(), first.Link))
	}
	if has(l.Static) {
		n.Neighbors = append(n.Neighbors, state.Neighbor{Link: first.Link, IP: gateway, MAC: state.MAC{2, 0, 0, 0, 0, 9}, State: "permanent", Protocol: state.Protocol})
	}
	if has(l.RPFilter) {
		n.Sysctls = append(n.Sysctls, state.Sysctl{Key: "net/ipv4/conf/" + first.Link + "/proxy_arp", Value: "1"})
	}
}

// publish gives the host the shared table, with an element for each published port.
func (l Lab) publish(host *state.DesiredNamespace) {
	t := *firewall(false)
	t.Comment = ""
	t.Sets = slices.Clone(t.Sets)
	for _, i := range l.Publish {
		t.Sets[0].Elements = append(t.Sets[0].Elements, published(uint16(8000+i), "10.100.0.1", fmt.Sprintf("%s/n%d", l.Name, i), 80))
	}
	if len(l.Publish) > 0 {
		host.Tables = append(host.Tables, t)
	}
}
