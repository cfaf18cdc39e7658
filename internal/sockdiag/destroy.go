package sockdiag

import (
	"encoding/binary"
	"net/netip"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// destroy is the type of a request to end a socket (SOCK_DESTROY, linux/sock_diag.h, Linux 4.5 with CONFIG_INET_DIAG_DESTROY).
const destroy = 21

// Destroy is the request to end a socket, which its owner then finds aborted (ECONNABORTED). The kernel answers EOPNOTSUPP
// where it cannot, and ENOENT when the socket is gone.
func Destroy(protocol int, i *Inet) nl.Request {
	b := make([]byte, inetRequestLen)
	b[0], b[1] = i.Family, uint8(protocol)
	if protocol == unix.IPPROTO_RAW && i.Protocol != nil {
		b[3] = *i.Protocol
	}
	binary.BigEndian.PutUint16(b[8:], i.Local.Port())
	binary.BigEndian.PutUint16(b[10:], i.Remote.Port())
	put := func(at int, a netip.Addr) { copy(b[at:at+16], a.AsSlice()) }
	put(12, i.Local.Addr())
	put(28, i.Remote.Addr())
	native.PutUint32(b[44:], i.Link)
	appendCookie(b[:48], i.Cookie)
	return nl.Request{Type: netlink.HeaderType(destroy), Data: b}
}

// Groups of notifications about sockets that have ended (enum sknetlink_groups).
const (
	GroupTCP  = 1
	GroupUDP  = 2
	GroupTCP6 = 3
	GroupUDP6 = 4
)

// DecodeEvent reads the notification that an internet socket has ended.
func DecodeEvent(m netlink.Message) (Inet, error) {
	if m.Header.Type != netlink.HeaderType(byFamily) {
		return Inet{}, short("event of a socket", 0, inetLen)
	}
	i, err := DecodeInet(m.Data, unix.IPPROTO_TCP)
	if err != nil || i.Protocol == nil || *i.Protocol == unix.IPPROTO_TCP {
		return i, err
	}
	return DecodeInet(m.Data, int(*i.Protocol))
}
