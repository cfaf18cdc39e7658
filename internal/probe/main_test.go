package probe_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"warren/internal/kerneltest"
	"warren/netns"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// ip runs ip(8), the witness that the world is made by another hand than ours.
func ip(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	out, err := exec.CommandContext(context.Background(), "ip", strings.Fields(line)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v: %s", line, err, out)
	}
}

// sysctl writes a sysctl inside.
func sysctl(t *testing.T, h *netns.Handle, key, value string) {
	t.Helper()
	err := h.Do(func() error {
		return exec.CommandContext(context.Background(), "sh", "-c", "echo "+value+" > /proc/sys/"+key).Run()
	})
	if err != nil {
		t.Fatalf("sysctl %s=%s: %v", key, value, err)
	}
}

// A world of three in a row:
//
//	a ──── 10.0.1.0/24, fd00:1::/64 ──── r ──── 10.0.2.0/24, fd00:2::/64 ──── b
//	.2, ::2                        .1, ::1 .1, ::1                        .2, ::2
type world struct{ a, r, b *netns.Handle }

func newWorld(t *testing.T) world {
	t.Helper()
	kerneltest.Need(t, "veth", "exec:ip", "ipv6")
	ip(t, "netns add warm") // ip makes /run/netns a mount with the first one, and leaves it
	ip(t, "netns del warm")
	kerneltest.LeakCheck(t)
	handles := map[string]*netns.Handle{}
	for _, n := range []string{"a", "r", "b"} {
		ip(t, "netns add %s", n)
		t.Cleanup(func() { ip(t, "netns del %s", n) })
		h, err := netns.OpenPath("/run/netns/" + n)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { h.Close() })
		handles[n] = h
		sysctl(t, h, "net/ipv6/conf/default/accept_dad", "0")
		ip(t, "-n %s link set lo up", n)
	}
	w := world{a: handles["a"], r: handles["r"], b: handles["b"]}
	for i, n := range []string{"a", "b"} {
		net := i + 1
		// Different indexes: where both ends have the same one the kernel takes the link for one of a single device and tells
		// IPv6 up to a second later that it has a carrier.
		ip(t, "link add eth0 netns %s index 10 type veth peer name to-%s netns r", n, n)
		ip(t, "-n %s addr add 10.0.%d.2/24 dev eth0", n, net)
		ip(t, "-n %s addr add fd00:%d::2/64 dev eth0 nodad", n, net)
		ip(t, "-n r addr add 10.0.%d.1/24 dev to-%s", net, n)
		ip(t, "-n r addr add fd00:%d::1/64 dev to-%s nodad", net, n)
		ip(t, "-n %s link set eth0 up", n)
		ip(t, "-n r link set to-%s up", n)
		ip(t, "-n %s route add default via 10.0.%d.1", n, net)
		ip(t, "-n %s -6 route add default via fd00:%d::1", n, net)
	}
	sysctl(t, w.r, "net/ipv4/icmp_ratelimit", "0")
	sysctl(t, w.r, "net/ipv6/icmp/ratelimit", "0")
	sysctl(t, w.r, "net/ipv4/ip_forward", "1")
	sysctl(t, w.r, "net/ipv6/conf/all/forwarding", "1")
	return w
}

// listen opens a listener inside.
func listen(t *testing.T, h *netns.Handle, addr string) net.Listener {
	t.Helper()
	var l net.Listener
	err := h.Do(func() (err error) {
		l, err = net.Listen("tcp", addr) //nolint:noctx // a literal address
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func listenUDP(t *testing.T, h *netns.Handle, addr string) net.PacketConn {
	t.Helper()
	var c net.PacketConn
	err := h.Do(func() (err error) {
		c, err = net.ListenPacket("udp", addr) //nolint:noctx // a literal address
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func addr(s string) netip.Addr         { return netip.MustParseAddr(s) }
func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
