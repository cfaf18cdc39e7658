package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ProxyService is a service that forwards what comes to listen on the host to another address: for what the kernel
// cannot translate, such as a port of ::1. proto is "tcp" or "udp". name is the service's, of the node "host".
func ProxyService(name, proto string, listen, to netip.AddrPort) Service {
	return Service{
		Node: "host", Name: name, Log: "none",
		Argv:  []string{"/proc/self/exe", proxyArg, proto, listen.String(), to.String()},
		Ready: Ready{Kind: proto, Port: listen.Port()},
	}
}

func proxyMain(args []string) int {
	if len(args) != 3 {
		return statusBroken
	}
	ctx, cancel := signal.NotifyContext(context.Background(), unix.SIGTERM)
	defer cancel()
	listen, err1 := netip.ParseAddrPort(args[1])
	to, err2 := netip.ParseAddrPort(args[2])
	if err := errors.Join(err1, err2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return statusBroken
	}
	var err error
	switch args[0] {
	case "tcp":
		err = proxyTCP(ctx, listen, to)
	case "udp":
		err = proxyUDP(ctx, listen, to)
	default:
		err = fmt.Errorf("unknown protocol %q", args[0])
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func proxyTCP(ctx context.Context, listen, to netip.AddrPort) error {
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(listen))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	for {
		in, err := l.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil { // out of descriptors: it may pass
			<-time.After(50 * time.Millisecond)
			continue
		}
		go func() {
			defer in.Close()
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", to.String())
			if err != nil {
				_ = in.SetLinger(0) // a reset, as from a closed port
				return
			}
			out := c.(*net.TCPConn)
			defer out.Close()
			var both sync.WaitGroup
			both.Go(func() { pipe(out, in) })
			both.Go(func() { pipe(in, out) })
			both.Wait()
		}()
	}
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

// udpIdle is how long a peer's answers are waited for.
const udpIdle = time.Minute

func proxyUDP(ctx context.Context, listen, to netip.AddrPort) error {
	l, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(listen))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	var mu sync.Mutex
	peers := map[netip.AddrPort]*net.UDPConn{}
	buf := make([]byte, 64<<10)
	for {
		n, from, err := l.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			continue
		}
		mu.Lock()
		out := peers[from]
		mu.Unlock()
		if out == nil {
			if out, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to)); err != nil {
				continue
			}
			mu.Lock()
			peers[from] = out
			mu.Unlock()
			go func() {
				answers(l, out, from)
				mu.Lock()
				delete(peers, from)
				mu.Unlock()
				_ = out.Close()
			}()
		}
		_, _ = out.Write(buf[:n]) // lost, as UDP may be
	}
}

func answers(l, out *net.UDPConn, to netip.AddrPort) {
	buf := make([]byte, 64<<10)
	for {
		_ = out.SetReadDeadline(time.Now().Add(udpIdle))
		n, err := out.Read(buf)
		if errors.Is(err, unix.ECONNREFUSED) {
			continue
		}
		if err != nil {
			return
		}
		_, _ = l.WriteToUDPAddrPort(buf[:n], to)
	}
}
