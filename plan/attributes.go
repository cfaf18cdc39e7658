package plan

import (
	"fmt"
	"strconv"

	"warren/state"
)

// An attribute is a property of a bridge or port as ip link set DEV type KIND takes it.
type attribute struct {
	key, value string
	port       bool
}

type attributes struct {
	list []attribute
	port bool
}

func (a *attributes) number(key string, before, after uint32) {
	if after != 0 && before != after {
		a.list = append(a.list, attribute{key, strconv.FormatUint(uint64(after), 10), a.port})
	}
}

func (a *attributes) boolean(key string, before, after *bool) {
	if after != nil && (before == nil || *before != *after) {
		v := "0"
		if *after {
			v = "1"
		}
		a.list = append(a.list, attribute{key, v, a.port})
	}
}

// onOff is boolean for the port attributes that ip wants as words.
func (a *attributes) onOff(key string, before, after *bool) {
	if after != nil && (before == nil || *before != *after) {
		v := "off"
		if *after {
			v = "on"
		}
		a.list = append(a.list, attribute{key, v, a.port})
	}
}

// attributeWords are the attributes of bridge and port that differ.
func attributeWords(before, after *state.Link) []attribute {
	var a attributes
	if w := after.Bridge; w != nil {
		h := before.Bridge
		if h == nil {
			h = &state.Bridge{}
		}
		a.boolean("stp_state", h.STP, w.STP)
		a.number("forward_delay", h.ForwardDelay, w.ForwardDelay)
		a.number("hello_time", h.HelloTime, w.HelloTime)
		a.number("max_age", h.MaxAge, w.MaxAge)
		a.number("ageing_time", h.AgeingTime, w.AgeingTime)
		a.number("priority", uint32(h.Priority), uint32(w.Priority))
		a.boolean("vlan_filtering", h.VLANFiltering, w.VLANFiltering)
		if w.VLANProtocol != 0 && w.VLANProtocol != h.VLANProtocol {
			v := "802.1Q"
			if w.VLANProtocol == 0x88a8 {
				v = "802.1ad"
			}
			a.list = append(a.list, attribute{"vlan_protocol", v, false})
		}
		a.number("vlan_default_pvid", uint32(h.DefaultPVID), uint32(w.DefaultPVID))
		a.boolean("mcast_snooping", h.MulticastSnoop, w.MulticastSnoop)
		a.boolean("mcast_querier", h.MulticastQuerier, w.MulticastQuerier)
		if w.GroupFwdMask != 0 && w.GroupFwdMask != h.GroupFwdMask {
			a.list = append(a.list, attribute{"group_fwd_mask", fmt.Sprintf("%#x", w.GroupFwdMask), false})
		}
		a.boolean("nf_call_iptables", h.NFCallIP, w.NFCallIP)
		a.boolean("nf_call_ip6tables", h.NFCallIP6, w.NFCallIP6)
		a.boolean("nf_call_arptables", h.NFCallARP, w.NFCallARP)
	}
	if w := after.Port; w != nil {
		a.port = true
		h := before.Port
		if h == nil {
			h = &state.BridgePort{}
		}
		if w.State != nil && (h.State == nil || *h.State != *w.State) {
			a.list = append(a.list, attribute{"state", strconv.Itoa(int(*w.State)), true})
		}
		a.number("cost", h.Cost, w.Cost)
		a.number("priority", uint32(h.Priority), uint32(w.Priority))
		a.onOff("hairpin", h.Hairpin, w.Hairpin)
		a.onOff("guard", h.Guard, w.Guard)
		a.onOff("root_block", h.RootBlock, w.RootBlock)
		a.onOff("fastleave", h.FastLeave, w.FastLeave)
		a.onOff("learning", h.Learning, w.Learning)
		a.onOff("flood", h.Flood, w.Flood)
		a.onOff("mcast_flood", h.MulticastFlood, w.MulticastFlood)
		a.onOff("bcast_flood", h.BroadcastFlood, w.BroadcastFlood)
		a.onOff("neigh_suppress", h.NeighSuppress, w.NeighSuppress)
		a.onOff("proxy_arp", h.ProxyARP, w.ProxyARP)
		a.onOff("vlan_tunnel", h.VLANTunnel, w.VLANTunnel)
		a.onOff("isolated", h.Isolated, w.Isolated)
		a.onOff("locked", h.Locked, w.Locked)
	}
	return a.list
}
