/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Tells of each packet that the kernel drops. */
#include "../../kstruct/bpf/kernel.h"

char licence[] SECTION("license") = "GPL"; /* reading the kernel's memory is for those only */

/* A record as ../record.go reads it. */
struct record {
	u64 location;
	u64 reason;
	u16 protocol; /* EtherType in network order */
	u16 zeros[3];
	u64 cookie;
	u64 inode;
	u64 index;
	char device[16];
	u8 packet[96]; /* from its network header on */
};

_Static_assert(sizeof(struct record) == 160, "recordSize in ../record.go");

/* Holds some thousand drops. */
struct {
	NUMBER(type, RING_BUFFER);
	NUMBER(max_entries, 1 << 20);
} ring MAP;

SECTION("raw_tp/kfree_skb")
int warren_drops(u64 *ctx)
{
	struct sk_buff *skb = (struct sk_buff *)ctx[0];
	struct dropping d = dropping_of(ctx);
	struct net_device *dev = READ(skb, dev);
	struct net *net;
	struct record *r;

	r = ring_reserve(&ring, sizeof(*r), 0);
	if (!r)
		return 0;
	__builtin_memset(r, 0, __builtin_offsetof(struct record, packet));
	r->location = d.location;
	r->reason = d.reason;
	r->protocol = READ(skb, protocol);
	if (dev) {
		r->index = READ(dev, ifindex);
		probe_read_kernel(r->device, sizeof(r->device), dev->name);
		net = READ(dev, nd_net.net);
	} else {
		net = net_of_socket(skb, d.sk);
	}
	if (net) {
		r->cookie = cookie_of(net);
		r->inode = READ(net, ns.inum);
	}
	read_packet(r->packet, sizeof(r->packet), skb);
	ring_submit(r, 0);
	return 0;
}
