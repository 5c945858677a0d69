// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * XDP on the core port: what the network sends to subscribers.
 *
 * Theory of operation. The destination address is looked up, once; the value found holds the line's tags and MAC, the
 * rate and whether it is walled, so no route and no neighbour is asked. Whatever is not IPv4 for a subscriber is none
 * of our business and goes to the stack untouched: routing protocols, management, ARP of the core link.
 *
 * What this program cannot finish (longer than the line's MTU, TTL 1, options, a port that cannot be redirected to) goes to the stack unpoliced and
 * uncounted: on its way out it meets bng_egress, which does both. The garden is judged before, since bng_egress also
 * carries what walled subscribers may get from this machine and so cannot judge it.
 */
#include "lib/account.h"
#include "lib/exit.h"
#include "lib/garden.h"
#include "lib/police.h"
#include "lib/rewrite.h"
#include "lib/trace.h"

static __always_inline int bng_send_downstream(struct xdp_md *ctx, struct bng_frame *frame,
					       const struct bng_party *found)
{
	struct bng_subscriber *to = found->subscriber;
	__u32 bytes = frame->ip_length;
	int outcome;

	if (bng_is_group_frame(frame))
		return bng_drop(BNG_DROP_MULTICAST); /* RFC 1812 §5.3.4: never forwarded as unicast */
	if (bng_is_walled(to)) {
		outcome = bng_judge_garden(frame, frame->ip->saddr, false);
		if (outcome != BNG_CONTINUE)
			return outcome;
	}
	if (bytes > bng_settings.subscriber_mtu || frame->ip->ttl <= 1 || bng_has_options(frame->ip) ||
	    (bng_settings.flags & BNG_SETTINGS_FORWARD_IN_STACK) ||
	    bpf_redirect_map(&bng_ports, to->ifindex, XDP_PASS) != XDP_REDIRECT)
		return BNG_VERDICT_STACK_DOWN;
	if (!bng_conforms_down(to, bng_policed_bytes(frame)))
		return bng_drop(BNG_DROP_POLICED_DOWN);
	bng_decrement_ttl(frame->ip);
	outcome = bng_write_line(ctx, frame->l3_offset, 0, to);
	if (outcome != BNG_CONTINUE)
		return outcome;
	if (!bng_is_holder(to, found->address))
		return bng_drop(BNG_DROP_NO_ROUTE);
	bng_account_down(found->traffic, 1, bytes);
	return BNG_VERDICT_FORWARD_DOWN;
}

static __always_inline int bng_receive_core(struct xdp_md *ctx)
{
	struct bng_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct bng_frame frame = {};
	struct bng_party to;
	__be32 *destination;
	int outcome;

	/*
	 * The core link is untagged; a tagged frame there is someone else's. Asked before the header is judged, so that a
	 * malformed packet for a subscriber has a name, and what is nobody's here costs nothing else.
	 */
	destination = bng_peek_destination(&cursor);
	if (!destination)
		return BNG_VERDICT_FOREIGN;
	if (!bng_find_party(*destination, &to))
		return BNG_VERDICT_FOREIGN;
	outcome = bng_parse_ethernet(&cursor, &frame);
	if (outcome == BNG_CONTINUE)
		outcome = bng_parse_ipv4(ctx, &cursor, &frame);
	if (outcome != BNG_CONTINUE)
		return outcome;
	return bng_send_downstream(ctx, &frame, &to);
}

SEC("xdp.frags")
int bng_core(struct xdp_md *ctx)
{
	if (bng_is_tracing())
		bng_note_downstream(ctx);
	return bng_exit_xdp(bng_receive_core(ctx));
}
