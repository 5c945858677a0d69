/** Traffic of one subscriber since its install. Octets are those of the IP packets, tags and Ethernet left out. */
export interface TrafficCounters {
  readonly upstreamPackets: bigint;
  readonly upstreamBytes: bigint;
  readonly downstreamPackets: bigint;
  readonly downstreamBytes: bigint;
}

export const NO_TRAFFIC: TrafficCounters = {
  upstreamPackets: 0n,
  upstreamBytes: 0n,
  downstreamPackets: 0n,
  downstreamBytes: 0n,
};

export function addTraffic(a: TrafficCounters, b: TrafficCounters): TrafficCounters {
  return {
    upstreamPackets: a.upstreamPackets + b.upstreamPackets,
    upstreamBytes: a.upstreamBytes + b.upstreamBytes,
    downstreamPackets: a.downstreamPackets + b.downstreamPackets,
    downstreamBytes: a.downstreamBytes + b.downstreamBytes,
  };
}
