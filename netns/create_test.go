package netns_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/netns"
)

func TestCreateIsSeenByIPNetns(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "exec:findmnt")
	prepare(t)
	h := create(t, "seen", nil)
	if got := strings.TrimSpace(run(t, "ip", "netns", "list")); got != "seen" {
		t.Errorf("ip netns list: %q, want %q", got, "seen")
	}
	if got := run(t, "ip", "-n", "seen", "-o", "link"); !strings.HasPrefix(got, "1: lo: <LOOPBACK>") {
		t.Errorf("links inside: %q, want lo that is down and nothing else", got)
	}
	if got, want := strings.TrimSpace(run(t, "findmnt", "-no", "FSTYPE,PROPAGATION", "/run/netns/seen")), "nsfs   shared"; got != want {
		t.Errorf("findmnt: %q, want %q", got, want)
	}
	if got := inode(t, "/run/netns/seen"); got != h.Inode() {
		t.Errorf("inode %d is mounted, the handle has %d", got, h.Inode())
	}
	if h.Name() != "seen" {
		t.Errorf("name %q", h.Name())
	}
}

func TestDirectoryIsMountedOnce(t *testing.T) {
	prepare(t)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() { create(t, "once"+strconv.Itoa(i), nil) })
	}
	wg.Wait()
	if n := mountsAt(t, netns.Dir); n != 1 {
		t.Errorf("%s is mounted %d times", netns.Dir, n)
	}
	for i := range 50 {
		if n := mountsAt(t, netns.Dir+"/once"+strconv.Itoa(i)); n != 1 {
			t.Errorf("name %d is mounted %d times", i, n)
		}
	}
}

// The very first creations on a machine, all at once, of both programs (Debian bug 949235).
func TestParallelFirstCreations(t *testing.T) {
	kerneltest.Need(t, "exec:ip")
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("shared-run=%v", shared), func(t *testing.T) {
			script := `umount -l /run/netns 2>/dev/null; rm -rf /run/netns
				mount -t tmpfs none /run && mkdir /run/tmp && touch /run/.kerneltest || exit 1
				` + map[bool]string{true: "mount --make-shared /run", false: "true"}[shared] + `
				for i in $(seq 25); do "$0" /run/netns/w$i & ip netns add i$i & done; wait
				ls /run/netns | wc -l; grep -c ' /run/netns ' /proc/self/mountinfo; grep -c ' /run/netns/[wi]' /proc/self/mountinfo`
			cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", script, os.Args[0])
			cmd.Env = append(os.Environ(), roleEnv+"=create")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			f := strings.Fields(string(out))
			if len(f) != 3 || f[0] != "50" {
				t.Fatalf("names, mounts of the directory, mounts of names: %s", out)
			}
			// iproute2 before 7.0 copies a shared /run with its peers: then each name shows twice. Ours never adds to that.
			if n, _ := strconv.Atoi(f[1]); n > 2 {
				t.Errorf("directory is mounted %d times", n)
			}
		})
	}
}

// playCreate creates the names that it is given.
func playCreate(args []string) int {
	for _, path := range args {
		h, err := netns.Create(context.Background(), path, nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		h.Close()
	}
	return 0
}

func TestSharedRunIsNotMultiplied(t *testing.T) {
	script := `umount -l /run/netns 2>/dev/null; mount -t tmpfs none /run && mkdir /run/tmp && touch /run/.kerneltest && mount --make-shared /run || exit 1
		"$0" /run/netns/a /run/netns/b || exit 1
		grep -c ' /run/netns ' /proc/self/mountinfo; grep -c ' /run/netns/[ab] ' /proc/self/mountinfo`
	cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-c", script, os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=create")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Join(strings.Fields(string(out)), " ") != "1 2" {
		t.Errorf("mounts of the directory, mounts of two names: %q (%v), want 1 and 2", out, err)
	}
}

