/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Answers DHCP from a lease that the control plane has promised already: the very frame that it would send itself for
 * this message (src/dhcpv4/reply.ts), or none. What is new, odd or wrong is left to the control plane.
 *
 * Nothing lives in the kernel only: room for the record that tells of the answer is taken before the frame is touched.
 */
#ifndef BNG_LIB_ANSWER_H
#define BNG_LIB_ANSWER_H

#include "../maps.h"
#include "dhcp.h"
#include "guard.h"
#include "police.h"
#include "port.h"
#include "rewrite.h"
#include "sum.h"

enum bng_answer_limit {
	BNG_BOOTP_SHORTEST = 300, /* relays and clients drop shorter messages (RFC 1542 2.1) */
	BNG_ANSWER_TTL = 64,
	BNG_ECHO_MASK = 511, /* an echoed option is shorter: 257 bytes at most */
	BNG_TYPE_OFFSET = 242, /* of option 53's value in a message of ours, where it comes first; even */
};

enum bng_answer_time {
	BNG_NS_PER_SECOND = 1000000000,
	BNG_COARSE_LAG_NS =
		20000000, /* by how much the coarse clock may be late: two ticks of the slowest (lib/police.h) */
};

/* IPv4 and UDP headers of an answer, and of its message all that is not the pool's. */
struct bng_answer {
	struct iphdr ip;
	struct udphdr udp;
	struct bng_bootp_head bootp;
};

/* What is read of a lease, once. */
struct bng_promise {
	__u64 expires_ns;
	__u64 option82;
	__be32 address;
	__u32 reply;
};

/* Where the parts of an answer lie in its message. */
struct bng_answer_layout {
	__u32 client_id; /* offset and size; size 0 = there is none */
	__u32 client_id_size;
	__u32 option82;
	__u32 option82_size;
	__u32 end;
	__u32 length;
	__u64 option82_sum;
};

/* Whose message it is. False behind a relay that is not trusted, and for a chaddr that is not the sender's. */
static __always_inline bool bng_find_client(const struct bng_frame *frame, const struct bng_dhcp *dhcp,
					    struct bng_line_key *client)
{
	const __u8 *mac = (const __u8 *)dhcp->bootp.head.chaddr;

	if (mac[0] & 1)
		return false;
	if (dhcp->bootp.head.relay_address) {
		if (!(bng_settings.flags & BNG_SETTINGS_TRUST_OPTION82))
			return false;
	} else if (!bng_same_mac(mac, frame->ethernet->h_source)) {
		return false;
	}
	__builtin_memcpy(client->mac, mac, ETH_ALEN);
	return true;
}

/* The answer that the message in `from` gets as long as the lease holds; 0 for none from here. */
static __always_inline __u8 bng_judge_message(const struct bng_dhcp_scratch *from, const struct bng_promise *promise,
					      const struct bng_dhcp_reply *reply, __u64 *option82_sum)
{
	const struct bng_bootp_head *bootp = &((const struct bng_dhcp *)from->bytes)->bootp.head;
	__u64 option82 = from->seen & BNG_SEEN_RELAY_AGENT ? bng_hash_option(from, from->option82, option82_sum) : 0;

	if (!(from->seen & BNG_SEEN_TYPE) || option82 != promise->option82)
		return 0;
	/* To who is no renewal, nonces are offered and given (RFC 6704). */
	if ((from->seen & BNG_SEEN_NONCE) && (from->type == BNG_DHCP_DISCOVER || !bootp->client_address))
		return 0;
	if (from->type == BNG_DHCP_DISCOVER)
		return BNG_DHCP_ANSWER_OFFER;
	if (from->type != BNG_DHCP_REQUEST)
		return 0;
	if ((from->seen & BNG_SEEN_SERVER) && from->server != reply->server_id)
		return 0;
	if (bootp->client_address)
		return bootp->client_address == promise->address ? BNG_DHCP_ANSWER_ACK : 0;
	return (from->seen & BNG_SEEN_REQUESTED) && from->requested == promise->address ? BNG_DHCP_ANSWER_ACK : 0;
}

static __always_inline __u32 bng_echo_size(const struct bng_dhcp_scratch *from, __u8 seen, __u32 at)
{
	return from->seen & seen ? from->bytes[(at & BNG_DHCP_OFFSET_MASK) + 1] + BNG_OPTION_HEAD : 0;
}

