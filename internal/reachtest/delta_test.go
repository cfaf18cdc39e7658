package reachtest_test

import (
	"fmt"
	"net/netip"
	"strings"
)

func mustAddr(s string) netip.Addr { return netip.MustParseAddr(s) }

// delta changes the world in one way that breaks something, or not.
func (w *world) delta() {
	all := []func(){
		w.linkDown, w.lowerMTU, w.noDefault, w.badRoute, w.wrongWay, w.policyRule, w.rpFilter, w.noForwarding, w.arpSetting, w.echoOff,
		w.nftRule, w.nftRule, w.nftPolicy, w.legacyRule, w.masquerade, w.dnat, w.doubleAddress, w.permanentNeighbour, w.portFlag, w.portFlag,
		w.arpOff, w.ipv6Off, w.bridgeCalls, w.loAddress, w.renumber, w.ctState, w.nftSet, w.multipath,
	}
	pick(w, all)()
}

func (w *world) linkDown() {
	d := pick(w, w.devs)
	w.ipDo(d.room, "link set %s down", d.dev)
	w.note("%s/%s down", d.room, d.dev)
}

func (w *world) lowerMTU() {
	d := pick(w, w.devs)
	w.ipDo(d.room, "link set %s mtu %d", d.dev, pick(w, []int{1300, 1400, 1280}))
	w.note("mtu of %s/%s", d.room, d.dev)
}

func (w *world) noDefault() {
	r := pick(w, w.rooms)
	w.ipDo(r, "route del default")
	w.note("no default in %s", r)
}

// target is a net or an address of the family of one.
func (w *world) target() string {
	if w.chance(50) {
		return pick(w, w.nets)
	}
	a := mustAddr(pick(w, w.addrs).addr)
	return netip.PrefixFrom(a, a.BitLen()).String()
}

func (w *world) badRoute() {
	r, kind, to := pick(w, w.rooms), pick(w, []string{"blackhole", "unreachable", "prohibit", "throw"}), w.target()
	w.ipDo(r, "route add %s %s metric 1", kind, to)
	w.note("%s %s in %s", kind, to, r)
}

func (w *world) wrongWay() {
	r, gw := pick(w, w.rooms), pick(w, w.gws)
	to := w.target()
	if strings.Contains(to, ":") {
		return
	}
	if w.chance(50) {
		d := pick(w, w.devs)
		w.ipDo(d.room, "route add %s dev %s metric 1", to, d.dev)
		w.note("%s dev %s in %s", to, d.dev, d.room)
		return
	}
	w.ipDo(r, "route add %s via %s metric 1", to, gw.addr)
	w.note("%s via %s in %s", to, gw.addr, r)
}

func (w *world) policyRule() {
	r := pick(w, w.rooms)
	pref := 100 + w.rng.IntN(100)
	a := pick(w, w.addrs)
	six := strings.Contains(a.addr, ":")
	sels := []string{"from " + a.addr, "to " + a.addr, "not from " + a.addr, "from " + a.addr + " ipproto tcp", "from " + a.addr + " iif lo"}
	if !six {
		sels = append(sels, "from all", "iif lo", "ipproto tcp", "uidrange 0-0", "uidrange 1-9", "fwmark 0x1/0x3", "iif "+pick(w, w.devs).dev, "ipproto udp sport 1024-65534", "dport 80")
	}
	sel := pick(w, sels)
	act := pick(w, []string{"lookup 77", "lookup 77", "prohibit", "blackhole", "unreachable", "lookup main suppress_prefixlength 0", "goto 32766"})
	w.ipDo(r, "rule add pref %d %s %s", pref, sel, act)
	if act == "lookup 77" && w.chance(70) {
		gw := pick(w, w.gws)
		if !six {
			w.ipDo(r, "route add default via %s table 77", gw.addr)
		} else {
			w.ipDo(r, "route add unreachable ::/0 table 77")
		}
	}
	w.note("rule %s %s in %s", sel, act, r)
}

func (w *world) rpFilter() {
	d := pick(w, w.devs)
	v := 1 + w.rng.IntN(2)
	w.set(d.room, "net/ipv4/conf/%s/rp_filter=%d", d.dev, v)
	w.note("rp_filter %d on %s/%s", v, d.room, d.dev)
}

func (w *world) noForwarding() {
	d := pick(w, w.devs)
	key := pick(w, []string{"net/ipv4/ip_forward=0", "net/ipv6/conf/all/forwarding=0", "net/ipv4/conf/" + d.dev + "/forwarding=0", "net/ipv4/conf/" + d.dev + "/forwarding=1"})
	w.set(d.room, "%s", key)
	w.note("%s in %s", key, d.room)
}

