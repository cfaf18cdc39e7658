package reachtest_test

// soakedScenes are what a soak of twenty thousand random worlds disagreed about.
func soakedScenes() []scene {
	return []scene{
		{
			// The reply takes another way than the request, past who rewrote it. ping knows it by its number and counts it.
			"S01-echo-answered-from-elsewhere", "R3; cable a wa b wb; at a wa 10.0.3.1/24; at b wb 10.0.3.2/24; ip -n b route add 10.0.1.0/24 via 10.0.3.1; inside r nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; add rule ip n pre ip daddr 10.0.2.77 dnat to 10.0.2.2'",
			[]string{"b tcp 0.0.0.0:80"},
			[]question{
				{src: "a", dst: "10.0.2.77", want: "yes", also: "nat-bypassed"},
				{src: "a", dst: "10.0.2.77", size: 1301, want: "yes"},
				{src: "a", dst: "10.0.2.77:80", want: "reply r nat-bypassed"},
				{src: "a", dst: "10.0.2.2", want: "yes"},
			},
		},
		{
			// That IPv6 is off on the link says nothing about the macvlans on it, and nothing leads to those.
			"S02-ipv6-off-below-macvlans", "M2 bridge; at b vb fd00::2/64; at d md fd00::4/64; sys a net.ipv6.conf.va.disable_ipv6=1", nil,
			[]question{{src: "b", dst: "fd00::4", want: "yes"}, {src: "b", dst: "fd00::1", want: "request a ipv6-disabled"}},
		},
		{
			// A gateway that is an own address is none, unless it became one later; the kernel tells which.
			"S03-own-gateway", "R3; ip -n a route replace default via 10.0.1.2; at b lo 10.0.2.1/32", nil,
			[]question{{src: "a", dst: "10.0.2.2", want: "request a neighbour-failed"}, {src: "b", dst: "10.0.1.1", want: "yes"}},
		},
		{
			// A route that names one way twice has one: else there were too many to try.
			"S04-one-way-twice", "V2; ip -n b route add 10.0.0.1/32 metric 1 nexthop via 10.0.0.2 nexthop via 10.0.0.2", nil,
			[]question{{src: "a", dst: "192.168.9.2:80", want: "request b no-listener"}},
		},
		{
			// All that comes in by vb is mp's, of which nothing in b tells but that somebody takes every frame.
			"S05-passthru-elsewhere", "P2; room c; ip -n b link add mp link vb type macvlan mode passthru; ip -n b link set mp netns c; ip -n c link set mp up", nil,
			[]question{{src: "a", dst: "10.0.0.2", want: "request c forwarding-disabled"}},
		},
	}
}
