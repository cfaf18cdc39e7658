package iproute_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A generator makes random commands from templates: a word with bars is a choice, <NAME> another template, [WORDS] come or
// do not. Some commands are spoiled.
type generator struct{ r *rand.Rand }

func (g *generator) command() []string {
	all := templates()
	line := g.expand(all[g.r.IntN(len(all))])
	argv := strings.Fields(line)
	if g.r.IntN(12) == 0 && len(argv) > 2 {
		argv = g.spoil(argv)
	}
	if argv[0] == "ip" && strings.Contains(line, "show") && !strings.HasPrefix(line, "ip -") {
		argv = append([]string{"ip"}, append(strings.Fields(g.pick("", "", "-o", "-br", "-j", "-j -d", "-d", "-j -p", "-4", "-6", "-N", "-br -j", "-o -d", "-s -j")), argv[1:]...)...)
	}
	return argv
}

func (g *generator) pick(words ...string) string { return words[g.r.IntN(len(words))] }

func (g *generator) spoil(argv []string) []string {
	i := 2 + g.r.IntN(len(argv)-2)
	switch g.r.IntN(3) {
	case 0:
		return append(argv[:i:i], argv[i+1:]...)
	case 1:
		return append(argv[:i:i], append([]string{argv[i]}, argv[i:]...)...)
	}
	out := append([]string{}, argv...)
	out[i] = g.pick("garbage", "-1", "99999999999", "1.2.3.4.5", "lo", "0")
	return out
}

func (g *generator) expand(t string) string {
	for {
		if i := strings.IndexByte(t, '['); i >= 0 {
			depth, end := 0, i
			for ; end < len(t); end++ {
				if t[end] == '[' {
					depth++
				} else if t[end] == ']' {
					if depth--; depth == 0 {
						break
					}
				}
			}
			in := ""
			if g.r.IntN(3) == 0 {
				in = t[i+1 : end]
			}
			t = t[:i] + in + t[end+1:]
			continue
		}
		i := strings.IndexByte(t, '<')
		if i < 0 {
			break
		}
		end := i + strings.IndexByte(t[i:], '>')
		t = t[:i] + g.word(t[i+1:end]) + t[end+1:]
	}
	fields := strings.Fields(t)
	for i, f := range fields {
		if strings.Contains(f, "|") {
			fields[i] = g.pick(strings.Split(f, "|")...)
		}
	}
	return strings.Join(fields, " ")
}

func (g *generator) word(kind string) string {
	switch kind {
	case "dev":
		return g.pick("v0", "v1", "br0", "w0", "w1", "lo", "mv", "vx", "nobody")
	case "mac":
		return fmt.Sprintf("02:00:00:00:00:%02x", g.r.IntN(256))
	case "four":
		return fmt.Sprintf("10.0.%d.%d", g.r.IntN(3), 1+g.r.IntN(5))
	case "six":
		return fmt.Sprintf("fd00:%d::%d", g.r.IntN(3), 1+g.r.IntN(5))
	case "net4":
		return g.pick("default", "10.0.0.0/24", "10.1.0.0/16", "10.2.0.0/16", "192.168.7.0/24", "10.9.9.9", "0/0", "10/8")
	case "nh":
		return fmt.Sprint(1 + g.r.IntN(6))
	case "group":
		return g.pick("239.1.1.1", "239.1.1.2", "ff05::5", "01:00:5e:01:01:01", "10.0.0.1", "zz")
	case "net6":
		return g.pick("default", "fd01::/64", "fd02::/48", "fd03::1")
	}
	panic("no such word: " + kind)
}

func templates() []string {
	return slices.Concat(linkTemplates(), addrTemplates(), otherTemplates(), rareTemplates(), objectTemplates(), portTemplates())
}