func (w *world) arpSetting() {
	d := pick(w, w.devs)
	key := pick(w, []string{"arp_ignore=1", "arp_ignore=2", "arp_ignore=8", "arp_filter=1", "arp_announce=1", "arp_announce=2", "accept_local=1", "proxy_arp=1", "route_localnet=1", "src_valid_mark=1"})
	w.set(d.room, "net/ipv4/conf/%s/%s", d.dev, key)
	w.note("%s on %s/%s", key, d.room, d.dev)
}

func (w *world) echoOff() {
	r := pick(w, w.rooms)
	w.set(r, "%s", pick(w, []string{"net/ipv4/icmp_echo_ignore_all=1", "net/ipv6/icmp/echo_ignore_all=1"}))
	w.note("echo off in %s", r)
}

func (w *world) match() string {
	d, a := pick(w, w.devs), pick(w, w.addrs)
	ip := "ip"
	if strings.Contains(a.addr, ":") {
		ip = "ip6"
	}
	return pick(w, []string{
		"", "meta l4proto icmp", "meta l4proto tcp", "meta l4proto udp", "tcp dport 80", "udp dport 80", "tcp dport 81", "icmp type echo-request", "icmp type echo-reply",
		"icmpv6 type echo-request", "ip saddr " + pick(w, []string{"10.0.0.0/8", "10.0.1.0/24", "192.168.0.0/16"}), "ip daddr 10.0.2.0/24", ip + " saddr " + a.addr, ip + " daddr " + a.addr,
		"iifname \"" + d.dev + "\"", "oifname \"" + d.dev + "\"", "ct state established,related", "ct state new", "ct state invalid", "meta length > 1000", "meta nfproto ipv4",
		"ip saddr != " + "10.0.1.2", "tcp flags syn", "ct direction reply", "fib daddr type local", "meta mark 0x1",
		"ct mark 0x1", "ct status dnat", "ct status snat,dnat", "ct status seen-reply", "ct original " + ip + " saddr " + a.addr, "meta pkttype host", "meta l4proto { tcp, udp }", "meta l4proto { tcp, udp } th dport 80-90",
		"iifname . oifname { \"" + d.dev + "\" . \"" + pick(w, w.devs).dev + "\" }", "ip ttl < 64", "ip6 hoplimit 255", "meta iifkind \"veth\"", "ip daddr . ip protocol { 10.0.0.0/8 . tcp, 10.0.0.0-10.0.1.255 . icmp }",
	})
}

func (w *world) verdict() string {
	return pick(w, []string{
		"drop", "drop", "accept", "reject", "counter", "return", "meta mark set 0x1", "reject with icmpx type admin-prohibited", "reject with tcp reset",
		"ct mark set meta mark", "meta mark set ct mark", "meta mark set meta mark or 0x1", "ct mark set 0x1", "tcp option maxseg size set rt mtu", "ip ttl set 1", "notrack", "goto @", "jump @",
	})
}

func (w *world) nftRule() {
	r := pick(w, w.rooms)
	hook := pick(w, []string{"input", "forward", "forward", "output", "prerouting", "postrouting"})
	m, v := w.match(), w.verdict()
	if strings.HasPrefix(v, "reject") && (hook == "prerouting" || hook == "postrouting") {
		v = "drop"
	}
	if v == "reject with tcp reset" || strings.HasPrefix(v, "tcp ") {
		m = "meta l4proto tcp"
	}
	n := len(w.nft[r])
	prio := pick(w, []int{-300, -150, 0, 10})
	sub, typ := "", "filter"
	switch {
	case strings.HasSuffix(v, "@"):
		sub, v = fmt.Sprintf("chain d { %s %s; }; ", w.match(), pick(w, []string{"drop", "accept", "return"})), strings.TrimSuffix(v, "@")+"d"
	case strings.HasPrefix(v, "ip ttl "):
		m = pick(w, []string{"", "ip saddr 10.0.0.0/8", "tcp dport 80"})
	case strings.HasPrefix(v, "tcp "):
		hook = "forward" // where packets have a route
	case v == "notrack" && hook != "output":
		hook, prio = "prerouting", -300
	case v == "notrack":
		prio = -300
	case strings.Contains(v, "mark set") && hook == "output" && w.chance(50):
		typ = "route"
	}
	w.nft[r] = append(w.nft[r], fmt.Sprintf("table inet t%d { %schain c { type %s hook %s priority %d; %s %s; }; }", n, sub, typ, hook, prio, m, v))
	w.note("nft in %s: %s %s %s", r, hook, m, v)
}

