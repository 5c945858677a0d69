/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The contract between the dataplane and user space: every shared struct, enum and limit, and nothing else.
 * scripts/generate-abi turns the BTF of this file into src/dataplane/abi.ts. Constants are enums because macros
 * never reach BTF; padding is written out because -Wpadded -Werror refuses hidden holes.
 */
#ifndef BNG_ABI_H
#define BNG_ABI_H

#include <linux/types.h>

enum bng_abi_version {
	BNG_ABI_VERSION = 5,
};

enum bng_limit {
	BNG_MAX_SUBSCRIBERS = 131072,
	BNG_MAX_LOCAL_ADDRESSES = 256,
	BNG_MAX_GARDEN_PREFIXES = 4096,
	BNG_GARDEN_PORTS = 16, /* ports of one garden prefix */
	BNG_MAX_PORTS = 64, /* interfaces that frames may be redirected to */
	BNG_MAX_ACCESS_PORTS = 16,
	BNG_PUNT_LINES = 65536, /* stations, and lines of new stations, whose punt rate is remembered */
	BNG_PUNT_RING_BYTES = 4194304,
	BNG_PUNT_SMALL = 640, /* bytes of frame in a small punt record */
	BNG_PUNT_LARGE = 1664, /* bytes of frame in a large punt record; longer frames are dropped */
	BNG_RATE_FRACTION_BITS = 20, /* fraction bits of every ns_per_byte */
	BNG_BURST_EXPONENT_BITS = 5, /* of a subscriber's bursts: ns = burst >> 5 << (burst & 31) */
	BNG_BUCKET_ADDRESSES = 4, /* of one bucket of bng_addresses */
	BNG_ADDRESS_FACTOR = 0x9e3779b1, /* finds an address's first bucket (lib/find.h) */
	BNG_ADDRESS_FACTOR_TWO = 0x85ebca77, /* and its second */
	BNG_PUNT_RING_FRAMES =
		3145728, /* bytes of the ring that frames may fill: the rest is for what XDP has answered */
	BNG_MAX_DHCP_REPLIES = 256, /* pools whose leases XDP may answer for */
	BNG_NO_DHCP_REPLY = 65535, /* of a lease: its client may have given it up, and the control plane knows first */
	BNG_DHCP_REPLY_BYTES = 548, /* longest message that every client takes (RFC 2131 2) */
	BNG_DHCP_REPLY_ROOM = 1024, /* what the verifier has to be shown instead: a power of two */
	BNG_MAX_TRACED = 64, /* lines that are traced at once */
	BNG_TRACE_RING_BYTES = 65536,
	BNG_MAX_STATIC_NETWORKS = 8,
	BNG_TRACE_PER_SECOND = 20, /* frames told of a traced line, and as many of those that were dropped */
};

/* What happened to a frame, counted once at its exit in bng_verdicts. */
enum bng_verdict {
	BNG_VERDICT_DROP = 0, /* see bng_drops for why */
	BNG_VERDICT_PUNT = 1, /* copied to user space */
	BNG_VERDICT_ARP_REPLY = 2, /* answered in XDP */
	BNG_VERDICT_FORWARD_UP = 3, /* redirected to the core */
	BNG_VERDICT_FORWARD_DOWN = 4, /* redirected to a subscriber */
	BNG_VERDICT_FORWARD_LOCAL = 5, /* subscriber to subscriber */
	BNG_VERDICT_STACK_UP = 6, /* from a subscriber to the kernel's stack */
	BNG_VERDICT_STACK_DOWN = 7, /* from the core to the stack, for a subscriber */
	BNG_VERDICT_FOREIGN = 8, /* from the core to the stack, not for a subscriber */
	BNG_VERDICT_EGRESS = 9, /* from the stack to a subscriber, tagged in tc */
	BNG_VERDICT_DHCP_REPLY = 10, /* answered in XDP, from bng_leases */
	BNG_VERDICT_COUNT = 11,
};

