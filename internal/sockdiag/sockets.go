package sockdiag

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"warren/internal/nl"
	"warren/internal/rtnl"
	"warren/netns"
	"warren/state"
)

// A Query says which sockets [Sockets] reads. The zero value: all internet sockets (TCP, UDP, UDP-Lite, raw, SCTP), in every
// state.
type Query struct {
	Statuses              Statuses // 0 = All
	Unix, Packet, Netlink bool     // these too
	Vsock                 bool
}

// Sockets reads the sockets of a namespace, IPv4 first, in the kernel's order. Kinds that the kernel cannot list are left
// out; of any other error the rest comes with it. [Owners.Fill] adds the processes.
func Sockets(ctx context.Context, h *netns.Handle, q Query) ([]state.Socket, error) {
	c, err := h.Netlink(unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("list sockets in netns %q: %w", h, err)
	}
	defer c.Close()
	if q.Statuses == 0 {
		q.Statuses = All
	}
	r := reader{ctx: ctx, h: h, c: c, q: q, links: map[uint32]string{}}
	r.inet()
	if q.Unix {
		r.unix()
	}
	if q.Packet {
		r.packet()
	}
	if q.Netlink {
		r.netlink()
	}
	if q.Vsock {
		r.vsock()
	}
	if err := errors.Join(r.errs...); err != nil {
		return r.list, fmt.Errorf("in netns %q: %w", h, err)
	}
	return r.list, nil
}

type reader struct {
	ctx   context.Context
	h     *netns.Handle
	c     *nl.Conn
	q     Query
	links map[uint32]string
	list  []state.Socket
	errs  []error
}

// failed notes an error, unless it only means that there are no such sockets.
func (r *reader) failed(err error) {
	if err != nil && !errors.Is(err, ErrNoDiag) {
		r.errs = append(r.errs, err)
	}
}

func (r *reader) inet() {
	for _, protocol := range []int{unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_UDPLITE, unix.IPPROTO_RAW, unix.IPPROTO_SCTP} {
		for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
			list, err := ReadInet(r.ctx, r.c, InetRequest{Family: family, Protocol: protocol, Statuses: r.q.Statuses})
			if protocol == unix.IPPROTO_RAW && errors.Is(err, ErrNoDiag) {
				list, err = ReadRawFile(r.h, family)
			}
			r.failed(err)
			for i := range list {
				if r.q.Statuses.Has(list[i].Status) {
					r.list = append(r.list, list[i].Socket(protocol, r.link))
				}
			}
		}
	}
}

func (r *reader) unix() {
	list, err := ReadUnix(r.ctx, r.c, UnixRequest{Statuses: r.q.Statuses, Show: UnixName | UnixPeer | UnixQueues | UnixUID})
	r.failed(err)
	for i := range list {
		r.list = append(r.list, list[i].Socket())
	}
}

func (r *reader) packet() {
	if !r.q.Statuses.Has(Close) {
		return
	}
	list, err := ReadPacket(r.ctx, r.c)
	r.failed(err)
	for i := range list {
		r.list = append(r.list, list[i].Socket(r.link))
	}
}

func (r *reader) netlink() {
	if !r.q.Statuses.Has(Close) {
		return
	}
	list, err := ReadNetlink(r.ctx, r.c)
	r.failed(err)
	for i := range list {
		r.list = append(r.list, list[i].Socket())
	}
}

func (r *reader) vsock() {
	list, err := ReadVsock(r.ctx, r.c, r.q.Statuses)
	r.failed(err)
	for i := range list {
		r.list = append(r.list, list[i].Socket())
	}
}

// link is the name of a link of the namespace; "" for none and for one that is gone.
func (r *reader) link(index uint32) string {
	if index == 0 {
		return ""
	}
	name, ok := r.links[index]
	if !ok {
		var err error
		name, err = LinkName(r.h, index)
		r.failed(err)
		r.links[index] = name
	}
	return name
}

// LinkName is the name of a namespace's link; "" when there is none of that index.
func LinkName(h *netns.Handle, index uint32) (string, error) {
	c, err := h.Netlink(unix.NETLINK_ROUTE)
	if err != nil {
		return "", err
	}
	defer c.Close()
	m := rtnl.NewMessage(rtnl.IfinfoLen)
	native.PutUint32(m.Head()[4:], index)
	req, err := m.Request(unix.RTM_GETLINK, 0)
	if err != nil {
		return "", err
	}
	res := c.Exchange([]nl.Request{req})[0]
	if errors.Is(res.Err, unix.ENODEV) {
		return "", nil
	}
	if res.Err != nil {
		return "", fmt.Errorf("find link %d: %w", index, res.Err)
	}
	for _, msg := range res.Messages {
		if len(msg.Data) >= rtnl.IfinfoLen {
			return rtnl.ParseAttrs(msg.Data[rtnl.IfinfoLen:]).Str(unix.IFLA_IFNAME), nil
		}
	}
	return "", nil
}
