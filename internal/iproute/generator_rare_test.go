package iproute_test

// rareTemplates are of the words of link, address, route, rule and neighbour that are seldom used.
func rareTemplates() []string {
	return []string{
		"ip link set <dev> xdp|xdpgeneric|xdpdrv off", "ip link set <dev> xdp what", "ip link set <dev> vf 0 mac <mac>", "ip link set <dev> vf 0|x vlan 5 [qos 3]", "ip link set <dev> vf 0 rate 5|x",
		"ip link set <dev> vf 0 spoofchk on|off|what", "ip link set <dev> vf 0 state auto|enable|what", "ip link set <dev> vf 0 what", "ip link set <dev> vrf br0|nobody", "ip link set <dev> protodown_reason 5 on|off",
		"ip link set <dev> protodown on|off", "ip link show vrf br0|nobody", "ip link xstats type bridge|bridge_slave [dev br0|v0] [igmp] [stp]", "ip link xstats type what", "ip link xstats", "ip link afstats [dev <dev>]",
		"ip link add g0 type gre remote <four> [local <four>] [ttl 5|inherit|what] [key 7|x]", "ip link add g0 type ipip|sit remote <four> [ttl 5]", "ip link add g0 type ip6tnl [mode ip6ip6|what] remote <six>",
		"ip link add g0 type vti remote <four> key 5", "ip link add g0 type geneve id 5 remote <four>", "ip link add g0 type bond mode active-backup|1|what [miimon 100]", "ip link add d0 type dummy|nlmon what",
		"ip link add ms address <mac> link v0 type macvlan mode source [macaddr add <mac>]", "ip link set ms type macvlan macaddr add|del|set <mac>", "ip link set ms type macvlan macaddr flush|what", "ip -d link show ms",
		"ip link add link v0 name vl type vlan id 5 [ingress-qos-map 1:2 3:4] [egress-qos-map 5:6] [reorder_hdr on|what]",
		"ip link add vx address <mac> type vxlan dstport 4789 external [vnifilter] [nolearning]", "ip link set br0 type bridge mcast_stats_enabled 1 [mcast_router 2] [no_linklocal_learn 1|what] [hello_time 300] [max_age 900]",
		"ip route add <net4> via <four> realms 5|4/cosmos|x", "ip route add <net4> via <four> congctl reno|cubic|nothing", "ip route add <net4> via <four> features ecn|what", "ip route add <net4> via <four> quickack 1|2|x",
		"ip route add <net4> via <four> rtt 5ms|7|x|2s [rttvar 3ms] [rto_min 20ms]", "ip route add <net4> via <four> [ssthresh 4] [cwnd 7] [reordering 5] [initrwnd 9]", "ip route add <net4> via <four> ttl-propagate enabled|disabled|what",
		"ip route add <net4> encap mpls 100|9999999 via <four>", "ip route add <net4> encap ip id 7 dst <four> [ttl 5] [tos 8] dev v0", "ip route add <net4> encap ip6 id 7 dst <six> via <four>", "ip route add <net4> encap what 5 via <four>",
		"ip route add <net4> encap", "ip route add <net4> as to <four> via <four>", "ip route add <net4> tos CS1|0x10|what via <four>", "ip route add <net4> nhid <nh>|x", "ip route add <net4> proto openr|bgp via <four>",
		"ip route add <net4> fastopen_no_cookie 1|3 via <four>", "ip route add <net4> nexthop via <four> realms 5 nexthop via <four> onlink dev v0", "ip route add <net4> m 5 via <four>", "ip -6 route add <net6> via <six> pref high|low|what",
		"ip -6 route add <net6> via <six> expires 5000|x", "ip -6 route add <net6> from fd00:5::/64 via <six>", "ip route show realms 5|4/|x", "ip route show from 10.0.0.0/8", "ip route show tos CS1", "ip route show vrf x", "ip route show table x",
		"ip route show root 10.0.0.0/8 match 10.1.0.0/16", "ip route get <four> mark 5 [uid 7] [fibmatch]", "ip route get <four> ipproto tcp|what [sport 80] [dport 90]", "ip route get <four> tos CS1", "ip route get <four> connected",
		"ip -d route get <four>", "ip route get <six> [from <six>]", "ip -6 route get <six> fibmatch", "ip -s route flush table 99|main", "ip -s -s route flush <net4>", "ip -s route flush cache", "ip route flush realms 5", "ip -6 -s route flush dev v0",
		"ip rule add from <four> realms 5|4/cosmos table 7", "ip rule add suppress_ifgroup 5|default table 8", "ip rule add tun_id 77|x table 8", "ip rule add l3mdev [table 5] [pref 70]", "ip rule add tos CS1|what table 9", "ip rule add ipproto ospf|99|what table 9",
		"ip rule add uidrange 5-9|5 table 9", "ip rule add goto 5|32766 pref 100", "ip rule add nat <four>", "ip rule add proto bird from <four> table 9", "ip rule show from 10.0.0.0/8|<four>", "ip rule show to 10.1.0.0/16", "ip rule show iif|oif v0|w0",
		"ip rule show fwmark 5|5/7|x", "ip rule show not", "ip rule show tos CS1", "ip rule show uidrange 5-9", "ip rule show tun_id 77", "ip rule show ipproto tcp|what", "ip rule show sport 80|dport 1-9", "ip rule show pref 7|50", "ip rule show <four>",
		"ip rule flush proto bird|static", "ip -6 rule flush", "ip rule del l3mdev", "ip rule restore", "ip route restore", "ip addr restore",
		"ip neigh add <four> lladdr <mac> dev v0 extern_learn [router]", "ip neigh add proxy <six> dev v0 [router]", "ip neigh show nomaster", "ip neigh show vrf x", "ip neigh show master br0", "ip neigh show nud none", "ip neigh show proto static|7",
		"ip neigh get <four> dev v0", "ip neigh get proxy <four> dev v0", "ip neigh get dev v0", "ip -j neigh get <four> dev v0", "ip -s neigh flush dev v0 nud permanent", "ip neigh flush proxy", "ip neigh flush",
		"ip addr add <four>/24 dev <dev> valid_lft 10000 preferred_lft 5000", "ip addr add <six>/64 dev <dev> valid_lft 10000 preferred_lft 0", "ip addr add <six>/64 dev <dev> home|mngtmpaddr|autojoin|optimistic", "ip addr add <six>/64 dev <dev> anycast <six>",
		"ip addr show home|deprecated|-deprecated|dynamic|optimistic", "ip addr show vrf x", "ip -s addr flush dev <dev>", "ip -s -s addr flush dev v0", "ip -l 1 addr flush dev v0",
	}
}

