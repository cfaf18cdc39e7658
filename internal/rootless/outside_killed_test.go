package rootless_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"warren/internal/kerneltest"
)

// killed kills processes and waits until they are gone.
func killed(t *testing.T, pids ...int) {
	t.Helper()
	if len(pids) == 0 {
		t.Fatal("nobody to kill")
	}
	for _, pid := range pids {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	kerneltest.Eventually(t, wait, func() error {
		for _, pid := range pids {
			if _, there := commands(t)[pid]; there {
				return fmt.Errorf("PID %d is still there", pid)
			}
		}
		return nil
	})
}

// awaited are the processes of a kind as soon as there are any: the command that starts one does not wait for it.
func awaited(t *testing.T, what string) (pids []int) {
	t.Helper()
	kerneltest.Eventually(t, wait, func() error {
		if pids = outside(t, what); len(pids) == 0 {
			return fmt.Errorf("no %s", what)
		}
		return nil
	})
	return pids
}

// TestKilledOutside: whatever is killed, the next command repairs it, and the last down leaves nothing.
func TestKilledOutside(t *testing.T) {
	u := newUser(t)
	kerneltest.Need(t, "exec:pasta")
	world := newInternet(t)
	world.serve(t, webAddr)
	file := u.who(t, "kill", `publish: ["8080:80"]`)
	u.run(t, "up", file)
	works := func(what string) {
		t.Helper()
		kerneltest.Eventually(t, wait, func() error {
			out, stderr, code := u.try(t, "exec", "h1", "--", "python3", "-c", fetch)
			if code != 0 || out != "hello from afar\n" {
				return fmt.Errorf("after the end of %s: exit %d, %s%s", what, code, out, stderr)
			}
			return nil
		})
		world.wants(t, "tcp", addrPort(machineAddr, 8080), "h1 "+routerAddr)
		if a, p := outside(t, "@outside"), outside(t, "pasta"); len(a) != 1 || len(p) != 1 {
			t.Errorf("after the end of %s: agents %v, pasta %v, want one each", what, a, p)
		}
	}
	works("nothing")
	pasta := outside(t, "pasta")
	killed(t, outside(t, "@outside")...)
	u.run(t, "labs")
	works("the agent")
	if got := outside(t, "pasta"); !slices.Equal(got, pasta) {
		t.Errorf("pasta was %v, is %v: it needs no other", pasta, got)
	}
	killed(t, pasta...)
	u.run(t, "labs")
	works("pasta, which another agent had started")
	killed(t, outside(t, "pasta")...)
	u.run(t, "labs")
	works("pasta")
	killed(t, append(outside(t, "pasta"), outside(t, "@outside")...)...)
	u.run(t, "labs")
	works("both")
	var relays []int
	for pid, argv := range commands(t) {
		if len(argv) > 1 && argv[1] == "@relay" {
			relays = append(relays, pid)
		}
	}
	killed(t, relays...)
	u.run(t, "up", file)
	works("the relay")
	// Nobody is left who could end pasta but the holder itself.
	killed(t, outside(t, "@outside")...)
	u.run(t, "exec", "host", "true") // starts an agent
	killed(t, awaited(t, "@outside")...)
	path, _ := binary()
	cmd := u.cmd(t, "sh", "-c", `"$0" exec host -- sh -c "kill -9 $(pgrep -f '^warren @outside') 2>/dev/null; \"$0\" down kill"`, path)
	cmd.SysProcAttr = u.attr
	if o, e, code := output(t, cmd); code != 0 {
		t.Errorf("down without an agent: exit %d\n%s%s", code, o, e)
	}
	kerneltest.Eventually(t, wait, func() error {
		if p := append(holders(t), outside(t, "pasta")...); len(p) > 0 {
			return fmt.Errorf("left: %v", p)
		}
		return nil
	})
	u.gone(t)
}

// TestKilledWorld: the holder's end ends what is outside, at once or with the next command.
func TestKilledWorld(t *testing.T) {
	u := newUser(t)
	kerneltest.Need(t, "exec:pasta")
	newInternet(t)
	file := u.lab(t, "end", "nets:\n  wan: {nodes: [h1], uplink: true}\n")
	for _, tt := range []struct {
		name   string
		victim func() []int
	}{
		{"holder", func() []int { return holders(t) }},
		{"holder-and-agent", func() []int { return append(outside(t, "@outside"), holders(t)...) }},
		{"all", func() []int { return append(append(outside(t, "@outside"), outside(t, "pasta")...), holders(t)...) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u.run(t, "up", file)
			if p := outside(t, "pasta"); len(p) != 1 {
				t.Fatalf("pasta: %v", p)
			}
			killed(t, tt.victim()...)
			if tt.name == "holder" {
				kerneltest.Eventually(t, wait, func() error {
					if p := append(outside(t, "pasta"), outside(t, "@outside")...); len(p) > 0 {
						return fmt.Errorf("still there: %v", p)
					}
					return nil
				})
			}
			u.run(t, "labs")
			u.gone(t)
		})
	}
}

// TestPublishRefused: a port that cannot be had stops up before the first change, with who has it or what would help.
func TestPublishRefused(t *testing.T) {
	u := newUser(t)
	hide(t, "pasta", "slirp4netns")
	l, err := net.Listen("tcp4", "0.0.0.0:8080") //nolint:noctx // a test's server
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mine := u.cmd(t, "sh", "-c", `exec python3 -c "$0"`, `import socket, sys; l = socket.create_server(("127.0.0.1", 8070)); print("here", flush=True); sys.stdin.read()`)
	in, err := mine.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	here := make(chan struct{})
	mine.Stdout = writer(func() { close(here) })
	if err := mine.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = mine.Wait() }()
	<-here
	for _, tt := range []struct {
		name, publish string
		want          []string
	}{
		{"somebody-elses", "8080:80", []string{"a process of user ", "address already in use"}},
		{"own-process", "8070:80", []string{fmt.Sprintf("PID %d (python3)", mine.Process.Pid)}},
		{"privileged", "80:80", []string{"sysctl -w net.ipv4.ip_unprivileged_port_start=80", "from 1024 on"}},
		{"no-such-address", "192.0.2.77:8060:80", []string{"the machine has no such address"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "somebody-elses" && u.attr.Credential == nil {
				t.Log("there is one user only: the listener is the user's own")
				tt.want = tt.want[1:]
			}
			file := u.lab(t, "refused", fmt.Sprintf("nets:\n  wan: {nodes: [h1], uplink: true}\nnodes:\n  h1: {publish: [%q]}\n", tt.publish))
			u.refused(t, []string{"up", file}, append(tt.want, `"refused"`, `"h1"`)...)
			u.gone(t)
		})
	}
	// Another lab has it.
	u.run(t, "up", u.who(t, "first", `publish: ["8060:80"]`))
	file := u.lab(t, "refused", "nets:\n  wan: {nodes: [h1], uplink: true}\nnodes:\n  h1: {publish: [\"8060:80\"]}\n")
	u.refused(t, []string{"up", file}, "first")
	u.run(t, "down", "first")
	u.gone(t)
}

