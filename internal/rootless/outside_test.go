package rootless_test

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
)

// TestWayOut: with either program a node reaches what is behind the machine, and is reached from there.
func TestWayOut(t *testing.T) {
	for _, tt := range []struct{ use, hide string }{{"pasta", "slirp4netns"}, {"slirp4netns", "pasta"}} {
		t.Run(tt.use, func(t *testing.T) {
			u := newUser(t)
			kerneltest.Need(t, "exec:"+tt.use)
			world := newInternet(t)
			from := world.serve(t, webAddr)
			hide(t, tt.hide)
			file := u.who(t, "out", `publish: ["8080:80", "127.0.0.1:8081:80", "5300:80/udp"]`)
			if _, stderr, code := u.try(t, "up", file); code != 0 || stderr != "" {
				t.Fatalf("up: exit %d\n%s", code, stderr)
			}
			tools := outside(t, tt.use)
			if len(tools) != 1 {
				t.Fatalf("%s: PIDs %v, want one", tt.use, tools)
			}
			if out := u.run(t, "exec", "h1", "--", "python3", "-c", fetch); out != "hello from afar\n" {
				t.Errorf("node got %q", out)
			}
			if got := <-from; got != machineAddr {
				t.Errorf("the node is seen as %s, want %s", got, machineAddr)
			}
			// The machine's own loopback is not the world's to reach.
			world.wants(t, "tcp", addrPort(machineAddr, 8080), "h1 "+routerAddr)
			world.wants(t, "udp", addrPort(machineAddr, 5300), "h1 "+routerAddr)
			if _, err := world.ask(t, "tcp", addrPort(machineAddr, 8081)); err == nil {
				t.Error("a port that is published on 127.0.0.1 is open for all")
			}
			var machine *internet
			for _, addr := range []string{"127.0.0.1:8080", "127.0.0.1:8081", machineAddr + ":8080"} {
				if got, err := machine.ask(t, "tcp", addr); err != nil || !strings.HasPrefix(got, "h1 ") {
					t.Errorf("%s: %q, %v", addr, got, err)
				}
			}
			// A second lab shares the way.
			second := u.who(t, "second", `publish: ["8090:80"]`)
			u.run(t, "up", second)
			if again := outside(t, tt.use); len(again) != 1 || again[0] != tools[0] {
				t.Errorf("%s: PIDs %v, before %v", tt.use, again, tools)
			}
			world.wants(t, "tcp", addrPort(machineAddr, 8090), "h1 "+routerAddr)
			u.run(t, "down", "second")
			world.wants(t, "tcp", addrPort(machineAddr, 8080), "h1 "+routerAddr)
			u.run(t, "down", "out")
			u.gone(t)
			if _, err := world.dial(t, "tcp", addrPort(machineAddr, 8080)); err == nil {
				t.Error("the port is still open")
			}
		})
	}
}

const fetch = `import urllib.request; print(urllib.request.urlopen("http://` + webAddr + `/", timeout=10).read().decode(), end="")`

// TestWayOutIPv6: pasta carries both families; ports are published in both.
func TestWayOutIPv6(t *testing.T) {
	u := newUser(t)
	kerneltest.Need(t, "exec:pasta", "exec:python3", "ipv6")
	world := newInternet(t)
	from := world.serve(t, webAddr6)
	script := u.home + "/who6.py"
	text := strings.NewReplacer("AF_INET,", "AF_INET6,", `create_server(("", 80))`, `create_server(("", 80), family=socket.AF_INET6, dualstack_ipv6=True)`).Replace(whoServer)
	if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	u.run(t, "up", u.lab(t, "six", fmt.Sprintf(`defaults: {ipv6: true}
nets:
  wan: {nodes: [h1], uplink: true}
nodes:
  h1: {run: "python3 %s six", ready: tcp 80, publish: ["8080:80", "[::1]:8081:80"]}
`, script)))
	out := u.run(t, "exec", "h1", "--", "python3", "-c", strings.ReplaceAll(fetch, webAddr, "["+webAddr6+"]"))
	if out != "hello from afar\n" {
		t.Errorf("node got %q", out)
	}
	if got := <-from; got != machineAddr6 {
		t.Errorf("the node is seen as %s, want %s", got, machineAddr6)
	}
	world.wants(t, "tcp", addrPort(machineAddr6, 8080), "six "+routerAddr6)
	world.wants(t, "tcp", addrPort(machineAddr, 8080), "six ::ffff:"+routerAddr)
	var machine *internet
	for _, addr := range []string{"[::1]:8080", "[::1]:8081", "127.0.0.1:8080"} {
		if got, err := machine.ask(t, "tcp", addr); err != nil || !strings.HasPrefix(got, "six ") {
			t.Errorf("%s: %q, %v", addr, got, err)
		}
	}
	u.run(t, "down", "six")
	u.gone(t)
}

