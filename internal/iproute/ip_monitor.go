package iproute

import (
	"slices"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/rtnl"
)

// A monitored is an object of "ip monitor" with its groups of notifications: those of any family, of IPv4, of IPv6.
type monitored struct {
	name           string
	any, four, six []uint32
}

// nsidGroup is RTNLGRP_NSID (linux/rtnetlink.h).
const nsidGroup = 28

func monitoredObjects() []monitored {
	const nexthop, stats = 32, 36
	return []monitored{
		{"link", []uint32{unix.RTNLGRP_LINK}, nil, nil},
		{"address", nil, []uint32{unix.RTNLGRP_IPV4_IFADDR}, []uint32{unix.RTNLGRP_IPV6_IFADDR}},
		{"route", nil, []uint32{unix.RTNLGRP_IPV4_ROUTE}, []uint32{unix.RTNLGRP_IPV6_ROUTE}},
		{"mroute", nil, []uint32{unix.RTNLGRP_IPV4_MROUTE}, []uint32{unix.RTNLGRP_IPV6_MROUTE}},
		{"nexthop", []uint32{nexthop}, nil, nil},
		{"prefix", nil, nil, []uint32{unix.RTNLGRP_IPV6_PREFIX}},
		{"neigh", []uint32{unix.RTNLGRP_NEIGH}, nil, nil},
		{"netconf", nil, []uint32{unix.RTNLGRP_IPV4_NETCONF}, []uint32{unix.RTNLGRP_IPV6_NETCONF}},
		{"rule", nil, []uint32{unix.RTNLGRP_IPV4_RULE}, []uint32{unix.RTNLGRP_IPV6_RULE}},
		{"nsid", []uint32{nsidGroup}, nil, nil},
		{"stats", []uint32{stats}, nil, nil},
	}
}

func (m *monitored) groups(family int) []uint32 {
	list := slices.Clone(m.any)
	if family == unix.AF_UNSPEC || family == unix.AF_INET {
		list = append(list, m.four...)
	}
	if family == unix.AF_UNSPEC || family == unix.AF_INET6 {
		list = append(list, m.six...)
	}
	if family == unix.AF_UNSPEC && (m.name == "route" || m.name == "netconf") {
		list = append(list, map[string]uint32{"route": unix.RTNLGRP_MPLS_ROUTE, "netconf": unix.RTNLGRP_MPLS_NETCONF}[m.name])
	}
	return list
}

// ipMonitor is "ip monitor".
func ipMonitor(s *session, w *words) {
	o := watch{}
	var index uint32
words:
	for w.more() {
		word := w.peek()
		switch {
		case matches(word, "file"):
			o.file = w.next()
			w.skip()
			continue
		case matches(word, "label"):
			o.label = true
			w.skip()
			continue
		}
		for _, x := range monitoredObjects() {
			if matches(word, x.name) {
				o.groups = append(o.groups, x.groups(s.opt.family)...)
				w.skip()
				continue words
			}
		}
		switch {
		case word == "all":
			o.label = true
		case matches(word, "all-nsid"):
			o.allNSID = true
		case matches(word, "help"):
			usageOf(monitorUsage)
		case word == "dev":
			index = s.existing(w.next())
		default:
			die("Argument \"%s\" is unknown, try \"ip monitor help\".", word)
		}
		w.skip()
	}
	if len(o.groups) == 0 {
		for _, x := range monitoredObjects() {
			o.groups = append(o.groups, x.groups(s.opt.family)...)
		}
	}
	o.tell = func(p *printer, m netlink.Message, head func(string)) { s.tellIP(p, m, index, head) }
	s.monitoring = true
	s.monitor(o)
}

