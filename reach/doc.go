// Package reach walks one packet over a snapshot and tells whether it arrives, whether the answer comes back, and if not,
// where it dies and what would help.
//
// [Trace] follows a concrete packet step by step as the kernel would (request and reply, of TCP the third packet too),
// through policy rules and routes, neighbour resolution (which is a walk of its own), netfilter (package
// [warren/reach/filter]), devices, bridges, tunnels and sockets, from namespace to namespace. It is pure: it looks at the
// snapshot and at nothing else, so it works the same on a saved one. When the snapshot holds too little it says what is
// [Missing]; the caller observes that and asks again.
//
// The first obstacle is the reason; the walk goes on as if it were gone and lists what it meets later under Also. What is
// outside of the model ends as an [Unknown] that names the object: reach does not guess.
//
// Order and names of the decisions follow Linux: net/ipv4/route.c, fib_frontend.c, arp.c, net/ipv6/route.c, ndisc.c,
// net/bridge/br_input.c, br_forward.c, br_netfilter_hooks.c, drivers/net/{veth,vxlan,macvlan}, and RFC 826, 1122, 1812,
// 4861, 6724.
package reach
