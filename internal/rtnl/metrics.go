package rtnl

import (
	"warren/state"

	"golang.org/x/sys/unix"
)

// lockMTU is MTU's bit in RTAX_LOCK: the kernel does not lower it by path MTU discovery.
const lockMTU = 1 << unix.RTAX_MTU

// metrics writes RTA_METRICS when there is one.
func (e *encoder) metrics(m *state.Metrics) {
	if *m == (state.Metrics{}) {
		return
	}
	at := e.begin(unix.RTA_METRICS)
	if m.LockMTU {
		e.u32(unix.RTAX_LOCK, lockMTU)
	}
	e.optU32(unix.RTAX_MTU, m.MTU)
	e.optU32(unix.RTAX_WINDOW, m.Window)
	e.optU32(unix.RTAX_RTT, m.RTT)
	e.optU32(unix.RTAX_ADVMSS, m.AdvMSS)
	e.optU32(unix.RTAX_HOPLIMIT, m.HopLimit)
	e.optU32(unix.RTAX_INITCWND, m.InitCwnd)
	e.optU32(unix.RTAX_INITRWND, m.InitRwnd)
	e.optU32(unix.RTAX_QUICKACK, m.Quickack)
	e.end(at)
}

func (w *walker) metrics() state.Metrics {
	var m state.Metrics
	in := walk(w.data)
	for in.next() {
		switch in.typ {
		case unix.RTAX_LOCK:
			m.LockMTU = in.u32()&lockMTU != 0
		case unix.RTAX_MTU:
			m.MTU = in.u32()
		case unix.RTAX_WINDOW:
			m.Window = in.u32()
		case unix.RTAX_RTT:
			m.RTT = in.u32()
		case unix.RTAX_ADVMSS:
			m.AdvMSS = in.u32()
		case unix.RTAX_HOPLIMIT:
			m.HopLimit = in.u32()
		case unix.RTAX_INITCWND:
			m.InitCwnd = in.u32()
		case unix.RTAX_INITRWND:
			m.InitRwnd = in.u32()
		case unix.RTAX_QUICKACK:
			m.Quickack = in.u32()
		}
	}
	w.fail(in.err)
	return m
}
