package nl_test

import (
	"encoding/binary"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/nl"
)

// TestDumpWithLongParts: parts of a dump that are longer than the kernel usually makes them are not lost. Another socket
// plays the kernel.
func TestDumpWithLongParts(t *testing.T) {
	for _, size := range []int{100, 7_000, 9_000, 60_000} {
		fd, server := userSocket(t), userSocket(t)
		if err := unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port(t, server)}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(server) })
		to := &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port(t, fd)}
		conn, err := nl.New(fd)
		if err != nil {
			t.Fatal(err)
		}
		asked := make(chan int, 1)
		go func() {
			n := 0
			defer func() { asked <- n }()
			buf := make([]byte, 1024)
			for {
				if _, _, err := unix.Recvfrom(server, buf, 0); err != nil || binary.NativeEndian.Uint32(buf[8:]) == 0 {
					return
				}
				n++
				for _, m := range []netlink.Message{
					{Header: netlink.Header{Type: 16, Flags: netlink.Multi}, Data: make([]byte, size)},
					{Header: netlink.Header{Type: 16, Flags: netlink.Multi}, Data: make([]byte, 20)},
					{Header: netlink.Header{Type: netlink.Done, Flags: netlink.Multi}, Data: make([]byte, 4)},
				} {
					m.Header.Sequence = binary.NativeEndian.Uint32(buf[8:])
					m.Header.Length = uint32(16 + len(m.Data))
					b, err := m.MarshalBinary()
					if err == nil {
						err = unix.Sendto(server, b, 0, to)
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			}
		}()
		for range 2 {
			msgs, err := conn.Dump(t.Context(), nl.Request{Type: 18, Data: make([]byte, 16)})
			if err != nil || len(msgs) != 2 || len(msgs[0].Data) != size {
				t.Fatalf("part of %d bytes: %d messages, %v", size, len(msgs), err)
			}
		}
		if err := unix.Sendto(fd, make([]byte, 16), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: port(t, server)}); err != nil {
			t.Fatal(err)
		}
		want := 2
		if size > 8<<10 {
			want = 3 // it was cut off once
		}
		if n := <-asked; n != want {
			t.Errorf("parts of %d bytes: asked %d times, want %d", size, n, want)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

func userSocket(t *testing.T) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_USERSOCK)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	}
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func port(t *testing.T, fd int) uint32 {
	t.Helper()
	a, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return a.(*unix.SockaddrNetlink).Pid
}
