package netns

import (
	"fmt"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// Netlink opens a netlink connection inside: unix.NETLINK_ROUTE, unix.NETLINK_NETFILTER, ... It can be used from anywhere.
func (h *Handle) Netlink(proto int) (*nl.Conn, error) {
	fd, err := h.Socket(unix.AF_NETLINK, unix.SOCK_RAW, proto)
	if err != nil {
		return nil, err
	}
	c, err := nl.New(fd)
	if err != nil {
		return nil, opError("open netlink socket in", h.ref, err)
	}
	return c, nil
}

// Netlink opens a netlink connection in the new namespace. It may outlive the setup.
func (in *Inside) Netlink(proto int) (*nl.Conn, error) {
	fd, err := in.Socket(unix.AF_NETLINK, unix.SOCK_RAW, proto)
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", err)
	}
	return nl.New(fd)
}
