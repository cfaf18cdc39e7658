package netns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// WaitGone waits until the kernel is done with every namespace whose last holder went before the call: their links are
// gone, with the peers in other namespaces, and their names are free. What is still held (see [Holders]) is not waited for.
//
// It needs the right to create namespaces, and leaves nothing behind. It takes some tens of milliseconds.
//
// How: the kernel takes dead namespaces down in the background, in batches, in the order of their death. A canary, a
// namespace that dies now, is in the same batch or a later one. Its death shows by a veth: the other end, in a
// second scratch namespace, vanishes. One canary is not enough. A netlink socket that was closed gives its namespace up
// only after an RCU grace period, so a namespace can die after the canary although its last socket was closed before.
// But a batch ends with rcu_barrier(), which waits for all such callbacks, and batches do not overlap (cleanup_net in
// net/core/net_namespace.c): when a second canary, killed after the first one was seen dead, is dead too, the first one's
// batch has ended, and whatever was waiting for RCU was in the second one's batch at the latest.
func WaitGone(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return opError("wait for the end of", "", err)
	}
	for range 2 {
		if err := canary(ctx); err != nil {
			return opError("wait for the end of", "", fmt.Errorf("canary: %w", err))
		}
	}
	return nil
}

// canaryPatience is how often a waiting canary looks whether its context has ended.
const canaryPatience = 100 * time.Millisecond

// Attributes that the canary's veth needs (linux/if_link.h, linux/veth.h).
const vethInfoPeer = 1

// canary makes two scratch namespaces with a veth between them, lets one die, and waits until the other one's end is gone.
func canary(ctx context.Context) error {
	events := -1
	err := onThread(func() (err error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		if events, err = linkEvents(); err != nil {
			return err
		}
		conn, err := (&Inside{}).Netlink(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		bird, err := openRetry("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC)
		if err != nil {
			return err
		}
		defer unix.Close(bird)
		req, err := canaryVeth(bird)
		if err != nil {
			return err
		}
		return errors.Join(conn.Batch([]nl.Request{req})...)
	})
	if events >= 0 {
		defer unix.Close(events)
	}
	if err != nil {
		return err
	}
	// The thread is home and the descriptor closed: the bird is dead.
	buf := make([]byte, 1<<16)
	for {
		n, _, err := unix.Recvfrom(events, buf, 0)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		case err != nil:
			return err
		case hasDelLink(buf[:n]):
			return nil
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
}

// linkEvents opens a socket that hears what happens to links.
func linkEvents() (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return -1, err
	}
	tv := unix.NsecToTimeval(int64(canaryPatience))
	err = errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv),
		// Bound, because the kernel passes over unbound sockets when it tells of what it did itself.
		unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (unix.RTNLGRP_LINK - 1)}),
	)
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// canaryVeth asks for a veth whose peer is in the namespace of fd.
func canaryVeth(fd int) (nl.Request, error) {
	e := netlink.NewAttributeEncoder()
	e.Nested(unix.IFLA_LINKINFO, func(e *netlink.AttributeEncoder) error {
		e.String(unix.IFLA_INFO_KIND, "veth")
		e.Nested(unix.IFLA_INFO_DATA, func(e *netlink.AttributeEncoder) error {
			p := netlink.NewAttributeEncoder()
			p.Uint32(unix.IFLA_NET_NS_FD, uint32(fd))
			attrs, err := p.Encode()
			if err != nil {
				return err
			}
			e.Bytes(vethInfoPeer, append(make([]byte, unix.SizeofIfInfomsg), attrs...))
			return nil
		})
		return nil
	})
	attrs, err := e.Encode()
	if err != nil {
		return nl.Request{}, err
	}
	return nl.Request{
		Type:  unix.RTM_NEWLINK,
		Flags: netlink.Create | netlink.Excl,
		Data:  append(make([]byte, unix.SizeofIfInfomsg), attrs...),
	}, nil
}

// hasDelLink looks for RTM_DELLINK. The namespace has no other link that could go.
func hasDelLink(b []byte) bool {
	for len(b) >= unix.SizeofNlMsghdr {
		n := int(binary.NativeEndian.Uint32(b))
		if binary.NativeEndian.Uint16(b[4:]) == unix.RTM_DELLINK {
			return true
		}
		if n < unix.SizeofNlMsghdr || n > len(b) {
			return false
		}
		b = b[min((n+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1), len(b)):]
	}
	return false
}
