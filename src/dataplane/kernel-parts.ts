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
  /** Frames a second that one line, and all lines together, may hand up. */
  readonly puntLineRatePerSecond?: number;
  readonly puntTotalRatePerSecond?: number;
  readonly maxSubscribers?: number;
  readonly nftTable: string;
  /** Longest wait for one command or transaction. */
  readonly deadlineMs?: number;
  /** Told what goes wrong beside the calls. */
  readonly onWarning?: (warning: string) => void;
}

export interface KernelParts {
  readonly binding: NativeBinding;
  readonly object: NativeObject;
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
    for (const step of undo.splice(0).reverse()) await step();
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
  const { binding, policy } = options;
  const { undo, warn } = opening;
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const { mac } = await readLink(options.access.interface, deadlineMs);
  const accessIfindex = interfaceIndex(binding, options.access.interface);
  const coreIfindex = interfaceIndex(binding, options.core.interface);

  const object = loadKernelObject({
    binding,
    objectPath: options.objectPath,
    accessIfindex,
    coreIfindex,
    accessMac: mac,
    policy,
    localForwarding: options.localForwarding,
    forwardInStack: options.forwardInStack ?? false,
    puntLineRatePerSecond: options.puntLineRatePerSecond ?? PUNT_LINE_RATE_PER_SECOND,
    puntTotalRatePerSecond: options.puntTotalRatePerSecond ?? PUNT_TOTAL_RATE_PER_SECOND,
    maxSubscribers: options.maxSubscribers ?? BngLimit.maxSubscribers,
  });
  undo.push(() => object.close());

  // The firewall stands before anything can reach the stack.
  const firewall = new GardenFirewall({
    clock: options.clock,
    table: options.nftTable,
    accessInterface: options.access.interface,
    policy,
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

  const links = new LinkSetup({
    accessInterface: options.access.interface,
    coreInterface: options.core.interface,
    pools: options.pools,
    localAddresses: policy.localAddresses,
    deadlineMs,
  });
  undo.push(async () => {
    for (const failure of await links.revert()) warn(`interface setting not taken back: ${failure}`);
  });
  await links.apply();
  for (const warning of links.warnings) warn(warning);

  const coreMode = options.core.xdpMode ?? options.access.xdpMode;
  attachXdp(object, undo, {
    program: 'bng_core',
    port: options.core.interface,
    ifindex: coreIfindex,
    mode: coreMode,
  });
  // Egress before access: an answer of ours needs its tags as soon as a subscriber can ask.
  const egress = wrap('tc egress', options.access.interface, () =>
    object.program('bng_egress').attachTc(accessIfindex, 'egress'),
  );
  undo.push(() => egress.close());
  const { xdpMode } = options.access;
  attachXdp(object, undo, {
    program: 'bng_access',
    port: options.access.interface,
    ifindex: accessIfindex,
    mode: xdpMode,
  });
  const socket = wrap('packet socket', options.access.interface, () =>
    binding.openPacketSocket({ ifindex: accessIfindex }),
  );
  undo.push(() => socket.close());

  return {
    binding,
    object,
    firewall,
    socket,
    access: { ifindex: accessIfindex, mac },
    ports: [
      { interface: options.access.interface, role: 'access', xdpMode },
      { interface: options.core.interface, role: 'core', xdpMode: coreMode },
    ],
    warnings: opening.warnings,
    warn,
    close: opening.close,
  };
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
