package nl

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Wire carries datagrams to the kernel and back: a socket, or a fake in a test.
type Wire interface {
	// Send sends one datagram.
	Send(b []byte) error
	// Receive returns the next datagram, in buf when it is large enough, else in new memory. When there is none it waits
	// that long and then returns ErrNoAnswer. ENOBUFS means that datagrams were lost.
	Receive(buf []byte, wait time.Duration) ([]byte, error)
}

// receiveBuffer is enough for the acknowledgements of a whole batch and for replies to one; it is a limit, not memory set
// aside. The kernel's usual 208 KiB would lose replies to 64 requests for links.
const receiveBuffer = 1 << 20

// socket is the Wire of a real netlink socket.
type socket struct {
	fd      int
	largest int  // buffer that was read into: the kernel makes the next dump's parts as large
	long    bool // a part of a dump was larger than it should be: sizes are asked for from now on
}

// openSocket prepares a netlink socket. Options that the kernel is too old for are left out.
func openSocket(fd int) (*socket, error) {
	for _, opt := range []int{unix.NETLINK_EXT_ACK, unix.NETLINK_CAP_ACK, unix.NETLINK_GET_STRICT_CHK} {
		err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, opt, 1)
		if err != nil && !errors.Is(err, unix.ENOPROTOOPT) {
			return nil, fmt.Errorf("set up netlink socket: %w", err)
		}
	}
	if err := growReceiveBuffer(fd, receiveBuffer); err != nil {
		return nil, fmt.Errorf("set up netlink socket: %w", err)
	}
	return &socket{fd: fd}, nil
}

// growReceiveBuffer goes past the system's limit when it may (CAP_NET_ADMIN), else up to it.
func growReceiveBuffer(fd, size int) error {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) == nil {
		return nil
	}
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size)
}

func (s *socket) Send(b []byte) error {
	for {
		_, err := unix.Write(s.fd, b)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func (s *socket) Receive(buf []byte, wait time.Duration) ([]byte, error) {
	for {
		// The size first: a datagram that does not fit would be cut off and lost.
		n, err := receive(s.fd, nil, unix.MSG_PEEK|unix.MSG_TRUNC|unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			if err := s.poll(wait); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if cap(buf) < n {
			buf = make([]byte, n)
		}
		// The whole capacity, not n: the kernel makes the parts of a dump as large as the largest buffer it has seen.
		s.largest = max(s.largest, cap(buf))
		n, err = receive(s.fd, buf[:cap(buf)], unix.MSG_DONTWAIT)
		if err != nil {
			return nil, err
		}
		return buf[:n], nil
	}
}

// shortPart has room for a part of a dump while the kernel has seen no larger buffer: a page or 8 KiB, the smaller of both,
// with what belongs to the packet itself (NLMSG_GOODSIZE in linux/netlink.h), unless a single message needs more.
const shortPart = 8<<10 - 320

// receivePart is Receive for the parts of a dump: while they are small it does not ask for their size, which costs as much
// as reading them. One that does not fit is lost, with ENOBUFS; for the next attempt sizes are asked for.
func (s *socket) receivePart(buf []byte, wait time.Duration) ([]byte, error) {
	if s.long || s.largest > shortPart || cap(buf) > 0 {
		return s.Receive(buf, wait)
	}
	var part [shortPart]byte
	b, err := s.receiveAck(part[:], wait)
	s.largest = max(s.largest, len(part))
	if err != nil {
		s.long = s.long || errors.Is(err, unix.ENOBUFS)
		return nil, err
	}
	return append([]byte(nil), b...), nil
}

// receiveAck is Receive without asking for the size first. What does not fit is lost, with ENOBUFS.
func (s *socket) receiveAck(buf []byte, wait time.Duration) ([]byte, error) {
	for {
		n, err := receive(s.fd, buf, unix.MSG_TRUNC|unix.MSG_DONTWAIT)
		switch {
		case errors.Is(err, unix.EAGAIN):
			if err := s.poll(wait); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, err
		case n > len(buf):
			return nil, unix.ENOBUFS
		default:
			return buf[:n], nil
		}
	}
}

// poll waits until there is something to read.
func (s *socket) poll(wait time.Duration) error {
	if wait <= 0 {
		return ErrNoAnswer
	}
	deadline := time.Now().Add(wait)
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return ErrNoAnswer
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		if n > 0 {
			return nil
		}
	}
}

// receive is recvfrom(2) without the sender's address, and so without an allocation for it.
func receive(fd int, b []byte, flags int) (int, error) {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))),
			uintptr(len(b)), uintptr(flags), 0, 0)
		switch {
		case errno == 0:
			return int(n), nil
		case errno != unix.EINTR:
			return 0, errno
		}
	}
}

func (s *socket) close() error { return unix.Close(s.fd) }