func (w *world) nftPolicy() {
	r := pick(w, w.rooms)
	hook := pick(w, []string{"input", "forward", "output"})
	n := len(w.nft[r])
	w.nft[r] = append(w.nft[r], fmt.Sprintf("table inet t%d { chain c { type filter hook %s priority 0; policy drop; %s accept; %s accept; %s accept; }; }", n, hook, "ct state established,related", w.match(), w.match()))
	w.note("nft policy drop in %s: %s", r, hook)
}

func (w *world) nftSet() {
	r := pick(w, w.rooms)
	n := len(w.nft[r])
	a, b := pick(w, w.addrs), pick(w, w.addrs)
	var list []string
	for _, x := range []place{a, b} {
		if !strings.Contains(x.addr, ":") && (len(list) == 0 || list[0] != x.addr) {
			list = append(list, x.addr)
		}
	}
	if len(list) == 0 {
		return
	}
	w.nft[r] = append(w.nft[r], fmt.Sprintf("table inet t%d { set s { type ipv4_addr; elements = { %s }; }; chain sub { %s %s; }; chain c { type filter hook %s priority 0; ip %s @s jump sub; tcp dport vmap { 80 : %s, 81 : drop }; }; }",
		n, strings.Join(list, ", "), w.match(), pick(w, []string{"drop", "accept", "return"}), pick(w, []string{"input", "forward", "output"}), pick(w, []string{"saddr", "daddr"}), pick(w, []string{"accept", "drop", "jump sub"})))
	w.note("nft set in %s", r)
}

func (w *world) ctState() {
	r := pick(w, w.rooms)
	n := len(w.nft[r])
	w.nft[r] = append(w.nft[r], fmt.Sprintf("table inet t%d { chain c { type filter hook %s priority 0; ct state invalid drop; }; }", n, pick(w, []string{"forward", "input", "output"})))
	w.note("ct invalid drop in %s", r)
}

func (w *world) legacyRule() {
	r, d := pick(w, w.rooms), pick(w, w.devs)
	chain := pick(w, []string{"INPUT", "FORWARD", "OUTPUT"})
	m := pick(w, []string{"", "-p icmp", "-p tcp --dport 80", "-p udp --dport 80", "-s 10.0.1.0/24", "-d 10.0.2.0/24", "! -s 10.0.1.0/24", "-m conntrack --ctstate NEW", "-m conntrack --ctstate ESTABLISHED", "-p tcp -m multiport --dports 80,443", "-m addrtype --dst-type LOCAL", "-m mark --mark 0x1", "-m connmark --mark 0x1", "-m conntrack --ctdir REPLY", "-m conntrack --ctstatus SEEN_REPLY", "-m length --length 1000:2000", "-m iprange --dst-range 10.0.1.0-10.0.2.9"})
	if w.chance(25) {
		mangle := pick(w, []string{"PREROUTING", "OUTPUT", "FORWARD", "POSTROUTING", "INPUT"})
		w.xt[r] = append(w.xt[r], fmt.Sprintf("-t mangle -A %s %s", mangle, pick(w, []string{"-j MARK --set-mark 1", "-j CONNMARK --set-mark 1", "-j CONNMARK --save-mark", "-j CONNMARK --restore-mark", "-p tcp --syn -j TCPMSS --set-mss 1000"})))
	}
	if chain == "FORWARD" && w.chance(40) {
		m = pick(w, []string{"-i ", "-o "}) + d.dev
	}
	if w.chance(20) {
		w.xt[r] = append(w.xt[r], "-P "+chain+" DROP", fmt.Sprintf("-A %s %s -j ACCEPT", chain, m))
	} else {
		w.xt[r] = append(w.xt[r], fmt.Sprintf("-A %s %s -j %s", chain, m, pick(w, []string{"DROP", "REJECT", "ACCEPT"})))
	}
	w.note("iptables in %s: %s", r, w.xt[r][len(w.xt[r])-1])
}

func (w *world) masquerade() {
	d := pick(w, w.devs)
	n := len(w.nft[d.room])
	w.nft[d.room] = append(w.nft[d.room], fmt.Sprintf("table ip t%d { chain c { type nat hook postrouting priority 100; oifname \"%s\" masquerade; }; }", n, d.dev))
	w.note("masquerade in %s on %s", d.room, d.dev)
}

