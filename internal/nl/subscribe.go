package nl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// SubscribeOptions say what to listen to.
type SubscribeOptions struct {
	// Groups are the multicast groups to join (RTNLGRP_LINK, ...).
	Groups []uint32
	// AllNSID delivers the events of every namespace that has an id in the socket's one (NETLINK_LISTEN_ALL_NSID, Linux
	// 4.2, CAP_NET_BROADCAST).
	AllNSID bool
	// Buffer is the size of the receive buffer in bytes; 0 = 4 MiB.
	Buffer int
}

// A Subscription receives notifications.
type Subscription struct {
	file   *os.File
	oob    []byte
	closed atomic.Bool
}

// An Event is one datagram of notifications.
type Event struct {
	// Messages may be kept.
	Messages []netlink.Message
	// NSID is the id of the namespace where it happened, -1 when it is the socket's own.
	NSID int
}

// Subscribe makes a subscription of a netlink socket. It owns the socket from then on, also when it fails.
func Subscribe(fd int, o SubscribeOptions) (*Subscription, error) {
	if err := prepareSubscription(fd, o); err != nil {
		return nil, errors.Join(fmt.Errorf("subscribe: %w", err), unix.Close(fd))
	}
	// A non-blocking descriptor becomes one of the runtime's poller: reading does not hold a thread.
	return &Subscription{file: os.NewFile(uintptr(fd), "netlink"), oob: make([]byte, 64)}, nil
}

func prepareSubscription(fd int, o SubscribeOptions) error {
	if o.Buffer <= 0 {
		o.Buffer = 4 << 20
	}
	if err := growReceiveBuffer(fd, o.Buffer); err != nil {
		return err
	}
	// A socket that was never bound has port 0, which is also the kernel's: it would get none of the kernel's notifications.
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return err
	}
	if own, ok := sa.(*unix.SockaddrNetlink); ok && own.Pid == 0 {
		if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return fmt.Errorf("bind: %w", err)
		}
	}
	if o.AllNSID {
		if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_LISTEN_ALL_NSID, 1); err != nil {
			return fmt.Errorf("listen to all namespaces: %w", err)
		}
	}
	for _, g := range o.Groups {
		if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(g)); err != nil {
			return fmt.Errorf("join group %d: %w", g, err)
		}
	}
	return unix.SetNonblock(fd, true)
}

// Receive waits for the next datagram, until ctx ends or the subscription is closed ([ErrClosed]). [ErrResync] means that
// some were lost before the next one; the subscription goes on. Only one goroutine at a time may receive.
func (s *Subscription) Receive(ctx context.Context) (Event, error) {
	if err := ctx.Err(); err != nil {
		return Event{}, err
	}
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		_ = s.file.SetReadDeadline(time.Unix(1, 0)) // fails only when closed, which ends the read too
	})
	defer func() {
		if !stop() {
			<-woken
			_ = s.file.SetReadDeadline(time.Time{})
		}
	}()
	raw, err := s.file.SyscallConn()
	if err != nil {
		return Event{}, ErrClosed
	}
	ev := Event{NSID: -1}
	var inner error
	err = raw.Read(func(fd uintptr) bool {
		ev, inner = s.read(int(fd))
		return !errors.Is(inner, unix.EAGAIN)
	})
	switch {
	case ctx.Err() != nil && err != nil:
		return Event{}, ctx.Err()
	case err != nil && s.closed.Load(): // the runtime's own error for it has no exported name here
		return Event{}, ErrClosed
	case err != nil:
		return Event{}, err
	case errors.Is(inner, unix.ENOBUFS):
		return Event{}, ErrResync
	}
	return ev, inner
}

func (s *Subscription) read(fd int) (Event, error) {
	n, err := receive(fd, nil, unix.MSG_PEEK|unix.MSG_TRUNC|unix.MSG_DONTWAIT)
	if err != nil {
		return Event{}, err
	}
	buf := make([]byte, n)
	n, oobn, _, from, err := unix.Recvmsg(fd, buf, s.oob, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return Event{}, err
	}
	ev := Event{NSID: -1}
	if sa, ok := from.(*unix.SockaddrNetlink); ok && sa.Pid != 0 {
		return ev, nil // from a process, not from the kernel
	}
	if cmsgs, err := unix.ParseSocketControlMessage(s.oob[:oobn]); err == nil {
		for _, c := range cmsgs {
			if c.Header.Level == unix.SOL_NETLINK && c.Header.Type == unix.NETLINK_LISTEN_ALL_NSID && len(c.Data) >= 4 {
				ev.NSID = int(int32(binary.NativeEndian.Uint32(c.Data)))
			}
		}
	}
	for b := buf[:n]; len(b) > 0; {
		m, rest, err := nextMessage(b)
		if err != nil {
			return ev, err
		}
		b = rest
		ev.Messages = append(ev.Messages, m)
	}
	return ev, nil
}

// Close ends a Receive that waits. It may be called more than once.
func (s *Subscription) Close() error {
	s.closed.Store(true)
	if err := s.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}
