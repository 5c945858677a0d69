/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * DHCP from subscribers: what lib/answer.h does not answer is copied whole to the control plane within rates, those of
 * the station, of its line and of all lines, and the original dropped. Comes before the source guard, since who asks for
 * a lease has no address yet.
 */
#ifndef BNG_LIB_PUNT_H
#define BNG_LIB_PUNT_H

#include "../maps.h"
#include "answer.h"
#include "guard.h"
#include "parse.h"
#include "police.h"
#include "service.h"

/* The bucket at `key`, made full where there is none. */
static __always_inline bool bng_bucket_conforms(const struct bng_line_key *key, struct bng_rate rate)
{
	__u64 *bucket, fresh = 0;

	if (!rate.ns_per_byte)
		return true;
	bucket = bpf_map_lookup_elem(&bng_punt_lines, key);
	if (!bucket) {
		bpf_map_update_elem(&bng_punt_lines, key, &fresh, BPF_NOEXIST);
		bucket = bpf_map_lookup_elem(&bng_punt_lines, key);
	}
	return bucket && bng_conforms(bucket, rate, 1);
}

static __always_inline bool bng_share_conforms(__u32 share, struct bng_rate rate)
{
	__u64 *bucket;

	if (!rate.ns_per_byte)
		return true;
	bucket = bpf_map_lookup_elem(&bng_punt_total, &share);
	return bucket && bng_conforms(bucket, rate, 1);
}

/* An installed station has a bucket and a share that no other can empty, and what the others leave of theirs. */
static __always_inline int bng_admit_installed(const struct bng_line_key *station)
{
	if (!bng_bucket_conforms(station, bng_copy_rate(&bng_settings.punt_installed_rate)))
		return bng_drop(BNG_DROP_PUNT_LINE_RATE);
	if (!bng_share_conforms(BNG_PUNT_SHARE_INSTALLED, bng_copy_rate(&bng_settings.punt_total_installed_rate)) &&
	    !bng_share_conforms(BNG_PUNT_SHARE_NEW, bng_copy_rate(&bng_settings.punt_total_new_rate)))
		return bng_drop(BNG_DROP_PUNT_TOTAL_RATE);
	return BNG_CONTINUE;
}

/*
 * Of all stations together that are not installed. Two tags are one subscriber's line, or the few of one PON: its new
 * stations may together ask what one that is installed may. On other VLANs many share, and start at once.
 */
static __always_inline struct bng_rate bng_line_rate(const struct bng_line_key *line)
{
	return bng_copy_rate(line->c_vlan ? &bng_settings.punt_installed_rate : &bng_settings.punt_line_rate);
}

/*
 * A MAC that nobody has installed may be made up, and the next one too: beside the station's own bucket the line's
 * counts, which no change of MAC refills. A station that has used up its own costs the line nothing, so that neighbours
 * on a shared VLAN get their turn; and only what the line admits makes an entry, so that made-up MACs flush no others.
 */
static __always_inline int bng_admit_new(const struct bng_line_key *station)
{
	struct bng_rate rate = bng_copy_rate(&bng_settings.punt_new_rate);
	struct bng_line_key line = *station;
	__u64 *bucket = NULL;

	if (rate.ns_per_byte)
		bucket = bpf_map_lookup_elem(&bng_punt_lines, station);
	if (bucket && !bng_conforms(bucket, rate, 1))
		return bng_drop(BNG_DROP_PUNT_LINE_RATE);
	__builtin_memset(line.mac, 0, ETH_ALEN);
	if (!bng_bucket_conforms(&line, bng_line_rate(&line)))
		return bng_drop(BNG_DROP_PUNT_LINE_RATE);
	if (!bucket && !bng_bucket_conforms(station, rate))
		return bng_drop(BNG_DROP_PUNT_LINE_RATE);
	if (!bng_share_conforms(BNG_PUNT_SHARE_NEW, bng_copy_rate(&bng_settings.punt_total_new_rate)))
		return bng_drop(BNG_DROP_PUNT_TOTAL_RATE);
	return BNG_CONTINUE;
}

static __always_inline int bng_admit_punt(const struct bng_line_key *station)
{
	return bpf_map_lookup_elem(&bng_lines, station) ? bng_admit_installed(station) : bng_admit_new(station);
}

