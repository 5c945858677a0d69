/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Answers ARP requests for our gateways in place, so that no neighbour entry and no broadcast exists behind the access
 * port. Where subscribers may reach each other the gateway answers for them too (local proxy ARP, RFC 1027).
 */
#ifndef BNG_LIB_ARP_H
#define BNG_LIB_ARP_H

#include "guard.h"
#include "sight.h"
#include "rewrite.h"

static __always_inline bool bng_answers_for(__be32 target)
{
	struct bng_local *local = bpf_map_lookup_elem(&bng_local, &target);

	if (local)
		return local->is_gateway;
	return (bng_settings.flags & BNG_SETTINGS_LOCAL_FORWARDING) && bng_is_held(target);
}

static __always_inline int bng_answer_arp(struct xdp_md *ctx, struct bng_cursor *cursor, struct bng_frame *frame)
{
	struct bng_arp *arp = bng_parse_arp(cursor);
	__be32 target, sender, *leased;
	struct bng_line_key key;

	if (!arp)
		return bng_drop(BNG_DROP_MALFORMED);
	bng_line_key(&key, ctx->ingress_ifindex, frame);
	/* Somebody answers a probe of ours for an address that is to be offered (RFC 5227 2.1.1). */
	if (arp->operation == bpf_htons(BNG_ARP_REPLY) && !arp->target_address) {
		frame->l3_length = bng_frame_length(ctx) - frame->l3_offset;
		return bng_punt(ctx, frame, &key, BNG_PUNT_DHCP);
	}
	leased = bpf_map_lookup_elem(&bng_lines, &key);
	if (!leased) {
		frame->l3_length = sizeof(*arp);
		return bng_sight(ctx, frame, arp->sender_address, bng_drop(BNG_DROP_UNKNOWN_LINE));
	}
	if (!bng_same_mac(arp->sender_mac, frame->ethernet->h_source))
		return bng_drop(BNG_DROP_SPOOFED_MAC);
	sender = arp->sender_address;
	if (sender && sender != *leased)
		return bng_drop(BNG_DROP_SPOOFED_ADDRESS);
	target = arp->target_address;
	/* A probe of one's own address must stay unanswered, or the client thinks it taken (RFC 5227 §2.1.1). */
	if (arp->operation != bpf_htons(BNG_ARP_REQUEST) || target == *leased || !bng_answers_for(target))
		return bng_drop(BNG_DROP_ARP_UNANSWERED);

	arp->operation = bpf_htons(BNG_ARP_REPLY);
	__builtin_memcpy(arp->target_mac, arp->sender_mac, ETH_ALEN);
	arp->target_address = sender;
	bng_copy_port_mac(arp->sender_mac, ctx->ingress_ifindex);
	arp->sender_address = target;
	__builtin_memcpy(frame->ethernet->h_dest, frame->ethernet->h_source, ETH_ALEN);
	__builtin_memcpy(frame->ethernet->h_source, arp->sender_mac, ETH_ALEN);
	return BNG_VERDICT_ARP_REPLY;
}

#endif
