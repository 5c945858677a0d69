// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A load of frames that costs next to nothing: run as live frames (BPF_F_TEST_XDP_LIVE_FRAMES) the generators write a
 * frame of a subscriber drawn by chance and transmit it; the sink, at the far end of the path, counts and drops it.
 * Both count by subscriber, each direction apart. No socket and no copy of the payload is involved.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/types.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "frame.h"

enum live_limit {
	LIVE_TEMPLATE_BYTES = 64,
	LIVE_LINES_OF_S_VLAN = 4000,
	LIVE_FIRST_S_VLAN = 100,
	LIVE_MOST_SUBSCRIBERS = 131072,
	LIVE_VLAN_HEADER = 4,
};

enum live_direction {
	LIVE_UP = 0, /* varies MAC, tags and source address */
	LIVE_DOWN = 1, /* varies the destination address */
};

/* All lengths are those of whole frames. */
struct live_job {
	__u64 template[LIVE_TEMPLATE_BYTES / 8];
	__u32 length_least;
	__u32 length_most;
	__u32 subscribers;
	__u32 first_address; /* host byte order */
	__u32 seed;
	__u32 sink_ifindex; /* where the frames come out */
	__u32 tagged; /* two tags in front; else none */
	__u32 reserved; /* zero */
};

struct live_count {
	__u64 packets;
	__u64 bytes; /* of the IP packet */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct live_job);
} live_jobs SEC(".maps");

/* By 2 * subscriber + direction. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * LIVE_MOST_SUBSCRIBERS);
	__type(key, __u32);
	__type(value, struct live_count);
} live_sent SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2 * LIVE_MOST_SUBSCRIBERS);
	__type(key, __u32);
	__type(value, struct live_count);
} live_received SEC(".maps");

static __always_inline void live_add(void *map, __u32 direction, __u32 n, __u32 bytes)
{
	__u32 key = 2 * n + direction;
	struct live_count *count = bpf_map_lookup_elem(map, &key);

	if (!count)
		return;
	count->packets++;
	count->bytes += bytes;
}

static __always_inline __u32 live_draw(struct live_job *job, __u32 limit)
{
	return bench_next(&job->seed, limit);
}

/* The lengths of a UDP datagram in an IPv4 packet of `bytes`. */
static __always_inline void live_seal(struct iphdr *ip, __u32 bytes)
{
	struct udphdr *udp = (void *)(ip + 1);

	ip->tot_len = bpf_htons(bytes);
	udp->len = bpf_htons(bytes - sizeof(*ip));
	bench_seal(ip);
}

static __always_inline int live_generate(struct xdp_md *ctx, __u32 direction)
{
	struct live_job *job = bpf_map_lookup_elem(&live_jobs, &direction);
	__u32 n, length, header;
	__u64 *words;
	__u8 *bytes;

	if (!job)
		return XDP_ABORTED;
	n = live_draw(job, job->subscribers);
	length = job->length_least + live_draw(job, job->length_most - job->length_least + 1);
	if (ctx->data_end - ctx->data != length &&
	    bpf_xdp_adjust_tail(ctx, (int)length - (int)(ctx->data_end - ctx->data)))
		return XDP_ABORTED;
	bytes = (void *)(long)ctx->data;
	if (bytes + LIVE_TEMPLATE_BYTES > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	words = (__u64 *)bytes;
#pragma unroll
	for (int i = 0; i < LIVE_TEMPLATE_BYTES / 8; i++)
		words[i] = job->template[i];
	header = sizeof(struct ethhdr) + (job->tagged ? 2 * LIVE_VLAN_HEADER : 0);
	if (direction == LIVE_UP) {
		*(__be16 *)(bytes + 8) = bpf_htons(n >> 16);
		*(__be16 *)(bytes + 10) = bpf_htons(n);
	}
	if (direction == LIVE_UP && job->tagged) {
		*(__be16 *)(bytes + 14) = bpf_htons(LIVE_FIRST_S_VLAN + n / LIVE_LINES_OF_S_VLAN);
		*(__be16 *)(bytes + 18) = bpf_htons(1 + n % LIVE_LINES_OF_S_VLAN);
		*(__be32 *)(bytes + 34) = bpf_htonl(job->first_address + n);
		live_seal((void *)(bytes + 22), length - header);
	} else if (direction == LIVE_UP) {
		*(__be32 *)(bytes + 26) = bpf_htonl(job->first_address + n);
		live_seal((void *)(bytes + 14), length - header);
	} else {
		*(__be32 *)(bytes + 30) = bpf_htonl(job->first_address + n);
		live_seal((void *)(bytes + 14), length - header);
	}
	live_add(&live_sent, direction, n, length - header);
	return XDP_TX;
}

SEC("xdp")
int live_up(struct xdp_md *ctx)
{
	return live_generate(ctx, LIVE_UP);
}

SEC("xdp")
int live_down(struct xdp_md *ctx)
{
	return live_generate(ctx, LIVE_DOWN);
}

/* What is none of the load goes on to the stack: ARP, mostly. */
SEC("xdp")
int live_sink(struct xdp_md *ctx)
{
	void *at = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 up = LIVE_UP, direction, n;
	struct live_job *job = bpf_map_lookup_elem(&live_jobs, &up);
	struct iphdr *ip;
	__be16 protocol;

	if (!job || at + sizeof(struct ethhdr) > end)
		return XDP_PASS;
	direction = ctx->ingress_ifindex == job->sink_ifindex ? LIVE_UP : LIVE_DOWN;
	protocol = ((struct ethhdr *)at)->h_proto;
	at += sizeof(struct ethhdr);
#pragma unroll
	for (int i = 0; i < 2; i++) {
		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		if (at + LIVE_VLAN_HEADER > end)
			return XDP_PASS;
		protocol = *(__be16 *)(at + 2);
		at += LIVE_VLAN_HEADER;
	}
	ip = at;
	if (protocol != bpf_htons(ETH_P_IP) || (void *)(ip + 1) > end)
		return XDP_PASS;
	job = bpf_map_lookup_elem(&live_jobs, &direction);
	if (!job)
		return XDP_PASS;
	n = bpf_ntohl(direction == LIVE_UP ? ip->saddr : ip->daddr) - job->first_address;
	if (n >= job->subscribers)
		return XDP_PASS;
	live_add(&live_received, direction, n, bpf_ntohs(ip->tot_len));
	return XDP_DROP;
}

char live_license[] SEC("license") = "Dual BSD/GPL";
