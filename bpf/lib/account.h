/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Counts accepted traffic per subscriber and direction; called once a packet, when nothing can refuse it any more. */
#ifndef BNG_LIB_ACCOUNT_H
#define BNG_LIB_ACCOUNT_H

#include "../maps.h"

static __always_inline struct bng_traffic *bng_traffic_of(__u32 slot)
{
	__u32 index = bpf_get_smp_processor_id() * bng_settings.traffic_slots + slot;

	return bpf_map_lookup_elem(&bng_traffic, &index);
}

static __always_inline void bng_account_up(__u32 slot, __u32 bytes)
{
	struct bng_traffic *traffic = bng_traffic_of(slot);

	if (!traffic)
		return;
	traffic->upstream_packets++;
	traffic->upstream_bytes += bytes;
}

static __always_inline void bng_account_down(__u32 slot, __u32 packets, __u64 bytes)
{
	struct bng_traffic *traffic = bng_traffic_of(slot);

	if (!traffic)
		return;
	traffic->downstream_packets += packets;
	traffic->downstream_bytes += bytes;
}

#endif