func linkTemplates() []string {
	return []string{
		"ip link add v0 address <mac> type veth peer name v1 address <mac>",
		"ip link add v0 address <mac> [mtu 1400] [up] [txqueuelen 7] type veth peer name v1 address <mac> [mtu 1400]",
		"ip link add name w0 address <mac> [index 40] [numtxqueues 3] type veth peer w1 address <mac>",
		"ip li a w0 address <mac> type veth peer w1 address <mac>",
		"ip link add br0 address <mac> type bridge [stp_state 1] [forward_delay 400] [ageing_time 1000] [mcast_snooping 0] [priority 100] [group_fwd_mask 8]",
		"ip link add mv address <mac> link <dev> type macvlan mode bridge|private|vepa|passthru|what",
		"ip link add link <dev> name mv address <mac> type macvlan [bcqueuelen 50] [mode bridge]",
		"ip link add vx address <mac> type vxlan id 7|0|99999999 dstport 4789 [remote <four>] [local <four>] [nolearning] [ttl 5] [dev <dev>] [ageing 5]",
		"ip link add vx address <mac> type vxlan dstport 4789",
		"ip link add i0 address <mac> type ifb", "ip link add d0 type dummy", "ip link add x0 type nonsense", "ip link add x0", "ip link add type veth peer",
		"ip link set <dev> up|down", "ip link set dev <dev> up|down", "ip link set v0|v1|w0|w1 master br0|nobody", "ip link set v0|w0|w1 nomaster",
		"ip link set <dev> mtu 1300|1500|9000|10|99999999", "ip link set <dev> address <mac>", "ip link set <dev> alias something", "ip link set <dev> txqueuelen 5|1000",
		"ip link set <dev> name v0|w0|other|a/b", "ip link set <dev> group 5|default|x", "ip link set <dev> promisc on|off|maybe", "ip link set <dev> arp on|off",
		"ip link set <dev> multicast on|off", "ip link set <dev> allmulticast on|off", "ip link set <dev> netns 99999999|nobody", "ip link set <dev> addrgenmode none|eui64|what",
		"ip link set br0 type bridge stp_state 0|1 [ageing_time 300] [mcast_querier 1] [what]", "ip link set v0|w0 type bridge_slave hairpin on|off [cost 9] [isolated on] [priority 5]",
		"ip link set dev <dev> mode default|dormant|what", "ip link set group 5 up|down", "ip link set <dev> down name other", "ip link set <dev> index 5",
		"ip link del <dev>", "ip link delete dev <dev>", "ip link del", "ip link del group 5", "ip link del <dev> type veth",
		"ip link property add dev <dev> altname longer-name-of-a-link|alt2|a/b", "ip link property del dev <dev> altname alt2", "ip link property add dev <dev>",
		"ip link show", "ip link show <dev>", "ip link show up", "ip link show type veth|bridge|nonsense", "ip link show master br0", "ip link show group 5", "ip link show dev <dev> up",
		"ip link show nomaster", "ip link show alt2", "ip link show type bridge_slave", "ip link show <dev> <dev>",
	}
}

func addrTemplates() []string {
	return []string{
		"ip addr add <four>/24 dev <dev>", "ip addr add <four>/24|/32|/8|/99 dev <dev>", "ip addr add <four> dev <dev>", "ip addr add <four>/24 brd + dev <dev>", "ip addr add <four>/24 brd -|+|10.0.0.255 dev <dev> [label <dev>:x] [scope link|host|global|what|7]",
		"ip addr add <four> peer <four> dev <dev>", "ip addr add <four> peer <four>/24 dev <dev> [metric 5] [noprefixroute]", "ip addr add <six>/64 dev <dev> [nodad] [noprefixroute]", "ip a a <six> dev <dev>",
		"ip addr add <six>/64 peer <six> dev <dev>", "ip addr replace <four>/24 dev <dev> [noprefixroute] [metric 7]", "ip addr change <four>/24 dev <dev> [scope link]", "ip addr add 127.0.0.2/8 dev lo",
		"ip addr add dev <dev>", "ip addr add <four>/24", "ip addr add <four>/255.255.255.0 dev <dev>", "ip addr add 10.1/16 dev <dev>", "ip addr add local <four>/24 dev <dev>",
		"ip addr add <four>/24 dev <dev> valid_lft forever preferred_lft forever", "ip addr add <four>/24 dev <dev> valid_lft 0", "ip addr add <four>/24 dev <dev> valid_lft 5 preferred_lft 9", "ip addr add <four>/24 dev <dev> home",
		"ip addr del <four>/24 dev <dev>", "ip addr del <four> dev <dev>", "ip addr del <six>/64 dev <dev>", "ip addr flush dev <dev>", "ip addr flush", "ip addr flush dev <dev> scope global|link", "ip addr flush to 10.0.1.0/24", "ip addr flush label v0:*",
		"ip addr show", "ip addr", "ip addr show <dev>", "ip addr show dev <dev>", "ip addr show up", "ip addr show to 10.0.1.0/24", "ip addr show scope global|host|link", "ip addr show primary|secondary|permanent|dynamic|nodad", "ip addr show label v0*", "ip addr show type veth", "ip addr show master br0",
		"ip addr show to fd00:1::/32", "ip addr show group 5", "ip link set v0|v1|br0|lo|w0|w1 up", "ip link set v0 up", "ip link set v1 up",
		"ip link add v0 address <mac> type veth peer name v1 address <mac>", "ip link add br0 address <mac> type bridge", "ip link add v0 address <mac> type veth peer name v1 address <mac>",
	}
}

func otherTemplates() []string {
	return append(append(routeTemplates(), neighTemplates()...), bridgeTemplates()...)
}

