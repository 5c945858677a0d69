/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Changes frames: TTL, Ethernet header, tags. Each function that moves the head voids every pointer into the frame,
 * so callers take what they need out of it before.
 */
#ifndef BNG_LIB_REWRITE_H
#define BNG_LIB_REWRITE_H

#include "../maps.h"
#include "parse.h"
#include "port.h"

/* The longest that precedes an IPv4 header. */
struct bng_tagged_header {
	struct ethhdr ethernet;
	struct bng_vlan_tag tags[BNG_MAX_TAGS];
};

/* One less in the high byte of a word that is summed up is 0x0100 more in the sum, end-around carry (RFC 1624). */
static __always_inline void bng_decrement_ttl(struct iphdr *ip)
{
	__u32 sum = (__u32)ip->check + bpf_htons(0x0100);

	ip->check = (__u16)(sum + (sum >= 0xffff));
	ip->ttl--;
}

/* Replaces all that precedes the IPv4 header by an untagged Ethernet header. */
static __always_inline int bng_write_untagged(struct xdp_md *ctx, __u32 l3_offset, const __u8 *destination,
					      const __u8 *source)
{
	struct ethhdr *ethernet;

	if (bpf_xdp_adjust_head(ctx, (int)(l3_offset - sizeof(*ethernet))))
		return bng_drop(BNG_DROP_HEADROOM);
	ethernet = bng_frame_head(ctx, sizeof(*ethernet));
	if (!ethernet)
		return bng_drop(BNG_DROP_HEADROOM);
	__builtin_memcpy(ethernet->h_dest, destination, ETH_ALEN);
	__builtin_memcpy(ethernet->h_source, source, ETH_ALEN);
	ethernet->h_proto = bpf_htons(ETH_P_IP);
	return BNG_CONTINUE;
}

/*
 * Replaces all that precedes the IPv4 header by what the subscriber's line wants: MACs and zero to two tags, which
 * bear the priority that the frame came with.
 */
static __always_inline int bng_write_line(struct xdp_md *ctx, __u32 l3_offset, __be16 priority,
					  const struct bng_subscriber *subscriber)
{
	struct bng_tagged_header *head;
	__u32 length = sizeof(head->ethernet);

	if (subscriber->s_vlan)
		length += sizeof(head->tags[0]);
	if (subscriber->s_vlan && subscriber->c_vlan)
		length += sizeof(head->tags[1]);
	if (bpf_xdp_adjust_head(ctx, (int)(l3_offset - length)))
		return bng_drop(BNG_DROP_HEADROOM);
	/* An IPv4 header follows, so the bytes of two tags are there even when the line has none. */
	head = bng_frame_head(ctx, sizeof(*head));
	if (!head)
		return bng_drop(BNG_DROP_HEADROOM);
	__builtin_memcpy(head->ethernet.h_dest, subscriber->mac, ETH_ALEN);
	bng_copy_port_mac(head->ethernet.h_source, subscriber->ifindex);
	if (!subscriber->s_vlan) {
		head->ethernet.h_proto = bpf_htons(ETH_P_IP);
		return BNG_CONTINUE;
	}
	head->ethernet.h_proto = subscriber->s_tpid;
	head->tags[0].tci = bpf_htons(subscriber->s_vlan) | priority;
	if (!subscriber->c_vlan) {
		head->tags[0].protocol = bpf_htons(ETH_P_IP);
		return BNG_CONTINUE;
	}
	head->tags[0].protocol = subscriber->c_tpid;
	head->tags[1].tci = bpf_htons(subscriber->c_vlan) | priority;
	head->tags[1].protocol = bpf_htons(ETH_P_IP);
	return BNG_CONTINUE;
}

#endif
