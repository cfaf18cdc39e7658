package warren_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warren"
	"warren/internal/kerneltest"
)

// TestNames: every node's name resolves in every node, through private files that programs see in place of the host's.
func TestNames(t *testing.T) {
	before, err := os.ReadFile("/etc/hosts")
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir() + "/seen"
	text := `
name: nm
nets:
  lan: {cidr: [10.1.0.0/24, "fd00:1::/64"], nodes: [a, b]}
  dark: {cidr: 10.2.0.0/24, nodes: [a, c], dns: false}
  up: {cidr: 10.3.0.0/24, nodes: [a], uplink: true}
nodes:
  a: {hosts: {extra: 192.0.2.7, "www.example.org": ["192.0.2.8", "2001:db8::8"]}, dns: [192.0.2.53, "2001:db8::53"]}
  b: {run: "getent hosts a.lan > ` + out + ` && cat /etc/resolv.conf >> ` + out + ` && echo seen; sleep 1000", ready: log "seen"}
checks:
  - a can dns b
  - a can dns www.example.org
  - b cannot dns www.example.org within 300ms
  - b cannot dns c within 300ms
`
	file := lift(t, text)
	getent := func(node, name string) string {
		stdout, _, _ := try(t, "exec", "-l", "nm", node, "--", "getent", "ahosts", name)
		return stdout
	}
	want(t, getent("a", "b"), "10.1.0.2", "fd00:1::2")
	want(t, getent("b", "a"), "10.1.0.1")
	want(t, getent("a", "b.lan"), "10.1.0.2")
	want(t, getent("a", "extra"), "192.0.2.7")
	want(t, getent("a", "www.example.org"), "192.0.2.8", "2001:db8::8")
	want(t, getent("a", "host"), "10.3.0.1")
	if got := getent("b", "c") + getent("b", "extra") + getent("b", "a.dark"); got != "" {
		t.Errorf("names that b should not know: %s", got)
	}
	want(t, run(t, "exec", "-l", "nm", "a", "--", "cat", "/etc/resolv.conf"), "nameserver 192.0.2.53", "nameserver 2001:db8::53")
	seen, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(seen), "10.1.0.1") && !strings.HasPrefix(string(seen), "fd00:1::1") {
		t.Errorf("the service saw %q", seen)
	}
	change(t, file, strings.ReplaceAll(text, "extra: 192.0.2.7", "extra: 192.0.2.9"))
	want(t, getent("a", "extra"), "192.0.2.9")
	if after, err := os.ReadFile("/etc/hosts"); err != nil || string(after) != string(before) {
		t.Errorf("the host's own file changed: %v\n%s", err, after)
	}
}

// TestExistingNamespace: a node that is somebody's namespace, by name and by PID, gets its links and loses them at down. It is
// never deleted, and what was in it stays.
func TestExistingNamespace(t *testing.T) {
	kerneltest.LeakCheck(t)
	sh(t, `ip netns add theirs
ip -n theirs link add br9 type bridge
ip -n theirs addr add 172.31.0.1/24 dev br9
ip -n theirs link set br9 addrgenmode none
ip -n theirs link set br9 up
ip netns exec theirs nft add table inet filter
ip netns exec theirs sysctl -qw net.ipv4.tcp_keepalive_time=123`)
	t.Cleanup(func() { sh(t, "ip netns del theirs") })
	dump := func() string {
		return sh(t, `ip netns exec theirs sh -c 'ip -o link | sed "s/qlen.*//"; ip -o addr | sed "s/valid_lft.*//"; ip route show table all; ip -6 route show table all; ip rule; nft -s list ruleset; sysctl -a 2>/dev/null | grep -e "^net.ipv[46].conf" -e forward -e keepalive_time | grep -v stable_secret'`)
	}
	sleeper := startIn(t)
	before := dump()
	file := labFile(t, `
name: ext
nets:
  lan: {cidr: [10.1.0.0/24, "fd00:1::/64"], nodes: [a, t, p]}
  pair: {cidr: 10.2.0.0/24, nodes: [t, p]}
  up: {cidr: 10.4.0.0/24, nodes: [t], uplink: true}
nodes:
  t: {netns: theirs, publish: [8080:80]}
  p: {netns: "pid:`+sleeper+`", run: sleep 1000}
checks:
  - all can ping all on lan
  - all can ping all on lan over 6
  - t can ping p on pair
  - host can ping t
`)
	run(t, "up", file)
	settled(t, file)
	serve(t, "theirs", "tcp", ":80")
	asked(t, []question{{"", "tcp", "127.0.0.1:8080", "10.4.0.1"}, {"ext.a", "tcp", "10.1.0.2:80", "10.1.0.1"}})
	want(t, sh(t, "ip -n theirs -br addr"), "lan", "pair", "172.31.0.1/24")
	// out of one net
	change(t, file, `
name: ext
nets:
  lan: {cidr: [10.1.0.0/24, "fd00:1::/64"], nodes: [a, t, p]}
nodes:
  t: {netns: theirs}
  p: {netns: "pid:`+sleeper+`"}
checks:
  - all can ping all on lan
`)
	run(t, "down", file)
	if after := dump(); after != before {
		t.Errorf("the namespace changed:\n%s", diffLines(before, after))
	}
}

// TestLabIsCalledAfterItsFolder also when the file is named without one.
func TestLabIsCalledAfterItsFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "My lab.2")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "warren.yaml"), []byte("nets: {n: [a, b]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, path := range []string{"", "warren.yaml", "./warren.yaml", filepath.Join(dir, "warren.yaml")} {
		lab, err := warren.Load(path)
		if err != nil || lab.Name != "My-lab-2" {
			t.Errorf("%q: lab %+v, %v", path, lab, err)
		}
	}
}
