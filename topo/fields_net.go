package topo

import (
	"net/netip"
	"slices"
	"strconv"

	"warren/state"
)

// labFields are the keys of the top level.
func labFields() object[Lab] {
	return object[Lab]{"the lab file", []field[Lab]{
		{name: "name", doc: "the lab's name; by default the name of the file's folder", holds: textSchema(namePattern), read: func(r *reader, l *Lab, v *tree, _ string) {
			if s, ok := r.text(v, "name"); ok {
				l.Name = s
				if err := state.CheckLabName(s); err != nil {
					r.fail(v.pos, "", "name of lab: %w", err)
				}
			}
		}},
		{name: "defaults", doc: "what holds where nothing else is said", holds: defaultFields().schema(), read: func(r *reader, l *Lab, v *tree, path string) {
			defaultFields().read(r, &l.Defaults, v, path)
		}},
		{name: "nets", doc: "layer-2 segments: name -> list of nodes, or a map", holds: mapOf(anyOf(netFields().schema(), memberArray(), textSchema(""))), read: readNets},
		{name: "links", doc: "point-to-point nets: a -- b", holds: listOf(anyOf(textSchema(""), mapOf(linkFields().schema()))), read: readLinks},
		{name: "nodes", doc: "name -> what the node is and does; h[1-50] stands for fifty", holds: mapOf(nodeFields().schema()), read: readNodes},
		{name: "checks", doc: "what must hold, as in: c1 can ping c2", holds: listOf(textSchema("")), read: readChecks},
		{name: "faults", later: true},
	}}
}

func defaultFields() object[Defaults] {
	return object[Defaults]{"defaults", []field[Defaults]{
		{name: "mtu", doc: "of every net, bytes", holds: mtuSchema(), read: func(r *reader, d *Defaults, v *tree, _ string) {
			d.MTU, _ = parsed(r, v, "mtu", parseMTU)
		}},
		{name: "ipv6", doc: "true: every net gets a /64", holds: boolSchema(), read: func(r *reader, d *Defaults, v *tree, _ string) {
			d.IPv6, _ = r.boolean(v, "ipv6")
		}},
		{name: "pool4", doc: "automatic IPv4 prefixes come from here", holds: textSchema(""), read: func(r *reader, d *Defaults, v *tree, _ string) {
			if p, ok := parsed(r, v, "pool4", parseCIDR); ok {
				if d.Pool4 = p; !p.Addr().Is4() || p.Bits() > 24 {
					r.fail(v.pos, "", "pool4: %s is not an IPv4 prefix of length 24 or less", p)
				}
			}
		}},
		{name: "pool6", doc: "automatic IPv6 prefixes come from here", holds: textSchema(""), read: func(r *reader, d *Defaults, v *tree, _ string) {
			if p, ok := parsed(r, v, "pool6", parseCIDR); ok {
				if d.Pool6 = p; !p.Addr().Is6() || p.Bits() > 64 {
					r.fail(v.pos, "", "pool6: %s is not an IPv6 prefix of length 64 or less", p)
				}
			}
		}},
	}}
}

func parseMTU(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n < 68 || n > 65535 {
		return 0, errText("%q is not an MTU (68 to 65535 bytes)", s)
	}
	return uint32(n), nil
}

// netFields are the keys of a net.
func netFields() object[Net] {
	return object[Net]{"a net", []field[Net]{
		{name: "nodes", doc: "the members", holds: memberList(), read: func(r *reader, n *Net, v *tree, path string) {
			r.members4(n, v)
		}},
		{name: "cidr", doc: "one or two prefixes, or auto: the next free ones", holds: listOrOne(textSchema("")), read: readCIDR},
		{name: "ipv6", doc: "true: a /64 where cidr has no IPv6 prefix", holds: boolSchema(), read: func(r *reader, n *Net, v *tree, _ string) {
			if b, ok := r.boolean(v, "ipv6"); ok {
				n.IPv6 = &b
			}
		}},
		{name: "uplink", doc: "the host is the gateway, forwards and masquerades; {nat: false} routes only", holds: anyOf(boolSchema(), uplinkFields().schema()), read: func(r *reader, n *Net, v *tree, path string) {
			if v.kind == treeMap {
				n.Uplink = &Uplink{}
				uplinkFields().read(r, n.Uplink, v, path)
				return
			}
			if on, _ := r.boolean(v, "uplink"); on {
				n.Uplink = &Uplink{}
			}
		}},
		{name: "isolated", doc: "members reach the gateway, not each other", holds: boolSchema(), read: func(r *reader, n *Net, v *tree, _ string) {
			n.Isolated, _ = r.boolean(v, "isolated")
		}},
		{name: "internal", doc: "no way out although a router is there", holds: boolSchema(), read: func(r *reader, n *Net, v *tree, _ string) {
			n.Internal, _ = r.boolean(v, "internal")
		}},
		{name: "mtu", doc: "bytes", holds: mtuSchema(), read: func(r *reader, n *Net, v *tree, _ string) {
			n.MTU, _ = parsed(r, v, "mtu", parseMTU)
		}},
		{name: "kind", doc: "pair or bridge; by default a pair for two members where possible", holds: schema{"enum": []any{KindPair, KindBridge}}, read: func(r *reader, n *Net, v *tree, _ string) {
			s, ok := r.text(v, "kind")
			switch {
			case !ok:
			case s == KindPair || s == KindBridge:
				n.Kind = s
			case s == "macvlan" || s == "ipvlan" || s == "vxlan":
				r.add(v.pos, "", "kind %s: not supported yet", s)
			default:
				r.fail(v.pos, "pair, bridge", "%q is not a kind of net", s)
			}
		}},
		{name: "stp", doc: "spanning tree on the bridge", holds: boolSchema(), read: func(r *reader, n *Net, v *tree, _ string) {
			n.STP, _ = r.boolean(v, "stp")
		}},
		{name: "gateway", doc: "default gateway of the net's hosts: a node, one or two addresses, none, or auto", holds: listOrOne(textSchema("")), read: readGateway},
		{name: "dns", doc: "false: addresses on this net have no names", holds: boolSchema(), read: func(r *reader, n *Net, v *tree, _ string) {
			if on, ok := r.boolean(v, "dns"); ok {
				n.NoDNS = !on
			}
		}},
		{name: "link", later: true},
		{name: "vlan", later: true},
		{name: "parent", later: true},
		{name: "id", later: true},
		{name: "peers", later: true},
		{name: "port", later: true},
	}}
}

