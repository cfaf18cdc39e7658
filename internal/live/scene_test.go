package live_test

import (
	"os/exec"
	"testing"
)

const prelude = `
room() {
	for n; do
		ip netns add $n
		ip -n $n link set lo up
		ip netns exec $n sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.dad_transmits=0 net.ipv6.conf.default.disable_ipv6=0
		ip netns exec $n sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-arptables=0 2>/dev/null || true
	done
}
# cable A DEV B DEV
cable() { ip -n $1 link add $2 type veth peer name $4 netns $3; ip -n $1 link set $2 up; ip -n $3 link set $4 up; }
# at NS DEV ADDR...
at() { ns=$1; dev=$2; shift 2; for a; do case $a in *:*) ip -n $ns addr add $a dev $dev nodad;; *) ip -n $ns addr add $a dev $dev;; esac; done; }
sys() { ns=$1; shift; ip netns exec $ns sysctl -qw "$@"; }
rules() { ip netns exec $1 nft -f -; }
R3() {
	room a r b; cable a va r r1; cable r r2 b vb
	at a va 10.0.1.2/24; at r r1 10.0.1.1/24; at r r2 10.0.2.1/24; at b vb 10.0.2.2/24
	ip -n a route add default via 10.0.1.1; ip -n b route add default via 10.0.2.1
	sys r net.ipv4.ip_forward=1
}
`
const R3 = "R3\n"

func sh(t testing.TB, script string) {
	t.Helper()
	if out, err := exec.Command("sh", "-euc", prelude+script).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}
