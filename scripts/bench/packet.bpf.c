// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The programs of the dataplane, wrapped for BPF_PROG_TEST_RUN with many rounds.
 *
 * The kernel gives a rewritten frame to the next round as it is, so from round two on a program would see its own
 * output. The wrapper makes the frame whole again before each round: as long as it was (bpf_xdp_adjust_head, or _tail
 * where the body moves the end), the first 64 bytes from a template, of DHCP the others too, and, where asked for, the
 * addresses, tags and MAC of a subscriber drawn by chance. Then it runs the very same inlined body. What the wrapper
 * itself costs is measured by bench_restore and bench_shift, which do everything but the body, and subtracted by user
 * space.
 */
#include "../../bpf/access.bpf.c"
#include "../../bpf/core.bpf.c"
#include "frame.h"

enum bench_limit {
	BENCH_TEMPLATE_BYTES = 64,
	BENCH_REST_BYTES = 448,
	BENCH_DHCP_HEAD = 84, /* two tags, IPv4, UDP, BOOTP up to the MAC in chaddr */
	BENCH_LINES_OF_S_VLAN = 4000,
	BENCH_FIRST_S_VLAN = 100,
	BENCH_MESSAGE = 50, /* where DHCP begins behind two tags */
	BENCH_TAGGED_SOURCE = 34, /* where the source address is behind two tags */
};

enum bench_vary {
	BENCH_VARY_NOTHING = 0,
	BENCH_VARY_SOURCE = 1, /* MAC, tags and source address, two tags in front */
	BENCH_VARY_DESTINATION = 2, /* destination address, untagged */
	BENCH_VARY_DISCOVER = 3, /* MAC, tags and chaddr, two tags in front */
	BENCH_VARY_RENEWAL = 4, /* ciaddr too */
	BENCH_VARY_UNTAGGED_SOURCE = 5, /* MAC and source address, untagged, with a checksum that the stack takes */
};

struct bench_case {
	__u64 template[BENCH_TEMPLATE_BYTES / 8];
	__u64 rest[BENCH_REST_BYTES / 8]; /* what follows, where the body changes that too */
	__u32 rest_length; /* 0 = the body moves the head and changes no more than the template */
	__s32 grow; /* bench_shift: by how much the body would move the end of the frame */
	__u32 length;
	__u32 vary; /* enum bench_vary */
	__u32 subscribers;
	__u32 first_address; /* host byte order */
	__u32 seed;
	__s32 shift; /* bench_shift: by how much the body would move the start of the frame */
	__u32 core_ifindex; /* bench_redirect: where to */
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_case);
} bench_cases SEC(".maps");

static __always_inline struct bench_case *bench_current(void)
{
	__u32 only = 0;

	return bpf_map_lookup_elem(&bench_cases, &only);
}

static __always_inline __u32 bench_draw(struct bench_case *current)
{
	return bench_next(&current->seed, current->subscribers);
}

/*
 * The template is of subscriber 0, whose number in MAC, chaddr and ciaddr is 0: a draw only adds to the checksum.
 */
static __always_inline bool bench_draw_client(struct xdp_md *ctx, struct bench_case *current)
{
	__u8 *bytes = (void *)(long)ctx->data;
	__u32 n = bench_draw(current), address = 0, number = bpf_htonl(n);

	if (bytes + BENCH_DHCP_HEAD > (__u8 *)(long)ctx->data_end)
		return false;
	*(__be16 *)(bytes + 8) = bpf_htons(n >> 16);
	*(__be16 *)(bytes + 10) = bpf_htons(n);
	*(__be16 *)(bytes + 14) = bpf_htons(BENCH_FIRST_S_VLAN + n / BENCH_LINES_OF_S_VLAN);
	*(__be16 *)(bytes + 18) = bpf_htons(1 + n % BENCH_LINES_OF_S_VLAN);
	if (current->vary == BENCH_VARY_RENEWAL)
		address = bpf_htonl(current->first_address + n);
	*(__be16 *)(bytes + 62) = address;
	*(__be16 *)(bytes + 64) = address >> 16;
	*(__be16 *)(bytes + 80) = number;
	*(__be16 *)(bytes + 82) = number >> 16;
	*(__be16 *)(bytes + 48) = ~bng_fold((__u64)(__u16) ~*(__be16 *)(bytes + 48) + address + number);
	return true;
}