func (w *world) dnat() {
	r := pick(w, w.rooms)
	var to place
	for range 20 {
		if to = pick(w, w.addrs); !strings.Contains(to.addr, ":") {
			break
		}
	}
	if strings.Contains(to.addr, ":") {
		return
	}
	n := len(w.nft[r])
	hook := pick(w, []string{"prerouting", "prerouting", "output"})
	m := pick(w, []string{"tcp dport 80", "udp dport 80", "meta l4proto icmp", "ip daddr " + pick(w, []string{"10.0.0.2", "10.0.1.1", "10.0.2.2"})})
	target := to.addr
	if strings.Contains(m, "dport") && w.chance(30) {
		target += ":80"
	}
	w.nft[r] = append(w.nft[r], fmt.Sprintf("table ip t%d { chain c { type nat hook %s priority -100; %s dnat to %s; }; }", n, hook, m, target))
	w.note("dnat in %s: %s -> %s", r, m, target)
}

func (w *world) doubleAddress() {
	a, r := pick(w, w.addrs), pick(w, w.rooms)
	if strings.Contains(a.addr, ":") {
		return
	}
	w.ipDo(r, "addr add %s/32 dev lo", a.addr)
	w.note("%s also in %s", a.addr, r)
}

func (w *world) loAddress() {
	r := pick(w, w.rooms)
	if w.chance(50) {
		w.addr(r, "lo", fmt.Sprintf("10.0.%d.%d/32", w.rng.IntN(3), 100+w.rng.IntN(5)))
	} else {
		w.addr(r, "lo", fmt.Sprintf("fd00:%d::%d/128", w.rng.IntN(3), 100+w.rng.IntN(5)))
	}
	w.note("address on lo of %s", r)
}

func (w *world) renumber() {
	a := pick(w, w.addrs)
	if a.dev == "lo" {
		return
	}
	bits := "24"
	if strings.Contains(a.addr, ":") {
		bits = "64"
	}
	w.ipDo(a.room, "addr del %s/%s dev %s", a.addr, bits, a.dev)
	w.note("%s gone from %s", a.addr, a.room)
}

func (w *world) permanentNeighbour() {
	d, a := pick(w, w.devs), pick(w, w.addrs)
	w.ipDo(d.room, "neigh replace %s lladdr 02:00:00:00:99:%02x dev %s nud permanent", a.addr, w.rng.IntN(100), d.dev)
	w.note("wrong permanent neighbour %s in %s", a.addr, d.room)
}

func (w *world) portFlag() {
	if len(w.ports) == 0 {
		w.nftRule()
		return
	}
	f := strings.Fields(pick(w, w.ports))
	switch w.rng.IntN(3) {
	case 0:
		w.ipDo(f[0], "link set %s nomaster", f[2])
		w.note("%s nomaster", f[2])
	case 1:
		for _, p := range w.ports {
			if g := strings.Fields(p); g[0] == f[0] && w.chance(70) {
				w.bridge[f[0]] = append(w.bridge[f[0]], "link set dev "+g[2]+" isolated on")
				w.note("%s isolated", g[2])
			}
		}
	default:
		flag := pick(w, []string{"state 0", "state 4", "state 1", "state 2", "flood off", "learning off", "mcast_flood off", "hairpin on", "bcast_flood off"})
		w.bridge[f[0]] = append(w.bridge[f[0]], "link set dev "+f[2]+" "+flag)
		w.note("%s %s", f[2], flag)
	}
}

func (w *world) arpOff() {
	d := pick(w, w.devs)
	w.ipDo(d.room, "link set %s arp off", d.dev)
	w.note("arp off on %s/%s", d.room, d.dev)
}

func (w *world) ipv6Off() {
	d := pick(w, w.devs)
	w.set(d.room, "net/ipv6/conf/%s/disable_ipv6=1", d.dev)
	w.note("ipv6 off on %s/%s", d.room, d.dev)
}

func (w *world) bridgeCalls() {
	for _, r := range w.rooms {
		w.set(r, "net/bridge/bridge-nf-call-iptables=1")
		w.set(r, "net/bridge/bridge-nf-call-ip6tables=1")
		w.set(r, "net/bridge/bridge-nf-call-arptables=1")
	}
	w.note("br_netfilter on")
}

func (w *world) multipath() {
	r := pick(w, w.rooms)
	g, h := pick(w, w.gws), pick(w, w.gws)
	to := w.target()
	if strings.Contains(to, ":") {
		return
	}
	w.ipDo(r, "route add %s metric 1 nexthop via %s nexthop via %s", to, g.addr, h.addr)
	w.note("multipath %s in %s", to, r)
}
