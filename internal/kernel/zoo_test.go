package kernel_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"warren/internal/kernel"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/state"
)

// A zoo is a world of namespaces that are held in every way.
type zoo struct {
	t *testing.T
	k *kernel.Kernel
	s state.Snapshot
}

func newZoo(t *testing.T) *zoo {
	kerneltest.Need(t, "exec:ip", "exec:unshare", "veth", "root")
	leakCheck(t)
	k := kernel.New(kernel.Config{Hidden: true})
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return &zoo{t: t, k: k}
}

// everywhere reads all. The list of the kernel's own holds the namespaces of the machine outside, too: whatever test is about
// something looks for just that.
func (z *zoo) everywhere(parts state.Parts) {
	z.t.Helper()
	s, err := z.k.Observe(z.t.Context(), state.Query{Everywhere: true, Parts: parts})
	if err != nil {
		z.t.Fatal(err)
	}
	z.s = s
}

func (z *zoo) cookie(cookie uint64) *state.Namespace {
	z.t.Helper()
	for i := range z.s.Namespaces {
		if z.s.Namespaces[i].Cookie == cookie {
			return &z.s.Namespaces[i]
		}
	}
	z.t.Fatalf("no namespace %d among %d", cookie, len(z.s.Namespaces))
	return nil
}

func (z *zoo) named(name string) *state.Namespace {
	z.t.Helper()
	n := z.s.Namespace(name)
	if n == nil {
		z.t.Fatalf("no namespace %q", name)
	}
	return n
}

// holders are the kinds of what holds a namespace, without the copies of mounts that a process has.
func holders(n *state.Namespace, but int) (list []string) {
	for _, h := range n.Holders {
		if h.Kind != "mount" || h.PID != but {
			list = append(list, h.Kind)
		}
	}
	return list
}