/* False for an answer that is longer than what every client takes. */
static __always_inline bool bng_lay_out(const struct bng_dhcp_scratch *from, const struct bng_dhcp_reply *reply,
					struct bng_answer_layout *layout)
{
	layout->client_id = reply->options_end;
	layout->client_id_size = bng_echo_size(from, BNG_SEEN_CLIENT_ID, from->client_id);
	layout->option82 = layout->client_id + layout->client_id_size;
	layout->option82_size = bng_echo_size(from, BNG_SEEN_RELAY_AGENT, from->option82);
	layout->end = layout->option82 + layout->option82_size;
	layout->length = layout->end + 1;
	if (layout->length > BNG_DHCP_REPLY_BYTES)
		return false;
	if (layout->length < BNG_BOOTP_SHORTEST)
		layout->length = BNG_BOOTP_SHORTEST;
	return true;
}

/* RFC 2131 4.1: giaddr, then ciaddr, then the broadcast flag, then yiaddr. */
static __always_inline __be32 bng_answer_destination(const struct bng_bootp_head *bootp, __be32 address)
{
	if (bootp->relay_address)
		return bootp->relay_address;
	if (bootp->client_address)
		return bootp->client_address;
	return bootp->flags & bpf_htons(BNG_DHCP_BROADCAST_FLAG) ? bpf_htonl(INADDR_BROADCAST) : address;
}

/* Copies an echoed option to `to` in the frame. */
static __always_inline bool bng_echo(struct xdp_md *ctx, struct bng_dhcp_scratch *from, __u32 at, __u32 size, __u32 to)
{
	if (!size)
		return true;
	at &= BNG_DHCP_OFFSET_MASK;
	return !bpf_xdp_store_bytes(ctx, to, from->bytes + at, bng_within(size, BNG_ECHO_MASK));
}

/* The sum of the echoed client id, before its copy is changed: zeros are put behind it, as bng_sum_bytes() wants them. */
static __always_inline __u64 bng_sum_client_id(struct bng_dhcp_scratch *from, __u32 size)
{
	__u32 at = from->client_id & BNG_DHCP_OFFSET_MASK;
	__u32 behind = at + (size & BNG_ECHO_MASK);

	if (!size)
		return 0;
	*(__u32 *)(from->bytes + behind) = 0;
	return bpf_csum_diff(NULL, 0, (__be32 *)(from->bytes + at), bng_within((size + 3) & ~3u, BNG_ECHO_MASK), 0);
}

/* Everything of the answer that is not the pool's and not an option; checksums last. */
static __always_inline void bng_write_answer(struct bng_answer *out, const struct bng_dhcp_scratch *from,
					     const struct bng_dhcp_reply *reply, __be32 address, __u8 type,
					     __u32 length, __u64 sum)
{
	const struct bng_bootp_head *bootp = &((const struct bng_dhcp *)from->bytes)->bootp.head;
	__u32 datagram = sizeof(struct udphdr) + length;
	__u16 check;

	*(__be16 *)&out->ip = bpf_htons(0x4500);
	out->ip.tot_len = bpf_htons(sizeof(struct iphdr) + datagram);
	out->ip.id = 0;
	out->ip.frag_off = 0;
	out->ip.ttl = BNG_ANSWER_TTL;
	out->ip.protocol = IPPROTO_UDP;
	out->ip.check = 0;
	out->ip.saddr = reply->server_id;
	out->ip.daddr = bng_answer_destination(bootp, address);
	out->ip.check = ~bng_fold(bng_sum_ipv4(&out->ip));

	out->bootp.xid = bootp->xid;
	out->bootp.flags = bootp->flags;
	out->bootp.client_address = type == BNG_DHCP_ANSWER_ACK ? bootp->client_address : 0;
	out->bootp.your_address = address;
	out->bootp.relay_address = bootp->relay_address;
	out->bootp.chaddr[0] = bootp->chaddr[0];
	out->bootp.chaddr[1] = bootp->chaddr[1];
	out->bootp.chaddr[2] = bootp->chaddr[2];
	out->bootp.chaddr[3] = bootp->chaddr[3];

	out->udp.source = bpf_htons(BNG_DHCP_SERVER);
	out->udp.dest = bpf_htons(bootp->relay_address ? BNG_DHCP_SERVER : BNG_DHCP_CLIENT);
	out->udp.len = bpf_htons(datagram);
	sum += reply->sum;
	sum += (__u64)out->ip.saddr + out->ip.daddr + bpf_htons(IPPROTO_UDP);
	sum += (__u32)out->udp.source + out->udp.dest + 2 * (__u32)out->udp.len;
	sum += (__u64)out->bootp.xid + out->bootp.flags + out->bootp.client_address + out->bootp.your_address +
	       out->bootp.relay_address;
	sum += (__u64)out->bootp.chaddr[0] + out->bootp.chaddr[1] + out->bootp.chaddr[2] + out->bootp.chaddr[3];
	check = ~bng_fold(sum);
	out->udp.check = check ? check : 0xffff; /* 0 would say "none computed" (RFC 768) */
}

