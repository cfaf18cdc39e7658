package live

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/probe"
)

// A socket of a namespace, ready for Go's poller.
type socket struct {
	f   *os.File
	raw syscall.RawConn
	v6  bool
}

// openSocket opens one with the options of the question, bound to its source address.
func openSocket(in Inside, q Question, typ, proto int) (*socket, error) {
	domain := unix.AF_INET
	if q.v6() {
		domain = unix.AF_INET6
	}
	fd, err := in.Socket(domain, typ|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return nil, err
	}
	s := &socket{f: os.NewFile(uintptr(fd), "probe"), v6: q.v6()}
	if s.raw, err = s.f.SyscallConn(); err == nil {
		err = s.prepare(q)
	}
	if err != nil {
		return nil, errors.Join(err, s.f.Close())
	}
	return s, nil
}

func (s *socket) prepare(q Question) error {
	err := s.set(unix.IP_RECVERR, unix.IPV6_RECVERR, 1)
	if err == nil && q.Mark != 0 {
		err = s.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(q.Mark)) })
	}
	if err == nil && q.TTL != 0 {
		err = s.set(unix.IP_TTL, unix.IPV6_UNICAST_HOPS, int(q.TTL))
	}
	if err == nil && q.Size != 0 {
		// Do not fragment, and do not believe what was learned about the path before.
		err = s.set(unix.IP_MTU_DISCOVER, unix.IPV6_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE)
		if err == nil && q.v6() && q.Proto != protoTCP {
			err = s.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_DONTFRAG, 1) })
		}
	}
	if err != nil {
		return fmt.Errorf("set up the probe's socket: %w", err)
	}
	if !q.From.IsValid() {
		return nil
	}
	from, err := s.address(q.From, 0)
	if err == nil {
		err = s.control(func(fd int) error { return unix.Bind(fd, from) })
	}
	if err != nil {
		return &sendError{fmt.Errorf("send from %s: %w", q.From, err)}
	}
	return nil
}

func (s *socket) close() { _ = s.f.Close() }

func (s *socket) control(f func(fd int) error) error {
	var err error
	if e := s.raw.Control(func(fd uintptr) { err = f(int(fd)) }); e != nil {
		return e
	}
	return err
}

// read calls f until it does not say EAGAIN, waiting in between.
func (s *socket) read(f func(fd int) error) error {
	var err error
	if e := s.raw.Read(func(fd uintptr) bool {
		err = f(int(fd))
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	}); e != nil {
		return e
	}
	return err
}

// until bounds all waiting by a time and by the context. Call the result when done.
func (s *socket) until(ctx context.Context, deadline time.Time) (stop func() bool) {
	_ = s.f.SetDeadline(deadline)
	return context.AfterFunc(ctx, func() { _ = s.f.SetDeadline(time.Unix(1, 0)) })
}

// set sets the option of IPv4 or the one of IPv6.
func (s *socket) set(opt4, opt6, value int) error {
	level, opt := unix.SOL_IP, opt4
	if s.v6 {
		level, opt = unix.SOL_IPV6, opt6
	}
	return s.control(func(fd int) error { return unix.SetsockoptInt(fd, level, opt, value) })
}

// address is the kernel's form; the zone is the name of a link of the namespace, which the socket itself is asked for.
func (s *socket) address(a netip.Addr, port uint16) (unix.Sockaddr, error) {
	if !s.v6 {
		return &unix.SockaddrInet4{Port: int(port), Addr: a.As4()}, nil
	}
	sa := &unix.SockaddrInet6{Port: int(port), Addr: a.As16()}
	if a.Zone() == "" {
		return sa, nil
	}
	ifr, err := unix.NewIfreq(a.Zone())
	if err == nil {
		err = s.control(func(fd int) error { return unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr) })
	}
	if err != nil {
		return nil, fmt.Errorf("interface %q of %s: %w", a.Zone(), a, err)
	}
	sa.ZoneId = ifr.Uint32()
	return sa, nil
}

