/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Tells an operator what becomes of single frames of a line: a program notes at its entry whose frame it is, and the exit
 * tells the outcome, at most BNG_TRACE_PER_SECOND times a second. Changes nothing of what is decided.
 *
 * While nobody traces both cost a load and a comparison. The rest is in functions of their own, verified by themselves, so
 * that no program pays for it in registers or instructions.
 */
#ifndef BNG_LIB_TRACE_H
#define BNG_LIB_TRACE_H

#include "../maps.h"
#include "guard.h"
#include "parse.h"
#include "police.h"

enum bng_trace_time {
	BNG_TRACE_SECOND_NS = 1000000000,
};

static __always_inline struct bng_trace_switch *bng_trace_switch(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&bng_trace, &only);
}

static __always_inline bool bng_is_tracing(void)
{
	struct bng_trace_switch *trace = bng_trace_switch();

	return trace && trace->until_ns;
}

static __always_inline struct bng_trace_scratch *bng_trace_at_hand(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&bng_trace_scratch, &only);
}

/* Nothing is noted yet. NULL when the trace was forgotten: a control plane that dies cannot end it. */
static __always_inline struct bng_trace_scratch *bng_begin_note(void)
{
	struct bng_trace_switch *trace = bng_trace_switch();
	struct bng_trace_scratch *scratch = bng_trace_at_hand();

	if (!trace || !scratch)
		return NULL;
	scratch->is_noted = 0;
	if (bpf_ktime_get_coarse_ns() <= trace->until_ns)
		return scratch;
	trace->until_ns = 0;
	return NULL;
}

/* Whether the station `key` is traced, or its line with all stations: `key` becomes that of the entry. */
static __always_inline bool bng_is_traced(struct bng_line_key *key)
{
	if (bpf_map_lookup_elem(&bng_traced, key))
		return true;
	__builtin_memset(key->mac, 0, ETH_ALEN);
	return bpf_map_lookup_elem(&bng_traced, key);
}

/* Whether the holder of the address is traced. */
static __always_inline bool bng_is_holder_traced(struct bng_line_key *key, __be32 address)
{
	const struct bng_subscriber *holder;
	__u32 slot;

	holder = bng_find_subscriber(address, &slot);
	if (!holder)
		return false;
	key->ifindex = holder->ifindex;
	key->s_vlan = holder->s_vlan;
	key->c_vlan = holder->c_vlan;
	__builtin_memcpy(key->mac, holder->mac, ETH_ALEN);
	key->reserved = 0;
	return bng_is_traced(key);
}

static __always_inline void bng_describe_ipv4(struct bng_trace_record *record, const struct bng_frame *frame)
{
	const struct iphdr *ip = frame->ip;
	struct bng_l4_ports *ports = NULL;

	record->source = ip->saddr;
	record->destination = ip->daddr;
	record->ip_length = frame->ip_length;
	record->protocol = ip->protocol;
	if ((ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP) && !bng_is_fragment(ip))
		ports = bng_parse_ports(frame);
	if (!ports)
		return;
	record->source_port = ports->source;
	record->destination_port = ports->destination;
}

static __always_inline void bng_describe(struct bng_trace_record *record, struct bng_cursor *cursor,
					 struct bng_frame *frame, __u32 length)
{
	struct bng_arp *arp;

	__builtin_memset(record, 0, sizeof(*record));
	record->frame_length = length;
	record->ethertype = frame->protocol;
	if (frame->protocol == bpf_htons(ETH_P_IP)) {
		if (bng_read_ipv4(cursor, frame, length - frame->l3_offset) == BNG_CONTINUE)
			bng_describe_ipv4(record, frame);
	} else if (frame->protocol == bpf_htons(ETH_P_ARP)) {
		arp = bng_parse_arp(cursor);
		if (!arp)
			return;
		record->source = arp->sender_address;
		record->destination = arp->target_address;
	}
}

