package iproute

import (
	"net/netip"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"warren/internal/sockdiag"
)

// showTCP shows the sockets of TCP: the namespace's, or recorded ones.
func (s *ss) showTCP() {
	if !s.sel.has(unix.AF_INET) && !s.sel.has(unix.AF_INET6) {
		return
	}
	if path := os.Getenv(tcpFileEnv); path != "" {
		s.showTCPFile(path)
		return
	}
	s.showInet("tcp", unix.IPPROTO_TCP)
}

// showInet shows the sockets of a protocol. services is whose names ports have; "" leaves it to the last protocol shown.
func (s *ss) showInet(services string, protocol int) {
	if !s.sel.has(unix.AF_INET) && !s.sel.has(unix.AF_INET6) {
		return
	}
	if services != "" {
		s.portsOf = services
	}
	families := []uint8{unix.AF_INET, unix.AF_INET6}
	switch s.sel.family {
	case unix.AF_INET:
		families = families[:1]
	case unix.AF_INET6:
		families = families[1:]
	}
	for _, family := range families {
		list, err := sockdiag.ReadInet(s.ctx, s.sockets(), sockdiag.InetRequest{
			Family: family, Protocol: protocol, Statuses: s.sel.states, Details: s.inetDetails(), Filter: s.program,
		})
		if err != nil {
			if protocol == unix.IPPROTO_RAW {
				s.showRawFiles()
			}
			return // ss says nothing of tables that are not there
		}
		for i := range list {
			s.inetSocket(&list[i], protocol)
		}
	}
}

func (s *ss) inetDetails() sockdiag.Details {
	var d sockdiag.Details
	if s.opt.memory {
		d |= sockdiag.DetailMemory | sockdiag.DetailBuffers
	}
	if s.opt.info {
		d |= sockdiag.DetailInfo | sockdiag.DetailVegas | sockdiag.DetailCong
	}
	if s.opt.tos {
		d |= sockdiag.DetailTOS | sockdiag.DetailTClass
	}
	return d
}

// showRawFiles shows raw sockets where the kernel cannot list them: with less said of each.
func (s *ss) showRawFiles() {
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if !s.sel.has(family) {
			continue
		}
		list, err := sockdiag.ReadRawFile(s.space(), family)
		if err != nil {
			return
		}
		for i := range list {
			if !s.sel.states.Has(list[i].Status) {
				continue
			}
			k := s.inetCommon(&list[i], 0)
			if s.sel.filter != nil {
				// The file's line is tried before the socket's number is read, and before its netid is known.
				k.inode = 0
			}
			if !s.wanted(k) {
				continue
			}
			k.inode = list[i].Inode
			if s.opt.json {
				s.addJSON(k)
				continue
			}
			s.begin(k)
		}
	}
}

// inetCommon is a socket as conditions and columns need it.
func (s *ss) inetCommon(i *sockdiag.Inet, protocol int) *ssSocket {
	k := &ssSocket{
		family: i.Family, status: i.Status, recvQ: int32(i.ReadQueue), sendQ: int32(i.WriteQueue), link: i.Link, inode: i.Inode, uid: i.UID,
		cookie: i.Cookie, cgroup: i.Cgroup, protocol: protocol, inet: i,
	}
	if i.Mark != nil {
		k.mark = *i.Mark
	}
	shown := protocol
	if i.Protocol != nil {
		shown = int(*i.Protocol)
	}
	k.netid = ssNetid(shown)
	any6 := i.Family == unix.AF_INET6 && (i.V6Only == nil || *i.V6Only == 0)
	k.local = s.inetEnd(i.Local, any6)
	k.remote = s.inetEnd(i.Remote, any6)
	if i.Link != 0 {
		k.local.text += "%" + s.linkName(i.Link)
	}
	return k
}

func (s *ss) linkName(index uint32) string { return s.nameOf(int(int32(index))) }

func ssNetid(protocol int) string {
	switch protocol {
	case 0:
		return "raw"
	case unix.IPPROTO_UDP, unix.IPPROTO_TCP, unix.IPPROTO_SCTP, unix.IPPROTO_DCCP, unix.IPPROTO_MPTCP:
		return sockdiag.ProtocolName(protocol)
	case unix.IPPROTO_ICMPV6:
		return "icmp6"
	}
	return "???"
}

