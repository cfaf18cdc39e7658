package iproute

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Attributes of a bridge and its ports that package unix does not name (linux/if_link.h).
const (
	iflaBrMultiBoolopt = 46
	iflaBrportLocked   = 39
)

// printBridgeKind prints a bridge's own settings.
func printBridgeKind(_ *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	printFields(p, a, []field{
		{unix.IFLA_BR_FORWARD_DELAY, 4, "forward_delay", "forward_delay %d "},
		{unix.IFLA_BR_HELLO_TIME, 4, "hello_time", "hello_time %d "},
		{unix.IFLA_BR_MAX_AGE, 4, "max_age", "max_age %d "},
		{unix.IFLA_BR_AGEING_TIME, 4, "ageing_time", "ageing_time %d "},
		{unix.IFLA_BR_STP_STATE, 4, "stp_state", "stp_state %d "},
		{unix.IFLA_BR_PRIORITY, 2, "priority", "priority %d "},
		{unix.IFLA_BR_VLAN_FILTERING, 1, "vlan_filtering", "vlan_filtering %d "},
	})
	if a.Has(unix.IFLA_BR_VLAN_PROTOCOL) {
		word := "802.1Q"
		if v := a.BE16(unix.IFLA_BR_VLAN_PROTOCOL); v == unix.ETH_P_8021AD {
			word = "802.1ad"
		}
		p.str("vlan_protocol", "vlan_protocol %s ", word)
	}
	if a.Has(unix.IFLA_BR_BRIDGE_ID) {
		p.str("bridge_id", "bridge_id %s ", bridgeID(a.Bytes(unix.IFLA_BR_BRIDGE_ID)))
	}
	if a.Has(unix.IFLA_BR_ROOT_ID) {
		p.str("root_id", "designated_root %s ", bridgeID(a.Bytes(unix.IFLA_BR_ROOT_ID)))
	}
	printFields(p, a, []field{
		{unix.IFLA_BR_ROOT_PORT, 2, "root_port", "root_port %d "},
		{unix.IFLA_BR_ROOT_PATH_COST, 4, "root_path_cost", "root_path_cost %d "},
		{unix.IFLA_BR_TOPOLOGY_CHANGE, 1, "topology_change", "topology_change %d "},
		{unix.IFLA_BR_TOPOLOGY_CHANGE_DETECTED, 1, "topology_change_detected", "topology_change_detected %d "},
	})
	for _, f := range []struct {
		typ         int
		key, format string
	}{
		{unix.IFLA_BR_HELLO_TIMER, "hello_timer", "hello_timer %s "},
		{unix.IFLA_BR_TCN_TIMER, "tcn_timer", "tcn_timer %s "},
		{unix.IFLA_BR_TOPOLOGY_CHANGE_TIMER, "topology_change_timer", "topology_change_timer %s "},
		{unix.IFLA_BR_GC_TIMER, "gc_timer", "gc_timer %s "},
	} {
		if a.Has(f.typ) {
			printTimer(p, f.key, f.format, a.U64(f.typ))
		}
	}
	if a.Has(unix.IFLA_BR_VLAN_DEFAULT_PVID) {
		num(p, "vlan_default_pvid", "vlan_default_pvid %d ", a.U16(unix.IFLA_BR_VLAN_DEFAULT_PVID))
	}
	printFields(p, a, []field{
		{unix.IFLA_BR_VLAN_STATS_ENABLED, 1, "vlan_stats_enabled", "vlan_stats_enabled %d "},
		{unix.IFLA_BR_VLAN_STATS_PER_PORT, 1, "vlan_stats_per_port", "vlan_stats_per_port %d "},
	})
	if a.Has(unix.IFLA_BR_GROUP_FWD_MASK) {
		p.text("group_fwd_mask %s ", zeroHex(a.U16(unix.IFLA_BR_GROUP_FWD_MASK)))
		p.str("group_fwd_mask", "", zeroHex(a.U16(unix.IFLA_BR_GROUP_FWD_MASK)))
	}
	if b := a.Bytes(unix.IFLA_BR_GROUP_ADDR); b != nil {
		p.str("group_addr", "group_address %s ", net.HardwareAddr(b).String())
	}
	printFields(p, a, []field{{unix.IFLA_BR_MCAST_SNOOPING, 1, "mcast_snooping", "mcast_snooping %d "}})
	if b := a.Bytes(iflaBrMultiBoolopt); len(b) >= 8 {
		value, mask := native.Uint32(b), native.Uint32(b[4:])
		if mask&1 != 0 {
			num(p, "no_linklocal_learn", "no_linklocal_learn %d ", value&1)
		}
		if mask&2 != 0 {
			num(p, "mcast_vlan_snooping", "mcast_vlan_snooping %d ", value>>1&1)
		}
	}
	printFields(p, a, []field{
		{unix.IFLA_BR_MCAST_ROUTER, 1, "mcast_router", "mcast_router %d "},
		{unix.IFLA_BR_MCAST_QUERY_USE_IFADDR, 1, "mcast_query_use_ifaddr", "mcast_query_use_ifaddr %d "},
		{unix.IFLA_BR_MCAST_QUERIER, 1, "mcast_querier", "mcast_querier %d "},
		{unix.IFLA_BR_MCAST_HASH_ELASTICITY, 4, "mcast_hash_elasticity", "mcast_hash_elasticity %d "},
		{unix.IFLA_BR_MCAST_HASH_MAX, 4, "mcast_hash_max", "mcast_hash_max %d "},
		{unix.IFLA_BR_MCAST_LAST_MEMBER_CNT, 4, "mcast_last_member_cnt", "mcast_last_member_count %d "},
		{unix.IFLA_BR_MCAST_STARTUP_QUERY_CNT, 4, "mcast_startup_query_cnt", "mcast_startup_query_count %d "},
		{unix.IFLA_BR_MCAST_LAST_MEMBER_INTVL, 8, "mcast_last_member_intvl", "mcast_last_member_interval %d "},
		{unix.IFLA_BR_MCAST_MEMBERSHIP_INTVL, 8, "mcast_membership_intvl", "mcast_membership_interval %d "},
		{unix.IFLA_BR_MCAST_QUERIER_INTVL, 8, "mcast_querier_intvl", "mcast_querier_interval %d "},
		{unix.IFLA_BR_MCAST_QUERY_INTVL, 8, "mcast_query_intvl", "mcast_query_interval %d "},
		{unix.IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, 8, "mcast_query_response_intvl", "mcast_query_response_interval %d "},
		{unix.IFLA_BR_MCAST_STARTUP_QUERY_INTVL, 8, "mcast_startup_query_intvl", "mcast_startup_query_interval %d "},
		{unix.IFLA_BR_MCAST_STATS_ENABLED, 1, "mcast_stats_enabled", "mcast_stats_enabled %d "},
		{unix.IFLA_BR_MCAST_IGMP_VERSION, 1, "mcast_igmp_version", "mcast_igmp_version %d "},
		{unix.IFLA_BR_MCAST_MLD_VERSION, 1, "mcast_mld_version", "mcast_mld_version %d "},
		{unix.IFLA_BR_NF_CALL_IPTABLES, 1, "nf_call_iptables", "nf_call_iptables %d "},
		{unix.IFLA_BR_NF_CALL_IP6TABLES, 1, "nf_call_ip6tables", "nf_call_ip6tables %d "},
		{unix.IFLA_BR_NF_CALL_ARPTABLES, 1, "nf_call_arptables", "nf_call_arptables %d "},
	})
}

