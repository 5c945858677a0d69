/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Every map of the dataplane, and no code. The definitions are weak so that each entry object may carry them: the
 * linker keeps one. User space may shrink max_entries before load; the values here are the limits of bng_abi.h.
 */
#ifndef BNG_MAPS_H
#define BNG_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "bng_abi.h"

/* Set before load by user space, constant afterwards so that the verifier prunes what is switched off. */
extern const volatile struct bng_settings bng_settings;

/*
 * Who holds an address, by slot: the index that bng_traffic has too. Written by the control plane, which maps it into its memory; what
 * nobody holds is zero. An array, since reading one takes no call, and since its entries are dense: twice as many fit the
 * caches, and the TLB, as of a hash's elements.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BNG_MAX_SUBSCRIBERS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bng_subscriber);
} bng_subscribers SEC(".maps") __weak;

/*
 * Where in bng_subscribers an address is: a hash table of the programs' own (lib/find.h), each address in one of two buckets.
 * Written by the control plane alone (src/dataplane/address-index.ts), entry by entry.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BNG_MAX_SUBSCRIBERS / 2 + 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bng_address_bucket);
} bng_addresses SEC(".maps") __weak;

/* Which address is installed at a line and MAC. Written by the control plane; read for ARP and to name a drop. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BNG_MAX_SUBSCRIBERS);
	__type(key, struct bng_line_key);
	__type(value, __be32);
} bng_lines SEC(".maps") __weak;

/* Whose traffic a slot has counted that is no longer anybody's: the address that was removed; 0.0.0.0 = nobody's. Written
 * and read by the control plane alone, before it deletes a subscriber and until it has kept the last counters. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BNG_MAX_SUBSCRIBERS);
	__type(key, __u32);
	__type(value, __be32);
} bng_removed SEC(".maps") __weak;

/*
 * Accepted traffic: bng_settings.traffic_slots entries of the first possible CPU, by slot, then those of the next. Written here
 * only, each CPU its own entries, hence no atomics; read and summed by user space, which maps it into its memory. An array
 * by itself and no per-CPU map: no pointer to fetch before the counter, and no system call to read.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BNG_MAX_SUBSCRIBERS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct bng_traffic);
} bng_traffic SEC(".maps") __weak;

/* What walled subscribers may reach. The longest prefix decides alone: the control plane must repeat in a longer
 * prefix whatever a shorter one that covers it allows. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, BNG_MAX_GARDEN_PREFIXES);
	__uint(map_flags, BPF_F_NO_PREALLOC); /* the trie has no other kind */
	__type(key, struct bng_garden_key);
	__type(value, struct bng_garden);
} bng_garden SEC(".maps") __weak;

/* Our own addresses towards subscribers: gateways and the portal. Written by the control plane. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BNG_MAX_LOCAL_ADDRESSES);
	__type(key, __be32);
	__type(value, struct bng_local);
} bng_local SEC(".maps") __weak;

/* Interfaces that frames may be redirected to, ifindex to ifindex. What is not in here takes the stack's way. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, BNG_MAX_PORTS);
	__type(key, __u32);
	__type(value, __u32);
} bng_ports SEC(".maps") __weak;

/* Frames by enum bng_verdict, and dropped frames by enum bng_drop_reason. Written at the exits only. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BNG_VERDICT_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} bng_verdicts SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, BNG_DROP_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} bng_drops SEC(".maps") __weak;

/* Frames for the control plane: struct bng_punt, then the frame. When it is full the frame is dropped and counted. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, BNG_PUNT_RING_BYTES);
} bng_punts SEC(".maps") __weak;

/* Theoretical arrival time of the next punt of a station, and, with MAC zero, of the new stations of a line together.
 * LRU: what is forgotten merely starts with a full bucket. Entries come no faster than the lines' own buckets let them. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, BNG_PUNT_LINES);
	__type(key, struct bng_line_key);
	__type(value, __u64);
} bng_punt_lines SEC(".maps") __weak;

/* The same for all lines together, by enum bng_punt_share: what the control plane can be asked to read, whoever floods. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BNG_PUNT_SHARE_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} bng_punt_total SEC(".maps") __weak;

/* Leases that XDP may answer for. Written by the control plane; XDP moves the times in it (bng_abi.h). A station has an
 * entry only while its session would answer the same. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BNG_MAX_SUBSCRIBERS);
	__type(key, struct bng_line_key);
	__type(value, struct bng_lease);
} bng_leases SEC(".maps") __weak;

/* What the answers of a pool have in common. Written by the control plane before it writes leases. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, BNG_MAX_DHCP_REPLIES);
	__type(key, __u32);
	__type(value, struct bng_dhcp_reply);
} bng_dhcp_replies SEC(".maps") __weak;

enum bng_dhcp_scratch_size {
	BNG_DHCP_DATAGRAM = 1024, /* longest datagram that XDP reads, UDP header included */
	BNG_DHCP_BEYOND = 544, /* what may be touched behind an offset into it */
};

/* A copy of the datagram at hand, which the verifier lets a program walk through, and what was found in its options. */
struct bng_dhcp_scratch {
	__u8 bytes[BNG_DHCP_DATAGRAM + BNG_DHCP_BEYOND];
	__be32 requested;
	__be32 server;
	__u16 client_id; /* where the option begins */
	__u16 option82;
	__u8 type;
	__u8 seen; /* enum bng_dhcp_seen */
	__u16 reserved;
};

/* Written and read within one run of the program. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bng_dhcp_scratch);
} bng_dhcp_scratch SEC(".maps") __weak;

/* Whether anybody traces, asked of every frame. Written by the control plane; ended by XDP when it is forgotten. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bng_trace_switch);
} bng_trace SEC(".maps") __weak;

/* The stations and lines that are traced. Written by the control plane; XDP moves the times and counts in it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BNG_MAX_TRACED);
	__type(key, struct bng_line_key);
	__type(value, struct bng_traced);
} bng_traced SEC(".maps") __weak;

/* struct bng_trace_record, for whoever traces. Apart from bng_punts, so that no punt is ever lost to a trace. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, BNG_TRACE_RING_BYTES);
} bng_trace_records SEC(".maps") __weak;

/* What a program has noted of the frame at hand. */
struct bng_trace_scratch {
	struct bng_trace_record record;
	__u32 is_noted; /* it is of a traced line */
	__u32 reserved; /* zero */
};

/* Written and read within one run of a program. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bng_trace_scratch);
} bng_trace_scratch SEC(".maps") __weak;

/* The coarse clock as this CPU has last read it. */
struct bng_clock {
	__u64 tick; /* of jiffies, when it was read */
	__u64 ns; /* CLOCK_MONOTONIC */
};

/* Written and read by the programs of one CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bng_clock);
} bng_clocks SEC(".maps") __weak;

#endif
