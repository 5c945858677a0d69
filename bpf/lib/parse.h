/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Turns bytes into typed headers. The only place of the dataplane with bounds checks: whatever gets a pointer from
 * here may read what the type says. No map, no decision.
 */
#ifndef BNG_LIB_PARSE_H
#define BNG_LIB_PARSE_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "outcome.h"

enum bng_parse_limit {
	BNG_MAX_TAGS = 2,
	BNG_VLAN_ID_MASK = 0x0fff,
	BNG_VLAN_PRIORITY_MASK = 0xe000, /* priority code point */
	BNG_FRAGMENT_MASK = 0x3fff, /* more-fragments bit and offset: zero for a whole packet */
	BNG_SHORT_BUFFER = 1024, /* bytes; what no driver leaves of a buffer before it takes another */
};

enum bng_icmp_type {
	BNG_ICMP_ECHO = 8,
};

enum bng_ipv4_address {
	BNG_THIS_NETWORK = 0, /* first octet; RFC 1122 3.2.1.3: never a destination */
	BNG_LOOPBACK_NETWORK = 127, /* first octet; never leaves a host */
	BNG_FIRST_GROUP_ADDRESS = 0xe0000000, /* 224.0.0.0: multicast, reserved and broadcast lie above */
};

/* The bytes not yet parsed. */
struct bng_cursor {
	void *at;
	void *end;
};

struct bng_vlan_tag {
	__be16 tci;
	__be16 protocol;
};

enum bng_arp_operation {
	BNG_ARP_REQUEST = 1,
	BNG_ARP_REPLY = 2,
};

/* RFC 826 with Ethernet and IPv4 addresses. */
struct bng_arp {
	__be16 hardware;
	__be16 protocol;
	__u8 hardware_length;
	__u8 protocol_length;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__be32 sender_address;
	__u8 target_mac[ETH_ALEN];
	__be32 target_address;
} __attribute__((packed));

/* Common head of ICMP messages; linux/icmp.h pulls in headers that do not compile for this target. */
struct bng_icmp {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 rest;
};

/* What a BOOTP message begins with, RFC 951: all of it that a client's answer has of the client's own. */
struct bng_bootp_head {
	__u8 op;
	__u8 hardware;
	__u8 hardware_length;
	__u8 hops;
	__be32 xid;
	__be16 seconds;
	__be16 flags;
	__be32 client_address;
	__be32 your_address;
	__be32 server_address;
	__be32 relay_address;
	__be32 chaddr[4]; /* a MAC and padding; in words, to be copied and summed up */
};

/* Up to DHCP's cookie, behind which the options are. */
struct bng_bootp {
	struct bng_bootp_head head;
	__u8 server_name[64];
	__u8 file[128];
	__be32 cookie;
};

struct bng_dhcp {
	struct udphdr udp;
	struct bng_bootp bootp;
};

/* First words of TCP and of UDP alike. */
struct bng_l4_ports {
	__be16 source;
	__be16 destination;
};

/*
 * What is known of a frame. Tags with VLAN id 0 (priority tags) are no part of a line: they are skipped here, and
 * vanish when the tags are taken off.
 */
struct bng_frame {
	struct ethhdr *ethernet;
	struct iphdr *ip;
	void *end;
	__u32 l3_offset;
	__u32 l3_length; /* bytes behind the tags, padding included */
	__u32 ip_length; /* total length of the IPv4 header */
	__be16 protocol; /* EtherType behind the tags */
	__u16 s_vlan;
	__u16 c_vlan;
	__be16 s_tpid;
	__be16 c_tpid;
	__be16 priority; /* of the outermost tag, in place for another TCI */
};

/*
 * A length that is known to be 1 to `mask` + 1, in a way that the verifier sees too: clang may compare one register and
 * use another, or merge two comparisons into one that no kernel before 6.10 carries over.
 */
static __always_inline __u32 bng_within(__u32 length, __u32 mask)
{
	asm volatile("" : "+r"(length));
	return ((length - 1) & mask) + 1;
}

static __always_inline void *bng_take(struct bng_cursor *cursor, __u32 size)
{
	void *at = cursor->at;

	if (at + size > cursor->end)
		return NULL;
	cursor->at = at + size;
	return at;
}

