package runtimetest_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren"
	"warren/internal/kerneltest"
	"warren/state"
)

// A box is a namespace in which containers live, as their engine tells of it.
type box struct {
	owner      string // kind of the owner
	who        string // name of the owner
	name, id   string // of one of its containers
	pid        int    // of that container's first process
	containers []string
	bridge     string // that its eth0 leads to; "" = it has no cable
	addr       string // of its eth0, "" = none
	ns         string // what warren calls the namespace, once it was asked
}

// key is what warren calls the namespace that a box is in.
func (b *box) key(t testing.TB) string {
	t.Helper()
	if b.ns == "" {
		b.ns = show(t, "pid:"+strconv.Itoa(b.pid)).Name
	}
	return b.ns
}

// checkBoxes compares all that warren says of an engine's boxes with the witnesses.
func checkBoxes(t *testing.T, e *engine, boxes ...*box) {
	t.Helper()
	snapshot := filepath.Join(e.dir, "snapshot.json")
	run(t, "snapshot", "-o", snapshot)
	for _, b := range boxes {
		b.check(t, e, snapshot)
	}
	checkListing(t, boxes)
}

func (b *box) check(t *testing.T, e *engine, snapshot string) {
	t.Helper()
	n := show(t, "container:"+b.id)
	if want := inode(t, b.pid); n.Inode != want {
		t.Fatalf("container:%s is namespace %d, want %d", b.id, n.Inode, want)
	}
	if o := n.Owner; o == nil || o.Kind != b.owner || o.Name != b.who || o.Evidence == "" {
		t.Errorf("%s: owner %+v, want %s %s", b.name, o, b.owner, b.who)
	}
	b.checkContainers(t, e, &n)
	b.checkFound(t, e, &n, snapshot)
	b.checkEntered(t)
	if b.bridge != "" {
		b.checkCable(t, e, &n)
	}
}

func (b *box) checkContainers(t *testing.T, e *engine, n *state.Namespace) {
	t.Helper()
	var names []string
	for _, c := range n.Containers {
		names = append(names, c.Name)
		if c.Name != b.name {
			continue
		}
		if c.Kind != e.kind || c.ID != b.id || c.PID != b.pid {
			t.Errorf("container %+v, want %s %s with process %d", c, e.kind, b.id, b.pid)
		}
	}
	if diff := cmp.Diff(b.containers, names); diff != "" {
		t.Errorf("%s: containers (-want +got):\n%s", b.name, diff)
	}
	var pids []int
	for _, p := range n.Processes {
		pids = append(pids, p.PID)
	}
	if !slices.Contains(pids, b.pid) {
		t.Errorf("%s: processes %v, without %d", b.name, pids, b.pid)
	}
}

// checkListing looks for the lines of "ls -a": what they say does not depend on what other engines do meanwhile.
func checkListing(t *testing.T, boxes []*box) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error { // processes come and go
		list := listing(t)
		for _, b := range boxes {
			if err := b.listed(t, list); err != nil {
				return err
			}
		}
		return nil
	})
	lines := strings.Split(run(t, "ls", "-a"), "\n")
	for _, b := range boxes {
		key := b.key(t)
		if !slices.ContainsFunc(lines, func(l string) bool {
			return strings.Contains(l, key+" ") && strings.Contains(l, b.who)
		}) {
			t.Errorf("ls -a has no line for %s with %s:\n%s", b.name, b.who, strings.Join(lines, "\n"))
		}
	}
}

// listed looks for a box's line.
func (b *box) listed(t *testing.T, list []warren.NamespaceInfo) error {
	t.Helper()
	key := b.key(t)
	var lines []warren.NamespaceInfo
	for _, l := range list {
		if l.Kind == b.owner && l.Who == b.who && l.Name == key {
			lines = append(lines, l)
		}
	}
	if len(lines) != 1 {
		return fmt.Errorf("%s: %d lines of ls -a: %+v", b.name, len(lines), lines)
	}
	pids, l := processes(t, b.pid), lines[0]
	want := warren.NamespaceInfo{
		Name: key, Owner: "other", Cookie: l.Cookie, State: "ok", Kind: b.owner, Who: b.who, Addrs: addresses(t, b.pid),
		Processes: len(pids), PID: pids[0], Containers: b.containers, Created: l.Created, Command: l.Command,
	}
	if diff := cmp.Diff(want, l); diff != "" {
		return fmt.Errorf("%s in ls -a (-want +got):\n%s", b.name, diff)
	}
	return nil
}

