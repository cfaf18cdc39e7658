package topo

import (
	"net/netip"
	"slices"
	"strings"

	"warren/state"
)

var (
	loopback4 = netip.PrefixFrom(netip.AddrFrom4([4]byte{127}), 8)
	loopback6 = netip.IPv6Loopback()
)

// uplinks fills the host's namespace: addresses, routes, sysctls, and the elements of its table.
func (e *expander) uplinks(x *Expanded) {
	if e.host == nil {
		return
	}
	h := e.host
	table := HostTable()
	add := func(set string, el state.Element, comment string) {
		s := table.Set(set)
		s.Elements = append(s.Elements, el.WithComment(e.comment(comment)))
	}
	forward4, forward6 := false, false
	for _, w := range e.nets {
		if w.Uplink == nil {
			continue
		}
		e.uplink(w, add)
		forward4, forward6 = forward4 || w.has4(), forward6 || w.has6()
		x.Uplinks = append(x.Uplinks, UplinkInfo{Net: w.Name, Bridge: w.bridge, Prefixes: w.prefixes, Gateways: w.hostAddr, NAT: !w.Uplink.RouteOnly && !w.Internal})
	}
	for _, r := range e.nodes {
		for i, p := range r.Publish {
			e.publish(x, r, p, e.lab.at(itemPath("/nodes/"+r.Name+"/publish", i)), add)
		}
	}
	h.Routes = append(h.Routes, e.hostRoutes...)
	if forward4 {
		h.Sysctls = append(h.Sysctls, state.Sysctl{Key: "net/ipv4/ip_forward", Value: "1"})
	}
	if forward6 {
		h.Sysctls = append(h.Sysctls, state.Sysctl{Key: "net/ipv6/conf/all/forwarding", Value: "1"})
	}
	for i := range table.Sets {
		table.Sets[i].Elements = state.SortElements(table.Sets[i].Elements)
	}
	h.Tables = append(h.Tables, table)
}

// comment says whose an element is. The lab's name always stands whole; the rest is cut to nftables' 127 bytes.
func (e *expander) comment(s string) string {
	s = e.lab.Name + "/" + s
	return s[:min(len(s), 127)]
}

// uplink is the host's side of one net.
func (e *expander) uplink(w *wire, add func(set string, el state.Element, comment string)) {
	h := e.host
	for i, a := range w.hostAddr {
		h.Addrs = append(h.Addrs, addressOf(w.bridge, netip.PrefixFrom(a, w.prefixes[i].Bits())))
	}
	conf := func(link, key, value string) {
		h.Sysctls = append(h.Sysctls, state.Sysctl{Key: "net/ipv6/conf/" + link + "/" + key, Value: value})
	}
	bridges := []string{}
	for i := range h.Links {
		switch l := &h.Links[i]; {
		case l.Kind == "bridge" && e.isBridgeOf(w, l.Name):
			bridges = append(bridges, l.Name)
		case l.Kind == "veth" && e.isBridgeOf(w, l.Master):
			l.NoAddrGen = true // a port needs no address, and would announce it
		}
	}
	for _, b := range bridges {
		if !w.has6() || b != w.bridge {
			conf(b, "disable_ipv6", "1")
			continue
		}
		conf(b, "disable_ipv6", "0")
		conf(b, "accept_dad", "0")
		conf(b, "addr_gen_mode", "1")
		conf(b, "accept_ra", "0")
		conf(b, "router_solicitations", "0")
		h.Addrs = append(h.Addrs, linkLocal(b, h.Link(b).MAC))
	}
	if w.has4() {
		h.Sysctls = append(h.Sysctls, state.Sysctl{Key: "net/ipv4/conf/" + w.bridge + "/route_localnet", Value: "1"})
	}
	name := state.IfnameValue(w.bridge)
	add(SetBridges, state.Elem(name), w.Name)
	if !w.Internal {
		add(SetOpen, state.Elem(name), w.Name)
		if w.Uplink.RouteOnly {
			add(SetRouted, state.Elem(name), w.Name)
		} else {
			add(SetMasquerade, state.Elem(name), w.Name)
		}
	}
	if !w.Isolated {
		add(SetSame, state.Elem(name, name), w.Name)
	}
}

func (e *expander) isBridgeOf(w *wire, name string) bool {
	if name == w.bridge {
		return true
	}
	count := (len(w.plugs) + portsPerBridge - 1) / portsPerBridge
	for i := 1; i < count; i++ {
		if e.bridgeName(w, i) == name {
			return true
		}
	}
	return false
}

// publish makes the elements of one published port or range.
func (e *expander) publish(x *Expanded, r *room, p Publish, at Pos, add func(set string, el state.Element, comment string)) {
	made := 0
	for _, is6 := range []bool{false, true} {
		if p.Addr.IsValid() && p.Addr.Is6() != is6 {
			continue
		}
		to := netip.Addr{}
		for _, q := range r.plugs {
			if a := q.addr(is6); q.wire.Uplink != nil && a.IsValid() {
				to = a
				break
			}
		}
		if !to.IsValid() {
			continue
		}
		made++
		every := !p.Addr.IsValid() || p.Addr.IsUnspecified()
		host := p.Addr
		if every {
			host = netip.IPv4Unspecified()
			if is6 {
				host = netip.IPv6Unspecified()
			}
		}
		one, all, self := MapPublish4, MapPublishAny4, SetSelf4
		if is6 {
			one, all, self = MapPublish6, MapPublishAny6, SetSelf6
		}
		if !slices.ContainsFunc(x.Publishes, func(o PublishInfo) bool { return o.To.Addr() == to }) {
			add(self, state.Elem(state.AddrValue(to), state.AddrValue(to)), r.Name)
		}
		for i := range p.Host.Len() {
			from, port := p.Host.First+uint16(i), p.Node.First+uint16(i) //nolint:gosec // a range ends at 65535
			info := PublishInfo{Node: r.Name, Proto: p.Proto, Host: netip.AddrPortFrom(host, from), To: netip.AddrPortFrom(to, port)}
			comment := r.Name + "/" + strings.TrimSuffix(info.Host.String(), "/") + "/" + p.Proto
			data := []state.Value{state.AddrValue(to), state.PortValue(port)}
			if host == loopback6 {
				info.Proxy = true
				x.Publishes = append(x.Publishes, info)
				continue
			}
			key := []state.Value{state.ProtoValue(p.Proto), state.PortValue(from)}
			if every {
				add(all, state.MapElem(key, data...), comment)
			} else {
				add(one, state.MapElem(append([]state.Value{state.AddrValue(host)}, key...), data...), comment)
			}
			x.Publishes = append(x.Publishes, info)
			if every && is6 {
				info.Host, info.Proxy = netip.AddrPortFrom(loopback6, from), true
				x.Publishes = append(x.Publishes, info)
			}
		}
	}
	if made == 0 {
		e.add(at, "", "publish of %s: %s: the node has no address of this family on a net with an uplink", r.Name, p)
	}
}
