package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// TCP accepts connections until the listener is closed or ctx ends, and passes on each, both ways, with the ends and resets
// of streams. A connection that dial refuses is reset, as by a closed port. It returns when all connections have ended,
// which the end of ctx makes them do.
func TCP(ctx context.Context, l *net.TCPListener, dial func(ctx context.Context, from netip.AddrPort) (*net.TCPConn, error)) error {
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		in, err := l.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil { // out of descriptors: it may pass
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		all.Go(func() {
			defer in.Close()
			out, err := dial(ctx, peer(in))
			if err != nil {
				_ = in.SetLinger(0)
				return
			}
			defer out.Close()
			defer context.AfterFunc(ctx, func() {
				_ = in.Close()
				_ = out.Close()
			})()
			var both sync.WaitGroup
			both.Go(func() { pipe(out, in) })
			both.Go(func() { pipe(in, out) })
			both.Wait()
		})
	}
}

func peer(c *net.TCPConn) netip.AddrPort {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		p := a.AddrPort()
		return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
	}
	return netip.AddrPort{}
}

// pipe hands on the end of the stream, too.
func pipe(dst, src *net.TCPConn) {
	if _, err := io.Copy(dst, src); err != nil {
		_ = dst.SetLinger(0)
		_ = dst.Close()
		_ = src.Close()
		return
	}
	_ = dst.CloseWrite()
}
