// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * tc egress on the access port: what this machine's own stack sends to subscribers.
 *
 * Theory of operation. The access port has no neighbours and no VLAN devices; the stack hands over plain IPv4 with a
 * meaningless destination MAC, and the subscriber entry of the destination supplies MAC and tags. This is the second
 * half of every slow path (portal, ICMP errors, fragments, packets that waited for a neighbour), hence the policer and
 * the counters of the downstream direction. The garden was judged where the packet came in: by XDP, and by nftables.
 *
 * The stack knows one route to each pool, by one access port, and that may not be the subscriber's: such a packet is
 * redirected, untouched and uncounted, to the port that is, and meets this program again there.
 *
 * Three kinds pass untouched and uncounted, all of them frames that the control plane has built itself on a packet socket:
 * tagged ones (the stack has no VLAN device, so no tag is its own), untagged DHCP replies of a local address, to clients or to
 * relays, and untagged ARP questions from no address (the stack asks none: the port has no neighbours).
 *
 * A GSO packet stands for several: it is policed and counted as what leaves on the wire.
 */
#include "lib/account.h"
#include "lib/exit.h"
#include "lib/garden.h"
#include "lib/police.h"
#include "lib/punt.h"
#include "lib/rewrite.h"
#include "lib/trace.h"

enum bng_egress_outcome {
	BNG_EGRESS_OWN = 0x200, /* built by the control plane: let through, not counted */
	BNG_EGRESS_ELSEWHERE = 0x201, /* to another access port, whose program counts it */
};

/* Pulls so much into the linear part that the headers looked at here can be read directly. */
enum bng_egress_limit {
	BNG_EGRESS_PULL = sizeof(struct ethhdr) + 60 + sizeof(struct tcphdr),
};

struct bng_burst {
	__u32 packets;
	__u32 bytes;
};

static __always_inline bool bng_is_dhcp_reply(const struct bng_frame *frame)
{
	struct bng_l4_ports *ports;

	if (frame->ip->protocol != IPPROTO_UDP || bng_is_fragment(frame->ip))
		return false;
	ports = bng_parse_ports(frame);
	if (!ports || ports->source != bpf_htons(BNG_DHCP_SERVER) || !bng_is_local(frame->ip->saddr))
		return false;
	return ports->destination == bpf_htons(BNG_DHCP_CLIENT) || ports->destination == bpf_htons(BNG_DHCP_SERVER);
}

static __always_inline bool bng_is_arp_probe(struct bng_cursor *cursor)
{
	struct bng_arp *arp = bng_parse_arp(cursor);

	return arp && arp->operation == bpf_htons(BNG_ARP_REQUEST) && !arp->sender_address;
}

/* Each segment carries the headers again, which the length of the whole contains once. */
static __always_inline void bng_measure(const struct __sk_buff *skb, const struct bng_frame *frame,
					struct bng_burst *burst)
{
	__u32 length = skb->len - frame->l3_offset;
	__u32 headers = frame->ip->ihl * 4 + sizeof(struct udphdr);
	__u32 segment = skb->gso_size;
	struct tcphdr *tcp;

	burst->packets = 1;
	burst->bytes = frame->ip_length;
	if (!segment)
		return;
	if (frame->ip->protocol == IPPROTO_TCP) {
		tcp = bng_parse_l4(frame, sizeof(*tcp));
		if (!tcp)
			return;
		headers = frame->ip->ihl * 4 + tcp->doff * 4;
	}
	if (length <= headers + segment)
		return;
	burst->packets = (length - headers + segment - 1) / segment;
	burst->bytes = length + (burst->packets - 1) * headers;
}

