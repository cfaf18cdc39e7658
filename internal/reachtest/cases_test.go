package reachtest_test

// A scene is one case: what is built, what is asked, and what must come out.
type scene struct {
	id    string
	build string
	serve []string
	ask   []question
}

// A question and its answer: "yes", "unknown", or "request|reply NAMESPACE CODE".
type question struct {
	src, dst string
	from     string
	mark     uint32
	size     int
	ttl      uint8
	user     bool
	want     string
	also     string // a code that must be among Also
	object   string // of an unknown: what it names
	// blind: no probe can judge (a timing race, a user's permissions, a mark).
	blind bool
}

func scenes() []scene {
	return []scene{
		// A: filters.
		{"A01", "R3; inside r iptables-legacy -P FORWARD DROP", nil, []question{{src: "a", dst: "10.0.2.2", want: "request r filter-drop"}}},
		{
			"A02", "R3; inside r nft 'add table inet f; add chain inet f fw { type filter hook forward priority 0; policy drop; }; add rule inet f fw ct state established accept'", nil,
			[]question{{src: "a", dst: "10.0.2.2", want: "request r filter-drop"}},
		},
		{
			"A03-accept-is-not-final", "R3; inside r nft 'add table inet x; add chain inet x fw { type filter hook forward priority 0; }; add rule inet x fw accept; add table inet y; add chain inet y fw { type filter hook forward priority 10; policy drop; }'", nil,
			[]question{{src: "a", dst: "10.0.2.2", want: "request r filter-drop"}},
		},
		{
			"A04", "R3; inside r nft 'add table ip f; add chain ip f fw { type filter hook forward priority 0; }; add rule ip f fw accept'; inside r iptables-legacy -A FORWARD -d 10.0.2.2 -j DROP", nil,
			[]question{{src: "a", dst: "10.0.2.2", want: "request r filter-drop"}},
		},
		{
			"A05", "R3; inside r nft 'add table inet f; add chain inet f fw { type filter hook forward priority 0; }; add rule inet f fw reject with icmpx admin-prohibited'", nil,
			[]question{{src: "a", dst: "10.0.2.2", want: "request r filter-reject"}},
		},
		{
			"A06-output", "P2; inside a nft 'add table inet f; add chain inet f out { type filter hook output priority 0; }; add rule inet f out udp dport 53 drop'",
			[]string{"b udp 0.0.0.0:53"},
			[]question{{src: "a", dst: "10.0.0.2:53/udp", want: "request a filter-drop"}, {src: "a", dst: "10.0.0.2", want: "yes"}},
		},
		{
			"A07", "R3; inside r nft 'add table inet f; add chain inet f fw { type filter hook forward priority 0; }; add rule inet f fw ip protocol icmp drop'",
			[]string{"b tcp 0.0.0.0:80"},
			[]question{{src: "a", dst: "10.0.2.2", want: "request r filter-drop"}, {src: "a", dst: "10.0.2.2:80", want: "yes"}},
		},
		{
			"A08-ct-invalid", "R3; cable r r3 b vc; at r r3 10.0.3.1/24; at b vc 10.0.3.2/24; cable b vd a ve; at b vd 10.0.4.2/24; at a ve 10.0.4.1/24; ip -n b route add 10.0.1.0/24 via 10.0.4.1; inside r nft 'add table inet f; add chain inet f fw { type filter hook forward priority 0; }; add rule inet f fw ct state invalid drop'",
			[]string{"b tcp 0.0.0.0:80"},
			[]question{{src: "a", dst: "10.0.2.2:80", want: "request r ct-invalid"}, {src: "a", dst: "10.0.2.2", want: "yes"}},
		},
		{
			"A09-nat-bypassed", "B2; sys s net.ipv4.ip_forward=1; inside s nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; add rule ip n pre tcp dport 8080 dnat to 10.0.0.2:80'",
			[]string{"b tcp 0.0.0.0:80"},
			[]question{{src: "a", dst: "10.0.0.254:8080", want: "reply s nat-bypassed"}, {src: "a", dst: "10.0.0.2:80", want: "yes"}},
		},
		{
			"A09-nat-seen", "B2; sys s net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1; inside s nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; add rule ip n pre tcp dport 8080 dnat to 10.0.0.2:80'",
			[]string{"b tcp 0.0.0.0:80"},
			[]question{{src: "a", dst: "10.0.0.254:8080", want: "yes"}},
		},
		{"A10-off", "B2; inside s iptables-legacy -A FORWARD -i br0 -o br0 -j DROP", nil, []question{{src: "a", dst: "10.0.0.2", want: "yes"}}},
		{"A10-on", "B2; sys s net.bridge.bridge-nf-call-iptables=1; inside s iptables-legacy -A FORWARD -i br0 -o br0 -j DROP", nil, []question{{src: "a", dst: "10.0.0.2", want: "request s filter-drop"}}},
		{
			"A12", "B2; at a va fd00::1/64; at b vb fd00::2/64; sys s net.bridge.bridge-nf-call-ip6tables=1; inside s ip6tables-legacy -P FORWARD DROP; inside s ip6tables-legacy -A FORWARD -s fd00::/64 -d fd00::/64 -j ACCEPT", nil,
			[]question{{src: "a", dst: "fd00::2", want: "request s ndp-filtered"}, {src: "a", dst: "10.0.0.2", want: "yes"}},
		},
		{
			"A14", "P26; at a va fd00:9::1/64; inside b nft 'add table inet f; add chain inet f pre { type filter hook prerouting priority -150; }; add rule inet f pre meta nfproto ipv6 fib saddr . iif oif missing drop'", nil,
			[]question{{src: "a", dst: "fd00::2", from: "fd00:9::1", want: "request b rpf-rule"}, {src: "a", dst: "fd00::2", from: "fd00::1", want: "yes"}},
		},
		{
			"A15-reply-filtered", "R3; inside r nft 'add table inet f; add chain inet f fw { type filter hook forward priority 0; }; add rule inet f fw iifname r2 drop'", nil,
			[]question{{src: "a", dst: "10.0.2.2", want: "reply r filter-drop"}},
		},
		{
			"A16", "P2; inside b nft 'add table inet f; add chain inet f inp { type filter hook input priority 0; }; add rule inet f inp icmp type echo-request drop'", nil,
			[]question{{src: "a", dst: "10.0.0.2", want: "request b filter-drop"}},
		},
		{
			"A17-dnat-published", "R3; inside r nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; add rule ip n pre tcp dport 8080 dnat to 10.0.2.2:80'",
			[]string{"b tcp 0.0.0.0:80"},
			[]question{{src: "a", dst: "10.0.1.1:8080", want: "yes"}, {src: "a", dst: "10.0.1.1:8081", want: "request r no-listener"}},
		},
		{"A18-arp-filtered", "P2; inside b nft 'add table arp f; add chain arp f inp { type filter hook input priority 0; policy drop; }'", nil, []question{{src: "a", dst: "10.0.0.2", want: "request b arp-filtered"}}},

		// B: routing and forwarding.
		{"B01", "R3; sys r net.ipv4.ip_forward=0", nil, []question{{src: "a", dst: "10.0.2.2", want: "request r forwarding-disabled"}}},
		{"B02-one-device", "R3; sys r net.ipv4.conf.r2.forwarding=0", nil, []question{{src: "a", dst: "10.0.2.2", want: "reply r forwarding-disabled"}}},
		{"B03", "R3; ip -n a route del default", nil, []question{{src: "a", dst: "10.0.2.2", want: "request a no-route"}}},
		{"B04", "R3; ip -n b route del default", []string{"b tcp 0.0.0.0:80"}, []question{{src: "a", dst: "10.0.2.2", want: "reply b no-return-route"}, {src: "a", dst: "10.0.2.2:80", want: "reply b no-return-route"}}},
		{"B05", "R3; ip -n r route del 10.0.2.0/24", nil, []question{{src: "a", dst: "10.0.2.2", want: "request r no-route"}}},
		{"B07", "R3; ip -n a rule add fwmark 1 lookup 1", nil, []question{{src: "a", dst: "10.0.2.2", mark: 1, want: "yes", also: "rule-table-empty", blind: true}}},
		{"B08-shadowed", "R3; cable a vx r rx; at a vx 10.0.2.9/24", nil, []question{{src: "a", dst: "10.0.2.2", want: "request a route-shadowed"}}},
		{
			"B10", "room h c g; cable h lan g gl; at h lan 10.11.12.13/24; at g gl 10.11.12.1/24; ip -n h link add br0 type bridge; ip -n h link set br0 up; at h br0 172.17.0.1/16; cable h p c eth0; ip -n h link set p master br0; at c eth0 172.17.0.2/16; ip -n c route add default via 172.17.0.1; ip -n h rule add pref 3 from 10.11.12.13 lookup 200; ip -n h route add default via 10.11.12.1 table 200",
			nil,
			[]question{{src: "c", dst: "10.11.12.13", want: "reply h reply-misrouted"}, {src: "c", dst: "172.17.0.1", want: "yes"}},
		},
		{
			"B11-rp-filter", "R3; cable a ve r r3; at a ve 10.0.3.2/24; at r r3 10.0.3.1/24; ip -n a route replace default via 10.0.3.1 src 10.0.1.2; sys r net.ipv4.conf.r3.rp_filter=1", nil,
			[]question{{src: "a", dst: "10.0.2.2", from: "10.0.1.2", want: "request r rp-filter"}},
		},
		{
			"B12-rp-filter-loose", "R3; cable a ve r r3; at a ve 10.0.3.2/24; at r r3 10.0.3.1/24; ip -n a route replace default via 10.0.3.1 src 10.0.1.2; sys r net.ipv4.conf.r3.rp_filter=2", nil,
			[]question{{src: "a", dst: "10.0.2.2", want: "yes"}},
		},
		{
			"B13", "room h c g1 g2; for i in 1 2; do ip -n h link add br$i type bridge; ip -n h link set br$i up; cable h p$i c e$i; ip -n h link set p$i master br$i; at h br$i 10.8$i.0.1/16; at c e$i 10.8$i.0.2/16; done; cable h ul g1 u; at h ul 10.9.0.1/24; at g1 u 10.9.0.2/24; ip -n c route add default via 10.81.0.1 dev e1 metric 100; ip -n c route append default via 10.82.0.1 dev e2 metric 100; sys h net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=1; inside h nft 'add table ip n; add chain ip n post { type nat hook postrouting priority 100; }; add rule ip n post oifname ul masquerade'",
			nil,
			[]question{{src: "c", dst: "10.9.0.2", want: "yes"}, {src: "c", dst: "10.9.0.2", from: "10.81.0.2", want: "unknown", blind: true}},
		},
		{"B14", "P2; at b lo 10.0.0.1/32", nil, []question{{src: "a", dst: "10.0.0.2", want: "request b martian-own-source"}}},
		{
			"B15-localnet", "P2; inside b nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; add rule ip n pre tcp dport 80 dnat to 127.0.0.1:80'",
			[]string{"b tcp 127.0.0.1:80"},
			[]question{{src: "a", dst: "10.0.0.2:80", want: "request b localnet"}},
		},
		{
			"B16-blackhole", "P2; ip -n a route add blackhole 10.9.0.0/24; ip -n a route add unreachable 10.8.0.0/24; ip -n a route add prohibit 10.7.0.0/24", nil,
			[]question{{src: "a", dst: "10.9.0.1", want: "request a route-blackhole"}, {src: "a", dst: "10.8.0.1", want: "request a route-unreachable"}, {src: "a", dst: "10.7.0.1", want: "request a route-prohibit"}},
		},
		{
			"B16-router", "R3; ip -n r route add blackhole 10.9.0.0/24; ip -n r route add unreachable 10.8.0.0/24; ip -n r route add prohibit 10.7.0.0/24", nil,
			[]question{{src: "a", dst: "10.9.0.1", want: "request r route-blackhole"}, {src: "a", dst: "10.8.0.1", want: "request r route-unreachable"}, {src: "a", dst: "10.7.0.1", want: "request r route-prohibit"}},
		},
		{"B17-rule-prohibit", "R3; ip -n r rule add pref 5 from 10.0.1.0/24 prohibit", nil, []question{{src: "a", dst: "10.0.2.2", want: "request r route-prohibit"}}},
		{"B19", "R3; ip -n r route add 10.9.0.0/24 via 10.0.2.2; sys b net.ipv4.ip_forward=1", nil, []question{{src: "a", dst: "10.9.0.1", want: "request r loop"}}},
		{"B21", "R3", nil, []question{{src: "a", dst: "10.0.2.2", ttl: 1, want: "request r ttl-exceeded", blind: true}, {src: "a", dst: "10.0.2.2", ttl: 2, want: "yes", blind: true}}},

		// C: links, bridges, neighbours.
		{"C01", "P2; ip -n a link set va down", nil, []question{{src: "a", dst: "10.0.0.2", want: "request a link-down"}}},
		{"C01-routed", "R3; ip -n a link set va down", nil, []question{{src: "a", dst: "10.0.2.2", want: "request a link-down"}}},
		{"C02", "P2; ip -n b link set vb down", nil, []question{{src: "a", dst: "10.0.0.2", want: "request b peer-down"}}},
		{"C02-v6", "P26; ip -n b link set vb down", nil, []question{{src: "a", dst: "fd00::2", want: "request b peer-down"}}},
		{"C03-not-enslaved", "B2; ip -n s link set pb nomaster", nil, []question{{src: "a", dst: "10.0.0.2", want: "request s not-enslaved"}}},
		{"C03-own-side", "B2; ip -n s link set pa nomaster", nil, []question{{src: "a", dst: "10.0.0.2", want: "request s not-enslaved"}, {src: "a", dst: "10.0.0.254", want: "reply s not-enslaved", blind: true}}},
		{"C04", "B2; ip -n s link set br0 down", nil, []question{{src: "a", dst: "10.0.0.2", want: "request s bridge-down"}}},
		{
			"C05", "B2; ip -n s link set pb nomaster; ip -n s link set pa nomaster; ip -n s link set br0 type bridge stp_state 1 forward_delay 3000; ip -n s link set pa master br0; ip -n s link set pb master br0", nil,
			[]question{{src: "a", dst: "10.0.0.2", want: "request s port-not-forwarding"}},
		},
		{"C06-isolated", "B2; inside s bridge link set dev pa isolated on; inside s bridge link set dev pb isolated on", nil, []question{{src: "a", dst: "10.0.0.2", want: "request s port-isolated"}, {src: "a", dst: "10.0.0.254", want: "yes"}}},
		{
			"C07-hairpin", "B2; sys s net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1; inside s nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; add rule ip n pre tcp dport 8080 dnat to 10.0.0.1:80; add chain ip n post { type nat hook postrouting priority 100; }; add rule ip n post ip saddr 10.0.0.1 ip daddr 10.0.0.1 masquerade'",
			[]string{"a tcp 0.0.0.0:80"},
			[]question{{src: "a", dst: "10.0.0.254:8080", want: "request s hairpin-off"}},
		},
		{
			"C07-hairpin-on", "B2; inside s bridge link set dev pa hairpin on; sys s net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1; inside s nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; add rule ip n pre tcp dport 8080 dnat to 10.0.0.1:80; add chain ip n post { type nat hook postrouting priority 100; }; add rule ip n post ip saddr 10.0.0.1 ip daddr 10.0.0.1 masquerade'",
			[]string{"a tcp 0.0.0.0:80"},
			[]question{{src: "a", dst: "10.0.0.254:8080", want: "yes"}},
		},
		{"C08-not-modelled-here-flood-off", "B2; inside s bridge link set dev pb flood off learning off; inside s ip link set dev br0 type bridge fdb_flush", nil, []question{{src: "a", dst: "10.0.0.2", want: "request s flood-off"}}},
		{
			"C09", "room s a; ip -n s link add br0 type bridge; ip -n s link set br0 up; cable s pa a va; ip -n s link set pa master br0; at s pa 10.0.0.254/24; at a va 10.0.0.1/24", nil,
			[]question{{src: "a", dst: "10.0.0.254", want: "reply s address-on-bridge-port"}},
		},
		{"C11", "B2; inside a ping -c1 -W2 10.0.0.2 >/dev/null; ip -n b link set vb address 02:00:00:00:99:01", nil, []question{{src: "a", dst: "10.0.0.2", want: "request a stale-neighbour"}}},
		{"C12-wrong-permanent", "P2; ip -n a neigh add 10.0.0.2 lladdr 02:00:00:00:99:02 dev va", nil, []question{{src: "a", dst: "10.0.0.2", want: "request a neighbour-mac-mismatch"}}},
		{
			"C13", "B2; room c; cable s pc c vc; ip -n s link set pc master br0; at c vc 10.0.0.2/24; inside c nft 'add table inet f; add chain inet f i { type filter hook input priority 0; }; add rule inet f i icmp type echo-request drop'", nil,
			[]question{{src: "a", dst: "10.0.0.2", want: "unknown", also: "duplicate-address", blind: true}},
		},
		{"C14", "P2", nil, []question{{src: "a", dst: "10.0.0.77", want: "request a neighbour-failed"}}},
		{"C15-proxy-no-route", "P2; sys b net.ipv4.conf.vb.proxy_arp=1 net.ipv4.ip_forward=1", nil, []question{{src: "a", dst: "10.0.0.77", want: "request a neighbour-failed", blind: true}}},
		{
			"C15-calico", "room h c; cable h cali c eth0; at c eth0 10.65.0.2/32; ip -n c route add 169.254.1.1 dev eth0 scope link; ip -n c route add default via 169.254.1.1; ip -n h route add 10.65.0.2 dev cali; at h lo 10.99.0.1/32; sys h net.ipv4.conf.cali.proxy_arp=1 net.ipv4.ip_forward=1", nil,
			[]question{{src: "c", dst: "10.99.0.1", want: "request h proxy-arp-no-route"}},
		},
		{
			"C16", "room h c; cable h cali c eth0; at c eth0 10.65.0.2/32; ip -n c route add 169.254.1.1 dev eth0 scope link; ip -n c route add default via 169.254.1.1; ip -n h route add 10.65.0.2 dev cali; at h lo 10.99.0.1/32", nil,
			[]question{{src: "c", dst: "10.99.0.1", want: "request c gateway-unanswered"}},
		},
		{"C17-arp-ignore", "P2; at b lo 10.0.0.9/32; sys b net.ipv4.conf.all.arp_ignore=1", nil, []question{{src: "a", dst: "10.0.0.9", want: "request b arp-ignored"}, {src: "a", dst: "10.0.0.2", want: "yes"}}},
		{"C18", "P2; ip -n b link set vb arp off", nil, []question{{src: "a", dst: "10.0.0.2", want: "request b noarp"}}},
		{"C19", "M2 bridge", nil, []question{{src: "c", dst: "10.0.0.1", want: "request a macvlan-parent"}, {src: "c", dst: "10.0.0.2", want: "yes"}, {src: "a", dst: "10.0.0.3", want: "request a macvlan-parent"}}},
		{"C20-private", "M2 private", nil, []question{{src: "c", dst: "10.0.0.4", want: "request c macvlan-mode"}, {src: "c", dst: "10.0.0.2", want: "yes"}}},
		{"C20-vepa", "M2 vepa", nil, []question{{src: "c", dst: "10.0.0.4", want: "request c macvlan-mode"}}},
		{"C21", "M2 bridge; ip -n a link set va down", nil, []question{{src: "c", dst: "10.0.0.2", want: "request a parent-down"}}},

		// D: MTU and VXLAN.
		{"D01", "P2; ip -n b link set vb mtu 1300", nil, []question{
			{src: "a", dst: "10.0.0.2", size: 1400, want: "request b mtu-peer"},
			{src: "a", dst: "10.0.0.2", want: "yes", also: "mtu-peer"},
			{src: "a", dst: "10.0.0.2", size: 1304, want: "yes"},
			{src: "a", dst: "10.0.0.2", size: 1305, want: "request b mtu-peer"},
		}},
		{"D02-bridge-port", "B2; ip -n s link set pb mtu 1300", nil, []question{{src: "a", dst: "10.0.0.2", size: 1400, want: "request s mtu-bridge-port"}}},
		{"D03", "R3; ip -n r link set r2 mtu 1300; ip -n b link set vb mtu 1300", nil, []question{{src: "a", dst: "10.0.2.2", size: 1400, want: "request r mtu-exceeded"}}},
		{
			"D04-blackhole", "R3; ip -n r link set r2 mtu 1300; ip -n b link set vb mtu 1300; inside r nft 'add table inet f; add chain inet f out { type filter hook output priority 0; }; add rule inet f out icmp type destination-unreachable drop'", nil,
			[]question{{src: "a", dst: "10.0.2.2", size: 1400, want: "request r pmtu-blackhole"}},
		},
		{"D05", "VNI=43; V2", nil, []question{{src: "a", dst: "192.168.9.2", want: "request b vxlan-vni"}}},
		{"D06-port", "VXPORT=4790; V2", nil, []question{{src: "a", dst: "192.168.9.2", want: "request b vxlan-port"}}},
		{"D07", "P2; ip -n a link add vx0 type vxlan id 42 dstport 4789 nolearning; ip -n a link set vx0 up; at a vx0 192.168.9.1/24", nil, []question{{src: "a", dst: "192.168.9.2", want: "request a vxlan-no-fdb"}}},
		{
			"D08", "P2; ip -n a link add vx0 type vxlan id 42 dstport 4789 remote 10.77.0.1; ip -n a link set vx0 up; at a vx0 192.168.9.1/24; ip -n a neigh add 192.168.9.2 lladdr 02:00:00:00:00:22 dev vx0", nil,
			[]question{{src: "a", dst: "192.168.9.2", want: "request a vxlan-underlay-no-route"}},
		},
		{"D10", "V2; ip -n a link set vx0 mtu 1500; ip -n b link set vx0 mtu 1500", nil, []question{{src: "a", dst: "192.168.9.2", size: 1500, want: "yes"}}},

		// E: sockets, host switches, state, IPv6.
		{"E01", "P2", nil, []question{{src: "a", dst: "10.0.0.2:80", want: "request b no-listener"}, {src: "a", dst: "10.0.0.2:53/udp", want: "request b no-listener"}}},
		{"E02", "P2", []string{"b tcp 127.0.0.1:80"}, []question{{src: "a", dst: "10.0.0.2:80", want: "request b listener-wrong-address"}}},
		{"E03-device", "P2; cable a vx b vy", []string{"b tcp 0.0.0.0:80 dev vy"}, []question{{src: "a", dst: "10.0.0.2:80", want: "request b listener-wrong-device"}}},
		{"E04", "P2; ip -n a link set lo down", nil, []question{{src: "a", dst: "127.0.0.1", want: "request a loopback-down"}, {src: "a", dst: "10.0.0.1", want: "request a loopback-down"}}},
		{"E05-echo", "P2; sys b net.ipv4.icmp_echo_ignore_all=1", nil, []question{{src: "a", dst: "10.0.0.2", want: "request b echo-ignored"}}},
		{"E06", "P2; inside a sh -c 'echo 1 0 > /proc/sys/net/ipv4/ping_group_range'", nil, []question{{src: "a", dst: "10.0.0.2", user: true, want: "request a probe-permission", blind: true}, {src: "a", dst: "10.0.0.2", want: "yes", blind: true}}},
		{"E07-family", "P26", []string{"b tcp [::]:80 v6only"}, []question{{src: "a", dst: "10.0.0.2:80", want: "request b listener-wrong-family"}, {src: "a", dst: "[fd00::2]:80", want: "yes"}}},
		{"E08", "R6; sys r net.ipv6.conf.all.forwarding=0", nil, []question{{src: "a", dst: "fd00:2::2", want: "request r forwarding-disabled"}}},
		{"E09-tentative", "P2; sys b net.ipv6.conf.vb.accept_dad=1 net.ipv6.conf.vb.dad_transmits=60; at a va fd00::1/64; ip -n b addr add fd00::2/64 dev vb", nil, []question{{src: "a", dst: "fd00::2", want: "request b address-tentative"}}},
		{"E10", "R6; sys b net.ipv6.conf.vb.disable_ipv6=1", nil, []question{{src: "a", dst: "fd00:2::2", want: "request b ipv6-disabled"}}},
		{
			"E11-dadfailed", "P2; at a va fd00::2/64 fd00::1/64; sys b net.ipv6.conf.vb.accept_dad=1 net.ipv6.conf.vb.dad_transmits=1; ip -n b addr add fd00::2/64 dev vb; i=0; while ! ip -n b addr show dev vb | grep -q dadfailed; do i=$((i+1)); test $i -lt 100; sleep 0.1; done; ip -n a addr del fd00::2/64 dev va", nil,
			[]question{{src: "a", dst: "fd00::2", want: "request b address-dadfailed"}},
		},
		{"E12", "R6; ip -n a -6 route del default; sys a net.ipv6.conf.all.forwarding=1", nil, []question{{src: "a", dst: "fd00:2::2", want: "request a no-route"}}},
		{"E14", "R6; ip -n r link set r2 mtu 1300; ip -n b link set vb mtu 1300", nil, []question{{src: "a", dst: "fd00:2::2", size: 1400, want: "request r mtu-exceeded"}}},

		// F: controls.
		{"F01-P2", "P26", []string{"b tcp 0.0.0.0:80", "b udp 0.0.0.0:53"}, []question{{src: "a", dst: "10.0.0.2", want: "yes"}, {src: "a", dst: "fd00::2", want: "yes"}, {src: "a", dst: "10.0.0.2:80", want: "yes"}, {src: "a", dst: "10.0.0.2:53/udp", want: "yes"}, {src: "a", dst: "b", want: "yes", blind: true}, {src: "a", dst: "127.0.0.1", want: "yes"}, {src: "a", dst: "10.0.0.1", want: "yes"}, {src: "a", dst: "::1", want: "yes"}}},
		{"F01-R6", "R6", []string{"b tcp [::]:80"}, []question{{src: "a", dst: "10.0.2.2", want: "yes"}, {src: "a", dst: "fd00:2::2", want: "yes"}, {src: "a", dst: "[fd00:2::2]:80", want: "yes"}, {src: "a", dst: "10.0.2.2:80", want: "yes"}, {src: "b", dst: "10.0.1.2", want: "yes"}}},
		{"F01-B2", "B2", nil, []question{{src: "a", dst: "10.0.0.2", want: "yes"}, {src: "a", dst: "10.0.0.254", want: "yes"}, {src: "s", dst: "10.0.0.2", want: "yes"}}},
		{"F01-V2", "V2", nil, []question{{src: "a", dst: "192.168.9.2", want: "yes"}}},
		{"F01-M2", "M2 bridge", nil, []question{{src: "c", dst: "10.0.0.2", want: "yes"}, {src: "c", dst: "10.0.0.4", want: "yes"}, {src: "b", dst: "10.0.0.3", want: "yes"}}},
		{"F02", "R3; ip -n b route del default; inside r nft 'add table ip n; add chain ip n post { type nat hook postrouting priority 100; }; add rule ip n post oifname r2 masquerade'", []string{"b tcp 0.0.0.0:80"}, []question{{src: "a", dst: "10.0.2.2", want: "yes"}, {src: "a", dst: "10.0.2.2:80", want: "yes"}}},
		{"F03", "R3; cable b vd a ve; at b vd 10.0.4.2/24; at a ve 10.0.4.1/24; ip -n b route add 10.0.1.0/24 via 10.0.4.1", []string{"b tcp 0.0.0.0:80"}, []question{{src: "a", dst: "10.0.2.2", want: "yes"}, {src: "a", dst: "10.0.2.2:80", want: "yes"}}},
		{"F04-hairpin-by-ip", "R3; inside r nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; add rule ip n pre ip daddr 10.0.2.1 tcp dport 8080 dnat to 10.0.2.2:80; add chain ip n post { type nat hook postrouting priority 100; }; add rule ip n post ip saddr 10.0.2.2 ip daddr 10.0.2.2 masquerade'", []string{"b tcp 0.0.0.0:80"}, []question{{src: "b", dst: "10.0.2.1:8080", want: "yes"}}},
		{
			"F05", "R3; inside r nft 'add table inet f; add chain inet f fw { type filter hook forward priority 0; policy drop; }; add rule inet f fw tcp dport 81 drop; add rule inet f fw iifname nosuch drop; add rule inet f fw ct state established,related accept; add rule inet f fw ip saddr 10.0.1.0/24 accept; add chain inet f inp { type filter hook input priority 0; policy drop; }'",
			[]string{"b tcp 0.0.0.0:80"},
			[]question{{src: "a", dst: "10.0.2.2", want: "yes"}, {src: "a", dst: "10.0.2.2:80", want: "yes"}},
		},
		{
			"F08", "R3; inside r nft 'add table inet f; add set inet f ok { type ipv4_addr; flags interval; elements = { 10.0.1.0/28, 10.0.2.0/28 }; }; add map inet f v { type inet_service : verdict; elements = { 80 : accept, 81 : drop }; }; add chain inet f fw { type filter hook forward priority 0; policy drop; }; add rule inet f fw counter; add rule inet f fw ip protocol icmp ip saddr @ok accept comment \"yes\"; add rule inet f fw ct state established accept; add rule inet f fw tcp dport vmap @v'",
			[]string{"b tcp 0.0.0.0:80", "b tcp 0.0.0.0:81"},
			[]question{{src: "a", dst: "10.0.2.2", want: "yes"}, {src: "a", dst: "10.0.2.2:80", want: "yes"}, {src: "a", dst: "10.0.2.2:81", want: "request r filter-drop"}},
		},
		// Found by random worlds.
		{"W01-own-gateway", "R3; ip -n r rule add pref 171 to 10.0.1.2 lookup 77; ip -n r route add default via 10.0.1.1 dev r1 table 77", nil, []question{{src: "b", dst: "10.0.1.2", want: "unknown"}}},
		{"W02-noarp-sender", "P2; inside b ping -c1 -W2 10.0.0.1 >/dev/null; ip -n b link set vb arp off", nil, []question{{src: "b", dst: "10.0.0.1", want: "request b noarp"}, {src: "a", dst: "10.0.0.2", size: 1280, want: "reply b noarp"}}},
		{"W03-other-address-answers", "P2; at b lo 10.0.0.9/32", []string{"b udp 0.0.0.0:80"}, []question{{src: "a", dst: "10.0.0.9:80/udp", want: "yes"}}},
		{
			"W04-two-owners", "B2; ip -n s link set br0 up; at b lo 10.0.0.3/32; room c; cable s pc c vc; ip -n s link set pc master br0; at c vc 10.0.0.3/24",
			[]string{"c tcp 0.0.0.0:80"},
			[]question{{src: "a", dst: "10.0.0.3:80", want: "unknown", also: "duplicate-address"}},
		},
		{"W05-link-locals-of-two-links", "R6; ip -n a addr del fd00:1::2/64 dev va; ip -n a route add fd00:1::1 dev va", nil, []question{{src: "a", dst: "fd00:1::1", want: "yes"}}},
		{"W06-tunnel-is-the-input", "V2; inside b nft 'add table inet f; add chain inet f post { type filter hook postrouting priority 0; }; add rule inet f post iifname vx0 drop'", nil, []question{{src: "b", dst: "192.168.9.1", want: "request b filter-drop"}, {src: "b", dst: "10.0.0.1", want: "yes"}}},
		{"W07-forwarded-has-an-input", "R3; inside r nft 'add table inet f; add chain inet f post { type filter hook postrouting priority 0; }; add rule inet f post iifname r1 drop'", nil, []question{{src: "a", dst: "10.0.2.2", want: "request r filter-drop"}, {src: "r", dst: "10.0.2.2", want: "yes"}}},
		{"W08-link-local-on-its-link", "B2; at s br0 fd00::fe/64; at b vb fd00::2/64; ip -n a route add fd00::fe dev va; ip -n a route add default via fd00::fe dev va; sys s net.ipv6.conf.all.forwarding=1", nil, []question{{src: "a", dst: "fd00::2", want: "yes"}}},
		{"W09-tunnel-into-itself", "V2; ip -n b route add 10.0.0.1/32 dev vx0", nil, []question{{src: "b", dst: "192.168.9.1", want: "request b loop"}}},
		{"W10-refusals-are-not-suppressed", "R3; ip -n a rule add pref 50 lookup 50 suppress_prefixlength 0; ip -n a route add blackhole default table 50", nil, []question{{src: "a", dst: "10.0.2.2", want: "request a route-blackhole"}}},
		{
			"W11-bound-sockets-need-no-route", "P2; ip -n b addr flush dev vb; at b vb 10.9.0.2/24; ip -n a route add 10.9.0.0/24 dev va",
			[]string{"b tcp 0.0.0.0:80 dev vb", "b tcp 0.0.0.0:81"},
			[]question{{src: "a", dst: "10.9.0.2:80", want: "yes"}, {src: "a", dst: "10.9.0.2:81", want: "reply b no-return-route"}, {src: "a", dst: "10.9.0.2", want: "reply b no-return-route"}},
		},
		{
			"W12-tunnel-learns-translated", "R3; ip -n a link add vx0 type vxlan id 42 dstport 4789 remote 10.0.2.2 local 10.0.1.2; ip -n b link add vx0 type vxlan id 42 dstport 4789 remote 10.0.1.2 local 10.0.2.2; at a vx0 192.168.9.1/24; at b vx0 192.168.9.2/24; ip -n a link set vx0 up; ip -n b link set vx0 up; inside r nft 'add table ip n; add chain ip n post { type nat hook postrouting priority 100; }; add rule ip n post oifname r2 masquerade'", nil,
			[]question{{src: "b", dst: "192.168.9.1", want: "request r vxlan-remote"}},
		},
		{
			"W13-own-broadcasts-are-flooded", "B2; inside s bridge link set dev pb bcast_flood off mcast_flood off; at s br0 fd00::fe/64; at b vb fd00::2/64; at a va fd00::1/64", nil,
			[]question{
				{src: "s", dst: "10.0.0.2", want: "yes"},
				{src: "s", dst: "fd00::2", want: "yes"},
				{src: "a", dst: "10.0.0.2", want: "request s flood-off"},
				{src: "a", dst: "fd00::2", want: "request s flood-off"},
			},
		},
		{"W14-own-gateway-later", "R3; at a lo 10.0.1.1/32", nil, []question{{src: "a", dst: "10.0.2.2", want: "yes"}}},
		{
			"W15-zone-names-the-link", "room a b c; ip -n a link add va index 77 type veth peer name vb netns b; ip -n a link set va up; ip -n b link set vb up; cable a vx c vc; at a va fe80::a/64; at b vb fe80::b/64; at a vx fe80::a/64; at c vc fe80::c/64; cable a vd b vy; ip -n a link set vd down",
			[]string{"b tcp [::]:80", "c udp [::]:80"},
			[]question{
				{src: "a", dst: "fe80::b%va", want: "yes"},
				{src: "a", dst: "fe80::b%77", want: "yes"},
				{src: "a", dst: "fe80::b%va", size: 1400, want: "yes"},
				{src: "a", dst: "fe80::c%vx", want: "yes"},
				{src: "a", dst: "fe80::b%vx", want: "request a neighbour-failed"},
				{src: "a", dst: "fe80::a%va", want: "yes"},
				{src: "a", dst: "fe80::a%vx", want: "yes"},
				{src: "a", dst: "[fe80::b%va]:80", want: "yes"},
				{src: "a", dst: "[fe80::b%77]:80/tcp", want: "yes"},
				{src: "a", dst: "[fe80::c%vx]:80/udp", want: "yes"},
				{src: "a", dst: "[fe80::c%vx]:80", want: "request c no-listener"},
				{src: "a", dst: "[fe80::b]:80", want: "request a no-route"},
				{src: "a", dst: "fe80::b%nosuch", want: "request a no-route"},
				{src: "a", dst: "fe80::b%99", want: "request a no-route"},
				{src: "a", dst: "fe80::b%vd", want: "request a link-down"},
				{src: "a", dst: "fe80::b%va", from: "fe80::a%va", want: "yes"},
				{src: "a", dst: "fe80::b%va", from: "fe80::a%vx", want: "request a no-route"},
			},
		},
		{
			"W16-macvlan-sibling-answers", "M2 bridge; at d lo 10.0.0.1/32 10.0.0.2/32",
			[]string{"d tcp 0.0.0.0:80"},
			[]question{
				{src: "c", dst: "10.0.0.1", want: "yes"},
				{src: "c", dst: "10.0.0.1:80", want: "yes"},
				{src: "c", dst: "10.0.0.2:80", want: "unknown", also: "duplicate-address"},
			},
		},
		{"W17-advertiser-without-arp", "P26; until ip -n b maddr show dev vb | grep -q ff02::1:ff00:2; do :; done; ip -n b link set vb arp off", []string{"b tcp [::]:80"}, []question{
			{src: "a", dst: "fd00::2", want: "request b noarp"},
			{src: "a", dst: "[fd00::2]:80", want: "request b noarp"},
			{src: "a", dst: "[fd00::2]:81", want: "request b noarp"},
			{src: "b", dst: "fd00::1", want: "request b noarp"},
		}},
		{"W18-advertiser-thinks-wrong", "P26; ip -n b neigh add fd00::1 lladdr 02:00:00:00:99:03 dev vb", []string{"b tcp [::]:80"}, []question{
			{src: "a", dst: "fd00::2", want: "request b neighbour-mac-mismatch"},
			{src: "a", dst: "[fd00::2]:80", want: "request b neighbour-mac-mismatch"},
			{src: "a", dst: "[fd00::2]:81", want: "request b neighbour-mac-mismatch"},
			{src: "b", dst: "fd00::1", want: "request b neighbour-mac-mismatch"},
		}},
		// (A link without ARP joins no group for its addresses: it must have done so before.)
		{"W19-advertiser-cannot-ask", "P26; until ip -n b maddr show dev vb | grep -q ff02::1:ff00:2; do :; done; ip -n b link set vb arp off; ip -n b neigh add fd00::1 lladdr $(ip -n a -o link show va | sed 's/.*ether \\([^ ]*\\).*/\\1/') dev vb", []string{"b tcp [::]:80"}, []question{
			{src: "a", dst: "fd00::2", want: "yes"},
			{src: "a", dst: "[fd00::2]:80", want: "yes"},
		}},
		{"W20-advertises-to-another", "B2; at a va fd00::1/64; at b vb fd00::2/64; at s br0 fd00::fe/64; ip -n b neigh add fd00::1 lladdr $(ip -n s -o link show br0 | sed 's/.*ether \\([^ ]*\\).*/\\1/') dev vb", nil, []question{{src: "a", dst: "fd00::2", want: "request b neighbour-mac-mismatch"}, {src: "s", dst: "fd00::2", want: "yes"}}},
		{"W21-narrow-way-back", "R6; ip -n r link set r1 mtu 1300", nil, []question{{src: "a", dst: "fd00:2::2", size: 1304, want: "yes", also: "mtu-exceeded"}, {src: "a", dst: "10.0.2.2", size: 1304, want: "yes"}}},
		{"W22-narrow-way-back-untold", "R6; ip -n r link set r1 mtu 1300; inside r nft 'add table inet f; add chain inet f out { type filter hook output priority 0; }; add rule inet f out icmpv6 type packet-too-big drop'", nil, []question{{src: "a", dst: "fd00:2::2", size: 1304, want: "reply r pmtu-blackhole"}}},
		{"W23-advertisement-in-postrouting", "P26; inside a nft 'add table ip6 f; add chain ip6 f post { type filter hook postrouting priority 0; }; add rule ip6 f post iifname va drop'", nil, []question{{src: "b", dst: "fd00::1", want: "request a ndp-filtered"}}},
		{"F10", "P2; at b lo 10.0.0.9/32", nil, []question{{src: "a", dst: "10.0.0.9", want: "yes"}}},
	}
}