/* Why a frame was dropped, counted once at its exit in bng_drops. */
enum bng_drop_reason {
	BNG_DROP_MALFORMED = 0, /* truncated, bad header length, bad lengths */
	BNG_DROP_TOO_MANY_TAGS = 1,
	BNG_DROP_ETHERTYPE = 2, /* neither IPv4 nor ARP on the access side */
	BNG_DROP_UNKNOWN_LINE = 3, /* nobody is installed at this line and MAC */
	BNG_DROP_SPOOFED_ADDRESS = 4, /* known line, source address of nobody or of another */
	BNG_DROP_SPOOFED_MAC = 5, /* right line and address, wrong MAC */
	BNG_DROP_ARP_UNANSWERED = 6, /* ARP that is not a request for a gateway */
	BNG_DROP_MULTICAST = 7, /* group frame or address from a subscriber, DHCP apart; group frame for one */
	BNG_DROP_GARDEN = 8, /* walled subscriber, destination or source not allowed */
	BNG_DROP_GARDEN_FRAGMENT = 9, /* walled subscriber, fragment that cannot be judged by port */
	BNG_DROP_LOCAL_SERVICE = 10, /* for an address of ours, not a service for subscribers */
	BNG_DROP_DHCP_SERVER = 11, /* a DHCP server's message from a subscriber */
	BNG_DROP_PUNT_LINE_RATE = 12, /* by a station, or by the new stations of a line together */
	BNG_DROP_PUNT_TOTAL_RATE = 13, /* by all installed stations, or by all others */
	BNG_DROP_PUNT_RING_FULL = 14,
	BNG_DROP_PUNT_TOO_LONG = 15,
	BNG_DROP_POLICED_UP = 16,
	BNG_DROP_POLICED_DOWN = 17,
	BNG_DROP_NO_ROUTE =
		18, /* FIB says blackhole, unreachable or prohibit; 0/8, 127/8; the receiver has just gone */
	BNG_DROP_LOCAL_FORBIDDEN = 19, /* subscriber to subscriber, not allowed by configuration */
	BNG_DROP_EGRESS_NO_SUBSCRIBER = 20, /* the stack sent to an address that nobody holds at a port of ours */
	BNG_DROP_EGRESS_ETHERTYPE = 21, /* the stack sent something that is not IPv4 */
	BNG_DROP_HEADROOM = 22, /* the driver left no room for the tags */
	BNG_DROP_COUNT = 23,
};

enum bng_punt_reason {
	BNG_PUNT_DHCP = 1,
	BNG_PUNT_LEASE_ANSWERED = 2, /* no frame: struct bng_lease_answered */
	BNG_PUNT_SIGHTED = 3, /* a station that is not installed uses a static address: its ARP, or an IPv4 header */
};

/* Which way a frame goes, seen from the subscriber. */
enum bng_direction {
	BNG_DIRECTION_UPSTREAM = 1,
	BNG_DIRECTION_DOWNSTREAM = 2,
};

/* Who a punt is charged to; index into bng_punt_total. */
enum bng_punt_share {
	BNG_PUNT_SHARE_INSTALLED = 0, /* stations that hold an address */
	BNG_PUNT_SHARE_NEW = 1, /* all others, whatever MAC they make up */
	BNG_PUNT_SHARE_COUNT = 2,
};

enum bng_subscriber_flag {
	BNG_SUBSCRIBER_WALLED = 1,
};

enum bng_settings_flag {
	BNG_SETTINGS_LOCAL_FORWARDING = 1, /* subscribers may reach each other through the gateway */
	BNG_SETTINGS_FORWARD_IN_STACK = 2, /* never redirect: the stack forwards everything (for comparison) */
	BNG_SETTINGS_FAST_DHCP = 4, /* answer DHCP of the stations in bng_leases */
	BNG_SETTINGS_TRUST_OPTION82 = 8, /* the access node's word counts, a relay's too */
	BNG_SETTINGS_GARDEN_DNS = 16, /* walled subscribers may ask the portal's address on port 53 */
};

enum bng_garden_flag {
	BNG_GARDEN_ANY = 1, /* every protocol and port; otherwise TCP and UDP to the ports listed */
};

/* What XDP has answered a DHCP client: the value of option 53. */
enum bng_dhcp_answer {
	BNG_DHCP_ANSWER_OFFER = 2,
	BNG_DHCP_ANSWER_ACK = 5,
};

/* A rate as a policer wants it; all zero means unlimited. */
struct bng_rate {
	__u64 ns_per_byte; /* with BNG_RATE_FRACTION_BITS fraction bits */
	__u64 burst_ns;
};

/* Addresses with the bits of `network` where `mask` has ones. */
struct bng_prefix {
	__be32 network;
	__be32 mask;
};

/* An interface that subscribers are behind, and the MAC that they see as their gateway's there. */
struct bng_access_port {
	__u32 ifindex;
	__u8 mac[6];
	__u16 reserved; /* zero */
};