// tellIP prints a message in ip's way. An index other than 0 is the link that is of interest.
func (s *session) tellIP(p *printer, m netlink.Message, index uint32, head func(string)) {
	data := m.Data
	of := func(at int) bool { return index == 0 || len(data) >= at+4 && native.Uint32(data[at:]) == index }
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		l, ok := readLink(data)
		if !ok || !of(4) {
			return
		}
		s.deleted = m.Header.Type == unix.RTM_DELLINK
		head("[LINK]")
		if s.opt.brief {
			s.printLinkBrief(p, &l, false)
			return
		}
		s.printLink(p, &l, false, unix.AF_UNSPEC)
		p.text("\n")
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		a, ok := readAddr(data)
		if !ok || !of(4) {
			return
		}
		s.deleted = m.Header.Type == unix.RTM_DELADDR
		head("[ADDR]")
		s.printAddr(p, &a, s.nameOf(a.index))
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		s.tellRoute(p, m, index, head)
	case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH, unix.RTM_GETNEIGH:
		if len(data) < rtnl.NdmsgLen || !of(4) || s.opt.family != unix.AF_UNSPEC && int(data[0]) != s.opt.family {
			return
		}
		word := ""
		switch m.Header.Type {
		case unix.RTM_DELNEIGH:
			s.deleted = true
		case unix.RTM_GETNEIGH:
			word = "miss "
		}
		head("[NEIGH]")
		if s.deleted {
			p.text("Deleted ")
			s.deleted = false
		}
		p.text("%s", word)
		s.printNeigh(p, data, false)
	case unix.RTM_NEWRULE, unix.RTM_DELRULE:
		if len(data) >= rtnl.FibRuleLen && (s.opt.family == unix.AF_UNSPEC || int(data[0]) == s.opt.family) {
			s.deleted = m.Header.Type == unix.RTM_DELRULE
			head("[RULE]")
			s.printRule(p, data, rtnl.ParseAttrs(data[rtnl.FibRuleLen:]))
		}
	default:
		s.tellRare(p, m, index, head)
	}
}

func (s *session) tellRoute(p *printer, m netlink.Message, index uint32, head func(string)) {
	r, ok := readRoute(m.Data)
	if !ok || r.flags&unix.RTM_F_CLONED != 0 || index != 0 && r.a.U32(unix.RTA_OIF) != index {
		return
	}
	s.deleted = m.Header.Type == unix.RTM_DELROUTE
	if r.family == familyIPMR || r.family == familyIP6MR {
		head("[MROUTE]")
		s.printMroute(p, &r, 0)
		return
	}
	if s.opt.family != unix.AF_UNSPEC && int(r.family) != s.opt.family {
		return
	}
	head("[ROUTE]")
	s.printRoute(p, &routeFilter{oif: index}, &r)
}

// tellRare prints what seldom changes.
func (s *session) tellRare(p *printer, m netlink.Message, index uint32, head func(string)) {
	data := m.Data
	switch m.Header.Type {
	case rtmNewNexthop, rtmDelNexthop:
		s.deleted = m.Header.Type == rtmDelNexthop
		head("[NEXTHOP]")
		s.printNexthopObject(p, data)
		p.text("\n")
	case rtmNewNexthopBucket, rtmDelNexthopBucket:
		s.deleted = m.Header.Type == rtmDelNexthopBucket
		head("[NEXTHOPBUCKET]")
		s.printBucket(p, data)
	case rtmNewAddrlabel, rtmDelAddrlabel:
		s.deleted = m.Header.Type == rtmDelAddrlabel
		head("[ADDRLABEL]")
		s.printAddrlabel(p, data)
	case unix.RTM_NEWPREFIX:
		head("[PREFIX]")
		s.printPrefix(p, data)
	case unix.RTM_NEWNETCONF, unix.RTM_DELNETCONF:
		s.deleted = m.Header.Type == unix.RTM_DELNETCONF
		if f := (netconfFilter{family: s.opt.family, index: index}); f.lets(data) {
			head("[NETCONF]")
			s.printNetconf(p, data)
		}
	case unix.RTM_NEWNSID, unix.RTM_DELNSID:
		if len(data) >= rtnl.RtgenLen {
			s.deleted = m.Header.Type == unix.RTM_DELNSID
			head("[NSID]")
			s.printDeleted(p)
			printNSID(p, rtnl.ParseAttrs(data[rtnl.RtgenLen:]), s.namesOfEvent())
		}
	case unix.RTM_NEWSTATS:
		head("[STATS]")
		s.tellStats(p, data)
	case nlmsgTstamp:
		s.printSavedStamp(p, data)
	}
}

// nlmsgTstamp is a message of rtmon(8)'s own that says when the next one came.
const nlmsgTstamp = 15

func (s *session) printSavedStamp(p *printer, data []byte) {
	if len(data) < 8 {
		return
	}
	p.text("Timestamp: %s %d us\n", asctime(int64(native.Uint32(data))), native.Uint32(data[4:]))
}
