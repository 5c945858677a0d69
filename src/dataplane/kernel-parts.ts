/**
 * Opens everything the kernel dataplane consists of in one written order, and closes it in the opposite one, also when
 * opening fails half-way. Knows no subscriber.
 */
import { release } from 'node:os';
import { BngError, errorText } from '../model/bng-error.js';
import type { Clock } from '../model/clock.js';
import type { Ipv4, Ipv4Prefix } from '../model/ipv4.js';
import { BngLimit } from './abi.js';
import type { Adoption } from './adopt.js';
import { Attachments, type XdpPlace } from './attachments.js';
import { carryCounters } from './carry.js';
import { noteClsact } from './clsact.js';
import { GardenFirewall } from './garden-firewall.js';
import type { GardenPolicy } from './garden-policy.js';
import { type AccessPort, loadKernelObject } from './kernel-load.js';
import { type FastDhcp, LeaseMaps, newOption82Key } from './lease-maps.js';
import { inFlightDone } from './in-flight.js';
import { jumboProblem } from './jumbo.js';
import { LinkSetup, type PoolNetwork, readLink } from './link-setup.js';
import type { NativeBinding, NativeObject, NativePacketSocket, XdpMode } from './native-binding.js';
import { nftTeardown } from './nft-ruleset.js';
import { readOldRing } from './old-ring.js';
import { preparePinRoot, undoFolder } from './pins.js';
import { walledAddresses } from './subscriber-maps.js';
import { tearDown } from './tear-down.js';
import { UndoJournal } from './undo-journal.js';
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
    /** Also set MTU and queues of the ports. Default: no. */
    readonly tune?: boolean;
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
  /** What XDP needs to answer DHCP by itself. Default: the control plane answers everything. */
  readonly fastDhcp?: FastDhcp | null;
  /** Addresses that are used without DHCP: stations that do so are handed up. */
  readonly staticNetworks?: readonly Ipv4Prefix[];
  readonly nftTable: string;
  /**
   * Folder in bpffs for what outlives this process; the next one with the same goes on with it. Without it nothing outlives
   * `close()`.
   */
  readonly pinPath?: string;
  /** Longest wait for one command or transaction. */
  readonly deadlineMs?: number;
  /** Told what goes wrong beside the calls. */
  readonly onWarning?: (warning: string) => void;
  /** Told of each setting of this machine that was changed, as a command, and how to take it back. */
  readonly onChange?: (change: string, undo: string) => void;
}

/** An access port on which frames can be sent. */
export interface OpenAccessPort extends AccessPort {
  readonly name: string;
  readonly socket: NativePacketSocket;
}

export interface KernelParts {
  readonly binding: NativeBinding;
  readonly object: NativeObject;
  readonly deadlineMs: number;
  /** Knows how to take back each change of this machine. */
  readonly journal: UndoJournal;
  /** What XDP answers by itself; where it answers nothing, what it was left with by a process before. */
  readonly leases: LeaseMaps;
  readonly firewall: GardenFirewall;
  /** By ifindex. */
  readonly access: ReadonlyMap<number, OpenAccessPort>;
  readonly ports: ReturnType<DataplaneInspection['ports']>;
  readonly warnings: readonly string[];
  readonly warn: (warning: string) => void;
  /** Who was in the garden of an earlier process's firewall. */
  readonly adoptedMembers: ReadonlySet<Ipv4>;
  /** Batches of punts that an earlier build's programs handed up and nobody has read. */
  readonly oldPunts: readonly Uint8Array[];
  readonly close: () => Promise<void>;
}

/** The default of `access.mtu`. */
export const SUBSCRIBER_MTU = 1500;
const PUNT_LINE_RATE_PER_SECOND = 20;
const PUNT_TOTAL_RATE_PER_SECOND = 100_000;
const DEADLINE_MS = 5000;

type Undo = () => void | Promise<void>;