/* The frame becomes the answer. False when it can no longer be anything. */
static __always_inline bool bng_rewrite_answer(struct xdp_md *ctx, __u32 l3_offset, struct bng_dhcp_scratch *from,
					       struct bng_dhcp_reply *reply, const struct bng_answer_layout *layout,
					       __be32 address, __u8 type)
{
	__u32 message = l3_offset + sizeof(struct iphdr) + sizeof(struct udphdr);
	__u32 length = layout->length;
	struct ethhdr *ethernet;
	struct bng_answer *out;
	__u64 sum = type + (layout->end & 1 ? BNG_DHCP_END << 8 : BNG_DHCP_END); /* in memory's order, little-endian */
	__u8 *end, *kind;

	length = bng_within(length, BNG_DHCP_REPLY_ROOM - 1);
	if (bpf_xdp_store_bytes(ctx, message, reply->message, length) ||
	    !bng_echo(ctx, from, from->option82, layout->option82_size, message + layout->option82) ||
	    !bng_echo(ctx, from, from->client_id, layout->client_id_size, message + layout->client_id))
		return false;
	sum += bng_sum_at(bng_sum_client_id(from, layout->client_id_size), layout->client_id);
	sum += bng_sum_at(layout->option82_sum, layout->option82);
	ethernet = bng_frame_head(ctx, sizeof(*ethernet));
	out = bng_frame_at(ctx, l3_offset, sizeof(*out));
	kind = bng_frame_at(ctx, message + BNG_TYPE_OFFSET, sizeof(*kind));
	end = bng_frame_at(ctx, message + bng_within(layout->end, BNG_DHCP_REPLY_ROOM - 1), sizeof(*end));
	if (!ethernet || !out || !kind || !end)
		return false;
	*kind = type;
	*end = BNG_DHCP_END;
	bng_write_answer(out, from, reply, address, type, length, sum);
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
	bng_copy_port_mac(ethernet->h_source, ctx->ingress_ifindex);
	return true;
}

static __always_inline void bng_fill_answered(struct bng_lease_answered *record, const struct bng_frame *frame,
					      const struct bng_line_key *client, __u64 now)
{
	record->head.time_ns = now;
	record->head.ifindex = client->ifindex;
	record->head.frame_length = 0;
	record->head.reason = BNG_PUNT_LEASE_ANSWERED;
	record->head.s_vlan = frame->s_vlan;
	record->head.c_vlan = frame->c_vlan;
	record->head.s_tpid = frame->s_tpid;
	record->head.c_tpid = frame->c_tpid;
	record->head.l3_offset = frame->l3_offset;
	record->head.reserved = 0;
	__builtin_memcpy(record->mac, client->mac, ETH_ALEN);
	record->reserved = 0;
}

/*
 * GCRA as in lib/police.h, at the time that is known already unless it refuses. Who loses the race passes: the winner has
 * paid.
 */
static __always_inline bool bng_may_answer(struct bng_lease *lease, __u64 now)
{
	struct bng_rate rate = bng_copy_rate(&bng_settings.answer_rate);
	__u64 cost = bng_cost(rate, 1), seen = *(volatile __u64 *)&lease->answer_tat;
	__u64 start = seen > now ? seen : now;

	if (!rate.ns_per_byte)
		return true;
	if (start - now + cost > rate.burst_ns) {
		now = bpf_ktime_get_ns();
		start = seen > now ? seen : now;
		if (start - now + cost > rate.burst_ns)
			return false;
	}
	__sync_val_compare_and_swap(&lease->answer_tat, seen, start + cost);
	return true;
}

/*
 * False when the entry was deleted and its memory given to another station while we were at it: the map's elements are
 * used again at once. What was read before the MAC was seen to be right belongs to that MAC.
 */
static __always_inline bool bng_read_promise(const struct bng_lease *lease, const struct bng_line_key *client,
					     struct bng_promise *promise)
{
	promise->expires_ns = lease->expires_ns;
	promise->option82 = lease->option82;
	promise->address = lease->address;
	promise->reply = lease->reply;
	asm volatile("" : : : "memory");
	return bng_same_mac(lease->mac, client->mac);
}

/* Whether the promise holds, and at what time: by the coarse clock (lib/police.h) unless the end is near. */
static __always_inline bool bng_still_holds(const struct bng_promise *promise, __u64 *now)
{
	*now = bng_coarse_ns();
	if (*now + BNG_COARSE_LAG_NS >= promise->expires_ns)
		*now = bpf_ktime_get_ns();
	return *now < promise->expires_ns;
}

/*
 * The client now counts on the address from then on, by a clock that is not late; nobody may count on it beyond the
 * session's end.
 */
