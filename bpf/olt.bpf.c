/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Theory of operation: the forwarding of the simulated access node (OLT), in its own network namespace.
 *
 * olt_from_ont runs at tc ingress of each ONT port: it learns the station, hands DHCP for servers to user space (which
 * adds option 82 and tags), and pushes the line's tags on everything else and redirects it to the trunk.
 * olt_from_trunk runs at tc ingress of the trunk: it pops the tags, hands DHCP of servers to user space (which takes
 * option 82 out and finds the ONT by it), and sends the rest to the one ONT port that the tags, or on a shared VLAN the
 * learned station, name. Nothing is ever flooded: no ONT hears another, or a broadcast on a VLAN that several share.
 * olt_xdp_pass does nothing: a veth takes frames by XDP_REDIRECT or XDP_TX only when its end runs an XDP program.
 *
 * The layout of what user space shares is in olt_abi.h.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "olt_abi.h"

#define VID_MASK 0x0fff

const volatile struct olt_settings olt_settings;

/* Provisioned ONT ports by ifindex. Written by user space; a port that is not here passes nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OLT_MAX_PORTS);
	__type(key, __u32);
	__type(value, struct olt_port);
} olt_ports SEC(".maps");

/* The ONT port of a pair of tags, OLT_SHARED_LINE where several ports have it. Written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, OLT_MAX_PORTS);
	__type(key, struct olt_line);
	__type(value, __u32);
} olt_lines SEC(".maps");

/* The ONT port behind which a station was seen. Written by olt_from_ont, forgotten by user space with the port. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, OLT_MAX_STATIONS);
	__type(key, struct olt_station);
	__type(value, __u32);
} olt_stations SEC(".maps");

/* DHCP frames on their way to user space: struct olt_punt. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, OLT_PUNT_RING_BYTES);
} olt_punts SEC(".maps");

/* What happened to each frame, by enum olt_count; each frame is counted once, at its exit. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, OLT_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} olt_counts SEC(".maps");

static __always_inline int finish(enum olt_count count, int verdict)
{
	__u32 key = count;
	__u64 *value = bpf_map_lookup_elem(&olt_counts, &key);

	if (value)
		*value += 1;
	return verdict;
}

static __always_inline int drop(enum olt_count count)
{
	return finish(count, TC_ACT_SHOT);
}

/* True for an unfragmented UDP datagram (or first fragment) over IPv4 with DHCP's server port on the given side. */
static __always_inline int is_dhcp(struct __sk_buff *skb, int from_server)
{
	struct iphdr ip;
	struct udphdr udp;

	if (skb->protocol != bpf_htons(ETH_P_IP) || bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return 0;
	if (ip.protocol != IPPROTO_UDP || ip.ihl < 5 || (ip.frag_off & bpf_htons(0x1fff)))
		return 0;
	if (bpf_skb_load_bytes(skb, ETH_HLEN + ip.ihl * 4, &udp, sizeof(udp)))
		return 0;
	return (from_server ? udp.source : udp.dest) == bpf_htons(OLT_DHCP_SERVER_PORT);
}

/* The frame leaves this way for user space, or not at all. */
static __always_inline int punt(struct __sk_buff *skb, const struct olt_line *line)
{
	struct olt_punt *record;
	__u32 length = skb->len;

	if (length < ETH_HLEN || length > OLT_PUNT_FRAME)
		return drop(OLT_DROP_DHCP_LENGTH);
	record = bpf_ringbuf_reserve(&olt_punts, sizeof(*record), 0);
	if (!record)
		return drop(OLT_DROP_RING_FULL);
	record->ifindex = skb->ifindex;
	record->line = *line;
	record->length = length;
	record->zero = 0;
	/* The verifier of older kernels wants the bound on the value that is passed. */
	if (bpf_skb_load_bytes(skb, 0, record->frame, ((length - 1) & (OLT_PUNT_FRAME - 1)) + 1)) {
		bpf_ringbuf_discard(record, 0);
		return drop(OLT_DROP_DHCP_LENGTH);
	}
	bpf_ringbuf_submit(record, 0);
	return finish(OLT_PUNT, TC_ACT_SHOT);
}

SEC("tc")
int olt_from_ont(struct __sk_buff *skb)
{
	__u32 ifindex = skb->ifindex;
	struct olt_port *port = bpf_map_lookup_elem(&olt_ports, &ifindex);
	struct olt_station station = {};
	__u32 *seen;

	if (!port)
		return drop(OLT_DROP_NOT_PROVISIONED);
	if (skb->vlan_present)
		return drop(OLT_DROP_CUSTOMER_TAG);
	if (bpf_skb_load_bytes(skb, ETH_ALEN, station.mac, ETH_ALEN))
		return drop(OLT_DROP_MALFORMED);
	if (station.mac[0] & 1)
		return drop(OLT_DROP_MALFORMED);
	station.line = port->line;
	seen = bpf_map_lookup_elem(&olt_stations, &station);
	if (!seen)
		bpf_map_update_elem(&olt_stations, &station, &ifindex, BPF_ANY);
	else if (*seen != ifindex)
		return drop(OLT_DROP_STATION_MOVED); /* nobody on a shared VLAN takes over a neighbour's address */
	if (is_dhcp(skb, 0))
		return punt(skb, &port->line);
	if (port->line.c_vlan && bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), port->line.c_vlan))
		return drop(OLT_DROP_TAGGING);
	if (port->line.s_vlan && bpf_skb_vlan_push(skb, bpf_htons(port->outer_tpid), port->line.s_vlan))
		return drop(OLT_DROP_TAGGING);
	finish(OLT_FORWARD_UP, 0);
	return bpf_redirect(olt_settings.trunk_ifindex, 0);
}

