/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Tells a walled subscriber at once that a TCP connection will not come about: a browser that asks for https:// shows
 * its error now, not after a minute, and a connectivity check over TLS ends. The SYN becomes the RST in place and goes
 * back where it came from, to the one station that the source guard has just let through; it is no longer than the SYN.
 * Of TCP nothing but a first SYN is answered. UDP to port 443 (QUIC) gets an ICMP error that quotes it (RFC 1812 §5.2.7.1),
 * far shorter than it; as the line's own upstream rate limits its packets, so it limits these answers (§4.3.2.8). Either is a
 * drop like any other, and counted as one.
 */
#ifndef BNG_LIB_REFUSE_H
#define BNG_LIB_REFUSE_H

#include "outcome.h"
#include "parse.h"
#include "police.h"
#include "port.h"

enum bng_refuse_value {
	BNG_REFUSE_TTL = 64,
	BNG_DONT_FRAGMENT = 0x4000,
	BNG_QUIC_PORT = 443,
	BNG_ICMP_UNREACHABLE = 3,
	BNG_ICMP_PROHIBITED = 13, /* communication administratively prohibited */
};

/* RFC 792, behind its own IPv4 header: what was refused, up to the first eight bytes of its payload. */
struct bng_unreachable {
	struct bng_icmp icmp;
	struct iphdr ip;
	struct udphdr udp;
};

/* One's complement sum of 16-bit words (RFC 1071); `bytes` is even and a constant. */
static __always_inline __u32 bng_sum_words(const void *at, __u32 bytes, __u32 sum)
{
	const __u16 *word = at;

#pragma unroll
	for (__u32 i = 0; i < bytes / 2; i++)
		sum += word[i];
	return sum;
}

static __always_inline __u16 bng_fold_sum(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline bool bng_is_first_syn(const struct tcphdr *tcp)
{
	return tcp->syn && !tcp->ack && !tcp->rst && !tcp->fin;
}

/* Addresses and protocol are the caller's. */
static __always_inline void bng_write_answer_header(struct iphdr *ip, __u32 payload)
{
	ip->tos = 0;
	ip->tot_len = bpf_htons(sizeof(*ip) + payload);
	ip->id = 0;
	ip->frag_off = bpf_htons(BNG_DONT_FRAGMENT);
	ip->ttl = BNG_REFUSE_TTL;
	ip->check = 0;
	ip->check = bng_fold_sum(bng_sum_words(ip, sizeof(*ip), 0));
}

/* Back to the station that sent it, by the way it came. */
static __always_inline void bng_turn_round(const struct xdp_md *ctx, struct ethhdr *ethernet)
{
	__builtin_memcpy(ethernet->h_dest, ethernet->h_source, ETH_ALEN);
	bng_copy_port_mac(ethernet->h_source, ctx->ingress_ifindex);
}

static __always_inline void bng_write_unreachable(struct iphdr *ip, struct bng_unreachable *message)
{
	struct udphdr udp = *(struct udphdr *)message;

	message->ip = *ip;
	message->udp = udp;
	message->icmp.type = BNG_ICMP_UNREACHABLE;
	message->icmp.code = BNG_ICMP_PROHIBITED;
	message->icmp.rest = 0;
	message->icmp.checksum = 0;
	message->icmp.checksum = bng_fold_sum(bng_sum_words(message, sizeof(*message), 0));

	ip->daddr = ip->saddr;
	ip->saddr = bng_settings.portal_address;
	ip->protocol = IPPROTO_ICMP;
	bng_write_answer_header(ip, sizeof(*message));
}

/* A datagram that is no longer than the answer would be is not answered: QUIC begins with 1200 bytes (RFC 9000 §14.1). */
static __always_inline int bng_refuse_quic(struct xdp_md *ctx, struct bng_frame *frame, struct bng_subscriber *from,
					   int outcome)
{
	__u32 surplus = frame->l3_length - sizeof(struct iphdr) - sizeof(struct bng_unreachable);
	struct bng_unreachable *message = bng_parse_l4(frame, sizeof(*message));

	if (!message || ((struct udphdr *)message)->dest != bpf_htons(BNG_QUIC_PORT))
		return outcome;
	if (!bng_conforms_up(from, bng_policed_bytes(frame)))
		return outcome;
	bng_write_unreachable(frame->ip, message);
	bng_turn_round(ctx, frame->ethernet);
	/* What does not fit off stays on behind the packet, as padding would. */
	bpf_xdp_adjust_tail(ctx, -(int)surplus);
	return bng_answered(outcome);
}

static __always_inline void bng_write_reset(struct iphdr *ip, struct tcphdr *tcp, __u32 segment_length)
{
	__be32 address = ip->saddr;
	__be16 port = tcp->source;
	__u32 sum;

	ip->saddr = ip->daddr;
	ip->daddr = address;
	bng_write_answer_header(ip, sizeof(*tcp));

	/* RFC 9293 §3.10.7.1: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>. */
	tcp->source = tcp->dest;
	tcp->dest = port;
	tcp->ack_seq = bpf_htonl(bpf_ntohl(tcp->seq) + segment_length);
	tcp->seq = 0;
	((__be16 *)tcp)[6] = bpf_htons(0x5014); /* header of five words, ACK and RST */
	tcp->window = 0;
	tcp->urg_ptr = 0;
	tcp->check = 0;
	sum = bng_sum_words(&ip->saddr, 2 * sizeof(ip->saddr), bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(*tcp)));
	tcp->check = bng_fold_sum(bng_sum_words(tcp, sizeof(*tcp), sum));
}

/* `outcome`, a drop; answered where there is something to answer. */
static __always_inline int bng_refuse(struct xdp_md *ctx, struct bng_frame *frame, struct bng_subscriber *from,
				      int outcome)
{
	struct iphdr *ip = frame->ip;
	struct tcphdr *tcp;
	__u32 headers;

	if (outcome != bng_drop(BNG_DROP_GARDEN) && outcome != bng_drop(BNG_DROP_LOCAL_SERVICE))
		return outcome;
	if (bng_is_fragment(ip) || bng_has_options(ip))
		return outcome;
	if (ip->protocol == IPPROTO_UDP)
		return bng_refuse_quic(ctx, frame, from, outcome);
	if (ip->protocol != IPPROTO_TCP)
		return outcome;
	tcp = bng_parse_l4(frame, sizeof(*tcp));
	if (!tcp || !bng_is_first_syn(tcp))
		return outcome;
	headers = sizeof(*ip) + tcp->doff * 4;
	if (tcp->doff < 5 || headers > frame->ip_length)
		return outcome;
	/* The SYN itself counts as one, and it may bring data (RFC 7413). */
	bng_write_reset(ip, tcp, 1 + frame->ip_length - headers);
	bng_turn_round(ctx, frame->ethernet);
	return bng_answered(outcome);
}

#endif
