package probe

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"warren/internal/nsock"
)

// A socket of a namespace.
type socket struct {
	*nsock.Socket
	// notice is what was read from the error queue while connecting.
	notice icmpNotice
}

func openSocket(ns Opener, v6 bool, typ, proto int) (*socket, error) {
	s, err := nsock.Open(ns, v6, typ, proto)
	if err != nil {
		return nil, err
	}
	return &socket{Socket: s}, nil
}

func (s *socket) close() { _ = s.Close() }

func (s *socket) bind(a netip.Addr) error {
	if !a.IsValid() {
		return nil
	}
	sa, err := s.Address(a, 0)
	if err != nil {
		return err
	}
	if err := s.Control(func(fd int) error { return unix.Bind(fd, sa) }); err != nil {
		return fmt.Errorf("send from %s: %w", a, err)
	}
	return nil
}

// connect waits until a stream is established.
func (s *socket) connect(to unix.Sockaddr) error {
	first := true
	var err error
	if e := s.Raw.Write(func(fd uintptr) bool {
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
	_ = s.Control(func(fd int) error {
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
			if n, ok := nsock.ParseNotice(m); ok {
				found = icmpNotice{v6: n.V6, typ: n.Type, code: n.Code, mtu: n.MTU, from: n.From, known: true}
				if local, err := unix.Getsockname(fd); err == nil {
					found.sender = sockaddrAddr(local).Unmap()
				}
			}
		}
	}
}
