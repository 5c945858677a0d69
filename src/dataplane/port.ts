/**
 * What others may ask of the dataplane, over model values: put subscribers in and out, read what it counted, take
 * punted frames and send frames. No BPF and no nftables in these names.
 */
import type { Attachment } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { TrafficCounters } from '../model/traffic-counters.js';

/** One subscriber as the dataplane knows it; the address is the key. A rate of 0 means unlimited. */
export interface SubscriberEntry {
  readonly address: Ipv4;
  readonly attachment: Attachment;
  readonly walled: boolean;
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
}

export type DataplaneOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Names what was counted last of one removed address, until it is forgotten. */
export type RemovalReceipt = number;

export type RemoveOutcome =
  | {
      readonly ok: true;
      readonly traffic: TrafficCounters;
      /** Null when there was nothing to remove. */
      readonly receipt: RemovalReceipt | null;
    }
  | { readonly ok: false; readonly reason: string };

/**
 * A bound lease that the dataplane may repeat to its client by itself, as offer or as acknowledgement. Times are those
 * of the monotonic clock.
 */
export interface LeasePromise {
  readonly address: Ipv4;
  readonly attachment: Attachment;
  readonly poolName: string;
  readonly leaseSeconds: number;
  /** The value of option 82 that the client's messages bear: with any other they may be another session's. Empty: none. */
  readonly option82: Uint8Array;
  readonly expiresAtMs: number;
  /** No lease is repeated beyond it; null where nothing ends the session but its client. */
  readonly endsAtMs: number | null;
}

/** Something that the dataplane has promised again by itself. */
export interface AnsweredLease {
  readonly answer: 'offer' | 'ack';
  readonly address: Ipv4;
  readonly attachment: Attachment;
  /** An acknowledged lease lasts so long from `atMs` on. */
  readonly leaseSeconds: number;
  readonly atMs: number;
}

export interface Dataplane {
  /** Resolves when packets of the subscriber are forwarded or filtered as the entry says. Counters start at zero. */
  install(entry: SubscriberEntry): Promise<DataplaneOutcome>;
  /** Replaces the entry of the same address whole; counters go on. Newly walled flows are cut, established ones too. */
  update(entry: SubscriberEntry): Promise<DataplaneOutcome>;
  /**
   * Stops forwarding, then reads the final counters, and keeps them for the next start until they are forgotten. Removing an
   * unknown address succeeds with no traffic.
   */
  remove(address: Ipv4): Promise<RemoveOutcome>;
  /** The final counters of these removals can no longer be lost. Each receipt once. */
  forget(receipts: readonly RemovalReceipt[]): void;
  /**
   * Lets the dataplane answer the client of an installed address; replaces what was promised to the same attachment. False
   * when it does not, which costs speed and nothing else.
   */
  promise(lease: LeasePromise): boolean;
  /**
   * Until when the lease promised at the attachment lasts, with every answer that was given, told of or not; null when
   * nothing is promised there.
   */
  promisedUntilMs(attachment: Attachment): number | null;
  /** From the return on no answer begins. Withdrawing what was not promised is fine; `remove` withdraws too. */
  withdraw(attachment: Attachment): void;
  /** What the kernel counted for one address since its install; null when it is not installed. */
  traffic(address: Ipv4): TrafficCounters | null;
}

/** A frame the dataplane handed up. `frame` is only valid during the listener's call. */
export interface PuntedFrame {
  readonly frame: Uint8Array;
  readonly ifindex: number;
  /** 0 = no such tag. */
  readonly sVlan: number;
  readonly cVlan: number;
  /** TPIDs as on the wire (0x8100, 0x88a8); 0 = no such tag. */
  readonly sTpid: number;
  readonly cTpid: number;
  /** It asks for nothing: a station that nobody has installed uses an address of `staticNetworks`. */
  readonly isSighting?: boolean;
}

export interface PuntPath {
  /** One listener; the punt path stays closed until it is set. */
  onPunt(listener: (punted: PuntedFrame) => void): void;
  /** Resolves when all that was punted before the listener was set has been handed to it. */
  backlogRead(): Promise<void>;
  /** One listener, to be set before the punt path opens: nothing that was promised goes untold. */
  onAnswered(listener: (answered: AnsweredLease) => void): void;
  /** Sends one whole frame on an access interface; false when its queue is full. */
  transmit(ifindex: number, frame: Uint8Array): boolean;
  /** The MAC address that subscribers see as their gateway's. */
  accessMac(ifindex: number): Mac;
}

/** One subscriber as read back from the kernel, for operators and tests. */
export interface DumpedSubscriber extends SubscriberEntry {
  readonly slot: number;
  readonly traffic: TrafficCounters;
  /** Is the address in the firewall's set of garden members? Always equal to `walled` unless something is wrong. */
  readonly gardenMember: boolean;
}