static __always_inline int bng_push_tags(struct __sk_buff *skb, const struct bng_subscriber *to)
{
	if (!to->s_vlan)
		return BNG_CONTINUE;
	if (to->c_vlan && bpf_skb_vlan_push(skb, to->c_tpid, to->c_vlan))
		return bng_drop(BNG_DROP_HEADROOM);
	if (bpf_skb_vlan_push(skb, to->s_tpid, to->s_vlan))
		return bng_drop(BNG_DROP_HEADROOM);
	return BNG_CONTINUE;
}

/* With BNG_EGRESS_ELSEWHERE, `*port` is where the packet has to go. */
static __always_inline int bng_send_to_line(struct __sk_buff *skb, struct bng_cursor *cursor, struct bng_frame *frame,
					    __u32 *port)
{
	struct bng_subscriber *to;
	struct bng_party found;
	struct bng_burst burst;
	int outcome;

	outcome = bng_parse_ipv4_of_stack(cursor, frame, skb->len);
	if (outcome != BNG_CONTINUE)
		return outcome;
	if (bng_is_dhcp_reply(frame))
		return BNG_EGRESS_OWN;
	if (!bng_find_party(frame->ip->daddr, &found))
		return bng_drop(BNG_DROP_EGRESS_NO_SUBSCRIBER);
	to = found.subscriber;
	if (!bng_is_access_port(to->ifindex))
		return bng_drop(BNG_DROP_EGRESS_NO_SUBSCRIBER);
	if (to->ifindex != skb->ifindex) {
		*port = to->ifindex;
		return BNG_EGRESS_ELSEWHERE;
	}
	bng_measure(skb, frame, &burst);
	if (!bng_conforms_down(to, burst.bytes))
		return bng_drop(BNG_DROP_POLICED_DOWN);
	__builtin_memcpy(frame->ethernet->h_dest, to->mac, ETH_ALEN);
	bng_copy_port_mac(frame->ethernet->h_source, skb->ifindex);
	outcome = bng_push_tags(skb, to);
	if (outcome != BNG_CONTINUE)
		return outcome;
	if (!bng_is_holder(to, found.address))
		return bng_drop(BNG_DROP_EGRESS_NO_SUBSCRIBER);
	bng_account_down(found.traffic, burst.packets, burst.bytes);
	return BNG_VERDICT_EGRESS;
}

static __always_inline int bng_send_egress(struct __sk_buff *skb, __u32 *port)
{
	__u32 pull = skb->len < BNG_EGRESS_PULL ? skb->len : BNG_EGRESS_PULL;
	struct bng_frame frame = {};
	struct bng_cursor cursor;
	int outcome;

	if (skb->vlan_present)
		return BNG_EGRESS_OWN;
	if (bpf_skb_pull_data(skb, pull))
		return bng_drop(BNG_DROP_MALFORMED);
	if (bng_is_tracing())
		bng_note_egress(skb);
	cursor.at = (void *)(long)skb->data;
	cursor.end = (void *)(long)skb->data_end;
	outcome = bng_parse_ethernet(&cursor, &frame);
	if (outcome == bng_drop(BNG_DROP_TOO_MANY_TAGS) ||
	    (outcome == BNG_CONTINUE && frame.l3_offset != sizeof(struct ethhdr)))
		return BNG_EGRESS_OWN;
	if (outcome != BNG_CONTINUE)
		return outcome;
	if (frame.protocol == bpf_htons(ETH_P_ARP) && bng_is_arp_probe(&cursor))
		return BNG_EGRESS_OWN;
	if (frame.protocol != bpf_htons(ETH_P_IP))
		return bng_drop(BNG_DROP_EGRESS_ETHERTYPE);
	return bng_send_to_line(skb, &cursor, &frame, port);
}

SEC("tc")
int bng_egress(struct __sk_buff *skb)
{
	__u32 port = 0;
	int outcome = bng_send_egress(skb, &port);

	if (outcome == BNG_EGRESS_ELSEWHERE)
		return bpf_redirect(port, 0);
	return outcome == BNG_EGRESS_OWN ? TC_ACT_OK : bng_exit_tc(outcome);
}
