package reachtest_test

import "slices"

// natScenes are about addresses and ports that are rewritten on the way.
func natScenes() []mendable {
	return []mendable{
		{
			// Where all that the kernel may choose ends alike, it need not be known what it chooses.
			scene{
				"O01-ranges", `R3; ip -n ~b route del default; for i in 100 101 102; do ip -n ~r addr add 10.0.2.$i/24 dev r2; done; rules ~r <<X
table ip n {
	chain post { type nat hook postrouting priority srcnat; oifname r2 ip protocol icmp snat to 10.0.2.100-10.0.2.102; tcp dport 80 snat to 10.0.2.100 persistent; tcp dport 81 masquerade random,persistent; udp dport 53 snat to 10.0.2.100-10.0.2.102:2000-3000 random; tcp dport 82 masquerade to :5000-5999; tcp dport 84 snat to 10.0.2.102-10.0.2.103
	}
	chain pre { type nat hook prerouting priority dstnat; tcp dport 83 dnat to 10.0.2.2:80-82; tcp dport 85 dnat to 10.0.2.2:80-83
	}
}
X`, served("~b", "tcp 80", "tcp 81", "tcp 82", "tcp 84", "udp 53"), asked("~a", "10.0.2.2 yes", "10.0.2.2:80 yes", "10.0.2.2:81 yes", "10.0.2.2:82 yes", "10.0.2.2:53/udp yes", "10.0.1.1:83 yes", "10.0.1.1:85 unknown", "10.0.2.2:84 unknown"),
			},
			false,
		},
		{
			scene{
				"O02-netmap", `R3; at ~b lo 10.0.2.129/32; ip -n ~a route add 172.16.5.0/24 via 10.0.1.1; ip -n ~b route add 192.168.77.0/24 via 10.0.2.1
inside ~r iptables-legacy -t nat -A PREROUTING -d 172.16.5.0/24 -j NETMAP --to 10.0.2.0/24; inside ~r iptables-legacy -t nat -A POSTROUTING -s 10.0.1.0/24 -p tcp -j NETMAP --to 192.168.77.0/24`,
				served("~b", "tcp 80"), asked("~a", "172.16.5.2 yes", "172.16.5.129 yes", "172.16.5.2:80 yes", "172.16.5.9 request ~r neighbour-failed"),
			},
			false,
		},
		{
			scene{
				"O12-prefix-maps", `R3; for n in 4 5 6; do ip -n ~a route add 172.16.$n.0/24 via 10.0.1.1; done; at ~b lo 10.0.2.3/32; rules ~r <<X
table ip n {
	map many { type ipv4_addr : interval ipv4_addr; flags interval; elements = { 172.16.6.0/24 : 10.0.2.0/24 }
	}
	chain pre { type nat hook prerouting priority dstnat; dnat ip prefix to ip daddr map { 172.16.5.0/24 : 10.0.2.0/24 }; dnat ip prefix to ip daddr map @many; tcp dport 81 dnat to ip saddr map { 10.0.1.2 : 10.0.2.2-10.0.2.3 }
	}
}
X`, served("~b", "tcp 80", "tcp 81"), asked("~a", "172.16.5.2:80 yes", "172.16.6.2:80 yes", "172.16.5.3 yes", "172.16.5.9:80 request ~r neighbour-failed", "10.0.1.1:81 yes", "172.16.4.2 request ~r no-route"),
			},
			false,
		},
		{
			// A port of localhost that is published elsewhere: the packet may not even leave, and would not be answered.
			scene{
				"O13-localhost-published", `P2; rules ~a <<X
table ip n {
	chain o { type nat hook output priority -100; ip daddr 127.0.0.1 tcp dport 8080 dnat to 10.0.0.2:80
	}
	chain p { type nat hook postrouting priority 100;
	}
}
X`, served("~b", "tcp 80"), asked("~a", "127.0.0.1:8080 request ~a localnet"),
			},
			true,
		},
		{
			scene{
				"O03-docker", `room ~h ~w ~c1 ~c2; cable ~w vw ~h eth; at ~w vw 192.168.1.9/24; at ~h eth 192.168.1.1/24; ip -n ~h link add docker0 type bridge; at ~h docker0 172.17.0.1/16; ip -n ~h link set docker0 up
for i in 1 2; do cable ~h v$i ~c$i eth0; ip -n ~h link set v$i master docker0; at ~c$i eth0 172.17.0.$((i+1))/16; ip -n ~c$i route add default via 172.17.0.1; done
sys ~h net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1; ipt() { inside ~h iptables-legacy "$@"; }
ipt -P FORWARD DROP; for c in DOCKER DOCKER-ISO1 DOCKER-ISO2 DOCKER-USER; do ipt -N $c; done; ipt -A DOCKER-USER -j RETURN; ipt -A FORWARD -j DOCKER-USER; ipt -A FORWARD -j DOCKER-ISO1
ipt -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; ipt -A FORWARD -o docker0 -j DOCKER; ipt -A FORWARD -i docker0 ! -o docker0 -j ACCEPT; ipt -A FORWARD -i docker0 -o docker0 -j ACCEPT
ipt -A DOCKER-ISO1 -i docker0 ! -o docker0 -j DOCKER-ISO2; ipt -A DOCKER-ISO1 -j RETURN; ipt -A DOCKER-ISO2 -o docker0 -j DROP; ipt -A DOCKER-ISO2 -j RETURN; ipt -A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
ipt -t nat -N DOCKER; ipt -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER; ipt -t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
ipt -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE; ipt -t nat -A DOCKER -i docker0 -j RETURN; ipt -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80; ip -n ~w route add 172.17.0.0/16 via 192.168.1.1`,
				slices.Concat(served("~c1", "tcp 80", "tcp 81"), served("~w", "tcp 80")),
				slices.Concat(asked("~w", "192.168.1.1:8080 yes", "192.168.1.1:8081 request ~h no-listener", "172.17.0.2:81 request ~h filter-drop"), asked("~c1", "192.168.1.9:80 yes", "192.168.1.1:8080 request ~h no-listener"),
					asked("~c2", "172.17.0.2:81 yes", "172.17.0.1:8080 request ~h no-listener"), asked("~h", "192.168.1.1:8080 yes")),
			},
			false,
		},
		{
			scene{
				"O04-services", `room ~h ~c1 ~c2 ~c3; ip -n ~h link add cni0 type bridge; at ~h cni0 10.244.0.1/24; ip -n ~h link set cni0 up
for i in 1 2 3; do cable ~h v$i ~c$i eth0; ip -n ~h link set v$i master cni0; at ~c$i eth0 10.244.0.1$i/24; ip -n ~c$i route add default via 10.244.0.1; done
sys ~h net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1; ipt() { inside ~h iptables-legacy "$@"; }
for c in SERVICES SVC-A SVC-B SEP-1 SEP-2 POSTROUTING MARK-MASQ; do ipt -t nat -N KUBE-$c; done
ipt -t nat -A PREROUTING -j KUBE-SERVICES; ipt -t nat -A OUTPUT -j KUBE-SERVICES; ipt -t nat -A POSTROUTING -j KUBE-POSTROUTING
ipt -t nat -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN; ipt -t nat -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0; ipt -t nat -A KUBE-POSTROUTING -j MASQUERADE --random-fully; ipt -t nat -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
ipt -t nat -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp --dport 80 -j KUBE-SVC-A; ipt -t nat -A KUBE-SERVICES -d 10.96.0.11/32 -p tcp --dport 80 -j KUBE-SVC-B; ipt -t nat -A KUBE-SVC-A -j KUBE-SEP-1
ipt -t nat -A KUBE-SVC-B -m statistic --mode random --probability 0.5 -j KUBE-SEP-1; ipt -t nat -A KUBE-SVC-B -j KUBE-SEP-2
for i in 1 2; do ipt -t nat -A KUBE-SEP-$i -s 10.244.0.1$i/32 -j KUBE-MARK-MASQ; ipt -t nat -A KUBE-SEP-$i -p tcp -j DNAT --to-destination 10.244.0.1$i:8080; done
ipt -A FORWARD -m conntrack --ctstate INVALID -j DROP; ipt -A FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT`,
				slices.Concat(served("~c1", "tcp 8080"), served("~c2", "tcp 8080")),
				slices.Concat(asked("~c3", "10.96.0.10:80 yes", "10.96.0.11:80 unknown", "10.96.0.10 request ~h no-route"), asked("~c1", "10.96.0.10:80 request ~h hairpin-off")),
			},
			false,
		},
		{
			scene{
				"O05-services-past-br-netfilter", `room ~h ~c1 ~c3; ip -n ~h link add cni0 type bridge; at ~h cni0 10.244.0.1/24; ip -n ~h link set cni0 up
for i in 1 3; do cable ~h v$i ~c$i eth0; ip -n ~h link set v$i master cni0; at ~c$i eth0 10.244.0.1$i/24; ip -n ~c$i route add default via 10.244.0.1; done
sys ~h net.ipv4.ip_forward=1; inside ~h iptables-legacy -t nat -A PREROUTING -d 10.96.0.10 -p tcp --dport 80 -j DNAT --to-destination 10.244.0.11:8080`,
				served("~c1", "tcp 8080"), asked("~c3", "10.96.0.10:80 reply ~h nat-bypassed"),
			},
			true,
		},
		{
			// Where no chain does source NAT yet the fix makes one.
			scene{
				"O06-services-of-nft", `B2; sys ~s net.ipv4.ip_forward=1; ip -n ~a route add 10.96.0.0/16 via 10.0.0.254; rules ~s <<X
table inet p { chain pre { type nat hook prerouting priority dstnat; ip daddr 10.96.0.10 meta l4proto { tcp, udp } th dport 80 dnat ip to 10.0.0.2:8080
}
}
table ip q { chain pre { type nat hook prerouting priority dstnat; icmp type echo-request ip daddr 10.0.0.254 dnat to 10.0.0.2
}
}
X`, served("~b", "tcp 8080", "udp 8080"), append(asked("~a", "10.96.0.10:80 reply ~s nat-bypassed"), question{src: "~a", dst: "10.0.0.254", want: "yes"}),
			},
			true,
		},
		{
			// Sent back to the sender: it is the router that has to hide who asked.
			scene{
				"O07-hairpin-at-a-router", `R3; rules ~r <<X
table ip n {
	chain pre { type nat hook prerouting priority dstnat; ip daddr 10.0.1.1 tcp dport 80 dnat to 10.0.1.2:80; ip daddr 10.0.1.1 tcp dport 81 dnat to 10.0.2.2:80
	}
	chain post { type nat hook postrouting priority srcnat;
	}
}
X`, slices.Concat(served("~a", "tcp 80"), served("~b", "tcp 80")),
				slices.Concat(asked("~a", "10.0.1.1:80 request ~a martian-own-source", "10.0.1.1:81 yes"), asked("~b", "10.0.1.1:80 yes", "10.0.1.1:81 request ~b martian-own-source")),
			},
			true,
		},
		{
			scene{
				"O08-address-given-away", `R3; rules ~r <<X
table ip n { chain post { type nat hook postrouting priority srcnat; oifname r2 tcp dport 80 snat to 10.0.2.99; oifname r2 tcp dport 81 snat to 192.0.2.7
}
}
X`, served("~b", "tcp 80", "tcp 81"), asked("~a", "10.0.2.2:80 reply ~r neighbour-failed", "10.0.2.2:81 yes"),
			},
			true,
		},
		{
			// Only the first chain of a kind decides, of whichever tool it is.
			scene{
				"O09-many-chains", `R3; inside ~r iptables-legacy -t nat -A PREROUTING -p tcp --dport 90 -j DNAT --to-destination 10.0.2.2:81; inside ~r iptables-nft -t nat -A PREROUTING -p tcp --dport 90 -j DNAT --to-destination 10.0.2.2:83; rules ~r <<X
table ip n1 { chain pre { type nat hook prerouting priority -110; tcp dport 80 dnat to 10.0.2.2:81
}
}
table ip n2 { chain pre { type nat hook prerouting priority -90; tcp dport { 80, 81 } dnat to 10.0.2.2:82
}
}
table inet n3 {
	chain pre { type nat hook prerouting priority -100; udp dport 53 redirect to :5353
	}
	chain po { type nat hook postrouting priority 90; oifname r2 snat ip to 10.0.2.1
	}
}
table ip n4 { chain po { type nat hook postrouting priority 100; oifname r2 snat to 10.0.2.9
}
}
X`, slices.Concat(served("~b", "tcp 81", "tcp 82"), served("~r", "udp 5353")), asked("~a", "10.0.2.2:80 yes", "10.0.2.2:81 yes", "10.0.2.2:53/udp yes"),
			},
			false,
		},
		{
			scene{
				"O10-dnat-without-forwarding", `R3; sys ~r net.ipv4.ip_forward=0; inside ~r iptables-nft -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.0.2.2:80; inside ~r iptables-nft -t nat -A PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 5353`,
				slices.Concat(served("~b", "tcp 80"), served("~r", "udp 5353")), asked("~a", "10.0.2.2:53/udp yes", "10.0.1.1:8080 request ~r forwarding-disabled"),
			},
			true,
		},
		{
			scene{
				"O11-untracked-is-not-translated", `R3; rules ~r <<X
table ip raw { chain pre { type filter hook prerouting priority raw; tcp dport 8080 notrack
}
}
table ip n { chain pre { type nat hook prerouting priority dstnat; tcp dport { 8080, 8081 } dnat to 10.0.2.2:80
}
}
X`, slices.Concat(served("~b", "tcp 80"), served("~r", "tcp 8080")), asked("~a", "10.0.1.1:8080 yes", "10.0.1.1:8081 yes", "10.0.2.2:8080 request ~b no-listener"),
			},
			false,
		},
	}
}