func routeTemplates() []string {
	return []string{
		"ip route add <net4> dev <dev>", "ip route add <net4> via <four> [dev <dev>] [metric 5] [proto static|bird|99|what] [table 99|local|main] [mtu 1400] [src <four>]", "ip route add <net4> via <four> dev <dev> onlink",
		"ip route add blackhole|unreachable|prohibit|throw|local|broadcast <net4> [table 99]", "ip route add <net4> nexthop via <four> weight 2 nexthop via <four> [weight 300]", "ip route add <net4> nexthop dev v0 nexthop dev v1",
		"ip route replace <net4> via <four>", "ip route append <net4> via <four>", "ip route prepend <net4> via <four>", "ip route change <net4> via <four>", "ip route add <net4> dev v0 mtu lock 1300 advmss 900 [hoplimit 3] [initcwnd 10] [window 5]",
		"ip route add <net4> via inet6 fd00:1::9 dev v0", "ip -6 route add <net6> dev <dev> [metric 7]", "ip route add <net6> via <six> [dev v0]", "ip -6 route add unreachable <net6>", "ip -6 route del <net6>",
		"ip route del <net4>", "ip route del <net4> via <four>", "ip route del <net4> table 99", "ip route flush table 99", "ip route flush dev v0", "ip route flush", "ip -6 route flush dev v0", "ip route flush proto static", "ip route add <net4> dev v0 scope link|host|global",
		"ip route show", "ip route", "ip route show table all", "ip route show table 99|main|local", "ip -6 route", "ip -6 -d -j route show", "ip route show dev v0", "ip route show proto kernel|static", "ip route show default", "ip route show 10.0.0.0/24", "ip route show match 10.0.0.1", "ip route show root 10.0.0.0/8",
		"ip route show scope link", "ip route show type blackhole", "ip route show via <four>", "ip route list exact 10.1.0.0/16", "ip route show src <four>", "ip route show metric 5",
		"ip route get <four>", "ip route get <six>", "ip route get 127.0.0.1", "ip route get <four> from <four>", "ip route get <four> oif v0", "ip -j route get <four>", "ip route get", "ip route get <four> iif v0", "ip route get fibmatch <four>",
		"ip addr add <four>/24 dev v0", "ip addr add <six>/64 dev v0", "ip link set v0 up", "ip link set v1 up", "ip link set lo up", "ip link add v0 address <mac> type veth peer name v1 address <mac>",
	}
}

func bridgeTemplates() []string {
	return []string{
		"bridge fdb add <mac> dev v0 [master] [static|permanent|dynamic]", "bridge fdb add <mac> dev vx dst <four> [vni 5] [port 4790]", "bridge fdb append <mac> dev vx dst <four>", "bridge fdb replace <mac> dev v0 master static", "bridge fdb del <mac> dev v0 master",
		"bridge fdb add <mac>", "bridge fdb add zz dev v0", "bridge fdb", "bridge -j fdb", "bridge fdb show dev v0", "bridge fdb show br br0", "bridge -s fdb show dev vx",
		"bridge link", "bridge -d link", "bridge -j -d link", "bridge link show dev v0", "bridge nonsense", "bridge -j -p link",
		"ip link add v0 address <mac> type veth peer name v1 address <mac>", "ip link add br0 address <mac> type bridge", "ip link set v0 master br0", "ip link set v0 master br0", "ip link add vx address <mac> type vxlan id 7 dstport 4789", "ip link set br0 up",
	}
}

func neighTemplates() []string {
	return []string{
		"ip neigh add <four> lladdr <mac> dev <dev>", "ip neigh add <four> lladdr <mac> dev v0 [nud permanent|noarp|stale|what] [router] [proto static|7]", "ip neigh replace <four> lladdr <mac> dev v0 nud permanent", "ip neigh change <four> lladdr <mac> dev v0",
		"ip neigh add proxy <four> dev v0", "ip neigh del <four> dev v0", "ip neigh del proxy <four> dev v0", "ip neigh add <six> lladdr <mac> dev v0", "ip neigh add <four> dev v0", "ip neigh add <four> lladdr <mac>", "ip neigh add <four> lladdr zz dev v0",
		"ip neigh show", "ip neigh", "ip neigh show dev v0", "ip neigh show nud permanent|noarp|all|stale", "ip neigh show proxy", "ip neigh show <four>", "ip neigh show to 10.0.1.0/24", "ip neigh get <four> dev v0", "ip neigh flush dev v0", "ip neigh flush dev v0 nud permanent", "ip neigh flush all",
		"ip rule add from <four> table 99 [prio 7] [iif v0] [oif w0] [not]", "ip rule add to 10.1.0.0/16 lookup main [pref 9] [fwmark 5|0x7/0xf] [tos 10]", "ip rule add blackhole|unreachable|prohibit|nop [from 10.0.0.0/8]", "ip rule add goto 32766 prio 50|40000", "ip -6 rule add from fd00::/16 table 1000",
		"ip rule add uidrange 0-99 lookup 5 [ipproto tcp|udp|what] [sport 80] [dport 1-9]", "ip rule add", "ip rule add from all lookup 77", "ip rule add lookup main suppress_prefixlength 0", "ip rule del prio 7|50", "ip rule del from <four>", "ip rule del", "ip rule flush", "ip rule show", "ip rule", "ip -6 rule", "ip rule list table 99|main", "ip rule add protocol static from <four> table 6",
		"ip addr add <four>/24 dev v0", "ip link set v0 up", "ip link add v0 address <mac> type veth peer name v1 address <mac>", "ip link add v0 address <mac> type veth peer name v1 address <mac>", "ip link add v0 address <mac> up type veth peer name v1 address <mac>",
	}
}
