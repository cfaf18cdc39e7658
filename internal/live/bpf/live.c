/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Tells of packets of known flows wherever they come by, and learns new flows from packets that it knows by the address of
 * their sk_buff: those whose addresses were translated.
 */
#include "../../kstruct/bpf/kernel.h"

char licence[] SECTION("license") = "GPL"; /* reading the kernel's memory is for those only */

/* What was seen. */
enum kind { SENT = 1, RECEIVED = 2, DROPPED = 3 };

/* A record as ../record.go reads it. */
struct record {
	u64 time; /* monotonic, nanoseconds */
	u64 skb;
	u64 kind;
	u64 reason;
	u64 location;
	u64 cookie;
	u64 index;
	char device[16];
	u8 packet[96]; /* from its network header on */
};

_Static_assert(sizeof(struct record) == 168, "recordSize in ../record.go");

/* A flow as ../record.go writes it: IPv4 is in the first four bytes; ports in network order. */
struct key {
	u8 src[16];
	u8 dst[16];
	u8 sport[2];
	u8 dport[2];
	u8 proto;
	u8 zeros[3];
};

_Static_assert(sizeof(struct key) == 40, "keySize in ../record.go");

/* What translation leaves alone, of a packet: protocol and length as they are in its header. */
struct content {
	u8 length[2];
	u8 proto;
	u8 zeros[5];
};

_Static_assert(sizeof(struct content) == sizeof(u64), "they are compared as one");

struct {
	NUMBER(type, RING_BUFFER);
	NUMBER(max_entries, 1 << 20);
} ring MAP;

/* Exchanges that are followed. */
struct {
	NUMBER(type, LRU_HASH);
	NUMBER(max_entries, 256);
	TYPE(key, struct key);
	TYPE(value, u64);
} flows MAP;

/* What is in sk_buffs that were told of, by their addresses. */
struct {
	NUMBER(type, LRU_HASH);
	NUMBER(max_entries, 4096);
	TYPE(key, u64);
	TYPE(value, u64);
} skbs MAP;

/* Headers: where things are in them. */
enum {
	IP4_LENGTH = 2,
	IP4_PROTO = 9,
	IP4_SRC = 12,
	IP4_DST = 16,
	IP4_SIZE = 20,
	IP6_LENGTH = 4,
	IP6_PROTO = 6,
	IP6_SRC = 8,
	IP6_DST = 24,
	IP6_SIZE = 40,
	ICMP_ID = 4,
	ICMP_SIZE = 8,
};

enum { ICMP = 1, ICMPV6 = 58 };

/* A place on the stack is copied without calling anything. */
#define COPY(to, from, size) __builtin_memcpy(to, from, size)

/* Both ports of an echo are its id. */
ALWAYS_INLINE void flow_of(struct key *k, u8 proto, const u8 *src, const u8 *dst, u32 size, const u8 *transport)
{
	COPY(k->src, src, size);
	COPY(k->dst, dst, size);
	k->proto = proto;
	if (proto == ICMP || proto == ICMPV6) {
		COPY(k->sport, transport + ICMP_ID, 2);
		COPY(k->dport, transport + ICMP_ID, 2);
	} else {
		COPY(k->sport, transport, 2);
		COPY(k->dport, transport + 2, 2);
	}
}

ALWAYS_INLINE void flow4(struct key *k, const u8 *ip)
{
	flow_of(k, ip[IP4_PROTO], ip + IP4_SRC, ip + IP4_DST, 4, ip + IP4_SIZE);
}

ALWAYS_INLINE void flow6(struct key *k, const u8 *ip)
{
	flow_of(k, ip[IP6_PROTO], ip + IP6_SRC, ip + IP6_DST, 16, ip + IP6_SIZE);
}

/* Types of errors: RFC 792, RFC 4443. Their flow is that of the packet that they quote. */
ALWAYS_INLINE int error4(const u8 *ip)
{
	u8 type = ip[IP4_SIZE];

	return ip[IP4_PROTO] == ICMP && (type == 3 || type == 5 || type == 11 || type == 12);
}

