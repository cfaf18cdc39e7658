package live

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"warren/internal/nsock"
	"warren/internal/probe"
)

// A socket of a namespace.
type socket struct{ *nsock.Socket }

// openSocket opens one with the options of the question, bound to its source address.
func openSocket(in Inside, q Question, typ, proto int) (*socket, error) {
	base, err := nsock.Open(in, q.v6(), typ, proto)
	if err != nil {
		return nil, err
	}
	s := &socket{base}
	if err := s.prepare(q); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *socket) prepare(q Question) error {
	err := s.Set(unix.IP_RECVERR, unix.IPV6_RECVERR, 1)
	if err == nil && q.Mark != 0 {
		err = s.Control(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(q.Mark)) })
	}
	if err == nil && q.TTL != 0 {
		err = s.Set(unix.IP_TTL, unix.IPV6_UNICAST_HOPS, int(q.TTL))
	}
	if err == nil && q.Size != 0 {
		// Do not fragment, and do not believe what was learned about the path before.
		err = s.Set(unix.IP_MTU_DISCOVER, unix.IPV6_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE)
		if err == nil && q.v6() && q.Proto != protoTCP {
			err = s.Control(func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_DONTFRAG, 1) })
		}
	}
	if err != nil {
		return fmt.Errorf("set up the probe's socket: %w", err)
	}
	if !q.From.IsValid() {
		return nil
	}
	from, err := s.Address(q.From, 0)
	if err == nil {
		err = s.Control(func(fd int) error { return unix.Bind(fd, from) })
	}
	if err != nil {
		return &sendError{fmt.Errorf("send from %s: %w", q.From, err)}
	}
	return nil
}

func (s *socket) close() { _ = s.Close() }

// local is the address that the socket is bound to.
func (s *socket) local() netip.AddrPort {
	var out netip.AddrPort
	_ = s.Control(func(fd int) error {
		sa, err := unix.Getsockname(fd)
		switch a := sa.(type) {
		case *unix.SockaddrInet4:
			out = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
		case *unix.SockaddrInet6:
			out = netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
		}
		return err
	})
	return out
}

// An icmpNotice is an ICMP error about our packet.
type icmpNotice nsock.Notice

// offender reads the error queue (ip(7), IP_RECVERR) until it finds an ICMP error about our packet.
func (s *socket) offender(fd int, ours func(quoted []byte) bool) *icmpNotice {
	buf, oob := make([]byte, 512), make([]byte, 512)
	for {
		n, m, _, _, err := unix.Recvmsg(fd, buf, oob, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err != nil {
			return nil
		}
		list, err := unix.ParseSocketControlMessage(oob[:m])
		if err != nil || !ours(buf[:n]) {
			continue
		}
		for _, c := range list {
			if n, ok := nsock.ParseNotice(c); ok {
				return new(icmpNotice(n))
			}
		}
	}
}

// result says it as ping(8) does.
func (n *icmpNotice) result() probe.Result {
	r := probe.Result{Code: probe.Unreachable, From: n.From}
	type tc struct {
		v6        bool
		typ, code byte
	}
	switch k := (tc{n.V6, n.Type, n.Code}); {
	case k == tc{false, 3, 3}, k == tc{true, 1, 4}:
		r.Code, r.Detail = probe.Refused, "port unreachable"
	case k == tc{false, 3, 4}, k == tc{true, 2, 0}:
		r.Code, r.Detail = probe.TooBig, fmt.Sprintf("too big, the next MTU is %d", n.MTU)
	case !n.V6 && n.Type == 3 && (n.Code == 9 || n.Code == 10 || n.Code == 13), n.V6 && n.Type == 1 && (n.Code == 1 || n.Code == 5 || n.Code == 6):
		r.Code, r.Detail = probe.Prohibited, "administratively prohibited"
	case k == tc{false, 3, 0}, k == tc{true, 1, 0}:
		r.Detail = "network unreachable"
	case k == tc{false, 3, 1}, k == tc{true, 1, 3}:
		r.Detail = "host unreachable"
	case k == tc{false, 11, 0}, k == tc{true, 3, 0}:
		r.Detail = "TTL ran out"
	default:
		r.Detail = fmt.Sprintf("ICMP type %d code %d", n.Type, n.Code)
	}
	if n.From.IsValid() {
		r.Detail += ", says " + n.From.String()
	}
	return r
}
