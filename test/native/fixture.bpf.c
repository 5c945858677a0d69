// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* One program of each kind that the addon's tests run, and one map of each kind that they read. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct key16 {
	__u32 words[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct key16);
	__type(value, __u64);
} hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 10);
	__type(key, __u32);
	__type(value, __u32);
} array SEC(".maps");

struct lpm_key {
	__u32 prefix_length;
	__u8 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lpm_key);
	__type(value, __u32);
} lpm SEC(".maps");

struct sums {
	__u64 words[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 131072);
	__type(key, __u32);
	__type(value, struct sums);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1048576);
} ring SEC(".maps");

const volatile __u32 verdict = XDP_PASS;

__u64 emitted;

/* Returns the verdict of .rodata and puts its low byte in front of the frame. */
SEC("xdp")
int xdp_verdict(struct xdp_md *ctx)
{
	__u8 *data;

	if (bpf_xdp_adjust_head(ctx, -1))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	if (data + 1 > (__u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	*data = verdict;
	return verdict;
}

SEC("xdp")
int xdp_ifindex(struct xdp_md *ctx)
{
	return ctx->ingress_ifindex;
}

SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int xdp_drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

/* Emits one record of 13, 64 or 200 bytes by turns that begins with its running number. */
SEC("xdp")
int xdp_emit(struct xdp_md *ctx)
{
	__u64 number = emitted;
	__u8 *record;

	switch (number % 3) {
	case 0:
		record = bpf_ringbuf_reserve(&ring, 13, 0);
		break;
	case 1:
		record = bpf_ringbuf_reserve(&ring, 64, 0);
		break;
	default:
		record = bpf_ringbuf_reserve(&ring, 200, 0);
	}
	if (!record)
		return XDP_ABORTED;
	__builtin_memcpy(record, &number, sizeof(number));
	bpf_ringbuf_submit(record, 0);
	emitted = number + 1;
	return XDP_PASS;
}

/* Counts in entry 5 of the running CPU: one in the first word, seven in the last. */
SEC("xdp")
int xdp_count(struct xdp_md *ctx)
{
	__u32 key = 5;
	struct sums *sums = bpf_map_lookup_elem(&counters, &key);

	if (!sums)
		return XDP_ABORTED;
	sums->words[0] += 1;
	sums->words[3] += 7;
	return XDP_PASS;
}

SEC("tc")
int tc_ifindex(struct __sk_buff *skb)
{
	return skb->ifindex;
}

SEC("tc")
int tc_drop(struct __sk_buff *skb)
{
	return TC_ACT_SHOT;
}

SEC("tc")
int tc_mark(struct __sk_buff *skb)
{
	skb->cb[0] = 1;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
