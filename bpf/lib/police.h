/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Policers: GCRA (ITU-T I.371), one theoretical arrival time (TAT) a bucket and no lock. A bucket that has been idle
 * admits burst_ns worth of bytes at once, then one byte every ns_per_byte.
 *
 * Time is read from the coarse clock, once a tick: it moves with the tick, and what tick it is costs a load while every
 * clock costs a call. It lags by two ticks at most (a CPU may see a tick before the clock has moved): a bucket that was
 * idle may therefore hold as much more than its burst, once, and the rate stays what it is. Before a refusal the exact
 * clock is asked, or a burst shorter than a tick would admit nothing between two ticks.
 */
#ifndef BNG_LIB_POLICE_H
#define BNG_LIB_POLICE_H

#include "../maps.h"
#include "parse.h"

enum bng_police_limit {
	/* Tries against other CPUs. Who loses them all passes unpaid: each loss means that another frame has paid. */
	BNG_POLICE_TRIES = 4,
};

/* Copies word by word: the settings are volatile, which a struct assignment does not take. */
static __always_inline struct bng_rate bng_copy_rate(const volatile struct bng_rate *rate)
{
	struct bng_rate copy = { rate->ns_per_byte, rate->burst_ns };

	return copy;
}

/* In two products, since one would overflow for a GSO packet at less than 32 bit/s. */
static __always_inline __u64 bng_cost(struct bng_rate rate, __u32 bytes)
{
	__u64 fraction = rate.ns_per_byte & ((1ull << BNG_RATE_FRACTION_BITS) - 1);

	return bytes * (rate.ns_per_byte >> BNG_RATE_FRACTION_BITS) + (bytes * fraction >> BNG_RATE_FRACTION_BITS);
}

static __always_inline __u64 bng_coarse_ns(void)
{
	__u64 tick = bpf_jiffies64();
	struct bng_clock *clock;
	__u32 only = 0;

	clock = bpf_map_lookup_elem(&bng_clocks, &only);
	if (!clock)
		return bpf_ktime_get_coarse_ns();
	if (clock->tick != tick) {
		clock->ns = bpf_ktime_get_coarse_ns();
		clock->tick = tick;
	}
	return clock->ns;
}

/* False when `bytes` exceed the rate. Something larger than the whole burst passes a full bucket and leaves it in
 * debt; otherwise a GSO packet towards a slow subscriber could never pass. */
static __always_inline bool bng_conforms(__u64 *bucket, struct bng_rate rate, __u32 bytes)
{
	__u64 cost = bng_cost(rate, bytes);
	__u64 weight = cost < rate.burst_ns ? cost : rate.burst_ns;
	__u64 now = bng_coarse_ns();
	__u64 seen, start;

#pragma unroll
	for (int i = 0; i < BNG_POLICE_TRIES; i++) {
		seen = *(volatile __u64 *)bucket;
		start = seen > now ? seen : now;
		if (start - now + weight > rate.burst_ns) {
			now = bpf_ktime_get_ns();
			start = seen > now ? seen : now;
			if (start - now + weight > rate.burst_ns)
				return false;
		}
		if (__sync_val_compare_and_swap(bucket, seen, start + cost) == seen)
			break;
	}
	return true;
}

/*
 * Bytes a frame costs: its IPv4 length, as RADIUS accounting sees it, but no less than what it occupies behind a
 * sender's padding to Ethernet's minimum, or a tiny packet in a long frame would travel for free.
 */
static __always_inline __u32 bng_policed_bytes(const struct bng_frame *frame)
{
	return frame->l3_length > ETH_ZLEN - ETH_HLEN ? frame->l3_length : frame->ip_length;
}

static __always_inline __u64 bng_burst_ns(__u32 burst)
{
	return (__u64)(burst >> BNG_BURST_EXPONENT_BITS) << (burst & ((1u << BNG_BURST_EXPONENT_BITS) - 1));
}

static __always_inline bool bng_conforms_up(struct bng_subscriber *subscriber, __u32 bytes)
{
	struct bng_rate rate = { subscriber->upstream_ns_per_byte, bng_burst_ns(subscriber->upstream_burst) };

	return !rate.ns_per_byte || bng_conforms(&subscriber->upstream_tat, rate, bytes);
}

static __always_inline bool bng_conforms_down(struct bng_subscriber *subscriber, __u32 bytes)
{
	struct bng_rate rate = { subscriber->downstream_ns_per_byte, bng_burst_ns(subscriber->downstream_burst) };

	return !rate.ns_per_byte || bng_conforms(&subscriber->downstream_tat, rate, bytes);
}

#endif
