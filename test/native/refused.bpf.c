// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* A program that no verifier accepts: it reads behind the end of the frame. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int reads_too_far(struct xdp_md *ctx)
{
	return *(__u8 *)(long)ctx->data_end;
}

char _license[] SEC("license") = "Dual BSD/GPL";
