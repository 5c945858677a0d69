// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Carries the BTF of bng_abi.h to scripts/generate-abi and is never loaded. clang drops what nothing mentions: the
 * pointer is used, and through the union it mentions every shared type.
 */
#include <stddef.h>

#include "bng_abi.h"

const union bng_abi *const bng_abi __attribute__((used)) = NULL;
