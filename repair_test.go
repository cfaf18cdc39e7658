package warren_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"warren"
	"warren/internal/kerneltest"
)

// repairLab has an uplink with a published port, a policy, masquerade, a bridge and a pair in the hidden namespace,
// a node's own sysctl, and IPv6.
const repairLab = `
name: mend
nets:
  upl: {cidr: [10.77.0.0/24, "fd77::/64"], nodes: [a, b], uplink: true}
  inn: [a, c, d]
  pp: [c, e]
nodes:
  a: {publish: [7780:80], sysctl: {net.ipv4.ip_default_ttl: 77}, allow: [inn -> upl]}
  b: {in: [tcp 22 from upl]}
  c: {nat: pp}
`

// damages are what administrators and their programs do, with what status must show of it. BRIDGE and PORT stand for the
// uplink's bridge and one of its ports.
var damages = []struct {
	name, script string
	want         []warren.Difference // some of them; NS, Object and Field must be equal, Have and Want where they are given
}{
	{"flush_ruleset", "nft flush ruleset", []warren.Difference{
		{NS: "host", Object: "table inet warren"},
		{NS: "host", Object: "set publish4_any of table inet warren", Want: "mend/a/0.0.0.0:7780/tcp"},
	}},
	{"flush_own_table", "nft flush table inet warren", []warren.Difference{{NS: "host", Object: "table inet warren", Field: "chain forward", Want: "ct state established,related accept"}}},
	{"flush_a_chain_of_a_node", "ip netns exec mend.a nft flush chain inet warren forward", []warren.Difference{{NS: "mend.a", Object: "table inet warren", Field: "chain forward"}}},
	{"flush_rulesets_of_nodes", "for n in a b c; do ip netns exec mend.$n nft flush ruleset; done", []warren.Difference{
		{NS: "mend.a", Object: "table inet warren"}, {NS: "mend.b", Object: "table inet warren"}, {NS: "mend.c", Object: "table inet warren"},
	}},
	{"unpublish", "nft flush map inet warren publish4_any", []warren.Difference{{NS: "host", Object: "set publish4_any of table inet warren"}}},
	{"delete_bridge", "ip link del BRIDGE", []warren.Difference{{NS: "host", Object: "link BRIDGE"}, {NS: "host", Object: "link PORT", Field: "master", Want: "BRIDGE"}}},
	{"delete_port", "ip link del PORT", []warren.Difference{{NS: "host", Object: "link PORT"}}},
	{"release_port", "ip link set PORT nomaster", []warren.Difference{{NS: "host", Object: "link PORT", Field: "master", Want: "BRIDGE"}}},
	{"delete_cable", "ip -n mend.c link del pp", []warren.Difference{{NS: "mend.c", Object: "link pp"}, {NS: "mend.e", Object: "addr 10.0.1.2/24 dev pp"}}},
	{"bridge_down", "ip link set BRIDGE down", []warren.Difference{{NS: "host", Object: "link BRIDGE", Field: "up", Have: "false", Want: "true"}}},
	{"bridge_without_address", "ip addr flush dev BRIDGE", []warren.Difference{{NS: "host", Object: "addr 10.77.0.1/24 dev BRIDGE"}}},
	{"ip_forward", "sysctl -qw net.ipv4.ip_forward=0", []warren.Difference{{NS: "host", Object: "sysctl net.ipv4.ip_forward", Field: "value", Have: "0", Want: "1"}}},
	{"sysctl_system", "printf 'net.ipv4.ip_forward=0\nnet.ipv6.conf.all.forwarding=0\n' > /run/tmp/99.conf; sysctl -qp /run/tmp/99.conf", []warren.Difference{
		{NS: "host", Object: "sysctl net.ipv4.ip_forward", Field: "value", Have: "0", Want: "1"},
		{NS: "host", Object: "sysctl net.ipv6.conf.all.forwarding", Field: "value", Have: "0", Want: "1"},
	}},
	{"sysctls_of_a_node", "ip netns exec mend.a sysctl -qw net.ipv4.ip_default_ttl=64 net.ipv4.ip_forward=0", []warren.Difference{
		{NS: "mend.a", Object: "sysctl net.ipv4.ip_default_ttl", Field: "value", Have: "64", Want: "77"},
		{NS: "mend.a", Object: "sysctl net.ipv4.ip_forward", Field: "value", Have: "0", Want: "1"},
	}},
	{"address", "ip -n mend.a addr flush dev upl", []warren.Difference{{NS: "mend.a", Object: "addr 10.77.0.2/24 dev upl"}, {NS: "mend.a", Object: "route default"}}},
	{"route", "ip -n mend.b route del default", []warren.Difference{{NS: "mend.b", Object: "route default"}}},
	{"route_elsewhere", "ip -n mend.d route replace default via 10.0.0.2 proto 158", []warren.Difference{{NS: "mend.d", Object: "route default"}}},
	{"link_down", "ip -n mend.a link set dev upl down", []warren.Difference{{NS: "mend.a", Object: "link upl", Field: "up", Have: "false", Want: "true"}}},
	{"mtu", "ip -n mend.a link set dev inn mtu 1300", []warren.Difference{{NS: "mend.a", Object: "link inn", Field: "mtu", Have: "1300", Want: "1500"}}},
	{"loopback", "ip -n mend.e link set lo down", []warren.Difference{{NS: "mend.e", Object: "link lo", Field: "up", Have: "false", Want: "true"}}},
	{"namespace", "ip netns del mend.d", []warren.Difference{{NS: "mend.d", Object: "namespace", Want: "mend.d"}}},
}

