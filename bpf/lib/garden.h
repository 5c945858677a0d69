/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The walled garden: whether a walled subscriber and an outside address may exchange this packet. Both directions ask
 * the same question about the outside end, so that an answer always fits its request. Addresses of ours are not
 * judged here (lib/service.h).
 */
#ifndef BNG_LIB_GARDEN_H
#define BNG_LIB_GARDEN_H

#include "../maps.h"
#include "parse.h"

static __always_inline bool bng_is_walled(const struct bng_subscriber *subscriber)
{
	return subscriber->flags & BNG_SUBSCRIBER_WALLED;
}

static __always_inline bool bng_has_ports(const struct iphdr *ip)
{
	return ip->protocol == IPPROTO_TCP || ip->protocol == IPPROTO_UDP;
}

static __always_inline bool bng_garden_lists(const struct bng_garden *garden, __be16 port)
{
#pragma unroll
	for (__u32 i = 0; i < BNG_GARDEN_PORTS; i++) {
		if (i >= garden->port_count)
			break;
		if (garden->ports[i] == port)
			return true;
	}
	return false;
}

/*
 * BNG_CONTINUE, or the drop. `outside` is the end that is not the subscriber, `upstream` says which port is its own.
 * Fragments are refused wherever ports decide, the first included: what reassembles behind us could differ from it.
 */
static __always_inline int bng_judge_garden(const struct bng_frame *frame, __be32 outside, bool upstream)
{
	struct bng_garden_key key = { .prefix_length = 32, .address = outside };
	struct bng_garden *garden = bpf_map_lookup_elem(&bng_garden, &key);
	struct bng_l4_ports *ports;

	if (!garden)
		return bng_drop(BNG_DROP_GARDEN);
	if (garden->flags & BNG_GARDEN_ANY)
		return BNG_CONTINUE;
	if (!bng_has_ports(frame->ip))
		return bng_drop(BNG_DROP_GARDEN);
	if (bng_is_fragment(frame->ip))
		return bng_drop(BNG_DROP_GARDEN_FRAGMENT);
	ports = bng_parse_ports(frame);
	if (!ports)
		return bng_drop(BNG_DROP_MALFORMED);
	if (!bng_garden_lists(garden, upstream ? ports->destination : ports->source))
		return bng_drop(BNG_DROP_GARDEN);
	return BNG_CONTINUE;
}

#endif
