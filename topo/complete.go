package topo

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"

	"warren/ipam"
	"warren/state"
)

// DefaultMTU is a net's MTU in bytes where nothing else is said.
const DefaultMTU uint32 = 1500

// DefaultLab is the lab that commands such as run and add edit: members come and go, so its nets are never pairs. DefaultNet
// is its net with the way out, a name that no other lab may use: an interface cannot be called so, for
// /proc/sys/net/ipv4/conf/default is something else.
const (
	DefaultLab = "default"
	DefaultNet = "default"
)

// defaultIf is the name of the interfaces on DefaultNet.
const defaultIf = "eth0"

// Complete fills in every default that does not depend on the world (addresses do). It may be called again.
func (l *Lab) Complete() {
	if l.Name == "" {
		l.Name = "lab"
	}
	if l.Defaults.MTU == 0 {
		l.Defaults.MTU = DefaultMTU
	}
	if !l.Defaults.Pool4.IsValid() {
		l.Defaults.Pool4 = netip.PrefixFrom(netip.AddrFrom4([4]byte{10}), 8)
	}
	if !l.Defaults.Pool6.IsValid() {
		l.Defaults.Pool6 = ipam.ULA(l.Name)
	}
	for i := range l.Nets {
		l.completeNet(&l.Nets[i])
	}
	l.completeNodes()
	for i := range l.Checks {
		l.Checks[i].Text = l.Checks[i].String()
	}
}

func (l *Lab) completeNet(n *Net) {
	if n.MTU == 0 {
		n.MTU = l.Defaults.MTU
	}
	if n.IPv6 == nil {
		on := l.Defaults.IPv6
		n.IPv6 = &on
	}
	for _, m := range n.Members {
		for _, ip := range m.IP {
			if !ip.IsSingleIP() && !prefixFor(n.CIDR, ip.Addr()).IsValid() {
				n.CIDR = append(slices.Clone(n.CIDR), ip.Masked())
			}
		}
	}
	slices.SortFunc(n.CIDR, func(a, b netip.Prefix) int { return a.Addr().BitLen() - b.Addr().BitLen() })
	if n.Kind == "" {
		n.Kind = KindBridge
		if len(n.Members) == 2 && n.Uplink == nil && !n.Isolated && !n.STP && l.Name != DefaultLab {
			n.Kind = KindPair
		}
	}
	link := l.linkName(n.Name)
	for j := range n.Members {
		m := &n.Members[j]
		if m.If == "" {
			m.If = link
		}
		if m.MTU == 0 {
			m.MTU = n.MTU
		}
		for k, ip := range m.IP {
			if c := prefixFor(n.CIDR, ip.Addr()); ip.IsSingleIP() && c.IsValid() {
				m.IP[k] = netip.PrefixFrom(ip.Addr(), c.Bits())
			}
		}
	}
}

// linkName is what the members' interfaces on a net are called unless they say otherwise.
func (l *Lab) linkName(net string) string {
	switch {
	case net == DefaultNet:
		return defaultIf
	case state.CheckLinkName(net) != nil:
		return hashName('n', l.Name, net)
	}
	return net
}

// prefixFor is the prefix of an address's family.
func prefixFor(cidr []netip.Prefix, a netip.Addr) netip.Prefix {
	for _, c := range cidr {
		if c.Addr().Is4() == a.Is4() {
			return c
		}
	}
	return netip.Prefix{}
}

// completeNodes brings the nodes into the order of mention and adds those that only a net mentions.
func (l *Lab) completeNodes() {
	described := make(map[string]Node, len(l.Nodes))
	for _, n := range l.Nodes {
		if _, twice := described[n.Name]; !twice {
			described[n.Name] = n
		}
	}
	count := make(map[string]int, len(l.Nodes))
	nodes := make([]Node, 0, len(l.Nodes))
	for i := range l.Nets {
		for _, m := range l.Nets[i].Members {
			if count[m.Node]++; count[m.Node] > 1 {
				continue
			}
			n, ok := described[m.Node]
			if !ok {
				n = Node{Name: m.Node}
			}
			nodes = append(nodes, n)
		}
	}
	seen := map[string]bool{}
	for _, n := range l.Nodes {
		if count[n.Name] == 0 || seen[n.Name] { // a node described twice stays for Validate to see
			nodes = append(nodes, n)
		}
		seen[n.Name] = true
	}
	for i := range nodes {
		nodes[i].complete(count[nodes[i].Name])
	}
	l.Nodes = nodes
	if len(nodes) == 0 {
		l.Nodes = nil
	}
}

func (n *Node) complete(nets int) {
	if n.Forward == nil {
		on := nets > 1 && n.Netns == ""
		n.Forward = &on
	}
	for i := range n.DNAT {
		d := &n.DNAT[i]
		d.Proto = orTCP(d.Proto)
		if d.ToPorts.IsZero() {
			d.ToPorts = d.Ports
		}
	}
	for i := range n.Publish {
		n.Publish[i].Proto = orTCP(n.Publish[i].Proto)
	}
	for _, p := range []*Policy{&n.Through, &n.In, &n.Out} {
		if len(p.Allow) > 0 {
			p.Strict = true
		}
	}
	for i := range n.Services {
		s := &n.Services[i]
		if !s.Ready.IsZero() && s.Ready.Within == 0 {
			s.Ready.Within = defaultReady
		}
		if s.Stop.Signal == "" {
			s.Stop.Signal = "TERM"
		}
		if s.Stop.Within == 0 {
			s.Stop.Within = defaultGrace
		}
	}
}

// hashName is a name for a link that nobody has to type: "w", a letter for its kind, and 48 bits of a hash of what it is
// for. It fits into an interface's 15 bytes.
func hashName(kind byte, parts ...string) string {
	sum := hashOf(parts)
	return "w" + string(kind) + hex.EncodeToString(sum[:6])
}

func hashOf(parts []string) [sha256.Size]byte {
	var buf [256]byte
	b := buf[:0]
	for _, p := range parts {
		b = append(append(b, p...), 0)
	}
	return sha256.Sum256(b)
}

// macOf is the address of a node's interface on a net: locally administered, and the same whenever the lab is made again.
func macOf(lab, node, net string) state.MAC {
	sum := hashOf([]string{"mac", lab, node, net})
	var m state.MAC
	copy(m[:], sum[:])
	m[0] = m[0]&0xfc | 0x02
	return m
}