// TestRepair lets third parties take away, one after the other, whatever they can. Status must tell what is missing, field
// by field, repair must bring it back, and then everything that can be seen must be as it was.
func TestRepair(t *testing.T) {
	kerneltest.LeakCheck(t)
	kerneltest.Need(t, "nftables")
	file := labFile(t, repairLab)
	run(t, "up", file)
	t.Cleanup(func() { run(t, "down", "mend"); nothingLeft(t) })
	bridge := strings.TrimSpace(sh(t, "ip -o link show type bridge | sed 's/^[0-9]*: //; s/[:@].*//'"))
	port := strings.TrimSpace(sh(t, "ip -o link show master "+bridge+" | sed 's/^[0-9]*: //; s/[:@].*//' | tail -1"))
	names := strings.NewReplacer("BRIDGE", bridge, "PORT", port)
	before := witness(t)
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			sh(t, names.Replace(d.script))
			st := statusOf(t, "mend")
			if st.State != "drifted" && st.State != "partial" {
				t.Errorf("state %q after the damage", st.State)
			}
			for _, w := range d.want {
				w.Object, w.Want = names.Replace(w.Object), names.Replace(w.Want)
				if !shown(st.Differences, w) {
					t.Errorf("status does not show %+v, only\n%s", w, differenceLines(st.Differences))
				}
			}
			run(t, "repair", "mend")
			if st := statusOf(t, "mend"); st.State != "up" || len(st.Differences) > 0 {
				t.Errorf("after repair: state %q\n%s", st.State, differenceLines(st.Differences))
			}
			kerneltest.Eventually(t, 30*time.Second, func() error {
				if after := witness(t); after != before {
					return fmt.Errorf("repair did not bring back all:\n%s", diffLines(before, after))
				}
				return nil
			})
		})
	}
}

// witness is what third parties see of the lab, without what is another each time (indexes, states of duplicate detection).
func witness(t *testing.T) string {
	t.Helper()
	return sh(t, `
see() {
	ip $1 -o link | sed -E 's/^[0-9]+: //; s/@if[0-9]+//; s/link-netns(id)? [^ ]+//; s/(NO-CARRIER|LOWER_UP|M-DOWN),?| state [A-Z]+//g' | sort
	ip $1 -o addr | sed -E 's/^[0-9]+: //; s/valid_lft.*//; s/ (tentative|nodad) / /g' | sort
	ip $1 route show; ip $1 -6 route show | sed '/fe80::/d'; ip $1 rule
}
see ''; nft -s list ruleset; sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding
for n in a b c d e; do
	echo "== $n"; see "-n mend.$n"
	ip netns exec mend.$n nft -s list ruleset
	ip netns exec mend.$n sysctl net.ipv4.ip_forward net.ipv4.ip_default_ttl
done`)
}

func statusOf(t *testing.T, lab string) warren.Status {
	t.Helper()
	out, errOut, _ := try(t, "status", "--json", lab)
	var st warren.Status
	if err := json.Unmarshal([]byte(out), &st); err != nil {
		t.Fatalf("status: %v\n%s%s", err, out, errOut)
	}
	return st
}

