/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * DHCP from subscribers: copied whole to the control plane within two rates, one a line and one for all lines, and the
 * original dropped. Comes before the source guard, since who asks for a lease has no address yet.
 */
#ifndef BNG_LIB_PUNT_H
#define BNG_LIB_PUNT_H

#include "../maps.h"
#include "guard.h"
#include "parse.h"
#include "police.h"
#include "service.h"

enum bng_dhcp_port {
	BNG_DHCP_SERVER = 67,
	BNG_DHCP_CLIENT = 68,
};

/* Two sizes of record because the verifier wants constants: most frames fit the small one. */
struct bng_punt_small {
	struct bng_punt head;
	__u8 frame[BNG_PUNT_SMALL];
};

struct bng_punt_large {
	struct bng_punt head;
	__u8 frame[BNG_PUNT_LARGE];
};

static __always_inline bool bng_punt_line_conforms(const struct bng_line_key *key)
{
	struct bng_rate rate = { bng_settings.punt_line_rate.ns_per_byte, bng_settings.punt_line_rate.burst_ns };
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

static __always_inline bool bng_punt_total_conforms(void)
{
	struct bng_rate rate = { bng_settings.punt_total_rate.ns_per_byte, bng_settings.punt_total_rate.burst_ns };
	__u32 only = 0;
	__u64 *bucket;

	if (!rate.ns_per_byte)
		return true;
	bucket = bpf_map_lookup_elem(&bng_punt_total, &only);
	return bucket && bng_conforms(bucket, rate, 1);
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

static __always_inline int bng_punt_small(struct xdp_md *ctx, const struct bng_frame *frame, __u32 length)
{
	struct bng_punt_small *record = bpf_ringbuf_reserve(&bng_punts, sizeof(*record), 0);

	if (!record)
		return bng_drop(BNG_DROP_PUNT_RING_FULL);
	bng_fill_punt(&record->head, frame, ctx->ingress_ifindex, length);
	if (bpf_xdp_load_bytes(ctx, 0, record->frame, length)) {
		bpf_ringbuf_discard(record, 0);
		return bng_drop(BNG_DROP_MALFORMED);
	}
	bpf_ringbuf_submit(record, 0);
	return BNG_VERDICT_PUNT;
}

static __always_inline int bng_punt_large(struct xdp_md *ctx, const struct bng_frame *frame, __u32 length)
{
	struct bng_punt_large *record = bpf_ringbuf_reserve(&bng_punts, sizeof(*record), 0);

	if (!record)
		return bng_drop(BNG_DROP_PUNT_RING_FULL);
	bng_fill_punt(&record->head, frame, ctx->ingress_ifindex, length);
	if (bpf_xdp_load_bytes(ctx, 0, record->frame, length)) {
		bpf_ringbuf_discard(record, 0);
		return bng_drop(BNG_DROP_MALFORMED);
	}
	bpf_ringbuf_submit(record, 0);
	return BNG_VERDICT_PUNT;
}

static __always_inline int bng_punt(struct xdp_md *ctx, const struct bng_frame *frame)
{
	__u32 length = frame->l3_offset + (__u32)frame->l3_length;
	struct bng_line_key key;

	if (length > BNG_PUNT_LARGE)
		return bng_drop(BNG_DROP_PUNT_TOO_LONG);
	bng_line_key(&key, ctx->ingress_ifindex, frame);
	if (!bng_punt_line_conforms(&key))
		return bng_drop(BNG_DROP_PUNT_LINE_RATE);
	if (!bng_punt_total_conforms())
		return bng_drop(BNG_DROP_PUNT_TOTAL_RATE);
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
	return length > BNG_PUNT_SMALL ? bng_punt_large(ctx, frame, length) : bng_punt_small(ctx, frame, length);
}

/*
 * Takes what is addressed to a DHCP server here (broadcast, or unicast to an address of ours, RFC 2131 §4.1) and drops
 * what a subscriber sends as if it were a server. DHCP to someone else's server is ordinary traffic.
 */
static __always_inline int bng_take_dhcp(struct xdp_md *ctx, const struct bng_frame *frame)
{
	const struct iphdr *ip = frame->ip;
	struct bng_l4_ports *ports;

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
	return bng_punt(ctx, frame);
}

#endif
