package reachtest_test

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren"
	"warren/internal/kerneltest"
	"warren/reach"
)

// A UDP client that keeps its port meets the connection that began under other rules (github.com/moby/moby/issues/8795 and
// many like it); a new one does not.
func TestStaleConntrack(t *testing.T) {
	kerneltest.Need(t, "veth", "nftables", "exec:ip", "exec:nft", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	nat := func(to string) string {
		return "inside r nft 'add table ip n; add chain ip n pre { type nat hook prerouting priority -100; }; flush chain ip n pre; add rule ip n pre ip daddr 10.0.1.1 udp dport 53 dnat to " + to + "'"
	}
	build(t, "R3; "+nat("10.0.2.9"))
	settleAll(t, w)
	serve(t, "b udp 0.0.0.0:53")
	fd, err := open(t, "a").Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	client := os.NewFile(uintptr(fd), "client")
	defer client.Close()
	if err := unix.Bind(fd, sockaddr(netip.MustParseAddrPort("0.0.0.0:5353"))); err != nil {
		t.Fatal(err)
	}
	if err := unix.Sendto(fd, []byte("x"), 0, sockaddr(netip.MustParseAddrPort("10.0.1.1:53"))); err != nil {
		t.Fatal(err)
	}
	script(t, nat("10.0.2.2"))
	ask(t, w, question{src: "a", dst: "10.0.1.1:53/udp", want: "request r stale-conntrack"})
	if ok, detail := try(t, question{src: "a", dst: "10.0.1.1:53/udp"}, 5*time.Second); !ok {
		t.Errorf("a new client: %s", detail)
	}
	_ = client.Close()
	ask(t, w, question{src: "a", dst: "10.0.1.1:53/udp", want: "yes", also: "stale-conntrack"})
}

// A program that takes no connections: when its queue is full, whether the next one is taken in depends on when it takes some out.
func TestFullAcceptQueue(t *testing.T) {
	kerneltest.Need(t, "veth", "exec:ip", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	build(t, "P2")
	settleAll(t, w)
	hold := func(ns string) int {
		fd, err := open(t, ns).Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
	target := sockaddr(netip.MustParseAddrPort("10.0.0.2:80"))
	server := hold("b")
	if err := cmp.Or(unix.Bind(server, target), unix.Listen(server, 0)); err != nil {
		t.Fatal(err)
	}
	ask(t, w, question{src: "a", dst: "10.0.0.2:80", want: "yes"})
	if err := unix.Connect(hold("a"), target); err != nil {
		t.Fatal(err)
	}
	kerneltest.Eventually(t, 30*time.Second, func() error {
		v, err := w.Why(t.Context(), warren.WhyQuery{Source: "a", Destination: "10.0.0.2:80"})
		if err == nil && (v.Reachable != reach.Unknown || v.Unknowns[0].Object != "socket 10.0.0.2:80") {
			err = fmt.Errorf("%s: %+v", v.Reachable, v.Unknowns)
		}
		return err
	})
}

// Source NAT to two ports: the kernel gives a third connection to the same place none, and drops its packet when conntrack
// does not take it in (nf_nat_l4proto_unique_tuple, __nf_conntrack_confirm).
func TestNATPortsTaken(t *testing.T) {
	kerneltest.Need(t, "veth", "nftables", "exec:ip", "exec:nft", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	build(t, "R3; ip -n b route del default; inside r nft 'add table ip n; add chain ip n post { type nat hook postrouting priority 100; }; add rule ip n post oifname r2 meta l4proto tcp snat to 10.0.2.1:2000-2001'")
	settleAll(t, w)
	serve(t, "b tcp 0.0.0.0:80")
	serve(t, "b tcp 0.0.0.0:81")
	target := netip.MustParseAddrPort("10.0.2.2:80")
	for range 2 {
		ask(t, w, question{src: "a", dst: target.String(), want: "yes"})
		fd, err := open(t, "a").Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		client := os.NewFile(uintptr(fd), "client")
		defer client.Close()
		if err := unix.Connect(fd, sockaddr(target)); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, w, question{src: "a", dst: target.String(), want: "request r nat-ports-taken"})
	if ok, detail := try(t, question{src: "a", dst: target.String()}, time.Second); ok {
		t.Errorf("a third connection: %s", detail)
	}
	ask(t, w, question{src: "a", dst: "10.0.2.2:81", want: "yes"})
	if ok, detail := try(t, question{src: "a", dst: "10.0.2.2:81"}, 5*time.Second); !ok {
		t.Errorf("another destination: %s", detail)
	}
}
