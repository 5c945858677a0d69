// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The far end of a link that XDP redirects to: the interface counts the frame, and it is gone. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int bench_drop(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_DROP;
}

char bench_license[] SEC("license") = "Dual BSD/GPL";
