package rtnl_test

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"warren/internal/rtnl"
	"warren/state"
)

// table is a namespace with three links; other indexes have no name.
func table() *rtnl.NameTable {
	t := &rtnl.NameTable{}
	t.Set(1, "lo")
	t.Set(2, "eth0")
	t.Set(3, "br0")
	return t
}

func opt[T any](g *rapid.Generator[T]) *rapid.Generator[T] {
	return rapid.Custom(func(t *rapid.T) T {
		var zero T
		if rapid.Bool().Draw(t, "set") {
			return g.Draw(t, "v")
		}
		return zero
	})
}

func optPtr[T any](g *rapid.Generator[T]) *rapid.Generator[*T] {
	return opt(rapid.Custom(func(t *rapid.T) *T { return new(g.Draw(t, "p")) }))
}

var (
	flag  = optPtr(rapid.Bool())
	num   = opt(rapid.Uint32())
	short = opt(rapid.Uint16())
	tiny  = opt(rapid.Uint8())
	word  = rapid.StringMatching(`[a-z][a-z0-9.-]{0,14}`)
	link  = rapid.SampledFrom([]string{"lo", "eth0", "br0", "if4", "if2147483647"})
)

var mac = rapid.Custom(func(t *rapid.T) state.MAC {
	return state.MAC(rapid.SliceOfN(rapid.Byte(), 6, 6).Draw(t, "mac"))
})

func ip(v6 bool) *rapid.Generator[netip.Addr] {
	n := 4
	if v6 {
		n = 16
	}
	return rapid.Custom(func(t *rapid.T) netip.Addr {
		a, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "ip"))
		return a
	})
}

var anyIP = rapid.Custom(func(t *rapid.T) netip.Addr { return ip(rapid.Bool().Draw(t, "v6")).Draw(t, "ip") })

func prefix(v6 bool) *rapid.Generator[netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) netip.Prefix {
		a := ip(v6).Draw(t, "a")
		return netip.PrefixFrom(a, rapid.IntRange(0, a.BitLen()).Draw(t, "bits"))
	})
}

// peer is at NSID -1 with a name, or elsewhere without one.
var peer = rapid.Custom(func(t *rapid.T) *state.Peer {
	p := &state.Peer{Index: rapid.IntRange(1, 5).Draw(t, "index"), NSID: rapid.IntRange(-1, 3).Draw(t, "nsid")}
	if p.NSID < 0 {
		n, ok := table().Name(p.Index)
		if !ok {
			n = "if" + strconv.Itoa(p.Index)
		}
		p.Name = n
	}
	return p
})

