/**
 * Opens everything the kernel dataplane consists of in one written order, and closes it in the opposite one, also when
 * opening fails half-way. Knows no subscriber.
 */
import { BngError } from '../model/bng-error.js';
import type { Clock } from '../model/clock.js';
import type { Mac } from '../model/mac.js';
import { BngLimit } from './abi.js';
import { GardenFirewall } from './garden-firewall.js';
import type { GardenPolicy } from './garden-policy.js';
import { loadKernelObject } from './kernel-load.js';
import { type FastDhcp, LeaseMaps, newOption82Key } from './lease-maps.js';
import { LinkSetup, type PoolNetwork, readLink } from './link-setup.js';
import type { NativeBinding, NativeObject, NativePacketSocket, XdpMode } from './native-binding.js';
import type { DataplaneInspection } from './port.js';

export interface KernelDataplaneOptions {
  readonly binding: NativeBinding;
  readonly objectPath: string;
  readonly clock: Clock;
  readonly access: {
    readonly interface: string;
    readonly xdpMode: XdpMode;
    /** TPIDs of the tags given to frames towards subscribers: 0x88a8 or 0x8100 outside, 0x8100 inside. */
    readonly sTpid: number;
    readonly cTpid: number;
  };
  readonly core: {
    readonly interface: string;
    /** Default: as on the access side. */
    readonly xdpMode?: XdpMode;
  };
  readonly policy: GardenPolicy;
  readonly pools: readonly PoolNetwork[];
  /** How long a subscriber that was idle may exceed its rate. */
  readonly burstMs: number;
  /** Whether subscribers may reach each other through the gateway. */
  readonly localForwarding: boolean;
  readonly forwardInStack?: boolean;
  /** Frames a second that one installed station, and all lines together, may hand up. */
  readonly puntLineRatePerSecond?: number;
  readonly puntTotalRatePerSecond?: number;
  readonly maxSubscribers?: number;
  /** What XDP needs to answer DHCP by itself. Default: the control plane answers everything. */
  readonly fastDhcp?: FastDhcp | null;
  readonly nftTable: string;
  /** Longest wait for one command or transaction. */
  readonly deadlineMs?: number;
  /** Told what goes wrong beside the calls. */
  readonly onWarning?: (warning: string) => void;
}

export interface KernelParts {
  readonly binding: NativeBinding;
  readonly object: NativeObject;
  /** Null where XDP answers no DHCP. */
  readonly leases: LeaseMaps | null;
  readonly firewall: GardenFirewall;
  readonly socket: NativePacketSocket;
  readonly access: { readonly ifindex: number; readonly mac: Mac };
  readonly ports: ReturnType<DataplaneInspection['ports']>;
  readonly warnings: readonly string[];
  readonly warn: (warning: string) => void;
  readonly close: () => Promise<void>;
}

const PUNT_LINE_RATE_PER_SECOND = 20;
const PUNT_TOTAL_RATE_PER_SECOND = 20_000;
const DEADLINE_MS = 5000;

type Undo = () => void | Promise<void>;

export async function openKernelParts(options: KernelDataplaneOptions): Promise<KernelParts> {
  const undo: Undo[] = [];
  const warnings: string[] = [];
  const warn = (warning: string): void => {
    warnings.push(warning);
    options.onWarning?.(warning);
  };
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) {
      // One part that cannot be closed must not keep the others open.
      try {
        await step();
      } catch (error) {
        warn(`not closed cleanly: ${messageOf(error)}`);
      }
    }
  };
  try {
    return await open(options, { undo, warnings, warn, close });
  } catch (error) {
    await close();
    throw error;
  }
}

interface Opening {
  readonly undo: Undo[];
  readonly warnings: string[];
  readonly warn: (warning: string) => void;
  readonly close: () => Promise<void>;
}

