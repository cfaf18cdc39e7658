package fake

import "warren/state"

func newBridge(want *state.Bridge) *state.Bridge {
	off, on, off2, off3, off4, off5, off6 := false, true, false, false, false, false, false
	b := &state.Bridge{
		STP: &off, ForwardDelay: 1500, HelloTime: 200, MaxAge: 2000, AgeingTime: 30000, Priority: 32768,
		VLANFiltering: &off2, VLANProtocol: 0x8100, DefaultPVID: 1, MulticastSnoop: &on, MulticastQuerier: &off3, NFCallIP: &off4,
		NFCallIP6: &off5, NFCallARP: &off6,
	}
	if want != nil {
		mergeBridge(b, want)
	}
	return b
}

func number[T uint8 | uint16 | uint32](have *T, want T) {
	if want != 0 {
		*have = want
	}
}

func boolean[T any](have **T, want *T) {
	if want != nil {
		v := *want
		*have = &v
	}
}

// mergeBridge takes the declared attributes over.
func mergeBridge(b, w *state.Bridge) {
	boolean(&b.STP, w.STP)
	number(&b.ForwardDelay, w.ForwardDelay)
	number(&b.HelloTime, w.HelloTime)
	number(&b.MaxAge, w.MaxAge)
	number(&b.AgeingTime, w.AgeingTime)
	number(&b.Priority, w.Priority)
	boolean(&b.VLANFiltering, w.VLANFiltering)
	number(&b.VLANProtocol, w.VLANProtocol)
	number(&b.DefaultPVID, w.DefaultPVID)
	boolean(&b.MulticastSnoop, w.MulticastSnoop)
	boolean(&b.MulticastQuerier, w.MulticastQuerier)
	number(&b.GroupFwdMask, w.GroupFwdMask)
	boolean(&b.NFCallIP, w.NFCallIP)
	boolean(&b.NFCallIP6, w.NFCallIP6)
	boolean(&b.NFCallARP, w.NFCallARP)
}

// mergePort takes the declared attributes over.
func mergePort(p, w *state.BridgePort) {
	number(&p.Cost, w.Cost)
	number(&p.Priority, w.Priority)
	boolean(&p.State, w.State)
	boolean(&p.Hairpin, w.Hairpin)
	boolean(&p.Guard, w.Guard)
	boolean(&p.RootBlock, w.RootBlock)
	boolean(&p.FastLeave, w.FastLeave)
	boolean(&p.Learning, w.Learning)
	boolean(&p.Flood, w.Flood)
	boolean(&p.MulticastFlood, w.MulticastFlood)
	boolean(&p.BroadcastFlood, w.BroadcastFlood)
	boolean(&p.NeighSuppress, w.NeighSuppress)
	boolean(&p.ProxyARP, w.ProxyARP)
	boolean(&p.VLANTunnel, w.VLANTunnel)
	boolean(&p.Isolated, w.Isolated)
	boolean(&p.Locked, w.Locked)
}
