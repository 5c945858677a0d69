/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The access ports, which are settings: the verifier drops every comparison beyond their count, and with one port all.
 */
#ifndef BNG_LIB_PORT_H
#define BNG_LIB_PORT_H

#include <linux/if_ether.h>

#include "../maps.h"
#include "outcome.h"

static __always_inline bool bng_is_access_port(__u32 ifindex)
{
	for (__u32 i = 0; i < bng_settings.access_port_count && i < BNG_MAX_ACCESS_PORTS; i++) {
		if (bng_settings.access_ports[i].ifindex == ifindex)
			return true;
	}
	return false;
}

/*
 * Our MAC on the access port `ifindex`. What is no other port's is the last one's: no frame gets as far that did not
 * come from an access port or is not aimed at one. Copies byte by byte: the settings are volatile, which memcpy does
 * not take.
 */
static __always_inline void bng_copy_port_mac(__u8 *to, __u32 ifindex)
{
	__u32 at = 0;

	while (at + 1 < bng_settings.access_port_count && at + 1 < BNG_MAX_ACCESS_PORTS &&
	       bng_settings.access_ports[at].ifindex != ifindex)
		at++;
#pragma unroll
	for (int i = 0; i < ETH_ALEN; i++)
		to[i] = bng_settings.access_ports[at].mac[i];
}

#endif