// checkFound looks for the container by all that people know of one: now, and in a snapshot.
func (b *box) checkFound(t *testing.T, e *engine, n *state.Namespace, snapshot string) {
	t.Helper()
	found := func(what, kind string, list []warren.Match) {
		t.Helper()
		if !slices.ContainsFunc(list, func(m warren.Match) bool {
			return m.NS == n.Name && m.Kind == kind && (kind != "container" || m.PID == b.pid && strings.Contains(m.Text, e.kind+" "+b.name))
		}) {
			t.Errorf("find %s: %+v, want %s of %s in %s", what, list, kind, b.name, n.Name)
		}
	}
	found(b.name, "container", find(t, b.name))
	if b.addr != "" {
		found(b.addr, "address", find(t, b.addr))
	}
	kinds := map[string]string{
		b.name: "container", b.id: "container", "container:" + b.name: "container", "container:" + b.id: "container",
		"pid:" + strconv.Itoa(b.pid): "pid",
	}
	if len(b.id) == 64 {
		kinds[b.id[:12]], kinds["container:"+b.id[:8]] = "container", "container"
	}
	if b.addr != "" {
		kinds[b.addr] = "address"
		for _, d := range devices(t, b.pid) {
			if d.Name == "eth0" {
				kinds[d.MAC] = "mac"
			}
		}
	}
	for what, kind := range kinds {
		found(what, kind, decode[[]warren.Match](t, "find", "--snapshot", snapshot, "--json", what))
	}
}

// checkEntered enters the container by its name and by its id.
func (b *box) checkEntered(t *testing.T) {
	t.Helper()
	want := fmt.Sprintf("net:[%d]", inode(t, b.pid))
	for _, ref := range []string{b.id, b.name, b.id[:min(12, len(b.id))]} {
		if got := run(t, "enter", "container:"+ref, "--", "readlink", "/proc/self/ns/net"); got != want {
			t.Errorf("enter container:%s is in %s, want %s", ref, got, want)
		}
	}
	if got := run(t, "exec", "container:"+b.name, "--", "readlink", "/proc/self/ns/net"); got != want {
		t.Errorf("exec container:%s is in %s, want %s", b.name, got, want)
	}
	// With all of its namespaces: its own file system, and its first process is 1.
	if got := run(t, "enter", "container:"+b.name, "--all", "--", "/bin/sh", "-c", "read page </www/index.html; echo $page; kill -0 1 && echo 1"); got != page+"\n1" {
		t.Errorf("enter container:%s --all: %q", b.name, got)
	}
	// The grammar of ip(8), in it and from outside of it.
	got, err := within(b.pid, "ip", "-o", "link")
	if mine := run(t, "-n", "container:"+b.name, "-o", "link"); err != nil || mine != strings.TrimSpace(string(got)) {
		t.Errorf("warren -n container:%s -o link: %v\n%s\nand ip in it:\n%s", b.name, err, mine, got)
	}
}

// checkCable follows eth0 to the engine's bridge and back.
func (b *box) checkCable(t *testing.T, e *engine, n *state.Namespace) {
	t.Helper()
	host := show(t, "pid:"+strconv.Itoa(e.pid))
	var mine, theirs device
	for _, d := range devices(t, b.pid) {
		if d.Name == "eth0" {
			mine = d
		}
	}
	for _, d := range devices(t, e.pid) {
		if d.Index == mine.Peer {
			theirs = d
		}
	}
	if theirs.Master != b.bridge || mine.Peer == 0 {
		t.Fatalf("%s: ip shows eth0 %+v, its peer %+v; want a port of %s", b.name, mine, theirs, b.bridge)
	}
	near, far := link(n, "eth0"), link(&host, theirs.Name)
	switch {
	case near == nil || near.Peer == nil || near.Peer.NS != host.Name || near.Peer.Name != theirs.Name || near.Peer.Index != theirs.Index:
		t.Errorf("%s: eth0 leads to %+v, want %s in %s", b.name, near, theirs.Name, host.Name)
	case far == nil || far.Peer == nil || far.Peer.NS != n.Name || far.Peer.Name != "eth0" || far.Peer.Index != mine.Index || far.Master != b.bridge:
		t.Errorf("%s of the engine leads to %+v, want eth0 in %s", theirs.Name, far, n.Name)
	}
}

func link(n *state.Namespace, name string) *state.Link {
	for i := range n.Links {
		if n.Links[i].Name == name {
			return &n.Links[i]
		}
	}
	return nil
}

// gone waits until nothing is left of a container that its engine has removed.
func gone(t *testing.T, name string) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		if found := find(t, name); len(found) > 0 {
			return fmt.Errorf("find %s: %+v", name, found)
		}
		for _, l := range listing(t) {
			if l.Who == name || slices.Contains(l.Containers, name) {
				return fmt.Errorf("ls -a still has %+v", l)
			}
		}
		return nil
	})
}
