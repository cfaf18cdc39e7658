package kernel_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"warren/internal/kernel"
	"warren/internal/kerneltest"
	"warren/netns"
	"warren/plan"
	"warren/state"
)

// run runs a program that is not ours, and must succeed.
func run(t testing.TB, name string, arg ...string) []byte {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), name, arg...).Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("%s %v: %v: %s", name, arg, err, e.Stderr)
		}
		t.Fatalf("%s %v: %v", name, arg, err)
	}
	return out
}

func decode(t testing.TB, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
}

// TestWitness lets iproute2 say what was made.
func TestWitness(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "veth", "bridge")
	leakCheck(t)
	k := newKernel(t)
	steps := star("wit", 3)
	apply(t, k, steps)
	for i, node := range []string{"wit.n0000", "wit.n0001", "wit.n0002"} {
		var links []struct {
			Name     string   `json:"ifname"`
			Flags    []string `json:"flags"`
			State    string   `json:"operstate"`
			AltNames []string `json:"altnames"`
		}
		kerneltest.Eventually(t, 20*time.Second, func() error { // a worker of the kernel makes it UP after the cable has carrier
			links = nil
			decode(t, run(t, "ip", "-n", node, "-j", "link"), &links)
			if len(links) != 2 || links[0].Name != "lo" || links[1].Name != "lan" || links[1].State != "UP" {
				return fmt.Errorf("%s: links %+v", node, links)
			}
			return nil
		})
		if want := "warren." + node; len(links[0].AltNames) != 1 || links[0].AltNames[0] != want {
			t.Errorf("%s: lo has the alternative names %q, want %s", node, links[0].AltNames, want)
		}
		var addrs []struct {
			Info []struct {
				Family string `json:"family"`
				Local  string `json:"local"`
				Len    int    `json:"prefixlen"`
			} `json:"addr_info"`
		}
		decode(t, run(t, "ip", "-n", node, "-j", "addr", "show", "dev", "lan"), &addrs)
		want := []string{"10.200.0.2", "10.200.0.3", "10.200.0.4"}[i]
		if len(addrs) != 1 || len(addrs[0].Info) != 1 || addrs[0].Info[0].Local != want || addrs[0].Info[0].Len != 16 {
			t.Errorf("%s: addresses %+v, want only %s/16 (and no IPv6)", node, addrs, want)
		}
		var routes []struct {
			Dst, Gateway, Dev, Protocol string
		}
		decode(t, run(t, "ip", "-n", node, "-j", "route", "show", "default"), &routes)
		if len(routes) != 1 || routes[0].Gateway != "10.200.0.1" || routes[0].Dev != "lan" || routes[0].Protocol != "119" {
			t.Errorf("%s: default route %+v", node, routes)
		}
	}
	var names []struct{ Name string }
	decode(t, run(t, "ip", "-j", "netns"), &names)
	if len(names) != 3 {
		t.Errorf("ip netns knows %v", names)
	}
	run(t, "ip", "netns", "exec", "wit.n0000", "true")
	apply(t, k, destroy(steps))
}

// TestForeign puts somebody else's things beside ours.
func TestForeign(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "veth")
	leakCheck(t)
	k := newKernel(t)
	run(t, "ip", "netns", "add", "for.n0001") // named like our second node, and not marked
	run(t, "ip", "-n", "for.n0001", "link", "add", "theirs", "type", "veth", "peer", "name", "theirs2")
	before := run(t, "ip", "-n", "for.n0001", "-d", "addr")
	steps := star("for", 3)

	r := k.Apply(context.Background(), steps, plan.Hooks{})
	if !errors.Is(r.Err, netns.ErrExist) || !errors.Is(r.Err, unix.EEXIST) {
		t.Fatalf("error %v, want ErrExist", r.Err)
	}
	if e, ok := errors.AsType[*kernel.OpError](r.Err); !ok || e.NS != "for.n0001" || e.Op != "create" || e.Hint == "" {
		t.Errorf("the error does not tell: %+v", r.Err)
	}
	for i, s := range steps {
		want := plan.NotTried
		switch {
		case s.NS == "for.@switch" && i < 2, s.NS == "for.n0000" && i < 4:
			want = plan.Done
		case s.NS == "for.n0001" && s.After.Namespace != nil:
			want = plan.Failed
		}
		if r.Status[i] != want {
			t.Errorf("step %d (%s %v) is %d, want %d", i, s.NS, s.Verb(), r.Status[i], want)
		}
	}
	apply(t, k, plan.Undo(steps, r))

	gone := k.Apply(context.Background(), destroy(steps)[2:3], plan.Hooks{})
	if !errors.Is(gone.Err, kernel.ErrNotOurs) {
		t.Errorf("removal of a foreign namespace: %v", gone.Err)
	}
	if after := run(t, "ip", "-n", "for.n0001", "-d", "addr"); string(after) != string(before) {
		t.Errorf("the foreign namespace has changed:\n%s\nwas\n%s", after, before)
	}
	run(t, "ip", "netns", "del", "for.n0001")
}

// TestVanish removes namespaces while they are read: they are there whole, or not at all.
func TestVanish(t *testing.T) {
	kerneltest.Need(t, "veth", "bridge")
	leakCheck(t)
	k := newKernel(t)
	const n = 40
	steps := star("van", n)
	apply(t, k, steps)
	done := make(chan plan.Report, 1)
	go func() { done <- k.Apply(context.Background(), destroy(steps)[1:], plan.Hooks{}) }()
	for end := false; !end; {
		select {
		case r := <-done:
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			end = true
		default:
		}
		s, err := k.Observe(context.Background(), state.Query{Lab: "van", Parts: state.PartLinks})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range s.Unread {
			if u.NS != "van.@switch" { // its links go while they are listed
				t.Errorf("unread %+v", u)
			}
		}
		for _, ns := range s.Namespaces {
			if ns.Link("lo") == nil || ns.Mark.IsZero() {
				t.Errorf("%s is there without lo or mark", ns.Name)
			}
		}
	}
	if s := observe(t, k, state.Query{Lab: "van", Parts: state.PartLinks}); len(s.Namespaces) != 1 || len(s.Namespaces[0].Links) != 2 {
		t.Errorf("left: %d namespaces, first with links %+v", len(s.Namespaces), s.Namespaces[0].Links)
	}
	apply(t, k, destroy(steps)[:1])
}