export interface DataplaneInspection {
  /** Everything in the kernel, read back; not from our own memory. */
  dump(): Promise<readonly DumpedSubscriber[]>;
  /** Frames dropped since start, by reason; every reason is present. */
  drops(): Readonly<Record<string, bigint>>;
  /** Frames by what happened to them, since start; every verdict is present. */
  verdicts(): Readonly<Record<string, bigint>>;
  /** Per interface: how the programs are attached. */
  ports(): readonly {
    readonly interface: string;
    readonly role: 'access' | 'core';
    readonly xdpMode: 'native' | 'generic';
  }[];
  /** Counters of every installed address, one pass over the kernel's maps. */
  allTraffic(): ReadonlyMap<Ipv4, TrafficCounters>;
  /**
   * The same in portions of at most `size`, each read when it is asked for, so that the reader can let others do something
   * in between. An address that comes or goes meanwhile may be left out.
   */
  trafficInPortions(size: number): Iterable<ReadonlyMap<Ipv4, TrafficCounters>>;
  /** Packets that the garden's rules dropped in the stack, since those rules were set; null when it cannot be read. */
  firewallDrops(): Promise<bigint | null>;
  /** How many addresses the firewall and we do not agree about being walled, read back; null when it cannot be read. */
  gardenMismatches(): Promise<number | null>;
}

/** What became of one frame of a traced line. The frame is described as it arrived. */
export interface TracedFrame {
  /** Seen from the subscriber. */
  readonly direction: 'upstream' | 'downstream';
  /** A label of `verdicts()`. */
  readonly verdict: string;
  /** A label of `drops()`; null unless it was dropped. */
  readonly dropReason: string | null;
  readonly frameBytes: number;
  readonly etherType: number;
  /** Null unless it is IPv4, whole as far as its header says. */
  readonly ip: { readonly bytes: number; readonly protocol: number } | null;
  /** Of IPv4 and ARP, otherwise 0. */
  readonly source: Ipv4;
  readonly destination: Ipv4;
  /** Of unfragmented TCP and UDP, otherwise 0. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Frames of the line that were not told of, between the last one that was and this one. */
  readonly untold: bigint;
}

export type FrameTraceOutcome =
  | { readonly ok: true; readonly stop: () => void }
  | { readonly ok: false; readonly reason: string };

export interface FrameTracing {
  /**
   * Tells of frames from and to the attachment until `stop`: a few each second, and as many that were dropped. On a line with
   * two tags, which is one subscriber's alone, whatever its stations are.
   */
  trace(attachment: Attachment, listener: (frame: TracedFrame) => void): FrameTraceOutcome;
}

/** How the kernel differed from the table, and that it no longer does. */
export interface ReconcileReport {
  /** Entries that were as wanted. Their counters go on. */
  readonly kept: number;
  /** Wanted and not there: installed, counters from zero. */
  readonly missing: readonly Ipv4[];
  /** There with another line, garden flag or rate, or at odds with the firewall: set right. Their counters go on. */
  readonly stale: readonly Ipv4[];
  /** There and wanted by nobody: removed, with what they had counted. */
  readonly foreign: readonly Removed[];
  /** Removed by a process that did not live to keep what they had counted last. An address may be there twice. */
  readonly removed: readonly Removed[];
}

/** An address that is forwarded for no longer, and what it counted; to be forgotten as after `remove`. */
export interface Removed {
  readonly address: Ipv4;
  readonly traffic: TrafficCounters;
  /** Null where nothing had been counted for it. */
  readonly receipt: RemovalReceipt | null;
}

export type ReconcileOutcome =
  | { readonly ok: true; readonly report: ReconcileReport }
  | { readonly ok: false; readonly reason: string };

/** A lease that the dataplane has answered for, and until when it lasts. */
export interface StandingPromise {
  readonly address: Ipv4;
  readonly attachment: Attachment;
  readonly expiresAtMs: number;
}

/** Of a dataplane that may have outlived the control plane before this one. */
export interface Reconciliation {
  /**
   * Makes the dataplane hold exactly `wanted`. Called once, before anything is installed and before the punt path opens; forwarding
   * of entries that are as wanted is never interrupted.
   */
  reconcile(wanted: readonly SubscriberEntry[]): Promise<ReconcileOutcome>;
  /** What the process before has promised and the dataplane may still repeat. Answers that nobody was told of are in it. */
  standing(): readonly StandingPromise[];
  /** Takes those promises back; from now on `promise` is obeyed. Once, when what they say can no longer be lost. */
  promiseAnew(): void;
}