// outside lists the processes outside of the user's worlds: the agent ("@outside") or a program that it started.
func outside(t *testing.T, what string) (pids []int) {
	t.Helper()
	for pid, argv := range commands(t) {
		if argv[0] == "warren" && len(argv) > 1 && argv[1] == what || strings.HasPrefix(argv[0], "warren@") && strings.HasSuffix(argv[0], "/"+what) {
			pids = append(pids, pid)
		}
	}
	// pasta enters namespaces with short-lived children.
	return slices.DeleteFunc(slices.Clone(pids), func(pid int) bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return true // gone
		}
		f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		parent, err := strconv.Atoi(f[1])
		return err == nil && slices.Contains(pids, parent)
	})
}

// commands are the command lines of all processes.
func commands(t *testing.T) map[int][]string {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	out := map[int][]string{}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			if line, err := os.ReadFile("/proc/" + e.Name() + "/cmdline"); err == nil && len(line) > 0 {
				out[pid] = strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
			}
		}
	}
	return out
}

// TestNoWayOut: without either program the uplink works inside, up says so with the package's name, once; ports are
// published all the same.
func TestNoWayOut(t *testing.T) {
	u := newUser(t)
	world := newInternet(t)
	hide(t, "pasta", "slirp4netns")
	file := u.who(t, "inside", `publish: ["8080:80"]`)
	_, stderr, code := u.try(t, "up", file)
	if code != 0 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, `net "wan": the uplink works inside your own world only`) || !strings.Contains(stderr, "install the package passt") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	if _, stderr, code = u.try(t, "up", file); code != 0 || stderr != "" {
		t.Errorf("second up: exit %d, stderr %q", code, stderr)
	}
	u.run(t, "exec", "h1", "--", "python3", "-c", `import socket; socket.create_connection(("h2", 80), 10)`)
	world.wants(t, "tcp", addrPort(machineAddr, 8080), "h1 "+routerAddr)
	u.run(t, "down", "inside")
	u.gone(t)
}

// TestNoDefaultRoute: what is installed cannot help a machine without a way out itself.
func TestNoDefaultRoute(t *testing.T) {
	u := newUser(t)
	kerneltest.Need(t, "exec:pasta")
	_, stderr, code := u.try(t, "up", u.lab(t, "island", "nets:\n  wan: {nodes: [h1], uplink: true}\n"))
	if code != 0 || !strings.Contains(stderr, "the machine itself has no default route") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
	u.run(t, "down", "island")
	u.gone(t)
}

// TestResolvers: when the machine asks a resolver on its own loopback, nodes ask through the way out.
func TestResolvers(t *testing.T) {
	u := newUser(t)
	kerneltest.Need(t, "exec:pasta")
	newInternet(t)
	resolv := u.home + "/resolv.conf"
	if err := os.WriteFile(resolv, []byte("nameserver 127.0.0.1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(resolv, "/etc/resolv.conf", "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Unmount("/etc/resolv.conf", unix.MNT_DETACH) }()
	queries := make(chan string, 8)
	c, err := net.ListenPacket("udp4", "127.0.0.1:53") //nolint:noctx // a test's server
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			queries <- string(buf[:n])
			_, _ = c.WriteTo(buf[:n], from)
		}
	}()
	defer func() { _ = c.Close(); <-done }()
	u.run(t, "up", u.lab(t, "names", "nets:\n  wan: {nodes: [h1], uplink: true}\n"))
	out := u.run(t, "exec", "h1", "--", "cat", "/etc/resolv.conf")
	if !strings.HasPrefix(out, "nameserver 10.254.") {
		t.Fatalf("resolv.conf: %q", out)
	}
	server := strings.Fields(out)[1]
	got := u.run(t, "exec", "h1", "--", "python3", "-c", fmt.Sprintf(
		`import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(10); s.sendto(b"query", (%q, 53)); print(s.recv(99).decode())`, server))
	if q := <-queries; q != "query" || got != "query\n" {
		t.Errorf("the resolver got %q, the node %q", q, got)
	}
	u.run(t, "down", "names")
	u.gone(t)
}
