package netns_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/netns"
)

// sleeper starts a process inside that ends with the test.
func sleeper(t testing.TB, h *netns.Handle) int {
	t.Helper()
	var cmd *exec.Cmd
	err := h.Do(func() error {
		cmd = exec.Command("sleep", "1000") //nolint:noctx // killed below
		return cmd.Start()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait() // killed
	})
	return cmd.Process.Pid
}

func TestOpenByEveryForm(t *testing.T) {
	kerneltest.Need(t, "exec:ip")
	prepare(t)
	h := create(t, "forms", nil)
	create(t, "other", nil)
	pid := sleeper(t, h)
	run(t, "ip", "netns", "set", "forms", "7")
	hidden := t.TempDir() + "/hidden"
	u, err := netns.Create(t.Context(), hidden, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(u.Close(), netns.Delete(t.Context(), hidden)); err != nil {
			t.Error(err)
		}
	}()
	host := must(netns.Current())
	defer host.Close()
	for _, tt := range []struct {
		ref  string
		want *netns.Handle
		name string
	}{
		{"forms", h, "forms"},
		{netns.Dir + "/forms", h, "forms"},
		{fmt.Sprintf("/proc/%d/ns/net", pid), h, ""},
		{"pid:" + strconv.Itoa(pid), h, ""},
		{"id:7", h, "forms"},
		{fmt.Sprintf("cookie:%d", h.Cookie()), h, "forms"},
		{fmt.Sprintf("cookie:%d", u.Cookie()), u, ""},
		{hidden, u, ""},
		{"pid:" + strconv.Itoa(os.Getpid()), host, ""},
		{"host", host, ""},
		{fmt.Sprintf("cookie:%d", host.Cookie()), host, ""},
	} {
		got, err := netns.Open(t.Context(), tt.ref)
		if err != nil {
			t.Errorf("%s: %v", tt.ref, err)
			continue
		}
		if !got.Same(tt.want) || got.Cookie() != tt.want.Cookie() || got.Name() != tt.name || got.String() != tt.ref {
			t.Errorf("%s: opened %d (name %q, called %q), want %d (name %q)", tt.ref, got.Cookie(), got.Name(), got, tt.want.Cookie(), tt.name)
		}
		got.Close()
	}
}

func TestOpenRefuses(t *testing.T) {
	prepare(t)
	for _, tt := range []struct {
		ref  string
		want error
	}{
		{"none", netns.ErrNotExist},
		{"/none", netns.ErrNotExist},
		{"/etc/passwd", netns.ErrNotNamespace},
		{"/dev/null", netns.ErrNotNamespace},
		{"/proc/thread-self/ns/mnt", netns.ErrNotNamespace},
		{"pid:0", netns.ErrBadName},
		{"pid:-1", netns.ErrBadName},
		{"pid:x", netns.ErrBadName},
		{"pid:2147483647", netns.ErrNotExist},
		{"id:x", netns.ErrBadName},
		{"id:12345", netns.ErrNotExist},
		{"cookie:0", netns.ErrBadName},
		{"cookie:18446744073709551615", netns.ErrNotExist},
		{"container:", netns.ErrBadName},
		{"container:xyz", netns.ErrNotExist},

		{"container:" + strings.Repeat("a", 321), netns.ErrBadName},
		{"container:abcdef0123", netns.ErrNotExist},
		{"other:5", netns.ErrNotExist},
	} {
		h, err := netns.Open(t.Context(), tt.ref)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, %v; want %v", tt.ref, h, err, tt.want)
		}
		if err != nil && !strings.Contains(err.Error(), strings.SplitN(tt.ref, "\x00", 2)[0]) {
			t.Errorf("%s: error does not name it: %v", tt.ref, err)
		}
	}
}

