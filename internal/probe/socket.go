package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A socket of a namespace, ready for Go's poller: it waits without holding a thread, from any goroutine.
type socket struct {
	f   *os.File
	raw syscall.RawConn
	v6  bool
	// notice is what was read from the error queue while connecting.
	notice icmpNotice
}

func openSocket(ns Opener, v6 bool, typ, proto int) (*socket, error) {
	domain := unix.AF_INET
	if v6 {
		domain = unix.AF_INET6
	}
	fd, err := ns.Socket(domain, typ|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "socket")
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &socket{f: f, raw: raw, v6: v6}, nil
}

func (s *socket) close() { _ = s.f.Close() }

// control runs f with the descriptor.
func (s *socket) control(f func(fd int) error) error {
	var err error
	if e := s.raw.Control(func(fd uintptr) { err = f(int(fd)) }); e != nil {
		return e
	}
	return err
}

// set sets the option of IPv4 or the one of IPv6.
func (s *socket) set(opt4, opt6, value int) error {
	if s.v6 {
		return s.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_IPV6, opt6, value) })
	}
	return s.control(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_IP, opt4, value) })
}

// address turns a literal address into the kernel's. The zone is the name of an interface inside, or a number: the
// socket itself is asked, so the answer is the namespace's.
func (s *socket) address(a netip.Addr, port uint16) (unix.Sockaddr, error) {
	if !s.v6 {
		return &unix.SockaddrInet4{Port: int(port), Addr: a.As4()}, nil
	}
	sa := &unix.SockaddrInet6{Port: int(port), Addr: a.As16()}
	zone := a.Zone()
	if zone == "" {
		return sa, nil
	}
	ifr, err := unix.NewIfreq(zone)
	if err == nil {
		err = s.control(func(fd int) error { return unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr) })
	}
	if err == nil {
		sa.ZoneId = ifr.Uint32()
		return sa, nil
	}
	var n uint32
	if _, scanErr := fmt.Sscanf(zone, "%d", &n); scanErr == nil && fmt.Sprint(n) == zone {
		sa.ZoneId = n
		return sa, nil
	}
	return nil, fmt.Errorf("interface %q of %s: %w", zone, a, err)
}

func (s *socket) bind(a netip.Addr) error {
	if !a.IsValid() {
		return nil
	}
	sa, err := s.address(a, 0)
	if err != nil {
		return err
	}
	if err := s.control(func(fd int) error { return unix.Bind(fd, sa) }); err != nil {
		return fmt.Errorf("send from %s: %w", a, err)
	}
	return nil
}

// until bounds all waiting on the socket by a time and by the context. Call the result when done.
func (s *socket) until(ctx context.Context, deadline time.Time) (stop func() bool) {
	_ = s.f.SetDeadline(deadline)
	return context.AfterFunc(ctx, func() { _ = s.f.SetDeadline(time.Unix(1, 0)) })
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

// connect waits until a stream is established.
func (s *socket) connect(to unix.Sockaddr) error {
	first := true
	var err error
	if e := s.raw.Write(func(fd uintptr) bool {
		if first {
			first = false
			err = unix.Connect(int(fd), to)
			return !errors.Is(err, unix.EINPROGRESS)
		}
		var n int
		if n, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR); err == nil && n != 0 {
			err = unix.Errno(n)
		}
		if err == nil { // woken for nothing, or connected
			if _, perr := unix.Getpeername(int(fd)); perr != nil {
				// An ICMP error that came while the socket was busy in connect(2) is only in the queue; the kernel itself
				// would take the next one seriously, a second later.
				if s.notice = readOffender(int(fd)); s.notice.known {
					err = unix.EHOSTUNREACH
					return true
				}
				return false
			}
		}
		return true
	}); e != nil {
		return e
	}
	return err
}

// offender reads from the error queue who sent the ICMP message behind an error (ip(7), IP_RECVERR). The zero value: the
// error has no such message behind it, a TCP reset for one.
func (s *socket) offender() icmpNotice {
	found := s.notice
	_ = s.control(func(fd int) error {
		if n := readOffender(fd); n.known {
			found = n
		}
		return nil
	})
	return found
}

func readOffender(fd int) icmpNotice {
	var found icmpNotice
	buf, oob := make([]byte, 512), make([]byte, 512)
	for {
		_, n, _, _, err := unix.Recvmsg(fd, buf, oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err != nil {
			return found // the queue is empty
		}
		messages, err := unix.ParseSocketControlMessage(oob[:n])
		if err != nil {
			return found
		}
		for _, m := range messages {
			if notice, ok := parseExtendedError(m); ok {
				found = notice
				if local, err := unix.Getsockname(fd); err == nil {
					found.sender = sockaddrAddr(local).Unmap()
				}
			}
		}
	}
}

// sizeofExtendedErr is the size of struct sock_extended_err (linux/errqueue.h); the offender's address follows.
const sizeofExtendedErr = 16

func parseExtendedError(m unix.SocketControlMessage) (icmpNotice, bool) {
	v4 := m.Header.Level == unix.SOL_IP && m.Header.Type == unix.IP_RECVERR
	v6 := m.Header.Level == unix.SOL_IPV6 && m.Header.Type == unix.IPV6_RECVERR
	if !v4 && !v6 || len(m.Data) < sizeofExtendedErr {
		return icmpNotice{}, false
	}
	origin, typ, code := m.Data[4], m.Data[5], m.Data[6]
	if origin != unix.SO_EE_ORIGIN_ICMP && origin != unix.SO_EE_ORIGIN_ICMP6 {
		return icmpNotice{}, false
	}
	n := icmpNotice{v6: origin == unix.SO_EE_ORIGIN_ICMP6, typ: typ, code: code, known: true, mtu: nativeUint32(m.Data[8:12])}
	addr := m.Data[sizeofExtendedErr:]
	switch {
	case v4 && len(addr) >= 8:
		n.from = netip.AddrFrom4([4]byte(addr[4:8]))
	case v6 && len(addr) >= 24:
		n.from = netip.AddrFrom16([16]byte(addr[8:24])).Unmap()
	}
	return n, true
}
