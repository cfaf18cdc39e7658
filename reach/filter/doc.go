// Package filter says what netfilter does with one concrete packet in one namespace: the base chains of nftables and the
// tables of legacy iptables on a hook, in the order of their priorities, conntrack and NAT between them.
//
// It is pure, and never guesses: what it does not understand ends as a [Stop] of kind [Unknown] that names the object.
// A drop does not end the evaluation: the packet goes on as if that chain had accepted it, so that the walk can tell what
// else would stand in its way. The first stop is the one that the kernel makes.
//
// See nft(8), iptables(8), linux/netfilter*.h.
package filter
