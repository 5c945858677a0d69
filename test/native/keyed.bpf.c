// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Subscribers as builds before ABI 5 kept them: by address, with the slot and two words a rate in the value. */
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct bng_rate {
	__u64 ns_per_byte;
	__u64 burst_ns;
};

struct bng_subscriber {
	__u8 mac[6];
	__u8 flags;
	__u8 reserved;
	__u32 ifindex;
	__u32 slot;
	__u16 s_vlan;
	__u16 c_vlan;
	__be16 s_tpid;
	__be16 c_tpid;
	struct bng_rate upstream;
	struct bng_rate downstream;
	__u64 upstream_tat;
	__u64 downstream_tat;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __be32);
	__type(value, struct bng_subscriber);
} bng_subscribers SEC(".maps");

SEC("xdp")
int none(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_PASS;
}
