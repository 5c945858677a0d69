/**
 * Opens everything the kernel dataplane consists of in one written order, and closes it in the opposite one, also when
 * opening fails half-way. Knows no subscriber.
 */
import { BngError } from '../model/bng-error.js';
import type { Clock } from '../model/clock.js';
import { BngLimit } from './abi.js';
import { GardenFirewall } from './garden-firewall.js';
import type { GardenPolicy } from './garden-policy.js';
import { type AccessPort, loadKernelObject } from './kernel-load.js';
import { LinkSetup, type PoolNetwork, readLink } from './link-setup.js';
import type { NativeBinding, NativeObject, NativePacketSocket, XdpMode } from './native-binding.js';
import type { DataplaneInspection } from './port.js';

export interface KernelDataplaneOptions {
  readonly binding: NativeBinding;
  readonly objectPath: string;
  readonly clock: Clock;
  readonly access: {
    /** At least one; no interface twice, nor on both sides. */
    readonly interfaces: readonly string[];
    /** Longest packet towards a subscriber; default 1500. */
    readonly mtu?: number;
    readonly xdpMode: XdpMode;
    /** TPIDs of the tags given to frames towards subscribers: 0x88a8 or 0x8100 outside, 0x8100 inside. */
    readonly sTpid: number;
    readonly cTpid: number;
  };
  readonly core: {
    readonly interfaces: readonly string[];
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
  readonly nftTable: string;
  /** Longest wait for one command or transaction. */
  readonly deadlineMs?: number;
  /** Told what goes wrong beside the calls. */
  readonly onWarning?: (warning: string) => void;
}

/** An access port on which frames can be sent. */
export interface OpenAccessPort extends AccessPort {
  readonly name: string;
  readonly socket: NativePacketSocket;
}

export interface KernelParts {
  readonly binding: NativeBinding;
  readonly object: NativeObject;
  readonly firewall: GardenFirewall;
  /** By ifindex. */
  readonly access: ReadonlyMap<number, OpenAccessPort>;
  readonly ports: ReturnType<DataplaneInspection['ports']>;
  readonly warnings: readonly string[];
  readonly warn: (warning: string) => void;
  readonly close: () => Promise<void>;
}

const SUBSCRIBER_MTU = 1500;
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
  const accessPorts = await accessPortsOf(options, deadlineMs);
  const corePorts = options.core.interfaces.map((name) => ({ name, ifindex: interfaceIndex(binding, name) }));

  const object = loadKernelObject({
    binding,
    objectPath: options.objectPath,
    accessPorts,
    coreIfindexes: corePorts.map((port) => port.ifindex),
    subscriberMtu: options.access.mtu ?? SUBSCRIBER_MTU,
    policy: options.policy,
    localForwarding: options.localForwarding,
    forwardInStack: options.forwardInStack ?? false,
    puntLineRatePerSecond: options.puntLineRatePerSecond ?? PUNT_LINE_RATE_PER_SECOND,
    puntTotalRatePerSecond: options.puntTotalRatePerSecond ?? PUNT_TOTAL_RATE_PER_SECOND,
    maxSubscribers: options.maxSubscribers ?? BngLimit.maxSubscribers,
  });
  undo.push(() => object.close());
  // The firewall stands before anything can reach the stack.
  const firewall = await openFirewall(options, opening, deadlineMs);
  await prepareLinks(options, opening, deadlineMs);
  const ports = attachPrograms(object, options, { undo, accessPorts, corePorts });
  const access = new Map<number, OpenAccessPort>();
  for (const port of accessPorts) {
    const { name, ifindex } = port;
    const socket = wrap('packet socket', name, () => binding.openPacketSocket({ ifindex }));
    undo.push(() => socket.close());
    access.set(ifindex, { ...port, socket });
  }
  const { warnings, close } = opening;
  return { binding, object, firewall, access, ports, warnings, warn, close };
}

interface NamedPort {
  readonly name: string;
  readonly ifindex: number;
}

async function accessPortsOf(
  { binding, access }: KernelDataplaneOptions,
  deadlineMs: number,
): Promise<readonly (NamedPort & AccessPort)[]> {
  const limit = BngLimit.maxAccessPorts;
  if (access.interfaces.length === 0 || access.interfaces.length > limit) {
    const found = access.interfaces.length;
    throw new BngError('BNG_ERR_DATAPLANE', `expected 1 to ${limit} access interfaces`, { found });
  }
  return Promise.all(
    access.interfaces.map(async (name) => {
      const { mac } = await readLink(name, deadlineMs);
      return { name, ifindex: interfaceIndex(binding, name), mac };
    }),
  );
}

async function openFirewall(
  options: KernelDataplaneOptions,
  { undo, warn }: Opening,
  deadlineMs: number,
): Promise<GardenFirewall> {
  const firewall = new GardenFirewall({
    clock: options.clock,
    table: options.nftTable,
    accessInterfaces: options.access.interfaces,
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
    accessInterfaces: options.access.interfaces,
    coreInterfaces: options.core.interfaces,
    subscriberMtu: options.access.mtu ?? SUBSCRIBER_MTU,
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
  readonly accessPorts: readonly NamedPort[];
  readonly corePorts: readonly NamedPort[];
}

/** Access comes last: an answer of ours needs its tags as soon as a subscriber can ask. */
function attachPrograms(
  object: NativeObject,
  { access, core }: KernelDataplaneOptions,
  { undo, accessPorts, corePorts }: Attaching,
): KernelParts['ports'] {
  const coreMode = core.xdpMode ?? access.xdpMode;
  for (const port of corePorts) attachXdp(object, undo, { program: 'bng_core', port, mode: coreMode });
  for (const { name, ifindex } of accessPorts) {
    const egress = wrap('tc egress', name, () => object.program('bng_egress').attachTc(ifindex, 'egress'));
    undo.push(() => egress.close());
  }
  for (const port of accessPorts)
    attachXdp(object, undo, { program: 'bng_access', port, mode: access.xdpMode });
  return [
    ...accessPorts.map(({ name }) => ({ interface: name, role: 'access', xdpMode: access.xdpMode }) as const),
    ...corePorts.map(({ name }) => ({ interface: name, role: 'core', xdpMode: coreMode }) as const),
  ];
}

interface XdpPlace {
  readonly program: string;
  readonly port: NamedPort;
  readonly mode: XdpMode;
}

function attachXdp(object: NativeObject, undo: Undo[], place: XdpPlace): void {
  try {
    const link = object.program(place.program).attachXdp(place.port.ifindex, place.mode);
    undo.push(() => link.close());
  } catch (error) {
    const remedy =
      place.mode === 'native'
        ? 'remove another XDP program from it, update its driver, or set xdpMode: generic (slower)'
        : 'remove another XDP program from it';
    throw new BngError(
      'BNG_ERR_DATAPLANE',
      `${place.port.name} does not take XDP in ${place.mode} mode; ${remedy}: ${messageOf(error)}`,
      { interface: place.port.name, program: place.program, xdpMode: place.mode },
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
