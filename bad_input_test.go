package warren_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warren/internal/kerneltest"
)

// TestBadInput: what cannot be is one clear error with its place, found before anything is made. The scripts of the command
// line have more of these; here are those that need the kernel, or room.
func TestBadInput(t *testing.T) {
	var deep strings.Builder
	deep.WriteString("x0: &x0 [a, b]\n")
	for i := 1; i < 40; i++ {
		fmt.Fprintf(&deep, "x%d: &x%d [*x%d, *x%d, *x%d]\n", i, i, i-1, i-1, i-1)
	}
	const plain = "name: bad\nnets: {lan: [a, b, c]}\n"
	const uplink = "name: bad\nnets: {lan: {cidr: 10.45.0.0/24, nodes: [a], uplink: true}}\n"
	cases := []struct {
		name, text, prepare, clear string
		want                       []string
	}{
		{"lab_name", "name: ../../etc/x\nnets: {lan: [a, b]}\n", "", "", []string{"warren.yaml:1:7", "../../etc/x"}},
		{"node_name", "name: bad\nnets: {lan: [a, ../../etc/x]}\n", "", "", []string{"warren.yaml:2:", "../../etc/x"}},
		{"net_name", "name: bad\nnets: {../../etc/x: [a, b]}\n", "", "", []string{"warren.yaml:2:", "../../etc/x"}},
		{"service_name", "name: bad\nnets: {lan: [a, b]}\nnodes: {a: {services: {../x: sleep 1}}}\n", "", "", []string{"warren.yaml:3:", "../x"}},
		{"netns_path", "name: bad\nnets: {lan: [a, b]}\nnodes: {a: {netns: /run/netns/../../etc/x}}\n", "", "", []string{"warren.yaml:3:", "/run/netns/../../etc/x"}},
		{"netns_absent", "name: bad\nnets: {lan: [a, b]}\nnodes: {a: {netns: nobody}}\n", "", "", []string{"nobody", "does not exist"}},
		{"aliases", deep.String(), "", "", []string{"warren.yaml:"}},
		{"long", strings.Repeat("a", 11<<20), "", "", []string{"warren.yaml:1:1", "limit"}},
		{"check_node", plain + "checks: [a can ping d]\n", "", "", []string{"warren.yaml:3:", "d"}},
		{"check_net", plain + "checks: [a can ping b on wan]\n", "", "", []string{"warren.yaml:3:", "wan"}},
		{"overlap", "name: bad\nnets: {x: {cidr: 10.0.0.0/16, nodes: [a, b]}, y: {cidr: 10.0.3.0/24, nodes: [a, b]}}\n", "", "", []string{"warren.yaml:2:", "10.0.0.0/16", "10.0.3.0/24"}},
		{"cable", plain, "ip netns add bad.b", "ip netns del bad.b", []string{"bad.b"}},
		{"route", uplink, "ip link add other type bridge; ip addr add 10.45.0.9/16 dev other; ip link set other up", "ip link del other", []string{"warren.yaml:2:", "10.45.0.0/24", "other"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			kerneltest.LeakCheck(t)
			file := labFile(t, c.text)
			if c.prepare != "" {
				sh(t, c.prepare)
				t.Cleanup(func() { sh(t, c.clear) })
			}
			before := world(t)
			stdout, stderr, code := try(t, "up", file)
			if code != 1 || stdout != "" {
				t.Errorf("exit %d and standard output %q, want 1 and nothing", code, stdout)
			}
			if n := strings.Count("\n"+stderr, "\nwarren: "); n != 1 {
				t.Errorf("%d errors, want one:\n%.2000s", n, stderr)
			}
			want(t, stderr, c.want...)
			if after := world(t); after != before {
				t.Errorf("the world changed:\n%s", diffLines(before, after))
			}
		})
	}
}

// world is what a refused lab must not have changed.
func world(t *testing.T) string {
	t.Helper()
	return sh(t, "ls -R /run/netns /run/warren 2>/dev/null || true; ip -o link | sed 's/qlen.*//'; nft list tables; sysctl -n net.ipv4.ip_forward")
}

// TestForeignBridge: a bridge of somebody else's that has the name which we generate is named, and stays.
func TestForeignBridge(t *testing.T) {
	kerneltest.LeakCheck(t)
	file := labFile(t, "name: bad\nnets: {lan: {cidr: 10.45.0.0/24, nodes: [a], uplink: true}}\n")
	run(t, "up", file)
	bridge := strings.TrimSpace(sh(t, "ip -j link show warren.bad.lan | python3 -c 'import json,sys; print(json.load(sys.stdin)[0][\"ifname\"])'"))
	run(t, "down", file)
	sh(t, "ip link add "+bridge+" type bridge")
	t.Cleanup(func() { sh(t, "ip link del "+bridge) })
	before := world(t)
	_, stderr, code := try(t, "up", file)
	if code != 1 || !strings.Contains(stderr, bridge) {
		t.Errorf("exit %d, want 1 and the bridge's name:\n%s", code, stderr)
	}
	run(t, "down", file)
	if after := world(t); after != before {
		t.Errorf("the world changed:\n%s", diffLines(before, after))
	}
}

// TestNoCapability: root without the capability is told so, and nothing changes.
func TestNoCapability(t *testing.T) {
	kerneltest.LeakCheck(t)
	file := labFile(t, "name: cap\nnets: {lan: [a, b]}\n")
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	before := world(t)
	for _, drop := range []string{"-net_admin", "-sys_admin"} {
		out := sh(t, fmt.Sprintf("setpriv --bounding-set=%s --inh-caps=%[1]s %s up %s 2>&1 && echo fine || echo exit $?", drop, path, file))
		want(t, out, "exit 1", "warren: ", strings.ToUpper("cap_"+drop[1:]))
	}
	if after := world(t); after != before {
		t.Errorf("the world changed:\n%s", diffLines(before, after))
	}
	if _, err := os.Stat(filepath.Join("/run/warren", "cap")); err == nil {
		t.Error("a run directory is left")
	}
}

// TestNamespaceLimit: too few namespaces allowed is found out before the first one is made. The limit is lowered in a user
// namespace of its own, where that is always permitted.
func TestNamespaceLimit(t *testing.T) {
	kerneltest.LeakCheck(t)
	file := labFile(t, "name: few\nnets: {lan: [a, b, c]}\n")
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	before := world(t)
	out := sh(t, "unshare -Urnm sh -c 'echo 2 > /proc/sys/user/max_net_namespaces; mount -t tmpfs none /run/netns; "+path+" up "+file+" 2>&1 || echo exit $?; ls -A /run/netns'")
	want(t, out, "exit 1", "warren: ", "max_net_namespaces", "4 new namespaces")
	if n := len(sortedLines(out)); n != 3 { // error, hint, status
		t.Errorf("%d lines, want 3:\n%s", n, out)
	}
	if after := world(t); after != before {
		t.Errorf("the world changed:\n%s", diffLines(before, after))
	}
}
