package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

const dnsPort = 53

// UDP sends a datagram and waits for one back; see the package comment for what the outcomes mean. It is sent again at a
// third and at two thirds of the timeout.
func UDP(ctx context.Context, ns Opener, target netip.AddrPort, o Options) Result {
	data := []byte("warren\n")
	if target.Port() == dnsPort {
		q, err := encodeQuery(1, dnsmessage.MustNewName("."), dnsmessage.TypeNS)
		if err != nil {
			return failed(err)
		}
		data = q
	}
	answer, r := exchange(ctx, ns, target, data, o, func([]byte) bool { return true })
	if r.OK {
		r.Detail = fmt.Sprintf("answer of %d bytes from %s after %s", len(answer), target, round(r.Took))
	} else if r.Code == Timeout {
		r.Detail += " (lost, or the listener does not answer)"
	}
	return r
}

// exchange sends data until an answer comes that fits.
func exchange(ctx context.Context, ns Opener, target netip.AddrPort, data []byte, o Options, fits func([]byte) bool) ([]byte, Result) {
	addr := target.Addr().Unmap()
	if !addr.IsValid() {
		return nil, failed(errors.New("no address"))
	}
	s, err := openSocket(ns, addr.Is6(), unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return nil, failed(err)
	}
	defer s.close()
	to, err := s.Address(addr, target.Port())
	if err == nil {
		err = s.bind(o.Source)
	}
	if err == nil {
		err = s.Set(unix.IP_RECVERR, unix.IPV6_RECVERR, 1)
	}
	if err != nil {
		return nil, failed(err)
	}
	timeout := o.timeout(packetTimeout)
	start := time.Now()
	end := start.Add(timeout)
	stop := s.Until(ctx, end)
	defer stop()
	if err := s.Control(func(fd int) error { return unix.Connect(fd, to) }); err != nil {
		return nil, s.explain(ctx, err, addr, timeout)
	}
	buf := make([]byte, 65536)
	next := start
	for {
		now := time.Now()
		if ctx.Err() != nil {
			return nil, failed(ctx.Err())
		}
		if !now.Before(end) {
			r := silence(timeout)
			return nil, r
		}
		if !now.Before(next) {
			if err := s.Control(func(fd int) error { return unix.Sendto(fd, data, unix.MSG_DONTWAIT, nil) }); err != nil && !busy(err) {
				r := s.explain(ctx, err, addr, timeout)
				r.Took = time.Since(start)
				return nil, r
			}
			next = now.Add(max(timeout/3, 50*time.Millisecond))
		}
		wake := end
		if next.Before(end) {
			wake = next
		}
		_ = s.File.SetReadDeadline(wake)
		if ctx.Err() != nil {
			continue
		}
		var n int
		err := s.Read(func(fd int) (err error) {
			n, _, err = unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
			return err
		})
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case err != nil:
			r := s.explain(ctx, err, addr, timeout)
			r.Took = time.Since(start)
			return nil, r
		case fits(buf[:n]):
			return buf[:n], Result{OK: true, Code: OK, Took: time.Since(start), From: addr}
		}
	}
}

func busy(err error) bool {
	return errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.EINTR)
}
