// Package xt reads legacy iptables and ip6tables: the binary tables that the kernel gives away (getsockopt(2),
// IPT_SO_GET_ENTRIES) and the matches and targets in them, which iptables-nft puts into nftables as they are. It is pure:
// bytes in, values of package state out; who asks the kernel is internal/kernel.
//
// The layouts are those of linux/netfilter_ipv4/ip_tables.h, linux/netfilter_ipv6/ip6_tables.h and the headers of the
// single extensions in linux/netfilter, on a machine of 64 bits and little or big endian as it is. A match or target
// that is not understood keeps its name, revision and bytes: it must be taken neither for true nor for false. Nothing is
// ever written.
package xt
