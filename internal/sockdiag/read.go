package sockdiag

import (
	"context"
	"errors"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// ReadInet reads internet sockets over a connection of NETLINK_SOCK_DIAG, in the kernel's order.
func ReadInet(ctx context.Context, c *nl.Conn, r InetRequest) ([]Inet, error) {
	return read(ctx, c, fmt.Sprintf("%s sockets", ProtocolName(r.Protocol)), r.Request(), func(b []byte) (Inet, error) {
		return DecodeInet(b, r.Protocol)
	})
}

// ReadUnix reads unix sockets.
func ReadUnix(ctx context.Context, c *nl.Conn, r UnixRequest) ([]Unix, error) {
	return read(ctx, c, "unix sockets", r.Request(), DecodeUnix)
}

// ReadPacket reads packet sockets.
func ReadPacket(ctx context.Context, c *nl.Conn) ([]Packet, error) {
	return read(ctx, c, "packet sockets", PacketRequest(), DecodePacket)
}

// ReadNetlink reads netlink sockets.
func ReadNetlink(ctx context.Context, c *nl.Conn) ([]Netlink, error) {
	return read(ctx, c, "netlink sockets", NetlinkRequest(), DecodeNetlink)
}

// ReadVsock reads vsock sockets.
func ReadVsock(ctx context.Context, c *nl.Conn, states Statuses) ([]Vsock, error) {
	return read(ctx, c, "vsock sockets", VsockRequest(states), DecodeVsock)
}

// read makes a dump. Sockets come and go all the time: a list that changed meanwhile is as good as any.
func read[T any](ctx context.Context, c *nl.Conn, what string, req nl.Request, decode func([]byte) (T, error)) ([]T, error) {
	msgs, err := c.Dump(ctx, req)
	switch {
	case errors.Is(err, nl.ErrInconsistent):
	case errors.Is(err, unix.ENOENT):
		return nil, fmt.Errorf("list %s: %w: %w", what, ErrNoDiag, err)
	case err != nil:
		return nil, fmt.Errorf("list %s: %w", what, err)
	}
	list := make([]T, 0, len(msgs))
	for _, m := range msgs {
		if m.Header.Type != netlink.HeaderType(byFamily) {
			continue
		}
		v, err := decode(m.Data)
		if err != nil {
			return list, fmt.Errorf("list %s: %w", what, err)
		}
		list = append(list, v)
	}
	return list, nil
}

// ProtocolName is a protocol in a word, as ss(8) has it: "tcp", "raw".
func ProtocolName(protocol int) string {
	switch protocol {
	case unix.IPPROTO_TCP:
		return "tcp"
	case unix.IPPROTO_UDP:
		return "udp"
	case unix.IPPROTO_UDPLITE:
		return "udplite"
	case unix.IPPROTO_RAW:
		return "raw"
	case unix.IPPROTO_SCTP:
		return "sctp"
	case unix.IPPROTO_DCCP:
		return "dccp"
	case unix.IPPROTO_MPTCP:
		return "mptcp"
	}
	return fmt.Sprintf("protocol-%d", protocol)
}
