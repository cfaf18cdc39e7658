// Package xfrm is the layout of the messages about transforms of packets (IPsec, compression, mobile IPv6) that the kernel
// speaks over NETLINK_XFRM, as linux/xfrm.h has them: values to bytes and back. Attributes' types are here, reading and
// writing them is internal/rtnl's; sockets are internal/nl's.
//
// The values are as they are on the wire: numbers in the machine's order, but for those that the header calls __be16 and
// __be32, which are [BE16] and [BE32]. The layout is that of 64-bit machines, where a number of 64 bits is aligned to eight
// bytes.
//
// Keys of states are secrets. Nothing but an answer to who asked for a state may hold one: no log, no snapshot.
package xfrm
