package warren_test

import (
	"fmt"
	"strings"
	"testing"

	"warren/internal/kerneltest"
)

// TestHostPorts changes a lab with an uplink while it is up: only what changed of the host's ports is read and made, and what
// somebody took away of the others is noticed.
func TestHostPorts(t *testing.T) {
	kerneltest.LeakCheck(t)
	kerneltest.Need(t, "nftables")
	star := func(n int, more string) string {
		return labFile(t, fmt.Sprintf("name: hub\nnets:\n  net: {cidr: 10.41.0.0/24, nodes: [\"n[1-%d]\"], uplink: true}\n%s", n, more))
	}
	// ports lists the host's ports with their indexes, and whose they are.
	ports := func() map[string]string {
		out := map[string]string{}
		for line := range strings.Lines(sh(t, `ip -o link show type veth | sed -nE 's/^([0-9]+): ([^:@]+).*altname warren\.hub\.net\.([^ \\]+).*/\3 \2 \1/p'`)) {
			node, port, _ := strings.Cut(strings.TrimSpace(line), " ")
			out[node] = port
		}
		return out
	}
	whole := func() {
		t.Helper()
		if st := statusOf(t, "hub"); st.State != "up" || len(st.Differences) > 0 {
			t.Fatalf("state %q\n%s", st.State, differenceLines(st.Differences))
		}
		sh(t, "ip netns exec hub.n1 ping -qc1 -W5 10.41.0.1")
	}
	run(t, "up", star(12, ""))
	t.Cleanup(func() { run(t, "down", "hub"); nothingLeft(t) })
	first := ports()
	if len(first) != 12 {
		t.Fatalf("%d ports: %v", len(first), first)
	}

	run(t, "up", star(13, ""))
	whole()
	now := ports()
	for node, port := range first {
		if now[node] != port {
			t.Errorf("the port of %s was %s and is %s", node, port, now[node])
		}
	}
	added := strings.Fields(now["n13"])
	if len(added) != 2 {
		t.Fatalf("n13 has the port %q", now["n13"])
	}

	run(t, "up", star(13, "nodes:\n  n3: {ip: {net: 10.41.0.200}}\n"))
	whole()
	sh(t, "ip -n hub.n3 -o addr | grep -q 10.41.0.200/24")
	if now := ports(); now["n3"] != first["n3"] {
		t.Errorf("n3 has another address, and its port was %s and is %s", first["n3"], now["n3"])
	}

	for _, damage := range []string{
		"ip link del " + strings.Fields(first["n5"])[0], // of a node that the file does not change
		"ip -n hub.n6 link del net",
		"ip netns del hub.n7",
	} {
		sh(t, damage)
		run(t, "up", star(14, ""))
		whole()
		run(t, "up", star(12, ""))
		whole()
		if now := ports(); len(now) != 12 {
			t.Fatalf("after %q and all: %d ports: %v", damage, len(now), now)
		}
	}

	// Somebody else's link has the name of the port to come.
	sh(t, "ip link add "+added[0]+" type bridge")
	before := ports()
	if _, errOut, code := try(t, "up", star(13, "")); code == 0 || !strings.Contains(errOut, added[0]) {
		t.Errorf("exit status %d with a foreign link of the port's name:\n%s", code, errOut)
	}
	sh(t, "ip link del "+added[0])
	if now := ports(); fmt.Sprint(now) != fmt.Sprint(before) {
		t.Errorf("a refused up changed ports: %v, before %v", now, before)
	}
	whole()
}
