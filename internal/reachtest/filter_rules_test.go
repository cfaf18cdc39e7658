package reachtest_test

import "slices"

// ruleScenes are about rules of nftables.
func ruleScenes() []mendable {
	return []mendable{
		{
			// Ingress chains of tables inet see what family the packet is of; ARP does not come to them.
			scene{"L01-ingress-of-two-families", `R6; rules ~r <<X
table inet f { chain i { type filter hook ingress device r1 priority 0; tcp dport 80 drop; ip6 saddr fd00:1::2 icmpv6 type echo-request drop; meta nfproto != { ipv4, ipv6 } drop
}
}
table netdev d { chain e { type filter hook egress device r2 priority 10; ip daddr 10.0.2.2 udp dport 53 drop
}
}
X`, served("~b", "tcp 80", "udp 53"), asked("~a", "10.0.2.2:80 request ~r filter-drop", "fd00:2::2 request ~r filter-drop", "10.0.2.2:53/udp request ~r filter-drop", "10.0.2.2 yes")},
			true,
		},
		{
			scene{"L02-priorities-jumps-and-goto", `R3; rules ~r <<X
table inet a {
	chain sub { ip saddr 10.0.1.2 return; drop
	}
	chain late { type filter hook forward priority 50; ip daddr 10.0.2.2 tcp dport 81 drop
	}
	chain early { type filter hook forward priority -20; tcp dport { 80, 81 } accept; tcp dport 82 jump sub; tcp dport 83 goto sub; accept
	}
}
table ip b { chain mid { type filter hook forward priority 10; policy drop; ct state established accept; tcp dport 80-82 accept
}
}
X`, served("~b", "tcp 80", "tcp 81", "tcp 82", "tcp 83"), asked("~a", "10.0.2.2:80 yes", "10.0.2.2:81 request ~r filter-drop", "10.0.2.2:82 yes", "10.0.2.2:83 request ~r filter-drop")},
			true,
		},
		{
			// nft turns the one byte of the protocol's number round, which changes nothing.
			scene{"L03-sets-that-time-out", `R3; rules ~r <<X
table inet f {
	set ban { type ipv4_addr; flags interval,timeout; elements = { 10.0.1.0/30 timeout 1h, 10.7.0.0/16 timeout 2h }
	}
	set ports { type inet_proto . inet_service; flags interval; elements = { tcp . 80-90, udp . 53 }
	}
	set dyn { type ipv4_addr . inet_service; flags dynamic,timeout; timeout 1h; elements = { 10.0.1.2 . 99 }
	}
	chain fw { type filter hook forward priority 0; meta l4proto . th dport @ports accept; ip saddr . tcp dport @dyn accept; ip saddr @ban reject with icmpx type host-unreachable
	}
}
X`, served("~b", "tcp 80", "tcp 99", "udp 53"), asked("~a", "10.0.2.2:80 yes", "10.0.2.2:99 yes", "10.0.2.2:100 request ~r filter-reject", "10.0.2.2:53/udp yes", "10.0.2.2 request ~r filter-reject")},
			false,
		},
		{
			scene{"L04-zone-of-both-ways", `R3; rules ~r <<X
table ip f {
	chain raw { type filter hook prerouting priority -300; iifname { r1, r2 } ct zone set 5
	}
	chain fw { type filter hook forward priority 0; policy drop; ct state established accept; ct state new ct zone 5 iifname r1 accept
	}
}
X`, served("~b", "tcp 80"), asked("~a", "10.0.2.2 yes", "10.0.2.2:80 yes")},
			false,
		},
		{
			scene{"L05-zone-of-one-way", `R3; rules ~r <<X
table ip f {
	chain raw { type filter hook prerouting priority -300; iifname r1 ct zone set 5
	}
	chain fw { type filter hook forward priority 0; policy drop; ct state established accept; iifname r1 accept
	}
}
X`, served("~b", "tcp 80"), asked("~a", "10.0.2.2 reply ~r ct-invalid", "10.0.2.2:80 reply ~r ct-invalid")},
			true,
		},
		{
			// A rule that writes a port is no NAT: nobody turns the answer round.
			scene{"L06-written-into-the-packet", `R3; rules ~r <<X
table ip f {
	chain pre { type filter hook prerouting priority -250; udp dport 53 ip ttl set 1; tcp dport 80 ip dscp set ef; tcp dport 8080 tcp dport set 81; icmp type echo-request ip daddr set 10.0.2.2
	}
	chain fw { type filter hook forward priority 0; ip dscp ef drop
	}
}
X`, served("~b", "tcp 80", "tcp 81", "udp 53"), append(asked("~a", "10.0.2.2:53/udp request ~r ttl-exceeded", "10.0.2.2:80 request ~r filter-drop", "10.0.2.2:8080 reply ~r nat-bypassed", "10.0.2.2 yes"), question{src: "~a", dst: "10.0.9.9", want: "yes", also: "nat-bypassed"})},
			false,
		},
		{
			scene{"L07-who-sends", `P2; rules ~a <<X
table inet f { chain o { type filter hook output priority 0; tcp dport 80 meta skuid 0 drop; tcp dport 81 meta skuid 1000 drop; udp dport 53 meta skgid 0 reject; tcp dport 82 meta skgid != 0 drop
}
}
X`, served("~b", "tcp 80", "tcp 81", "tcp 82", "udp 53"), asked("~a", "10.0.0.2:80 request ~a filter-drop", "10.0.0.2:81 yes", "10.0.0.2:82 yes", "10.0.0.2:53/udp request ~a filter-reject", "10.0.0.2 yes")},
			true,
		},
		{
			// What goes into a set is there for the packets after it; what is looked up in it in the same walk cannot be told.
			scene{"L08-sets-that-grow", `R3; rules ~r <<X
table ip f {
	set seen { type ipv4_addr; flags dynamic,timeout; timeout 1m
	}
	set denied { type ipv4_addr; size 100; flags dynamic; elements = { 10.0.1.9 }
	}
	chain fw { type filter hook forward priority 0; tcp dport 80 add @seen { ip saddr }; tcp dport 81 ip saddr @denied drop; tcp dport 82 update @seen { ip saddr timeout 10s } drop; tcp dport 83 delete @denied { ip saddr }; tcp dport 84 add @seen { ip saddr } ip saddr @seen drop; tcp dport 85 add @seen { ip saddr limit rate 5/second } drop
	}
}
X`, served("~b", "tcp 80", "tcp 81", "tcp 82", "tcp 83", "tcp 84", "tcp 85"), asked("~a", "10.0.2.2:80 yes", "10.0.2.2:81 yes", "10.0.2.2:82 request ~r filter-drop", "10.0.2.2:83 yes", "10.0.2.2:84 unknown", "10.0.2.2:85 unknown")},
			false,
		},
		{
			// Of elements that lie inside of each other the inner one counts.
			scene{"L09-elements-inside-of-others", `R6; rules ~r <<X
table inet f {
	chain ok { tcp dport { 80, 443, 8000-8100 } accept; udp dport != { 53, 123 } accept
	}
	chain v4 { ip saddr . ip daddr vmap { 10.0.1.2 . 10.0.2.2 : goto ok, 10.0.0.0/8 . 10.0.2.0/24 : drop }
	}
	chain v6 { ip6 saddr & ffff:ffff:ffff:ffff:: == fd00:1:: icmpv6 type vmap { echo-request : accept, echo-reply : drop }
	}
	chain fw { type filter hook forward priority 0; policy drop; ct state vmap { established : accept, related : accept, invalid : drop, untracked : drop }; meta nfproto vmap { ipv4 : jump v4, ipv6 : jump v6 }; counter drop
	}
}
X`, served("~b", "tcp 8080", "udp 53", "udp 54"), slices.Concat(asked("~a", "10.0.2.2:8080 yes", "10.0.2.2:53/udp request ~r filter-drop", "10.0.2.2:54/udp yes", "fd00:2::2 yes"), asked("~b", "fd00:1::2 request ~r filter-drop"))},
			true,
		},
		{
			// Only TCP has options; asking the routes is no reverse path filter unless the rule is met when there is no way back.
			scene{"L10-rules-that-pass-others-by", `R3; rules ~r <<X
table inet f { chain fw { type filter hook forward priority 0; tcp option maxseg size < 500 drop; fib daddr oifname r1 meta l4proto udp drop; fib saddr oifname r2 icmp type echo-request drop
}
}
X`, served("~b", "udp 53"), slices.Concat(asked("~a", "10.0.2.2 yes", "10.0.2.2:53/udp reply ~r filter-drop"), asked("~b", "10.0.1.2 request ~r filter-drop"))},
			true,
		},
		{
			scene{"L11-arp-answers", `P2; inside ~b nft 'add table arp f; add chain arp f o { type filter hook output priority 0; policy drop; }; add rule arp f o arp operation request accept; add chain arp f i { type filter hook input priority 0; policy drop; }'`, nil, asked("~a", "10.0.0.2 request ~b arp-filtered")},
			true,
		},
		{
			// What the client sends after the handshake is let through by the port that it goes to.
			scene{"L13-one-way-of-a-connection", `R3; sys ~r net.netfilter.nf_conntrack_tcp_loose=0; cable ~b vd ~a ve; at ~b vd 10.0.4.2/24; at ~a ve 10.0.4.1/24; ip -n ~b route add 10.0.1.0/24 via 10.0.4.1; rules ~r <<X
table inet f { chain fw { type filter hook forward priority 0; ct state invalid drop
}
}
X`, served("~b", "tcp 80", "udp 53"), asked("~a", "10.0.2.2:80 request ~r ct-invalid", "10.0.2.2:53/udp yes")},
			true,
		},
		{
			scene{"L14-extension-headers", `R6; rules ~r <<X
table ip6 f { chain fw { type filter hook forward priority 0; exthdr frag exists drop; rt type 0 drop; hbh nexthdr tcp drop; exthdr frag missing tcp dport 81 drop; ip6 nexthdr tcp tcp dport 82 reject with tcp reset
}
}
X`, []string{"~b tcp [::]:80", "~b tcp [::]:81", "~b tcp [::]:82"}, asked("~a", "[fd00:2::2]:80 yes", "[fd00:2::2]:81 request ~r filter-drop", "[fd00:2::2]:82 request ~r filter-reject", "fd00:2::2 yes")},
			true,
		},
		{
			scene{"L12-firewalld", `P26; rules ~b <<X
table inet firewalld {
	ct helper helper-ftp-tcp { type "ftp" protocol tcp; l3proto inet;
	}
	chain filter_INPUT { type filter hook input priority filter + 10; policy accept; ct state { established, related } accept; ct status dnat accept; iifname "lo" accept; ct state invalid drop; jump filter_INPUT_ZONES; reject with icmpx admin-prohibited
	}
	chain filter_PREROUTING { type filter hook prerouting priority filter + 10; policy accept; icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept; meta nfproto ipv6 fib saddr . mark . iif oif missing drop
	}
	chain filter_INPUT_ZONES { iifname "vb" goto filter_IN_public; goto filter_IN_trusted
	}
	chain filter_IN_trusted { accept
	}
	chain filter_IN_public { jump filter_IN_public_allow; meta l4proto { icmp, ipv6-icmp } accept; reject with icmpx admin-prohibited
	}
	chain filter_IN_public_allow { tcp dport 22 accept; ip6 daddr fe80::/64 udp dport 546 accept; tcp dport 21 ct helper set "helper-ftp-tcp"; tcp dport 21 accept
	}
}
X`, []string{"~b tcp [::]:22", "~b tcp [::]:21", "~b tcp [::]:80"}, asked("~a", "10.0.0.2:22 yes", "[fd00::2]:22 yes", "[fd00::2]:80 request ~b filter-reject", "10.0.0.2:80 request ~b filter-reject", "10.0.0.2:21 yes", "fd00::2 yes")},
			true,
		},
	}
}
