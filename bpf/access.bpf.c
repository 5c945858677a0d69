// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * XDP on the access port: what subscribers send.
 *
 * Theory of operation. A frame is parsed behind zero to two tags. Three kinds exist: ARP is answered in place, DHCP is
 * copied to the control plane, and IPv4 has to earn its way: its source address is looked up, once, and the value found
 * says which line and MAC may use it (source guard), whether it is walled, and at which rates it may send. What passes
 * is routed by the kernel's FIB and leaves untagged on the core port, or tagged anew towards another subscriber.
 *
 * What this program cannot finish (no neighbour yet, TTL 1, options, too long for the next link, our own services,
 * port 80 of a walled subscriber) goes to the kernel's stack, untagged, policed and counted as if forwarded, and only
 * after every refusal has had its say: the stack never decides more than nftables lets it.
 *
 * A step returns BNG_CONTINUE or the outcome; bng_exit_xdp() counts it. Nothing else returns to the kernel.
 */
#include "lib/account.h"
#include "lib/arp.h"
#include "lib/exit.h"
#include "lib/garden.h"
#include "lib/guard.h"
#include "lib/police.h"
#include "lib/punt.h"
#include "lib/refuse.h"
#include "lib/rewrite.h"
#include "lib/route.h"
#include "lib/service.h"
#include "lib/sight.h"
#include "lib/trace.h"

const volatile struct bng_settings bng_settings SEC(".rodata");

/* Keeps the BTF of every shared type in the object, for user space to compare with its own. Never read. */
const union bng_abi *bng_abi_types __attribute__((used));

char bng_license[] SEC("license") = "Dual BSD/GPL";

/* A default route would take these, and the kernel's FIB alone does not refuse the first. */
static __always_inline bool bng_is_unroutable(const struct bng_frame *frame)
{
	__u32 first_octet = bpf_ntohl(frame->ip->daddr) >> 24;

	return first_octet == BNG_THIS_NETWORK || first_octet == BNG_LOOPBACK_NETWORK;
}

/* Group addresses of either layer (RFC 1122 §3.3.6): nothing from a subscriber is for more than one receiver. */
static __always_inline bool bng_is_group(const struct bng_frame *frame)
{
	return bng_is_group_frame(frame) || bpf_ntohl(frame->ip->daddr) >= BNG_FIRST_GROUP_ADDRESS;
}

/* What a walled subscriber may do; `*to_stack` when it may, but not past this machine. */
static __always_inline int bng_judge_walled(const struct bng_frame *frame, bool *to_stack)
{
	int outcome;

	if (bng_is_local(frame->ip->daddr)) {
		*to_stack = true;
		return bng_is_service(frame, true) ? BNG_CONTINUE : bng_drop(BNG_DROP_LOCAL_SERVICE);
	}
	outcome = bng_judge_garden(frame, frame->ip->daddr, true);
	if (outcome == bng_drop(BNG_DROP_GARDEN) && bng_is_http(frame)) {
		*to_stack = true;
		return BNG_CONTINUE;
	}
	return outcome;
}

/* Whether XDP may send the packet on itself. */
static __always_inline bool bng_is_forwardable(const struct bng_frame *frame, const struct bng_route *route)
{
	return route->whole && frame->ip->ttl > 1 && !bng_has_options(frame->ip) &&
	       !(bng_settings.flags & BNG_SETTINGS_FORWARD_IN_STACK);
}

static __always_inline int bng_to_stack(struct xdp_md *ctx, const struct bng_frame *frame, const struct bng_party *from)
{
	__u32 bytes = frame->ip_length;
	__u8 own[ETH_ALEN];
	int outcome;

	bng_copy_port_mac(
		own, ctx->ingress_ifindex); /* whatever MAC it was sent to, or the stack takes it for another host's */
	outcome = bng_write_untagged(ctx, frame->l3_offset, own, from->subscriber->mac);
	if (outcome != BNG_CONTINUE)
		return outcome;
	bng_account_up(from->traffic, bytes);
	return BNG_VERDICT_STACK_UP;
}

static __always_inline int bng_to_core(struct xdp_md *ctx, const struct bng_frame *frame, const struct bng_party *from,
				       const struct bng_route *route)
{
	__u32 bytes = frame->ip_length;
	int outcome;

	bng_decrement_ttl(frame->ip);
	outcome = bng_write_untagged(ctx, frame->l3_offset, route->destination_mac, route->source_mac);
	if (outcome != BNG_CONTINUE)
		return outcome;
	bng_account_up(from->traffic, bytes);
	return BNG_VERDICT_FORWARD_UP;
}