// objectTemplates are of the objects of ip that are seldom used.
func objectTemplates() []string {
	return []string{
		"ip nexthop add id <nh> via <four> dev v0|nobody [onlink] [protocol static]", "ip nexthop add id <nh> dev v0", "ip nexthop add id <nh> via <six> dev v0", "ip nexthop add id <nh> blackhole", "ip nexthop add id <nh> group <nh>/<nh>",
		"ip nexthop add id <nh> group <nh>,3/<nh>,x", "ip nexthop add id <nh> group <nh>/<nh> type resilient|mpath|what buckets 4 [idle_timer 10]", "ip nexthop add id <nh> via <four> fdb", "ip nexthop add id <nh> group <nh> fdb", "ip nexthop add via <four> dev v0",
		"ip nexthop replace id <nh> via <four> dev v0", "ip nexthop del id <nh>", "ip nexthop del", "ip nexthop flush", "ip nexthop flush id <nh>", "ip nexthop", "ip -d nexthop", "ip -j nexthop", "ip -j -d nexthop", "ip -6 nexthop show", "ip nexthop show groups|fdb|what",
		"ip nexthop show dev v0|nobody", "ip nexthop show id <nh>", "ip nexthop show master br0", "ip nexthop get id <nh>", "ip nexthop get", "ip nexthop bucket", "ip nexthop bucket get id <nh> index 1", "ip nexthop bucket list id <nh>", "ip nexthop what",
		"ip route add <net4> nhid <nh>", "ip route add <net6> nhid <nh>", "ip -d route", "ip -j -d route",
		"ip maddr add 33:33:00:00:00:77 dev v0|nobody", "ip maddr del 33:33:00:00:00:77 dev v0", "ip maddr show dev lo", "ip -4 maddr show dev lo", "ip -j maddr show dev lo", "ip maddr add what dev v0", "ip maddr add 1.2.3.4 dev v0", "ip maddr what", "ip -o maddr show lo",
		"ip mroute", "ip -6 mroute show", "ip mroute show table all|7 [iif v0]", "ip mroute show what", "ip mroute what", "ip netconf", "ip -4 netconf", "ip -6 -j netconf", "ip netconf show dev v0|nobody", "ip netconf what",
		"ip token", "ip -j token", "ip token list dev v0|nobody", "ip token set ::5|zz|1.2.3.4 dev v0", "ip token get dev v0", "ip token del dev v0", "ip token set ::5", "ip token set dev v0", "ip token what",
		"ip ntable change name arp_cache dev v0 queue 8|x [retrans 900]", "ip ntable change name ndisc_cache dev v0 gc_stale 50000 [ucast_probes 4]", "ip ntable change name arp_cache what 3", "ip ntable change dev v0 queue 8", "ip ntable show dev v0 name arp_cache", "ip ntable what",
		"ip addrlabel", "ip -j addrlabel", "ip addrlabel add prefix fd00::/16 [dev v0] label 77|x", "ip addrlabel add prefix fd00::/16", "ip addrlabel del prefix fd00::/16 label 77", "ip addrlabel flush", "ip addrlabel what", "ip -4 addrlabel",
		"ip link set v0 up", "ip link add v0 address <mac> up type veth peer name v1 address <mac>", "ip addr add <four>/24 dev v0", "ip addr add <six>/64 dev v0",
	}
}

