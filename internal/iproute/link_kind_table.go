package iproute

import (
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// How an option's word is written.
const (
	as8 = iota
	as16
	as32
	as64
	asSwitch // on or off
	asNothing
	asHW
	asVlanProtocol
	asState
	asDevice
	asBit // of IFLA_BR_MULTI_BOOLOPT
	asTable
	asAddr    // IPv4 or IPv6
	asAddr27  // the same, IPv6 in attribute 7
	asTTL     // a number or "inherit"
	asTOS     // a hexadecimal number or "inherit"
	asKey     // a number or what looks like an IPv4 address
	asKeys    // a key for both directions
	asBE16    // in network order
	asOne     // a word that stands for 1
	asZero    // or for 0
	asIgnored // a word without an attribute here
	asMode    // of a tunnel
	asProto   // a word that is a mode
	asBondMode
)

// A kindOpt is an option of a kind of link.
type kindOpt struct {
	word string
	typ  uint16
	as   int
}

func bridgeOpts() []kindOpt {
	return []kindOpt{
		{"forward_delay", unix.IFLA_BR_FORWARD_DELAY, as32},
		{"hello_time", unix.IFLA_BR_HELLO_TIME, as32},
		{"max_age", unix.IFLA_BR_MAX_AGE, as32},
		{"ageing_time", unix.IFLA_BR_AGEING_TIME, as32},
		{"stp_state", unix.IFLA_BR_STP_STATE, as32},
		{"priority", unix.IFLA_BR_PRIORITY, as16},
		{"vlan_filtering", unix.IFLA_BR_VLAN_FILTERING, as8},
		{"vlan_protocol", unix.IFLA_BR_VLAN_PROTOCOL, asVlanProtocol},
		{"group_fwd_mask", unix.IFLA_BR_GROUP_FWD_MASK, as16},
		{"group_address", unix.IFLA_BR_GROUP_ADDR, asHW},
		{"fdb_flush", unix.IFLA_BR_FDB_FLUSH, asNothing},
		{"vlan_default_pvid", unix.IFLA_BR_VLAN_DEFAULT_PVID, as16},
		{"vlan_stats_enabled", unix.IFLA_BR_VLAN_STATS_ENABLED, as8},
		{"vlan_stats_per_port", unix.IFLA_BR_VLAN_STATS_PER_PORT, as8},
		{"mcast_router", unix.IFLA_BR_MCAST_ROUTER, as8},
		{"mcast_snooping", unix.IFLA_BR_MCAST_SNOOPING, as8},
		{"no_linklocal_learn", 0, asBit},
		{"mcast_vlan_snooping", 1, asBit},
		{"mcast_query_use_ifaddr", unix.IFLA_BR_MCAST_QUERY_USE_IFADDR, as8},
		{"mcast_querier", unix.IFLA_BR_MCAST_QUERIER, as8},
		{"mcast_hash_elasticity", unix.IFLA_BR_MCAST_HASH_ELASTICITY, as32},
		{"mcast_hash_max", unix.IFLA_BR_MCAST_HASH_MAX, as32},
		{"mcast_last_member_count", unix.IFLA_BR_MCAST_LAST_MEMBER_CNT, as32},
		{"mcast_startup_query_count", unix.IFLA_BR_MCAST_STARTUP_QUERY_CNT, as32},
		{"mcast_last_member_interval", unix.IFLA_BR_MCAST_LAST_MEMBER_INTVL, as64},
		{"mcast_membership_interval", unix.IFLA_BR_MCAST_MEMBERSHIP_INTVL, as64},
		{"mcast_querier_interval", unix.IFLA_BR_MCAST_QUERIER_INTVL, as64},
		{"mcast_query_interval", unix.IFLA_BR_MCAST_QUERY_INTVL, as64},
		{"mcast_query_response_interval", unix.IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, as64},
		{"mcast_startup_query_interval", unix.IFLA_BR_MCAST_STARTUP_QUERY_INTVL, as64},
		{"mcast_stats_enabled", unix.IFLA_BR_MCAST_STATS_ENABLED, as8},
		{"mcast_igmp_version", unix.IFLA_BR_MCAST_IGMP_VERSION, as8},
		{"mcast_mld_version", unix.IFLA_BR_MCAST_MLD_VERSION, as8},
		{"nf_call_iptables", unix.IFLA_BR_NF_CALL_IPTABLES, as8},
		{"nf_call_ip6tables", unix.IFLA_BR_NF_CALL_IP6TABLES, as8},
		{"nf_call_arptables", unix.IFLA_BR_NF_CALL_ARPTABLES, as8},
	}
}

func portOpts() []kindOpt {
	return []kindOpt{
		{"fdb_flush", unix.IFLA_BRPORT_FLUSH, asNothing},
		{"state", unix.IFLA_BRPORT_STATE, as8},
		{"priority", unix.IFLA_BRPORT_PRIORITY, as16},
		{"cost", unix.IFLA_BRPORT_COST, as32},
		{"hairpin", unix.IFLA_BRPORT_MODE, asSwitch},
		{"guard", unix.IFLA_BRPORT_GUARD, asSwitch},
		{"root_block", unix.IFLA_BRPORT_PROTECT, asSwitch},
		{"fastleave", unix.IFLA_BRPORT_FAST_LEAVE, asSwitch},
		{"learning", unix.IFLA_BRPORT_LEARNING, asSwitch},
		{"flood", unix.IFLA_BRPORT_UNICAST_FLOOD, asSwitch},
		{"mcast_flood", unix.IFLA_BRPORT_MCAST_FLOOD, asSwitch},
		{"bcast_flood", unix.IFLA_BRPORT_BCAST_FLOOD, asSwitch},
		{"mcast_to_unicast", unix.IFLA_BRPORT_MCAST_TO_UCAST, asSwitch},
		{"proxy_arp", unix.IFLA_BRPORT_PROXYARP, asSwitch},
		{"proxy_arp_wifi", unix.IFLA_BRPORT_PROXYARP_WIFI, asSwitch},
		{"mcast_router", unix.IFLA_BRPORT_MULTICAST_ROUTER, as8},
		{"mcast_fast_leave", unix.IFLA_BRPORT_FAST_LEAVE, asSwitch},
		{"neigh_suppress", unix.IFLA_BRPORT_NEIGH_SUPPRESS, asSwitch},
		{"group_fwd_mask", unix.IFLA_BRPORT_GROUP_FWD_MASK, as16},
		{"vlan_tunnel", unix.IFLA_BRPORT_VLAN_TUNNEL, asSwitch},
		{"isolated", unix.IFLA_BRPORT_ISOLATED, asSwitch},
		{"locked", iflaBrportLocked, asSwitch},
		{"backup_port", unix.IFLA_BRPORT_BACKUP_PORT, asDevice},
	}
}

// parseTable reads options that follow a table; a beginning of a word will do.
func (r *linkRequest) parseTable(kind string, w *words, table []kindOpt) {
	var bits, mask uint32
	for w.more() {
		word := w.peek()
		var opt *kindOpt
		for i := range table {
			if matches(word, table[i].word) {
				opt = &table[i]
				break
			}
		}
		if opt == nil {
			r.unknownOption(kind, w)
		}
		what := "invalid " + opt.word
		switch opt.as {
		case as8:
			r.m.U8(opt.typ, u8(w.next(), what))
		case as16:
			r.m.U16(opt.typ, u16(w.next(), what))
		case as32:
			r.m.U32(opt.typ, u32(w.next(), what))
		case as64:
			n, ok := parseUint(w.next(), 0, 64)
			if !ok {
				invalid(what, w.peek())
			}
			r.m.U64(opt.typ, n)
		case asSwitch:
			r.u8(opt.typ, onOff(opt.word, w.next()))
		case asNothing:
			r.m.Flag(opt.typ)
		case asHW:
			b, ok := parseHW(w.next())
			if !ok {
				invalid(what, w.peek())
			}
			r.m.Bytes(opt.typ, b)
		case asVlanProtocol:
			r.m.BE16(opt.typ, vlanProtocol(w.next()))
		case asDevice:
			r.m.U32(opt.typ, r.s.device(w.next()))
		case asBit:
			mask |= 1 << opt.typ
			if u8(w.next(), what) != 0 {
				bits |= 1 << opt.typ
			}
		case asAddr, asAddr27, asTTL, asTOS, asKey, asKeys, asBE16, asOne, asZero, asIgnored, asMode, asProto, asBondMode:
			r.tunnelWord(opt, w, what)
		case asTable:
			r.m.U32(opt.typ, tableWord(r.s, w.next()))
		}
		w.skip()
	}
	if mask != 0 {
		b := native.AppendUint32(nil, bits)
		r.m.Bytes(iflaBrMultiBoolopt, native.AppendUint32(b, mask))
	}
}

// tunnelWord reads a word of tunnels.
func (r *linkRequest) tunnelWord(opt *kindOpt, w *words, what string) {
	key := func() []byte {
		if a, ok := parseAddr(w.next(), unix.AF_INET); ok && strings.Contains(w.peek(), ".") {
			return a.AsSlice()
		}
		n := u32(w.peek(), what)
		return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
	switch opt.as {
	case asAddr:
		r.m.Addr(opt.typ, address(w.next(), 0))
	case asAddr27:
		if a := address(w.next(), 0); a.Is4() {
			r.m.Addr(opt.typ, a)
		} else {
			r.m.Addr(7, a)
		}
	case asTTL:
		if w.next() == "inherit" {
			r.m.U8(opt.typ, 0)
		} else {
			r.m.U8(opt.typ, u8(w.peek(), "invalid TTL"))
		}
	case asTOS:
		if w.next() == "inherit" {
			r.m.U8(opt.typ, 1)
		} else {
			r.m.U8(opt.typ, r.s.dsWord(w.peek(), "bad TOS value"))
		}
	case asKey:
		r.m.Bytes(opt.typ, key())
	case asKeys:
		b := key()
		r.m.Bytes(opt.typ, b)
		r.m.Bytes(opt.typ+1, b)
	case asBE16:
		r.m.BE16(opt.typ, u16(w.next(), what))
	case asOne, asZero:
		r.u8(opt.typ, opt.as == asOne)
	case asMode:
		r.m.U8(opt.typ, tunnelMode(w.next()))
	case asProto:
		r.m.U8(opt.typ, tunnelMode(opt.word))
	case asBondMode:
		r.m.U8(opt.typ, bondMode(w.next()))
	}
}

func vlanProtocol(word string) uint16 {
	switch strings.ToLower(word) {
	case "802.1q":
		return unix.ETH_P_8021Q
	case "802.1ad":
		return unix.ETH_P_8021AD
	}
	invalid("invalid vlan_protocol", word)
	return 0
}

// iflaVxlanVnifilter is IFLA_VXLAN_VNIFILTER (linux/if_link.h, Linux 5.18).
const iflaVxlanVnifilter = 30

// parseVxlan reads the options of an overlay.
func (r *linkRequest) parseVxlan(w *words) {
	const group6, local6 = 16, 17
	hasID, hasPort, external, learning := false, false, false, false
	switches := []kindOpt{
		{"learning", unix.IFLA_VXLAN_LEARNING, 1},
		{"nolearning", unix.IFLA_VXLAN_LEARNING, 0},
		{"proxy", unix.IFLA_VXLAN_PROXY, 1},
		{"noproxy", unix.IFLA_VXLAN_PROXY, 0},
		{"rsc", unix.IFLA_VXLAN_RSC, 1},
		{"norsc", unix.IFLA_VXLAN_RSC, 0},
		{"l2miss", unix.IFLA_VXLAN_L2MISS, 1},
		{"nol2miss", unix.IFLA_VXLAN_L2MISS, 0},
		{"l3miss", unix.IFLA_VXLAN_L3MISS, 1},
		{"nol3miss", unix.IFLA_VXLAN_L3MISS, 0},
		{"udpcsum", unix.IFLA_VXLAN_UDP_CSUM, 1},
		{"noudpcsum", unix.IFLA_VXLAN_UDP_CSUM, 0},
		{"udp6zerocsumtx", unix.IFLA_VXLAN_UDP_ZERO_CSUM6_TX, 1},
		{"noudp6zerocsumtx", unix.IFLA_VXLAN_UDP_ZERO_CSUM6_TX, 0},
		{"udp6zerocsumrx", unix.IFLA_VXLAN_UDP_ZERO_CSUM6_RX, 1},
		{"noudp6zerocsumrx", unix.IFLA_VXLAN_UDP_ZERO_CSUM6_RX, 0},
		{"remcsumtx", unix.IFLA_VXLAN_REMCSUM_TX, 1},
		{"noremcsumtx", unix.IFLA_VXLAN_REMCSUM_TX, 0},
		{"remcsumrx", unix.IFLA_VXLAN_REMCSUM_RX, 1},
		{"noremcsumrx", unix.IFLA_VXLAN_REMCSUM_RX, 0},
	}
	addr := func(four, six uint16, a netip.Addr) {
		if a.Is4() {
			r.m.Addr(four, a)
		} else {
			r.m.Addr(six, a)
		}
	}
words:
	for w.more() {
		word := w.peek()
		for _, o := range switches {
			if matches(word, o.word) && len(word) > 1 && word != "remote" {
				learning = learning || o.typ == unix.IFLA_VXLAN_LEARNING
				r.m.U8(o.typ, uint8(o.as))
				w.skip()
				continue words
			}
		}
		switch {
		case matches(word, "id"), matches(word, "vni"):
			n := u32(w.next(), "invalid id")
			if n >= 1<<24 {
				invalid("invalid id", w.peek())
			}
			r.m.U32(unix.IFLA_VXLAN_ID, n)
			hasID = true
		case matches(word, "group"):
			a := addrOf(w.next())
			if !a.IsMulticast() {
				invalid("invalid group address", w.peek())
			}
			addr(unix.IFLA_VXLAN_GROUP, group6, a)
		case matches(word, "remote"):
			a := addrOf(w.next())
			if a.IsMulticast() {
				invalid("invalid remote address", w.peek())
			}
			addr(unix.IFLA_VXLAN_GROUP, group6, a)
		case matches(word, "local"):
			addr(unix.IFLA_VXLAN_LOCAL, local6, addrOf(w.next()))
		case matches(word, "dev"):
			index := r.s.indexOf(w.next())
			if index == 0 {
				die("Cannot find device \"%s\"", w.peek())
			}
			r.m.U32(unix.IFLA_VXLAN_LINK, uint32(index))
		case matches(word, "ttl"), word == "hoplimit":
			switch word := w.next(); word {
			case "inherit":
				r.m.Flag(unix.IFLA_VXLAN_TTL_INHERIT)
			case "auto":
				r.m.U8(unix.IFLA_VXLAN_TTL, 0)
			default:
				r.m.U8(unix.IFLA_VXLAN_TTL, u8(word, "invalid TTL"))
			}
		case word == "tos", word == "dsfield":
			if word := w.next(); word == "inherit" {
				r.m.U8(unix.IFLA_VXLAN_TOS, 1)
			} else {
				n, ok := parseUint(word, 16, 8)
				if !ok {
					invalid("invalid TOS", word)
				}
				r.m.U8(unix.IFLA_VXLAN_TOS, uint8(n))
			}
		case word == "df":
			modes := map[string]uint8{"unset": 0, "set": 1, "inherit": 2}
			v, ok := modes[w.next()]
			if !ok {
				invalid("DF must be 'unset', 'set' or 'inherit'", w.peek())
			}
			r.m.U8(unix.IFLA_VXLAN_DF, v)
		case matches(word, "ageing"):
			if word := w.next(); word == "none" {
				r.m.U32(unix.IFLA_VXLAN_AGEING, 0)
			} else {
				r.m.U32(unix.IFLA_VXLAN_AGEING, u32(word, "ageing timer"))
			}
		case matches(word, "maxaddress"):
			if word := w.next(); word == "unlimited" {
				r.m.U32(unix.IFLA_VXLAN_LIMIT, 0)
			} else {
				r.m.U32(unix.IFLA_VXLAN_LIMIT, u32(word, "max addresses"))
			}
		case matches(word, "port"), matches(word, "srcport"):
			low := u16(w.next(), "min port")
			high := u16(w.next(), "max port")
			r.m.Bytes(unix.IFLA_VXLAN_PORT_RANGE, []byte{byte(low >> 8), byte(low), byte(high >> 8), byte(high)})
		case matches(word, "dstport"):
			r.m.BE16(unix.IFLA_VXLAN_PORT, u16(w.next(), "dst port"))
			hasPort = true
		case matches(word, "external"):
			r.m.U8(unix.IFLA_VXLAN_COLLECT_METADATA, 1)
			external = true
		case matches(word, "noexternal"):
			r.m.U8(unix.IFLA_VXLAN_COLLECT_METADATA, 0)
		case word == "vnifilter":
			r.m.U8(iflaVxlanVnifilter, 1)
		case word == "novnifilter":
			r.m.U8(iflaVxlanVnifilter, 0)
		case matches(word, "gbp"):
			r.m.Flag(unix.IFLA_VXLAN_GBP)
		case matches(word, "gpe"):
			r.m.Flag(unix.IFLA_VXLAN_GPE)
		default:
			r.unknownOption("vxlan", w)
		}
		w.skip()
	}
	if external && !learning {
		r.m.U8(unix.IFLA_VXLAN_LEARNING, 0)
	}
	if !hasID && !external {
		fail(exitFailed, "vxlan: missing virtual network identifier")
	}
	if !hasPort {
		// Without a word the kernel takes a port of its own from before there was a number for vxlan; iproute2 leaves it at that.
		r.s.hint("vxlan: destination port not specified\nWill use Linux kernel default (non-standard value)\nUse 'dstport 4789' to get the IANA assigned value\nUse 'dstport 0' to get default and quiet this message")
	}
}