ALWAYS_INLINE int error6(const u8 *ip)
{
	u8 type = ip[IP6_SIZE];

	return ip[IP6_PROTO] == ICMPV6 && type >= 1 && type <= 4;
}

/* False: it is no packet that is followed: not IP, or IPv4 with options. */
ALWAYS_INLINE int parse(struct key *k, struct content *c, const u8 *ip)
{
	if (ip[0] == 0x45) {
		COPY(c->length, ip + IP4_LENGTH, 2);
		c->proto = ip[IP4_PROTO];
		if (error4(ip))
			flow4(k, ip + IP4_SIZE + ICMP_SIZE);
		else
			flow4(k, ip);
		return 1;
	}
	if (ip[0] >> 4 == 6) {
		COPY(c->length, ip + IP6_LENGTH, 2);
		c->proto = ip[IP6_PROTO];
		if (error6(ip))
			flow6(k, ip + IP6_SIZE + ICMP_SIZE);
		else
			flow6(k, ip);
		return 1;
	}
	return 0;
}

/* The flow of a packet's answer. */
ALWAYS_INLINE void reverse(struct key *to, const struct key *k)
{
	COPY(to->src, k->dst, sizeof(k->dst));
	COPY(to->dst, k->src, sizeof(k->src));
	COPY(to->sport, k->dport, sizeof(k->dport));
	COPY(to->dport, k->sport, sizeof(k->sport));
	to->proto = k->proto;
}

/* Whether the packet is one to tell of. */
ALWAYS_INLINE int known(u64 skb, struct key *k, u64 *content)
{
	struct key back = {};
	u64 *held;

	if (!map_lookup(&flows, k)) {
		held = map_lookup(&skbs, &skb);
		if (!held)
			return 0;
		if (*held != *content) /* it is inside of another packet, a tunnel's: who else uses that is not followed */
			return 1;
		reverse(&back, k);
		map_update(&flows, k, content, 0);
		map_update(&flows, &back, content, 0);
	}
	map_update(&skbs, &skb, content, 0);
	return 1;
}

/* Tells of a packet that is known. False: its sk_buff is not. */
ALWAYS_INLINE int watch(struct sk_buff *skb, enum kind kind, struct dropping d)
{
	union {
		struct content parts;
		u64 all;
	} content = {};
	struct record r = {.skb = (u64)skb, .kind = kind, .reason = d.reason, .location = d.location};
	struct key k = {};
	struct net_device *dev;
	struct net *net;

	read_packet(r.packet, sizeof(r.packet), skb);
	if (!parse(&k, &content.parts, r.packet))
		return 1;
	if (!known((u64)skb, &k, &content.all))
		return 0;
	dev = READ(skb, dev);
	if (dev) {
		r.index = READ(dev, ifindex);
		probe_read_kernel(r.device, sizeof(r.device), dev->name);
		net = READ(dev, nd_net.net);
	} else {
		net = net_of_socket(skb, d.sk);
	}
	if (net)
		r.cookie = cookie_of(net);
	r.time = ktime_get_ns();
	ring_output(&ring, &r, sizeof(r), 0);
	return 1;
}

/* The kernel uses an sk_buff again for something else. */
ALWAYS_INLINE void forget(u64 skb)
{
	map_delete(&skbs, &skb);
}

SECTION("raw_tp/net_dev_queue")
int warren_sent(u64 *ctx)
{
	watch((struct sk_buff *)ctx[0], SENT, (struct dropping){});
	return 0;
}

SECTION("raw_tp/netif_receive_skb")
int warren_received(u64 *ctx)
{
	watch((struct sk_buff *)ctx[0], RECEIVED, (struct dropping){});
	return 0;
}

SECTION("raw_tp/kfree_skb")
int warren_dropped(u64 *ctx)
{
	if (watch((struct sk_buff *)ctx[0], DROPPED, dropping_of(ctx)))
		forget(ctx[0]);
	return 0;
}

/* Not told. */
SECTION("raw_tp/consume_skb")
int warren_consumed(u64 *ctx)
{
	forget(ctx[0]);
	return 0;
}