type writer func()

func (w writer) Write(p []byte) (int, error) { w(); return len(p), nil }

// TestPublishChanges: ports come and go, and a connection over one that stays does not notice.
func TestPublishChanges(t *testing.T) {
	u := newUser(t)
	world := newInternet(t)
	hide(t, "pasta", "slirp4netns")
	file := u.who(t, "change", `publish: ["8080:80", "8081:80", "5300:80/udp"]`)
	u.run(t, "up", file)
	conn, err := world.dial(t, "tcp", addrPort(machineAddr, 8080))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	talks := func() {
		t.Helper()
		buf := make([]byte, 64)
		_, err := conn.Write([]byte("who\n"))
		n := 0
		if err == nil {
			n, err = conn.Read(buf)
		}
		if got := string(buf[:n]); err != nil || got != "h1 "+routerAddr {
			t.Errorf("the connection that was there: %q, %v", got, err)
		}
	}
	talks()
	u.who(t, "change", `publish: ["8080:80", "8082:80"]`)
	u.run(t, "up", file)
	talks()
	world.wants(t, "tcp", addrPort(machineAddr, 8082), "h1 "+routerAddr)
	if c, err := world.dial(t, "tcp", addrPort(machineAddr, 8081)); err == nil {
		_ = c.Close()
		t.Error("port 8081 is still open")
	}
	talks()
	u.who(t, "change")
	u.run(t, "up", file)
	if c, err := world.dial(t, "tcp", addrPort(machineAddr, 8080)); err == nil {
		_ = c.Close()
		t.Error("port 8080 is still open")
	}
	u.run(t, "down", "change")
	u.gone(t)
}

// TestCalledAsIP: ip shows the machine, never the user's world.
func TestCalledAsIP(t *testing.T) {
	u := newUser(t)
	u.run(t, "up", u.lab(t, "other", pair))
	path, _ := binary()
	link := u.home + "/ip"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	o, e, code := output(t, u.cmd(t, link, "netns", "list"))
	if code != 0 || strings.Contains(o, "other") {
		t.Errorf("ip netns list: exit %d, %q%s", code, o, e)
	}
	want, err := exec.CommandContext(t.Context(), "ip", "-o", "link").Output()
	if err != nil {
		t.Fatal(err)
	}
	if o, e, code = output(t, u.cmd(t, link, "-o", "link")); code != 0 || o != string(want) {
		t.Errorf("ip -o link: exit %d\n%s%swant\n%s", code, o, e, want)
	}
	u.run(t, "down", "other")
	u.gone(t)
}