/* .rodata of both objects' programs, set before load. Rates of punts cost one "byte" a frame. */
struct bng_settings {
	__u32 access_port_count; /* of access_ports; at least one */
	__be32 portal_address;
	__be16 portal_port;
	__u16 subscriber_mtu; /* longest IPv4 packet towards a subscriber */
	__u32 flags; /* enum bng_settings_flag */
	struct bng_access_port access_ports[BNG_MAX_ACCESS_PORTS];
	struct bng_rate punt_installed_rate; /* of an installed station; of all others of a line with two tags */
	struct bng_rate punt_new_rate; /* of a station (line and MAC) that is not installed */
	struct bng_rate punt_line_rate; /* of all stations that are not installed of a line with less than two tags */
	struct bng_rate punt_total_installed_rate; /* of all installed stations together */
	struct bng_rate punt_total_new_rate; /* of all others together */
	struct bng_rate answer_rate; /* of DHCP answered in XDP, a station */
	__u64 option82_seed; /* secret, of bng_lease.option82 */
	__u64 option82_factor; /* secret, odd */
	__u32 traffic_slots; /* entries of bng_subscribers, and of each CPU in bng_traffic; bng_addresses has half as many and one */
	__u32 static_network_count; /* of static_networks */
	struct bng_prefix static_networks[BNG_MAX_STATIC_NETWORKS]; /* whose addresses are used without DHCP */
};

/* Key of bng_lines: where one station is attached. VLAN ids in host byte order, 0 = no such tag. */
struct bng_line_key {
	__u32 ifindex;
	__u16 s_vlan;
	__u16 c_vlan;
	__u8 mac[6];
	__u16 reserved; /* zero; 1 in bng_punt_lines for what is sighted, which must not cost the station its DHCP */
};

/* An entry of bng_addresses; written and read as one word of 64 bits. */
struct bng_address {
	__be32 address; /* 0 = none */
	__u32 place; /* one more than the slot */
};

/* Value of bng_addresses. */
struct bng_address_bucket {
	struct bng_address addresses[BNG_BUCKET_ADDRESSES];
};

/*
 * Value of bng_subscribers, by slot. A cache line of 64 bytes, and the map begins with one: whatever a packet needs to know
 * of its subscriber takes one access to memory. User space writes it word by word of 64 bits while XDP reads it, all but the
 * arrival times of one that is there already: those XDP moves.
 */
struct bng_subscriber {
	__be32 address; /* 0 = nobody has the slot */
	__u32 ifindex;
	__u8 mac[6];
	__u8 flags; /* enum bng_subscriber_flag */
	__u8 reserved; /* zero */
	__u16 s_vlan; /* host byte order, 0 = untagged */
	__u16 c_vlan; /* host byte order, 0 = no inner tag */
	__be16 s_tpid;
	__be16 c_tpid;
	__u64 upstream_ns_per_byte; /* as in bng_rate, 0 = unlimited */
	__u64 downstream_ns_per_byte;
	__u32 upstream_burst; /* see BNG_BURST_EXPONENT_BITS */
	__u32 downstream_burst;
	__u64 upstream_tat; /* theoretical arrival time (GCRA), ns of CLOCK_MONOTONIC; 0 = the bucket is full */
	__u64 downstream_tat;
};

/* Value of bng_traffic: what one CPU has counted of one slot. Octets of IP packets, Ethernet and tags left out. */
struct bng_traffic {
	__u64 upstream_packets;
	__u64 upstream_bytes;
	__u64 downstream_packets;
	__u64 downstream_bytes;
};

/* Key of bng_garden (longest prefix match). */
struct bng_garden_key {
	__u32 prefix_length;
	__be32 address;
};

/* Value of bng_garden: what a walled subscriber may reach there. */
struct bng_garden {
	__u32 flags; /* enum bng_garden_flag */
	__u32 port_count;
	__be16 ports[BNG_GARDEN_PORTS];
};

/* Value of bng_local, keyed by an address of ours (__be32): gateways and the portal. */
struct bng_local {
	__u32 is_gateway; /* answer ARP for it */
};

/* Head of a record in bng_punts; the frame as it arrived, tags included, follows. */
struct bng_punt {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 ifindex;
	__u32 frame_length;
	__u32 reason; /* enum bng_punt_reason */
	__u16 s_vlan;
	__u16 c_vlan;
	__be16 s_tpid; /* 0 = untagged */
	__be16 c_tpid;
	__u16 l3_offset; /* where the IPv4 header begins in the frame */
	__u16 reserved; /* zero */
};

/*
 * Value of bng_leases, keyed by the station: a lease that the control plane has promised and lets XDP repeat. XDP writes
 * `expires_ns`, `answer_tat` and BNG_NO_DHCP_REPLY; user space replaces the whole. Of 64 bytes: behind head and key it
 * is a cache line of its own.
 */