func shown(list []warren.Difference, w warren.Difference) bool {
	for _, d := range list {
		if d.NS == w.NS && d.Object == w.Object && (w.Field == "" || d.Field == w.Field) &&
			(w.Have == "" || d.Have == w.Have) && (w.Want == "" || d.Want == w.Want) {
			return true
		}
	}
	return false
}

func differenceLines(list []warren.Difference) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%+v\n", d)
	}
	return b.String()
}

// TestRepairLeavesOthersAlone: what others have in the host's namespace and inside of nodes is as it was after a repair.
func TestRepairLeavesOthersAlone(t *testing.T) {
	kerneltest.LeakCheck(t)
	kerneltest.Need(t, "nftables")
	file := labFile(t, repairLab)
	run(t, "up", file)
	t.Cleanup(func() {
		run(t, "down", "mend")
		sh(t, "nft flush ruleset; ip route del 10.200.0.0/16 || true")
		nothingLeft(t)
	})
	sh(t, `
nft flush ruleset
nft add table inet theirs
nft add chain inet theirs fw '{ type filter hook forward priority 0; policy accept; }'
ip route add 10.200.0.0/16 dev lo
ip -n mend.a route add 10.99.0.0/16 via 10.77.0.1
ip netns exec mend.b nft add table inet mine`)
	run(t, "repair", "mend")
	for _, line := range []string{"nft list tables | grep 'inet theirs'", "nft list tables | grep 'inet warren'", "ip route | grep 10.200", "ip -n mend.a route | grep 10.99", "ip netns exec mend.b nft list tables | grep mine"} {
		sh(t, line)
	}
}

// TestPrune removes what others have put into the lab's namespaces, and only there; what daemons keep stays.
func TestPrune(t *testing.T) {
	kerneltest.LeakCheck(t)
	kerneltest.Need(t, "nftables")
	file := labFile(t, repairLab)
	run(t, "up", file)
	t.Cleanup(func() {
		run(t, "down", "mend")
		sh(t, "nft flush ruleset; ip route del 10.200.0.0/16 || true")
		nothingLeft(t)
	})
	before := witness(t)
	sh(t, `
ip -n mend.a link add dum type veth peer name dum2
ip -n mend.a addr add 10.66.0.1/24 dev dum
ip -n mend.a link set dum up
ip -n mend.a link set dum2 up
ip -n mend.a route add 10.67.0.0/16 via 10.66.0.9
ip -n mend.a route add 10.99.0.0/16 via 10.77.0.1
ip -n mend.a rule add from 10.9.9.0/24 table 5
ip -n mend.b addr add 10.5.5.5/32 dev lo
ip netns exec mend.b nft add table inet mine
ip netns exec mend.b nft add chain inet mine c '{ type filter hook input priority 0; }'
ip netns exec mend.b nft add rule inet mine c counter accept`)
	st := statusOf(t, "mend")
	if st.State != "up" || len(st.Other) != 8 {
		t.Errorf("status of what others added: state %q, %d: %s", st.State, len(st.Other), strings.Join(st.Other, "\n"))
	}
	run(t, "up", file)
	if again := statusOf(t, "mend"); len(again.Other) != len(st.Other) {
		t.Errorf("a plain up took away what is not ours: %s", strings.Join(again.Other, "\n"))
	}
	out := run(t, "up", "--prune", "--json", file)
	var report warren.UpReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Pruned) == 0 {
		t.Errorf("report of prune: %v\n%s", err, out)
	}
	if st := statusOf(t, "mend"); st.State != "up" || len(st.Other) > 0 {
		t.Errorf("after prune: state %q, others %s", st.State, strings.Join(st.Other, "\n"))
	}
	if after := witness(t); after != before {
		t.Errorf("after prune:\n%s", diffLines(before, after))
	}
	if out := run(t, "up", "--prune", "--json", file); !strings.Contains(out, `"steps": 0`) {
		t.Errorf("a second prune has something to do: %s", out)
	}
	// What a routing daemon keeps, and what is outside of our namespaces, stays.
	sh(t, `
ip -n mend.a route add 10.98.0.0/16 via 10.77.0.1 proto bird
ip route add 10.200.0.0/16 dev lo
nft add table inet theirs`)
	run(t, "up", "--prune", file)
	sh(t, "ip -n mend.a route | grep 10.98; ip route | grep 10.200; nft list tables | grep theirs")
}
