package reachtest_test

import "slices"

// bridgeScenes are about rules that see what a bridge passes on, and about sockets.
func bridgeScenes() []mendable {
	return []mendable{
		{
			scene{
				"Q01-chains-of-a-bridge", `B2; at ~a va fd00::1/64; at ~b vb fd00::2/64; rules ~s <<X
table bridge f {
	chain ab { ip protocol vmap { icmp : accept, udp : drop }; ip6 nexthdr icmpv6 icmpv6 type echo-request drop
	}
	chain ba { tcp sport 82 drop
	}
	chain pre { type filter hook prerouting priority -300; iifname "pa" ether type vlan drop; tcp dport 81 drop
	}
	chain fw { type filter hook forward priority -200; iifname . oifname vmap { "pa" . "pb" : jump ab, "pb" . "pa" : jump ba }
	}
	chain out { type filter hook output priority 200; oifname "pb" ip daddr 10.0.0.2 tcp dport 90 drop
	}
	chain i { type filter hook input priority -200; ip daddr 10.0.0.254 tcp dport 91 drop
	}
}
X`, append(served("~b", "tcp 80", "tcp 81", "tcp 82", "tcp 90", "udp 53"), "~s tcp 0.0.0.0:91"),
				slices.Concat(asked("~a", "10.0.0.2 yes", "fd00::2 request ~s filter-drop", "10.0.0.2:80 yes", "10.0.0.2:81 request ~s filter-drop", "10.0.0.2:82 reply ~s filter-drop", "10.0.0.2:53/udp request ~s filter-drop", "10.0.0.254:91 request ~s filter-drop"),
					asked("~s", "10.0.0.2:90 request ~s filter-drop")),
			},
			true,
		},
		{
			// A packet keeps the port that it came by up to the rules of input, and when it is routed on.
			scene{
				"Q02-port-of-what-is-for-here", `B2; room ~x; cable ~s px ~x vx; at ~s px 10.7.0.1/24; at ~x vx 10.7.0.2/24; ip -n ~x route add default via 10.7.0.1; ip -n ~a route add default via 10.0.0.254; ip -n ~b route add default via 10.0.0.254
sys ~s net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1; inside ~s iptables-legacy -A INPUT -m physdev --physdev-in pb -j DROP; inside ~s iptables-legacy -A FORWARD -m physdev --physdev-in pb -o px -j DROP; inside ~s iptables-legacy -A FORWARD -m physdev ! --physdev-out pb -p udp -j DROP`,
				[]string{"~x udp 0.0.0.0:53"},
				slices.Concat(asked("~a", "10.0.0.254 yes", "10.7.0.2 yes", "10.7.0.2:53/udp reply ~s filter-drop"), asked("~b", "10.0.0.254 request ~s filter-drop", "10.7.0.2 request ~s filter-drop")),
			},
			true,
		},
		{
			scene{
				"Q03-ports-of-what-passes", `B2; sys ~s net.bridge.bridge-nf-call-iptables=1; f() { inside ~s iptables-legacy "$@"; }; f -A FORWARD -m physdev --physdev-is-bridged ! --physdev-in pa -p tcp --sport 82 -j DROP; f -A FORWARD -m physdev --physdev-in p+ -p tcp --dport 80 -j DROP
f -A FORWARD -i br0 -o br0 -p tcp --dport 81 -m mac --mac-source 02:00:00:00:00:01 -j DROP; f -t raw -A PREROUTING -m physdev --physdev-in pa -p udp -j DROP`,
				served("~b", "tcp 80", "tcp 81", "tcp 82", "udp 53"), asked("~a", "10.0.0.2:80 request ~s filter-drop", "10.0.0.2:81 yes", "10.0.0.2:82 reply ~s filter-drop", "10.0.0.2:53/udp request ~s filter-drop"),
			},
			true,
		},
		{
			// What br_netfilter rewrites is bridged on only where the bridge forwards; what keeps its address is.
			scene{
				"Q04-rewritten-on-a-bridge", `B2; sys ~s net.bridge.bridge-nf-call-iptables=1; inside ~s iptables-legacy -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination 10.0.0.2:8080; inside ~s iptables-legacy -t nat -A PREROUTING -p tcp --dport 81 -j REDIRECT --to-ports 8081`,
				slices.Concat(served("~b", "tcp 8080"), served("~s", "tcp 8081")), asked("~a", "10.0.0.2:80 yes", "10.0.0.2:81 yes", "10.0.0.254:80 request ~s forwarding-disabled"),
			},
			true,
		},
		{
			scene{
				"Q05-ingress-of-ports", `B2; rules ~s <<X
table netdev d {
	chain i { type filter hook ingress device pb priority 0; ether type arp arp operation reply drop
	}
	chain i2 { type filter hook ingress devices = { pa, pb } priority 10; tcp dport 80 drop
	}
}
X`, served("~b", "tcp 80"), asked("~a", "10.0.0.2 request ~s arp-filtered", "10.0.0.2:80 request ~s filter-drop"),
			},
			true,
		},
		{
			scene{
				"Q06-which-listener", `P26; cable ~a vx ~b vy; at ~a vx 10.5.0.1/24; at ~b vy 10.5.0.2/24`,
				[]string{"~b tcp 10.0.0.2:80", "~b tcp [::]:81 v6only", "~b tcp 10.5.0.2:81", "~b tcp 0.0.0.0:82 dev vy", "~b tcp [fd00::2]:83", "~b udp 10.0.0.2:53 dev vb", "~b tcp [::ffff:10.5.0.2]:84"},
				asked("~a", "10.5.0.2:80 request ~b listener-wrong-address", "10.0.0.2:81 request ~b listener-wrong-address", "[fd00::2]:81 yes", "10.0.0.2:82 request ~b listener-wrong-device", "10.5.0.2:82 yes", "10.0.0.2:83 request ~b listener-wrong-family",
					"[fd00::2]:80 request ~b listener-wrong-family", "10.0.0.2:53/udp yes", "10.0.0.2:84 request ~b listener-wrong-address", "[fd00::2]:84 request ~b listener-wrong-family", "10.5.0.2:84 yes"),
			},
			false,
		},
	}
}