SEC("tc")
int olt_from_trunk(struct __sk_buff *skb)
{
	struct olt_line line = {};
	struct olt_station station = {};
	__u32 *ifindex;

	if (skb->vlan_present) {
		__u32 outer_tpid = skb->vlan_proto;

		line.s_vlan = skb->vlan_tci & VID_MASK;
		if (bpf_skb_vlan_pop(skb))
			return drop(OLT_DROP_TAGGING);
		if (skb->vlan_present) {
			/* A line with two tags has the S-TPID of this node outside and 0x8100 inside, and no third. */
			if (outer_tpid != bpf_htons(olt_settings.s_tag_tpid) ||
			    skb->vlan_proto != bpf_htons(ETH_P_8021Q))
				return drop(OLT_DROP_TPID);
			line.c_vlan = skb->vlan_tci & VID_MASK;
			if (bpf_skb_vlan_pop(skb))
				return drop(OLT_DROP_TAGGING);
			if (skb->vlan_present)
				return drop(OLT_DROP_TPID);
		} else if (outer_tpid != bpf_htons(ETH_P_8021Q)) {
			return drop(OLT_DROP_TPID);
		}
	}
	if (is_dhcp(skb, 1))
		return punt(skb, &line);
	ifindex = bpf_map_lookup_elem(&olt_lines, &line);
	if (!ifindex)
		return drop(OLT_DROP_UNKNOWN_LINE);
	if (*ifindex == OLT_SHARED_LINE) {
		if (bpf_skb_load_bytes(skb, 0, station.mac, ETH_ALEN))
			return drop(OLT_DROP_MALFORMED);
		if (station.mac[0] & 1)
			return drop(OLT_DROP_NOT_FLOODED);
		station.line = line;
		ifindex = bpf_map_lookup_elem(&olt_stations, &station);
		if (!ifindex)
			return drop(OLT_DROP_UNKNOWN_STATION);
	}
	finish(OLT_FORWARD_DOWN, 0);
	return bpf_redirect(*ifindex, 0);
}

SEC("xdp")
int olt_xdp_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
