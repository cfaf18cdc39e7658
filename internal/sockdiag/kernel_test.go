package sockdiag_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/sockdiag"
	"warren/netns"
	"warren/state"
)

// TestSocketsOfNamespaces reads two namespaces from outside, and finds the processes of both in one walk.
func TestSocketsOfNamespaces(t *testing.T) {
	first := filepath.Join(netns.Dir, "first") // makes the directory, which stays
	h, err := netns.Create(t.Context(), first, nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Close()
	if err := netns.Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	kerneltest.LeakCheck(t)
	var handles []*netns.Handle
	for _, name := range []string{"red", "blue"} {
		h, err := netns.Create(t.Context(), filepath.Join(netns.Dir, name), func(in *netns.Inside) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		defer func() {
			if err := netns.Delete(t.Context(), filepath.Join(netns.Dir, name)); err != nil {
				t.Error(err)
			}
		}()
		handles = append(handles, h)
	}
	for i, h := range handles {
		fd, err := h.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, i); err != nil {
			t.Fatal(err)
		}
		if err := unix.BindToDevice(fd, "lo"); err != nil {
			t.Fatal(err)
		}
		if err := unix.Bind(fd, &unix.SockaddrInet6{Port: 100 + i}); err != nil {
			t.Fatal(err)
		}
		if err := unix.Listen(fd, 9); err != nil {
			t.Fatal(err)
		}
	}
	owners, err := sockdiag.FindOwners(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range handles {
		list, err := sockdiag.Sockets(t.Context(), h, sockdiag.Query{Unix: true, Packet: true})
		if err != nil {
			t.Fatal(err)
		}
		owners.Fill(list)
		if len(list) != 1 {
			t.Fatalf("%d sockets, want 1: %+v", len(list), list)
		}
		s := list[0]
		if s.Process == nil || s.Process.PID != os.Getpid() || s.Process.Command == "" {
			t.Errorf("process %+v, want %d", s.Process, os.Getpid())
		}
		want := state.Socket{
			Protocol: "tcp", State: "LISTEN", Local: netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(100+i)), IPv6: true, V6Only: i == 1,
			Link: "lo", WriteQueue: 9, Inode: s.Inode, CgroupID: s.CgroupID, Process: s.Process,
		}
		if s != want {
			t.Errorf("got %+v\nwant %+v", s, want)
		}
	}
}

// TestRawFile: where the kernel has no raw_diag the file is read; what it says of a socket is the same.
func TestRawFile(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 253)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	h, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	list, err := sockdiag.ReadRawFile(h, unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Local.String() != "127.0.0.1:253" || list[0].Status != sockdiag.Close || list[0].Inode == 0 {
		t.Errorf("got %+v", list)
	}
}

// TestRefused: a family that the kernel cannot list is told from one without sockets.
func TestRefused(t *testing.T) {
	h, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	c, err := h.Netlink(unix.NETLINK_SOCK_DIAG)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := sockdiag.ReadInet(t.Context(), c, sockdiag.InetRequest{Family: unix.AF_INET, Protocol: unix.IPPROTO_IGMP, Statuses: sockdiag.All}); err == nil {
		t.Error("IGMP sockets were listed")
	}
}

func FuzzRawFile(f *testing.F) {
	f.Add([]byte("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n" +
		"  253: 0100007F:00FD 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := sockdiag.DecodeRawFile(b, unix.AF_INET)
		for _, s := range list {
			if !s.Local.Addr().Is4() || !s.Remote.Addr().Is4() {
				t.Fatalf("%q: %v: no address: %+v", b, err, s)
			}
		}
	})
}

func BenchmarkSockets(b *testing.B) {
	l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	h, err := netns.Current()
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sockdiag.Sockets(b.Context(), h, sockdiag.Query{}); err != nil {
			b.Fatal(err)
		}
	}
}
