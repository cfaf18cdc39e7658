package netns_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/netns"
)

// here is the namespace of the calling thread.
func here(t testing.TB) uint64 {
	t.Helper()
	return inode(t, "/proc/thread-self/ns/net")
}

// strays starts many goroutines and counts those that run in another namespace of that kind than the main thread.
func strays(t testing.TB, kind string) int {
	t.Helper()
	home := inode(t, "/proc/self/ns/"+kind)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		n    int
		gate = make(chan struct{})
	)
	for range 500 {
		wg.Go(func() {
			<-gate
			var st unix.Stat_t
			err := unix.Stat("/proc/thread-self/ns/"+kind, &st) // blocks the thread, so that others are used too
			mu.Lock()
			defer mu.Unlock()
			if err != nil || st.Ino != home {
				n++
			}
		})
	}
	close(gate)
	wg.Wait()
	return n
}

// Rule: setns is per thread; a visit is never on the caller's goroutine.
func TestVisitIsNotOnTheCallersThread(t *testing.T) {
	prepare(t)
	h := create(t, "visit", nil)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, tid := here(t), unix.Gettid()
	err := h.Do(func() error {
		if unix.Gettid() == tid {
			t.Error("on the caller's thread")
		}
		if got := here(t); got != h.Inode() {
			t.Errorf("in %d, want %d", got, h.Inode())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if got := here(t); got != home {
		t.Errorf("the caller is in %d now, was in %d", got, home)
	}
}

// Rule: threads come home.
func TestVisitsLeaveNoThreadBehind(t *testing.T) {
	prepare(t)
	h := create(t, "home", nil)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 100 {
				if err := h.Do(func() error { return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := strays(t, "net"); n != 0 {
		t.Errorf("%d of 500 goroutines run in the wrong namespace", n)
	}
}

// Rule: a thread that cannot come home is never used again.
func TestLostThreadIsNotReused(t *testing.T) {
	prepare(t)
	h := create(t, "lost", nil)
	for range 50 {
		err := h.Do(dropAdmin)
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := strays(t, "net"); n != 0 {
		t.Errorf("%d of 500 goroutines run in the wrong namespace", n)
	}
}

// dropAdmin takes the right to setns from the calling thread alone, so that it cannot go home.
func dropAdmin() error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return err
	}
	data[0].Effective &^= 1 << unix.CAP_SYS_ADMIN
	data[0].Permitted &^= 1 << unix.CAP_SYS_ADMIN
	// unix.Capset is this very call: on Linux it is the thread's.
	if _, _, errno := unix.RawSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(&data[0])), 0); errno != 0 {
		return errno
	}
	return nil
}

// Rule: goroutines started inside run outside, and the thread that is lost is no template for new ones.
func TestGoroutineStartedInsideRunsOutside(t *testing.T) {
	prepare(t)
	h := create(t, "spawn", nil)
	home := here(t)
	err := h.Do(func() error {
		got := make(chan uint64)
		for range 100 {
			go func() { got <- here(t) }()
			if ino := <-got; ino != home {
				t.Errorf("goroutine in %d, want %d", ino, home)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// Rule: sockets stay where they were made, and serve everybody.
func TestSocketsCross(t *testing.T) {
	kerneltest.Need(t, "exec:ip")
	prepare(t)
	h := create(t, "sockets", nil)
	run(t, "ip", "-n", "sockets", "link", "set", "lo", "up")
	fd, err := h.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x (%v), want close-on-exec", flags, err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", sa.(*unix.SockaddrInet4).Port)
	var dialer net.Dialer
	if c, err := dialer.DialContext(t.Context(), "tcp", addr); err == nil {
		c.Close()
		t.Errorf("%s is reached from outside", addr)
	}
	// Rule: Dial of a literal address is right inside a visit.
	err = h.Do(func() error {
		c, err := dialer.DialContext(t.Context(), "tcp", addr)
		if err != nil {
			return err
		}
		return c.Close()
	})
	if err != nil {
		t.Errorf("dial inside: %v", err)
	}
}

// Rule: /proc/sys/net is the calling thread's, and nothing but "thread-self" may be said of it.
func TestSysctlIsTheNamespaces(t *testing.T) {
	prepare(t)
	h := create(t, "sysctl", nil)
	if err := h.SetSysctl("net/ipv4/ip_forward", "1"); err != nil {
		t.Fatal(err)
	}
	if v, err := h.Sysctl("net/ipv4/ip_forward"); err != nil || v != "1" {
		t.Errorf("inside: %q (%v), want 1", v, err)
	}
	if b, err := os.ReadFile("/proc/sys/net/ipv4/ip_forward"); err != nil || string(b) != "0\n" {
		t.Errorf("outside: %q (%v), want 0", b, err)
	}
	for _, key := range []string{"", "/", "../../etc/passwd", "net/../../x", "net//x", "net/."} {
		if err := h.SetSysctl(key, "1"); !errors.Is(err, netns.ErrBadName) {
			t.Errorf("key %q: %v, want ErrBadName", key, err)
		}
		if _, err := h.Sysctl(key); !errors.Is(err, netns.ErrBadName) {
			t.Errorf("key %q: %v, want ErrBadName", key, err)
		}
	}
}

func TestSourceSaysThreadSelf(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(f, "_test.go") && f != "doc.go" && bytes.Contains(b, []byte(`"/proc/self`)) {
			t.Errorf("%s reads /proc/self, which is the main thread", f)
		}
	}
}

// Rule: a command started during a visit is inside. (Never with Pdeathsig: that would be the thread's.)
func TestCommandStartedInsideIsInside(t *testing.T) {
	prepare(t)
	h := create(t, "command", nil)
	err := h.Do(func() error {
		out, err := exec.CommandContext(t.Context(), "readlink", "/proc/self/ns/net").Output()
		if got, want := string(out), fmt.Sprintf("net:[%d]\n", h.Inode()); got != want {
			t.Errorf("command in %q, want %q", got, want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// Rule: a new mount namespace is no way back: the thread dies, and nobody else sees it.
func TestFailedExecLeavesNothing(t *testing.T) {
	prepare(t)
	h := create(t, "noexec", nil)
	home, cwd := here(t), must(os.Getwd())
	for range 20 {
		err := netns.Exec(h, []string{"no-such-program"}, netns.ExecOptions{Dir: "/", Hosts: "/etc/hosts"})
		if e, ok := errors.AsType[*netns.ExecError](err); !ok || e.ExitCode() != 127 {
			t.Fatalf("error %v, want one with exit code 127", err)
		}
	}
	if got := here(t); got != home {
		t.Errorf("in %d, was in %d", got, home)
	}
	for _, kind := range []string{"net", "mnt"} {
		if n := strays(t, kind); n != 0 {
			t.Errorf("%d of 500 goroutines run in the wrong %s namespace", n, kind)
		}
	}
	if got := must(os.Getwd()); got != cwd {
		t.Errorf("working directory is %s now, was %s", got, cwd)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Rule: a Go program cannot join a user namespace. (Were it otherwise, rootless worlds would need no other program.)
func TestUserNamespaceCannotBeJoined(t *testing.T) {
	fd, err := unix.Open("/proc/thread-self/ns/user", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Setns(fd, unix.CLONE_NEWUSER); !errors.Is(err, unix.EINVAL) {
		t.Errorf("setns: %v, want EINVAL", err)
	}
}

func TestPanicAndGoexitReachTheCaller(t *testing.T) {
	prepare(t)
	h := create(t, "panic", nil)
	func() {
		defer func() {
			if p := fmt.Sprint(recover()); !strings.Contains(p, "boom") || !strings.Contains(p, "thread_test.go") {
				t.Errorf("recovered %q, want boom and its stack", p)
			}
		}()
		_ = h.Do(func() error { panic("boom") })
	}()
	done := make(chan bool)
	go func() {
		defer close(done)
		_ = h.Do(func() error { runtime.Goexit(); return nil })
		done <- true
	}()
	if <-done {
		t.Error("the caller went on after Goexit")
	}
	if n := strays(t, "net"); n != 0 {
		t.Errorf("%d of 500 goroutines run in the wrong namespace", n)
	}
}

func TestEachGoesThroughAll(t *testing.T) {
	prepare(t)
	handles := []*netns.Handle{create(t, "e1", nil), create(t, "e2", nil), create(t, "e3", nil)}
	var seen []uint64
	err := netns.Each(handles, func(i int, h *netns.Handle) error {
		if h != handles[i] {
			t.Errorf("handle %d is another one", i)
		}
		seen = append(seen, here(t))
		if i == 1 {
			return errors.New("enough")
		}
		return nil
	})
	if err == nil || err.Error() != "enough" {
		t.Errorf("error %v", err)
	}
	if len(seen) != 2 || seen[0] != handles[0].Inode() || seen[1] != handles[1].Inode() {
		t.Errorf("was in %d", seen)
	}
}

func TestClosedHandle(t *testing.T) {
	prepare(t)
	h := must(netns.Current())
	if err := errors.Join(h.Close(), h.Close()); err != nil {
		t.Error(err)
	}
	if err := h.Do(func() error { return nil }); !errors.Is(err, netns.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
	if h.FD() != -1 {
		t.Errorf("descriptor %d", h.FD())
	}
}

func TestScratchHasNoName(t *testing.T) {
	prepare(t)
	home := here(t)
	err := netns.Scratch(func(in *netns.Inside) error {
		if here(t) == home {
			t.Error("not in a new namespace")
		}
		return in.SetSysctl("net/ipv4/ip_forward", "1")
	})
	if err != nil {
		t.Error(err)
	}
	if n := names(t); n != nil {
		t.Errorf("names: %q", n)
	}
}
