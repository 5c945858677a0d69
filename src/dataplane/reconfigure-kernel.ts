/**
 * Gives a dataplane that runs other settings, all or none: the walled garden, pools that come and go. In an order in which what
 * was and is allowed passes all the time. Knows no subscriber.
 */
import { formatIpv4, formatPrefix, type Ipv4 } from '../model/ipv4.js';
import { attempt } from './attempt.js';
import type { GardenPolicy } from './garden-policy.js';
import type { KernelParts } from './kernel-parts.js';
import type { PoolReply } from './lease-maps.js';
import { LinkSetup, type PoolNetwork, undoOfLocalAddress, undoOfPoolRoute } from './link-setup.js';
import type { DataplaneOutcome } from './port.js';
import { syncPolicyMaps } from './static-maps.js';
import { errorText } from '../model/bng-error.js';

/** What may be another while the dataplane runs. */
export interface LiveSettings {
  readonly policy: GardenPolicy;
  /** All of them; those that are there already stay as they are, and nobody has an address of one that goes. */
  readonly pools: readonly PoolNetwork[];
  readonly burstMs: number;
  /** What XDP says to the clients of each pool. */
  readonly replies: readonly PoolReply[];
}

export interface LinkSettings {
  readonly accessInterfaces: readonly string[];
  readonly subscriberMtu: number;
}

type Undo = () => Promise<DataplaneOutcome>;

/** Refused with the first reason; what was done until then is taken back, and what of that fails is a warning. */
export async function reconfigureKernel(
  parts: KernelParts,
  links: LinkSettings,
  { before, after }: { readonly before: LiveSettings; readonly after: LiveSettings },
): Promise<DataplaneOutcome> {
  const undo: Undo[] = [];
  const steps: readonly (() => Promise<DataplaneOutcome>)[] = [
    async () => {
      const outcome = await parts.firewall.usePolicy(after.policy);
      if (outcome.ok) undo.push(() => parts.firewall.usePolicy(before.policy));
      return outcome;
    },
    async () => {
      const mark = parts.journal.mark();
      undo.push(async () => {
        const failures = await parts.journal.revertSince(mark, parts.deadlineMs);
        return failures.length === 0 ? { ok: true } : { ok: false, reason: failures.join('; ') };
      });
      return addNetworks(parts, links, { before, after });
    },
    async () => {
      undo.push(async () => attempt(() => syncPolicyMaps(parts.object, before.policy)));
      return attempt(() => syncPolicyMaps(parts.object, after.policy));
    },
    async () => attempt(() => parts.leases.useReplies(parts.object, after.replies)),
  ];
  for (const step of steps) {
    const outcome = await step();
    if (outcome.ok) continue;
    for (const back of undo.reverse()) {
      const taken = await back();
      if (!taken.ok) parts.warn(`a refused change of settings is not taken back: ${taken.reason}`);
    }
    return outcome;
  }
  await dropNetworks(parts, links, { before, after });
  return { ok: true };
}

/** The last step, when nothing leads there any more: what of it fails is left over, and harms nobody. */
async function dropNetworks(
  { journal, deadlineMs, warn }: KernelParts,
  { accessInterfaces }: LinkSettings,
  { before, after }: { readonly before: LiveSettings; readonly after: LiveSettings },
): Promise<void> {
  const networks = new Set(after.pools.map(({ network }) => formatPrefix(network)));
  const steps = [
    ...before.pools
      .map(({ network }) => formatPrefix(network))
      .filter((network) => !networks.has(network))
      .flatMap((network) => accessInterfaces.map((access, at) => undoOfPoolRoute(network, access, at))),
    ...before.policy.localAddresses
      .filter((address) => !after.policy.localAddresses.includes(address))
      .map((address) => undoOfLocalAddress(formatIpv4(address))),
  ];
  for (const failure of await journal.revertSteps(steps, deadlineMs)) {
    warn(`of a pool that is gone something is left: ${failure}`);
  }
}

function addNetworks(
  parts: KernelParts,
  links: LinkSettings,
  { before, after }: { readonly before: LiveSettings; readonly after: LiveSettings },
): Promise<DataplaneOutcome> {
  const isNew = (address: Ipv4): boolean => !before.policy.localAddresses.includes(address);
  return ensureNetworks(parts, links, {
    pools: after.pools.filter(({ gateway }) => isNew(gateway)),
    localAddresses: after.policy.localAddresses.filter(isNew),
  });
}

export interface Networks {
  readonly pools: readonly PoolNetwork[];
  readonly localAddresses: readonly Ipv4[];
}

export type NetworksOutcome =
  | { readonly ok: true; readonly changes: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/** Sets the routes and addresses of these pools where they are not as they should be; gives the commands that it took. */
export async function ensureNetworks(
  parts: Pick<KernelParts, 'journal' | 'deadlineMs'>,
  links: LinkSettings,
  networks: Networks,
): Promise<NetworksOutcome> {
  const changes: string[] = [];
  try {
    await networkSetup(parts, links, networks, (change) => changes.push(change)).applyPools();
    return { ok: true, changes };
  } catch (error) {
    return { ok: false, reason: errorText(error) };
  }
}

/** Whether all of it is there; rejects with `BNG_ERR_DATAPLANE` when the machine does not say. */
export function networksAreSet(
  parts: Pick<KernelParts, 'journal' | 'deadlineMs'>,
  links: LinkSettings,
  networks: Networks,
): Promise<boolean> {
  return networkSetup(parts, links, networks).poolsAreSet();
}

function networkSetup(
  { journal, deadlineMs }: Pick<KernelParts, 'journal' | 'deadlineMs'>,
  links: LinkSettings,
  networks: Networks,
  onChange: (change: string) => void = () => undefined,
): LinkSetup {
  const setting = { coreInterfaces: [], tune: false, deadlineMs, journal, onChange };
  return new LinkSetup({ ...links, ...networks, ...setting });
}
