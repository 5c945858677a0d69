/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Finds who holds an address: a cuckoo hash over two arrays that are read without a call of a helper. An address is in one of
 * two buckets of four; the control plane moves it only from its first to its second, and writes it there before it takes
 * it away here, so that who looks in this order never misses it.
 */
#ifndef BNG_LIB_FIND_H
#define BNG_LIB_FIND_H

#include "../maps.h"
#include "outcome.h"

/* The address's place by one of its two buckets; 0 when it is not in that. */
static __always_inline __u32 bng_search_bucket(__be32 address, __u32 factor)
{
	__u32 buckets = bng_settings.traffic_slots / 2 + 1;
	__u32 at = ((__u64)(address * factor) * buckets) >> 32;
	const struct bng_address_bucket *bucket = bpf_map_lookup_elem(&bng_addresses, &at);
	__u64 entry;

	if (!bucket)
		return 0;
#pragma unroll
	for (int i = 0; i < BNG_BUCKET_ADDRESSES; i++) {
		entry = *(const volatile __u64 *)&bucket->addresses[i];
		if ((__u32)entry == address)
			return entry >> 32;
	}
	return 0;
}

/*
 * Whether the entry is the address's, asked again of who has read it: the control plane clears its first word before, and writes it
 * after, all else in a slot that changes hands, so that what was read between two answers of true was the address's.
 */
static __always_inline bool bng_is_holder(const struct bng_subscriber *subscriber, __be32 address)
{
	return *(const volatile __be32 *)&subscriber->address == address;
}

/*
 * NULL when nobody holds the address; otherwise `*slot` is where. The entry has to say itself whose it is: its slot may have been given
 * to another since the index was read.
 */
static __always_inline struct bng_subscriber *bng_find_subscriber(__be32 address, __u32 *slot)
{
	struct bng_subscriber *subscriber;
	__u32 place = bng_search_bucket(address, BNG_ADDRESS_FACTOR);

	if (!place)
		place = bng_search_bucket(address, BNG_ADDRESS_FACTOR_TWO);
	*slot = place - 1; /* of nobody's place: none that the array has */
	subscriber = bpf_map_lookup_elem(&bng_subscribers, slot);
	return subscriber && bng_is_holder(subscriber, address) ? subscriber : NULL;
}

static __always_inline bool bng_is_held(__be32 address)
{
	__u32 slot;

	return bng_find_subscriber(address, &slot);
}

#endif