async function open(options: KernelDataplaneOptions, opening: Opening): Promise<KernelParts> {
  const { binding } = options;
  const { undo, warn } = opening;
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const { mac } = await readLink(options.access.interface, deadlineMs);
  const access = { ifindex: interfaceIndex(binding, options.access.interface), mac };
  const coreIfindex = interfaceIndex(binding, options.core.interface);

  const { fastDhcp = null, clock } = options;
  const key = newOption82Key();
  const object = loadKernelObject({
    binding,
    objectPath: options.objectPath,
    accessIfindex: access.ifindex,
    coreIfindex,
    accessMac: mac,
    policy: options.policy,
    localForwarding: options.localForwarding,
    forwardInStack: options.forwardInStack ?? false,
    puntLineRatePerSecond: options.puntLineRatePerSecond ?? PUNT_LINE_RATE_PER_SECOND,
    puntTotalRatePerSecond: options.puntTotalRatePerSecond ?? PUNT_TOTAL_RATE_PER_SECOND,
    maxSubscribers: options.maxSubscribers ?? BngLimit.maxSubscribers,
    fastDhcp,
    option82Key: key,
  });
  undo.push(() => object.close());
  const leases = fastDhcp === null ? null : new LeaseMaps(object, { key, clock });
  leases?.fillReplies(object, fastDhcp?.replies ?? []);
  // The firewall stands before anything can reach the stack.
  const firewall = await openFirewall(options, opening, deadlineMs);
  await prepareLinks(options, opening, deadlineMs);
  const ports = attachPrograms(object, options, { undo, accessIfindex: access.ifindex, coreIfindex });
  const socket = wrap('packet socket', options.access.interface, () =>
    binding.openPacketSocket({ ifindex: access.ifindex }),
  );
  undo.push(() => socket.close());
  const { warnings, close } = opening;
  return { binding, object, leases, firewall, socket, access, ports, warnings, warn, close };
}

async function openFirewall(
  options: KernelDataplaneOptions,
  { undo, warn }: Opening,
  deadlineMs: number,
): Promise<GardenFirewall> {
  const firewall = new GardenFirewall({
    clock: options.clock,
    table: options.nftTable,
    accessInterface: options.access.interface,
    policy: options.policy,
    localForwarding: options.localForwarding,
    deadlineMs,
    onWarning: warn,
  });
  undo.push(async () => {
    const outcome = await firewall.close();
    if (!outcome.ok) warn(`nftables table not removed: ${outcome.reason}`);
  });
  const built = await firewall.build();
  if (!built.ok) throw new BngError('BNG_ERR_NFT', built.reason, { table: options.nftTable });
  return firewall;
}

async function prepareLinks(
  options: KernelDataplaneOptions,
  { undo, warn }: Opening,
  deadlineMs: number,
): Promise<void> {
  const links = new LinkSetup({
    accessInterface: options.access.interface,
    coreInterface: options.core.interface,
    pools: options.pools,
    localAddresses: options.policy.localAddresses,
    deadlineMs,
  });
  undo.push(async () => {
    for (const failure of await links.revert()) warn(`interface setting not taken back: ${failure}`);
  });
  await links.apply();
  for (const warning of links.warnings) warn(warning);
}

interface Attaching {
  readonly undo: Undo[];
  readonly accessIfindex: number;
  readonly coreIfindex: number;
}

/** Access comes last: an answer of ours needs its tags as soon as a subscriber can ask. */
function attachPrograms(
  object: NativeObject,
  { access, core }: KernelDataplaneOptions,
  { undo, accessIfindex, coreIfindex }: Attaching,
): KernelParts['ports'] {
  const coreMode = core.xdpMode ?? access.xdpMode;
  attachXdp(object, undo, {
    program: 'bng_core',
    port: core.interface,
    ifindex: coreIfindex,
    mode: coreMode,
  });
  const egress = wrap('tc egress', access.interface, () =>
    object.program('bng_egress').attachTc(accessIfindex, 'egress'),
  );
  undo.push(() => egress.close());
  attachXdp(object, undo, {
    program: 'bng_access',
    port: access.interface,
    ifindex: accessIfindex,
    mode: access.xdpMode,
  });
  return [
    { interface: access.interface, role: 'access', xdpMode: access.xdpMode },
    { interface: core.interface, role: 'core', xdpMode: coreMode },
  ];
}

interface XdpPlace {
  readonly program: string;
  readonly port: string;
  readonly ifindex: number;
  readonly mode: XdpMode;
}

function attachXdp(object: NativeObject, undo: Undo[], place: XdpPlace): void {
  try {
    const link = object.program(place.program).attachXdp(place.ifindex, place.mode);
    undo.push(() => link.close());
  } catch (error) {
    const remedy =
      place.mode === 'native'
        ? 'remove another XDP program from it, update its driver, or set xdpMode: generic (slower)'
        : 'remove another XDP program from it';
    throw new BngError(
      'BNG_ERR_DATAPLANE',
      `${place.port} does not take XDP in ${place.mode} mode; ${remedy}: ${messageOf(error)}`,
      { interface: place.port, program: place.program, xdpMode: place.mode },
      error,
    );
  }
}

function interfaceIndex(binding: NativeBinding, name: string): number {
  return wrap('interface', name, () => binding.interfaceIndex(name));
}

function wrap<T>(what: string, name: string, verb: () => T): T {
  try {
    return verb();
  } catch (error) {
    throw new BngError('BNG_ERR_DATAPLANE', `${what}: ${messageOf(error)}`, { interface: name }, error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
