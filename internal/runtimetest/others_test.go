package runtimetest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"warren"
	"warren/internal/kerneltest"
)

// owned waits until exactly one line of "ls -a" has an owner, and returns it. With a program it waits until that runs there:
// unshare(1) and a shell are in the namespace before it.
func owned(t *testing.T, kind, who string, program ...string) (line warren.NamespaceInfo) {
	t.Helper()
	kerneltest.Eventually(t, patience, func() error {
		n := 0
		for _, l := range listing(t) {
			if l.Kind == kind && l.Who == who {
				line, n = l, n+1
			}
		}
		if n != 1 {
			return fmt.Errorf("%d lines of ls -a for %s %s", n, kind, who)
		}
		if len(program) > 0 && line.Command != strings.Join(program, " ") {
			return fmt.Errorf("%s %s runs %q", kind, who, line.Command)
		}
		return nil
	})
	return line
}

// TestOwnersWithoutContainers names what is made without an engine: by ip(8), unshare(1), a lab, a CNI plugin, a unit of systemd's.
func TestOwnersWithoutContainers(t *testing.T) {
	kerneltest.Need(t, "exec:ip", "exec:unshare", "veth", "bridge", "nftables", "root")
	kerneltest.LeakCheck(t)
	e := newEngine(t, "")
	e.start("", "sleep", "1001")
	sh := func(script string) {
		t.Helper()
		if out, err := exec.CommandContext(context.Background(), "sh", "-euc", script).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	const cni = "cni-0b1c2d3e-1111-2222-3333-444455556666"
	sh("ip netns add blue; ip netns add " + cni)
	t.Cleanup(func() { sh("ip netns del blue; ip netns del " + cni) })
	if l := owned(t, "ip-netns", "blue"); l.Name != "blue" || l.Processes != 0 || !strings.HasSuffix(l.Held, "/run/netns/blue") && l.Held != "" {
		t.Errorf("ip netns: %+v", l)
	}
	if l := owned(t, "cni", cni); l.Name != cni {
		t.Errorf("a CNI plugin's: %+v", l)
	}

	// A process that only has unshared; a unit is one in a group of its own. Both end with the groups.
	e.run("sh", "-euc", `unshare -n tail -f /dev/null >/dev/null 2>&1 &`)
	if l := owned(t, "process", "tail", "tail", "-f", "/dev/null"); l.Processes != 1 {
		t.Errorf("unshare: %+v", l)
	}
	var script strings.Builder
	for _, dir := range e.groups {
		dir = filepath.Join(dir, "system.slice", "private-net.service", "payload")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		script.WriteString("(echo $$ >" + dir + "/cgroup.procs) 2>/dev/null || true\n") // refused where a group has to be given processors first
	}
	sh(script.String() + "unshare -n sleep 1003 >/dev/null 2>&1 &")
	if l := owned(t, "systemd", "private-net.service", "sleep", "1003"); l.Processes != 1 {
		t.Errorf("a unit: %+v", l)
	}

	lab := filepath.Join(t.TempDir(), "burrow.yaml")
	if err := os.WriteFile(lab, []byte("name: burrow\nnodes: {west: {}, east: {}}\nnets: {lan: {nodes: [west, east]}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "up", lab)
	t.Cleanup(func() { run(t, "down", "burrow") })
	var nodes []string
	for _, l := range listing(t) {
		if l.Kind == "lab" && l.Who == "burrow" && l.Node != "" {
			nodes = append(nodes, l.Name)
		}
	}
	slices.Sort(nodes)
	if diff := cmp.Diff([]string{"burrow.east", "burrow.west"}, nodes); diff != "" {
		t.Errorf("a lab's nodes: %s", diff)
	}
}

// lxcConf is lxc.container.conf(5): a container that shares the machine's files.
const lxcConf = `lxc.net.0.type = empty
lxc.uts.name = box
lxc.tty.max = 0
lxc.console.path = none
lxc.mount.auto = proc:mixed
`

// TestOtherContainers: those of LXC are called by their names, sandboxes of bubblewrap by their programs.
func TestOtherContainers(t *testing.T) {
	kerneltest.Need(t, "exec:lxc-execute", "exec:bwrap", "exec:unshare", "root")
	kerneltest.LeakCheck(t)
	e := newEngine(t, "lxc")
	config := filepath.Join(e.dir, "config")
	if err := os.WriteFile(config, []byte(lxcConf), 0o600); err != nil {
		t.Fatal(err)
	}
	// It puts its groups below those of process 1, so that has to be one of its own.
	e.start("", "unshare", "-p", "-f", "--mount-proc", "lxc-execute", "-P", e.dir, "-n", "box", "-f", config, "--", "/bin/sleep", "1002")
	e.run("sh", "-euc", `bwrap --bind / / --unshare-net --dev /dev -- tail -f /dev/null >/dev/null 2>&1 &`)
	if l := owned(t, "process", "bwrap"); !strings.Contains(l.Command, "tail") || l.Processes < 1 {
		t.Errorf("bwrap: %+v", l)
	}
	l := owned(t, "lxc", "box")
	if diff := cmp.Diff([]string{"box"}, l.Containers); diff != "" {
		t.Errorf("lxc: %+v", l)
	}
	want := "net:[" + strconv.FormatUint(inode(t, l.PID), 10) + "]"
	if got := run(t, "enter", "container:box", "--", "readlink", "/proc/self/ns/net"); got != want {
		t.Errorf("enter container:box is in %s, want %s", got, want)
	}
	if found := find(t, "box"); len(found) != 1 || found[0].NS != l.Name {
		t.Errorf("find box: %+v", found)
	}
}