func TestContainerOf(t *testing.T) {
	a, b := strings.Repeat("a1", 32), strings.Repeat("b2", 32)
	for _, tt := range []struct{ line, want string }{
		{"0::/", ""},
		{"0::/user.slice/session-1.scope", ""},
		{"4:memory:/docker/" + a, a},
		{"0::/system.slice/docker-" + a + ".scope", a},
		{"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + a + ".scope", a},
		{"0::/kubepods/besteffort/pod1/" + a, a},
		{"1:name=systemd:/system.slice:cri-containerd:" + a, a},
		{"0::/machine.slice/libpod-" + a + ".scope/container", a},
		{"0::/machine.slice/libpod-conmon-" + a + ".scope", ""},
		{"0::/docker/" + a + "/docker/" + b, b},
		{"0::/docker/" + a + "/system.slice/libpod-conmon-" + b + ".scope", a},
		{"0::/libpod_parent/" + a + "/conmon", ""},
		{"0::/libpod_parent/" + a + "/libpod-" + b, b},
		{"0::/libpod_parent/libpod-" + a, a},
		{"0::/docker/" + a[:63], ""},
		{"0::/docker/" + a + "0", ""},
	} {
		if got := netns.ContainerOf(tt.line); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.line, got, tt.want)
		}
	}
}

// A control group named as a container runtime would name it.
func TestOpenContainer(t *testing.T) {
	base := "/sys/fs/cgroup/unified"
	if _, err := os.Stat(base + "/cgroup.procs"); err != nil {
		base = "/sys/fs/cgroup"
	}
	id1, id2 := "c0ffee01"+strings.Repeat("0", 56), "c0ffee02"+strings.Repeat("0", 56)
	group := func(id string) string { return fmt.Sprintf("%s/warren-test-%d-docker-%s.scope", base, os.Getpid(), id) }
	for _, id := range []string{id1, id2} {
		if err := os.Mkdir(group(id), 0o755); err != nil {
			t.Skipf("SKIPPED: no control groups to write to: %v", err)
		}
		t.Cleanup(func() {
			kerneltest.Eventually(t, patience, func() error { return os.Remove(group(id)) })
		})
	}
	prepare(t)
	h, o := create(t, "docker", nil), create(t, "docker2", nil)
	for id, pid := range map[string]int{id1: sleeper(t, h), id2: sleeper(t, o)} {
		if err := os.WriteFile(group(id)+"/cgroup.procs", []byte(strconv.Itoa(pid)), 0o600); err != nil {
			t.Skipf("SKIPPED: control groups cannot be entered: %v", err)
		}
	}
	for _, arg := range []string{"c0ffee01", id1} {
		got, err := netns.Open(t.Context(), "container:"+arg)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Same(h) {
			t.Errorf("container:%s is %d, want %d", arg, got.Inode(), h.Inode())
		}
		got.Close()
	}
	if _, err := netns.Open(t.Context(), "container:c0ffee"); !errors.Is(err, netns.ErrAmbiguous) || !strings.Contains(err.Error(), id2) {
		t.Errorf("error %v, want ErrAmbiguous with both", err)
	}
}

func TestCookieIsTheSockets(t *testing.T) {
	prepare(t)
	h := create(t, "cookie", nil)
	fd, err := h.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	want, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		t.Fatal(err)
	}
	if h.Cookie() != want {
		t.Errorf("cookie %d, the socket says %d", h.Cookie(), want)
	}
}

func TestListIsSorted(t *testing.T) {
	prepare(t)
	for _, n := range []string{"l2", "l10", "l1", "a.b", "-x"} {
		create(t, n, nil)
	}
	if diff := cmp.Diff([]string{"-x", "a.b", "l1", "l10", "l2"}, names(t)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if list, err := netns.List("/no/such/directory"); list != nil || err != nil {
		t.Errorf("no directory: %v, %v", list, err)
	}
}

// An ordinary user gets a typed error, and no half-made name.
func TestNotPermitted(t *testing.T) {
	kerneltest.Need(t, "root", "exec:setpriv")
	prepare(t)
	cmd := exec.CommandContext(t.Context(), "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/proc/self/exe", netns.Dir+"/nobody")
	exe := t.TempDir() + "/test"
	b := must(os.ReadFile("/proc/self/exe"))
	if err := os.WriteFile(exe, b, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/run/tmp", t.TempDir()} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Args[6] = exe
	cmd.Env = append(os.Environ(), roleEnv+"=create")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "permi") {
		t.Errorf("%v: %q", err, out)
	}
	if n := names(t); n != nil {
		t.Errorf("left: %q", n)
	}
}
