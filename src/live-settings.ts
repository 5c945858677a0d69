/** What the configuration says to a dataplane that runs: the part of the composition root that a start and a reload share. */
import type { Config } from './config/config.js';
import { BngLimit } from './dataplane/abi.js';
import { compileGardenPolicy } from './dataplane/garden-policy.js';
import type { GardenRule } from './dataplane/garden-policy.js';
import type { PoolReply } from './dataplane/lease-maps.js';
import type { LiveSettings } from './dataplane/reconfigure-kernel.js';
import { replyTemplate } from './dhcpv4/reply.js';
import { IPV4_ANY } from './model/ipv4.js';
import { leaseTerms } from './model/lease.js';

/** Throws `BNG_ERR_CONFIG` when the garden, with what its names have led to, needs more than the maps hold. */
export function liveSettings(
  { walledGarden, pools, qos, access }: Config,
  learned: readonly GardenRule[] = [],
): LiveSettings {
  const garden = pools.find((pool) => pool.name === walledGarden.poolName);
  const policy = compileGardenPolicy(
    {
      allow: [...walledGarden.allow, ...learned],
      resolvers: walledGarden.dns === null ? (garden?.dns ?? []) : [],
      answersDns: walledGarden.dns !== null,
      portal: walledGarden.portal,
      gateways: pools.map((pool) => pool.gateway),
    },
    {
      maxPrefixes: BngLimit.maxGardenPrefixes,
      maxPortsOfPrefix: BngLimit.gardenPorts,
      maxLocalAddresses: BngLimit.maxLocalAddresses,
    },
  );
  return { policy, pools, burstMs: qos.burstMs, replies: access.fastDhcp ? pools.map(poolReply) : [] };
}

/** What XDP says to the clients of a pool, by the code that says it here. */
function poolReply(pool: Config['pools'][number]): PoolReply {
  const { name, gateway, leaseSeconds } = pool;
  const terms = leaseTerms(pool, { address: IPV4_ANY, leaseSeconds });
  const message = replyTemplate({ poolName: name, terms, serverId: gateway });
  return { poolName: name, serverId: gateway, leaseSeconds, message };
}
