/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What subscribers may ask of our own addresses. DHCP is not here: it never gets as far (lib/punt.h). */
#ifndef BNG_LIB_SERVICE_H
#define BNG_LIB_SERVICE_H

#include "../maps.h"
#include "garden.h"
#include "parse.h"

enum bng_service_port {
	BNG_DNS_PORT = 53,
	BNG_HTTP_PORT = 80,
};

static __always_inline bool bng_is_local(__be32 address)
{
	return bpf_map_lookup_elem(&bng_local, &address);
}

/* An unfragmented TCP packet to port 80: nftables DNATs it to the portal when a walled subscriber sends it. */
static __always_inline bool bng_is_http(const struct bng_frame *frame)
{
	struct bng_l4_ports *ports;

	if (frame->ip->protocol != IPPROTO_TCP || bng_is_fragment(frame->ip))
		return false;
	ports = bng_parse_ports(frame);
	return ports && ports->destination == bpf_htons(BNG_HTTP_PORT);
}

/* Questions to the garden's DNS, by UDP and TCP. */
static __always_inline bool bng_is_garden_dns(const struct iphdr *ip, const struct bng_l4_ports *ports)
{
	return (bng_settings.flags & BNG_SETTINGS_GARDEN_DNS) && ip->daddr == bng_settings.portal_address &&
	       ports->destination == bpf_htons(BNG_DNS_PORT);
}

/*
 * True for a ping, for the portal, and for port 80 and the garden's DNS of a walled subscriber. Fragments are no service
 * of ours.
 */
static __always_inline bool bng_is_service(const struct bng_frame *frame, bool walled)
{
	const struct iphdr *ip = frame->ip;
	struct bng_l4_ports *ports;
	struct bng_icmp *icmp;

	if (bng_is_fragment(ip))
		return false;
	if (ip->protocol == IPPROTO_ICMP) {
		icmp = bng_parse_l4(frame, sizeof(*icmp));
		return icmp && icmp->type == BNG_ICMP_ECHO;
	}
	if (!bng_has_ports(ip))
		return false;
	ports = bng_parse_ports(frame);
	if (!ports)
		return false;
	if (walled && bng_is_garden_dns(ip, ports))
		return true;
	if (ip->protocol != IPPROTO_TCP)
		return false;
	if (ip->daddr == bng_settings.portal_address && ports->destination == bng_settings.portal_port)
		return true;
	return walled && ports->destination == bpf_htons(BNG_HTTP_PORT);
}

/* For a destination that the kernel takes as its own: BNG_CONTINUE (to the stack), or the drop. */
static __always_inline int bng_judge_service(const struct bng_frame *frame, bool walled)
{
	if (!bng_is_local(frame->ip->daddr) || !bng_is_service(frame, walled))
		return bng_drop(BNG_DROP_LOCAL_SERVICE);
	return BNG_CONTINUE;
}

#endif
