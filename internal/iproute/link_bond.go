package iproute

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// Attributes of bonds and of what is bound (IFLA_BOND_*, IFLA_BOND_SLAVE_*; linux/if_link.h), as far as they are not plain numbers.
const (
	bondModeAttr    = 1
	bondActive      = 2
	bondARPTargets  = 8
	bondARPValidate = 9
	bondARPAll      = 10
	bondPrimary     = 11
	bondReselect    = 12
	bondFailOver    = 13
	bondXmit        = 14
	bondLACPRate    = 21
	bondSelect      = 22
	bondInfo        = 23
	bondSystem      = 26
	bondLACPActive  = 29
	bondIP6Targets  = 31

	bondSlaveState   = 1
	bondSlaveMII     = 2
	bondSlaveFailed  = 3
	bondSlaveAddr    = 4
	bondSlaveQueue   = 5
	bondSlaveAgg     = 6
	bondSlaveActor   = 7
	bondSlavePartner = 8
	bondSlavePrio    = 9

	bondMaxTargets = 16
)

// bondOpts are the options of a bond, in the order in which they are looked through.
func bondOpts() []kindOpt {
	return []kindOpt{
		{"mode", bondModeAttr, asNamed8},
		{"active_slave", bondActive, asDevice},
		{"clear_active_slave", bondActive, asZero32},
		{"miimon", 3, as32},
		{"updelay", 4, as32},
		{"downdelay", 5, as32},
		{"peer_notify_delay", 28, as32},
		{"use_carrier", 6, as8},
		{"arp_interval", 7, as32},
		{"arp_ip_target", bondARPTargets, asTargets},
		{"ns_ip6_target", bondIP6Targets, asTargets},
		{"arp_validate", bondARPValidate, asNamed32},
		{"arp_all_targets", bondARPAll, asNamed32},
		{"arp_missed_max", 30, as8},
		{"primary", bondPrimary, asDevice},
		{"primary_reselect", bondReselect, asNamed8},
		{"fail_over_mac", bondFailOver, asNamed8},
		{"xmit_hash_policy", bondXmit, asNamed8},
		{"resend_igmp", 15, as32},
		{"num_grat_arp", 16, as8},
		{"num_unsol_na", 16, as8},
		{"all_slaves_active", 17, as8},
		{"min_links", 18, as32},
		{"lp_interval", 19, as32},
		{"packets_per_slave", 20, as32},
		{"lacp_rate", bondLACPRate, asNamed8},
		{"lacp_active", bondLACPActive, asNamed8},
		{"ad_select", bondSelect, asNamed8},
		{"ad_user_port_key", 25, as16},
		{"ad_actor_sys_prio", 24, as16},
		{"ad_actor_system", bondSystem, asHW},
		{"tlb_dynamic_lb", 27, as8},
	}
}

func bondSlaveOpts() []kindOpt {
	return []kindOpt{{"queue_id", bondSlaveQueue, as16}, {"prio", bondSlavePrio, asSigned32}}
}

// bondNames are the names of an option's values, from 0.
func bondNames(typ int) []string {
	switch typ {
	case bondModeAttr:
		return []string{"balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"}
	case bondARPValidate:
		return []string{"none", "active", "backup", "all", "filter", "filter_active", "filter_backup"}
	case bondARPAll:
		return []string{"any", "all"}
	case bondReselect:
		return []string{"always", "better", "failure"}
	case bondFailOver:
		return []string{"none", "active", "follow"}
	case bondXmit:
		return []string{"layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"}
	case bondLACPActive:
		return []string{"off", "on"}
	case bondLACPRate:
		return []string{"slow", "fast"}
	case bondSelect:
		return []string{"stable", "bandwidth", "count"}
	}
	return nil
}

