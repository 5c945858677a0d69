/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Source guard: a packet enters only from the line and MAC that its source address is leased to. */
#ifndef BNG_LIB_GUARD_H
#define BNG_LIB_GUARD_H

#include "../maps.h"
#include "account.h"
#include "parse.h"

static __always_inline bool bng_same_mac(const __u8 *a, const __u8 *b)
{
	const __u16 *left = (const __u16 *)a, *right = (const __u16 *)b;

	/* clang would call memcmp(), which no kernel provides; in words since every MAC here lies at an even offset. */
	return left[0] == right[0] && left[1] == right[1] && left[2] == right[2];
}

static __always_inline void bng_line_key(struct bng_line_key *key, __u32 ifindex, const struct bng_frame *frame)
{
	key->ifindex = ifindex;
	key->s_vlan = frame->s_vlan;
	key->c_vlan = frame->c_vlan;
	__builtin_memcpy(key->mac, frame->ethernet->h_source, ETH_ALEN);
	key->reserved = 0;
}

/* Finds a name for a refusal; a second lookup is paid on this way only. */
static __always_inline int bng_name_spoof(const struct bng_subscriber *claimed, bool same_line,
					  const struct bng_line_key *key)
{
	if (bpf_map_lookup_elem(&bng_lines, key))
		return bng_drop(BNG_DROP_SPOOFED_ADDRESS);
	if (claimed && same_line)
		return bng_drop(BNG_DROP_SPOOFED_MAC);
	return bng_drop(BNG_DROP_UNKNOWN_LINE);
}

/* On BNG_CONTINUE `*found` is the subscriber the frame is from. */
static __always_inline int bng_guard_source(struct xdp_md *ctx, const struct bng_frame *frame, struct bng_party *found)
{
	const struct bng_subscriber *subscriber;
	struct bng_line_key key;
	bool same_line;

	bng_find_party(frame->ip->saddr, found);
	subscriber = found->subscriber;
	same_line = subscriber && subscriber->ifindex == ctx->ingress_ifindex && subscriber->s_vlan == frame->s_vlan &&
		    subscriber->c_vlan == frame->c_vlan;
	if (same_line && bng_same_mac(subscriber->mac, frame->ethernet->h_source) &&
	    bng_is_holder(subscriber, found->address))
		return BNG_CONTINUE;
	bng_line_key(&key, ctx->ingress_ifindex, frame);
	return bng_name_spoof(subscriber, same_line, &key);
}

#endif
