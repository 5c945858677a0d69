/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * XDP_PASS and nothing else, for the far ends of the tests' cables: a veth takes frames by XDP_REDIRECT or XDP_TX only when its
 * peer runs an XDP program. No part of the dataplane.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp.frags")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
