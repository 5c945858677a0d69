/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Counts accepted traffic per subscriber and direction; called once a packet, when nothing can refuse it any more. */
#ifndef BNG_LIB_ACCOUNT_H
#define BNG_LIB_ACCOUNT_H

#include "find.h"

/* A subscriber, what this CPU has counted of it, and by which address it was found; NULL for nobody. */
struct bng_party {
	struct bng_subscriber *subscriber;
	struct bng_traffic *traffic;
	__be32 address;
	__u32 slot;
};

static __always_inline struct bng_traffic *bng_traffic_of(__u32 slot)
{
	__u32 index = bpf_get_smp_processor_id() * bng_settings.traffic_slots + slot;

	return bpf_map_lookup_elem(&bng_traffic, &index);
}

/*
 * Who holds the address. The counters are fetched while the subscriber is, though they are added to much later: both come from beyond
 * the caches, and neither has to wait for the other. What is read of them is of no use yet.
 */
static __always_inline bool bng_find_party(__be32 address, struct bng_party *found)
{
	found->address = address;
	found->traffic = NULL;
	found->subscriber = bng_find_subscriber(address, &found->slot);
	if (!found->subscriber)
		return false;
	found->traffic = bng_traffic_of(found->slot);
	if (found->traffic)
		(void)*(volatile __u64 *)&found->traffic->upstream_packets;
	return true;
}

static __always_inline void bng_account_up(struct bng_traffic *traffic, __u32 bytes)
{
	if (!traffic)
		return;
	traffic->upstream_packets++;
	traffic->upstream_bytes += bytes;
}

static __always_inline void bng_account_down(struct bng_traffic *traffic, __u32 packets, __u64 bytes)
{
	if (!traffic)
		return;
	traffic->downstream_packets += packets;
	traffic->downstream_bytes += bytes;
}

#endif
