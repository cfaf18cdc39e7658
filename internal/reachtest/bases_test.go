package reachtest_test

// prelude defines what the scripts of the cases use. Everything starts from the same settings: no reverse path filter, no
// br_netfilter, no duplicate address detection.
const prelude = `
set -e
room() {
	for n; do
		ip netns add $n
		ip -n $n link set lo up
		ip netns exec $n sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.dad_transmits=0 net.ipv4.ping_group_range="0 2147483647"
		ip netns exec $n sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-arptables=0 2>/dev/null || true
	done
}
# cable A DEV B DEV
cable() { ip -n $1 link add $2 type veth peer name $4 netns $3; ip -n $1 link set $2 up; ip -n $3 link set $4 up; }
# at NS DEV ADDR...
at() { ns=$1; dev=$2; shift 2; for a; do case $a in *:*) ip -n $ns addr add $a dev $dev nodad;; *) ip -n $ns addr add $a dev $dev;; esac; done; }
inside() { ns=$1; shift; ip netns exec $ns "$@"; }
sys() { ns=$1; shift; ip netns exec $ns sysctl -qw "$@"; }
rules() { ip netns exec $1 nft -f -; }

P2() { room a b; cable a va b vb; at a va 10.0.0.1/24; at b vb 10.0.0.2/24; }
P26() { P2; at a va fd00::1/64; at b vb fd00::2/64; }
R3() {
	room a r b; cable a va r r1; cable r r2 b vb
	at a va 10.0.1.2/24; at r r1 10.0.1.1/24; at r r2 10.0.2.1/24; at b vb 10.0.2.2/24
	ip -n a route add default via 10.0.1.1; ip -n b route add default via 10.0.2.1
	sys r net.ipv4.ip_forward=1
}
R6() {
	R3; sys r net.ipv6.conf.all.forwarding=1
	at a va fd00:1::2/64; at r r1 fd00:1::1/64; at r r2 fd00:2::1/64; at b vb fd00:2::2/64
	ip -n a route add default via fd00:1::1; ip -n b route add default via fd00:2::1
}
B2() {
	room s a b; ip -n s link add br0 type bridge; ip -n s link set br0 up; at s br0 10.0.0.254/24
	cable s pa a va; cable s pb b vb; ip -n s link set pa master br0; ip -n s link set pb master br0
	at a va 10.0.0.1/24; at b vb 10.0.0.2/24
}
V2() {
	P2
	ip -n a link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.2 local 10.0.0.1
	ip -n b link add vx0 type vxlan id ${VNI:-42} dstport ${VXPORT:-4789} remote 10.0.0.1 local 10.0.0.2
	at a vx0 192.168.9.1/24; at b vx0 192.168.9.2/24; ip -n a link set vx0 up; ip -n b link set vx0 up
}
# M2 MODE
M2() {
	P2; room c d
	ip -n a link add mc link va type macvlan mode ${1:-bridge}; ip -n a link set mc netns c; ip -n c link set mc up; at c mc 10.0.0.3/24
	ip -n a link add md link va type macvlan mode ${1:-bridge}; ip -n a link set md netns d; ip -n d link set md up; at d md 10.0.0.4/24
}
`
