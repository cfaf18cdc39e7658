package plan

import (
	"fmt"
	"slices"
	"strings"

	"warren/state"
)

// A patch is what of a link has to change: both sides hold only those fields.
type patch struct {
	before, after state.Link
	changed       bool
	reason        []string
}

// number takes a field over when it is declared and differs.
func number[T uint8 | uint16 | uint32](p *patch, name string, have, want T, before, after *T) {
	if want == 0 || want == have {
		return
	}
	*before, *after = have, want
	p.note(name, have, want)
}

func (p *patch) note(name string, have, want any) {
	p.changed = true
	p.reason = append(p.reason, fmt.Sprintf("%s is %v, want %v", name, have, want))
}

func boolean[T bool | uint8](p *patch, name string, have, want *T, before, after **T) {
	if want == nil || have != nil && *have == *want {
		return
	}
	*before, *after = have, want
	if have == nil {
		p.changed = true
		p.reason = append(p.reason, fmt.Sprintf("want %s %v", name, *want))
		return
	}
	p.note(name, *have, *want)
}

// patchLink compares the declared fields, Up excepted. former is what was declared before, or nil: a master or altname that it
// declares and want does not is taken away, an MTU goes back to fresh.
func (d *differ) patchLink(p *patch, want, have, former *state.Link, masterGone bool) {
	before, after := &p.before, &p.after
	number(p, "mtu", have.MTU, want.MTU, &before.MTU, &after.MTU)
	number(p, "txqueuelen", have.TxQueueLen, want.TxQueueLen, &before.TxQueueLen, &after.TxQueueLen)
	number(p, "group", have.Group, want.Group, &before.Group, &after.Group)
	if want.NoAddrGen && !have.NoAddrGen {
		after.NoAddrGen = true
		p.changed = true
		p.reason = append(p.reason, "it gives itself an IPv6 address")
	}
	if !want.MAC.IsZero() && want.MAC != have.MAC {
		before.MAC, after.MAC = have.MAC, want.MAC
		p.note("mac", have.MAC, want.MAC)
	}
	if want.Alias != "" && want.Alias != have.Alias {
		before.Alias, after.Alias = have.Alias, want.Alias
		p.changed = true
		p.reason = append(p.reason, fmt.Sprintf("alias is %q", have.Alias))
	}
	master := have.Master
	if masterGone {
		master = ""
	}
	unslave := want.Master == "" && master != "" && former != nil && former.Master == master
	if want.Master != "" && want.Master != master || unslave {
		before.Master, after.Master = master, want.Master
		p.note("master", orWord(master, "none"), orWord(want.Master, "none"))
	}
	d.patchAltNames(p, want, have, former)
	if former != nil && former.MTU != 0 && want.MTU == 0 {
		if mtu := freshMTU(want.Kind); mtu != 0 && mtu != have.MTU {
			before.MTU, after.MTU = have.MTU, mtu
			p.changed = true
			p.reason = append(p.reason, fmt.Sprintf("mtu %d is no longer declared", have.MTU))
		}
	}
	if want.Bridge != nil {
		patchBridge(p, want.Bridge, have.Bridge)
	}
	if want.Port != nil {
		port := have.Port
		if before.Master != after.Master {
			port = nil // another bridge's port is a new one
		}
		patchPort(p, want.Port, port)
	}
}

// freshMTU is what a new link of the kind has, in bytes; 0 = it depends on others.
func freshMTU(kind string) uint32 {
	switch kind {
	case "veth", "bridge", "dummy", "ifb":
		return 1500
	case "vxlan":
		return 1450 // of a lower link of 1500: 20 IPv4 + 8 UDP + 8 VXLAN + 14 Ethernet
	}
	return 0
}

func (d *differ) patchAltNames(p *patch, want, have, former *state.Link) {
	for _, a := range want.AltNames {
		if !slices.Contains(have.AltNames, a) {
			p.after.AltNames = append(p.after.AltNames, a)
			p.changed = true
			p.reason = append(p.reason, "altname "+a+" is missing")
		}
	}
	if want.Name == "lo" {
		return // carries the mark
	}
	for _, a := range have.AltNames {
		ours := strings.HasPrefix(a, "warren."+d.lab+".") || former != nil && slices.Contains(former.AltNames, a)
		if ours && !slices.Contains(want.AltNames, a) && !d.verbatim {
			p.before.AltNames = append(p.before.AltNames, a)
			p.changed = true
			p.reason = append(p.reason, "altname "+a+" is no longer declared")
		}
	}
}