static __always_inline bool bng_is_tag(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

static __always_inline int bng_parse_ethernet(struct bng_cursor *cursor, struct bng_frame *frame)
{
	struct bng_vlan_tag *tag;
	struct ethhdr *ethernet;
	__be16 protocol;
	__u16 id;

	ethernet = bng_take(cursor, sizeof(*ethernet));
	if (!ethernet)
		return bng_drop(BNG_DROP_MALFORMED);
	frame->ethernet = ethernet;
	frame->l3_offset = sizeof(*ethernet);
	protocol = ethernet->h_proto;
#pragma unroll
	for (int i = 0; i < BNG_MAX_TAGS; i++) {
		if (!bng_is_tag(protocol))
			break;
		tag = bng_take(cursor, sizeof(*tag));
		if (!tag)
			return bng_drop(BNG_DROP_MALFORMED);
		id = bpf_ntohs(tag->tci) & BNG_VLAN_ID_MASK;
		if (!i)
			frame->priority = tag->tci & bpf_htons(BNG_VLAN_PRIORITY_MASK);
		if (id && !frame->s_vlan) {
			frame->s_vlan = id;
			frame->s_tpid = protocol;
		} else if (id) {
			frame->c_vlan = id;
			frame->c_tpid = protocol;
		}
		frame->l3_offset += sizeof(*tag);
		protocol = tag->protocol;
	}
	if (bng_is_tag(protocol))
		return bng_drop(BNG_DROP_TOO_MANY_TAGS);
	frame->protocol = protocol;
	frame->end = cursor->end;
	return BNG_CONTINUE;
}

/* Broadcast and multicast of Ethernet. */
static __always_inline bool bng_is_group_frame(const struct bng_frame *frame)
{
	return frame->ethernet->h_dest[0] & 1;
}

static __always_inline struct bng_arp *bng_parse_arp(struct bng_cursor *cursor)
{
	struct bng_arp *arp = bng_take(cursor, sizeof(*arp));

	if (!arp || arp->hardware != bpf_htons(1) || arp->protocol != bpf_htons(ETH_P_IP) ||
	    arp->hardware_length != ETH_ALEN || arp->protocol_length != sizeof(__be32))
		return NULL;
	return arp;
}

/*
 * The header checksum is left alone: the TTL is adjusted incrementally (RFC 1624), so a wrong sum stays wrong and the
 * receiver rejects it; summing it up here would cost every good packet to catch what a CRC has already caught.
 */
static __always_inline int bng_read_ipv4(struct bng_cursor *cursor, struct bng_frame *frame, __u32 available)
{
	struct iphdr *ip = bng_take(cursor, sizeof(*ip));
	__u32 header, total;

	if (!ip)
		return bng_drop(BNG_DROP_MALFORMED);
	header = ip->ihl * 4;
	total = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || header < sizeof(*ip) || header > total || total > available)
		return bng_drop(BNG_DROP_MALFORMED);
	frame->ip = ip;
	frame->ip_length = total;
	frame->l3_length = available;
	return BNG_CONTINUE;
}

/*
 * How long the frame is. A jumbo frame lies in several buffers, of which `data` to `data_end` is the first: a driver fills
 * that before it takes a second, so that a short one is all there is, and the kernel need not be asked.
 */
static __always_inline __u32 bng_frame_length(struct xdp_md *ctx)
{
	__u32 first = ctx->data_end - ctx->data;

	return first < BNG_SHORT_BUFFER ? first : bpf_xdp_get_buff_len(ctx);
}

static __always_inline int bng_parse_ipv4(struct xdp_md *ctx, struct bng_cursor *cursor, struct bng_frame *frame)
{
	return bng_read_ipv4(cursor, frame, bng_frame_length(ctx) - frame->l3_offset);
}

/* For an skb, whose linear part holds the headers only: `length` is that of the whole frame. */
static __always_inline int bng_parse_ipv4_of_stack(struct bng_cursor *cursor, struct bng_frame *frame, __u32 length)
{
	return bng_read_ipv4(cursor, frame, length - frame->l3_offset);
}

/* The destination address of what claims to be untagged IPv4, before anything else of it is believed. */
static __always_inline __be32 *bng_peek_destination(const struct bng_cursor *cursor)
{
	struct bng_cursor ahead = *cursor;
	struct ethhdr *ethernet = bng_take(&ahead, sizeof(*ethernet));
	struct iphdr *ip;

	if (!ethernet || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return NULL;
	ip = bng_take(&ahead, sizeof(*ip));
	return ip ? &ip->daddr : NULL;
}

static __always_inline bool bng_is_fragment(const struct iphdr *ip)
{
	return ip->frag_off & bpf_htons(BNG_FRAGMENT_MASK);
}

static __always_inline bool bng_has_options(const struct iphdr *ip)
{
	return ip->ihl > 5;
}

/* The header of `size` bytes behind the IPv4 header; NULL unless it lies whole within the packet. */
static __always_inline void *bng_parse_l4(const struct bng_frame *frame, __u32 size)
{
	__u32 header = frame->ip->ihl * 4;
	void *at = (void *)frame->ip + header;

	if (header + size > frame->ip_length || at + size > frame->end)
		return NULL;
	return at;
}

/* Ports of an unfragmented TCP or UDP packet; NULL when its header is cut short. */
static __always_inline struct bng_l4_ports *bng_parse_ports(const struct bng_frame *frame)
{
	if (frame->ip->protocol == IPPROTO_TCP)
		return bng_parse_l4(frame, sizeof(struct tcphdr));
	return bng_parse_l4(frame, sizeof(struct udphdr));
}

/* The first `size` bytes of a frame whose head was just moved; earlier pointers into it are void. */
static __always_inline void *bng_frame_head(struct xdp_md *ctx, __u32 size)
{
	struct bng_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };

	return bng_take(&cursor, size);
}

/* `size` bytes at `offset` of a frame whose length has changed; `offset` is bounded by the caller. */
static __always_inline void *bng_frame_at(struct xdp_md *ctx, __u32 offset, __u32 size)
{
	struct bng_cursor cursor = { (void *)(long)ctx->data + offset, (void *)(long)ctx->data_end };

	return bng_take(&cursor, size);
}

#endif
