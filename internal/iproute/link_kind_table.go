package iproute

import (
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
	asNoDevice // a word that stands for none
	asBit      // of IFLA_BR_MULTI_BOOLOPT
	asTable
	asAddr    // IPv4 or IPv6
	asBE16    // in network order
	asNamed8  // a name or its number
	asNamed32 // the same, in 32 bits
	asZero32  // a word that stands for 0
	asSigned32
	asTargets // addresses, with commas between
	asString
	asAMTMode
	asIPoIBMode
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
		{"nobackup_port", unix.IFLA_BRPORT_BACKUP_PORT, asNoDevice},
	}
}

// parseTable reads options that follow a table; a beginning of a word will do.
func (r *linkRequest) parseTable(kind string, w *words, table []kindOpt) {
	var bits, mask uint32
	for w.more() {
		word := w.peek()
		var opt *kindOpt
		for i := range table {
			if word == table[i].word || !wholeWords(kind) && matches(word, table[i].word) {
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
			r.m.U32(opt.typ, r.optionDevice(kind, w.next()))
		case asBit:
			mask |= 1 << opt.typ
			if u8(w.next(), what) != 0 {
				bits |= 1 << opt.typ
			}
		case asAddr:
			r.m.Addr(opt.typ, address(w.next(), 0))
		case asNoDevice:
			r.m.U32(opt.typ, 0)
		case asBE16:
			r.m.BE16(opt.typ, u16(w.next(), what))
		case asNamed8, asNamed32, asZero32, asSigned32, asTargets:
			r.bondWord(opt, w)
		case asString, asAMTMode, asIPoIBMode:
			r.rareWord(opt, w)
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

// optionDevice finds the link that an option names; each kind has its own refusal.
func (r *linkRequest) optionDevice(kind, name string) uint32 {
	switch kind {
	case "hsr":
		if r.s.indexOf(name) == 0 {
			invalid("No such interface", name)
		}
	case "dsa", "bridge_slave":
		if r.s.indexOf(name) == 0 {
			invalid("Device does not exist\n", name)
		}
	case "amt":
		return r.s.lower(name)
	}
	return r.s.device(name)
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
