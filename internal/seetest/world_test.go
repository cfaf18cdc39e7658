package seetest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren"
	"warren/draw"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/state"
)

const patience = 60 * time.Second

// A world is where situations are made. What it makes lives until the test ends.
type world struct{ *testing.T }

// sh runs lines of a shell, which must succeed, and returns what they print.
func (w *world) sh(lines string, args ...any) string {
	w.Helper()
	if len(args) > 0 {
		lines = fmt.Sprintf(lines, args...)
	}
	cmd := exec.CommandContext(context.Background(), "sh", "-euc", lines)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		w.Fatalf("%s\n%v: %s", lines, err, errs.String())
	}
	return string(out)
}

// add gives names to new namespaces.
func (w *world) add(names ...string) {
	w.Helper()
	for _, n := range names {
		w.sh("ip netns add %s", n)
		w.Cleanup(func() { w.sh("ip netns del %s", n) })
	}
}

// live starts a command that becomes thereAndSleep, itself or its child, and returns its process.
func (w *world) live(name string, arg ...string) int {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, arg...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		w.Fatalf("%s %q said %q: %v", name, arg, line, err)
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	kerneltest.Eventually(w.T, patience, func() error {
		children, _ := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
		for _, p := range append(strings.Fields(string(children)), pid) {
			if comm, err := os.ReadFile("/proc/" + p + "/comm"); err == nil && string(comm) == "sleep\n" {
				return nil
			}
		}
		return fmt.Errorf("%s %q does not sleep", name, arg)
	})
	return cmd.Process.Pid
}

const thereAndSleep = "echo there; exec sleep 1000"

// fresh makes a namespace without a name and gives f a handle, which is closed then: what f keeps is what holds it.
func (w *world) fresh(f func(h *netns.Handle, path string)) (cookie uint64) {
	w.Helper()
	var h *netns.Handle
	err := netns.Scratch(func(*netns.Inside) (err error) {
		h, err = netns.OpenPath("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	defer h.Close()
	f(h, fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.FD()))
	return h.Cookie()
}

// keep closes a descriptor at the end of the test.
func (w *world) keep(fd int, err error) int {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { unix.Close(fd) })
	return fd
}

// seen is what warren saw, for the check of one situation.
type seen struct {
	*testing.T
	snap state.Snapshot
	list []warren.NamespaceInfo // ls -a
}

// ns is a namespace by its key.
func (s *seen) ns(key string) *state.Namespace {
	s.Helper()
	n := s.snap.Namespace(key)
	if n == nil {
		s.Fatalf("no namespace %q", key)
	}
	return n
}

func (s *seen) cookie(c uint64) *state.Namespace {
	s.Helper()
	i := slices.IndexFunc(s.snap.Namespaces, func(n state.Namespace) bool { return n.Cookie == c })
	if i < 0 {
		s.Fatalf("no namespace with the cookie %d", c)
	}
	return &s.snap.Namespaces[i]
}

// of is the namespace that a process is in, by the word of /proc.
func (s *seen) of(pid int) *state.Namespace {
	s.Helper()
	link, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/ns/net")
	if err != nil {
		s.Fatal(err)
	}
	i := slices.IndexFunc(s.snap.Namespaces, func(n state.Namespace) bool { return fmt.Sprintf("net:[%d]", n.Inode) == link })
	if i < 0 {
		s.Fatalf("no namespace %s", link)
	}
	return &s.snap.Namespaces[i]
}

// link is a link of a namespace.
func (s *seen) link(key, name string) *state.Link {
	s.Helper()
	l := s.ns(key).Link(name)
	if l == nil {
		s.Fatalf("no link %q in %s", name, key)
	}
	return l
}

// is compares.
func (s *seen) is(what string, got, want any) {
	s.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Errorf("%s is %v, want %v", what, got, want)
	}
}

// heldBy compares the kinds of what holds a namespace, and in ls -a who made it. Copies of mounts in other mount namespaces
// are passed over: every process with a private one has them.
func (s *seen) heldBy(n *state.Namespace, holders, owner string) {
	s.Helper()
	var kinds []string
	for _, h := range n.Holders {
		if h.Kind != "mount" || h.PID == 0 || h.PID == os.Getpid() {
			kinds = append(kinds, h.Kind)
		}
	}
	s.is("what holds it", strings.Join(kinds, " "), holders)
	for _, l := range s.list {
		if l.Name == n.Name {
			s.is("owner in ls -a", l.Kind, owner)
			return
		}
	}
	s.Errorf("%s is not in ls -a", n.Name)
}

// finds looks for something as find does, and wants it in one namespace.
func (s *seen) finds(what, key, kind string) {
	s.Helper()
	found := warren.Find(s.snap, what)
	if len(found) != 1 || found[0].NS != key || found[0].Kind != kind {
		s.Errorf("find %q: %+v, want %s in %s", what, found, kind, key)
	}
}

// page looks for words in what show prints.
func (s *seen) page(key string, words ...string) {
	s.Helper()
	text := draw.Page(&s.snap, key, draw.PageOptions{Firewall: warren.FirewallText, LegacyFirewall: warren.LegacyFirewallText})
	for _, w := range words {
		if !strings.Contains(text, w) {
			s.Errorf("no %q on the page of %s:\n%s", w, key, text)
		}
	}
	if strings.ContainsRune(text, '\x1b') {
		s.Errorf("an escape on the page of %s: %q", key, text)
	}
}

// unread are the entries of a namespace about what could not be read.
func (s *seen) unread(key string) (list []state.Unread) {
	for _, u := range s.snap.Unread {
		if u.NS == key {
			list = append(list, u)
		}
	}
	return list
}

// witness runs a program that prints JSON.
func witness(t testing.TB, into any, argv ...string) {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), argv[0], argv[1:]...).Output()
	if err != nil {
		t.Fatalf("%q: %v", argv, err)
	}
	if len(strings.TrimSpace(string(out))) == 0 {
		out = []byte("[]")
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%q: %v in %s", argv, err, out)
	}
}

// open is the facade.
func open(t *testing.T) *warren.Warren {
	t.Helper()
	wr, err := warren.Open(warren.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := wr.Close(); err != nil {
			t.Error(err)
		}
	})
	return wr
}

// begin is what every test here starts with. The first name ever makes /run/netns and leaves it, as iproute2 does.
func begin(t *testing.T) *world {
	t.Helper()
	kerneltest.Need(t, "root", "veth", "exec:ip", "exec:unshare", "exec:nsenter")
	w := &world{t}
	w.sh("ip netns add first; ip netns del first")
	kerneltest.LeakCheck(t)
	return w
}