// portStates are a port's states of the spanning tree (BR_STATE_*).
func portState(v uint8) string {
	words := []string{"disabled", "listening", "learning", "forwarding", "blocking"}
	if int(v) < len(words) {
		return words[v]
	}
	return strconv.Itoa(int(v))
}

// printSwitches prints attributes of a byte as "WORD on" or "WORD off".
func printSwitches(p *printer, a rtnl.Attrs, list []portSwitch) {
	for _, f := range list {
		if a.Has(f.typ) {
			p.onOff(f.key, f.word+" %s ", a.U8(f.typ) != 0)
		}
	}
}

type portSwitch struct {
	typ       int
	key, word string
}

// printBridgeSlave prints a bridge's port.
func printBridgeSlave(s *session, p *printer, a rtnl.Attrs) {
	if a.Has(unix.IFLA_BRPORT_STATE) {
		if v := a.U8(unix.IFLA_BRPORT_STATE); v <= 4 {
			p.str("state", "state %s ", portState(v))
		} else {
			num(p, "state_index", "state (%d) ", v)
		}
	}
	printFields(p, a, []field{{unix.IFLA_BRPORT_PRIORITY, 2, "priority", "priority %d "}})
	if a.Has(unix.IFLA_BRPORT_COST) {
		num(p, "cost", "cost %d ", a.S32(unix.IFLA_BRPORT_COST))
	}
	printSwitches(p, a, []portSwitch{
		{unix.IFLA_BRPORT_MODE, "hairpin", "hairpin"},
		{unix.IFLA_BRPORT_GUARD, "guard", "guard"},
		{unix.IFLA_BRPORT_PROTECT, "root_block", "root_block"},
		{unix.IFLA_BRPORT_FAST_LEAVE, "fastleave", "fastleave"},
		{unix.IFLA_BRPORT_LEARNING, "learning", "learning"},
		{unix.IFLA_BRPORT_UNICAST_FLOOD, "flood", "flood"},
	})
	for _, f := range []field{{unix.IFLA_BRPORT_ID, 2, "id", "port_id %s "}, {unix.IFLA_BRPORT_NO, 2, "no", "port_no %s "}} {
		if a.Has(f.typ) {
			p.str(f.key, f.format, zeroHex(a.U16(f.typ)))
		}
	}
	printFields(p, a, []field{
		{unix.IFLA_BRPORT_DESIGNATED_PORT, 2, "designated_port", "designated_port %d "},
		{unix.IFLA_BRPORT_DESIGNATED_COST, 2, "designated_cost", "designated_cost %d "},
	})
	if a.Has(unix.IFLA_BRPORT_BRIDGE_ID) {
		p.str("bridge_id", "designated_bridge %s ", bridgeID(a.Bytes(unix.IFLA_BRPORT_BRIDGE_ID)))
	}
	if a.Has(unix.IFLA_BRPORT_ROOT_ID) {
		p.str("root_id", "designated_root %s ", bridgeID(a.Bytes(unix.IFLA_BRPORT_ROOT_ID)))
	}
	for _, f := range []field{
		{unix.IFLA_BRPORT_HOLD_TIMER, 8, "hold_timer", "hold_timer %s "},
		{unix.IFLA_BRPORT_MESSAGE_AGE_TIMER, 8, "message_age_timer", "message_age_timer %s "},
		{unix.IFLA_BRPORT_FORWARD_DELAY_TIMER, 8, "forward_delay_timer", "forward_delay_timer %s "},
	} {
		if a.Has(f.typ) {
			printTimer(p, f.key, f.format, a.U64(f.typ))
		}
	}
	printFields(p, a, []field{
		{unix.IFLA_BRPORT_TOPOLOGY_CHANGE_ACK, 1, "topology_change_ack", "topology_change_ack %d "},
		{unix.IFLA_BRPORT_CONFIG_PENDING, 1, "config_pending", "config_pending %d "},
	})
	printSwitches(p, a, []portSwitch{{unix.IFLA_BRPORT_PROXYARP, "proxy_arp", "proxy_arp"}, {unix.IFLA_BRPORT_PROXYARP_WIFI, "proxy_arp_wifi", "proxy_arp_wifi"}})
	printFields(p, a, []field{{unix.IFLA_BRPORT_MULTICAST_ROUTER, 1, "multicast_router", "mcast_router %d "}})
	if a.Has(unix.IFLA_BRPORT_FAST_LEAVE) && !p.isJSON() {
		p.onOff("", "mcast_fast_leave %s ", a.U8(unix.IFLA_BRPORT_FAST_LEAVE) != 0)
	}
	printSwitches(p, a, []portSwitch{
		{unix.IFLA_BRPORT_MCAST_FLOOD, "mcast_flood", "mcast_flood"},
		{unix.IFLA_BRPORT_BCAST_FLOOD, "bcast_flood", "bcast_flood"},
		{unix.IFLA_BRPORT_MCAST_TO_UCAST, "mcast_to_unicast", "mcast_to_unicast"},
		{unix.IFLA_BRPORT_NEIGH_SUPPRESS, "neigh_suppress", "neigh_suppress"},
	})
	if a.Has(unix.IFLA_BRPORT_GROUP_FWD_MASK) {
		mask := a.U16(unix.IFLA_BRPORT_GROUP_FWD_MASK)
		p.str("group_fwd_mask", "group_fwd_mask %s ", zeroHex(mask))
		p.str("group_fwd_mask_str", "group_fwd_mask_str %s ", forwardedNames(mask))
	}
	printSwitches(p, a, []portSwitch{{unix.IFLA_BRPORT_VLAN_TUNNEL, "vlan_tunnel", "vlan_tunnel"}, {unix.IFLA_BRPORT_ISOLATED, "isolated", "isolated"}, {iflaBrportLocked, "locked", "locked"}})
	if a.Has(unix.IFLA_BRPORT_BACKUP_PORT) {
		p.str("backup_port", "backup_port %s ", s.nameOf(int(a.U32(unix.IFLA_BRPORT_BACKUP_PORT))))
	}
}

// forwardedNames are the protocols that a port forwards although they are meant for bridges, by the last bits of their addresses.
func forwardedNames(mask uint16) string {
	if mask == 0 {
		return "0x0"
	}
	var names []string
	for i := range 16 {
		bit := uint16(1) << i
		if mask&bit == 0 {
			continue
		}
		switch i {
		case 0:
			names = append(names, "stp")
		case 2:
			names = append(names, "lacp")
		case 14:
			names = append(names, "lldp")
		default:
			names = append(names, fmt.Sprintf("0x%x", bit))
		}
	}
	return strings.Join(names, ",")
}

// zeroHex is the C library's %#x, which writes zero without a prefix.
func zeroHex(v uint16) string {
	if v == 0 {
		return "0"
	}
	return fmt.Sprintf("%#x", v)
}
