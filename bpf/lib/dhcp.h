/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Reads a client's DHCP message as far as an answer in XDP needs it. Whatever is wrong with it, or only out of the
 * ordinary (overload, an option in pieces, no END), is nothing for XDP: the control plane judges it.
 */
#ifndef BNG_LIB_DHCP_H
#define BNG_LIB_DHCP_H

#include "../maps.h"
#include "parse.h"
#include "sum.h"

enum bng_dhcp_port {
	BNG_DHCP_SERVER = 67,
	BNG_DHCP_CLIENT = 68,
};

enum bng_dhcp_word {
	BNG_DHCP_COOKIE = 0x63825363,
	BNG_DHCP_BROADCAST_FLAG = 0x8000,
	BNG_BOOTREQUEST = 1,
	BNG_HARDWARE_ETHERNET = 1,
	BNG_DHCP_DISCOVER = 1,
	BNG_DHCP_REQUEST = 3,
	BNG_DHCP_DECLINE = 4,
	BNG_DHCP_RELEASE = 7,
};

enum bng_dhcp_option {
	BNG_DHCP_PAD = 0,
	BNG_DHCP_REQUESTED_ADDRESS = 50,
	BNG_DHCP_OVERLOAD = 52,
	BNG_DHCP_MESSAGE_TYPE = 53,
	BNG_DHCP_SERVER_ID = 54,
	BNG_DHCP_MAX_SIZE = 57,
	BNG_DHCP_CLIENT_ID = 61,
	BNG_DHCP_RELAY_AGENT = 82,
	BNG_DHCP_FORCE_RENEW_NONCE = 145,
	BNG_DHCP_END = 255,
};

/* Options that count; each may come once. */
enum bng_dhcp_seen {
	BNG_SEEN_TYPE = 1,
	BNG_SEEN_REQUESTED = 2,
	BNG_SEEN_SERVER = 4,
	BNG_SEEN_MAX_SIZE = 8,
	BNG_SEEN_CLIENT_ID = 16,
	BNG_SEEN_RELAY_AGENT = 32,
	BNG_SEEN_NONCE = 64,
};

enum bng_dhcp_limit {
	BNG_DHCP_OPTIONS = 48, /* options and pads that are looked at */
	BNG_DHCP_OFFSET_MASK = BNG_DHCP_DATAGRAM - 1,
	BNG_OPTION_HEAD = 2, /* code and length */
	BNG_OPTION_WORDS = 32, /* of 8 bytes, in the longest option */
};

/* A whole BOOTP request of an Ethernet station in an IPv4 packet without options. */
static __always_inline struct bng_dhcp *bng_parse_dhcp(const struct bng_frame *frame)
{
	struct bng_dhcp *dhcp;

	if (bng_has_options(frame->ip))
		return NULL;
	dhcp = bng_parse_l4(frame, sizeof(*dhcp));
	if (!dhcp || dhcp->bootp.head.op != BNG_BOOTREQUEST || dhcp->bootp.head.hardware != BNG_HARDWARE_ETHERNET ||
	    dhcp->bootp.head.hardware_length != ETH_ALEN || dhcp->bootp.cookie != bpf_htonl(BNG_DHCP_COOKIE))
		return NULL;
	return dhcp;
}

static __always_inline __be32 bng_word_at(const __u8 *bytes)
{
	return *(const __be32 *)bytes; /* one load: BPF runs where unaligned ones are cheap */
}

/* Whether the option means anything here: most that a client sends do not, and one look says so. */
static __always_inline bool bng_counts(__u8 code)
{
	const __u64 below_64 = 1ull << BNG_DHCP_REQUESTED_ADDRESS | 1ull << BNG_DHCP_OVERLOAD |
			       1ull << BNG_DHCP_MESSAGE_TYPE | 1ull << BNG_DHCP_SERVER_ID | 1ull << BNG_DHCP_MAX_SIZE |
			       1ull << BNG_DHCP_CLIENT_ID;

	if (code < 64)
		return below_64 >> code & 1;
	return code == BNG_DHCP_RELAY_AGENT || code == BNG_DHCP_FORCE_RENEW_NONCE;
}

