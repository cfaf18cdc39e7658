package warren_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren"
	"warren/internal/kerneltest"
	"warren/plan"
	"warren/topo"
)

const keptFile = "/run/warren/default/lab.yaml"

func add(t *testing.T, w *warren.Warren, spec warren.NodeSpec) *warren.EditReport {
	t.Helper()
	report, err := w.Add(t.Context(), warren.AddOptions{NodeSpec: spec})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestEditThatFails makes the adapter fail before every single step of edits: file and kernel must be as before.
func TestEditThatFails(t *testing.T) {
	kerneltest.LeakCheck(t)
	fail := -1
	w := open(t, warren.Options{BeforeStep: func(i int, _ plan.Step) error {
		if i == fail {
			return errInjected
		}
		return nil
	}})
	first := warren.AddOptions{NodeSpec: warren.NodeSpec{Name: "a"}}
	for fail = 0; ; fail++ {
		_, err := w.Add(t.Context(), first)
		if err == nil {
			break
		}
		if !errors.Is(err, errInjected) {
			t.Fatal(err)
		}
		nothingLeft(t) // of a lab that was not there nothing is left
	}
	fail = -1
	add(t, w, warren.NodeSpec{Name: "b"})
	port, err := topo.ParsePublish("8080:80")
	if err != nil {
		t.Fatal(err)
	}
	edits := map[string]func() error{
		"add": func() error {
			_, err := w.Add(t.Context(), warren.AddOptions{NodeSpec: warren.NodeSpec{Name: "c", Nets: []string{"lan"}}})
			return err
		},
		"connect": func() error {
			_, err := w.Connect(t.Context(), "a", "b", warren.ConnectOptions{})
			return err
		},
		"publish": func() error {
			_, err := w.Publish(t.Context(), "a", []topo.Publish{port}, warren.EditOptions{})
			return err
		},
		"remove": func() error {
			_, err := w.Remove(t.Context(), []string{"b"}, warren.EditOptions{})
			return err
		},
	}
	for _, name := range []string{"add", "connect", "publish", "remove"} {
		t.Run(name, func(t *testing.T) {
			kernelBefore, fileBefore := dumpLab(t), read(t, keptFile)
			for fail = 0; ; fail++ {
				err := edits[name]()
				if err == nil {
					break
				}
				if !errors.Is(err, errInjected) {
					t.Fatal(err)
				}
				if diff := cmp.Diff(fileBefore, read(t, keptFile)); diff != "" {
					t.Fatalf("step %d: the file has changed (-before +after):\n%s", fail, diff)
				}
				if diff := cmp.Diff(kernelBefore, dumpLab(t)); diff != "" {
					t.Fatalf("step %d: the kernel has changed (-before +after):\n%s", fail, diff)
				}
			}
			if fail == 0 {
				t.Error("no step")
			}
			fail = -1
			statusIs(t, w, topo.DefaultLab, "up")
		})
	}
	if _, err := w.Remove(t.Context(), []string{"a", "c"}, warren.EditOptions{}); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t)
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func statusIs(t *testing.T, w *warren.Warren, name, want string) *warren.Status {
	t.Helper()
	st, err := w.Status(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if st.State != want {
		t.Errorf("lab %s is %s, want %s: %v %v", name, st.State, want, st.Drift, st.Other)
	}
	return st
}

// TestEditOfALabFromAFile changes the running lab and what is kept of it; the file stays, and an up of it undoes the edit.
func TestEditOfALabFromAFile(t *testing.T) {
	kerneltest.LeakCheck(t)
	const text = "name: shop # mine\nnets:\n  up: {nodes: [a, b], uplink: true} # the way out\n  lan: [a, b]\nchecks:\n  - a can ping b\n"
	file := labFile(t, text)
	w := open(t, warren.Options{})
	l, err := warren.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Up(t.Context(), l, warren.UpOptions{NoChecks: true}); err != nil {
		t.Fatal(err)
	}
	in := warren.EditOptions{Lab: "shop"}
	if _, err := w.Add(t.Context(), warren.AddOptions{EditOptions: in, NodeSpec: warren.NodeSpec{Name: "c"}}); err == nil || !strings.Contains(err.Error(), "--net") {
		t.Errorf("a node without a net in a lab without a net default: %v", err)
	}
	// The pair becomes a bridge.
	report, err := w.Add(t.Context(), warren.AddOptions{EditOptions: in, NodeSpec: warren.NodeSpec{Name: "c", Nets: []string{"lan"}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Nodes) != 1 || len(report.Nodes[0].Addrs) != 1 || !strings.HasPrefix(report.Nodes[0].Addrs[0], "lan ") {
		t.Errorf("report %+v", report.Nodes)
	}
	st := statusIs(t, w, "shop", "up")
	if st.Edited != file {
		t.Errorf("edited %q, want %q", st.Edited, file)
	}
	if got := read(t, file); got != text {
		t.Errorf("the user's file was changed:\n%s", got)
	}
	want := strings.Replace(text, "lan: [a, b]", "lan: [a, b, c]", 1)
	if diff := cmp.Diff(want, read(t, "/run/warren/shop/lab.yaml")); diff != "" {
		t.Errorf("kept file (-want +got):\n%s", diff)
	}
	if report, err := w.Repair(t.Context(), "shop", warren.UpOptions{NoChecks: true}); err != nil || report.Steps != 0 {
		t.Errorf("repair has something to do after an edit: %+v, %v", report, err)
	}
	report, err = w.Remove(t.Context(), []string{"b"}, in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a can ping b"}, report.Dropped); diff != "" {
		t.Errorf("dropped checks (-want +got):\n%s", diff)
	}
	up, err := w.Up(t.Context(), l, warren.UpOptions{NoChecks: true})
	if err != nil {
		t.Fatal(err)
	}
	if up.Steps == 0 || !slices.ContainsFunc(up.Notes, func(n string) bool { return strings.Contains(n, "single commands") }) {
		t.Errorf("up of the file says nothing of the edits: %+v", up)
	}
	if st := statusIs(t, w, "shop", "up"); st.Edited != "" || len(st.Nodes) != 2 {
		t.Errorf("after up of the file: %+v", st)
	}
	if report, err := w.Remove(t.Context(), []string{"a", "b"}, in); err != nil || !report.Down {
		t.Errorf("the last node's end: %+v, %v", report, err)
	}
	nothingLeft(t)
}

// TestEditRefusals: one sentence for each likely mistake, with the owner's name, and nothing has changed.
func TestEditRefusals(t *testing.T) {
	kerneltest.LeakCheck(t)
	w := open(t, warren.Options{})
	other := labFile(t, "name: other\nnets:\n  up: {cidr: 10.66.1.0/24, nodes: [x], uplink: true}\nnodes:\n  x: {publish: [8098:80]}\n")
	run(t, "up", other)
	port := func(s string) []topo.Publish {
		p, err := topo.ParsePublish(s)
		if err != nil {
			t.Fatal(err)
		}
		return []topo.Publish{p}
	}
	add(t, w, warren.NodeSpec{Name: "web", Publish: port("8099:80")})
	add(t, w, warren.NodeSpec{Name: "alone", NoUplink: true})
	stop := listen(t, "127.0.0.1:8097")
	defer stop()
	publish := func(node, p string) error {
		_, err := w.Publish(t.Context(), node, port(p), warren.EditOptions{})
		return err
	}
	addErr := func(spec warren.NodeSpec) error {
		_, err := w.Add(t.Context(), warren.AddOptions{NodeSpec: spec})
		return err
	}
	addr := []netip.Prefix{netip.MustParsePrefix("10.192.0.9/32")}
	add(t, w, warren.NodeSpec{Name: "fixed", IP: addr})
	before := read(t, keptFile)
	for _, c := range []struct {
		name string
		err  error
		is   error
		want []string
	}{
		{"port-of-a-node", publish("alone", "8099:80"), nil, []string{"no net with a way out", "warren connect alone default"}},
		{"port-of-another-node", publish("fixed", "127.0.0.1:8099:80"), warren.ErrExist, []string{`node "web"`, "8099:80/tcp"}},
		{"port-of-another-lab", publish("web", "8098:80"), warren.ErrExist, []string{`node "x" of lab "other"`, "8098"}},
		{"port-of-another-lab-at-one-address", publish("web", "127.0.0.1:8098:80"), warren.ErrExist, []string{`node "x" of lab "other"`, "8098"}},
		{"port-of-a-process", publish("web", "8097:80"), nil, []string{fmt.Sprintf("PID %d (", os.Getpid()), "8097"}},
		{"name-twice", addErr(warren.NodeSpec{Name: "web"}), warren.ErrExist, []string{`has a node "web" already`, "warren rm web"}},
		{"reserved-name", addErr(warren.NodeSpec{Name: "host"}), nil, []string{"reserved"}},
		{"address-twice", addErr(warren.NodeSpec{Name: "n", IP: addr}), nil, []string{"fixed and n both have 10.192.0.9"}},
		{"address-elsewhere", addErr(warren.NodeSpec{Name: "n", IP: []netip.Prefix{netip.MustParsePrefix("10.1.0.9/32")}}), nil, []string{"10.1.0.9 is not in 10.192.0.0/16"}},
		{"way-out-of-a-net", addErr(warren.NodeSpec{Name: "n", Nets: []string{"default"}, NoUplink: true}), nil, []string{"way out"}},
		{"no-node", errOf(w.Remove(t.Context(), []string{"wbe"}, warren.EditOptions{})), warren.ErrNotExist, []string{`no node "wbe"`, "did you mean web?"}},
		{"no-lab", errOf(w.Remove(t.Context(), []string{"web"}, warren.EditOptions{Lab: "nolab"})), warren.ErrNotExist, []string{"nolab", "warren labs"}},
		{"no-port", errOf(w.Unpublish(t.Context(), "web", []warren.PortMatch{{Proto: "udp"}}, warren.EditOptions{})), warren.ErrNotExist, []string{"it has 8099:80/tcp"}},
		{"no-cable", errOf(w.Disconnect(t.Context(), "web", "fixed", warren.EditOptions{})), warren.ErrNotExist, []string{"no cable", "warren disconnect web default"}},
		{"no-such-end", errOf(w.Connect(t.Context(), "web", "lan", warren.ConnectOptions{})), warren.ErrNotExist, []string{`no node and no net "lan"`, "--net lan"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(c.err.Error(), want) {
					t.Errorf("%v\ndoes not say %q", c.err, want)
				}
			}
			if c.is != nil && !errors.Is(c.err, c.is) {
				t.Errorf("%v is not %v", c.err, c.is)
			}
		})
	}
	if diff := cmp.Diff(before, read(t, keptFile)); diff != "" {
		t.Errorf("a refused edit has changed the file:\n%s", diff)
	}
	statusIs(t, w, topo.DefaultLab, "up")
	run(t, "down", topo.DefaultLab)
	run(t, "down", "other")
	nothingLeft(t)
}

func errOf[T any](_ T, err error) error { return err }

// TestConnect: cables with addresses, a third member, what goes when an end goes.
func TestConnect(t *testing.T) {
	kerneltest.LeakCheck(t)
	w := open(t, warren.Options{})
	for _, n := range []string{"a", "b", "c"} {
		add(t, w, warren.NodeSpec{Name: n, NoUplink: true})
	}
	ips := []netip.Prefix{netip.MustParsePrefix("10.9.0.1/24"), netip.MustParsePrefix("fd00:9::1/64"), netip.MustParsePrefix("10.9.0.2/24")}
	report, err := w.Connect(t.Context(), "a", "b", warren.ConnectOptions{IP: ips, MTU: 9000})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a-b"}, report.Nets); diff != "" {
		t.Errorf("cable (-want +got):\n%s", diff)
	}
	sh(t, "ip netns exec default.a ping -c 1 -W 5 -s 8000 -M do 10.9.0.2 >/dev/null; ip netns exec default.b ping -c 1 -W 5 fd00:9::1 >/dev/null")
	if _, err := w.Connect(t.Context(), "c", "a-b", warren.ConnectOptions{}); err != nil {
		t.Fatal(err)
	}
	sh(t, "ip netns exec default.c ping -c 1 -W 5 10.9.0.2 >/dev/null")
	if _, err := w.Connect(t.Context(), "b", "c", warren.ConnectOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Remove(t.Context(), []string{"b"}, warren.EditOptions{}); err != nil {
		t.Fatal(err)
	}
	if links := sh(t, "ip netns exec default.c ip -br link"); strings.Contains(links, "b-c") || !strings.Contains(links, "a-b") {
		t.Errorf("after the end of b, c has:\n%s", links)
	}
	if _, err := w.Disconnect(t.Context(), "c", "a-b", warren.EditOptions{}); err != nil {
		t.Fatal(err)
	}
	statusIs(t, w, topo.DefaultLab, "up")
	if _, err := w.Remove(t.Context(), []string{"a", "c"}, warren.EditOptions{}); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t)
}

// TestHundredAtOnce adds, publishes and removes from a hundred processes at once. Every port is wanted twice: one gets it,
// the other is told who has it. No address and no port is there twice, and file and kernel agree.
func TestHundredAtOnce(t *testing.T) {
	kerneltest.LeakCheck(t)
	binaryOrFail(t)
	n := 100
	if testing.Short() {
		n = 20
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := map[int]string{}
	for i := range n {
		wg.Go(func() {
			node := fmt.Sprintf("n%d", i)
			if out, stderr, code := try(t, "add", node); code != 0 {
				t.Errorf("add: exit %d\n%s%s", code, out, stderr)
				return
			}
			port := 9000 + i/2
			_, stderr, code := try(t, "publish", node, fmt.Sprintf("%d:80", port))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case code == 0 && won[port] == "":
				won[port] = node
			case code == 0:
				t.Errorf("port %d: %s and %s both have it", port, won[port], node)
			case !strings.Contains(stderr, fmt.Sprintf("node %q of lab \"default\" has published %d:80/tcp", fmt.Sprintf("n%d", i^1), port)):
				t.Errorf("publish: exit %d without the owner's name: %s", code, stderr)
			}
		})
		if i%4 == 3 { // and others come and go
			wg.Go(func() {
				node := fmt.Sprintf("guest%d", i)
				if out, stderr, code := try(t, "add", node); code != 0 {
					t.Errorf("add: exit %d\n%s%s", code, out, stderr)
				}
				if out, stderr, code := try(t, "rm", node); code != 0 {
					t.Errorf("rm: exit %d\n%s%s", code, out, stderr)
				}
			})
		}
	}
	wg.Wait()
	if len(won) != n/2 {
		t.Errorf("%d ports are published, want %d", len(won), n/2)
	}
	var st warren.Status
	if err := json.Unmarshal([]byte(run(t, "status", topo.DefaultLab, "--json")), &st); err != nil {
		t.Fatal(err)
	}
	if st.State != "up" || len(st.Nodes) != n {
		t.Errorf("the lab is %s with %d nodes, want up with %d", st.State, len(st.Nodes), n)
	}
	owner := map[string]string{}
	for _, node := range st.Nodes {
		if len(node.Addrs) != 1 {
			t.Errorf("node %s has %v", node.Name, node.Addrs)
		}
		for _, a := range node.Addrs {
			if owner[a] != "" {
				t.Errorf("%s and %s both have %s", owner[a], node.Name, a)
			}
			owner[a] = node.Name
		}
	}
	kept := read(t, keptFile)
	for port, node := range won {
		if strings.Count(kept, fmt.Sprintf("%d:80/tcp", port)) != 1 {
			t.Errorf("port %d of %s is not once in the file:\n%s", port, node, kept)
		}
	}
	if elements := strings.Count(sh(t, "nft list map inet warren publish4_any"), "comment"); elements != len(won) {
		t.Errorf("%d ports in nftables, want %d", elements, len(won))
	}
	args := []string{"rm"}
	for i := range n {
		args = append(args, fmt.Sprintf("n%d", i))
	}
	run(t, args...)
	nothingLeft(t)
}