// fresh makes a namespace without a name and gives f a handle, which is closed then: what f keeps is what holds it.
func fresh(t *testing.T, f func(h *netns.Handle)) (cookie uint64) {
	t.Helper()
	var h *netns.Handle
	err := netns.Scratch(func(*netns.Inside) (err error) {
		h, err = netns.OpenPath("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	f(h)
	return h.Cookie()
}

// sleeper starts a program that says when it is there, and lives until the test ends.
func sleeper(t *testing.T, name string, arg ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, arg...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("%s %v said %q: %v", name, arg, line, err)
	}
	return cmd
}

const sayAndSleep = "echo there; exec sleep 1000"

func TestZooHolders(t *testing.T) {
	z := newZoo(t)
	kerneltest.Need(t, "tun", "bpf-syscall", "exec:lsns")
	// Named, with two names, and with a name that cannot be a key.
	run(t, "ip", "netns", "add", "plain")
	run(t, "ip", "netns", "add", "two")
	run(t, "touch", netns.Dir+"/second", netns.Dir+"/a b")
	run(t, "mount", "--bind", netns.Dir+"/two", netns.Dir+"/second")
	run(t, "ip", "netns", "add", "spaced")
	run(t, "umount", netns.Dir+"/spaced")
	unshared := fresh(t, func(h *netns.Handle) {
		run(t, "mount", "--bind", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.FD()), netns.Dir+"/a b")
	})
	// Garbage in the directory of names.
	run(t, "touch", netns.Dir+"/file")
	run(t, "mkdir", netns.Dir+"/dir")
	run(t, "ln", "-s", "/nowhere", netns.Dir+"/dangling")
	run(t, "mkfifo", netns.Dir+"/pipe")
	// A mount elsewhere, with blanks and more in its path.
	odd := t.TempDir() + "/odd\tname \\040 here"
	if err := os.WriteFile(odd, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mounted := fresh(t, func(h *netns.Handle) {
		run(t, "mount", "--bind", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.FD()), odd)
	})
	t.Cleanup(func() {
		run(t, "umount", odd)
		run(t, "umount", netns.Dir+"/second")
		run(t, "umount", netns.Dir+"/a b")
		run(t, "ip", "netns", "del", "plain")
		run(t, "ip", "netns", "del", "two")
		run(t, "rm", "-rf", netns.Dir+"/second", netns.Dir+"/a b", netns.Dir+"/spaced", netns.Dir+"/file", netns.Dir+"/dir", netns.Dir+"/dangling", netns.Dir+"/pipe")
	})
	// Processes: unshared, in a user namespace, in a PID namespace, and one that only sees a mount.
	alone := sleeper(t, "unshare", "-n", "sh", "-c", sayAndSleep)
	inUser := sleeper(t, "unshare", "-Urn", "sh", "-c", sayAndSleep)
	inPID := sleeper(t, "unshare", "-npf", "--kill-child", "sh", "-c", sayAndSleep)
	far := sleeper(t, "unshare", "-m", "--propagation", "private", "unshare", "-n", "sh", "-c",
		`mkdir -p /run/far; mount -t tmpfs t /run/far; touch "/run/far/x y"; mount --bind /proc/thread-self/ns/net "/run/far/x y"; exec nsenter -t `+strconv.Itoa(os.Getpid())+` -n sh -c "`+sayAndSleep+`"`)
	t.Cleanup(func() { run(t, "rm", "-rf", "/run/far") })
	// Files, sockets, tun devices, and one that is on its way.
	var file *os.File
	opened := fresh(t, func(h *netns.Handle) {
		fd, err := unix.Dup(h.FD())
		if err != nil {
			t.Fatal(err)
		}
		unix.CloseOnExec(fd)
		file = os.NewFile(uintptr(fd), "netns")
	})
	defer file.Close()
	var sock, tun int
	socketed := fresh(t, func(h *netns.Handle) {
		var err error
		if sock, err = h.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0); err != nil {
			t.Fatal(err)
		}
	})
	defer unix.Close(sock)
	tunned := fresh(t, func(h *netns.Handle) {
		if err := h.Do(func() (err error) { tun, err = openTun(); return err }); err != nil {
			t.Fatal(err)
		}
	})
	defer unix.Close(tun)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	hiding := fresh(t, func(h *netns.Handle) {
		if err := unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(h.FD()), nil, 0); err != nil {
			t.Fatal(err)
		}
	})
	// A thread, and a process that has ended but was not waited for.
	stop, threaded := make(chan struct{}), make(chan uint64)
	done := make(chan error, 1)
	go func() {
		done <- netns.Scratch(func(*netns.Inside) error {
			h, err := netns.OpenPath("/proc/thread-self/ns/net")
			if err != nil {
				close(threaded)
				return err
			}
			c := h.Cookie()
			h.Close()
			threaded <- c
			<-stop
			return nil
		})
	}()
	thread := <-threaded
	defer func() {
		close(stop)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	zombie := exec.CommandContext(t.Context(), "unshare", "-n", "true")
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = zombie.Wait() }()
	kerneltest.Eventually(t, 30*time.Second, func() error {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", zombie.Process.Pid))
		if err != nil || !strings.Contains(string(b), ") Z ") {
			return fmt.Errorf("not a zombie: %s %w", b, err)
		}
		return nil
	})

	z.everywhere(state.PartProcesses | state.PartHolders | state.PartOwner | state.PartLinks)
	for _, c := range []struct {
		name string
		ns   *state.Namespace
		want string // of holders
		own  string
	}{
		{"named", z.named("plain"), "mount", "ip-netns"},
		{"two-names", z.named("second"), "mount mount", "ip-netns"},
		{"name-with-blank", z.cookie(unshared), "mount", "ip-netns"},
		{"odd-path", z.cookie(mounted), "mount", "process"},
		{"file", z.cookie(opened), "file", "process"},
		{"socket", z.cookie(socketed), "socket", "process"},
		{"tun", z.cookie(tunned), "tun", "process"},
		{"in-flight", z.cookie(hiding), "kernel", "hidden"},
		{"thread", z.cookie(thread), "thread", "process"},
		{"process", z.of(alone.Process.Pid), "process", "process"},
		{"process-in-userns", z.of(inUser.Process.Pid), "process", "process"},
		{"process-in-pidns", z.of(inPID.Process.Pid), "process process", "process"},
	} {
		if got := strings.Join(holders(c.ns, far.Process.Pid), " "); got != c.want {
			t.Errorf("%s: held by %q, want %q: %+v", c.name, got, c.want, c.ns.Holders)
		}
		if c.ns.Owner == nil || c.ns.Owner.Kind != c.own {
			t.Errorf("%s: owner %+v, want %s", c.name, c.ns.Owner, c.own)
		}
		if !c.ns.Read.Has(state.PartLinks) || len(c.ns.Links) == 0 || c.ns.Links[0].Name != "lo" {
			t.Errorf("%s: links %+v were read as %b", c.name, c.ns.Links, c.ns.Read)
		}
	}
	if n := z.named("second"); !slices.Equal(n.Names, []string{"second", "two"}) {
		t.Errorf("names %q", n.Names)
	}
	if n := z.cookie(unshared); !slices.Equal(n.Names, []string{"a b"}) || n.Name != fmt.Sprintf("cookie:%d", unshared) {
		t.Errorf("a name with a blank: key %q, names %q", n.Name, n.Names)
	}
	if n := z.cookie(mounted); !slices.Equal(n.Paths, []string{odd}) {
		t.Errorf("paths %q, want %q", n.Paths, odd)
	}
	if n := z.of(inPID.Process.Pid); len(n.Processes) != 2 || n.Processes[1].InnerPID != 1 {
		t.Errorf("in a PID namespace: %+v", n.Processes)
	}
	if n := z.of(alone.Process.Pid); n.Processes[0].Command != "sleep 1000" || n.Processes[0].User != "root" || n.Processes[0].Started.IsZero() || n.Created.IsZero() {
		t.Errorf("process %+v, made %v", n.Processes[0], n.Created)
	}
	if host, user := z.named(state.HostNS), z.of(inUser.Process.Pid); host.UserNS == 0 || user.UserNS == host.UserNS {
		t.Errorf("user namespaces %d and %d", host.UserNS, user.UserNS)
	}
	// A private copy of a mount holds like the mount itself; the copy's process has one of its own, too.
	if n := z.named("plain"); len(n.Holders) != 2 || n.Holders[1].PID != far.Process.Pid {
		t.Errorf("the copy of a mount: %+v", n.Holders)
	}
	if n := z.held(far.Process.Pid, "/run/far/x y"); n == nil || len(n.Holders) != 1 || len(n.Paths) != 0 || n.Owner.Kind != "process" {
		t.Errorf("mounted in another mount namespace: %+v", n)
	}
	for _, u := range z.s.Unread {
		if strings.Contains(u.Object, strconv.Itoa(zombie.Process.Pid)) {
			t.Errorf("a zombie is told: %+v", u)
		}
	}
	for _, name := range []string{"file", "dir", "dangling", "pipe", "spaced"} {
		if z.s.Namespace(name) != nil {
			t.Errorf("%s is a namespace", name)
		}
	}
	z.asLsns()
}