static __always_inline void bng_note(struct bng_trace_scratch *scratch, const struct bng_line_key *key,
				     enum bng_direction direction)
{
	scratch->record.traced = *key;
	scratch->record.direction = direction;
	scratch->is_noted = 1;
}

/* A frame on an access port: of the station that sends it, or else of the subscriber that it is for. */
__weak __noinline int bng_note_upstream(struct xdp_md *ctx)
{
	struct bng_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct bng_trace_scratch *scratch = bng_begin_note();
	struct bng_frame frame = {};
	struct bng_line_key key;
	bool is_whole;

	if (!scratch)
		return 0;
	is_whole = bng_parse_ethernet(&cursor, &frame) == BNG_CONTINUE;
	if (!frame.ethernet)
		return 0;
	if (!is_whole)
		frame.protocol = 0;
	bng_line_key(&key, ctx->ingress_ifindex, &frame);
	bng_describe(&scratch->record, &cursor, &frame, bpf_xdp_get_buff_len(ctx));
	if (bng_is_traced(&key))
		bng_note(scratch, &key, BNG_DIRECTION_UPSTREAM);
	else if (scratch->record.ip_length && bng_is_holder_traced(&key, scratch->record.destination))
		bng_note(scratch, &key, BNG_DIRECTION_DOWNSTREAM);
	return 0;
}

static __always_inline void bng_note_receiver(struct bng_trace_scratch *scratch, struct bng_cursor *cursor,
					      __u32 length)
{
	struct bng_frame frame = {};
	struct bng_line_key key;

	if (bng_parse_ethernet(cursor, &frame) != BNG_CONTINUE)
		return;
	bng_describe(&scratch->record, cursor, &frame, length);
	if (bng_is_holder_traced(&key, scratch->record.destination))
		bng_note(scratch, &key, BNG_DIRECTION_DOWNSTREAM);
}

/* A frame on a core port. */
__weak __noinline int bng_note_downstream(struct xdp_md *ctx)
{
	struct bng_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct bng_trace_scratch *scratch = bng_begin_note();

	if (scratch)
		bng_note_receiver(scratch, &cursor, bpf_xdp_get_buff_len(ctx));
	return 0;
}

/* A packet that the stack sends; its headers are in the linear part. */
__weak __noinline int bng_note_egress(struct __sk_buff *skb)
{
	struct bng_cursor cursor = { (void *)(long)skb->data, (void *)(long)skb->data_end };
	struct bng_trace_scratch *scratch = bng_begin_note();

	if (scratch)
		bng_note_receiver(scratch, &cursor, skb->len);
	return 0;
}

/* The frame that was noted leaves with `outcome`. */
__weak __noinline int bng_trace_outcome(int outcome)
{
	struct bng_rate rate = { (__u64)BNG_TRACE_SECOND_NS / BNG_TRACE_PER_SECOND << BNG_RATE_FRACTION_BITS,
				 BNG_TRACE_SECOND_NS };
	struct bng_trace_scratch *scratch = bng_trace_at_hand();
	bool is_drop = outcome >= BNG_OUTCOME_DROP;
	struct bng_trace_record *record;
	struct bng_traced *traced;

	if (!scratch || !scratch->is_noted)
		return 0;
	scratch->is_noted = 0;
	record = &scratch->record;
	traced = bpf_map_lookup_elem(&bng_traced, &record->traced);
	if (!traced)
		return 0;
	if (!bng_conforms(is_drop ? &traced->dropped_tat : &traced->passed_tat, rate, 1)) {
		__sync_fetch_and_add(&traced->untold, 1);
		return 0;
	}
	record->time_ns = bpf_ktime_get_ns();
	record->untold = traced->untold;
	record->verdict = is_drop ? BNG_VERDICT_DROP : outcome;
	record->drop_reason = is_drop ? outcome & BNG_OUTCOME_REASON : 0;
	if (!bpf_ringbuf_output(&bng_trace_records, record, sizeof(*record), 0))
		__sync_fetch_and_add(&traced->untold, -record->untold);
	return 0;
}

#endif