struct bng_lease {
	__u64 expires_ns; /* CLOCK_MONOTONIC; no answer from then on. Moved by each ACK, never beyond ends_ns */
	__u64 ends_ns; /* when the session must end, whatever is renewed; 0 = never */
	__u64 answer_tat; /* theoretical arrival time of the next message that is answered */
	__u64 option82; /* keyed hash of the option that the station's messages bear; 0 = they bear none */
	__be32 address;
	__u32 reply; /* index into bng_dhcp_replies */
	__u8 mac[6]; /* the key's: tells a program that is at it when the memory has become another's */
	__u8 reserved[18]; /* zero */
};

/* Value of bng_dhcp_replies: what the answers of one pool have in common, rendered by the control plane. */
struct bng_dhcp_reply {
	__be32 server_id;
	__u32 lease_seconds;
	__u16 options_end; /* where echoed options go in `message`; zeros from there on */
	__u16 sum; /* of the 16-bit words of `message` as they stand in memory, folded, not complemented */
	__u32 reserved; /* zero */
	__u8 message[BNG_DHCP_REPLY_ROOM]; /* BOOTP header and options without what is the client's; type 0 */
};

/* A record of bng_punts: XDP has answered. Nothing of the frame is needed to believe it. */
struct bng_lease_answered {
	struct bng_punt head; /* when and where; frame_length is 0 */
	__be32 address;
	__u32 lease_seconds; /* promised from head.time_ns on by an ACK */
	__u8 mac[6];
	__u8 answer; /* enum bng_dhcp_answer */
	__u8 reserved; /* zero */
};

/* The one entry of bng_trace. XDP zeroes it when the time has come: who traces must go on saying so. */
struct bng_trace_switch {
	__u64 until_ns; /* CLOCK_MONOTONIC; 0 = nobody traces */
};

/* Value of bng_traced, keyed by a station, or by a whole line with MAC zero: what keeps its records few. */
struct bng_traced {
	__u64 passed_tat; /* theoretical arrival time of the next record of a frame that passes */
	__u64 dropped_tat; /* the same of one that is dropped */
	__u64 untold; /* frames without a record since the last one */
};

/* A record of bng_trace_records: what became of one frame of a traced line. The frame is described as it arrived. */
struct bng_trace_record {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 untold; /* frames of the line between the last record and this one */
	struct bng_line_key traced; /* the key in bng_traced */
	__u32 verdict; /* enum bng_verdict */
	__u32 drop_reason; /* enum bng_drop_reason, of a drop */
	__u32 frame_length;
	__be32 source; /* of IPv4 and ARP, otherwise 0 */
	__be32 destination;
	__be16 source_port; /* of unfragmented TCP and UDP, otherwise 0 */
	__be16 destination_port;
	__be16 ethertype;
	__u16 ip_length; /* of IPv4, otherwise 0 */
	__u8 direction; /* enum bng_direction */
	__u8 protocol; /* of IPv4, otherwise 0 */
	__u8 reserved[2]; /* zero */
};

/* Counters that bng_carry adds to. */
enum bng_carry_counters {
	BNG_CARRY_TRAFFIC = 1,
	BNG_CARRY_VERDICTS = 2,
	BNG_CARRY_DROPS = 3,
};

/* The frame that bng_carry runs on: what to add where. */
struct bng_carry {
	__u32 counters; /* enum bng_carry_counters */
	__u32 index; /* the entry: slot, verdict or reason */
	__u64 words[8]; /* added to the words of the entry, as many as it has */
};

/* Lists every shared type so that clang keeps it in the BTF; never used otherwise. */
union bng_abi {
	enum bng_abi_version abi_version;
	enum bng_limit limit;
	enum bng_verdict verdict;
	enum bng_drop_reason drop_reason;
	enum bng_punt_reason punt_reason;
	enum bng_punt_share punt_share;
	enum bng_subscriber_flag subscriber_flag;
	enum bng_settings_flag settings_flag;
	enum bng_garden_flag garden_flag;
	enum bng_dhcp_answer dhcp_answer;
	enum bng_direction direction;
	enum bng_carry_counters carry_counters;
	struct bng_prefix prefix;
	struct bng_access_port access_port;
	struct bng_settings settings;
	struct bng_line_key line_key;
	struct bng_address address;
	struct bng_address_bucket address_bucket;
	struct bng_subscriber subscriber;
	struct bng_traffic traffic;
	struct bng_garden_key garden_key;
	struct bng_garden garden;
	struct bng_local local;
	struct bng_punt punt;
	struct bng_lease lease;
	struct bng_dhcp_reply dhcp_reply;
	struct bng_lease_answered lease_answered;
	struct bng_trace_switch trace_switch;
	struct bng_traced traced;
	struct bng_trace_record trace_record;
	struct bng_carry carry;
};

#endif