// of is the namespace that a process is in, by another program's word.
func (z *zoo) of(pid int) *state.Namespace {
	z.t.Helper()
	link := strings.TrimSpace(string(run(z.t, "readlink", fmt.Sprintf("/proc/%d/ns/net", pid))))
	for i := range z.s.Namespaces {
		if fmt.Sprintf("net:[%d]", z.s.Namespaces[i].Inode) == link {
			return &z.s.Namespaces[i]
		}
	}
	z.t.Fatalf("no namespace %s of process %d", link, pid)
	return nil
}

func (z *zoo) held(pid int, path string) *state.Namespace {
	for i := range z.s.Namespaces {
		for _, h := range z.s.Namespaces[i].Holders {
			if h.PID == pid && h.Path == path {
				return &z.s.Namespaces[i]
			}
		}
	}
	return nil
}

// asLsns compares with what lsns says: every namespace that it sees is in the snapshot, with as many processes.
func (z *zoo) asLsns() {
	var seen struct {
		Namespaces []struct {
			NS     uint64 `json:"ns"`
			NProcs int    `json:"nprocs"`
		} `json:"namespaces"`
	}
	decode(z.t, run(z.t, "lsns", "-J", "-t", "net", "-o", "NS,NPROCS"), &seen)
	for _, l := range seen.Namespaces {
		i := slices.IndexFunc(z.s.Namespaces, func(n state.Namespace) bool { return n.Inode == l.NS })
		if i < 0 {
			z.t.Errorf("lsns sees %d", l.NS)
			continue
		}
		n := &z.s.Namespaces[i]
		whole := 0
		for _, h := range n.Holders {
			if h.Kind == "process" {
				whole++
			}
		}
		if n.Name != state.HostNS && whole != l.NProcs { // lsns itself and its like are in the host's
			z.t.Errorf("%s has %d processes, lsns says %d", n.Name, whole, l.NProcs)
		}
	}
}

func openTun() (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var req struct {
		name  [unix.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], "tap0")
	req.flags = unix.IFF_TAP | unix.IFF_NO_PI
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TUNSETIFF, uintptr(unsafe.Pointer(&req))); errno != 0 {
		_ = unix.Close(fd)
		return -1, errno
	}
	runtime.KeepAlive(&req)
	return fd, nil
}
