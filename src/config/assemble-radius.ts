/** The radius section as the rest of the project sees it. Checks nothing. */
import type { Config, FilterConfig } from './config.js';
import type { Draft } from './draft.js';

type Complete = NonNullable<NonNullable<Draft['radius']>['complete']>;

const COA_KINDS = { coa: 'CoA', disconnect: 'Disconnect' } as const;

export function assembleRadius(draft: Draft): Config['radius'] {
  const radius = draft.radius?.complete;
  if (radius === null || radius === undefined) return null;
  const { timers } = radius;
  return {
    servers: radius.servers,
    nasIdentifier: radius.nasIdentifier,
    nasIpAddress: radius.nasIpAddress ?? null,
    timers: {
      initialRetransmitMs: timers.initialRetransmit,
      maxRetransmitMs: timers.maxRetransmit,
      maxTransmissions: timers.tries,
      deadlineMs: timers.deadline,
      failoverAfter: timers.failoverAfter,
      deadMs: timers.deadTime,
    },
    limits: { maxSockets: radius.maxSockets, maxQueued: radius.maxQueued },
    interimIntervalSeconds: radius.interimInterval,
    filters: Object.fromEntries(
      Object.entries(radius.filters).map(([name, filter]) => [name, assembleFilter(name, filter)]),
    ),
    coa: assembleCoa(radius.coa),
  };
}

function assembleFilter(name: string, filter: Complete['filters'][string]): FilterConfig {
  return {
    poolName: filter.pool ?? null,
    serviceId: filter.serviceId ?? name,
    downloadBitsPerSecond: filter.downloadBps,
    uploadBitsPerSecond: filter.uploadBps,
  };
}

function assembleCoa(coa: Complete['coa']): NonNullable<Config['radius']>['coa'] {
  if (coa === undefined) return null;
  const { replayWindow, clients, ...rest } = coa;
  return {
    ...rest,
    clients: clients.map(({ host, secretFile, allow }) => ({
      address: host,
      secretFile,
      allow: allow.map((kind) => COA_KINDS[kind]),
    })),
    replayWindowSeconds: replayWindow,
  };
}
