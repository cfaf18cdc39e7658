package watch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"warren/internal/kernel"
	"warren/internal/kerneltest"
	"warren/internal/watch"
	"warren/netns"
)

const patience = 30 * time.Second

// A listener collects events.
type listener struct {
	t      testing.TB
	mu     sync.Mutex
	events []watch.Event
	notes  []string
}

// listen watches until the test ends.
func listen(t testing.TB, o watch.Options) *listener {
	t.Helper()
	l := &listener{t: t}
	k := kernel.New(kernel.Config{NetnsDir: netns.Dir, RunDir: filepath.Join(t.TempDir(), "run")})
	ready := make(chan struct{})
	o.Observe, o.Ready = k.Observe, func() { close(ready) }
	o.Note = func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.notes = append(l.notes, err.Error())
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- watch.Run(ctx, o, func(e watch.Event) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.events = append(l.events, e)
			return nil
		})
	}()
	select {
	case <-ready:
	case err := <-done:
		cancel()
		t.Fatalf("the watch ended: %v", err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the watch ended with %v", err)
		}
		k.Close()
	})
	return l
}

func (l *listener) all() []watch.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.events)
}

// wants waits for events that are as described: "KIND NS REST...", each of the words somewhere in the event's line.
func (l *listener) wants(descriptions ...string) {
	l.t.Helper()
	kerneltest.Eventually(l.t, patience, func() error {
		events := l.all()
		for _, d := range descriptions {
			if !slices.ContainsFunc(events, func(e watch.Event) bool { return fits(e, d) }) {
				var b strings.Builder
				for _, e := range events {
					fmt.Fprintln(&b, line(e))
				}
				return fmt.Errorf("no event %q among\n%s(notes %q)", d, b.String(), l.notes)
			}
		}
		return nil
	})
}

func line(e watch.Event) string {
	var s strings.Builder
	s.WriteString(e.Kind + " " + e.NS)
	for _, w := range []string{e.Name, e.Link, e.To, e.Command, strings.Join(e.Changes, ",")} {
		if w != "" {
			s.WriteString(" " + w)
		}
	}
	if e.Addr != nil {
		s.WriteString(" " + e.Addr.Prefix.String())
	}
	if e.Route != nil {
		s.WriteString(" " + e.Route.Dst.String())
	}
	if e.Rule != nil {
		s.WriteString(" prio" + strconv.FormatUint(uint64(e.Rule.Priority), 10))
	}
	return s.String()
}

func fits(e watch.Event, description string) bool {
	words := strings.Fields(line(e))
	for w := range strings.FieldsSeq(description) {
		if !slices.Contains(words, w) {
			return false
		}
	}
	return true
}

// leakCheck is kerneltest's, after the directory of names is there: it stays.
func leakCheck(t testing.TB) {
	t.Helper()
	ip(t, "netns add first")
	ip(t, "netns del first")
	kerneltest.LeakCheck(t)
}

func ip(t testing.TB, args string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
}

// TestEvents lets iproute2 do things, here, in a namespace that was there before and in one that comes later.
func TestEvents(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "veth")
	leakCheck(t)
	ip(t, "netns add old")
	ip(t, "-n old link set lo up")
	l := listen(t, watch.Options{})
	if got := l.all(); len(got) > 0 {
		t.Errorf("what was there before is told: %+v", got)
	}
	ip(t, "link add w0 type veth peer name w1 netns old")
	l.wants("link-added host w0", "link-added old w1")
	ip(t, "link set w0 up")
	ip(t, "-n old link set w1 up mtu 1400")
	l.wants("link-up host w0", "link-up old w1", "link-changed old w1 1400")
	ip(t, "-n old addr add 192.0.2.1/24 dev w1")
	ip(t, "-n old route add 198.51.100.0/24 via 192.0.2.9")
	ip(t, "-n old rule add from 192.0.2.1 lookup 77 priority 500")
	l.wants("addr-added old w1 192.0.2.1/24", "route-added old 198.51.100.0/24", "rule-added old prio500")
	ip(t, "-n old rule del priority 500")
	ip(t, "-n old route del 198.51.100.0/24")
	ip(t, "-n old addr del 192.0.2.1/24 dev w1")
	l.wants("addr-removed old w1 192.0.2.1/24", "route-removed old 198.51.100.0/24", "rule-removed old prio500")
	ip(t, "link set w0 down")
	l.wants("link-down host w0")

	ip(t, "netns add new")
	l.wants("namespace-made", "namespace-named new")
	ip(t, "link set w0 netns new")
	l.wants("link-moved host w0 new", "link-added new w0")
	ip(t, "-n new link set w0 up")
	ip(t, "-n new addr add 192.0.2.7/24 dev w0")
	l.wants("link-up new w0", "addr-added new w0 192.0.2.7/24")
	ip(t, "-n new link del w0")
	l.wants("link-removed new w0", "link-removed old w1")
	ip(t, "netns del new")
	l.wants("namespace-unnamed new", "namespace-gone")
	ip(t, "netns del old")
	for _, e := range l.all() {
		if e.Kind == watch.Resync {
			t.Error("a resync without need")
		}
	}
}