// linkFields are the keys of a link: a net's, whose members stand in A -- B.
func linkFields() object[Net] {
	o := netFields()
	o.what = "a link"
	o.fields = slices.DeleteFunc(o.fields, func(f field[Net]) bool { return f.name == "nodes" })
	o.fields = append(o.fields, field[Net]{name: "name", doc: "the net's name; by default A-B", holds: textSchema(namePattern), read: func(*reader, *Net, *tree, string) {
		// read before everything else: the name decides where all of it stands
	}})
	return o
}

func uplinkFields() object[Uplink] {
	return object[Uplink]{"uplink", []field[Uplink]{
		{name: "nat", doc: "false: forward without masquerading", holds: boolSchema(), read: func(r *reader, u *Uplink, v *tree, _ string) {
			if on, ok := r.boolean(v, "nat"); ok {
				u.RouteOnly = !on
			}
		}},
	}}
}

// memberFields are the keys of a member.
func memberFields() object[Member] {
	return object[Member]{"a member", []field[Member]{
		{name: "ip", doc: "one or more addresses, or auto", holds: listOrOne(textSchema("")), read: func(r *reader, m *Member, v *tree, _ string) {
			m.IP = r.addresses(v)
		}},
		{name: "mac", doc: "as in 02:00:5e:00:53:01", holds: textSchema(""), read: func(r *reader, m *Member, v *tree, _ string) {
			mac, ok := parsed(r, v, "mac", state.ParseMAC)
			if ok && (mac.IsZero() || mac.IsMulticast()) {
				r.fail(v.pos, "the second digit is even, as in 02:...", "mac: no interface may have the address %s", v.text)
			}
			m.MAC = mac
		}},
		{name: "if", doc: "name of the interface in the node; by default the net's", holds: textSchema(""), read: func(r *reader, m *Member, v *tree, _ string) {
			if s, ok := r.text(v, "if"); ok {
				m.If = s
			}
		}},
		{name: "mtu", doc: "bytes", holds: mtuSchema(), read: func(r *reader, m *Member, v *tree, _ string) {
			m.MTU, _ = parsed(r, v, "mtu", parseMTU)
		}},
		{name: "delay", later: true},
		{name: "loss", later: true},
		{name: "duplicate", later: true},
		{name: "reorder", later: true},
		{name: "corrupt", later: true},
		{name: "rate", later: true},
		{name: "burst", later: true},
		{name: "limit", later: true},
		{name: "down", later: true},
		{name: "to", later: true},
		{name: "from", later: true},
	}}
}

// addresses reads one address or a list; auto means none.
func (r *reader) addresses(v *tree) []netip.Prefix {
	var out []netip.Prefix
	for _, x := range r.items(v) {
		if x.kind == treeScalar && x.text == "auto" {
			continue
		}
		if p, ok := parsed(r, x, "address", parseInterface); ok {
			out = append(out, p)
		}
	}
	return out
}

func readCIDR(r *reader, n *Net, v *tree, _ string) {
	for _, x := range r.items(v) {
		if x.kind == treeScalar && x.text == "auto" {
			continue
		}
		p, ok := parsed(r, x, "cidr", parseCIDR)
		if !ok {
			continue
		}
		for _, q := range n.CIDR {
			if q.Addr().Is4() == p.Addr().Is4() {
				r.fail(x.pos, "one IPv4 and one IPv6 prefix make a net", "net %s has two prefixes of one family: %s and %s", n.Name, q, p)
				return
			}
		}
		n.CIDR = append(n.CIDR, p)
	}
}

func readGateway(r *reader, n *Net, v *tree, _ string) {
	for _, x := range r.items(v) {
		s, ok := r.text(x, "gateway")
		if !ok {
			return
		}
		a, err := parseAddr(s)
		switch {
		case s == "auto":
		case s == "none":
			n.Gateway.None = true
		case err == nil:
			for _, b := range n.Gateway.Addr {
				if a.Is4() == b.Is4() {
					r.fail(x.pos, "", "gateway: two addresses of one family")
					return
				}
			}
			n.Gateway.Addr = append(n.Gateway.Addr, a)
		case checkNodeName(s) == nil && n.Gateway.Node == "":
			n.Gateway.Node = s
		default:
			r.fail(x.pos, "", "gateway: %q is not a node, an address, none or auto", s)
			return
		}
	}
	if g := n.Gateway; g.None && (g.Node != "" || len(g.Addr) > 0) || g.Node != "" && len(g.Addr) > 0 {
		r.fail(v.pos, "", "gateway is a node, or addresses, or none")
	}
}