// portTemplates are of bridge's ports, groups, VLANs and VNIs.
func portTemplates() []string {
	return []string{
		"bridge link set dev v0|w0|br0|nobody cost 7|0|x [priority 3] [state 3|learning|forwarding|what]", "bridge link set dev v0 guard|hairpin|fastleave|root_block|learning|flood|mcast_flood|bcast_flood on|off|what", "bridge link set dev v0 neigh_suppress|isolated|locked|vlan_tunnel|mcast_to_unicast on|off",
		"bridge link set dev v0 mcast_router 0|1|2|9 [self] [master]", "bridge link set dev v0 hwmode vepa|veb|x", "bridge link set dev v0 backup_port v1|nobody", "bridge link set dev v0 nobackup_port", "bridge link set dev v0 what", "bridge link set cost 5",
		"bridge -d link show dev v0", "bridge -c link", "bridge link show what", "bridge -j -d link",
		"bridge fdb get <mac> br br0", "bridge fdb get <mac> brport v0 [dynamic] [self]", "bridge fdb get br br0", "bridge fdb get zz br br0", "bridge fdb flush dev br0 [brport v0] [vlan 5|5000]", "bridge fdb flush dev v0|br0 [permanent] [nosticky] [noextern_learn]", "bridge fdb flush dev br0 static|dynamic|nopermanent|what",
		"bridge fdb flush", "bridge fdb show state static|permanent|what", "bridge fdb show dynamic", "bridge fdb show vlan 5|x", "bridge fdb show what", "bridge -c fdb", "bridge fdb add <mac> dev vx nhid 5|x", "bridge fdb add <mac> dev v0 master sticky", "bridge fdb replace <mac> dev v0 master extern_learn",
		"bridge mdb add dev br0|nobody port v0|br0|nobody grp <group> [permanent] [vid 5]", "bridge mdb add dev br0 port v0 grp 239.1.1.1 src <four>|zz permanent", "bridge mdb del dev br0 port v0 grp <group>", "bridge mdb add dev br0 port v0", "bridge mdb", "bridge -d mdb", "bridge -j mdb", "bridge -j -d mdb",
		"bridge mdb show dev br0|v0|nobody", "bridge mdb show vid 5", "bridge mdb what", "bridge vlan", "bridge -j vlan", "bridge -d vlan", "bridge -d -j vlan", "bridge -s vlan", "bridge -s -j vlan", "bridge -c vlan", "bridge -compressvlans vlan show", "bridge vlan show dev v0|nobody", "bridge vlan show vid 5 [dev v0]",
		"bridge vlan tunnelshow", "bridge -j vlan tunnelshow", "bridge vlan global [show]", "bridge vlan global set vid 5 dev br0|nobody mcast_snooping 1|x", "bridge vlan global what", "bridge vlan add vid 5|5-9|9-5|5000 dev v0|nobody [pvid] [untagged] [self] [master]", "bridge vlan add vid 5 dev v0 tunnel_info id 7|x|5-9",
		"bridge vlan add dev v0", "bridge vlan add vid 5", "bridge vlan del vid 5|5-9 dev v0", "bridge vlan set vid 5 dev v0 state 3|forwarding|what", "bridge vlan set vid 5|0 dev v0 mcast_router 2|x", "bridge vlan what",
		"bridge vni", "bridge -j vni", "bridge -s vni", "bridge -s -j vni", "bridge -o vni", "bridge vni show dev vx|v0|nobody", "bridge vni add vni 100|200-203|x|7,9|16777216 dev vx [remote <four>]", "bridge vni add vni 50 dev vx group <four>|239.1.1.1", "bridge vni add vni 100 dev v0", "bridge vni add vni 5",
		"bridge vni delete vni 100|200 dev vx", "bridge vni del vni 100 dev vx", "bridge vni what",
		"ip link add v0 address <mac> up type veth peer name v1 address <mac>", "ip link add br0 address <mac> up type bridge mcast_snooping 1|0", "ip link set v0 master br0", "ip link set v0 master br0 up", "ip link set v1 up", "ip link add vx address <mac> type vxlan dstport 4789 external vnifilter",
	}
}