// bondWord reads the values that only bonds have.
func (r *linkRequest) bondWord(opt *kindOpt, w *words) {
	switch opt.as {
	case asNamed8, asNamed32:
		word, names := w.next(), bondNames(int(opt.typ))
		i, err := strconv.Atoi(word)
		if err != nil || i < 0 || i >= len(names) {
			i = slices.Index(names, word)
		}
		if i < 0 {
			invalid("invalid "+opt.word, word)
		}
		if opt.as == asNamed8 {
			r.m.U8(opt.typ, uint8(i))
		} else {
			r.m.U32(opt.typ, uint32(i))
		}
	case asZero32:
		r.m.U32(opt.typ, 0)
	case asSigned32:
		n, ok := parseInt(w.next())
		if !ok {
			invalid(opt.word+" is invalid", w.peek())
		}
		r.m.U32(opt.typ, uint32(n))
	case asTargets:
		at := r.m.Begin(opt.typ)
		if w.at+1 < len(w.list) {
			i := uint16(0)
			for target := range strings.SplitSeq(w.next(), ",") {
				if target != "" && i < bondMaxTargets {
					r.m.Addr(i, address(target, map[bool]int{true: unix.AF_INET6, false: unix.AF_INET}[opt.typ == bondIP6Targets]))
					i++
				}
			}
		}
		r.m.End(at)
	}
}

// named prints a value that has a name.
func printNamed(p *printer, a rtnl.Attrs, typ int, key, format string) {
	if !a.Has(typ) {
		return
	}
	v := a.U32(typ)
	if len(a.Bytes(typ)) < 4 {
		v = uint32(a.U8(typ))
	}
	name := "UNKNOWN"
	if names := bondNames(typ); int(v) < len(names) {
		name = names[v]
	}
	p.str(key, format, name)
}

func printBond(s *session, p *printer, a rtnl.Attrs, _ *linkMsg) {
	link := func(typ int, key string) {
		if index := a.U32(typ); index != 0 {
			p.str(key, key+" %s ", s.nameOf(int(index)))
		}
	}
	printNamed(p, a, bondModeAttr, "mode", "mode %s ")
	link(bondActive, "active_slave")
	printFields(p, a, []field{
		{3, 4, "miimon", "miimon %d "},
		{4, 4, "updelay", "updelay %d "},
		{5, 4, "downdelay", "downdelay %d "},
		{28, 4, "peer_notify_delay", "peer_notify_delay %d "},
		{6, 1, "use_carrier", "use_carrier %d "},
		{7, 4, "arp_interval", "arp_interval %d "},
		{30, 1, "arp_missed_max", "arp_missed_max %d "},
	})
	printTargets(p, a, bondARPTargets, "arp_ip_target")
	printTargets(p, a, bondIP6Targets, "ns_ip6_target")
	if p.isJSON() && a.Has(bondARPValidate) && a.U32(bondARPValidate) == 0 {
		p.null("arp_validate", "")
	} else {
		printNamed(p, a, bondARPValidate, "arp_validate", "arp_validate %s ")
	}
	printNamed(p, a, bondARPAll, "arp_all_targets", "arp_all_targets %s ")
	link(bondPrimary, "primary")
	printNamed(p, a, bondReselect, "primary_reselect", "primary_reselect %s ")
	printNamed(p, a, bondFailOver, "fail_over_mac", "fail_over_mac %s ")
	printNamed(p, a, bondXmit, "xmit_hash_policy", "xmit_hash_policy %s ")
	printFields(p, a, []field{
		{15, 4, "resend_igmp", "resend_igmp %d "},
		{16, 1, "num_peer_notif", "num_grat_arp %d "},
		{17, 1, "all_slaves_active", "all_slaves_active %d "},
		{18, 4, "min_links", "min_links %d "},
		{19, 4, "lp_interval", "lp_interval %d "},
		{20, 4, "packets_per_slave", "packets_per_slave %d "},
	})
	printNamed(p, a, bondLACPActive, "ad_lacp_active", "lacp_active %s ")
	printNamed(p, a, bondLACPRate, "ad_lacp_rate", "lacp_rate %s ")
	printNamed(p, a, bondSelect, "ad_select", "ad_select %s ")
	if a.Has(bondInfo) {
		printAggregator(p, a.Nested(bondInfo))
	}
	printFields(p, a, []field{{24, 2, "ad_actor_sys_prio", "ad_actor_sys_prio %d "}, {25, 2, "ad_user_port_key", "ad_user_port_key %d "}})
	if a.Has(bondSystem) {
		p.str("ad_actor_system", "ad_actor_system %s ", net.HardwareAddr(a.Bytes(bondSystem)).String())
	}
	printFields(p, a, []field{{27, 1, "tlb_dynamic_lb", "tlb_dynamic_lb %d "}})
}

