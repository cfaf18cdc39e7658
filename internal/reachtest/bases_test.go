package reachtest_test

// prelude defines what the scripts of the cases use. P stands before the names of the bases' rooms, for cases that run side by
// side. Everything starts from the same settings: no reverse path filter, no
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

P2() { room ${P}a ${P}b; cable ${P}a va ${P}b vb; at ${P}a va 10.0.0.1/24; at ${P}b vb 10.0.0.2/24; }
P26() { P2; at ${P}a va fd00::1/64; at ${P}b vb fd00::2/64; }
R3() {
	room ${P}a ${P}r ${P}b; cable ${P}a va ${P}r r1; cable ${P}r r2 ${P}b vb
	at ${P}a va 10.0.1.2/24; at ${P}r r1 10.0.1.1/24; at ${P}r r2 10.0.2.1/24; at ${P}b vb 10.0.2.2/24
	ip -n ${P}a route add default via 10.0.1.1; ip -n ${P}b route add default via 10.0.2.1
	sys ${P}r net.ipv4.ip_forward=1
}
R6() {
	R3; sys ${P}r net.ipv6.conf.all.forwarding=1
	at ${P}a va fd00:1::2/64; at ${P}r r1 fd00:1::1/64; at ${P}r r2 fd00:2::1/64; at ${P}b vb fd00:2::2/64
	ip -n ${P}a route add default via fd00:1::1; ip -n ${P}b route add default via fd00:2::1
}
B2() {
	room ${P}s ${P}a ${P}b; ip -n ${P}s link add br0 type bridge; ip -n ${P}s link set br0 up; at ${P}s br0 10.0.0.254/24
	cable ${P}s pa ${P}a va; cable ${P}s pb ${P}b vb; ip -n ${P}s link set pa master br0; ip -n ${P}s link set pb master br0
	at ${P}a va 10.0.0.1/24; at ${P}b vb 10.0.0.2/24
}
V2() {
	P2
	ip -n ${P}a link add vx0 type vxlan id 42 dstport 4789 remote 10.0.0.2 local 10.0.0.1
	ip -n ${P}b link add vx0 type vxlan id ${VNI:-42} dstport ${VXPORT:-4789} remote 10.0.0.1 local 10.0.0.2
	at ${P}a vx0 192.168.9.1/24; at ${P}b vx0 192.168.9.2/24; ip -n ${P}a link set vx0 up; ip -n ${P}b link set vx0 up
}
# M2 MODE
M2() {
	P2; room ${P}c ${P}d
	ip -n ${P}a link add mc link va type macvlan mode ${1:-bridge}; ip -n ${P}a link set mc netns ${P}c; ip -n ${P}c link set mc up; at ${P}c mc 10.0.0.3/24
	ip -n ${P}a link add md link va type macvlan mode ${1:-bridge}; ip -n ${P}a link set md netns ${P}d; ip -n ${P}d link set md up; at ${P}d md 10.0.0.4/24
}
`