export async function openKernelParts(options: KernelDataplaneOptions): Promise<KernelParts> {
  const undo: Undo[] = [];
  const onFailure: Undo[] = [];
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
        warn(`not closed cleanly: ${errorText(error)}`);
      }
    }
  };
  try {
    return await open(options, { undo, onFailure, warnings, warn, close });
  } catch (error) {
    undo.unshift(...onFailure);
    await close();
    throw error;
  }
}

interface Opening {
  readonly undo: Undo[];
  /** Undone beside, and after, the others when opening fails. */
  readonly onFailure: Undo[];
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

  const { fastDhcp = null, clock } = options;
  const key = newOption82Key();
  const pins = options.pinPath ?? null;
  if (pins !== null) await preparePinRoot(pins, deadlineMs);
  const journal = new UndoJournal(pins === null ? null : undoFolder(pins));
  if (pins === null) undo.push(() => revert(journal, opening, deadlineMs));
  // A first start that fails leaves nothing; a later one leaves what goes on without it.
  else if (journal.isEmpty)
    opening.onFailure.push(
      async () => void (await tearDown({ binding, pinPath: pins, deadlineMs, onWarning: warn })),
    );

  const { object, adoption } = loadKernelObject({
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
    fastDhcp,
    staticNetworks: options.staticNetworks ?? [],
    option82Key: key,
    pins: pins === null ? null : { root: pins, warn },
  });
  undo.push(() => object.close());
  const leases = new LeaseMaps(object, { key, clock });
  // The firewall stands before anything can reach the stack.
  const { firewall, adoptedMembers } = await openFirewall(options, opening, {
    deadlineMs,
    journal,
    walled: adoption?.found === true ? walledAddresses(object) : [],
  });
  await prepareLinks(options, opening, { deadlineMs, journal });
  const attachments = new Attachments({
    binding,
    object,
    pins: adoption === null ? null : { folder: adoption.folder, others: adoption.others },
    warn,
  });
  for (const { name } of accessPorts) await noteClsact(name, journal, deadlineMs);
  const ports = attachPrograms(attachments, options, { accessPorts, corePorts });
  attachments.retire();
  for (const failure of await journal.settle(deadlineMs))
    warn(`interface setting not taken back: ${failure}`);
  const oldPunts = adoption === null ? [] : await takeOver(adoption, object, options);
  const access = new Map<number, OpenAccessPort>();
  for (const port of accessPorts) {
    const { name, ifindex } = port;
    const socket = wrap('packet socket', name, () => binding.openPacketSocket({ ifindex }));
    undo.push(() => socket.close());
    access.set(ifindex, { ...port, socket });
  }
  const { warnings, close } = opening;
  return {
    binding,
    object,
    deadlineMs,
    journal,
    leases,
    firewall,
    access,
    ports,
    adoptedMembers,
    oldPunts,
    warnings,
    warn,
    close,
  };
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

interface Preparing {
  readonly deadlineMs: number;
  readonly journal: UndoJournal;
}

async function openFirewall(
  options: KernelDataplaneOptions,
  { undo, warn }: Opening,
  { deadlineMs, journal, walled }: Preparing & { readonly walled: readonly Ipv4[] },
): Promise<{ readonly firewall: GardenFirewall; readonly adoptedMembers: ReadonlySet<Ipv4> }> {
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
    const outcome = await firewall.close(options.pinPath === undefined ? 'remove' : 'keep');
    if (!outcome.ok) warn(`nftables table not removed: ${outcome.reason}`);
  });
  const adoptedMembers = options.pinPath === undefined ? new Set<Ipv4>() : await firewall.adopt();
  firewall.addKnown(walled);
  const build = async (): Promise<void> => {
    const built = await firewall.build();
    if (!built.ok) throw new BngError('BNG_ERR_NFT', built.reason, { table: options.nftTable });
  };
  // Without pins the firewall itself takes its table away.
  if (options.pinPath === undefined) await build();
  else await journal.change({ run: ['nft', nftTeardown(options.nftTable).join('; ')] }, build);
  return { firewall, adoptedMembers };
}

