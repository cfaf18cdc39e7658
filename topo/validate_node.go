package topo

import (
	"slices"
	"strings"

	"warren/state"
)

func (v *validator) node(n *Node) {
	path := "/nodes/" + n.Name
	at := func(more string) Pos { return v.l.at(path + more) }
	ifs := map[string]string{}
	for _, net := range v.on[n.Name] {
		name := net.member.If
		where := func() Pos { return v.l.at("/nets/" + net.Name + "/" + n.Name) }
		if err := state.CheckLinkName(name); err != nil {
			v.add(where(), "", "interface of %s on %s: %w", n.Name, net.Name, err)
		} else if name == "lo" || name == "all" || name == "default" || strings.Contains(name, "%") {
			v.add(where(), "", "interface of %s on %s: %q is reserved", n.Name, net.Name, name)
		}
		if other := ifs[name]; other != "" && other != net.Name {
			v.add(where(), "", "node %s has two interfaces called %s, on %s and %s", n.Name, name, other, net.Name)
		}
		ifs[name] = net.Name
	}
	for i, x := range n.NAT {
		if v.ownNet(at(itemPath("/nat", i)), n, "nat", x.To) && !*n.Forward {
			v.add(at(itemPath("/nat", i)), "forward: true", "nat of %s: it does not forward", n.Name)
		}
		for _, y := range n.NAT[:i] {
			if y.To == x.To && (!x.Addr.IsValid() || !y.Addr.IsValid() || x.Addr.Is4() == y.Addr.Is4()) {
				v.add(at(itemPath("/nat", i)), "", "nat of %s: net %s is there twice", n.Name, x.To)
			}
		}
	}
	v.dnats(n, at)
	for i, p := range n.Publish {
		if p.Host.First == 0 || p.Node.First == 0 || p.Host.Len() != p.Node.Len() || p.Host.Len() < 1 {
			v.add(at(itemPath("/publish", i)), "", "publish of %s: %s is not HOSTPORTS:PORTS of the same number", n.Name, p)
		}
		if !slices.ContainsFunc(v.on[n.Name], func(x attached) bool { return x.Uplink != nil }) {
			v.add(at(itemPath("/publish", i)), "uplink: true at one of its nets", "publish of %s: it is on no net with an uplink", n.Name)
		}
	}
	v.policy(n, at, "forward", n.Through)
	v.policy(n, at, "in", n.In)
	v.policy(n, at, "out", n.Out)
	if !n.Through.IsZero() && !*n.Forward {
		v.add(at(firstOf(n.Through.Strict, "/allow", "/deny")), "forward: true, or in and out for the node itself", "node %s does not forward, so there is nothing to allow or deny", n.Name)
	}
	v.routes(n, at)
	v.services(n, at)
	for _, s := range n.Sysctl {
		if key, err := keySysctl(s.Key); err != nil || key != s.Key {
			v.add(at("/sysctl/"+s.Key), "", "node %s: sysctl %q is not a net/ key", n.Name, s.Key)
		}
		own := s.Key == "net/ipv4/ip_forward" || s.Key == "net/ipv6/conf/all/forwarding"
		if own {
			v.add(at("/sysctl/"+s.Key), "forward: true or false", "node %s: sysctl %s is what forward sets", n.Name, s.Key)
		}
	}
	if n.Netns != "" {
		v.foreign(n, at)
	}
	for _, h := range n.Hosts {
		if !isHostName(h.Name) || len(h.Addr) == 0 {
			v.add(at("/hosts/"+h.Name), "", "node %s: hosts: %q needs a name and an address", n.Name, h.Name)
		}
	}
}

func firstOf(cond bool, a, b string) string {
	if cond {
		return a
	}
	return b
}

// foreign: two nodes cannot be one existing namespace.
func (v *validator) foreign(n *Node, at func(string) Pos) {
	for i := range v.l.Nodes {
		o := &v.l.Nodes[i]
		if o.Name == n.Name {
			return
		}
		if o.Netns == n.Netns {
			v.add(at("/netns"), "", "node %s: %s is node %s already", n.Name, n.Netns, o.Name)
		}
	}
}

