package nl_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/internal/nl"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

func routeSocket(t testing.TB) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

func dial(t testing.TB) *nl.Conn {
	t.Helper()
	c, err := nl.New(routeSocket(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// linkRequest is a request about a link by name, with more attributes.
func linkRequest(typ int, name string, more ...[]byte) nl.Request {
	b := make([]byte, 16)
	b = append(b, attr(unix.IFLA_IFNAME, append([]byte(name), 0))...)
	for _, m := range more {
		b = append(b, m...)
	}
	r := nl.Request{Type: netlink.HeaderType(typ), Data: b}
	if typ == unix.RTM_NEWLINK {
		r.Flags = netlink.Create | netlink.Excl
	}
	return r
}

// group is that of all links here, so that one request deletes them: one after the other takes the kernel 20 ms for each.
var group = attr(unix.IFLA_GROUP, []byte{0, 0, 5, 0})

func deleteGroup() nl.Request {
	return nl.Request{Type: unix.RTM_DELLINK, Data: append(make([]byte, 16), group...)}
}

func newBridge(name string) nl.Request {
	return linkRequest(unix.RTM_NEWLINK, name, group, attr(unix.IFLA_LINKINFO, attr(unix.IFLA_INFO_KIND, []byte("bridge\x00"))))
}

func TestKernelBatch(t *testing.T) {
	kerneltest.LeakCheck(t)
	c := dial(t)
	const n = 100
	var reqs []nl.Request
	for i := range n {
		reqs = append(reqs, newBridge(fmt.Sprintf("b%d", i)))
	}
	reqs = append(reqs, newBridge("b7"))
	reqs = append(reqs, linkRequest(unix.RTM_NEWLINK, "x", attr(unix.IFLA_LINKINFO, attr(unix.IFLA_INFO_KIND, []byte("nonsense\x00")))))
	reqs = append(reqs, deleteGroup())
	errs := c.Batch(reqs)
	for i, err := range errs {
		switch i {
		case n:
			if !errors.Is(err, unix.EEXIST) {
				t.Errorf("second b7: got %v, want EEXIST", err)
			}
		case n + 1:
			e, ok := errors.AsType[*nl.Error](err)
			if !ok || e.Errno != unix.EOPNOTSUPP || e.Text == "" {
				t.Errorf("nonsense: got %#v, want EOPNOTSUPP with the kernel's words", err)
			}
		default:
			if err != nil {
				t.Errorf("request %d: %v", i, err)
			}
		}
	}
}

func TestKernelExchange(t *testing.T) {
	kerneltest.LeakCheck(t)
	c := dial(t)
	var reqs []nl.Request
	for range 200 { // more than the usual receive buffer holds
		reqs = append(reqs, linkRequest(unix.RTM_GETLINK, "lo"))
	}
	reqs = append(reqs, linkRequest(unix.RTM_GETLINK, "nobody"))
	for i, r := range c.Exchange(reqs) {
		if i == 200 {
			if !errors.Is(r.Err, unix.ENODEV) {
				t.Errorf("unknown link: got %v, want ENODEV", r.Err)
			}
			continue
		}
		if r.Err != nil || len(r.Messages) != 1 || binary.NativeEndian.Uint32(r.Messages[0].Data[4:]) != 1 {
			t.Fatalf("lo: got %d messages, error %v", len(r.Messages), r.Err)
		}
	}
}

// TestKernelDumpWhileItChanges dumps links while others come and go: either the dump is consistent, and then holds every
// link that was there all the time exactly once, or it says that it is not.
func TestKernelDumpWhileItChanges(t *testing.T) {
	kerneltest.LeakCheck(t)
	c, other := dial(t), dial(t)
	const n = 150
	var add []nl.Request
	for i := range n {
		add = append(add, newBridge(fmt.Sprintf("b%d", i)))
	}
	for i, err := range c.Batch(add) {
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			for _, err := range other.Batch([]nl.Request{newBridge("z"), linkRequest(unix.RTM_DELLINK, "z")}) {
				if err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	for range 20 {
		msgs, err := c.Dump(t.Context(), nl.Request{Type: unix.RTM_GETLINK, Data: make([]byte, 16)})
		if err != nil && !errors.Is(err, nl.ErrInconsistent) {
			t.Fatal(err)
		}
		seen := map[uint32]int{}
		for _, m := range msgs {
			seen[binary.NativeEndian.Uint32(m.Data[4:])]++
		}
		if err == nil && len(seen) < n+1 {
			t.Errorf("a dump that calls itself consistent has %d links, want at least %d", len(seen), n+1)
		}
	}
	cancel()
	wg.Wait()
	if err := c.Batch([]nl.Request{deleteGroup()})[0]; err != nil {
		t.Fatal(err)
	}
}

func TestKernelStrict(t *testing.T) {
	c := dial(t)
	// A filter that the kernel does not have for links: without strict checking it would be passed over in silence.
	req := nl.Request{Type: unix.RTM_GETLINK, Data: append(make([]byte, 16), attr(unix.IFLA_MTU, []byte{0, 0, 0, 1})...)}
	if _, err := c.Dump(t.Context(), req); !errors.Is(err, unix.EINVAL) {
		t.Errorf("got %v, want EINVAL", err)
	}
	if _, err := c.Dump(t.Context(), nl.Request{Type: unix.RTM_GETLINK, Data: make([]byte, 16)}); err != nil {
		t.Errorf("the next dump: %v", err)
	}
}

func TestKernelNotASocket(t *testing.T) {
	kerneltest.LeakCheck(t)
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nl.New(fd); !errors.Is(err, unix.ENOTSOCK) {
		t.Errorf("got %v, want ENOTSOCK", err)
	}
}

func TestKernelSubscription(t *testing.T) {
	kerneltest.LeakCheck(t)
	c := dial(t)
	s, err := nl.Subscribe(routeSocket(t), nl.SubscribeOptions{Groups: []uint32{unix.RTNLGRP_LINK}, Buffer: 8 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Receive(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("nothing happened: got %v, want the context's end", err)
	}
	pair := []nl.Request{newBridge("b"), linkRequest(unix.RTM_DELLINK, "b")}
	for _, err := range c.Batch(pair) {
		if err != nil {
			t.Fatal(err)
		}
	}
	ev, err := s.Receive(t.Context())
	if err != nil || len(ev.Messages) == 0 || ev.Messages[0].Header.Type != unix.RTM_NEWLINK || ev.NSID != -1 {
		t.Fatalf("got %+v, %v; want a new link of this namespace", ev, err)
	}

	for range 20 {
		c.Batch(pair)
	}
	resync := false
	for !resync {
		_, err := s.Receive(t.Context())
		switch {
		case errors.Is(err, nl.ErrResync):
			resync = true
		case err != nil:
			t.Fatal(err)
		}
	}

	got := make(chan error)
	go func() {
		for {
			if _, err := s.Receive(t.Context()); err != nil && !errors.Is(err, nl.ErrResync) {
				got <- err
				return
			}
		}
	}()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-got; !errors.Is(err, nl.ErrClosed) {
		t.Errorf("after Close: got %v, want %v", err, nl.ErrClosed)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func BenchmarkKernelBatch(b *testing.B) {
	c := dial(b)
	reqs := make([]nl.Request, 64)
	for i := range reqs {
		// Setting up what is up: next to nothing for the kernel to do.
		reqs[i] = nl.Request{Type: unix.RTM_NEWLINK, Data: []byte{0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}}
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range c.Batch(reqs) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkKernelDump(b *testing.B) {
	c := dial(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Dump(b.Context(), nl.Request{Type: unix.RTM_GETLINK, Data: make([]byte, 16)}); err != nil {
			b.Fatal(err)
		}
	}
}
