/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The currency between steps: a step returns BNG_CONTINUE, or the outcome the frame leaves with: a verdict of
 * enum bng_verdict or bng_drop(reason). Counting happens once, in lib/exit.h.
 */
#ifndef BNG_LIB_OUTCOME_H
#define BNG_LIB_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "../bng_abi.h"

enum bng_outcome {
	BNG_CONTINUE = -1,
	BNG_OUTCOME_DROP = 0x100, /* added to an enum bng_drop_reason */
	BNG_OUTCOME_ANSWERED = 0x200, /* added to a drop whose frame has become the refusal that goes back */
	BNG_OUTCOME_REASON = 0xff,
};

static __always_inline int bng_drop(enum bng_drop_reason reason)
{
	return BNG_OUTCOME_DROP + (int)reason;
}

static __always_inline int bng_answered(int drop)
{
	return drop + BNG_OUTCOME_ANSWERED;
}

#endif