func (v *validator) dnats(n *Node, at func(string) Pos) {
	for i, d := range n.DNAT {
		where := at(itemPath("/dnat", i))
		v.ownNet(where, n, "dnat", d.On)
		switch {
		case d.Node != "" && v.nodes[d.Node] == nil:
			v.unknownNode(where, "dnat of "+n.Name, d.Node)
		case d.Node != "" && len(v.on[d.Node]) == 0:
			v.add(where, "", "dnat of %s: %s is on no net", n.Name, d.Node)
		case d.Node == "" && !d.Addr.IsValid():
			v.add(where, "", "dnat of %s: no target", n.Name)
		}
		if d.Ports.First == 0 || d.Ports.Len() != d.ToPorts.Len() || d.Ports.Len() < 1 {
			v.add(where, "", "dnat of %s: %s: the ranges differ in length", n.Name, d)
		}
		if !*n.Forward {
			v.add(where, "forward: true", "dnat of %s: it does not forward", n.Name)
		}
		for _, e := range n.DNAT[:i] {
			if e.On == d.On && e.Proto == d.Proto && e.Ports.overlaps(d.Ports) && (e.Node != "" || d.Node != "" || e.Addr.Is4() == d.Addr.Is4()) {
				v.add(where, "", "dnat of %s: %s clashes with %s", n.Name, d, e)
				break
			}
		}
	}
}

func (v *validator) policy(n *Node, at func(string) Pos, word string, p Policy) {
	each := func(key string, flows []Flow) {
		for i, f := range flows {
			where := at("/" + key + "/" + word)
			if word == "forward" {
				where = at(itemPath("/"+key, i))
			}
			if x := at(itemPath("/"+key+"/"+word, i)); x != at("/"+key+"/"+word) {
				where = x
			}
			if key == "allow" && word != "forward" {
				if x := at(itemPath("/"+word, i)); x != at("/"+word) {
					where = x
				}
			}
			v.place(where, key+" of "+n.Name, f.From)
			v.place(where, key+" of "+n.Name, f.To)
			if !f.Ports.IsZero() && f.Proto != "tcp" && f.Proto != "udp" {
				v.add(where, "", "%s of %s: ports need tcp or udp", key, n.Name)
			}
		}
	}
	each("allow", p.Allow)
	each("deny", p.Deny)
}

func (v *validator) routes(n *Node, at func(string) Pos) {
	for i, r := range n.Routes.List {
		where := at(itemPath("/routes", i))
		what := "route of " + n.Name
		if r.Dev != "" && !v.ownNet(where, n, what, r.Dev) {
			continue
		}
		if r.To != "" {
			v.place(where, what, Place{Name: r.To})
		}
		if r.ViaNode == "host" {
			if !slices.ContainsFunc(v.on[n.Name], func(x attached) bool { return x.Uplink != nil && (r.Dev == "" || r.Dev == x.Name) }) {
				v.add(where, "", "%s: the host is on none of its nets", what)
			}
		} else if r.ViaNode != "" {
			switch {
			case v.nodes[r.ViaNode] == nil:
				v.unknownNode(where, what, r.ViaNode)
			case r.ViaNode == n.Name:
				v.add(where, "", "%s: %s cannot be its own gateway", what, n.Name)
			case !slices.ContainsFunc(v.on[n.Name], func(x attached) bool {
				return (r.Dev == "" || r.Dev == x.Name) && v.isOn(r.ViaNode, x.Name)
			}):
				v.add(where, "a gateway is on a net of the node", "%s: %s cannot be reached: no net has both", what, r.ViaNode)
			}
		}
		if r.Via.IsValid() && !r.OnLink {
			fixed, inside := true, false
			for _, x := range v.on[n.Name] {
				if r.Dev != "" && r.Dev != x.Name {
					continue
				}
				c := prefixFor(x.CIDR, r.Via)
				fixed = fixed && len(x.CIDR) > 0
				inside = inside || c.IsValid() && c.Contains(r.Via)
			}
			if fixed && !inside {
				v.add(where, "onlink, or a gateway on a net of the node", "%s: gateway %s is on none of its nets", what, r.Via)
			}
		}
	}
}

