/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Where an upstream packet goes: the kernel's FIB answers, so that routing daemons need to know nothing of us. */
#ifndef BNG_LIB_ROUTE_H
#define BNG_LIB_ROUTE_H

#include "../maps.h"
#include "account.h"
#include "garden.h"
#include "parse.h"
#include "port.h"
#include "service.h"

enum bng_address_family {
	BNG_AF_INET = 2, /* sys/socket.h does not compile for this target */
};

enum bng_way {
	BNG_WAY_STACK, /* the kernel's stack finishes it */
	BNG_WAY_CORE, /* redirect, with the MACs in the route */
	BNG_WAY_LOCAL, /* to another subscriber */
};

struct bng_route {
	enum bng_way way;
	__u32 whole; /* false when the stack must fragment it first */
	__u32 ifindex;
	__u8 destination_mac[ETH_ALEN];
	__u8 source_mac[ETH_ALEN];
};

/* What the stack hashes too where several next hops share a route, so that a flow has one: no fragment has ports. */
static __always_inline struct bng_l4_ports *bng_flow_ports(const struct bng_frame *frame)
{
	return bng_has_ports(frame->ip) && !bng_is_fragment(frame->ip) ? bng_parse_ports(frame) : NULL;
}

/*
 * Asks the FIB. The interface in its answer means something for SUCCESS and NO_NEIGH only (since 5.12); for all else
 * the destination itself is looked up, so that no odd packet reaches another subscriber through the stack unjudged.
 */
static __always_inline int bng_find_route(struct xdp_md *ctx, const struct bng_frame *frame, bool walled,
					  struct bng_route *route)
{
	const struct iphdr *ip = frame->ip;
	const struct bng_l4_ports *ports = bng_flow_ports(frame);
	struct bpf_fib_lookup fib = {
		.family = BNG_AF_INET,
		.l4_protocol = ip->protocol,
		.sport = ports ? ports->source : 0,
		.dport = ports ? ports->destination : 0,
		.tot_len = frame->ip_length,
		.ifindex = ctx->ingress_ifindex,
		.tos = ip->tos,
		.ipv4_src = ip->saddr,
		.ipv4_dst = ip->daddr,
	};
	__be32 destination = ip->daddr;
	long result = bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);

	route->whole = result != BPF_FIB_LKUP_RET_FRAG_NEEDED;
	route->way = BNG_WAY_STACK;
	if (result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH) {
		if (bng_is_access_port(fib.ifindex)) {
			route->way = BNG_WAY_LOCAL;
			/* Not the FIB's to say: it reads the port's own MTU, which is longer by the tags. */
			route->whole = frame->ip_length <= bng_settings.subscriber_mtu;
		} else if (result == BPF_FIB_LKUP_RET_SUCCESS) {
			route->way = BNG_WAY_CORE;
			route->ifindex = fib.ifindex;
			__builtin_memcpy(route->destination_mac, fib.dmac, ETH_ALEN);
			__builtin_memcpy(route->source_mac, fib.smac, ETH_ALEN);
		}
		return BNG_CONTINUE;
	}
	if (result == BPF_FIB_LKUP_RET_BLACKHOLE || result == BPF_FIB_LKUP_RET_UNREACHABLE ||
	    result == BPF_FIB_LKUP_RET_PROHIBIT)
		return bng_drop(BNG_DROP_NO_ROUTE);
	/* An address of this machine (or of nobody): open only as far as our own addresses are. */
	if (result == BPF_FIB_LKUP_RET_NOT_FWDED)
		return bng_judge_service(frame, walled);
	if (bng_is_held(destination))
		route->way = BNG_WAY_LOCAL;
	return BNG_CONTINUE;
}

/* Whether the packet may go to another subscriber; on BNG_CONTINUE `*found` is the one it goes to. */
static __always_inline int bng_find_neighbour(const struct bng_frame *frame, struct bng_party *found)
{
	if (!(bng_settings.flags & BNG_SETTINGS_LOCAL_FORWARDING))
		return bng_drop(BNG_DROP_LOCAL_FORBIDDEN);
	if (!bng_find_party(frame->ip->daddr, found))
		return bng_drop(BNG_DROP_NO_ROUTE);
	if (bng_is_walled(found->subscriber))
		return bng_judge_garden(frame, frame->ip->saddr, false);
	return BNG_CONTINUE;
}

#endif