// TestWhoDidIt needs BPF: the process that made a namespace, and the one that entered it.
func TestWhoDidIt(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "exec:unshare", "bpf-syscall")
	leakCheck(t)
	l := listen(t, watch.Options{Rescan: time.Hour})
	if len(l.notes) > 0 {
		t.Fatalf("system calls are not watched: %q", l.notes)
	}
	ip(t, "netns add room")
	l.wants("namespace-made", "namespace-named room")
	cmd := exec.CommandContext(t.Context(), "unshare", "-n", "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kerneltest.Eventually(t, patience, func() error {
		for _, e := range l.all() {
			if e.Kind == watch.Made && e.PID == cmd.Process.Pid {
				if e.User == "" || e.Command == "" {
					return fmt.Errorf("half of it: %+v", e)
				}
				return nil
			}
		}
		return fmt.Errorf("nobody made it: %+v", l.all())
	})
	ip(t, "netns exec room true")
	l.wants("namespace-entered room")
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	l.wants("namespace-gone")
	ip(t, "netns del room")
	for _, e := range l.all() {
		if e.PID == os.Getpid() {
			t.Errorf("our own visits are told: %+v", e)
		}
	}
}

// TestWithoutBPF still finds what has no name.
func TestWithoutBPF(t *testing.T) {
	kerneltest.Need(t, "exec:unshare")
	leakCheck(t)
	l := listen(t, watch.Options{NoCalls: true, Rescan: 20 * time.Millisecond})
	cmd := exec.CommandContext(t.Context(), "unshare", "-n", "cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.wants("namespace-made cat")
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	l.wants("namespace-gone")
}

// TestKeepsUp counts: of thousands of changes none is lost, or it is said that some are.
func TestKeepsUp(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "veth")
	leakCheck(t)
	ip(t, "netns add many")
	ip(t, "link add m0 type veth peer name m1 netns many")
	l := listen(t, watch.Options{})
	const changes = 2000
	var b strings.Builder
	for i := range changes {
		fmt.Fprintf(&b, "link set m1 mtu %d\n", 1000+i%2)
	}
	cmd := exec.CommandContext(t.Context(), "ip", "-n", "many", "-batch", "-")
	cmd.Stdin = strings.NewReader(b.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	kerneltest.Eventually(t, patience, func() error {
		n := 0
		for _, e := range l.all() {
			if e.Kind == watch.LinkChanged && e.NS == "many" && e.Link == "m1" {
				n++
			}
			if e.Kind == watch.Resync {
				return nil
			}
		}
		if n != changes {
			return fmt.Errorf("%d of %d changes", n, changes)
		}
		return nil
	})
	ip(t, "netns del many")
	l.wants("namespace-gone")
}

// TestResync: what a listener that does not keep up loses is said, and the state in the end is right.
func TestResync(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "veth")
	leakCheck(t)
	ip(t, "link add z0 type veth peer name z1")
	block := make(chan struct{})
	k := kernel.New(kernel.Config{NetnsDir: netns.Dir, RunDir: filepath.Join(t.TempDir(), "run")})
	defer k.Close()
	ready := make(chan struct{})
	var mu sync.Mutex
	resyncs, mtu := 0, uint32(0)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		first := true
		done <- watch.Run(ctx, watch.Options{
			Observe: k.Observe, Ready: func() { close(ready) }, Buffer: 4096, Queue: 1, NoCalls: true, Rescan: time.Hour,
		}, func(e watch.Event) error {
			if first {
				first = false
				<-block // a reader that does not keep up
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case e.Kind == watch.Resync:
				resyncs++
			case e.Link == "z0" && e.State != nil:
				mtu = e.State.MTU
			}
			return nil
		})
	}()
	<-ready
	var b strings.Builder
	for i := range 3000 { // many times what the socket's buffer holds
		fmt.Fprintf(&b, "link set z0 mtu %d\n", 1000+i%2)
	}
	b.WriteString("link set z0 mtu 1234\n")
	cmd := exec.CommandContext(t.Context(), "ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(b.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	close(block)
	kerneltest.Eventually(t, patience, func() error {
		mu.Lock()
		defer mu.Unlock()
		if resyncs == 0 || mtu != 1234 {
			return fmt.Errorf("%d resyncs, mtu %d", resyncs, mtu)
		}
		return nil
	})
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	ip(t, "link del z0")
}

// TestEnds: an error of the listener ends the watch, and is its error.
func TestEnds(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "bridge")
	leakCheck(t)
	k := kernel.New(kernel.Config{NetnsDir: netns.Dir, RunDir: filepath.Join(t.TempDir(), "run")})
	defer k.Close()
	enough := errors.New("enough")
	ready := make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- watch.Run(t.Context(), watch.Options{Observe: k.Observe, Ready: func() { close(ready) }}, func(watch.Event) error { return enough })
	}()
	<-ready
	ip(t, "link add e0 type bridge")
	if err := <-done; !errors.Is(err, enough) {
		t.Errorf("got %v, want %v", err, enough)
	}
	ip(t, "link del e0")
}