func (v *validator) services(n *Node, at func(string) Pos) {
	seen := map[string]bool{}
	for _, s := range n.Services {
		where := at("/services/" + s.Name)
		if err := state.CheckLabName(s.Name); err != nil {
			v.add(where, "", "service of %s: %w", n.Name, err)
		}
		if seen[s.Name] {
			v.add(where, "", "node %s has two services called %s", n.Name, s.Name)
		}
		seen[s.Name] = true
		if len(s.Cmd.Args()) == 0 {
			v.add(where, "cmd: COMMAND", "service %s of %s has no cmd", s.Name, n.Name)
		}
		for i, a := range s.After {
			pos := at(itemPath("/services/"+s.Name+"/after", i))
			if s.Name == "run" {
				if x := at(itemPath("/after", i)); x != at("") {
					pos = x
				}
			}
			if _, ok := v.after(n, s, a); !ok {
				hint := ""
				if c := nearest(a, v.names); c != "" {
					hint = "did you mean " + c + "?"
				}
				v.add(pos, hint, "service %s of %s: after %s, which is no service and no node with services", s.Name, n.Name, a)
			}
		}
	}
}

// after finds the services that a name stands for, as NODE/SERVICE.
func (v *validator) after(n *Node, s Service, name string) ([]string, bool) {
	return afterKeys(v.nodes, n, s, name)
}

func afterKeys(nodes map[string]*Node, n *Node, s Service, name string) ([]string, bool) {
	has := func(node *Node, service string) bool {
		return node != nil && slices.ContainsFunc(node.Services, func(x Service) bool { return x.Name == service })
	}
	if node, service, ok := strings.Cut(name, "/"); ok {
		return []string{name}, has(nodes[node], service)
	}
	if name != s.Name && has(n, name) {
		return []string{n.Name + "/" + name}, true
	}
	o := nodes[name]
	if o == nil || len(o.Services) == 0 {
		return nil, false
	}
	var out []string
	for _, x := range o.Services {
		if o == n && x.Name == s.Name {
			continue
		}
		out = append(out, o.Name+"/"+x.Name)
	}
	return out, len(out) > 0
}

// cycles finds services that wait for each other.
func (v *validator) cycles() {
	waits := map[string][]string{}
	var keys []string
	for i := range v.l.Nodes {
		n := &v.l.Nodes[i]
		for _, s := range n.Services {
			key := n.Name + "/" + s.Name
			keys = append(keys, key)
			for _, a := range s.After {
				on, _ := v.after(n, s, a)
				waits[key] = append(waits[key], on...)
			}
		}
	}
	const (
		fresh = iota
		open
		done
	)
	mark := map[string]int{}
	var path []string
	var visit func(string) bool
	visit = func(key string) bool {
		switch mark[key] {
		case done:
			return false
		case open:
			i := slices.Index(path, key)
			node, name, _ := strings.Cut(key, "/")
			v.add(v.l.at("/nodes/"+node+"/services/"+name), "", "services wait for each other: %s -> %s", strings.Join(path[i:], " -> "), key)
			return true
		}
		mark[key] = open
		path = append(path, key)
		if slices.ContainsFunc(waits[key], visit) {
			return true
		}
		path = path[:len(path)-1]
		mark[key] = done
		return false
	}
	_ = slices.ContainsFunc(keys, visit) // the first circle is enough
}

func (v *validator) check(c *Check) {
	what := "check"
	if c.From != "all" && c.From != "host" {
		v.place(c.Pos, what, Place{Name: c.From})
	}
	if c.On != "" && v.nets[c.On] == nil {
		v.unknownNet(c.Pos, what, c.On)
		return
	}
	if c.Via != "" && v.nodes[c.Via] == nil {
		v.unknownNode(c.Pos, what, c.Via)
	}
	t := c.Target
	if c.Verb == "dns" || t.Name == "" || c.Verb == "http" && strings.Contains(t.Name, ".") {
		return
	}
	name, net, dotted := strings.Cut(t.Name, ".")
	switch {
	case dotted && v.nets[net] == nil:
		v.unknownNet(c.Pos, what, net)
	case name == "host":
		if !slices.ContainsFunc(v.l.Nets, func(n Net) bool { return n.Uplink != nil }) {
			v.add(c.Pos, "uplink: true", "check: nothing reaches the host without an uplink")
		}
	case v.nodes[name] == nil:
		v.unknownNode(c.Pos, what, name)
	case len(v.on[name]) == 0:
		v.add(c.Pos, "", "check: %s is on no net, so it has no address", name)
	case dotted && !v.isOn(name, net):
		v.add(c.Pos, "", "check: %s is not on net %s", name, net)
	case c.On != "" && !v.isOn(name, c.On):
		v.add(c.Pos, "", "check: %s is not on net %s", name, c.On)
	}
}
