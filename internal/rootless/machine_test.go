package rootless_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
	"warren/netns"
)

// What there is behind the machine, which is the tests' own namespace:
//
//	machine 203.0.113.2, 2001:db8::2 ---- 203.0.113.1, 2001:db8::1 internet (198.51.100.7, 2001:db8:7::7)
const (
	machineAddr = "203.0.113.2"
	routerAddr  = "203.0.113.1"
	webAddr     = "198.51.100.7"

	machineAddr6 = "2001:db8::2"
	routerAddr6  = "2001:db8::1"
	webAddr6     = "2001:db8:7::7"
)

// An internet is a namespace behind the machine.
type internet struct {
	h *netns.Handle
}

// newInternet gives the machine a default route, and a /dev/net/tun that ordinary users may open. It is to be called after newUser.
func newInternet(t *testing.T) *internet {
	t.Helper()
	kerneltest.Need(t, "root", "tun", "veth")
	ordinaryTun(t)
	const path = "/run/internet"
	h, err := netns.Create(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = h.Close()
		if err := errors.Join(netns.Delete(context.Background(), path), netns.WaitGone(context.Background())); err != nil {
			t.Error(err)
		}
	})
	for _, line := range []string{
		fmt.Sprintf("nsenter --net=%s ip link add wan type veth peer name wan netns %d", path, os.Getpid()),
		"nsenter --net=" + path + " ip addr add " + routerAddr + "/24 dev wan",
		"nsenter --net=" + path + " ip addr add " + webAddr + "/32 dev lo",
		"nsenter --net=" + path + " ip link set lo up",
		"nsenter --net=" + path + " ip link set wan up",
		"ip addr add " + machineAddr + "/24 dev wan",
		"ip link set wan up",
		"ip route add default via " + routerAddr,
		"nsenter --net=" + path + " ip addr add " + routerAddr6 + "/64 dev wan nodad",
		"nsenter --net=" + path + " ip addr add " + webAddr6 + "/128 dev lo nodad",
		"ip addr add " + machineAddr6 + "/64 dev wan nodad",
		"ip route add default via " + routerAddr6,
	} {
		f := strings.Fields(line)
		if out, err := exec.CommandContext(t.Context(), f[0], f[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.CommandContext(context.Background(), "ip", "link", "del", "wan").CombinedOutput(); err != nil {
			t.Errorf("ip link del wan: %v\n%s", err, out)
		}
	})
	return &internet{h: h}
}

// ordinaryTun puts a device that everybody may open in the place of the machine's.
func ordinaryTun(t *testing.T) {
	t.Helper()
	const dir, tun = "/run/dev", "/dev/net/tun"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID, "mode=0755"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	node := filepath.Join(dir, "tun")
	const misc, number = 10, 200 // linux/miscdevice.h
	err := unix.Mknod(node, unix.S_IFCHR|0o666, int(unix.Mkdev(misc, number)))
	err = errors.Join(err, os.Chmod(node, 0o666)) // the umask
	if err = errors.Join(err, unix.Mount(node, tun, "", unix.MS_BIND, "")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(tun, unix.MNT_DETACH) })
}

// hide makes programs missing.
func hide(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin") {
			path := filepath.Join(dir, name)
			if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() {
				if err := unix.Mount("/dev/null", path, "", unix.MS_BIND, ""); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = unix.Unmount(path, unix.MNT_DETACH) })
			}
		}
	}
}

// serve runs a web server in the internet. It returns the addresses that connected.
func (i *internet) serve(t *testing.T, addr string) <-chan string {
	t.Helper()
	var l net.Listener
	if err := i.h.Do(func() (err error) {
		var lc net.ListenConfig
		l, err = lc.Listen(t.Context(), "tcp", addrPort(addr, 80))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	from := make(chan string, 64)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		select {
		case from <- host:
		default:
		}
		_, _ = io.WriteString(w, "hello from afar\n")
	}))
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return from
}

// dial connects from the internet, or, when i is nil, from the machine.
func (i *internet) dial(t *testing.T, network, addr string) (net.Conn, error) {
	t.Helper()
	var conn net.Conn
	dial := func() (err error) {
		d := net.Dialer{Timeout: wait}
		conn, err = d.DialContext(t.Context(), network, addr)
		return err
	}
	if i == nil {
		return conn, dial()
	}
	return conn, i.h.Do(dial)
}

// ask connects, says something and returns the answer.
func (i *internet) ask(t *testing.T, network, addr string) (string, error) {
	t.Helper()
	conn, err := i.dial(t, network, addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(wait))
	if _, err := io.WriteString(conn, "who\n"); err != nil {
		return "", err
	}
	buf := make([]byte, 256)
	n, err := conn.Read(buf)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(buf[:n])), nil
}

// wants asks until the answer is want.
func (i *internet) wants(t *testing.T, network, addr, want string) {
	t.Helper()
	kerneltest.Eventually(t, wait, func() error {
		got, err := i.ask(t, network, addr)
		if err == nil && got != want {
			err = fmt.Errorf("answer %q, want %q", got, want)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", network, addr, err)
		}
		return nil
	})
}

// whoServer answers with its name and the peer's address, on TCP and UDP port 80, until the peer goes.
const whoServer = `import socket, sys, threading
name = sys.argv[1]
def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", 80))
    while True:
        d, a = s.recvfrom(512)
        s.sendto((name + " " + a[0]).encode(), a)
threading.Thread(target=udp, daemon=True).start()
def talk(c, a):
    while c.recv(512):
        c.sendall((name + " " + a[0]).encode())
    c.close()
l = socket.create_server(("", 80))
while True:
    c, a = l.accept()
    threading.Thread(target=talk, args=(c, a), daemon=True).start()
`

// who is a lab with an uplink, in which h1 and h2 run the server. The lines are more of h1.
func (u *user) who(t *testing.T, name string, lines ...string) string {
	t.Helper()
	kerneltest.Need(t, "exec:python3")
	script := filepath.Join(u.home, "who.py")
	if err := os.WriteFile(script, []byte(whoServer), 0o644); err != nil {
		t.Fatal(err)
	}
	return u.lab(t, name, fmt.Sprintf(`nets:
  wan: {nodes: [h1, h2], uplink: true}
nodes:
  h1:
    run: python3 %[1]s h1
    ready: tcp 80
    %[2]s
  h2: {run: "python3 %[1]s h2", ready: tcp 80}
`, script, strings.Join(lines, "\n    ")))
}

func addrPort(addr string, port uint16) string {
	return netip.AddrPortFrom(netip.MustParseAddr(addr), port).String()
}