// printAggregator prints what 802.3ad has agreed on.
func printAggregator(p *printer, a rtnl.Attrs) {
	p.openObject("ad_info")
	printFields(p, a, []field{
		{1, 2, "aggregator", "ad_aggregator %d "},
		{2, 2, "num_ports", "ad_num_ports %d "},
		{3, 2, "actor_key", "ad_actor_key %d "},
		{4, 2, "partner_key", "ad_partner_key %d "},
	})
	if b := a.Bytes(5); len(b) >= 6 {
		p.str("partner_mac", "ad_partner_mac %s ", net.HardwareAddr(b[:6]).String())
	}
	p.closeObject()
}

// printTargets prints whom a bond asks whether the way is free.
func printTargets(p *printer, a rtnl.Attrs, typ int, key string) {
	list := a.Nested(typ)
	if !list.Has(0) {
		return
	}
	p.openArray(key, key+" ")
	for i := range bondMaxTargets {
		addr, ok := netip.AddrFromSlice(list.Bytes(i))
		if !ok {
			continue
		}
		p.item("%s", addr.String())
		if list.Has(i + 1) {
			p.text(",")
		}
	}
	p.closeArray(" ")
}

func printBondSlave(_ *session, p *printer, a rtnl.Attrs) {
	state := func(typ int, key, format string, names []string) {
		switch v := int(a.U8(typ)); {
		case !a.Has(typ):
		case v < len(names):
			p.str(key, format, names[v])
		default:
			num(p, key+"_index", key+" %d ", v)
		}
	}
	state(bondSlaveState, "state", "state %s ", []string{"ACTIVE", "BACKUP"})
	state(bondSlaveMII, "mii_status", "mii_status %s ", []string{"UP", "GOING_DOWN", "DOWN", "GOING_BACK"})
	if a.Has(bondSlaveFailed) {
		num(p, "link_failure_count", "link_failure_count %d ", a.S32(bondSlaveFailed))
	}
	if a.Has(bondSlaveAddr) {
		p.str("perm_hwaddr", "perm_hwaddr %s ", net.HardwareAddr(a.Bytes(bondSlaveAddr)).String())
	}
	printFields(p, a, []field{{bondSlaveQueue, 2, "queue_id", "queue_id %d "}})
	if a.Has(bondSlavePrio) {
		num(p, "prio", "prio %d ", a.S32(bondSlavePrio))
	}
	printFields(p, a, []field{{bondSlaveAgg, 2, "ad_aggregator_id", "ad_aggregator_id %d "}})
	port := func(typ int, key string) {
		if !a.Has(typ) {
			return
		}
		v := a.U8(typ)
		num(p, key, key+" %d ", v)
		p.openArray(key+"_str", key+"_str")
		p.text(" <")
		for i, name := range []string{"active", "short_timeout", "aggregating", "in_sync", "collecting", "distributing", "defaulted", "expired"} {
			if v&(1<<i) == 0 {
				continue
			}
			v &^= 1 << i
			printFlag(p, name, v != 0)
		}
		p.closeArray("> ")
	}
	port(bondSlaveActor, "ad_actor_oper_port_state")
	port(bondSlavePartner, "ad_partner_oper_port_state")
}
