/** Opens the garden's DNS, where it is configured: the part of the composition root that concerns it. */
import type { Logger } from 'pino';
import type { Config } from './config/config.js';
import type { GardenDnsOutcome } from './garden-dns/garden-dns.js';
import { GardenDns } from './garden-dns/garden-dns.js';
import { listenForDns } from './garden-dns/listen.js';
import { logEvent } from './log-events.js';
import { systemClock } from './model/system-clock.js';
import type { Ipv4 } from './model/ipv4.js';
import { formatIpv4 } from './model/ipv4.js';
import type { AddressPools } from './pool/port.js';
import type { SettingsInForce } from './settings-in-force.js';

export interface GardenDnsParts {
  readonly config: Config;
  readonly settings: Pick<SettingsInForce, 'useLearned'>;
  /** As they are when a name is asked for: a reload may have added some. */
  readonly pools: Pick<AddressPools, 'termsAt'>;
  readonly logger: Logger;
  readonly onOutcome: (outcome: GardenDnsOutcome) => void;
  readonly onBug: (error: unknown) => void;
}

const DNS_PORT = 53;
const UPSTREAM_TIMEOUT_MS = 2_000;
/** Leaves most of the garden's map to what configuration allows. */
const MOST_DESTINATIONS = 1024;
/** Subscribers decide how often it happens, the log does not. */
const FAILURE_LOG_MS = 10_000;

/** Null where it is not configured. It answers once `listen` has been called. */
export function openGardenDns(parts: GardenDnsParts): GardenDns | null {
  const { config, settings, pools, logger, onOutcome } = parts;
  const { dns, portal } = config.walledGarden;
  if (dns === null) return null;
  let loggedMs = -Infinity;
  return new GardenDns({
    clock: systemClock,
    names: dns.names,
    upstream: dns.upstream,
    upstreamTimeoutMs: UPSTREAM_TIMEOUT_MS,
    portal: portal.address,
    mayReach: (address) => isHost(address) && pools.termsAt(address) === null,
    maxDestinations: MOST_DESTINATIONS,
    apply: (destinations) =>
      settings.useLearned(
        destinations.map(({ address, port }) => ({ prefix: { network: address, length: 32 }, port })),
      ),
    onOutcome,
    onFailure: (reason) => {
      if (systemClock.monotonicMs() - loggedMs < FAILURE_LOG_MS) return;
      loggedMs = systemClock.monotonicMs();
      logEvent(logger, 'garden-dns-failed', { reason });
    },
  });
}

/** Rejects when the portal's address cannot be bound. */
export async function listenGardenDns(
  dns: GardenDns,
  { config, onBug }: Pick<GardenDnsParts, 'config' | 'onBug'>,
): Promise<() => Promise<void>> {
  const host = formatIpv4(config.walledGarden.portal.address);
  const listener = await listenForDns({ dns, host, port: DNS_PORT, onBug });
  return async () => {
    dns.close();
    await listener.close();
  };
}

/** Neither this machine nor a group: whoever answers for an allowed name must not open those to the garden. */
function isHost(address: Ipv4): boolean {
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}
