/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The only exits of the programs: count the outcome once, tell who traces, translate it into the hook's own code. */
#ifndef BNG_LIB_EXIT_H
#define BNG_LIB_EXIT_H

#include <linux/pkt_cls.h>

#include "../maps.h"
#include "outcome.h"
#include "trace.h"

/* The arrays are per CPU and the programs run with preemption of their own kind excluded: no atomics. */
static __always_inline void bng_count_outcome(int outcome)
{
	__u32 verdict = outcome, reason;
	__u64 *counter;

	if (outcome >= BNG_OUTCOME_DROP) {
		verdict = BNG_VERDICT_DROP;
		reason = outcome & BNG_OUTCOME_REASON;
		counter = bpf_map_lookup_elem(&bng_drops, &reason);
		if (counter)
			(*counter)++;
	}
	counter = bpf_map_lookup_elem(&bng_verdicts, &verdict);
	if (counter)
		(*counter)++;
	if (bng_is_tracing())
		bng_trace_outcome(outcome);
}

/* A forward verdict relies on the bpf_redirect_map() that the deciding step has called. */
static __always_inline int bng_exit_xdp(int outcome)
{
	bng_count_outcome(outcome);
	if (outcome == BNG_VERDICT_FORWARD_UP || outcome == BNG_VERDICT_FORWARD_DOWN ||
	    outcome == BNG_VERDICT_FORWARD_LOCAL)
		return XDP_REDIRECT;
	if (outcome == BNG_VERDICT_STACK_UP || outcome == BNG_VERDICT_STACK_DOWN || outcome == BNG_VERDICT_FOREIGN)
		return XDP_PASS;
	if (outcome == BNG_VERDICT_ARP_REPLY || outcome == BNG_VERDICT_DHCP_REPLY || outcome >= BNG_OUTCOME_ANSWERED)
		return XDP_TX;
	return XDP_DROP;
}

static __always_inline int bng_exit_tc(int outcome)
{
	bng_count_outcome(outcome);
	return outcome == BNG_VERDICT_EGRESS ? TC_ACT_OK : TC_ACT_SHOT;
}

#endif
