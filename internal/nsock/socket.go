package nsock

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

// An Opener opens sockets in a namespace; netns.Handle is one.
type Opener interface {
	Socket(domain, typ, proto int) (fd int, err error)
}

// A Socket of a namespace.
type Socket struct {
	File *os.File
	Raw  syscall.RawConn
	V6   bool
}

// Open opens one that does not block. The errors are those of socket(2).
func Open(ns Opener, v6 bool, typ, proto int) (*Socket, error) {
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
	return &Socket{File: f, Raw: raw, V6: v6}, nil
}

// Close closes it.
func (s *Socket) Close() error { return s.File.Close() }

// Control runs f with the descriptor.
func (s *Socket) Control(f func(fd int) error) error {
	var err error
	if e := s.Raw.Control(func(fd uintptr) { err = f(int(fd)) }); e != nil {
		return e
	}
	return err
}

// Set sets an option of ip(7), or the one of ipv6(7) that corresponds to it.
func (s *Socket) Set(opt4, opt6, value int) error {
	level, opt := unix.SOL_IP, opt4
	if s.V6 {
		level, opt = unix.SOL_IPV6, opt6
	}
	return s.Control(func(fd int) error { return unix.SetsockoptInt(fd, level, opt, value) })
}

// Address turns a literal address into the kernel's. The zone is the name of an interface inside, or a number: the socket
// itself is asked, so the answer is the namespace's.
func (s *Socket) Address(a netip.Addr, port uint16) (unix.Sockaddr, error) {
	if !s.V6 {
		return &unix.SockaddrInet4{Port: int(port), Addr: a.Unmap().As4()}, nil
	}
	sa := &unix.SockaddrInet6{Port: int(port), Addr: a.As16()}
	zone := a.Zone()
	if zone == "" {
		return sa, nil
	}
	ifr, err := unix.NewIfreq(zone)
	if err == nil {
		err = s.Control(func(fd int) error { return unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ifr) })
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

// Until bounds all waiting on the socket by a time and by the context. Call the result when done.
func (s *Socket) Until(ctx context.Context, deadline time.Time) (stop func() bool) {
	_ = s.File.SetDeadline(deadline)
	return context.AfterFunc(ctx, func() { _ = s.File.SetDeadline(time.Unix(1, 0)) })
}

// Read calls f until it does not say EAGAIN, waiting in between.
func (s *Socket) Read(f func(fd int) error) error {
	var err error
	if e := s.Raw.Read(func(fd uintptr) bool {
		err = f(int(fd))
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	}); e != nil {
		return e
	}
	return err
}
