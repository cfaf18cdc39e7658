/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What the BPF programs need of the kernel: helpers, the words for maps, and of its structures only the fields that they
 * read. Where those are in the running kernel is found from its BTF when a program is loaded (CO-RE); the order, the size
 * and what stands between them do not matter here.
 *
 * The programs are raw tracepoints. As tp_btf they could follow pointers without a helper; what the kernel's verifier thinks
 * of such pointers is another story in every second version, and here every version reads the same way.
 *
 * Numbers of helpers and of kinds of maps: linux/bpf.h.
 */
#ifndef WARREN_KERNEL_H
#define WARREN_KERNEL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define NULL ((void *)0)

/* A section of the object: a program's says where it is attached. */
#define SECTION(name) __attribute__((section(name), used))
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Members of a map's definition: a number is the length of an array, a type is what a pointer points to. */
#define NUMBER(name, n) int(*name)[n]
#define TYPE(name, t) t *name
#define MAP SECTION(".maps")

enum { LRU_HASH = 9, RING_BUFFER = 27 };

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static long (*const map_delete)(void *map, const void *key) = (void *)3;
static u64 (*const ktime_get_ns)(void) = (void *)5;
/* Fills with zeros what cannot be read. */
static long (*const probe_read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static long (*const ring_output)(void *ring, const void *from, u64 size, u64 flags) = (void *)130;
static void *(*const ring_reserve)(void *ring, u64 size, u64 flags) = (void *)131;
static void (*const ring_submit)(void *record, u64 flags) = (void *)132;

/* A field of what p points to; zero where that cannot be read. */
#define READ(p, field)                                                  \
	({                                                              \
		__typeof__((p)->field) value_;                          \
		probe_read_kernel(&value_, sizeof(value_), &(p)->field); \
		value_;                                                 \
	})

/* Whether the running kernel's structure has the field. Known when the program is loaded: what is not reached is not checked. */
#define HAS(field) __builtin_preserve_field_info(field, 2)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	u32 inum;
};

struct net {
	u64 net_cookie;
	struct ns_common ns;
};

/* What follows three underscores is not part of the name. The cookie became the id of all kinds of namespaces in Linux 6.18. */
struct ns_common___id {
	u64 ns_id;
};

struct net___id {
	struct ns_common___id ns;
};

struct net_device {
	int ifindex;
	char name[16];
	struct {
		struct net *net;
	} nd_net;
};

struct sock {
	struct {
		struct {
			struct net *net;
		} skc_net;
	} __sk_common;
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned char *head;
	u16 network_header; /* from head on */
	u16 protocol;	    /* in network order */
};

enum skb_drop_reason { SKB_NOT_DROPPED_YET };

/* The event kfree_skb as text tools get it tells which arguments the tracepoint has. */
struct trace_event_raw_kfree_skb {
	enum skb_drop_reason reason; /* Linux 5.17 */
	void *rx_sk;		     /* Linux 6.10 */
};

#pragma clang attribute pop

/* What the tracepoint kfree_skb has beside the packet. */
struct dropping {
	u64 location;
	u32 reason; /* 0 on kernels that tell none */
	struct sock *sk;
};

ALWAYS_INLINE struct dropping dropping_of(const u64 *ctx)
{
	struct trace_event_raw_kfree_skb *has = NULL;
	struct dropping d = {.location = ctx[1]};

	if (HAS(has->reason))
		d.reason = ctx[2];
	if (HAS(has->rx_sk))
		d.sk = (struct sock *)ctx[3];
	return d;
}

ALWAYS_INLINE u64 cookie_of(struct net *net)
{
	if (HAS(net->net_cookie))
		return READ(net, net_cookie);
	return READ((struct net___id *)net, ns.ns_id);
}

/* The namespace of a packet without a device: that of who sends it, or else of who was to get it. */
ALWAYS_INLINE struct net *net_of_socket(struct sk_buff *skb, struct sock *receiver)
{
	struct sock *sk = READ(skb, sk);

	if (!sk)
		sk = receiver;
	return sk ? READ(sk, __sk_common.skc_net.net) : NULL;
}

/* The packet from its network header on. */
ALWAYS_INLINE void read_packet(u8 *to, u32 size, struct sk_buff *skb)
{
	probe_read_kernel(to, size, READ(skb, head) + READ(skb, network_header));
}

#endif
