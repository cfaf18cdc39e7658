package forward_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/forward"
	"warren/internal/kerneltest"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

const wait = 30 * time.Second

// tcp forwards a port to addr until the test ends.
func tcp(t *testing.T, to string) netip.AddrPort {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = forward.TCP(ctx, l, func(ctx context.Context, from netip.AddrPort) (*net.TCPConn, error) {
			if !from.Addr().IsLoopback() {
				return nil, fmt.Errorf("from %s", from)
			}
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", to)
			if err != nil {
				return nil, err
			}
			return c.(*net.TCPConn), nil
		})
	}()
	t.Cleanup(func() { cancel(); <-done })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func dial(t *testing.T, to netip.AddrPort) *net.TCPConn {
	t.Helper()
	c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(wait))
	return c
}

// server accepts and serves each connection.
func server(t *testing.T, serve func(c *net.TCPConn)) string {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.AcceptTCP()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(wait))
				serve(c)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return l.Addr().String()
}

// TestHalfClose: the end of one direction is passed on, and the other goes on.
func TestHalfClose(t *testing.T) {
	kerneltest.LeakCheck(t)
	to := server(t, func(c *net.TCPConn) {
		data, err := io.ReadAll(c)
		if err == nil {
			_, _ = fmt.Fprintf(c, "%d bytes", len(data))
		}
	})
	c := dial(t, tcp(t, to))
	const size = 1 << 20
	if _, err := io.Copy(c, io.LimitReader(zeros{}, size)); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if want := fmt.Sprintf("%d bytes", size); err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestRefused: behind a port that nobody serves a connection is reset, not left waiting.
func TestRefused(t *testing.T) {
	kerneltest.LeakCheck(t)
	c, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(tcp(t, "127.0.0.1:1")))
	if err == nil { // the reset may come before or after
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(wait))
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("%v, want a reset", err)
	}
}

// TestReset: a reset is passed on as one.
func TestReset(t *testing.T) {
	kerneltest.LeakCheck(t)
	to := server(t, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.SetLinger(0)
	})
	c := dial(t, tcp(t, to))
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("%v, want a reset", err)
	}
}

// TestEnd: the end of the context ends what is open.
func TestEnd(t *testing.T) {
	kerneltest.LeakCheck(t)
	to := server(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	connected, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = forward.TCP(ctx, l, func(ctx context.Context, _ netip.AddrPort) (*net.TCPConn, error) {
			defer close(connected)
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", to)
			if err != nil {
				return nil, err
			}
			return c.(*net.TCPConn), nil
		})
	}()
	c := dial(t, l.Addr().(*net.TCPAddr).AddrPort())
	<-connected
	cancel()
	<-done
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
}

// TestDatagrams: each peer gets its own answers, from the address that it asked.
func TestDatagrams(t *testing.T) {
	kerneltest.LeakCheck(t)
	echo, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		buf := make([]byte, 1024)
		for {
			n, from, err := echo.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = echo.WriteToUDPAddrPort([]byte(strings.ToUpper(string(buf[:n]))), from)
		}
	})
	for _, family := range []string{"udp4", "udp6"} {
		t.Run(family, func(t *testing.T) {
			l, err := net.ListenUDP(family, nil)
			if err != nil {
				t.Fatal(err)
			}
			port := l.LocalAddr().(*net.UDPAddr).AddrPort().Port()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = forward.UDP(ctx, l, func(context.Context, netip.AddrPort) (*net.UDPConn, error) {
					return net.DialUDP("udp", nil, echo.LocalAddr().(*net.UDPAddr))
				})
			}()
			defer func() { cancel(); <-done }()
			addrs := []string{"127.0.0.1", "127.0.0.2", "127.3.2.1"}
			if family == "udp6" {
				addrs = []string{"::1"}
			}
			for i, addr := range addrs {
				for _, text := range []string{"first", "second"} {
					// A connected socket hears only from the address that it asked.
					c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), port)))
					if err != nil {
						t.Fatal(err)
					}
					_ = c.SetDeadline(time.Now().Add(wait))
					text = fmt.Sprint(text, i)
					buf := make([]byte, 64)
					n := 0
					if _, err = c.Write([]byte(text)); err == nil {
						n, err = c.Read(buf)
					}
					_ = c.Close()
					if got := string(buf[:n]); err != nil || got != strings.ToUpper(text) {
						t.Errorf("%s: %q, %v", addr, got, err)
					}
				}
			}
		})
	}
	_ = echo.Close()
	all.Wait()
}