/* A frame whose end the body moves, and all of whose bytes it may change. */
static __always_inline bool bench_make_rest(struct xdp_md *ctx, struct bench_case *current)
{
	__u32 length = current->rest_length;

	asm volatile("" : "+r"(length));
	if (length < 1)
		return false;
	asm volatile("" : "+r"(length));
	if (length > BENCH_REST_BYTES)
		return false;
	return !bpf_xdp_store_bytes(ctx, 0, current->template, BENCH_TEMPLATE_BYTES) &&
	       !bpf_xdp_store_bytes(ctx, BENCH_TEMPLATE_BYTES, current->rest, length);
}

static __always_inline bool bench_make_whole(struct xdp_md *ctx, struct bench_case *current)
{
	int longer = (int)(ctx->data_end - ctx->data) - (int)current->length;
	__u64 *words;
	__u8 *bytes;
	__u32 n;

	if (current->rest_length) {
		if ((longer && bpf_xdp_adjust_tail(ctx, -longer)) || !bench_make_rest(ctx, current))
			return false;
		return current->vary < BENCH_VARY_DISCOVER || bench_draw_client(ctx, current);
	}
	if (longer && bpf_xdp_adjust_head(ctx, longer))
		return false;
	bytes = (void *)(long)ctx->data;
	if (bytes + BENCH_TEMPLATE_BYTES > (__u8 *)(long)ctx->data_end)
		return false;
	words = (__u64 *)bytes;
#pragma unroll
	for (int i = 0; i < BENCH_TEMPLATE_BYTES / 8; i++)
		words[i] = current->template[i];
	if (current->vary == BENCH_VARY_SOURCE) {
		n = bench_draw(current);
		*(__be16 *)(bytes + 8) = bpf_htons(n >> 16);
		*(__be16 *)(bytes + 10) = bpf_htons(n);
		*(__be16 *)(bytes + 14) = bpf_htons(BENCH_FIRST_S_VLAN + n / BENCH_LINES_OF_S_VLAN);
		*(__be16 *)(bytes + 18) = bpf_htons(1 + n % BENCH_LINES_OF_S_VLAN);
		*(__be32 *)(bytes + 34) = bpf_htonl(current->first_address + n);
	} else if (current->vary == BENCH_VARY_DESTINATION) {
		n = bench_draw(current);
		*(__be32 *)(bytes + 30) = bpf_htonl(current->first_address + n);
	} else if (current->vary == BENCH_VARY_UNTAGGED_SOURCE) {
		n = bench_draw(current);
		*(__be16 *)(bytes + 8) = bpf_htons(n >> 16);
		*(__be16 *)(bytes + 10) = bpf_htons(n);
		*(__be32 *)(bytes + 26) = bpf_htonl(current->first_address + n);
		bench_seal((struct iphdr *)(bytes + 14));
	}
	return true;
}

/* The case at hand with its frame made whole; NULL when it cannot be. */
static __always_inline struct bench_case *bench_begin(struct xdp_md *ctx)
{
	struct bench_case *current = bench_current();

	return current && bench_make_whole(ctx, current) ? current : NULL;
}

/* What every XDP program costs in this harness. */
SEC("xdp")
int bench_pass(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}

SEC("xdp")
int bench_restore(struct xdp_md *ctx)
{
	return bench_begin(ctx) ? XDP_PASS : XDP_ABORTED;
}

/* The same, and the frame is moved as the body would move it, so that every round has to move it back. */
SEC("xdp")
int bench_shift(struct xdp_md *ctx)
{
	struct bench_case *current = bench_begin(ctx);

	if (!current)
		return XDP_ABORTED;
	if (current->rest_length)
		return bpf_xdp_adjust_tail(ctx, current->grow) ? XDP_ABORTED : XDP_PASS;
	return bpf_xdp_adjust_head(ctx, current->shift) ? XDP_ABORTED : XDP_PASS;
}

