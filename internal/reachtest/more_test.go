package reachtest_test

// moreScenes are variations on the themes of scenes: other families, other tools, several causes at once.
func moreScenes() []scene {
	return []scene{
		{"G01-fresh-lo", "ip netns add a", nil, []question{{src: "a", dst: "127.0.0.1", want: "request a loopback-down"}, {src: "a", dst: "::1", want: "request a loopback-down"}}},
		{"G02-v6-pmtu-blackhole", "R6; ip -n r link set r2 mtu 1300; ip -n b link set vb mtu 1300; inside r nft 'add table inet f; add chain inet f out { type filter hook output priority 0; }; add rule inet f out icmpv6 type packet-too-big drop'", nil, []question{{src: "a", dst: "fd00:2::2", size: 1400, want: "request r pmtu-blackhole"}, {src: "a", dst: "fd00:2::2", want: "yes", also: "pmtu-blackhole"}}},
		{
			"G03-mark-routes", "R3; cable a ve r r3; at a ve 10.0.3.2/24; at r r3 10.0.3.1/24; ip -n a rule add fwmark 7 lookup 7; ip -n a route add blackhole default table 7", nil,
			[]question{{src: "a", dst: "10.0.2.2", mark: 7, want: "request a route-blackhole", blind: true}, {src: "a", dst: "10.0.2.2", want: "yes"}},
		},
		{
			"G04-multipath-agrees", "R3; cable a ve r r3; at a ve 10.0.3.2/24; at r r3 10.0.3.1/24; ip -n a route replace default nexthop via 10.0.1.1 nexthop via 10.0.3.1; ip -n b route add 10.0.3.0/24 via 10.0.2.1", nil,
			[]question{{src: "a", dst: "10.0.2.2", want: "yes"}},
		},
		{
			"G05-multipath-differs", "R3; cable a ve r r3; at a ve 10.0.3.2/24; at r r3 10.0.3.1/24; ip -n a route replace default nexthop via 10.0.1.1 nexthop via 10.0.3.1; sys r net.ipv4.conf.r3.forwarding=0; ip -n b route add 10.0.3.0/24 via 10.0.2.1", nil,
			[]question{{src: "a", dst: "10.0.2.2", from: "10.0.1.2", want: "unknown", blind: true}},
		},
		{
			"G06-dnat-to-self-in-subnet", "B2; sys s net.ipv4.ip_forward=1; inside s nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; add rule ip n pre ip daddr 10.0.0.254 tcp dport 80 dnat to 10.0.0.1:80'",
			[]string{"a tcp 0.0.0.0:80"},
			[]question{{src: "a", dst: "10.0.0.254:80", want: "request a martian-own-source", blind: true}},
		},
		{"G07-brnf-arp", "B2; sys s net.bridge.bridge-nf-call-iptables=1; inside s nft 'add table ip f; add chain ip f fw { type filter hook forward priority 0; }; add rule ip f fw iifname br0 oifname br0 tcp dport 80 reject with tcp reset'", []string{"b tcp 0.0.0.0:80", "b tcp 0.0.0.0:81"}, []question{{src: "a", dst: "10.0.0.2:80", want: "request s filter-reject"}, {src: "a", dst: "10.0.0.2:81", want: "yes"}}},
		{"G08-one-isolated", "B2; inside s bridge link set dev pa isolated on", nil, []question{{src: "a", dst: "10.0.0.2", want: "yes"}}},
		{
			"G09-proxy-arp-works", "R3; ip -n a addr flush dev va; at a va 10.0.1.2/16; sys r net.ipv4.conf.r1.proxy_arp=1", nil,
			[]question{{src: "a", dst: "10.0.2.2", want: "yes"}},
		},
		{"G10-proxy-arp-no-forwarding", "R3; ip -n a addr flush dev va; at a va 10.0.1.2/16; sys r net.ipv4.conf.r1.proxy_arp=1 net.ipv4.ip_forward=0", nil, []question{{src: "a", dst: "10.0.2.2", want: "request r forwarding-disabled"}}},
		{"G11-bridge-filter", "B2; inside s nft 'add table bridge f; add chain bridge f fw { type filter hook forward priority 0; }; add rule bridge f fw ether type ip ip protocol udp drop'", []string{"b udp 0.0.0.0:53"}, []question{{src: "a", dst: "10.0.0.2:53/udp", want: "request s filter-drop"}, {src: "a", dst: "10.0.0.2", want: "yes"}}},
		{
			"G12-concat-interval", "R3; inside r nft 'add table inet f; add set inet f bad { type ipv4_addr . inet_proto . inet_service; flags interval; elements = { 10.0.1.0/24 . tcp . 80-90, 10.0.9.0/24 . udp . 53 }; }; add chain inet f fw { type filter hook forward priority 0; }; add rule inet f fw ip saddr . ip protocol . th dport @bad drop'",
			[]string{"b tcp 0.0.0.0:85", "b tcp 0.0.0.0:91"},
			[]question{{src: "a", dst: "10.0.2.2:85", want: "request r filter-drop"}, {src: "a", dst: "10.0.2.2:91", want: "yes"}},
		},
		{
			"G13-vmap-jump", "R3; inside r nft 'add table inet f; add chain inet f web; add rule inet f web ip saddr 10.0.1.2 tcp dport 80 drop; add chain inet f fw { type filter hook forward priority 0; }; add rule inet f fw iifname . oifname vmap { r1 . r2 : jump web, r2 . r1 : accept }'",
			[]string{"b tcp 0.0.0.0:80", "b tcp 0.0.0.0:81"},
			[]question{{src: "a", dst: "10.0.2.2:80", want: "request r filter-drop"}, {src: "a", dst: "10.0.2.2:81", want: "yes"}},
		},
		{
			"G14-notrack", "R3; inside r nft 'add table ip raw; add chain ip raw pre { type filter hook prerouting priority -300; }; add rule ip raw pre ip saddr 10.0.1.0/24 notrack; add table inet f; add chain inet f fw { type filter hook forward priority 0; policy drop; }; add rule inet f fw ct state new,established accept'", nil,
			[]question{{src: "a", dst: "10.0.2.2", want: "request r filter-drop"}},
		},
		{"G15-iptables-nft", "R3; inside r iptables-nft -A FORWARD -p tcp --dport 80 -m conntrack --ctstate NEW -j REJECT --reject-with tcp-reset", []string{"b tcp 0.0.0.0:80", "b tcp 0.0.0.0:81"}, []question{{src: "a", dst: "10.0.2.2:80", want: "request r filter-reject"}, {src: "a", dst: "10.0.2.2:81", want: "yes"}}},
		{"G16-legacy-multiport-order", "R3; inside r iptables-legacy -N WEB; inside r iptables-legacy -A FORWARD -i r1 -p tcp -m multiport --dports 80,443 -j WEB; inside r iptables-legacy -A WEB -s 10.0.1.0/25 -j RETURN; inside r iptables-legacy -A WEB -j DROP; inside r iptables-legacy -A FORWARD -p tcp --dport 443 -j REJECT", []string{"b tcp 0.0.0.0:80", "b tcp 0.0.0.0:443"}, []question{{src: "a", dst: "10.0.2.2:80", want: "yes"}, {src: "a", dst: "10.0.2.2:443", want: "request r filter-reject"}}},
		{"G17-nd-filtered-at-host", "P26; inside b nft 'add table ip6 f; add chain ip6 f inp { type filter hook input priority 0; }; add rule ip6 f inp icmpv6 type nd-neighbor-solicit drop'", nil, []question{{src: "a", dst: "fd00::2", want: "request b ndp-filtered"}, {src: "a", dst: "10.0.0.2", want: "yes"}}},
		{"G18-nd-answer-filtered", "P26; inside a nft 'add table ip6 f; add chain ip6 f inp { type filter hook input priority 0; }; add rule ip6 f inp icmpv6 type nd-neighbor-advert drop'", nil, []question{{src: "a", dst: "fd00::2", want: "request a ndp-filtered"}}},
		{"G19-v4-mapped", "P26", []string{"b tcp [::]:80"}, []question{{src: "a", dst: "10.0.0.2:80", want: "yes"}, {src: "a", dst: "[fd00::2]:80", want: "yes"}}},
		{"G20-v4-only", "P26", []string{"b tcp 0.0.0.0:80"}, []question{{src: "a", dst: "[fd00::2]:80", want: "request b listener-wrong-family"}}},
		{"G21-macvlan-sibling-down", "M2 bridge; ip -n d link set md down", nil, []question{{src: "c", dst: "10.0.0.4", want: "request d peer-down"}}},
		{"G22-vxlan-underlay-filtered", "V2; inside b nft 'add table inet f; add chain inet f inp { type filter hook input priority 0; }; add rule inet f inp udp dport 4789 drop'", nil, []question{{src: "a", dst: "192.168.9.2", want: "request b filter-drop"}, {src: "a", dst: "10.0.0.2", want: "yes"}}},
		{"G23-vxlan-mtu-df", "P2; ip -n a link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.2 df set; ip -n b link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.1; ip -n a link set vx0 mtu 1500 up; ip -n b link set vx0 mtu 1500 up; at a vx0 192.168.9.1/24; at b vx0 192.168.9.2/24", nil, []question{{src: "a", dst: "192.168.9.2", want: "yes"}}},
		{"G24-reply-by-rule", "R3; ip -n b rule add from 10.0.2.2 lookup 9; ip -n b route add unreachable default table 9", nil, []question{{src: "a", dst: "10.0.2.2", want: "reply b route-unreachable"}}},
		{"G25-ct-mark-restored", "R3; inside r nft 'add table inet f; add chain inet f pre { type filter hook prerouting priority -150; }; add rule inet f pre iifname r1 ct state new ct mark set 5; add chain inet f fw { type filter hook forward priority 0; policy drop; }; add rule inet f fw ct mark 5 accept'", []string{"b tcp 0.0.0.0:80"}, []question{{src: "a", dst: "10.0.2.2:80", want: "yes"}, {src: "b", dst: "10.0.1.2", want: "request r filter-drop"}}},
		{"G26-snat-port-range", "R3; ip -n b route del default; inside r nft 'add table ip n; add chain ip n post { type nat hook postrouting priority 100; }; add rule ip n post oifname r2 meta l4proto tcp snat to 10.0.2.1:2000-2010'", []string{"b tcp 0.0.0.0:80"}, []question{{src: "a", dst: "10.0.2.2:80", want: "yes"}, {src: "a", dst: "10.0.2.2", want: "reply b no-return-route"}}},
		{"G27-redirect-output", "P2; inside a nft 'add table ip n; add chain ip n out { type nat hook output priority -100; }; add rule ip n out tcp dport 80 redirect to :8080'", []string{"a tcp 0.0.0.0:8080"}, []question{{src: "a", dst: "10.0.0.2:80", want: "yes"}}},
		{"G28-two-causes", "R3; sys r net.ipv4.ip_forward=0; ip -n b route del default", nil, []question{{src: "a", dst: "10.0.2.2", want: "request r forwarding-disabled", also: "no-return-route"}}},
		{"G29-linkdown-ignored", "R3; cable a ve r r3; at a ve 10.0.3.2/24; at r r3 10.0.3.1/24; ip -n a route replace default via 10.0.3.1 metric 5; ip -n a route add default via 10.0.1.1 metric 10; ip -n r link set r3 down; sys a net.ipv4.conf.ve.ignore_routes_with_linkdown=1", nil, []question{{src: "a", dst: "10.0.2.2", from: "10.0.1.2", want: "yes"}}},
		{"G30-throw-falls-through", "R3; ip -n a rule add pref 50 lookup 50; ip -n a route add throw 10.0.2.0/24 table 50; ip -n a route add blackhole default table 50", nil, []question{{src: "a", dst: "10.0.2.2", want: "yes"}, {src: "a", dst: "10.0.3.2", want: "request a route-blackhole"}}},
		{"G31-suppress", "R3; ip -n a rule add pref 50 lookup main suppress_prefixlength 0; ip -n a rule add pref 60 lookup 60; ip -n a route add prohibit default table 60", nil, []question{{src: "a", dst: "10.0.2.2", want: "request a route-prohibit"}, {src: "a", dst: "10.0.1.1", want: "yes"}}},
		{"G32-v6-reject-route", "R6; ip -n r route add prohibit fd00:9::/64", nil, []question{{src: "a", dst: "fd00:9::1", want: "request r route-prohibit"}}},
		{"G33-gateway-off-link", "P2; ip -n a route add 10.5.0.0/16 via 10.0.0.77", nil, []question{{src: "a", dst: "10.5.0.1", want: "request a gateway-unanswered"}}},
		{"G34-sticky-fdb-wrong", `B2; inside s bridge fdb replace $(ip -n b -o link show vb | sed 's/.*ether \([^ ]*\).*/\1/') dev pa master static sticky`, nil, []question{{src: "a", dst: "10.0.0.2", want: "request s stale-fdb"}}},
	}
}

