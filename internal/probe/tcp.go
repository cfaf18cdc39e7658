package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// TCP opens a connection and closes it again.
func TCP(ctx context.Context, ns Opener, target netip.AddrPort, o Options) Result {
	start := time.Now()
	s, r := dial(ctx, ns, target, o)
	if s != nil {
		s.close()
		r = Result{OK: true, Code: OK, Detail: fmt.Sprintf("connected to %s after %s", target, round(r.Took)), Took: r.Took, From: target.Addr()}
	}
	if r.Took == 0 {
		r.Took = time.Since(start)
	}
	return r
}

// dial connects; a nil socket means that r says why not.
func dial(ctx context.Context, ns Opener, target netip.AddrPort, o Options) (*socket, Result) {
	addr := target.Addr().Unmap()
	if !addr.IsValid() {
		return nil, failed(errors.New("no address"))
	}
	s, err := openSocket(ns, addr.Is6(), unix.SOCK_STREAM, unix.IPPROTO_TCP)
	if err != nil {
		return nil, failed(err)
	}
	r, ok := s.establish(ctx, addr, target.Port(), o)
	if !ok {
		s.close()
		return nil, r
	}
	return s, r
}

func (s *socket) establish(ctx context.Context, addr netip.Addr, port uint16, o Options) (Result, bool) {
	if err := s.bind(o.Source); err != nil {
		return failed(err), false
	}
	// So that an ICMP error says who sent it. It makes no error out of what would be none while a connection is set up.
	if err := s.Set(unix.IP_RECVERR, unix.IPV6_RECVERR, 1); err != nil {
		return failed(err), false
	}
	to, err := s.Address(addr, port)
	if err != nil {
		return failed(err), false
	}
	timeout := o.timeout(connectTimeout)
	start := time.Now()
	stop := s.Until(ctx, start.Add(timeout))
	defer stop()
	if err := ctx.Err(); err != nil {
		return failed(err), false
	}
	err = s.connect(to)
	took := time.Since(start)
	if err == nil {
		_ = s.Set(unix.IP_RECVERR, unix.IPV6_RECVERR, 0)
		return Result{Took: took}, true
	}
	r := s.explain(ctx, err, addr, timeout)
	r.Took = took
	return r, false
}

// explain turns an error of a connected socket into a result.
func (s *socket) explain(ctx context.Context, err error, addr netip.Addr, timeout time.Duration) Result {
	switch notice := s.offender(); {
	case ctx.Err() != nil:
		return failed(ctx.Err())
	case notice.known:
		r := notice.result()
		if r.Code == Refused {
			r.Detail = "refused: " + r.Detail
		}
		return r
	case errors.Is(err, os.ErrDeadlineExceeded):
		return silence(timeout)
	default:
		return localError(err, addr)
	}
}

// Dial opens a TCP connection inside the namespace that works as any other from then on. The target is a literal address.
func Dial(ctx context.Context, ns Opener, target netip.AddrPort, o Options) (net.Conn, error) {
	s, r := dial(ctx, ns, target, o)
	if s == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: net.TCPAddrFromAddrPort(target), Err: &dialError{r}}
	}
	defer s.close()
	return net.FileConn(s.File) // a copy of the descriptor
}

// dialError carries the result through net/http.
type dialError struct{ r Result }

func (e *dialError) Error() string { return e.r.Detail }
func (e *dialError) Timeout() bool { return e.r.Code == Timeout }
