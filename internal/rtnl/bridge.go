package rtnl

import (
	"fmt"

	"warren/state"

	"golang.org/x/sys/unix"
)

// bridge writes IFLA_BR_*.
func (e *encoder) bridge(b *state.Bridge) {
	e.optU32(unix.IFLA_BR_FORWARD_DELAY, b.ForwardDelay)
	e.optU32(unix.IFLA_BR_HELLO_TIME, b.HelloTime)
	e.optU32(unix.IFLA_BR_MAX_AGE, b.MaxAge)
	e.optU32(unix.IFLA_BR_AGEING_TIME, b.AgeingTime)
	if b.STP != nil { // a u32, unlike the other switches
		var v uint32
		if *b.STP {
			v = 1
		}
		e.u32(unix.IFLA_BR_STP_STATE, v)
	}
	e.optU16(unix.IFLA_BR_PRIORITY, b.Priority)
	e.boolean(unix.IFLA_BR_VLAN_FILTERING, b.VLANFiltering)
	e.optBE16(unix.IFLA_BR_VLAN_PROTOCOL, b.VLANProtocol)
	e.optU16(unix.IFLA_BR_GROUP_FWD_MASK, b.GroupFwdMask)
	e.boolean(unix.IFLA_BR_MCAST_SNOOPING, b.MulticastSnoop)
	e.boolean(unix.IFLA_BR_MCAST_QUERIER, b.MulticastQuerier)
	e.boolean(unix.IFLA_BR_NF_CALL_IPTABLES, b.NFCallIP)
	e.boolean(unix.IFLA_BR_NF_CALL_IP6TABLES, b.NFCallIP6)
	e.boolean(unix.IFLA_BR_NF_CALL_ARPTABLES, b.NFCallARP)
	e.optU16(unix.IFLA_BR_VLAN_DEFAULT_PVID, b.DefaultPVID)
}

func (w *walker) bridge() *state.Bridge {
	b := &state.Bridge{}
	for w.next() {
		switch w.typ {
		case unix.IFLA_BR_FORWARD_DELAY:
			b.ForwardDelay = w.u32()
		case unix.IFLA_BR_HELLO_TIME:
			b.HelloTime = w.u32()
		case unix.IFLA_BR_MAX_AGE:
			b.MaxAge = w.u32()
		case unix.IFLA_BR_AGEING_TIME:
			b.AgeingTime = w.u32()
		case unix.IFLA_BR_STP_STATE:
			v := w.u32() != 0
			b.STP = &v
		case unix.IFLA_BR_PRIORITY:
			b.Priority = w.u16()
		case unix.IFLA_BR_VLAN_FILTERING:
			b.VLANFiltering = w.boolean()
		case unix.IFLA_BR_VLAN_PROTOCOL:
			b.VLANProtocol = w.be16()
		case unix.IFLA_BR_GROUP_FWD_MASK:
			b.GroupFwdMask = w.u16()
		case unix.IFLA_BR_MCAST_SNOOPING:
			b.MulticastSnoop = w.boolean()
		case unix.IFLA_BR_MCAST_QUERIER:
			b.MulticastQuerier = w.boolean()
		case unix.IFLA_BR_NF_CALL_IPTABLES:
			b.NFCallIP = w.boolean()
		case unix.IFLA_BR_NF_CALL_IP6TABLES:
			b.NFCallIP6 = w.boolean()
		case unix.IFLA_BR_NF_CALL_ARPTABLES:
			b.NFCallARP = w.boolean()
		case unix.IFLA_BR_VLAN_DEFAULT_PVID:
			b.DefaultPVID = w.u16()
		}
	}
	return b
}

// slaveData writes what a bridge's port is: IFLA_INFO_SLAVE_KIND and IFLA_INFO_SLAVE_DATA.
func (e *encoder) slaveData(p *state.BridgePort) {
	if p == nil {
		return
	}
	e.str(unix.IFLA_INFO_SLAVE_KIND, "bridge")
	at := e.begin(unix.IFLA_INFO_SLAVE_DATA)
	if p.State != nil {
		e.u8(unix.IFLA_BRPORT_STATE, *p.State)
	}
	e.optU16(unix.IFLA_BRPORT_PRIORITY, p.Priority)
	e.optU32(unix.IFLA_BRPORT_COST, p.Cost)
	for _, f := range portFlags(p) {
		e.boolean(f.typ, *f.v)
	}
	e.end(at)
}

func decodePort(l *state.Link, data []byte) error {
	p := &state.BridgePort{}
	flags := portFlags(p)
	w := walk(data)
	for w.next() {
		switch w.typ {
		case unix.IFLA_BRPORT_STATE:
			v := w.u8()
			p.State = &v
		case unix.IFLA_BRPORT_PRIORITY:
			p.Priority = w.u16()
		case unix.IFLA_BRPORT_COST:
			p.Cost = w.u32()
		default:
			for _, f := range flags {
				if f.typ == w.typ {
					*f.v = w.boolean()
				}
			}
		}
	}
	if w.err != nil {
		return fmt.Errorf("bridge port: %w", w.err)
	}
	l.Port = p
	return nil
}

// A portFlag is a switch of a port and the attribute that carries it.
type portFlag struct {
	typ uint16
	v   **bool
}

func portFlags(p *state.BridgePort) [13]portFlag {
	return [...]portFlag{
		{unix.IFLA_BRPORT_MODE, &p.Hairpin},
		{unix.IFLA_BRPORT_GUARD, &p.Guard},
		{unix.IFLA_BRPORT_PROTECT, &p.RootBlock},
		{unix.IFLA_BRPORT_FAST_LEAVE, &p.FastLeave},
		{unix.IFLA_BRPORT_LEARNING, &p.Learning},
		{unix.IFLA_BRPORT_UNICAST_FLOOD, &p.Flood},
		{unix.IFLA_BRPORT_PROXYARP, &p.ProxyARP},
		{unix.IFLA_BRPORT_MCAST_FLOOD, &p.MulticastFlood},
		{unix.IFLA_BRPORT_VLAN_TUNNEL, &p.VLANTunnel},
		{unix.IFLA_BRPORT_BCAST_FLOOD, &p.BroadcastFlood},
		{unix.IFLA_BRPORT_NEIGH_SUPPRESS, &p.NeighSuppress},
		{unix.IFLA_BRPORT_ISOLATED, &p.Isolated},
		{unix.IFLA_BRPORT_LOCKED, &p.Locked},
	}
}
