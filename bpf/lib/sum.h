/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The Internet checksum (RFC 1071) over words as they stand in memory, whatever the machine's byte order: sums are added
 * up unfolded and complemented by who writes them.
 */
#ifndef BNG_LIB_SUM_H
#define BNG_LIB_SUM_H

#include "parse.h"

enum bng_sum {
	BNG_SUM_RIGHT = 0xffff, /* what everything with its own checksum sums up to */
	BNG_SUM_CHUNK = 512, /* bytes that kernels before 6.13 sum up at once */
};

static __always_inline __u16 bng_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Of a header without options. */
static __always_inline __u64 bng_sum_ipv4(const struct iphdr *ip)
{
	const __u32 *words = (const __u32 *)ip;

	return (__u64)words[0] + words[1] + words[2] + words[3] + words[4];
}

/* Of 1 to 1,024 bytes, zeros up to a multiple of four behind them. */
static __always_inline __u64 bng_sum_bytes(__u8 *bytes, __u32 length)
{
	__u32 whole = (length + 3) & ~3u;
	__u32 sum;

	if (whole <= BNG_SUM_CHUNK)
		return bpf_csum_diff(NULL, 0, (__be32 *)bytes, bng_within(whole, BNG_SUM_CHUNK - 1), 0);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)bytes, BNG_SUM_CHUNK, 0);
	whole = bng_within(whole - BNG_SUM_CHUNK, BNG_SUM_CHUNK - 1);
	return bpf_csum_diff(NULL, 0, (__be32 *)(bytes + BNG_SUM_CHUNK), whole, sum);
}

/* The sum of what is put at `offset` of a datagram, odd or even. */
static __always_inline __u64 bng_sum_at(__u64 sum, __u32 offset)
{
	__u16 folded = bng_fold(sum);

	return offset & 1 ? __builtin_bswap16(folded) : folded;
}

#endif