var anyLink = rapid.Custom(func(t *rapid.T) state.Link {
	l := state.Link{
		Name: word.Draw(t, "name"), Index: rapid.IntRange(1, 1<<31-1).Draw(t, "index"),
		Kind:      rapid.SampledFrom([]string{"", "veth", "bridge", "vxlan", "macvlan", "macvtap", "ipvlan", "vlan", "tun", "dummy", "ifb"}).Draw(t, "kind"),
		Flags:     rapid.Uint32().Draw(t, "flags"),
		OperState: opt(rapid.SampledFrom([]string{"UNKNOWN", "DOWN", "LOWERLAYERDOWN", "UP", "77"})).Draw(t, "operstate"),
		MTU:       num.Draw(t, "mtu"), MAC: opt(mac).Draw(t, "mac"), TxQueueLen: num.Draw(t, "txqlen"), Group: num.Draw(t, "group"), Promiscuity: num.Draw(t, "promiscuity"),
		Alias: opt(word).Draw(t, "alias"), Master: opt(link).Draw(t, "master"),
		AltNames: opt(rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z.]{16,127}`), 1, 4, rapid.ID)).Draw(t, "altnames"),
		IPv4:     opt(rapid.SliceOfN(rapid.Int32(), 1, 40)).Draw(t, "ipv4"), IPv6: opt(rapid.SliceOfN(rapid.Int32(), 1, 60)).Draw(t, "ipv6"),
	}
	if l.IPv4 != nil || l.IPv6 != nil {
		l.NoAddrGen = rapid.Bool().Draw(t, "no_addrgen")
	}
	slices.Sort(l.AltNames)
	l.Up = l.Flags&1 != 0
	if rapid.Bool().Draw(t, "port") {
		l.Port = &state.BridgePort{
			State: optPtr(rapid.Uint8()).Draw(t, "state"), Cost: num.Draw(t, "cost"), Priority: short.Draw(t, "prio"),
			Hairpin: flag.Draw(t, "f"), Guard: flag.Draw(t, "f"), RootBlock: flag.Draw(t, "f"), FastLeave: flag.Draw(t, "f"),
			Learning: flag.Draw(t, "f"), Flood: flag.Draw(t, "f"), MulticastFlood: flag.Draw(t, "f"), BroadcastFlood: flag.Draw(t, "f"),
			NeighSuppress: flag.Draw(t, "f"), ProxyARP: flag.Draw(t, "f"), VLANTunnel: flag.Draw(t, "f"), Isolated: flag.Draw(t, "f"),
			Locked: flag.Draw(t, "f"),
		}
	}
	if rapid.Bool().Draw(t, "stats") {
		u := rapid.Uint64()
		l.Stats = &state.Stats{
			RxPackets: u.Draw(t, "n"), RxBytes: u.Draw(t, "n"), RxErrors: u.Draw(t, "n"), RxDropped: u.Draw(t, "n"),
			TxPackets: u.Draw(t, "n"), TxBytes: u.Draw(t, "n"), TxErrors: u.Draw(t, "n"), TxDropped: u.Draw(t, "n"),
		}
	}
	if l.Kind == "veth" {
		l.Peer = opt(peer).Draw(t, "peer")
	} else {
		l.Lower = opt(peer).Draw(t, "lower")
	}
	switch l.Kind {
	case "bridge":
		l.Bridge = &state.Bridge{
			STP: flag.Draw(t, "f"), ForwardDelay: num.Draw(t, "n"), HelloTime: num.Draw(t, "n"), MaxAge: num.Draw(t, "n"),
			AgeingTime: num.Draw(t, "n"), Priority: short.Draw(t, "n"), VLANFiltering: flag.Draw(t, "f"),
			VLANProtocol: short.Draw(t, "n"), DefaultPVID: short.Draw(t, "n"), MulticastSnoop: flag.Draw(t, "f"),
			MulticastQuerier: flag.Draw(t, "f"), GroupFwdMask: short.Draw(t, "n"), NFCallIP: flag.Draw(t, "f"),
			NFCallIP6: flag.Draw(t, "f"), NFCallARP: flag.Draw(t, "f"),
		}
	case "vxlan":
		if l.Lower == nil { // without attributes of its kind there is no underlay either
			l.VXLAN = opt(optVXLAN).Draw(t, "vxlan")
		} else {
			l.VXLAN = optVXLAN.Draw(t, "vxlan")
		}
	case "macvlan", "macvtap":
		l.MACVLAN = &state.MACVLAN{Mode: rapid.SampledFrom([]string{"private", "vepa", "bridge", "passthru", "source", "3"}).Draw(t, "mode"), Flags: short.Draw(t, "n")}
	case "ipvlan":
		l.IPVLAN = &state.IPVLAN{Mode: rapid.SampledFrom([]string{"l2", "l3", "l3s", "9"}).Draw(t, "mode"), Flags: short.Draw(t, "n")}
	case "vlan":
		l.VLAN = &state.VLAN{ID: rapid.Uint16().Draw(t, "id"), Protocol: short.Draw(t, "proto"), Flags: num.Draw(t, "flags")}
	case "tun":
		l.Tun = &state.Tun{
			Mode: rapid.SampledFrom([]string{"tun", "tap"}).Draw(t, "mode"), Owner: optPtr(rapid.Uint32()).Draw(t, "owner"),
			GroupID: optPtr(rapid.Uint32()).Draw(t, "group"), PacketInfo: rapid.Bool().Draw(t, "b"), VnetHeader: rapid.Bool().Draw(t, "b"),
			MultiQueue: rapid.Bool().Draw(t, "b"), Persist: rapid.Bool().Draw(t, "b"),
		}
	}
	return l
})

var optVXLAN = rapid.Custom(func(t *rapid.T) *state.VXLAN {
	return &state.VXLAN{
		ID: rapid.Uint32().Draw(t, "id"), Local: opt(anyIP).Draw(t, "local"), Remote: opt(anyIP).Draw(t, "remote"),
		Port: short.Draw(t, "port"), TTL: tiny.Draw(t, "ttl"), TOS: tiny.Draw(t, "tos"), Learning: flag.Draw(t, "f"),
		Proxy: flag.Draw(t, "f"), L2Miss: flag.Draw(t, "f"), L3Miss: flag.Draw(t, "f"), UDPCsum: flag.Draw(t, "f"),
		UDPZeroCsum6TX: flag.Draw(t, "f"), UDPZeroCsum6RX: flag.Draw(t, "f"), DF: tiny.Draw(t, "df"), Ageing: num.Draw(t, "n"),
		PortMin: short.Draw(t, "n"), PortMax: short.Draw(t, "n"), External: flag.Draw(t, "f"),
	}
})

var anyAddr = rapid.Custom(func(t *rapid.T) state.Addr {
	v6 := rapid.Bool().Draw(t, "v6")
	seconds := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Uint32Range(1, 1<<32-2).Draw(t, "s")) * time.Second
	})
	a := state.Addr{
		Link: link.Draw(t, "link"), Prefix: prefix(v6).Draw(t, "prefix"), Peer: opt(ip(v6)).Draw(t, "peer"),
		Broadcast: opt(ip(v6)).Draw(t, "brd"), Scope: tiny.Draw(t, "scope"), Label: opt(word).Draw(t, "label"),
		Flags: num.Draw(t, "flags"), Protocol: tiny.Draw(t, "proto"), Metric: num.Draw(t, "metric"),
		Valid: opt(seconds).Draw(t, "valid"), Preferred: opt(seconds).Draw(t, "preferred"),
	}
	if a.Peer == a.Prefix.Addr() {
		a.Peer = netip.Addr{}
	}
	return a
})

var anyRoute = rapid.Custom(func(t *rapid.T) state.Route {
	v6 := rapid.Bool().Draw(t, "v6")
	r := state.Route{
		Dst:   rapid.OneOf(prefix(v6), rapid.Just(netip.PrefixFrom(prefix(v6).Draw(t, "p").Masked().Addr(), 0))).Draw(t, "dst"),
		Type:  opt(rapid.SampledFrom([]string{"local", "broadcast", "multicast", "blackhole", "unreachable", "prohibit", "throw", "anycast", "nat"})).Draw(t, "type"),
		Table: rapid.SampledFrom([]uint32{0, 1, 252, 255, 256, 70000}).Draw(t, "table"), Protocol: tiny.Draw(t, "proto"),
		Scope: tiny.Draw(t, "scope"), TOS: tiny.Draw(t, "tos"), Metric: num.Draw(t, "metric"), Src: opt(ip(v6)).Draw(t, "src"),
		From: opt(prefix(v6)).Draw(t, "from"), NextHopID: num.Draw(t, "nhid"), Pref: tiny.Draw(t, "pref"),
		Flags: num.Draw(t, "flags") &^ 0xff,
		Metrics: state.Metrics{
			MTU: num.Draw(t, "m"), LockMTU: rapid.Bool().Draw(t, "lock"), AdvMSS: num.Draw(t, "m"), Window: num.Draw(t, "m"),
			RTT: num.Draw(t, "m"), HopLimit: num.Draw(t, "m"), InitCwnd: num.Draw(t, "m"), InitRwnd: num.Draw(t, "m"), Quickack: num.Draw(t, "m"),
		},
	}
	for range rapid.IntRange(0, 4).Draw(t, "hops") {
		h := state.NextHop{Via: opt(anyIP).Draw(t, "via"), Link: link.Draw(t, "link"), Flags: tiny.Draw(t, "flags")}
		if w := rapid.Uint16Range(1, 256).Draw(t, "weight"); w > 1 {
			h.Weight = w
		}
		r.NextHops = append(r.NextHops, h)
	}
	return r
})

var anyRule = rapid.Custom(func(t *rapid.T) state.Rule {
	v6 := rapid.Bool().Draw(t, "v6")
	r := state.Rule{
		IPv6: v6, Priority: num.Draw(t, "prio"), Invert: rapid.Bool().Draw(t, "not"), From: opt(prefix(v6)).Draw(t, "from"),
		To: opt(prefix(v6)).Draw(t, "to"), TOS: tiny.Draw(t, "tos"), Mark: num.Draw(t, "mark"), MarkMask: num.Draw(t, "mask"),
		IIF: opt(word).Draw(t, "iif"), OIF: opt(word).Draw(t, "oif"), UIDs: optPtr(rapid.Just([2]uint32{10, 20})).Draw(t, "uids"),
		IPProto: tiny.Draw(t, "ipproto"), SPort: [2]uint16{short.Draw(t, "p"), short.Draw(t, "p")},
		DPort: [2]uint16{short.Draw(t, "p"), short.Draw(t, "p")}, TunID: opt(rapid.Uint64()).Draw(t, "tun"),
		L3MDev: rapid.Bool().Draw(t, "l3"), Action: opt(rapid.SampledFrom([]string{"goto", "nop", "blackhole", "unreachable", "prohibit", "42"})).Draw(t, "action"),
		Table: num.Draw(t, "table"), Goto: num.Draw(t, "goto"), SuppressPrefix: optPtr(rapid.Uint32Range(0, 128)).Draw(t, "sp"),
		SuppressGroup: optPtr(rapid.Uint32Range(0, 9)).Draw(t, "sg"), Protocol: tiny.Draw(t, "proto"),
	}
	return r
})

var anyNeighbor = rapid.Custom(func(t *rapid.T) state.Neighbor {
	return state.Neighbor{
		Link: link.Draw(t, "link"), IP: anyIP.Draw(t, "ip"), MAC: opt(mac).Draw(t, "mac"),
		State: rapid.SampledFrom([]string{"permanent", "reachable", "stale", "delay", "probe", "failed", "incomplete", "noarp", "none", "6"}).Draw(t, "state"),
		Proxy: rapid.Bool().Draw(t, "proxy"), Router: rapid.Bool().Draw(t, "router"), Protocol: tiny.Draw(t, "proto"),
	}
})

var anyFDB = rapid.Custom(func(t *rapid.T) state.FDBEntry {
	return state.FDBEntry{
		Link: link.Draw(t, "link"), Master: opt(link).Draw(t, "master"), MAC: mac.Draw(t, "mac"), VLAN: short.Draw(t, "vlan"),
		Dst: opt(anyIP).Draw(t, "dst"), Port: short.Draw(t, "port"), VNI: num.Draw(t, "vni"), Via: opt(link).Draw(t, "via"),
		State: rapid.SampledFrom([]string{"permanent", "static", "reachable", "stale", "none", "1"}).Draw(t, "state"),
		Flags: tiny.Draw(t, "flags"), NSID: optPtr(rapid.IntRange(-1, 5)).Draw(t, "nsid"),
	}
})
