package netns

import (
	"encoding/binary"
	"errors"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// Attributes of RTM_GETNSID (linux/net_namespace.h).
const (
	netnsaNSID = 1
	netnsaFD   = 3
)

// ids asks for the numbers that the current namespace gives to others (RTM_GETNSID).
type ids struct{ conn *nl.Conn }

func openIDs() (*ids, error) {
	// Unlocked threads are all at home: no visit is needed.
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	c, err := nl.New(fd)
	if err != nil {
		return nil, err
	}
	return &ids{conn: c}, nil
}

func (i *ids) close() { _ = i.conn.Close() } // nothing was buffered

// of returns the number of h, -1 when it has none.
func (i *ids) of(h *Handle) (int, error) {
	data := make([]byte, 4, 12) // struct rtgenmsg, padded
	data = binary.NativeEndian.AppendUint16(data, 8)
	data = binary.NativeEndian.AppendUint16(data, netnsaFD)
	data = binary.NativeEndian.AppendUint32(data, uint32(h.FD()))
	r := i.conn.Exchange([]nl.Request{{Type: unix.RTM_GETNSID, Data: data}})[0]
	if r.Err != nil {
		return -1, r.Err
	}
	for _, m := range r.Messages {
		if m.Header.Type != unix.RTM_NEWNSID || len(m.Data) < 4 {
			continue
		}
		ad, err := netlink.NewAttributeDecoder(m.Data[4:])
		if err != nil {
			return -1, err
		}
		for ad.Next() {
			if ad.Type() == netnsaNSID {
				return int(ad.Int32()), ad.Err()
			}
		}
	}
	return -1, errors.New("no id in the kernel's answer")
}
