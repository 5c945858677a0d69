// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Adds to counters that are being written. Never attached: the control plane runs it (BPF_PROG_TEST_RUN) when another build's
 * counters are moved into this one's maps while frames are counted in them.
 *
 * Theory of operation. The counters are each CPU's own and their writers add without atomics, since nobody else writes that CPU's copy.
 * User space cannot join in: it could only replace a value whole and would lose what is counted meanwhile. This program runs on
 * one CPU and adds to that CPU's copy with one instruction a word, which a frame on the same CPU comes before or after. The frame
 * it runs on is the order: struct bng_carry.
 */
#include <stddef.h>

#include "lib/account.h"

static __always_inline void bng_add_words(__u64 *counter, const struct bng_carry *carry, __u32 words)
{
#pragma unroll
	for (__u32 i = 0; i < words; i++)
		__sync_fetch_and_add(&counter[i], carry->words[i]);
}

_Static_assert(sizeof(struct bng_traffic) <= sizeof(((struct bng_carry *)NULL)->words),
	       "bng_carry has words for every counter");

/* XDP_PASS, or XDP_ABORTED when there is no such counter. */
SEC("xdp")
int bng_carry(struct xdp_md *ctx)
{
	struct bng_carry carry;
	__u64 *counter = NULL;

	if (bpf_xdp_load_bytes(ctx, 0, &carry, sizeof(carry)))
		return XDP_ABORTED;
	if (carry.counters == BNG_CARRY_TRAFFIC) {
		struct bng_traffic *traffic = bng_traffic_of(carry.index);

		if (!traffic || carry.index >= bng_settings.traffic_slots)
			return XDP_ABORTED;
		bng_add_words((__u64 *)traffic, &carry, sizeof(*traffic) / sizeof(__u64));
		return XDP_PASS;
	}
	if (carry.counters == BNG_CARRY_VERDICTS)
		counter = bpf_map_lookup_elem(&bng_verdicts, &carry.index);
	else if (carry.counters == BNG_CARRY_DROPS)
		counter = bpf_map_lookup_elem(&bng_drops, &carry.index);
	if (!counter)
		return XDP_ABORTED;
	bng_add_words(counter, &carry, 1);
	return XDP_PASS;
}
