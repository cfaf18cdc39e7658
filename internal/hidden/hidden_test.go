package hidden_test

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/hidden"
	"warren/internal/kerneltest"
	"warren/netns"
)

func TestMain(m *testing.M) { kerneltest.Main(m) }

// TestInFlight hides a namespace: its only descriptor is on its way through a unix socket.
func TestInFlight(t *testing.T) {
	kerneltest.Need(t, "bpf-syscall")
	kerneltest.LeakCheck(t)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var cookie, inode uint64
	err = netns.Scratch(func(*netns.Inside) error {
		h, err := netns.OpenPath("/proc/thread-self/ns/net")
		if err != nil {
			return err
		}
		defer h.Close()
		cookie, inode = h.Cookie(), h.Inode()
		return unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(h.FD()), nil, 0)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := hidden.Entry{Cookie: cookie, Inode: inode}
	list, err := hidden.List()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(list, want) {
		t.Errorf("%+v is not among %d", want, len(list))
	}
	self, err := netns.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	if list[0] != (hidden.Entry{Cookie: self.Cookie(), Inode: self.Inode()}) {
		t.Errorf("the first is %+v, not our own", list[0])
	}
	h, err := netns.OpenID(cookie, inode)
	if err != nil {
		t.Fatal(err)
	}
	if h.Cookie() != cookie {
		t.Errorf("opened %d, want %d", h.Cookie(), cookie)
	}
	h.Close()
	if _, err := netns.OpenID(cookie+1<<40, inode); err == nil {
		t.Error("an id that nothing has was opened")
	}
	unix.Close(pair[0])
	unix.Close(pair[1])
}

// TestMany needs several calls of the program.
func TestMany(t *testing.T) {
	kerneltest.Need(t, "bpf-syscall")
	kerneltest.LeakCheck(t)
	const n = 300
	var handles []*netns.Handle
	for range n {
		err := netns.Scratch(func(*netns.Inside) error {
			h, err := netns.OpenPath("/proc/thread-self/ns/net")
			handles = append(handles, h)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	list, err := hidden.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range handles {
		if !slices.Contains(list, hidden.Entry{Cookie: h.Cookie(), Inode: h.Inode()}) {
			t.Errorf("%d is missing", h.Cookie())
		}
		h.Close()
	}
}

func BenchmarkList(b *testing.B) {
	kerneltest.Need(b, "bpf-syscall")
	for b.Loop() {
		if _, err := hidden.List(); err != nil {
			b.Fatal(err)
		}
	}
}