SEC("xdp")
int bench_access(struct xdp_md *ctx)
{
	if (!bench_begin(ctx))
		return XDP_ABORTED;
	return bng_exit_xdp(bng_receive_access(ctx));
}

SEC("xdp")
int bench_core(struct xdp_md *ctx)
{
	if (!bench_begin(ctx))
		return XDP_ABORTED;
	return bng_exit_xdp(bng_receive_core(ctx));
}

/*
 * Who sends: the one lookup that every packet needs, two tags in front. The next draw takes what was found, a zero, so that the
 * lookups of several rounds do not run at once inside the CPU: what a packet waits for, and what the body must wait for.
 */
SEC("xdp")
int bench_lookup(struct xdp_md *ctx)
{
	struct bench_case *current = bench_begin(ctx);
	struct bng_subscriber *found;
	__be32 *source;
	__u32 slot;

	if (!current)
		return XDP_ABORTED;
	source = bng_frame_at(ctx, BENCH_TAGGED_SOURCE, sizeof(*source));
	if (!source)
		return XDP_ABORTED;
	found = bng_find_subscriber(*source, &slot);
	if (!found)
		return XDP_ABORTED;
	current->seed += found->reserved;
	return XDP_PASS;
}

/* The lookup that says that a packet is nobody's here, by the destination; two tags in front. */
SEC("xdp")
int bench_miss(struct xdp_md *ctx)
{
	__be32 *addresses;

	if (!bench_begin(ctx))
		return XDP_ABORTED;
	addresses = bng_frame_at(ctx, BENCH_TAGGED_SOURCE, 2 * sizeof(*addresses));
	if (!addresses)
		return XDP_ABORTED;
	return bng_is_held(addresses[1]) ? XDP_ABORTED : XDP_PASS;
}

/* What the kernel takes for its part of a route: bpf_fib_lookup() and nothing else; two tags in front. */
SEC("xdp")
int bench_fib(struct xdp_md *ctx)
{
	struct bpf_fib_lookup fib = { .family = BNG_AF_INET, .ifindex = ctx->ingress_ifindex };
	__be32 *addresses;

	if (!bench_begin(ctx))
		return XDP_ABORTED;
	addresses = bng_frame_at(ctx, BENCH_TAGGED_SOURCE, 2 * sizeof(*addresses));
	if (!addresses)
		return XDP_ABORTED;
	fib.ipv4_src = addresses[0];
	fib.ipv4_dst = addresses[1];
	return bpf_fib_lookup(ctx, &fib, sizeof(fib), 0) == BPF_FIB_LKUP_RET_SUCCESS ? XDP_PASS : XDP_ABORTED;
}

/* The least call of a helper: what each of them costs before it does anything. */
SEC("xdp")
int bench_call(struct xdp_md *ctx)
{
	if (!bench_begin(ctx))
		return XDP_ABORTED;
	return bpf_xdp_get_buff_len(ctx) ? XDP_PASS : XDP_ABORTED;
}

/* A clock read for every packet. */
SEC("xdp")
int bench_clock(struct xdp_md *ctx)
{
	if (!bench_begin(ctx))
		return XDP_ABORTED;
	return bpf_ktime_get_ns() ? XDP_PASS : XDP_ABORTED;
}

/* One cache line of 32 bytes a subscriber, found without a call; the next draw waits for it as in bench_lookup. */
SEC("xdp")
int bench_line(struct xdp_md *ctx)
{
	struct bench_case *current = bench_begin(ctx);
	struct bng_traffic *found;
	__be32 *source;

	if (!current)
		return XDP_ABORTED;
	source = bng_frame_at(ctx, BENCH_TAGGED_SOURCE, sizeof(*source));
	if (!source)
		return XDP_ABORTED;
	found = bng_traffic_of(bpf_ntohl(*source) - current->first_address);
	if (!found)
		return XDP_ABORTED;
	current->seed += found->downstream_packets >> 63;
	return XDP_PASS;
}

