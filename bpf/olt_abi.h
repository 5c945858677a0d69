/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What olt.bpf.c and src/olt/frame-mover.ts share: the simulated access node's own contract, apart from bng_abi.h
 * because the BNG never sees it. src/olt/olt-abi.ts mirrors it and checks sizes when the object is loaded.
 */
#ifndef OLT_ABI_H
#define OLT_ABI_H

#include <linux/types.h>

enum olt_limit {
	OLT_MAX_PORTS = 4096,
	OLT_MAX_STATIONS = 16384,
	OLT_PUNT_FRAME = 2048, /* bytes of frame in a punt record; a power of two */
	OLT_PUNT_RING_BYTES = 1048576,
	OLT_DHCP_SERVER_PORT = 67,
	OLT_SHARED_LINE = 0, /* no interface has this index */
};

/* Why a frame ended where it did; names in olt-abi.ts in the same order. */
enum olt_count {
	OLT_FORWARD_UP = 0,
	OLT_FORWARD_DOWN = 1,
	OLT_PUNT = 2,
	OLT_DROP_NOT_PROVISIONED = 3,
	OLT_DROP_CUSTOMER_TAG = 4,
	OLT_DROP_MALFORMED = 5,
	OLT_DROP_STATION_MOVED = 6,
	OLT_DROP_TAGGING = 7,
	OLT_DROP_TPID = 8,
	OLT_DROP_UNKNOWN_LINE = 9,
	OLT_DROP_NOT_FLOODED = 10,
	OLT_DROP_UNKNOWN_STATION = 11,
	OLT_DROP_DHCP_LENGTH = 12,
	OLT_DROP_RING_FULL = 13,
	OLT_COUNTS = 14,
};

struct olt_settings {
	__u32 trunk_ifindex;
	__u16 s_tag_tpid; /* host byte order */
	__u16 zero;
};

/* Tags as they stand on the trunk, host byte order; 0 is "no such tag". */
struct olt_line {
	__u16 s_vlan;
	__u16 c_vlan;
};

struct olt_port {
	struct olt_line line;
	__u16 outer_tpid; /* of the S-VLAN tag, host byte order */
	__u16 zero;
};

struct olt_station {
	struct olt_line line;
	__u8 mac[6];
	__u16 zero;
};

struct olt_punt {
	__u32 ifindex; /* where it came in */
	struct olt_line line;
	__u32 length;
	__u32 zero;
	__u8 frame[OLT_PUNT_FRAME]; /* without tags */
};

#endif
