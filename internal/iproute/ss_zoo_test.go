package iproute_test

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
)

// A zoo holds sockets of every kind open.
type zoo struct {
	t   testing.TB
	fds []int
}

func (z *zoo) open(domain, typ, proto int) int {
	z.t.Helper()
	fd, err := unix.Socket(domain, typ|unix.SOCK_CLOEXEC, proto)
	if err != nil {
		z.t.Fatal(err)
	}
	z.fds = append(z.fds, fd)
	return fd
}

func (z *zoo) must(err error) {
	z.t.Helper()
	if err != nil {
		z.t.Fatal(err)
	}
}

func (z *zoo) close() {
	for _, fd := range z.fds {
		unix.Close(fd)
	}
	// The test's own context has ended by now.
	if out, err := exec.CommandContext(context.Background(), "ip", "link", "del", "a0").CombinedOutput(); err != nil {
		z.t.Errorf("%v: %s", err, out)
	}
}

func sockaddr(text string) unix.Sockaddr {
	a := netip.MustParseAddrPort(text)
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}

func domainOf(text string) int {
	if netip.MustParseAddrPort(text).Addr().Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// listen makes a TCP listener.
func (z *zoo) listen(addr string, backlog int) int {
	z.t.Helper()
	fd := z.open(domainOf(addr), unix.SOCK_STREAM, 0)
	z.must(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	z.must(unix.Bind(fd, sockaddr(addr)))
	z.must(unix.Listen(fd, backlog))
	return fd
}

// connect makes a connection to a listener and returns both ends; from is the near one's address.
func (z *zoo) connect(listener int, from, to string) (near, far int) {
	z.t.Helper()
	near = z.open(domainOf(to), unix.SOCK_STREAM, 0)
	z.must(unix.SetsockoptInt(near, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	z.must(unix.Bind(near, sockaddr(from)))
	kerneltest.Eventually(z.t, 30*time.Second, func() error { return unix.Connect(near, sockaddr(to)) }) // addresses of IPv6 take a moment
	far, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
	z.must(err)
	z.fds = append(z.fds, far)
	return near, far
}

func newZoo(t testing.TB) *zoo {
	z := &zoo{t: t}
	ip := func(args string) {
		t.Helper()
		if r := theirs(t, "", append([]string{"ip"}, strings.Fields(args)...)...); r.Code != 0 {
			t.Fatal(args, r.Err)
		}
	}
	ip("link set lo up")
	ip("link add a0 type veth peer name b0")
	ip("link set a0 up")
	ip("link set b0 up")
	t.Cleanup(z.close)
	ip("addr add 10.9.0.1/24 dev a0")
	ip("addr add fd00::1/64 dev a0 nodad")
	tcp := z.listen("127.0.0.1:8080", 5)
	z.listen("0.0.0.0:80", 128)
	z.listen("[::]:443", 7)
	v6only := z.open(unix.AF_INET6, unix.SOCK_STREAM, 0)
	z.must(unix.SetsockoptInt(v6only, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1))
	z.must(unix.SetsockoptInt(v6only, unix.SOL_SOCKET, unix.SO_MARK, 0x2a))
	z.must(unix.Bind(v6only, sockaddr("[::]:22")))
	z.must(unix.Listen(v6only, 1))
	bound := z.open(unix.AF_INET, unix.SOCK_STREAM, 0)
	z.must(unix.BindToDevice(bound, "a0"))
	z.must(unix.Bind(bound, sockaddr("10.9.0.1:53")))
	z.must(unix.Listen(bound, 3))
	near, _ := z.connect(tcp, "127.0.0.1:4001", "127.0.0.1:8080")
	z.must(unix.SetsockoptInt(near, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
	_, err := unix.Write(near, []byte("not read"))
	z.must(err)
	l6 := z.listen("[fd00::1]:8443", 5)
	z.connect(l6, "[fd00::1]:4002", "[fd00::1]:8443")
	mapped := z.listen("[::]:9000", 5)
	z.connect(mapped, "127.0.0.1:4003", "127.0.0.1:9000")
	// One connection whose peer is gone, and one that both have closed.
	half, gone := z.connect(tcp, "127.0.0.1:4004", "127.0.0.1:8080")
	z.must(unix.Shutdown(gone, unix.SHUT_WR))
	_ = half
	first, second := z.connect(tcp, "127.0.0.1:4005", "127.0.0.1:8080")
	z.must(unix.Shutdown(first, unix.SHUT_RDWR))
	z.must(unix.Shutdown(second, unix.SHUT_RDWR))
	// A connection that nobody answers.
	syn := z.open(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	_ = unix.Bind(syn, sockaddr("10.9.0.1:4006"))
	_ = unix.Connect(syn, sockaddr("10.9.0.77:81"))
	z.udp()
	z.unix()
	raw := z.open(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	z.must(unix.Bind(raw, sockaddr("127.0.0.1:0")))
	z.open(unix.AF_INET6, unix.SOCK_RAW, unix.IPPROTO_ICMPV6)
	z.open(unix.AF_INET, unix.SOCK_RAW, 253)
	z.packets()
	if fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP); err == nil {
		z.fds = append(z.fds, fd)
		z.must(unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
		z.must(unix.Bind(fd, sockaddr("127.0.0.1:8081")))
		z.must(unix.Listen(fd, 2))
		c := z.open(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
		z.must(unix.SetsockoptInt(c, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
		z.must(unix.Bind(c, sockaddr("127.0.0.1:4008")))
		z.must(unix.Connect(c, sockaddr("127.0.0.1:8081")))
		far, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		z.must(err)
		z.fds = append(z.fds, far)
	}
	return z
}

func (z *zoo) udp() {
	u := z.open(unix.AF_INET, unix.SOCK_DGRAM, 0)
	z.must(unix.Bind(u, sockaddr("127.0.0.1:53")))
	c := z.open(unix.AF_INET, unix.SOCK_DGRAM, 0)
	z.must(unix.Bind(c, sockaddr("127.0.0.1:4007")))
	z.must(unix.Connect(c, sockaddr("127.0.0.1:53")))
	_, err := unix.Write(c, []byte("a question"))
	z.must(err)
	u6 := z.open(unix.AF_INET6, unix.SOCK_DGRAM, 0)
	z.must(unix.Bind(u6, sockaddr("[::]:123")))
	link := z.open(unix.AF_INET, unix.SOCK_DGRAM, 0)
	z.must(unix.BindToDevice(link, "a0"))
	z.must(unix.Bind(link, sockaddr("0.0.0.0:68")))
}

func (z *zoo) unix() {
	short, err := os.MkdirTemp("/tmp", "zoo")
	z.must(err)
	z.t.Cleanup(func() { os.RemoveAll(short) })
	path := filepath.Join(short, "stream")
	l := z.open(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	z.must(unix.Bind(l, &unix.SockaddrUnix{Name: path}))
	z.must(unix.Listen(l, 4))
	for range 2 { // both wait to be accepted
		c := z.open(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		z.must(unix.Connect(c, &unix.SockaddrUnix{Name: path}))
	}
	far, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
	z.must(err)
	z.fds = append(z.fds, far)
	_, err = unix.Write(far, []byte("hello"))
	z.must(err)
	z.must(unix.Shutdown(far, unix.SHUT_WR))
	d := z.open(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	z.must(unix.Bind(d, &unix.SockaddrUnix{Name: "@abstract"}))
	s := z.open(unix.AF_UNIX, unix.SOCK_SEQPACKET, 0)
	z.must(unix.Bind(s, &unix.SockaddrUnix{Name: "@seq"}))
	z.must(unix.Listen(s, 1))
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	z.must(err)
	z.fds = append(z.fds, pair[:]...)
	auto := z.open(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	z.must(unix.Bind(auto, &unix.SockaddrUnix{}))
}

func (z *zoo) packets() {
	swap := func(p uint16) uint16 { return p<<8 | p>>8 }
	for _, p := range []uint16{
		0x0060, 0x0200, 0x0201, 0x0800, 0x0805, 0x0806, 0x08ff, 0x0a00, 0x0a01, 0x6000, 0x6001, 0x6002, 0x6003, 0x6004, 0x6005, 0x6006, 0x6007,
		0x8035, 0x809b, 0x80f3, 0x8137, 0x86dd, 0x8863, 0x8864, 0x884c, 0x8884, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
		19, 20, 21, 22, 23, 24, 25, 26, 0x88ca, 0x8892, 0x88a2, 0x88a4, 0x8100, 0x88a8, 0x8847, 0x8848, 0x6558, 0x88cc, 0x88f7, 0x88e7,
		0x1234, 0x88b8, 0x88e5, 0x88fb, 0x8906, 0x8914, 0x890d, 0x892f,
	} {
		fd := z.open(unix.AF_PACKET, unix.SOCK_DGRAM, 0)
		z.must(unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: swap(p), Ifindex: 1}))
	}
	fd := z.open(unix.AF_PACKET, unix.SOCK_RAW, int(swap(unix.ETH_P_ALL)))
	z.must(unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1))
	z.must(unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT, 7|unix.PACKET_FANOUT_CPU<<16))
	filter := []unix.SockFilter{{Code: 0x28, K: 12}, {Code: 6, K: 1 << 16}}
	z.must(unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 2, Filter: &filter[0]}))
}