func TestCreateFailsIfTaken(t *testing.T) {
	prepare(t)
	create(t, "taken", nil)
	_, err := netns.Create(t.Context(), netns.Dir+"/taken", func(*netns.Inside) error {
		t.Error("setup ran")
		return nil
	})
	if !errors.Is(err, netns.ErrExist) || !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want ErrExist", err)
	}
	for _, what := range []string{"content", "directory"} {
		path := netns.Dir + "/" + what
		if what == "directory" {
			err = os.Mkdir(path, 0)
		} else {
			err = os.WriteFile(path, []byte("precious"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := netns.Create(t.Context(), path, nil); !errors.Is(err, netns.ErrExist) {
			t.Errorf("%s: create: error %v, want ErrExist", what, err)
		}
		if err := netns.Delete(t.Context(), path); !errors.Is(err, netns.ErrNotNamespace) {
			t.Errorf("%s: delete: error %v, want ErrNotNamespace", what, err)
		}
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

func TestOneOfManyCreatorsWins(t *testing.T) {
	prepare(t)
	for round := range 10 {
		var (
			wg   sync.WaitGroup
			mu   sync.Mutex
			won  []*netns.Handle
			path = netns.Dir + "/race" + strconv.Itoa(round)
		)
		if round%2 == 1 { // with a stale name to be repaired first
			plant(t, path, "warren\n", 0)
		}
		for range 50 {
			wg.Go(func() {
				h, err := netns.Create(t.Context(), path, nil)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won = append(won, h)
				case !errors.Is(err, netns.ErrExist):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Fatalf("%d creators won, want 1", len(won))
		}
		if got := inode(t, path); got != won[0].Inode() {
			t.Errorf("mounted is %d, the winner has %d", got, won[0].Inode())
		}
		won[0].Close()
		if err := netns.Delete(t.Context(), path); err != nil {
			t.Error(err)
		}
	}
}

func TestSetupRunsInsideBeforeTheName(t *testing.T) {
	kerneltest.Need(t, "ipv6")
	prepare(t)
	path := netns.Dir + "/early"
	var sock int
	h := create(t, "early", func(in *netns.Inside) (err error) {
		var sfs unix.Statfs_t
		if err := unix.Statfs(path, &sfs); err != nil || sfs.Type == unix.NSFS_MAGIC {
			t.Errorf("the name is there already: type %#x, %v", sfs.Type, err)
		}
		if sock, err = in.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0); err != nil {
			return err
		}
		if v, err := in.Sysctl("net/ipv6/conf/default/disable_ipv6"); err != nil || v != "0" {
			t.Errorf("disable_ipv6 is %q (%v), want 0", v, err)
		}
		return in.SetSysctl("net/ipv6/conf/default/disable_ipv6", "1")
	})
	defer unix.Close(sock)
	if c, err := unix.GetsockoptUint64(sock, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE); err != nil || c != h.Cookie() || c == 0 {
		t.Errorf("the socket is in %d (%v), the namespace is %d", c, err, h.Cookie())
	}
	if v, err := h.Sysctl("net/ipv6/conf/default/disable_ipv6"); err != nil || v != "1" {
		t.Errorf("inside: %q (%v), want 1", v, err)
	}
	if b, err := os.ReadFile("/proc/sys/net/ipv6/conf/default/disable_ipv6"); err != nil || string(b) != "0\n" {
		t.Errorf("outside: %q (%v), want 0", b, err)
	}
}

func TestFailedSetupLeavesNothing(t *testing.T) {
	prepare(t)
	boom := errors.New("boom")
	_, err := netns.Create(t.Context(), netns.Dir+"/fails", func(*netns.Inside) error { return boom })
	if !errors.Is(err, boom) {
		t.Errorf("error %v, want boom", err)
	}
	if got := names(t); got != nil {
		t.Errorf("left: %q", got)
	}
}

func TestCreateManyStopsAtTheFirstError(t *testing.T) {
	prepare(t)
	boom := errors.New("boom")
	list := []netns.New{{Path: netns.Dir + "/m1"}, {Path: netns.Dir + "/m2"}, {Path: netns.Dir + "/m3", Setup: func(*netns.Inside) error { return boom }}, {Path: netns.Dir + "/m4"}}
	handles, err := netns.CreateMany(t.Context(), list)
	if !errors.Is(err, boom) || len(handles) != 2 {
		t.Fatalf("%d handles, error %v; want 2 and boom", len(handles), err)
	}
	if diff := cmp.Diff([]string{"m1", "m2"}, names(t)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for i, h := range handles {
		if got := inode(t, list[i].Path); got != h.Inode() {
			t.Errorf("%s is %d, the handle %d", list[i].Path, got, h.Inode())
		}
		h.Close()
		if err := netns.Delete(t.Context(), list[i].Path); err != nil {
			t.Error(err)
		}
	}
}

// TestCreateLast: the goroutine stays inside, and the rest of the program where it was.
func TestCreateLast(t *testing.T) {
	prepare(t)
	before := here(t)
	path := netns.Dir + "/last"
	var made, inside uint64
	var err error
	done := make(chan struct{})
	var last func()
	last = func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() { // the main thread does not die
			defer runtime.UnlockOSThread()
			go last()
			<-done
			return
		}
		defer close(done)
		var h *netns.Handle
		if h, err = netns.CreateLast(t.Context(), path); err == nil {
			made = h.Inode()
			h.Close()
			inside = here(t)
		}
	}
	go last() // its thread dies with it
	<-done
	if err != nil || made != inside || made == before {
		t.Errorf("made %d, inside of %d, came from %d: %v", made, inside, before, err)
	}
	if got := here(t); got != before {
		t.Errorf("the program is in %d, was in %d", got, before)
	}
	if got := inode(t, path); got != made {
		t.Errorf("mounted is %d, made was %d", got, made)
	}
	if err := netns.Delete(t.Context(), path); err != nil {
		t.Error(err)
	}
}

func TestCreateStopsWithItsContext(t *testing.T) {
	prepare(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := netns.Create(ctx, netns.Dir+"/cancelled", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	plant(t, netns.Dir+"/young", "", 0)
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := netns.Create(ctx, netns.Dir+"/young", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want context.DeadlineExceeded", err)
	}
	if err := netns.Delete(t.Context(), netns.Dir+"/young"); err != nil {
		t.Error(err)
	}
}

func TestBadNamesTouchNothing(t *testing.T) {
	prepare(t)
	victim := netns.Dir + "/victim"
	plant(t, victim, "", 0o600)
	defer os.Remove(victim)
	for _, path := range []string{
		"", "/", ".", "..", "x", "run/netns/x", netns.Dir + "/", netns.Dir + "/.", netns.Dir + "/..", netns.Dir + "/x/../victim", netns.Dir + "//victim",
		netns.Dir + "/../netns/victim", netns.Dir + "/a b", netns.Dir + "/a\n", netns.Dir + "/\x00", netns.Dir + "/" + strings.Repeat("x", 256),
	} {
		if h, err := netns.Create(t.Context(), path, nil); !errors.Is(err, netns.ErrBadName) {
			t.Errorf("create %q: %v, %v, want ErrBadName", path, h, err)
		}
		if err := netns.Delete(t.Context(), path); !errors.Is(err, netns.ErrBadName) {
			t.Errorf("delete %q: %v, want ErrBadName", path, err)
		}
	}
	for _, ref := range []string{"", ".", "..", "x/../../victim", "../netns/victim", "a b", strings.Repeat("x", 256)} {
		if h, err := netns.Open(t.Context(), ref); !errors.Is(err, netns.ErrBadName) {
			t.Errorf("open %q: %v, %v, want ErrBadName", ref, h, err)
		}
	}
	if diff := cmp.Diff([]string{"victim"}, names(t)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestCreateElsewhere(t *testing.T) {
	prepare(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "switch")
	h, err := netns.Create(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if n := mountsAt(t, dir); n != 0 {
		t.Errorf("the directory is a mount point")
	}
	o, err := netns.OpenPath(path)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if !o.Same(h) || o.Cookie() != h.Cookie() {
		t.Errorf("opened %d, created %d", o.Cookie(), h.Cookie())
	}
	if err := netns.Delete(t.Context(), path); err != nil {
		t.Error(err)
	}
	if _, err := netns.Create(t.Context(), dir+"/none/switch", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want that the directory is missing", err)
	}
}
