package iproute

import (
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// bridgeMonitor is "bridge monitor".
func bridgeMonitor(s *session, w *words) {
	const rtnlgrpBrvlan, rtnlgrpTunnel = 33, 35
	o := watch{tell: s.tellBridge}
	objects := []struct {
		name  string
		group uint32
	}{{"link", unix.RTNLGRP_LINK}, {"fdb", unix.RTNLGRP_NEIGH}, {"mdb", unix.RTNLGRP_MDB}, {"vlan", rtnlgrpBrvlan}, {"vni", rtnlgrpTunnel}}
words:
	for w.more() {
		word := w.peek()
		for _, x := range objects {
			if matches(word, x.name) && word != "file" {
				o.groups = append(o.groups, x.group)
				w.skip()
				continue words
			}
		}
		switch {
		case matches(word, "file"):
			o.file = w.next()
		case word == "all":
			o.label = true
		case matches(word, "help"):
			usageOf(bridgeMonitorUsage)
		default:
			die("Argument \"%s\" is unknown, try \"bridge monitor help\".", word)
		}
		w.skip()
	}
	if len(o.groups) == 0 {
		for _, x := range objects {
			o.groups = append(o.groups, x.group)
		}
	}
	s.monitor(o)
}

// tellBridge prints a message in bridge's way.
func (s *session) tellBridge(p *printer, m netlink.Message, head func(string)) {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		l, ok := readLink(m.Data)
		if !ok || l.family != unix.AF_BRIDGE && l.family != unix.AF_UNSPEC || !l.a.Has(unix.IFLA_IFNAME) {
			return
		}
		s.deleted = m.Header.Type == unix.RTM_DELLINK
		head("[LINK]")
		s.printPort(p, &l)
	case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH:
		if len(m.Data) < rtnl.NdmsgLen || m.Data[0] != unix.AF_BRIDGE {
			return
		}
		s.deleted = m.Header.Type == unix.RTM_DELNEIGH
		head("[NEIGH]")
		s.printFDB(p, m.Data, false)
	case unix.RTM_NEWMDB, unix.RTM_DELMDB:
		s.deleted = m.Header.Type == unix.RTM_DELMDB
		head("[MDB]")
		v := &mdbPrinter{s: s, p: p, monitor: true}
		v.groups(m.Data)
		v.routers(m.Data)
	case rtmNewVlan, rtmDelVlan:
		s.deleted = m.Header.Type == rtmDelVlan
		head("[VLAN]")
		s.printDeleted(p)
		(&vlanPrinter{s: s, p: p}).message(m.Data, showVlans, true)
	case rtmNewTunnel, rtmDelTunnel:
		s.deleted = m.Header.Type == rtmDelTunnel
		head("[TUNNEL]")
		s.printDeleted(p)
		s.printVNIs(p, m.Data)
	}
}