/* The lease of the station that asks, two tags in front; the next draw waits for it as in bench_lookup. */
SEC("xdp")
int bench_lease(struct xdp_md *ctx)
{
	struct bench_case *current = bench_begin(ctx);
	struct bng_tagged_header *head;
	struct bng_line_key key = {};
	struct bng_lease *found;

	if (!current)
		return XDP_ABORTED;
	head = bng_frame_head(ctx, sizeof(*head));
	if (!head)
		return XDP_ABORTED;
	key.ifindex = ctx->ingress_ifindex;
	key.s_vlan = bpf_ntohs(head->tags[0].tci);
	key.c_vlan = bpf_ntohs(head->tags[1].tci);
	__builtin_memcpy(key.mac, head->ethernet.h_source, ETH_ALEN);
	found = bpf_map_lookup_elem(&bng_leases, &key);
	if (!found)
		return XDP_ABORTED;
	current->seed += found->reserved[0];
	return XDP_PASS;
}

/* A client's message where it can be read, and the sum of its bytes found right: nothing of what it says. */
SEC("xdp")
int bench_datagram(struct xdp_md *ctx)
{
	struct bench_case *current = bench_begin(ctx);
	struct bng_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct bng_dhcp_scratch *scratch;
	struct bng_frame frame = {};
	struct bng_dhcp *dhcp;
	__u32 only = 0;

	scratch = bpf_map_lookup_elem(&bng_dhcp_scratch, &only);
	if (!current || !scratch || bng_parse_ethernet(&cursor, &frame) != BNG_CONTINUE ||
	    bng_parse_ipv4(ctx, &cursor, &frame) != BNG_CONTINUE)
		return XDP_ABORTED;
	dhcp = bng_parse_dhcp(&frame);
	return dhcp && bng_copy_datagram(ctx, &frame, dhcp, scratch) ? XDP_PASS : XDP_ABORTED;
}

/* The frame as long as the answer, and a pool's message in it: nothing that is the client's. */
SEC("xdp")
int bench_reply(struct xdp_md *ctx)
{
	struct bench_case *current = bench_begin(ctx);
	struct bng_dhcp_reply *reply;
	__u32 only = 0, length;

	reply = bpf_map_lookup_elem(&bng_dhcp_replies, &only);
	if (!current || !reply || !bng_make_room(ctx, current->grow))
		return XDP_ABORTED;
	length = bng_within(current->length + current->grow - BENCH_MESSAGE, BNG_DHCP_REPLY_ROOM - 1);
	return bpf_xdp_store_bytes(ctx, BENCH_MESSAGE, reply->message, length) ? XDP_ABORTED : XDP_PASS;
}

/* What tells the control plane of an answer: a record in the ring. */
SEC("xdp")
int bench_record(struct xdp_md *ctx)
{
	struct bng_lease_answered *record;

	if (!bench_begin(ctx))
		return XDP_ABORTED;
	record = bpf_ringbuf_reserve(&bng_punts, sizeof(*record), 0);
	if (!record)
		return XDP_ABORTED;
	__builtin_memset(record, 0, sizeof(*record));
	bpf_ringbuf_submit(record, 0);
	return XDP_PASS;
}

/* Tags off, a new Ethernet header, a redirect: what is done to every frame, without a question to any map but that of ports. */
SEC("xdp")
int bench_rewrite(struct xdp_md *ctx)
{
	struct bench_case *current = bench_begin(ctx);
	__u8 mac[ETH_ALEN] = {};

	if (!current)
		return XDP_ABORTED;
	if (bng_write_untagged(ctx, BENCH_TAGGED_SOURCE - offsetof(struct iphdr, saddr), mac, mac) != BNG_CONTINUE)
		return XDP_ABORTED;
	return bpf_redirect_map(&bng_ports, current->core_ifindex, XDP_ABORTED);
}

/* The least that takes a frame to the core port: what no dataplane can be quicker than. */
SEC("xdp")
int bench_redirect(struct xdp_md *ctx)
{
	struct bench_case *current = bench_begin(ctx);

	if (!current)
		return XDP_ABORTED;
	return bpf_redirect_map(&bng_ports, current->core_ifindex, XDP_ABORTED);
}
