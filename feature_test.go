package warren_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"warren/internal/kerneltest"
	"warren/netns"
)

// lift writes a lab file, brings the lab up with the real program, its checks included, and asks for a second plan, which has to be empty. At the
// test's end the lab goes down, and nothing may be left but what existed before.
func lift(t *testing.T, text string) (file string) {
	t.Helper()
	kerneltest.LeakCheck(t)
	file = labFile(t, text)
	t.Cleanup(func() { run(t, "down", file) })
	run(t, "up", file)
	settled(t, file)
	return file
}

// settled fails the test unless there is nothing to do.
func settled(t *testing.T, file string) {
	t.Helper()
	if out, stderr, code := try(t, "plan", file); code != 0 {
		t.Errorf("plan after up: exit %d, want 0\n%s%s", code, out, stderr)
	}
}

// change rewrites the file, brings it up and asks for a second plan.
func change(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "up", file)
	settled(t, file)
}

// in runs f with a thread in a namespace: "" is the world's own.
func in(t testing.TB, ns string, f func() error) error {
	t.Helper()
	if ns == "" {
		return f()
	}
	h, err := netns.Open(context.Background(), ns)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	return h.Do(f)
}

// serve answers at an address inside a namespace until the test ends: each client is told where it seems to come from.
// Sockets of the standard library, none of our own code but the visit.
func serve(t testing.TB, ns, network, addr string) {
	t.Helper()
	var wg sync.WaitGroup
	err := in(t, ns, func() error {
		var cfg net.ListenConfig
		if strings.HasPrefix(network, "udp") {
			c, err := cfg.ListenPacket(t.Context(), network, addr)
			if err != nil {
				return err
			}
			wg.Go(func() {
				buf := make([]byte, 64)
				for {
					_, from, err := c.ReadFrom(buf)
					if err != nil {
						return
					}
					_, _ = c.WriteTo([]byte(hostOf(from)), from)
				}
			})
			t.Cleanup(func() { _ = c.Close(); wg.Wait() })
			return nil
		}
		l, err := cfg.Listen(t.Context(), network, addr)
		if err != nil {
			return err
		}
		wg.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, hostOf(c.RemoteAddr()))
				_ = c.Close()
			}
		})
		t.Cleanup(func() { _ = l.Close(); wg.Wait() })
		return nil
	})
	if err != nil {
		t.Fatalf("serve %s %s in %q: %v", network, addr, ns, err)
	}
}

func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(host, "::ffff:")
}

// Answers of ask that are not an address.
const (
	refused    = "refused"    // a reset, or port unreachable
	prohibited = "prohibited" // another ICMP error: EHOSTUNREACH, EACCES
	denied     = "denied"     // the sender is told at once: its own output
	noRoute    = "no route"
	silence    = "silence"
)

// ask calls a server of [serve] from a namespace and returns what it says within a time, or how the attempt ended.
func ask(t testing.TB, ns, network, addr string, within time.Duration) string {
	t.Helper()
	answer := ""
	err := in(t, ns, func() error {
		d := net.Dialer{Timeout: within}
		c, err := d.Dial(network, addr)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(within))
		if strings.HasPrefix(network, "udp") {
			if _, err := c.Write([]byte("?")); err != nil {
				return err
			}
			buf := make([]byte, 64)
			n, err := c.Read(buf)
			answer = string(buf[:n])
			return err
		}
		b, err := io.ReadAll(c)
		answer = string(b)
		return err
	})
	switch timeout := net.Error(nil); {
	case err == nil:
		return answer
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EACCES):
		return prohibited
	case errors.Is(err, syscall.EPERM):
		return denied
	case errors.Is(err, syscall.ENETUNREACH):
		return noRoute
	case errors.As(err, &timeout) && timeout.Timeout():
		return silence
	default:
		return err.Error()
	}
}

// How long an answer may take. Silence costs a test as much as is waited for it; an answer comes late on a busy machine.
const (
	silenceWait = 400 * time.Millisecond
	answerWait  = 10 * time.Second
)

// A question of a table: who asks whom, and what is to be heard.
type question struct {
	ns, network, addr, want string
}

// asked puts all questions at once.
func asked(t *testing.T, questions []question) {
	t.Helper()
	answers := make([]string, len(questions))
	var wg sync.WaitGroup
	for i, q := range questions {
		within := answerWait
		if q.want == silence {
			within = silenceWait
		}
		wg.Go(func() { answers[i] = ask(t, q.ns, q.network, q.addr, within) })
	}
	wg.Wait()
	for i, q := range questions {
		if answers[i] != q.want {
			t.Errorf("%q asks %s %s: %q, want %q", q.ns, q.network, q.addr, answers[i], q.want)
		}
	}
}

// want fails the test when a text lacks one of some words.
func want(t testing.TB, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q is missing in:\n%s", w, text)
		}
	}
}

// outside makes a namespace that is wired by hand to the world's own, as a machine on the same wire would be: 192.0.2.2 and
// fd02::2 there, 192.0.2.1 and fd02::1 here. It gets routes to the given prefixes by way of here.
func outside(t *testing.T, routes ...string) {
	t.Helper()
	var script strings.Builder
	script.WriteString(`
ip netns add outside
ip link add wire type veth peer name wire netns outside
ip addr add 192.0.2.1/24 dev wire
ip addr add fd02::1/64 dev wire nodad
ip link set wire addrgenmode none
ip link set wire up
ip -n outside link set lo up
ip -n outside addr add 192.0.2.2/24 dev wire
ip -n outside addr add fd02::2/64 dev wire nodad
ip -n outside link set wire addrgenmode none
ip -n outside link set wire up
`)
	for _, r := range routes {
		via := "192.0.2.1"
		if strings.Contains(r, ":") {
			via = "fd02::1"
		}
		fmt.Fprintf(&script, "ip -n outside route add %s via %s\n", r, via)
	}
	t.Cleanup(func() {
		sh(t, "ip link del wire; ip netns del outside")
	})
	sh(t, script.String())
}

// sortedLines is what a third party's tool prints, one line each, sorted.
func sortedLines(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return lines
}

// exists reports whether any file matches.
func exists(t testing.TB, pattern string) bool {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return len(found) > 0
}

// errText is an error of some text.
type errText string

func (e errText) Error() string { return string(e) }

// startIn starts a process in a namespace of its own, without a name, and returns its PID. It ends with the test.
func startIn(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "unshare", "-n", "sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	kerneltest.Eventually(t, 30*time.Second, func() error {
		if now, err := os.Readlink("/proc/" + pid + "/ns/net"); err != nil || now == own {
			return errText("not there yet")
		}
		return nil
	})
	return pid
}
