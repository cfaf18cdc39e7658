package reachtest_test

// walks are cases from the list of decisions on a packet's way, kind of device by kind. mends: the commands that the last
// answer offers, each run once, make the packet arrive.
func walks() []mendable {
	return []mendable{
		// Bridges.
		{
			scene{
				"Q01-isolated-uplink", "B2; room ~t ~c; ip -n ~t link add br1 type bridge; ip -n ~t link set br1 up; cable ~s su ~t td; ip -n ~s link set su master br0; ip -n ~t link set td master br1; cable ~t pc ~c vc; ip -n ~t link set pc master br1; at ~c vc 10.0.0.3/24; inside ~s bridge link set dev pa isolated on; inside ~s bridge link set dev su isolated on",
				nil,
				[]question{{src: "~b", dst: "10.0.0.3", want: "yes"}, {src: "~a", dst: "10.0.0.3", want: "request ~s port-isolated"}, {src: "~c", dst: "10.0.0.1", want: "request ~s port-isolated"}},
			},
			true,
		},
		{
			scene{
				"Q02-pinned-to-another-port", "B2; room ~c; cable ~s pc ~c vc; ip -n ~s link set pc master br0; inside ~s bridge fdb replace $(ip -n ~b -o link show vb | sed 's/.*ether \\([^ ]*\\).*/\\1/') dev pc master static sticky",
				nil,
				[]question{{src: "~a", dst: "10.0.0.2", want: "request ~s stale-fdb"}},
			},
			true,
		},
		{
			scene{
				"Q03-pinned-to-the-bridge", "B2; inside ~s bridge fdb replace $(ip -n ~b -o link show vb | sed 's/.*ether \\([^ ]*\\).*/\\1/') dev pa master local",
				nil,
				[]question{{src: "~a", dst: "10.0.0.2", want: "request ~s stale-fdb"}},
			},
			true,
		},
		{
			scene{
				"Q04-address-of-its-port", "B2; ip -n ~a link set va address $(ip -n ~s -o link show pa | sed 's/.*ether \\([^ ]*\\).*/\\1/'); ip -n ~s link set br0 address 02:00:00:00:77:01",
				nil,
				[]question{{src: "~a", dst: "10.0.0.2", want: "request ~s stale-fdb"}},
			},
			true,
		},
		{
			scene{
				"Q05-private-vlan", "B2; inside ~s bridge link set dev pa isolated on; inside ~s bridge link set dev pb isolated on; sys ~s net.ipv4.ip_forward=1 net.ipv4.conf.br0.proxy_arp_pvlan=1",
				nil,
				[]question{{src: "~a", dst: "10.0.0.2", want: "yes"}},
			},
			false,
		},
		{
			scene{
				"Q07-suppressed-known", "B2; inside ~s ping -c1 -W2 10.0.0.2 >/dev/null; inside ~s bridge link set dev pb neigh_suppress on",
				nil,
				[]question{{src: "~a", dst: "10.0.0.2", want: "yes"}},
			},
			false,
		},
		{
			scene{
				"Q09-translated-on-the-bridge", "B2; sys ~s net.bridge.bridge-nf-call-iptables=1; inside ~s iptables-legacy -t nat -A POSTROUTING -s 10.0.0.0/24 -j MASQUERADE",
				[]string{"~b tcp 0.0.0.0:80"},
				[]question{{src: "~a", dst: "10.0.0.2:80", want: "reply ~s forwarding-disabled"}},
			},
			true,
		},
		{
			scene{
				"Q11-redundant-cables", "B2; room ~t ~c; ip -n ~t link add br1 type bridge stp_state 1 forward_delay 200 hello_time 100; ip -n ~t link set br1 up; ip -n ~s link set br0 type bridge stp_state 1 forward_delay 200 hello_time 100; cable ~t pc ~c vc; ip -n ~t link set pc master br1; at ~c vc 10.0.0.3/24; ip -n ~s link set br0 type bridge priority 4096; cable ~s s1 ~t t1; ip -n ~s link set s1 master br0; ip -n ~t link set t1 master br1; sleep 1; cable ~s s2 ~t t2; ip -n ~s link set s2 master br0; ip -n ~t link set t2 master br1; i=0; while ! { ip -n ~t -d link show t1 | grep -q 'state forwarding' && ip -n ~t -d link show t2 | grep -q 'state blocking' && ip -n ~s -d link show s2 | grep -q 'state forwarding'  && ip -n ~t -d link show pc | grep -q 'state forwarding'; }; do i=$((i+1)); test $i -lt 200; sleep 0.1; done",
				nil,
				[]question{{src: "~a", dst: "10.0.0.3", want: "yes"}},
			},
			false,
		},
		{
			scene{
				"Q13-on-another-bridge", "room ~s ~a ~b; for n in 1 2; do ip -n ~s link add br$n type bridge; ip -n ~s link set br$n up; done; cable ~s pa ~a va; cable ~s pb ~b vb; ip -n ~s link set pa master br1; ip -n ~s link set pb master br2; at ~a va 10.0.0.1/24; at ~b vb 10.0.0.2/24",
				nil,
				[]question{{src: "~a", dst: "10.0.0.2", want: "request ~a neighbour-failed"}},
			},
			true,
		},
		// Macvlan and vxlan.
		{
			scene{
				"Q20-macvlan-on-a-bridge", "B2; room ~c; ip -n ~s link add mc link br0 type macvlan mode bridge; ip -n ~s link set mc netns ~c; ip -n ~c link set mc up; at ~c mc 10.0.0.3/24",
				nil,
				[]question{{src: "~c", dst: "10.0.0.1", want: "yes"}, {src: "~a", dst: "10.0.0.3", want: "yes"}, {src: "~c", dst: "10.0.0.254", want: "request ~s macvlan-parent"}},
			},
			true,
		},
		{
			scene{
				"Q22-vepa-with-reflector", "B2; room ~x ~c ~d; cable ~s px ~x vx; ip -n ~s link set px master br0; inside ~s bridge link set dev px hairpin on; for n in c d; do ip -n ~x link add m$n link vx type macvlan mode vepa; ip -n ~x link set m$n netns ~$n; ip -n ~$n link set m$n up; done; at ~c mc 10.0.0.3/24; at ~d md 10.0.0.4/24",
				nil,
				[]question{{src: "~c", dst: "10.0.0.4", want: "yes"}, {src: "~c", dst: "10.0.0.1", want: "yes"}},
			},
			false,
		},
		{
			scene{
				"Q23-remote-learned", "P2; ip -n ~a link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.2 local 10.0.0.1; ip -n ~b link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.9 local 10.0.0.2; at ~a vx0 192.168.9.1/24; at ~b vx0 192.168.9.2/24; ip -n ~a link set vx0 up; ip -n ~b link set vx0 up",
				nil,
				[]question{{src: "~a", dst: "192.168.9.2", want: "yes"}},
			},
			false,
		},
		{
			scene{
				"Q24-remote-not-learned", "P2; ip -n ~a link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.2 local 10.0.0.1; ip -n ~b link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.9 local 10.0.0.2 nolearning; at ~a vx0 192.168.9.1/24; at ~b vx0 192.168.9.2/24; ip -n ~a link set vx0 up; ip -n ~b link set vx0 up",
				nil,
				[]question{{src: "~a", dst: "192.168.9.2", want: "request ~b neighbour-failed"}},
			},
			false,
		},
		{
			scene{
				"Q25-tunnel-of-one-hop", "R3; ip -n ~a link add vx0 type vxlan id 42 dstport 4789 remote 10.0.2.2 local 10.0.1.2 ttl 1; ip -n ~b link add vx0 type vxlan id 42 dstport 4789 remote 10.0.1.2 local 10.0.2.2; at ~a vx0 192.168.9.1/24; at ~b vx0 192.168.9.2/24; ip -n ~a link set vx0 up; ip -n ~b link set vx0 up",
				nil,
				[]question{{src: "~a", dst: "192.168.9.2", want: "request ~r ttl-exceeded"}},
			},
			true,
		},
		{
			scene{
				"Q26-tunnel-from-elsewhere", "P2; ip -n ~a link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.2 local 10.0.0.77; ip -n ~b link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.1; at ~a vx0 192.168.9.1/24; at ~b vx0 192.168.9.2/24; ip -n ~a link set vx0 up; ip -n ~b link set vx0 up",
				nil,
				[]question{{src: "~a", dst: "192.168.9.2", want: "request ~a source-not-local"}},
			},
			true,
		},
		{
			scene{
				"Q27-pinned-to-another-end", "V2; inside ~a bridge fdb replace $(ip -n ~b -o link show vx0 | sed 's/.*ether \\([^ ]*\\).*/\\1/') dev vx0 dst 10.0.0.9 permanent",
				nil,
				[]question{{src: "~a", dst: "192.168.9.2", want: "request ~a stale-fdb"}},
			},
			true,
		},
		{
			scene{
				"Q28-underlay-of-its-birthplace", "P2; room ~c; ip -n ~a link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.2; ip -n ~b link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.1; ip -n ~a link set vx0 netns ~c; ip -n ~c link set vx0 up; ip -n ~b link set vx0 up; at ~c vx0 192.168.9.1/24; at ~b vx0 192.168.9.2/24; ip -n ~a link set va down",
				nil,
				[]question{{src: "~c", dst: "192.168.9.2", want: "request ~a link-down"}},
			},
			true,
		},
		{
			scene{
				"Q30-group", "P2; for h in a b; do ip -n ~$h link add vx0 type vxlan id 42 dstport 4789 group 239.1.1.1 dev v$h; ip -n ~$h link set vx0 up; done; at ~a vx0 192.168.9.1/24; at ~b vx0 192.168.9.2/24",
				[]string{"~b tcp 0.0.0.0:80"},
				[]question{{src: "~a", dst: "192.168.9.2", want: "yes"}, {src: "~a", dst: "192.168.9.2:80", want: "yes"}},
			},
			false,
		},
		{
			scene{
				"Q31-another-group", "P2; for h in a b; do g=239.1.1.1; test $h = b && g=239.1.1.2; ip -n ~$h link add vx0 type vxlan id 42 dstport 4789 group $g dev v$h; ip -n ~$h link set vx0 up; done; at ~a vx0 192.168.9.1/24; at ~b vx0 192.168.9.2/24",
				nil,
				[]question{{src: "~a", dst: "192.168.9.2", want: "request ~b vxlan-remote"}},
			},
			true,
		},
		{
			scene{
				"Q29-port-of-an-entry", "V2; inside ~a bridge fdb del 00:00:00:00:00:00 dev vx0 dst 10.0.0.2; inside ~a bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.2 port 4790",
				nil,
				[]question{{src: "~a", dst: "192.168.9.2", want: "request ~b vxlan-port"}},
			},
			false,
		},
		// Routes and rules.
		{
			scene{
				"Q40-nothing-asks-main", "R3; ip -n ~a rule del pref 32766",
				nil,
				[]question{{src: "~a", dst: "10.0.2.2", want: "request ~a no-route"}},
			},
			true,
		},
		{
			scene{
				"Q41-suppressed-6", "R6; ip -n ~a -6 rule add pref 50 lookup main suppress_prefixlength 0; ip -n ~a -6 rule add pref 60 lookup 60; ip -n ~a -6 route add blackhole default table 60",
				nil,
				[]question{{src: "~a", dst: "fd00:1::1", want: "yes"}, {src: "~a", dst: "fd00:2::2", want: "request ~a route-blackhole"}},
			},
			true,
		},
		{
			scene{
				"Q43-no-way-back", "P2; at ~a lo 10.99.0.1/32; sys ~b net.ipv4.conf.vb.rp_filter=1",
				nil,
				[]question{{src: "~a", dst: "10.0.0.2", from: "10.99.0.1", want: "request ~b rp-filter"}},
			},
			true,
		},
		{
			scene{
				"Q44-another-peer", "P2; ip -n ~a addr flush dev va; ip -n ~b addr flush dev vb; ip -n ~a addr add 10.0.0.1 peer 10.0.0.2 dev va; ip -n ~b addr add 10.0.0.2 peer 10.0.0.9 dev vb",
				nil,
				[]question{{src: "~a", dst: "10.0.0.2", want: "reply ~b no-return-route"}},
			},
			true,
		},
		{
			scene{
				"Q45-default-without-gateway", "R3; ip -n ~a route replace default dev va",
				nil,
				[]question{{src: "~a", dst: "10.0.2.2", want: "request ~a neighbour-failed"}},
			},
			true,
		},
		{
			scene{
				"Q46-shadowed-on-the-same-link", "R3; ip -n ~a route add 10.0.2.2 dev va",
				nil,
				[]question{{src: "~a", dst: "10.0.2.1", want: "yes"}, {src: "~a", dst: "10.0.2.2", want: "request ~a route-shadowed"}},
			},
			true,
		},
		{
			scene{
				"Q47-thrown", "R3; ip -n ~a route add throw 10.0.2.0/24",
				nil,
				[]question{{src: "~a", dst: "10.0.2.2", want: "request ~a no-route"}},
			},
			true,
		},
		{
			scene{
				"Q48-route-of-one-hop", "R3; ip -n ~a route replace default via 10.0.1.1 hoplimit 1",
				nil,
				[]question{{src: "~a", dst: "10.0.2.2", want: "request ~r ttl-exceeded"}},
			},
			true,
		},
		{
			scene{
				"Q49-answers-of-one-hop", "R3; sys ~b net.ipv4.ip_default_ttl=1",
				nil,
				[]question{{src: "~b", dst: "10.0.1.2", want: "request ~r ttl-exceeded"}, {src: "~a", dst: "10.0.2.2", want: "reply ~r ttl-exceeded"}},
			},
			true,
		},
		{
			scene{
				"Q50-device-of-one-hop", "R6; sys ~a net.ipv6.conf.va.hop_limit=1",
				nil,
				[]question{{src: "~a", dst: "fd00:2::2", want: "request ~r ttl-exceeded"}},
			},
			true,
		},
		{
			scene{
				"Q51-different-subnets", "P2; ip -n ~b addr flush dev vb; at ~b vb 10.0.1.2/24",
				nil,
				[]question{{src: "~a", dst: "10.0.1.2", want: "request ~a no-route"}},
			},
			true,
		},
		{
			scene{
				"Q52-route-missing-further-on", "R3; room ~q ~e; cable ~b b2 ~q q1; cable ~q q2 ~e ve; at ~b b2 10.0.3.1/24; at ~q q1 10.0.3.2/24; at ~q q2 10.0.4.1/24; at ~e ve 10.0.4.2/24; sys ~b net.ipv4.ip_forward=1; sys ~q net.ipv4.ip_forward=1; ip -n ~e route add default via 10.0.4.1; ip -n ~q route add default via 10.0.3.1; ip -n ~b route add 10.0.4.0/24 via 10.0.3.2",
				nil,
				[]question{{src: "~a", dst: "10.0.4.2", want: "request ~r no-route"}},
			},
			true,
		},
		{
			scene{
				"Q53-router-half-without-6", "R6; sys ~r net.ipv6.conf.r2.disable_ipv6=1",
				nil,
				[]question{{src: "~a", dst: "fd00:2::2", want: "request ~r ipv6-disabled"}},
			},
			true,
		},
		{
			scene{
				"Q54-too-narrow-for-6", "P26; ip -n ~b link set vb mtu 1200",
				nil,
				[]question{{src: "~a", dst: "fd00::2", want: "request ~b ipv6-disabled"}},
			},
			true,
		},
		// Neighbours and addresses.
		{
			scene{
				"Q60-pinned-to-another-host", "B2; room ~c; cable ~s pc ~c vc; ip -n ~s link set pc master br0; at ~c vc 10.0.0.3/24; ip -n ~a neigh add 10.0.0.2 lladdr $(ip -n ~c -o link show vc | sed 's/.*ether \\([^ ]*\\).*/\\1/') dev va",
				nil,
				[]question{{src: "~a", dst: "10.0.0.2", want: "request ~a neighbour-mac-mismatch"}},
			},
			true,
		},
		{
			scene{
				"Q61-address-moved", "B2; room ~c; cable ~s pc ~c vc; ip -n ~s link set pc master br0; ip -n ~b addr flush dev vb; at ~c vc 10.0.0.2/24 10.0.0.3/24; inside ~a ping -c1 -W2 10.0.0.2 >/dev/null; ip -n ~c addr del 10.0.0.2/24 dev vc; ip -n ~c addr add 10.0.0.3/24 dev vc 2>/dev/null || true; at ~b vb 10.0.0.2/24",
				nil,
				[]question{{src: "~a", dst: "10.0.0.2", want: "request ~a stale-neighbour"}},
			},
			true,
		},
		{
			scene{
				"Q62-tentative", "P2; at ~a va fd00::1/64; sys ~b net.ipv6.conf.vb.accept_dad=1 net.ipv6.conf.vb.dad_transmits=60 net.ipv6.conf.vb.optimistic_dad=1 net.ipv6.conf.all.optimistic_dad=1; ip -n ~b addr add fd00::2/64 dev vb",
				nil,
				[]question{{src: "~a", dst: "fd00::2", want: "request ~b address-tentative"}},
			},
			false,
		},
		{
			scene{
				"Q64-told-to-send-less", "R3; ip -n ~r link set r2 mtu 1300; ip -n ~b link set vb mtu 1300; inside ~a ping -c1 -W1 -M do -s 1372 10.0.2.2 >/dev/null || true; ip -n ~r link set r2 mtu 1500; ip -n ~b link set vb mtu 1500",
				nil,
				[]question{{src: "~a", dst: "10.0.2.2", size: 1300, want: "yes"}, {src: "~a", dst: "10.0.2.2", size: 1400, blind: true, want: "request ~a mtu-exceeded"}},
			},
			true,
		},
		{
			scene{
				"Q65-echo-from-another-address", "R3; ip -n ~r route add default via 10.0.2.2; sys ~b net.ipv4.ip_forward=1; inside ~b nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; add rule ip n pre ip daddr 10.9.9.9 dnat to 10.0.2.1'",
				[]string{"~r tcp 0.0.0.0:80"},
				[]question{{src: "~a", dst: "10.9.9.9", also: "nat-bypassed", want: "yes"}, {src: "~a", dst: "10.9.9.9:80", want: "reply ~b nat-bypassed"}},
			},
			false,
		},
		{
			scene{
				"Q63-sent-back-to-itself", "R3; inside ~r nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; add rule ip n pre ip daddr 10.0.2.1 tcp dport 8080 dnat to 10.0.2.2:80'",
				[]string{"~b tcp 0.0.0.0:80"},
				[]question{{src: "~b", dst: "10.0.2.1:8080", want: "request ~b martian-own-source"}},
			},
			true,
		},
	}
}
