/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Stations that are not installed and use an address which is used without DHCP: what they send is refused like any other's, and
 * a copy of its head goes to the control plane, within rates of its own, so that a session can begin.
 */
#ifndef BNG_LIB_SIGHT_H
#define BNG_LIB_SIGHT_H

#include "punt.h"

static __always_inline bool bng_is_static(__be32 address)
{
	__u32 at;

#pragma unroll
	for (at = 0; at < BNG_MAX_STATIC_NETWORKS; at++) {
		if (at < bng_settings.static_network_count &&
		    (address & bng_settings.static_networks[at].mask) == bng_settings.static_networks[at].network)
			return true;
	}
	return false;
}

/* `refusal` is what becomes of a frame from any other address. Only frame->l3_length bytes are copied from the third layer. */
static __always_inline int bng_sight(struct xdp_md *ctx, const struct bng_frame *frame, __be32 address, int refusal)
{
	struct bng_line_key station;

	if (!bng_is_static(address))
		return refusal;
	bng_line_key(&station, ctx->ingress_ifindex, frame);
	station.reserved = 1;
	return bng_punt(ctx, frame, &station, BNG_PUNT_SIGHTED);
}

#endif