/* False for an option that is not for XDP. `at` is where it begins; the buffer is longer than any option there. */
static __always_inline bool bng_note_option(struct bng_dhcp_scratch *found, __u32 at, __u8 code, __u8 size)
{
	const __u8 *value = found->bytes + at + BNG_OPTION_HEAD;
	bool right = true;
	__u8 seen;

	switch (code) {
	case BNG_DHCP_MESSAGE_TYPE:
		seen = BNG_SEEN_TYPE;
		right = size == 1;
		found->type = *value;
		break;
	case BNG_DHCP_REQUESTED_ADDRESS:
		seen = BNG_SEEN_REQUESTED;
		right = size == sizeof(__be32);
		found->requested = bng_word_at(value);
		break;
	case BNG_DHCP_SERVER_ID:
		seen = BNG_SEEN_SERVER;
		right = size == sizeof(__be32);
		found->server = bng_word_at(value);
		break;
	case BNG_DHCP_MAX_SIZE: /* XDP sends nothing that is longer than what everybody takes */
		seen = BNG_SEEN_MAX_SIZE;
		right = size == sizeof(__be16);
		break;
	case BNG_DHCP_CLIENT_ID:
		seen = BNG_SEEN_CLIENT_ID;
		found->client_id = at;
		break;
	case BNG_DHCP_RELAY_AGENT:
		seen = BNG_SEEN_RELAY_AGENT;
		found->option82 = at;
		break;
	case BNG_DHCP_FORCE_RENEW_NONCE:
		seen = BNG_SEEN_NONCE;
		break;
	case BNG_DHCP_OVERLOAD:
		return false;
	default:
		return true;
	}
	if (!right || (found->seen & seen))
		return false;
	found->seen |= seen;
	return true;
}

/*
 * Walks through the options of the datagram of `length` bytes. What is found goes to memory and not to registers: the
 * verifier would otherwise follow every combination of what was seen.
 */
static __always_inline bool bng_read_options(struct bng_dhcp_scratch *found, __u32 length)
{
	__u32 at = sizeof(struct bng_dhcp), next;
	__u8 code, size;

	found->seen = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < BNG_DHCP_OPTIONS; i++) {
		if (at >= length)
			return false;
		asm volatile("" : "+r"(at)); /* clang would know the mask to be idle, the verifier does not */
		at &= BNG_DHCP_OFFSET_MASK;
		code = found->bytes[at];
		if (code == BNG_DHCP_END)
			return true;
		if (code == BNG_DHCP_PAD) {
			at++;
			continue;
		}
		size = found->bytes[at + 1];
		next = at + BNG_OPTION_HEAD + size;
		if (next >= length || (bng_counts(code) && !bng_note_option(found, at, code, size)))
			return false;
		at = next;
	}
	return false;
}

/*
 * A keyed hash of the option that begins at `at`, never 0, and the sum of its bytes. The line is who the access node says
 * it is only if the option is the one that the control plane has seen; the key keeps anybody from making two that are
 * taken for one another.
 */
static __always_inline __u64 bng_hash_option(const struct bng_dhcp_scratch *found, __u32 at, __u64 *sum)
{
	__u64 hash = bng_settings.option82_seed, total = 0, word;
	__u32 left;

	at &= BNG_DHCP_OFFSET_MASK;
	left = found->bytes[at + 1] + BNG_OPTION_HEAD;
#pragma clang loop unroll(disable)
	for (int i = 0; i <= BNG_OPTION_WORDS; i++) {
		word = *(const __u64 *)(found->bytes + at + i * sizeof(word));
		if (left < sizeof(word))
			word &= (1ull << (left * 8)) - 1;
		hash = (hash ^ word) * bng_settings.option82_factor;
		hash ^= hash >> 32;
		total += (word & 0xffffffff) + (word >> 32);
		if (left <= sizeof(word))
			break;
		left -= sizeof(word);
	}
	*sum = total;
	return hash ? hash : 1;
}

/* Copies the datagram of the request; 0 unless it is whole and its checksums are right, else its length. */
static __always_inline __u32 bng_copy_datagram(struct xdp_md *ctx, const struct bng_frame *frame,
					       const struct bng_dhcp *dhcp, struct bng_dhcp_scratch *to)
{
	__u64 pseudo = (__u64)frame->ip->saddr + frame->ip->daddr + bpf_htons(IPPROTO_UDP) + dhcp->udp.len;
	bool summed = dhcp->udp.check;
	__u32 length = bpf_ntohs(dhcp->udp.len);

	if (length > frame->ip_length - sizeof(struct iphdr) || bng_fold(bng_sum_ipv4(frame->ip)) != BNG_SUM_RIGHT)
		return 0;
	if (length < sizeof(*dhcp) || length > BNG_DHCP_DATAGRAM)
		return 0;
	length = bng_within(length, BNG_DHCP_OFFSET_MASK);
	if (bpf_xdp_load_bytes(ctx, frame->l3_offset + sizeof(struct iphdr), to->bytes, length))
		return 0;
	*(__u32 *)(to->bytes + length) = 0;
	if (summed && bng_fold(pseudo + bng_sum_bytes(to->bytes, length)) != BNG_SUM_RIGHT)
		return 0;
	return length;
}

#endif
