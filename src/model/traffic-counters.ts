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

/** Of each counter the larger. */
export function mostTraffic(a: TrafficCounters, b: TrafficCounters): TrafficCounters {
  return {
    upstreamPackets: larger(a.upstreamPackets, b.upstreamPackets),
    upstreamBytes: larger(a.upstreamBytes, b.upstreamBytes),
    downstreamPackets: larger(a.downstreamPackets, b.downstreamPackets),
    downstreamBytes: larger(a.downstreamBytes, b.downstreamBytes),
  };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