// doubtScenes are what is outside of the model and on the packet's way: the answer is unknown, and it names the object.
func doubtScenes() []scene {
	return []scene{
		{"U01-xfrm-out", "P2; ip -n a xfrm policy add src 10.0.0.0/24 dst 10.0.0.2/32 dir out tmpl src 10.0.0.1 dst 10.0.0.2 proto esp mode transport", nil, []question{{src: "a", dst: "10.0.0.2", want: "unknown", object: "xfrm policy src 10.0.0.0/24 dst 10.0.0.2/32 dir out (ipsec)"}, {src: "a", dst: "10.0.0.1", want: "yes"}}},
		{"U02-xfrm-elsewhere", "P2; ip -n a xfrm policy add src 10.9.0.0/24 dst 10.8.0.0/24 dir out tmpl src 10.0.0.1 dst 10.0.0.2 proto esp mode tunnel", nil, []question{{src: "a", dst: "10.0.0.2", want: "yes"}}},
		{"U03-xfrm-block-fwd", "R3; ip -n r xfrm policy add src 10.0.1.0/24 dst 10.0.2.0/24 dir fwd action block", nil, []question{{src: "a", dst: "10.0.2.2", want: "unknown", object: "xfrm policy src 10.0.1.0/24 dst 10.0.2.0/24 dir fwd (block)"}}},
		{"U04-tc-ingress", "P2; inside b tc qdisc add dev vb ingress; inside b tc filter add dev vb ingress protocol ip prio 1 u32 match ip dport 80 0xffff flowid 1:1", nil, []question{{src: "a", dst: "10.0.0.2", want: "unknown", object: "filters of tc on vb"}}},
		{"U05-tc-clsact", "P2; inside a tc qdisc add dev va clsact; inside a tc filter add dev va egress protocol ip prio 1 u32 match ip dport 80 0xffff flowid 1:1", nil, []question{{src: "a", dst: "10.0.0.2", want: "unknown", object: "filters of tc on va"}}},
		{"U07-numgen", "R3; inside r nft 'add table inet f; add chain inet f fw { type filter hook forward priority 0; }; add rule inet f fw numgen random mod 2 == 0 drop'", nil, []question{{src: "a", dst: "10.0.2.2", want: "unknown", blind: true}}},
		{"U08-seg6", "R6; ip -n a route add fd00:7::/64 encap seg6 mode encap segs fd00:2::2 dev va", nil, []question{{src: "a", dst: "fd00:7::1", want: "unknown", object: "encapsulation seg6", blind: true}}},
		{"U09-statistic", "R3; inside r iptables-legacy -A FORWARD -m statistic --mode random --probability 0.5 -j DROP", nil, []question{{src: "a", dst: "10.0.2.2", want: "unknown", blind: true}}},
	}
}