func patchBridge(p *patch, w, h *state.Bridge) {
	if h == nil {
		h = &state.Bridge{}
	}
	var b, a state.Bridge
	was := p.changed
	p.changed = false
	boolean(p, "stp", h.STP, w.STP, &b.STP, &a.STP)
	number(p, "forward_delay", h.ForwardDelay, w.ForwardDelay, &b.ForwardDelay, &a.ForwardDelay)
	number(p, "hello_time", h.HelloTime, w.HelloTime, &b.HelloTime, &a.HelloTime)
	number(p, "max_age", h.MaxAge, w.MaxAge, &b.MaxAge, &a.MaxAge)
	number(p, "ageing_time", h.AgeingTime, w.AgeingTime, &b.AgeingTime, &a.AgeingTime)
	number(p, "priority", h.Priority, w.Priority, &b.Priority, &a.Priority)
	boolean(p, "vlan_filtering", h.VLANFiltering, w.VLANFiltering, &b.VLANFiltering, &a.VLANFiltering)
	number(p, "vlan_protocol", h.VLANProtocol, w.VLANProtocol, &b.VLANProtocol, &a.VLANProtocol)
	number(p, "vlan_default_pvid", h.DefaultPVID, w.DefaultPVID, &b.DefaultPVID, &a.DefaultPVID)
	boolean(p, "mcast_snooping", h.MulticastSnoop, w.MulticastSnoop, &b.MulticastSnoop, &a.MulticastSnoop)
	boolean(p, "mcast_querier", h.MulticastQuerier, w.MulticastQuerier, &b.MulticastQuerier, &a.MulticastQuerier)
	number(p, "group_fwd_mask", h.GroupFwdMask, w.GroupFwdMask, &b.GroupFwdMask, &a.GroupFwdMask)
	boolean(p, "nf_call_iptables", h.NFCallIP, w.NFCallIP, &b.NFCallIP, &a.NFCallIP)
	boolean(p, "nf_call_ip6tables", h.NFCallIP6, w.NFCallIP6, &b.NFCallIP6, &a.NFCallIP6)
	boolean(p, "nf_call_arptables", h.NFCallARP, w.NFCallARP, &b.NFCallARP, &a.NFCallARP)
	if p.changed {
		p.before.Bridge, p.after.Bridge = &b, &a
	}
	p.changed = p.changed || was
}

func patchPort(p *patch, w, h *state.BridgePort) {
	if h == nil {
		h = &state.BridgePort{}
	}
	var b, a state.BridgePort
	was := p.changed
	p.changed = false
	boolean(p, "port state", h.State, w.State, &b.State, &a.State)
	number(p, "cost", h.Cost, w.Cost, &b.Cost, &a.Cost)
	number(p, "port priority", h.Priority, w.Priority, &b.Priority, &a.Priority)
	boolean(p, "hairpin", h.Hairpin, w.Hairpin, &b.Hairpin, &a.Hairpin)
	boolean(p, "guard", h.Guard, w.Guard, &b.Guard, &a.Guard)
	boolean(p, "root_block", h.RootBlock, w.RootBlock, &b.RootBlock, &a.RootBlock)
	boolean(p, "fastleave", h.FastLeave, w.FastLeave, &b.FastLeave, &a.FastLeave)
	boolean(p, "learning", h.Learning, w.Learning, &b.Learning, &a.Learning)
	boolean(p, "flood", h.Flood, w.Flood, &b.Flood, &a.Flood)
	boolean(p, "mcast_flood", h.MulticastFlood, w.MulticastFlood, &b.MulticastFlood, &a.MulticastFlood)
	boolean(p, "bcast_flood", h.BroadcastFlood, w.BroadcastFlood, &b.BroadcastFlood, &a.BroadcastFlood)
	boolean(p, "neigh_suppress", h.NeighSuppress, w.NeighSuppress, &b.NeighSuppress, &a.NeighSuppress)
	boolean(p, "proxy_arp", h.ProxyARP, w.ProxyARP, &b.ProxyARP, &a.ProxyARP)
	boolean(p, "vlan_tunnel", h.VLANTunnel, w.VLANTunnel, &b.VLANTunnel, &a.VLANTunnel)
	boolean(p, "isolated", h.Isolated, w.Isolated, &b.Isolated, &a.Isolated)
	boolean(p, "locked", h.Locked, w.Locked, &b.Locked, &a.Locked)
	if p.changed {
		p.before.Port, p.after.Port = &b, &a
	}
	p.changed = p.changed || was
}
