package reachtest_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/probe"
	"warren/netns"
)

// build runs a script of plain commands, and takes everything down at the test's end.
func build(t testing.TB, commands string) {
	t.Helper()
	t.Cleanup(func() { destroy(t) })
	script(t, commands)
}

// script runs plain commands.
func script(t testing.TB, commands string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "sh", "-c", prelude+commands).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
}

func destroy(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "ip", "-all", "netns", "delete").CombinedOutput(); err != nil {
		t.Errorf("take down: %v\n%s", err, out)
	}
	if err := netns.WaitGone(ctx); err != nil {
		t.Error(err)
	}
}

// open gives the namespace of a name, until the end of the test.
func open(t testing.TB, name string) *netns.Handle {
	t.Helper()
	h, err := netns.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// serve answers what comes to a socket until the end of the test, see listen.
func serve(t testing.TB, spec string) {
	t.Helper()
	h, err := netns.Open(t.Context(), strings.Fields(spec)[0])
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	stop, err := listen(h, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
}

// listen answers what comes to a socket: "b tcp 0.0.0.0:80", "b udp [::]:53", with "dev vb" or "v6only" behind it.
func listen(h *netns.Handle, spec string) (stop func(), err error) {
	f := strings.Fields(spec)
	addr := netip.MustParseAddrPort(f[2])
	domain, typ := unix.AF_INET, unix.SOCK_STREAM
	if addr.Addr().Is6() {
		domain = unix.AF_INET6
	}
	if f[1] == "udp" {
		typ = unix.SOCK_DGRAM
	}
	fd, err := h.Socket(domain, typ|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), spec)
	defer file.Close()
	for i := 3; i < len(f) && err == nil; i++ {
		switch f[i] {
		case "dev":
			i++
			err = unix.SetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, f[i])
		case "v6only":
			err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
		}
	}
	if err == nil && f[1] == "udp" {
		if err = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1); err == nil && domain == unix.AF_INET6 {
			err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
	}
	if err == nil {
		err = unix.Bind(fd, sockaddr(addr))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec, err)
	}
	var wait sync.WaitGroup
	if f[1] == "udp" {
		c, err := net.FilePacketConn(file)
		if err != nil {
			return nil, err
		}
		wait.Go(func() { echoPackets(c.(*net.UDPConn)) })
		return func() { _ = c.Close(); wait.Wait() }, nil
	}
	if err := unix.Listen(fd, 16); err != nil {
		return nil, err
	}
	l, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	wait.Go(func() { echoStreams(l, &wait) })
	return func() { _ = l.Close(); wait.Wait() }, nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// echoPackets answers from the address that was asked, as a good server does (IP_PKTINFO).
func echoPackets(c *net.UDPConn) {
	buf, oob := make([]byte, 1<<16), make([]byte, 256)
	for {
		n, m, _, from, err := c.ReadMsgUDPAddrPort(buf, oob)
		if err != nil {
			return
		}
		_, _, _ = c.WriteMsgUDPAddrPort(buf[:n], anyDevice(oob[:m]), from)
	}
}

// anyDevice is the address information of a datagram without the device: the way back is up to the routes.
func anyDevice(oob []byte) []byte {
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for _, m := range list {
		switch {
		case m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_PKTINFO:
			var src [4]byte
			copy(src[:], m.Data[4:8])
			return unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: src})
		case m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_PKTINFO:
			var src [16]byte
			copy(src[:], m.Data[:16])
			return unix.PktInfo6(&unix.Inet6Pktinfo{Addr: src})
		}
	}
	return nil
}

func echoStreams(l net.Listener, wait *sync.WaitGroup) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		wait.Go(func() {
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(20 * time.Second))
			_, _ = io.Copy(c, c)
		})
	}
}

// A shot is one real probe.
type shot struct {
	src   string
	dst   netip.Addr
	proto string // "icmp", "tcp", "udp"
	port  uint16
	from  netip.Addr
	size  int
}

// fire sends the probe and says whether an answer came; of TCP, whether data did.
func fire(ctx context.Context, h *netns.Handle, s shot, wait time.Duration) (bool, string) {
	o := probe.Options{Timeout: wait, Source: s.from}
	switch {
	case s.proto == "tcp":
		return talk(ctx, h, s, o)
	case s.proto == "udp":
		r := probe.UDP(ctx, h, netip.AddrPortFrom(s.dst, s.port), o)
		return r.OK, r.Detail
	case s.size != 0:
		r := probe.MTU(ctx, h, s.dst, s.size, o)
		return r.OK, r.Detail
	}
	r := probe.Ping(ctx, h, s.dst, o)
	return r.OK, r.Detail
}

// talk connects and waits for some bytes to come back: a handshake alone proves too little.
func talk(ctx context.Context, h *netns.Handle, s shot, o probe.Options) (bool, string) {
	c, err := probe.Dial(ctx, h, netip.AddrPortFrom(s.dst, s.port), o)
	if err != nil {
		return false, err.Error()
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(o.Timeout))
	if _, err := fmt.Fprint(c, "are you there"); err != nil {
		return false, err.Error()
	}
	buf := make([]byte, 32)
	if _, err := io.ReadAtLeast(c, buf, 13); err != nil {
		return false, "connected, but no data: " + err.Error()
	}
	return true, "data came back"
}
