package reachtest_test

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren"
	"warren/internal/kerneltest"
)

// A socket that is connected takes nothing from others, and the answer says so.
func TestConnectedSocket(t *testing.T) {
	kerneltest.Need(t, "veth", "exec:ip", "root")
	w, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	build(t, "P2")
	settleAll(t, w)
	fd, err := open(t, "b").Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := cmp.Or(unix.Bind(fd, sockaddr(netip.MustParseAddrPort("10.0.0.2:53"))), unix.Connect(fd, sockaddr(netip.MustParseAddrPort("10.0.0.9:9")))); err != nil {
		t.Fatal(err)
	}
	q := question{src: "a", dst: "10.0.0.2:53/udp", want: "request b no-listener"}
	if v := ask(t, w, q); v.Reason == nil || !slices.ContainsFunc(v.Reason.Facts, func(f string) bool { return strings.HasPrefix(f, "udp 10.0.0.2:53 connected to 10.0.0.9:9") }) {
		t.Errorf("no fact tells of the socket: %+v", v.Reason)
	}
	if ok, detail := try(t, q, 500*time.Millisecond); ok {
		t.Error(detail)
	}
	serve(t, "b udp 0.0.0.0:54")
	ask(t, w, question{src: "a", dst: "10.0.0.2:54/udp", want: "yes"})
}
