package iproute

import (
	"warren/internal/rtnl"
)

// options prints BRIDGE_VLANDB_ENTRY.
func (v *vlanPrinter) options(a rtnl.Attrs) {
	info := a.Bytes(vlanEntryInfo)
	vid := uint32(native.Uint16(info[2:]))
	end := vid
	if a.Has(vlanEntryRange) {
		end = uint32(a.U16(vlanEntryRange))
	}
	v.span("vlan", vid, end)
	v.flags(native.Uint16(info))
	v.p.text("%s%-16s    ", v.p.nl, "")
	if a.Has(vlanEntryState) {
		v.p.str("state", "state %s ", portState(a.U8(vlanEntryState)))
	}
	if a.Has(vlanEntryRouter) {
		num(v.p, "mcast_router", "mcast_router %d ", a.U8(vlanEntryRouter))
	}
	v.p.text("%s", v.p.nl)
	if v.s.opt.stats > 0 {
		const rxBytes, rxPackets, txBytes, txPackets = 1, 2, 3, 4 // BRIDGE_VLANDB_STATS_*
		n := a.Nested(vlanEntryStats)
		v.bytesAndPackets(n.U64(rxBytes), n.U64(rxPackets), n.U64(txBytes), n.U64(txPackets))
	}
}

func (v *vlanPrinter) bytesAndPackets(rxBytes, rxPackets, txBytes, txPackets uint64) {
	v.p.text("%-16s    ", "")
	num(v.p, "rx_bytes", "RX: %d bytes", rxBytes)
	num(v.p, "rx_packets", " %d packets", rxPackets)
	v.p.text("%s%-16s    ", v.p.nl, "")
	num(v.p, "tx_bytes", "TX: %d bytes", txBytes)
	num(v.p, "tx_packets", " %d packets", txPackets)
	v.p.text("%s", v.p.nl)
}

// globals prints BRIDGE_VLANDB_GLOBAL_OPTIONS.
func (v *vlanPrinter) globals(b []byte) {
	a := rtnl.ParseAttrs(b)
	vid := uint32(a.U16(vlanGlobalID))
	end := vid
	if a.Has(vlanGlobalRange) {
		end = uint32(a.U16(vlanGlobalRange))
	}
	v.span("vlan", vid, end)
	v.p.text("%s%-16s    ", v.p.nl, "")
	printFields(v.p, a, []field{
		{3, 1, "mcast_snooping", "mcast_snooping %d "},
		{15, 1, "mcast_querier", "mcast_querier %d "},
		{4, 1, "mcast_igmp_version", "mcast_igmp_version %d "},
		{5, 1, "mcast_mld_version", "mcast_mld_version %d "},
		{6, 4, "mcast_last_member_count", "mcast_last_member_count %d "},
		{8, 8, "mcast_last_member_interval", "mcast_last_member_interval %d "},
		{7, 4, "mcast_startup_query_count", "mcast_startup_query_count %d "},
		{14, 8, "mcast_startup_query_interval", "mcast_startup_query_interval %d "},
		{10, 8, "mcast_membership_interval", "mcast_membership_interval %d "},
		{11, 8, "mcast_querier_interval", "mcast_querier_interval %d "},
		{12, 8, "mcast_query_interval", "mcast_query_interval %d "},
		{13, 8, "mcast_query_response_interval", "mcast_query_response_interval %d "},
	})
	v.p.text("%s", v.p.nl)
}

// xstats prints the counters of VLANs (struct bridge_vlan_xstats).
func (v *vlanPrinter) xstats(list []byte, index int) {
	const bridgeXstatsVlan, size = 1, 40
	opened := false
	rtnl.EachAttr(list, func(typ uint16, b []byte) {
		if typ != bridgeXstatsVlan || len(b) < size-4 {
			return
		}
		vid, flags := native.Uint16(b[32:]), native.Uint16(b[34:])
		if v.vlan != 0 && v.vlan != int(vid) || flags&vlanMaster != 0 && flags&vlanBrEntry == 0 {
			return // a port's is told of with the ports
		}
		if opened {
			v.p.text("%-16s  ", "")
		} else {
			v.open(index, "vlans")
			opened = true
		}
		v.p.openObject("")
		num(v.p, "vid", "%d", vid)
		v.flags(flags)
		v.p.text("%s", v.p.nl)
		v.bytesAndPackets(native.Uint64(b), native.Uint64(b[8:]), native.Uint64(b[16:]), native.Uint64(b[24:]))
		v.p.closeObject()
	})
	if opened {
		v.closePort()
	}
}
