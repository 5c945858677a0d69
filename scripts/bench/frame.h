/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the programs of the benches do to a frame before anything is measured. No map, no template. */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <linux/ip.h>
#include <linux/types.h>

/* The next number of a linear congruential generator, scaled to `limit`. */
static __always_inline __u32 bench_next(__u32 *seed, __u32 limit)
{
	*seed = *seed * 1664525 + 1013904223;
	return ((__u64)*seed * limit) >> 32;
}

/* The checksum of a header without options. */
static __always_inline void bench_seal(struct iphdr *ip)
{
	__u16 *words = (__u16 *)ip;
	__u32 sum = 0;

	ip->check = 0;
#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~(sum + (sum >> 16));
}

#endif
