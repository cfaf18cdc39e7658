package nft

import "warren/state"

// A symbol is a word for a number.
type symbol struct {
	value uint32
	word  string
}

// symbolsOf are the words that nft prints for values of a type.
func symbolsOf(t state.DataType) []symbol {
	switch t {
	case state.TypeNFProto:
		return []symbol{{2, "ipv4"}, {10, "ipv6"}}
	case state.TypeEtherTyp:
		return []symbol{{0x0800, "ip"}, {0x0806, "arp"}, {0x86dd, "ip6"}, {0x8100, "8021q"}, {0x88a8, "8021ad"}}
	case "arp_op":
		return []symbol{{1, "request"}, {2, "reply"}, {3, "rrequest"}, {4, "rreply"}, {8, "inrequest"}, {9, "inreply"}, {10, "nak"}}
	case state.TypeCTDir:
		return []symbol{{0, "original"}, {1, "reply"}}
	case state.TypePktType:
		return []symbol{{0, "host"}, {1, "broadcast"}, {2, "multicast"}, {3, "other"}}
	case typeBoolean:
		return []symbol{{0, "missing"}, {1, "exists"}}
	case state.TypeFIBType:
		return []symbol{
			{0, "unspec"},
			{1, "unicast"},
			{2, "local"},
			{3, "broadcast"},
			{4, "anycast"},
			{5, "multicast"},
			{6, "blackhole"},
			{7, "unreachable"},
			{8, "prohibit"},
		}
	case state.TypeICMP:
		return []symbol{
			{0, "echo-reply"},
			{3, "destination-unreachable"},
			{4, "source-quench"},
			{5, "redirect"},
			{8, "echo-request"},
			{9, "router-advertisement"},
			{10, "router-solicitation"},
			{11, "time-exceeded"},
			{12, "parameter-problem"},
			{13, "timestamp-request"},
			{14, "timestamp-reply"},
			{15, "info-request"},
			{16, "info-reply"},
			{17, "address-mask-request"},
			{18, "address-mask-reply"},
		}
	case state.TypeICMPv6:
		return []symbol{
			{1, "destination-unreachable"},
			{2, "packet-too-big"},
			{3, "time-exceeded"},
			{4, "parameter-problem"},
			{128, "echo-request"},
			{129, "echo-reply"},
			{130, "mld-listener-query"},
			{131, "mld-listener-report"},
			{132, "mld-listener-done"},
			{133, "nd-router-solicit"},
			{134, "nd-router-advert"},
			{135, "nd-neighbor-solicit"},
			{136, "nd-neighbor-advert"},
			{137, "nd-redirect"},
			{138, "router-renumbering"},
			{141, "ind-neighbor-solicit"},
			{142, "ind-neighbor-advert"},
			{143, "mld2-listener-report"},
		}
	case "icmp_code":
		return []symbol{
			{0, "net-unreachable"},
			{1, "host-unreachable"},
			{2, "prot-unreachable"},
			{3, "port-unreachable"},
			{4, "frag-needed"},
			{9, "net-prohibited"},
			{10, "host-prohibited"},
			{13, "admin-prohibited"},
		}
	case "icmpv6_code":
		return []symbol{
			{0, "no-route"},
			{1, "admin-prohibited"},
			{3, "addr-unreachable"},
			{4, "port-unreachable"},
			{5, "policy-fail"},
			{6, "reject-route"},
		}
	case "igmp_type":
		return []symbol{
			{0x11, "membership-query"},
			{0x12, "membership-report-v1"},
			{0x16, "membership-report-v2"},
			{0x17, "leave-group"},
			{0x22, "membership-report-v3"},
		}
	case typeDSCP:
		return []symbol{
			{0, "cs0"},
			{8, "cs1"},
			{16, "cs2"},
			{24, "cs3"},
			{32, "cs4"},
			{40, "cs5"},
			{48, "cs6"},
			{56, "cs7"},
			{1, "lephb"},
			{10, "af11"},
			{12, "af12"},
			{14, "af13"},
			{18, "af21"},
			{20, "af22"},
			{22, "af23"},
			{26, "af31"},
			{28, "af32"},
			{30, "af33"},
			{34, "af41"},
			{36, "af42"},
			{38, "af43"},
			{46, "ef"},
		}
	case "ecn":
		return []symbol{{0, "not-ect"}, {1, "ect1"}, {2, "ect0"}, {3, "ce"}}
	case "day":
		return []symbol{{0, `"Sunday"`}, {1, `"Monday"`}, {2, `"Tuesday"`}, {3, `"Wednesday"`}, {4, `"Thursday"`}, {5, `"Friday"`}, {6, `"Saturday"`}}
	case "iface_type":
		return []symbol{{1, "ether"}, {512, "ppp"}, {768, "ipip"}, {769, "ipip6"}, {772, "loopback"}, {776, "sit"}, {778, "ipgre"}, {65534, "none"}}
	}
	return nil
}

// bitsOf are the words for single bits of a type whose values are sets of bits.
func bitsOf(t state.DataType) []symbol {
	switch t {
	case state.TypeCTState:
		return []symbol{{1, "invalid"}, {2, "established"}, {4, "related"}, {8, "new"}, {64, "untracked"}}
	case state.TypeCTStatus:
		return []symbol{{1, "expected"}, {2, "seen-reply"}, {4, "assured"}, {8, "confirmed"}, {16, "snat"}, {32, "dnat"}, {512, "dying"}}
	case typeTCPFlag:
		return []symbol{{1, "fin"}, {2, "syn"}, {4, "rst"}, {8, "psh"}, {16, "ack"}, {32, "urg"}, {64, "ecn"}, {128, "cwr"}}
	}
	return nil
}

func wordOf(list []symbol, n uint32) string {
	for _, s := range list {
		if s.value == n {
			return s.word
		}
	}
	return ""
}