static __always_inline int bng_to_neighbour(struct xdp_md *ctx, const struct bng_frame *frame,
					    const struct bng_party *from, const struct bng_party *to)
{
	__u32 bytes = frame->ip_length;
	int outcome;

	if (!bng_conforms_down(to->subscriber, bng_policed_bytes(frame)))
		return bng_drop(BNG_DROP_POLICED_DOWN);
	bng_decrement_ttl(frame->ip);
	outcome = bng_write_line(ctx, frame->l3_offset, frame->priority, to->subscriber);
	if (outcome != BNG_CONTINUE)
		return outcome;
	if (!bng_is_holder(to->subscriber, to->address))
		return bng_drop(BNG_DROP_NO_ROUTE);
	bng_account_up(from->traffic, bytes);
	bng_account_down(to->traffic, 1, bytes);
	return BNG_VERDICT_FORWARD_LOCAL;
}

/* A port that is missing in bng_ports makes bpf_redirect_map() refuse while the frame is still whole: the stack's. */
static __always_inline bool bng_aim(__u32 ifindex)
{
	return bpf_redirect_map(&bng_ports, ifindex, XDP_PASS) == XDP_REDIRECT;
}

static __always_inline int bng_send_upstream(struct xdp_md *ctx, struct bng_cursor *cursor, struct bng_frame *frame)
{
	struct bng_party from, to = {};
	bool walled, to_stack = false;
	struct bng_route route = { .way = BNG_WAY_STACK };
	int outcome;

	outcome = bng_parse_ipv4(ctx, cursor, frame);
	if (outcome != BNG_CONTINUE)
		return outcome;
	outcome = bng_take_dhcp(ctx, frame);
	if (outcome != BNG_CONTINUE)
		return outcome;
	outcome = bng_guard_source(ctx, frame, &from);
	if (outcome == bng_drop(BNG_DROP_UNKNOWN_LINE) || outcome == bng_drop(BNG_DROP_SPOOFED_MAC)) {
		frame->l3_length = sizeof(*frame->ip);
		return bng_sight(ctx, frame, frame->ip->saddr, outcome);
	}
	if (outcome != BNG_CONTINUE)
		return outcome;
	if (bng_is_group(frame))
		return bng_drop(BNG_DROP_MULTICAST);
	if (bng_is_unroutable(frame))
		return bng_drop(BNG_DROP_NO_ROUTE);
	walled = bng_is_walled(from.subscriber);
	if (walled) {
		outcome = bng_judge_walled(frame, &to_stack);
		if (outcome != BNG_CONTINUE)
			return bng_refuse(ctx, frame, from.subscriber, outcome);
	}
	if (!to_stack) {
		outcome = bng_find_route(ctx, frame, walled, &route);
		if (outcome != BNG_CONTINUE)
			return outcome;
	}
	if (route.way == BNG_WAY_LOCAL) {
		outcome = bng_find_neighbour(frame, &to);
		if (outcome != BNG_CONTINUE)
			return outcome;
	}
	if (!bng_conforms_up(from.subscriber, bng_policed_bytes(frame)))
		return bng_drop(BNG_DROP_POLICED_UP);

	if (route.way != BNG_WAY_STACK && bng_is_forwardable(frame, &route)) {
		if (route.way == BNG_WAY_CORE && bng_aim(route.ifindex))
			return bng_to_core(ctx, frame, &from, &route);
		if (to.subscriber && bng_aim(to.subscriber->ifindex))
			return bng_to_neighbour(ctx, frame, &from, &to);
	}
	return bng_to_stack(ctx, frame, &from);
}

static __always_inline int bng_receive_access(struct xdp_md *ctx)
{
	struct bng_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct bng_frame frame = {};
	int outcome;

	outcome = bng_parse_ethernet(&cursor, &frame);
	if (outcome != BNG_CONTINUE)
		return outcome;
	if (frame.protocol == bpf_htons(ETH_P_IP))
		return bng_send_upstream(ctx, &cursor, &frame);
	if (frame.protocol == bpf_htons(ETH_P_ARP))
		return bng_answer_arp(ctx, &cursor, &frame);
	return bng_drop(BNG_DROP_ETHERTYPE);
}

SEC("xdp.frags")
int bng_access(struct xdp_md *ctx)
{
	if (bng_is_tracing())
		bng_note_upstream(ctx);
	return bng_exit_xdp(bng_receive_access(ctx));
}