static __always_inline void bng_extend(struct bng_lease *lease, __u64 now, __u32 lease_seconds)
{
	__u64 expires = now + BNG_COARSE_LAG_NS + (__u64)lease_seconds * BNG_NS_PER_SECOND;

	lease->expires_ns = lease->ends_ns && lease->ends_ns < expires ? lease->ends_ns : expires;
}

/*
 * What may end the lease goes up, and until the control plane has judged it nothing is answered: it would come to an
 * acknowledgement older than the release that it reads first.
 */
static __always_inline bool bng_may_end_lease(const struct bng_dhcp_scratch *from)
{
	return from->type == BNG_DHCP_RELEASE || from->type == BNG_DHCP_DECLINE;
}

/*
 * Makes the frame longer or shorter by `grow`. A driver that leaves no room behind the frame (veth) leaves some in
 * front of it: the Ethernet header moves there, and everything behind it is written anew anyway.
 */
static __always_inline bool bng_make_room(struct xdp_md *ctx, int grow)
{
	struct bng_tagged_header *head, kept;

	if (!bpf_xdp_adjust_tail(ctx, grow))
		return true;
	head = bng_frame_head(ctx, sizeof(*head));
	if (grow <= 0 || !head)
		return false;
	kept = *head;
	if (bpf_xdp_adjust_head(ctx, -grow))
		return false;
	head = bng_frame_head(ctx, sizeof(*head));
	if (!head)
		return false;
	*head = kept;
	return true;
}

/*
 * BNG_CONTINUE leaves the message to the control plane, with the frame as it came, though pointers into it may be void.
 * `station` is who sent the frame: not the client, where a relay did.
 */
static __always_inline int bng_answer_dhcp(struct xdp_md *ctx, const struct bng_frame *frame,
					   const struct bng_line_key *station)
{
	__u32 only = 0, length, l3_offset = frame->l3_offset;
	struct bng_line_key client = *station;
	struct bng_lease_answered *record;
	struct bng_promise promise;
	struct bng_answer_layout layout;
	struct bng_dhcp_scratch *scratch;
	struct bng_dhcp_reply *reply;
	struct bng_lease *lease;
	struct bng_dhcp *dhcp;
	__u64 now;
	__u8 type;

	if (!(bng_settings.flags & BNG_SETTINGS_FAST_DHCP))
		return BNG_CONTINUE;
	dhcp = bng_parse_dhcp(frame);
	if (!dhcp || !bng_find_client(frame, dhcp, &client))
		return BNG_CONTINUE;
	lease = bpf_map_lookup_elem(&bng_leases, &client);
	scratch = bpf_map_lookup_elem(&bng_dhcp_scratch, &only);
	if (!lease || !scratch)
		return BNG_CONTINUE;
	if (!bng_read_promise(lease, &client, &promise))
		return BNG_CONTINUE;
	reply = bpf_map_lookup_elem(&bng_dhcp_replies, &promise.reply);
	if (!reply || !bng_still_holds(&promise, &now))
		return BNG_CONTINUE;
	length = bng_copy_datagram(ctx, frame, dhcp, scratch);
	if (!length)
		return BNG_CONTINUE;
	if (!bng_read_options(scratch, length) || ((scratch->seen & BNG_SEEN_TYPE) && bng_may_end_lease(scratch))) {
		lease->reply = BNG_NO_DHCP_REPLY;
		return BNG_CONTINUE;
	}
	layout.option82_sum = 0;
	type = bng_judge_message(scratch, &promise, reply, &layout.option82_sum);
	if (!type || !bng_lay_out(scratch, reply, &layout))
		return BNG_CONTINUE;
	if (!bng_may_answer(lease, now))
		return bng_drop(BNG_DROP_PUNT_LINE_RATE);

	record = bpf_ringbuf_reserve(&bng_punts, sizeof(*record), 0);
	if (!record)
		return BNG_CONTINUE;
	bng_fill_answered(record, frame, &client, now);
	record->address = promise.address;
	record->lease_seconds = reply->lease_seconds;
	record->answer = type;
	if (!bng_make_room(ctx, (int)(sizeof(struct iphdr) + sizeof(struct udphdr) + layout.length) -
					(int)frame->l3_length)) {
		bpf_ringbuf_discard(record, 0);
		return BNG_CONTINUE;
	}
	if (!bng_rewrite_answer(ctx, l3_offset, scratch, reply, &layout, promise.address, type)) {
		bpf_ringbuf_discard(record, 0);
		return bng_drop(BNG_DROP_MALFORMED);
	}
	if (type == BNG_DHCP_ANSWER_ACK)
		bng_extend(lease, now, reply->lease_seconds);
	bpf_ringbuf_submit(record, 0);
	return BNG_VERDICT_DHCP_REPLY;
}

#endif