// inetEnd is an address with its port. any6: "::" takes IPv4 too, which is written "*".
func (s *ss) inetEnd(a netip.AddrPort, any6 bool) ssEnd {
	e := ssEnd{addr: a.Addr().AsSlice(), port: int64(a.Port()), delim: ":", place: s.service(int64(a.Port()))}
	switch {
	case any6 && a.Addr() == netip.IPv6Unspecified():
		e.text = "*"
	default:
		e.text = s.host(a.Addr())
		if strings.Contains(e.text, ":") {
			e.text = "[" + e.text + "]"
		}
	}
	return e
}

// host is an address, or with -r the host's name.
func (s *ss) host(a netip.Addr) string {
	return hostName(s.ctx, a, s.opt.resolve)
}

// inetSocket writes a socket with all that was asked for.
func (s *ss) inetSocket(i *sockdiag.Inet, protocol int) {
	if !s.sel.has(i.Family) {
		return
	}
	k := s.inetCommon(i, protocol)
	if !s.wanted(k) || s.opt.kill && !s.kill(protocol, i) {
		return
	}
	if s.opt.json {
		s.addJSON(k)
		return
	}
	s.begin(k)
	t := s.table
	if s.opt.timers {
		s.timer(i, protocol)
	}
	if s.opt.extended {
		s.details(k)
		if i.Family == unix.AF_INET6 && i.V6Only != nil {
			t.printf(" v6only:%d", *i.V6Only)
		}
		if i.Shutdown != nil {
			t.printf(" %s", shutdown(*i.Shutdown))
		}
	}
	if s.opt.tos {
		s.serviceTypes(i)
	}
	if s.opt.cgroup && i.Cgroup != 0 {
		t.printf(" cgroup:%s", s.cgroupPath(i.Cgroup))
	}
	if s.opt.sockopt && i.Options != nil {
		s.lineOr()
		s.switches(i.Options)
	}
	if s.opt.memory || s.opt.info && protocol != unix.IPPROTO_UDP {
		s.newline()
		s.buffers(i.Buffers, i.Memory)
		switch protocol {
		case unix.IPPROTO_SCTP:
			s.sctpInfo(i)
		case unix.IPPROTO_MPTCP:
			s.mptcpInfo(i.Info)
		default:
			s.tcpInfo(i)
		}
	}
	s.sctpInode = i.Inode
}

func (s *ss) timer(i *sockdiag.Inet, protocol int) {
	if i.Timer == sockdiag.TimerOff {
		return
	}
	name := timerName(i.Timer)
	if protocol == unix.IPPROTO_SCTP {
		name = "T3_RTX"
	}
	s.table.printf(" timer:(%s,%s,%d)", name, ssMilliseconds(i.Expires), i.Retransmits)
}

func timerName(t sockdiag.Timer) string {
	switch t {
	case sockdiag.TimerRetransmit:
		return "on"
	case sockdiag.TimerKeepalive:
		return "keepalive"
	case sockdiag.TimerTimeWait:
		return "timewait"
	case sockdiag.TimerPersist:
		return "persist"
	}
	return "unknown"
}

func (s *ss) serviceTypes(i *sockdiag.Inet) {
	if i.TOS != nil {
		s.table.printf(" tos:%s", alternate(uint64(*i.TOS)))
	}
	if i.TClass != nil {
		s.table.printf(" tclass:%s", alternate(uint64(*i.TClass)))
	}
	if i.ClassID != nil {
		s.table.printf(" class_id:%s", alternate(uint64(*i.ClassID)))
	}
}

// switches writes the options that are on.
func (s *ss) switches(o *sockdiag.Options) {
	s.table.printf("inet-sockopt: (")
	for _, f := range ssSwitches(o) {
		if f.on {
			s.table.printf(" %s", f.name)
		}
	}
	s.table.printf(")")
}

type ssSwitch struct {
	on   bool
	name string
}

func ssSwitches(o *sockdiag.Options) []ssSwitch {
	return []ssSwitch{
		{o.RecvErr, "recverr"},
		{o.ConnectionSocket, "is_icsk"},
		{o.FreeBind, "freebind"},
		{o.HeaderIncluded, "hdrincl"},
		{o.MulticastLoop, "mc_loop"},
		{o.Transparent, "transparent"},
		{o.MulticastAll, "mc_all"},
		{o.NoDefrag, "nodefrag"},
		{o.BindAddressNoPort, "bind_addr_no_port"},
		{o.RecvErrRFC4884, "recverr_rfc4884"},
		{o.DeferConnect, "defer_connect"},
	}
}