static __always_inline void bng_fill_punt(struct bng_punt *head, const struct bng_frame *frame, __u32 ifindex,
					  __u32 length)
{
	head->time_ns = bpf_ktime_get_ns();
	head->ifindex = ifindex;
	head->frame_length = length;
	head->reason = BNG_PUNT_DHCP;
	head->s_vlan = frame->s_vlan;
	head->c_vlan = frame->c_vlan;
	head->s_tpid = frame->s_tpid;
	head->c_tpid = frame->c_tpid;
	head->l3_offset = frame->l3_offset;
	head->reserved = 0;
}

/* A record with room for `room` bytes of frame: a constant, as the verifier wants it, hence two calls for two sizes. */
static __always_inline int bng_record_punt(struct xdp_md *ctx, const struct bng_frame *frame, __u32 length,
					   const __u32 room)
{
	struct bng_punt *head = bpf_ringbuf_reserve(&bng_punts, sizeof(*head) + room, 0);

	if (!head)
		return bng_drop(BNG_DROP_PUNT_RING_FULL);
	bng_fill_punt(head, frame, ctx->ingress_ifindex, length);
	if (bpf_xdp_load_bytes(ctx, 0, head + 1, length)) {
		bpf_ringbuf_discard(head, 0);
		return bng_drop(BNG_DROP_MALFORMED);
	}
	bpf_ringbuf_submit(head, 0);
	return BNG_VERDICT_PUNT;
}

/* Reads nothing of the frame itself, whose pointers may be void. */
static __always_inline int bng_punt(struct xdp_md *ctx, const struct bng_frame *frame,
				    const struct bng_line_key *station)
{
	__u32 length = frame->l3_offset + (__u32)frame->l3_length;
	int outcome;

	if (length > BNG_PUNT_LARGE)
		return bng_drop(BNG_DROP_PUNT_TOO_LONG);
	outcome = bng_admit_punt(station);
	if (outcome != BNG_CONTINUE)
		return outcome;
	/* Frames must not keep out what is told of answers, least of all while nobody reads. */
	if (bpf_ringbuf_query(&bng_punts, BPF_RB_AVAIL_DATA) > BNG_PUNT_RING_FRAMES)
		return bng_drop(BNG_DROP_PUNT_RING_FULL);
	/*
	 * Hides the arithmetic from clang, which would otherwise drop bounds that the verifier needs to see, and keeps the two
	 * bounds apart: merged into one comparison of length - 14, no kernel before 6.10 carries it over to length.
	 */
	asm volatile("" : "+r"(length));
	if (length < sizeof(struct ethhdr))
		return bng_drop(BNG_DROP_MALFORMED);
	asm volatile("" : "+r"(length));
	if (length > BNG_PUNT_LARGE)
		return bng_drop(BNG_DROP_MALFORMED);
	if (length > BNG_PUNT_SMALL)
		return bng_record_punt(ctx, frame, length, BNG_PUNT_LARGE);
	return bng_record_punt(ctx, frame, length, BNG_PUNT_SMALL);
}

/*
 * Takes what is addressed to a DHCP server here (broadcast, or unicast to an address of ours, RFC 2131 §4.1) and drops
 * what a subscriber sends as if it were a server. DHCP to someone else's server is ordinary traffic.
 */
static __always_inline int bng_take_dhcp(struct xdp_md *ctx, const struct bng_frame *frame)
{
	const struct iphdr *ip = frame->ip;
	struct bng_l4_ports *ports;
	struct bng_line_key key;
	int outcome;

	if (ip->protocol != IPPROTO_UDP || bng_is_fragment(ip))
		return BNG_CONTINUE;
	ports = bng_parse_ports(frame);
	if (!ports)
		return bng_drop(BNG_DROP_MALFORMED);
	if (ports->source == bpf_htons(BNG_DHCP_SERVER) && ports->destination == bpf_htons(BNG_DHCP_CLIENT))
		return bng_drop(BNG_DROP_DHCP_SERVER);
	if (ports->destination != bpf_htons(BNG_DHCP_SERVER))
		return BNG_CONTINUE;
	if (ip->daddr != bpf_htonl(INADDR_BROADCAST) && !bng_is_local(ip->daddr))
		return BNG_CONTINUE;
	bng_line_key(&key, ctx->ingress_ifindex, frame);
	outcome = bng_answer_dhcp(ctx, frame, &key);
	return outcome == BNG_CONTINUE ? bng_punt(ctx, frame, &key) : outcome;
}

#endif