// local is the address that the socket is bound to.
func (s *socket) local() netip.AddrPort {
	var out netip.AddrPort
	_ = s.control(func(fd int) error {
		sa, err := unix.Getsockname(fd)
		switch a := sa.(type) {
		case *unix.SockaddrInet4:
			out = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
		case *unix.SockaddrInet6:
			out = netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
		}
		return err
	})
	return out
}

// An icmpNotice is an ICMP error about our packet.
type icmpNotice struct {
	v6        bool
	typ, code byte
	mtu       uint32
	from      netip.Addr
}

// sizeofExtendedErr is the size of struct sock_extended_err (linux/errqueue.h); the offender's address follows.
const sizeofExtendedErr = 16

// offender reads the error queue (ip(7), IP_RECVERR) until it finds an ICMP error about our packet.
func (s *socket) offender(fd int, ours func(quoted []byte) bool) *icmpNotice {
	buf, oob := make([]byte, 512), make([]byte, 512)
	for {
		n, m, _, _, err := unix.Recvmsg(fd, buf, oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err != nil {
			return nil
		}
		list, err := unix.ParseSocketControlMessage(oob[:m])
		if err != nil || !ours(buf[:n]) {
			continue
		}
		for _, c := range list {
			if notice, ok := parseNotice(c.Header.Level, c.Header.Type, c.Data); ok {
				return &notice
			}
		}
	}
}

func parseNotice(level, typ int32, b []byte) (icmpNotice, bool) {
	v4 := level == unix.SOL_IP && typ == unix.IP_RECVERR
	v6 := level == unix.SOL_IPV6 && typ == unix.IPV6_RECVERR
	if !v4 && !v6 || len(b) < sizeofExtendedErr || b[4] != unix.SO_EE_ORIGIN_ICMP && b[4] != unix.SO_EE_ORIGIN_ICMP6 {
		return icmpNotice{}, false
	}
	n := icmpNotice{v6: b[4] == unix.SO_EE_ORIGIN_ICMP6, typ: b[5], code: b[6], mtu: uint32(b[8]) | uint32(b[9])<<8 | uint32(b[10])<<16 | uint32(b[11])<<24}
	switch addr := b[sizeofExtendedErr:]; {
	case v4 && len(addr) >= 8:
		n.from = netip.AddrFrom4([4]byte(addr[4:8]))
	case v6 && len(addr) >= 24:
		n.from = netip.AddrFrom16([16]byte(addr[8:24])).Unmap()
	}
	return n, true
}

// result says it as ping(8) does.
func (n *icmpNotice) result() probe.Result {
	r := probe.Result{Code: probe.Unreachable, From: n.from}
	type tc struct {
		v6        bool
		typ, code byte
	}
	switch k := (tc{n.v6, n.typ, n.code}); {
	case k == tc{false, 3, 3}, k == tc{true, 1, 4}:
		r.Code, r.Detail = probe.Refused, "port unreachable"
	case k == tc{false, 3, 4}, k == tc{true, 2, 0}:
		r.Code, r.Detail = probe.TooBig, fmt.Sprintf("too big, the next MTU is %d", n.mtu)
	case !n.v6 && n.typ == 3 && (n.code == 9 || n.code == 10 || n.code == 13), n.v6 && n.typ == 1 && (n.code == 1 || n.code == 5 || n.code == 6):
		r.Code, r.Detail = probe.Prohibited, "administratively prohibited"
	case k == tc{false, 3, 0}, k == tc{true, 1, 0}:
		r.Detail = "network unreachable"
	case k == tc{false, 3, 1}, k == tc{true, 1, 3}:
		r.Detail = "host unreachable"
	case k == tc{false, 11, 0}, k == tc{true, 3, 0}:
		r.Detail = "TTL ran out"
	default:
		r.Detail = fmt.Sprintf("ICMP type %d code %d", n.typ, n.code)
	}
	if n.from.IsValid() {
		r.Detail += ", says " + n.from.String()
	}
	return r
}
