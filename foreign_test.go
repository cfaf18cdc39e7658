package warren_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"warren/internal/kerneltest"
)

// foreignWorld is what others have on a host: namespaces (one of them named as a node of ours would be), bridges, nftables
// and iptables rules, routes, sysctls per interface.
const foreignWorld = `
ip netns add red
ip netns add theirs.a
ip link add docker0 type bridge
ip addr add 172.17.0.1/16 dev docker0
ip link set docker0 up
ip link add vr type veth peer name vb netns red
ip link set vr master docker0 up
ip -n red addr add 172.17.0.2/16 dev vb
ip -n red link set vb up
ip -n red route add default via 172.17.0.1
ip route add 10.200.0.0/16 via 172.17.0.2
ip rule add from 10.9.0.0/16 table 77 priority 700
nft add table inet theirs
nft add chain inet theirs fw '{ type filter hook forward priority 0; policy accept; }'
nft add rule inet theirs fw counter comment '"mine"'
nft add table ip nat2
nft add chain ip nat2 post '{ type nat hook postrouting priority 100; }'
nft add rule ip nat2 post ip saddr 172.17.0.0/16 oifname != docker0 masquerade
iptables-legacy -t filter -A FORWARD -i docker0 -j ACCEPT
sysctl -qw net.ipv4.conf.vr.forwarding=1 net.ipv4.conf.docker0.rp_filter=2
ip -n theirs.a link set lo up
`

// dump is all that third parties can say about this world, without what moves by itself (counters, ages, conntrack).
func dump(t *testing.T) string {
	t.Helper()
	return sh(t, `
ls -1 /run/netns | sort
ip -d -o link | sed -E 's/(\w+_timer) +[0-9.]+//g'; ip -o addr | sed 's/valid_lft.*//'; ip route show table all; ip -6 route show table all | grep -v '^multicast'; ip rule; ip neigh show nud permanent
bridge fdb show
nft -s list ruleset; iptables-legacy-save | grep -v '^#' | sed 's/\[.*\]//'
for n in red theirs.a; do echo "== $n"; ip -n $n -d -o link | sed -E 's/(\w+_timer) +[0-9.]+//g'; ip -n $n -o addr| sed 's/valid_lft.*//'; ip -n $n route show table all; ip netns exec $n nft -s list ruleset; ip netns exec $n sysctl -a 2>/dev/null | grep '^net.*forward'; done
sysctl -a 2>/dev/null | grep -E '^net\.(ipv4\.conf|ipv6\.conf|ipv4\.ip_forward|bridge)' | grep -vE 'stable_secret'
grep -v ' /run/tmp' /proc/self/mountinfo | awk '{print $5,$9}' | sort
`)
}

// TestForeignObjectsStay puts foreign objects beside us, with br_netfilter switched on and off, and compares everything
// before and after.
func TestForeignObjectsStay(t *testing.T) {
	for _, nf := range []string{"0", "1"} {
		t.Run("br_netfilter_"+nf, func(t *testing.T) {
			kerneltest.LeakCheck(t)
			kerneltest.Need(t, "nftables", "iptables-legacy")
			t.Cleanup(func() {
				sh(t, `ip netns del red; ip netns del theirs.a; ip link del docker0; ip rule del priority 700; ip link del vr 2>/dev/null || true; nft flush ruleset; iptables-legacy -F; sysctl -qw net.bridge.bridge-nf-call-iptables=0`)
			})
			sh(t, foreignWorld)
			sh(t, "sysctl -qw net.bridge.bridge-nf-call-iptables="+nf)
			kerneltest.Eventually(t, 30*time.Second, func() error { // until nothing moves by itself any more
				if out := sh(t, "ip -6 addr show tentative; ip -n red -6 addr show tentative; ip -o link show docker0 | grep -v 'state UP' || true"); out != "" {
					return fmt.Errorf("not settled: %s", out)
				}
				return nil
			})
			before := dump(t)
			file := labFile(t, killLab)
			run(t, "up", file)
			run(t, "up", file)
			run(t, "check", file)
			run(t, "down", file)
			if after := dump(t); after != before {
				t.Errorf("the world changed:\n%s", diffLines(before, after))
			}
		})
	}
}

// diffLines lists lines that only one of two texts has.
func diffLines(before, after string) string {
	count := map[string]int{}
	for l := range strings.Lines(before) {
		count[l]--
	}
	for l := range strings.Lines(after) {
		count[l]++
	}
	var out strings.Builder
	for _, text := range []string{before, after} {
		for l := range strings.Lines(text) {
			switch n := count[l]; {
			case n < 0:
				fmt.Fprintf(&out, "- %s", l)
			case n > 0:
				fmt.Fprintf(&out, "+ %s", l)
			}
			count[l] = 0
		}
	}
	return out.String()
}

// TestForeignNamesAreRefused: what carries a name that we would use, and is not ours, is an error that names it, and
// nothing is changed.
func TestForeignNamesAreRefused(t *testing.T) {
	cases := []struct{ name, prepare, clear, want string }{
		{"namespace", "ip netns add kill.a", "ip netns del kill.a", "kill.a"},
		{"prefix", "ip link add other type bridge; ip addr add 10.77.0.1/24 dev other; ip link set other up", "ip link del other", "10.77.0.0/24"},
		{"listener", "", "", "7780"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			kerneltest.LeakCheck(t)
			sh(t, c.prepare)
			defer func() { sh(t, c.clear) }()
			if c.name == "listener" {
				defer listen(t, "0.0.0.0:7780")()
			}
			before := dumpSmall(t)
			_, stderr, code := try(t, "up", labFile(t, killLab))
			if code != 1 || !strings.Contains(stderr, c.want) {
				t.Errorf("exit %d, want 1 and a message with %q:\n%s", code, c.want, stderr)
			}
			if after := dumpSmall(t); after != before {
				t.Errorf("the world changed:\n%s", diffLines(before, after))
			}
		})
	}
}

func dumpSmall(t *testing.T) string {
	t.Helper()
	return sh(t, `ls -1 /run/netns /run/warren 2>/dev/null | sort; ip -o link; ip -o addr; ip route; nft -s list ruleset; sysctl net.ipv4.ip_forward; awk '{print $5,$9}' /proc/self/mountinfo | sort`)
}
