package plan

import "warren/state"

// withDefaults returns what is wanted of a link, with those attributes of bridge and port that were declared and are not any
// more set to what a new link has (net/bridge/br_device.c, br_if.c).
func withDefaults(want, former *state.Link) *state.Link {
	if former == nil || former.Bridge == nil && former.Port == nil {
		return want
	}
	w := *want
	if former.Bridge != nil {
		var b state.Bridge
		if want.Bridge != nil {
			b = *want.Bridge
		}
		f := former.Bridge
		fallback(&b.STP, f.STP, false)
		fallback(&b.VLANFiltering, f.VLANFiltering, false)
		fallback(&b.MulticastSnoop, f.MulticastSnoop, true)
		fallback(&b.MulticastQuerier, f.MulticastQuerier, false)
		fallbackNumber(&b.ForwardDelay, f.ForwardDelay, 1500)
		fallbackNumber(&b.HelloTime, f.HelloTime, 200)
		fallbackNumber(&b.MaxAge, f.MaxAge, 2000)
		fallbackNumber(&b.AgeingTime, f.AgeingTime, 30000)
		fallbackNumber(&b.Priority, f.Priority, 32768)
		if b != (state.Bridge{}) {
			w.Bridge = &b
		}
	}
	if former.Port != nil && w.Master != "" {
		var p state.BridgePort
		if want.Port != nil {
			p = *want.Port
		}
		f := former.Port
		fallback(&p.Hairpin, f.Hairpin, false)
		fallback(&p.Guard, f.Guard, false)
		fallback(&p.RootBlock, f.RootBlock, false)
		fallback(&p.FastLeave, f.FastLeave, false)
		fallback(&p.Learning, f.Learning, true)
		fallback(&p.Flood, f.Flood, true)
		fallback(&p.MulticastFlood, f.MulticastFlood, true)
		fallback(&p.BroadcastFlood, f.BroadcastFlood, true)
		fallback(&p.NeighSuppress, f.NeighSuppress, false)
		fallback(&p.ProxyARP, f.ProxyARP, false)
		fallback(&p.VLANTunnel, f.VLANTunnel, false)
		fallback(&p.Isolated, f.Isolated, false)
		fallback(&p.Locked, f.Locked, false)
		fallbackNumber(&p.Priority, f.Priority, 32)
		if p != (state.BridgePort{}) {
			w.Port = &p
		}
	}
	return &w
}

func fallback(want **bool, former *bool, value bool) {
	if *want == nil && former != nil {
		*want = &value
	}
}

func fallbackNumber[T uint16 | uint32](want *T, former, value T) {
	if *want == 0 && former != 0 {
		*want = value
	}
}
