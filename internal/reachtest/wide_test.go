package reachtest_test

// crowd makes the bridge of B2 one of 62 ports, so many that a walk does not look at each: what is behind them has no address.
const crowd = `
	room x; sys x net.ipv6.conf.default.disable_ipv6=1
	for i in $(seq 60); do echo "link add p$i master br0 up type veth peer name e$i netns x"; done | ip -n s -batch -
	for i in $(seq 60); do echo "link set e$i up"; done | ip -n x -batch -
	mac() { ip -n $1 -o link show $2 | sed 's/.*ether \([^ ]*\).*/\1/'; }
`

// wideScenes are what one could get wrong who does not look at each port of a wide bridge.
func wideScenes() []scene {
	wide := "B2; at a va fd00::1/64; at b vb fd00::2/64;" + crowd
	more := func(ns, port, dev string) string {
		return "room " + ns + "; cable s " + port + " " + ns + " " + dev + "; ip -n s link set " + port + " master br0;"
	}
	return []scene{
		{
			"X01-wide", wide,
			[]string{"b tcp 0.0.0.0:80", "b udp [::]:53"},
			[]question{
				{src: "a", dst: "10.0.0.2", want: "yes"},
				{src: "a", dst: "10.0.0.2:80", want: "yes"},
				{src: "a", dst: "10.0.0.2:81", want: "request b no-listener"},
				{src: "a", dst: "fd00::2", want: "yes"},
				{src: "a", dst: "[fd00::2]:53/udp", want: "yes"},
				{src: "a", dst: "10.0.0.254", want: "yes"},
				{src: "s", dst: "10.0.0.2", want: "yes"},
				{src: "b", dst: "10.0.0.1", want: "yes"},
				{src: "a", dst: "10.0.0.2", size: 1400, want: "yes"},
				{src: "a", dst: "10.0.0.9", want: "request a neighbour-failed"},
			},
		},
		{
			// Two have the address, and only one of them answers the question: it depends on who is heard first.
			"X02-two-owners", wide + more("c", "pc", "vc") + "at c vc 10.0.0.2/24; inside c nft 'add table inet f; add chain inet f i { type filter hook input priority 0; }; add rule inet f i icmp type echo-request drop'", nil,
			[]question{{src: "a", dst: "10.0.0.2", want: "unknown", blind: true}},
		},
		{"X03-two-owners-who-answer", wide + more("c", "pc", "vc") + "at c vc 10.0.0.2/24", nil, []question{{src: "a", dst: "10.0.0.2", want: "yes", also: "duplicate-address"}}},
		{
			"X04-owner-on-another-link", wide + "at b lo 10.0.0.3/32", nil,
			[]question{{src: "a", dst: "10.0.0.3", want: "yes"}},
		},
		{
			// c answers for an address behind it, which nobody on the bridge has; and for b's, later than b does.
			"X05-proxy-arp", wide + more("c", "pc", "vc") + `room d; cable c vd d ve; at c vc 10.0.0.4/24; at c vd 10.0.9.1/24; at d ve 10.0.9.2/24; at d lo 10.0.0.9/32
				ip -n d route add default via 10.0.9.1; ip -n c route add 10.0.0.9 via 10.0.9.2; ip -n c route add 10.0.0.2 via 10.0.9.2; sys c net.ipv4.ip_forward=1 net.ipv4.conf.vc.proxy_arp=1`, nil,
			[]question{{src: "a", dst: "10.0.0.9", want: "yes"}, {src: "a", dst: "10.0.0.2", want: "yes"}},
		},
		{
			"X06-isolated", wide + "inside s bridge link set dev pa isolated on; inside s bridge link set dev pb isolated on", nil,
			[]question{{src: "a", dst: "10.0.0.2", want: "request s port-isolated"}, {src: "a", dst: "10.0.0.254", want: "yes"}},
		},
		{
			"X07-flood-off", wide + "inside s bridge link set dev pb flood off learning off; inside s ip link set dev br0 type bridge fdb_flush", nil,
			[]question{{src: "a", dst: "10.0.0.2", want: "request s flood-off"}},
		},
		{
			"X08-station-moved", wide + "inside s bridge fdb replace $(mac b vb) dev p7 master dynamic", nil,
			[]question{{src: "a", dst: "10.0.0.2", want: "yes"}},
		},
		{
			"X09-station-pinned-elsewhere", wide + "inside s bridge fdb replace $(mac b vb) dev p7 master static sticky; inside s bridge fdb replace $(mac a va) dev pa master static", nil,
			[]question{{src: "a", dst: "10.0.0.2", want: "request s stale-fdb"}},
		},
		{
			"X10-station-pinned-here", wide + "inside s bridge fdb replace $(mac b vb) dev pa master static sticky", nil,
			[]question{{src: "a", dst: "10.0.0.2", want: "request s stale-fdb"}},
		},
		{"X11-owner-is-down", wide + "ip -n b link set vb down", nil, []question{{src: "a", dst: "10.0.0.2", want: "request b peer-down"}}},
		{
			// Behind two ports there are further bridges, one of them in the same namespace.
			"X12-more-bridges", wide + `room t c; ip -n t link add br1 type bridge; ip -n t link set br1 up; cable s pt t td; ip -n s link set pt master br0; ip -n t link set td master br1
				cable t pc c vc; ip -n t link set pc master br1; at c vc 10.0.0.5/24
				room d; ip -n s link add br2 type bridge; ip -n s link set br2 up; ip -n s link add y0 type veth peer name y1; ip -n s link set y0 master br0 up; ip -n s link set y1 master br2 up
				cable s pd d vd; ip -n s link set pd master br2; at d vd 10.0.0.6/24`, nil,
			[]question{{src: "a", dst: "10.0.0.5", want: "yes"}, {src: "a", dst: "10.0.0.6", want: "yes"}, {src: "d", dst: "10.0.0.5", want: "yes"}},
		},
		{
			"X13-mtu-and-rules", wide + "ip -n s link set pb mtu 1300; inside s nft 'add table bridge f; add chain bridge f fw { type filter hook forward priority 0; }; add rule bridge f fw oifname pb ether type ip ip protocol udp drop'",
			[]string{"b udp 0.0.0.0:53"},
			[]question{{src: "a", dst: "10.0.0.2", size: 1400, want: "request s mtu-bridge-port"}, {src: "a", dst: "10.0.0.2:53/udp", want: "request s filter-drop"}},
		},
		{"X14-filters-of-tc", wide + "inside s tc qdisc add dev pb clsact; inside s tc filter add dev pb egress protocol ip prio 1 u32 match ip dport 80 0xffff flowid 1:1", nil, []question{{src: "a", dst: "10.0.0.2", want: "unknown", object: "filters of tc on pb"}}},
		{"X15-address-on-a-port", wide + "at s p9 10.0.7.1/24", nil, []question{{src: "s", dst: "10.0.7.2", want: "request s address-on-bridge-port"}}},
		{
			// None of those has the address that is asked for, and each answers for it, or has somebody behind it who does.
			"X16-who-answers-for-others", wide + more("c", "pc", "vc") + "at c vc 10.0.0.21/24; ip -n c neigh add proxy 10.0.0.31 dev vc; sys c net.ipv4.ip_forward=1; room cc; cable c vcc cc ve; at c vcc 10.0.9.1/24; at cc ve 10.0.9.2/24; ip -n cc route add default via 10.0.9.1; at cc lo 10.0.0.31/32; ip -n c route add 10.0.0.31 via 10.0.9.2;" +
				more("d", "pd", "vd") + "at d vd 10.0.0.22/24; ip -n d route add local 10.0.0.32 dev lo;" +
				more("e", "pe", "ve") + "room ee; ip -n e link add mv link ve type macvlan mode bridge; ip -n e link set mv netns ee; ip -n ee link set mv up; at ee mv 10.0.0.33/24;" +
				more("g", "pg", "vg") + "at g vg fd00::24/64; sys g net.ipv6.conf.all.forwarding=1 net.ipv6.conf.vg.proxy_ndp=1; ip -n g neigh add proxy fd00::34 dev vg; room gg; cable g vgg gg ve; at g vgg fd09::1/64; at gg ve fd09::2/64; ip -n gg route add default via fd09::1; at gg lo fd00::34/128; ip -n g route add fd00::34 via fd09::2", nil,
			[]question{
				{src: "a", dst: "10.0.0.31", want: "yes"},
				{src: "a", dst: "10.0.0.32", want: "yes"},
				{src: "a", dst: "10.0.0.33", want: "yes"},
				{src: "a", dst: "fd00::34", want: "yes"},
				{src: "a", dst: "10.0.0.39", want: "request a neighbour-failed"},
			},
		},
		{
			"X17-owner-on-a-macvlan-that-is-down", wide + more("e", "pe", "ve") + "room ee; ip -n e link add mv link ve type macvlan mode bridge; ip -n e link set mv netns ee; at ee mv 10.0.0.33/24; ip -n ee link set mv down", nil,
			[]question{{src: "a", dst: "10.0.0.33", want: "request ee peer-down"}},
		},
	}
}