async function prepareLinks(
  options: KernelDataplaneOptions,
  { warn }: Opening,
  { deadlineMs, journal }: Preparing,
): Promise<void> {
  const links = new LinkSetup({
    accessInterfaces: options.access.interfaces,
    coreInterfaces: options.core.interfaces,
    subscriberMtu: options.access.mtu ?? SUBSCRIBER_MTU,
    pools: options.pools,
    localAddresses: options.policy.localAddresses,
    tune: options.access.tune ?? false,
    deadlineMs,
    journal,
    ...(options.onChange !== undefined && { onChange: options.onChange }),
  });
  await links.apply();
  for (const warning of links.warnings) warn(warning);
  const jumbo =
    options.access.xdpMode === 'native'
      ? jumboProblem(options.access.mtu ?? SUBSCRIBER_MTU, release())
      : null;
  if (jumbo !== null) warn(jumbo);
}

async function revert(journal: UndoJournal, { warn }: Opening, deadlineMs: number): Promise<void> {
  for (const failure of await journal.revert(deadlineMs))
    warn(`interface setting not taken back: ${failure}`);
}

interface Attaching {
  readonly accessPorts: readonly NamedPort[];
  readonly corePorts: readonly NamedPort[];
}

/** Access comes last: an answer of ours needs its tags as soon as a subscriber can ask. */
function attachPrograms(
  attachments: Attachments,
  { access, core }: KernelDataplaneOptions,
  { accessPorts, corePorts }: Attaching,
): KernelParts['ports'] {
  const coreMode = core.xdpMode ?? access.xdpMode;
  for (const port of corePorts) attachXdp(attachments, { program: 'bng_core', port, mode: coreMode });
  for (const port of accessPorts) wrap('tc egress', port.name, () => attachments.egress('bng_egress', port));
  for (const port of accessPorts)
    attachXdp(attachments, { program: 'bng_access', port, mode: access.xdpMode });
  return [
    ...accessPorts.map(({ name }) => ({ interface: name, role: 'access', xdpMode: access.xdpMode }) as const),
    ...corePorts.map(({ name }) => ({ interface: name, role: 'core', xdpMode: coreMode }) as const),
  ];
}

function attachXdp(attachments: Attachments, place: XdpPlace): void {
  try {
    attachments.xdp(place);
  } catch (error) {
    const remedy =
      place.mode === 'native'
        ? 'remove another XDP program from it, update its driver, or set xdpMode: generic (slower)'
        : 'remove another XDP program from it';
    throw new BngError(
      'BNG_ERR_DATAPLANE',
      `${place.port.name} does not take XDP in ${place.mode} mode; ${remedy}: ${errorText(error)}`,
      { interface: place.port.name, program: place.program, xdpMode: place.mode },
      error,
    );
  }
}

/** What the programs of an earlier build have counted and handed up, once none of them runs any more; then their maps go. */
async function takeOver(
  adoption: Adoption,
  object: NativeObject,
  { binding, clock }: KernelDataplaneOptions,
): Promise<readonly Uint8Array[]> {
  const old = adoption.oldCounters();
  const { oldRing } = adoption;
  if (old.length > 0 || oldRing !== null) await inFlightDone(clock);
  const punts = oldRing === null ? [] : await readOldRing({ binding, clock, ...oldRing });
  for (const { name, map, types } of old) {
    carryCounters({ object, name, old: map, types });
    map.close();
  }
  adoption.finish();
  return punts;
}

function interfaceIndex(binding: NativeBinding, name: string): number {
  return wrap('interface', name, () => binding.interfaceIndex(name));
}

function wrap<T>(what: string, name: string, verb: () => T): T {
  try {
    return verb();
  } catch (error) {
    throw new BngError('BNG_ERR_DATAPLANE', `${what}: ${errorText(error)}`, { interface: name }, error);
  }
}
