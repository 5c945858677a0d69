/** What the inlets (DHCP, OLT, HTTP) may ask of the session layer, and what they get back. */
import type { AnsweredLease } from '../dataplane/port.js';
import type { AccessLine, AnnouncedLine } from '../model/access-line.js';
import type { Ipv4, Ipv4Prefix } from '../model/ipv4.js';
import type { Mac } from '../model/mac.js';
import type { LeaseTerms } from '../model/lease.js';
import type { SessionDetails, SessionStateName, SessionView } from './view.js';

/** The four kinds of DHCPREQUEST (RFC 2131 §4.3.2). */
export type DhcpRequestKind = 'selecting' | 'init-reboot' | 'renewing' | 'rebinding';

/** What to answer a DHCP client. `serverId` is the address that subscribers know the server by. */
export type DhcpVerdict =
  | {
      readonly kind: 'offer' | 'ack' | 'inform';
      readonly poolName: string;
      readonly terms: LeaseTerms;
      readonly serverId: Ipv4;
    }
  | { readonly kind: 'nak'; readonly poolName: string; readonly reason: string; readonly serverId: Ipv4 }
  | { readonly kind: 'silence'; readonly reason: string };

export interface DhcpInlet {
  discover(line: AccessLine): Promise<DhcpVerdict>;
  request(line: AccessLine, kind: DhcpRequestKind, address: Ipv4): Promise<DhcpVerdict>;
  /** DHCPINFORM: the client has its address from elsewhere and wants the other parameters. */
  inform(line: AccessLine, address: Ipv4): Promise<DhcpVerdict>;
  release(line: AccessLine, address: Ipv4): Promise<void>;
  decline(line: AccessLine, address: Ipv4): Promise<void>;
  /** The dataplane has answered in our place, as was promised to it. The pool's name; null when nobody has the address. */
  answered(answered: AnsweredLease): string | null;
  /** True for an address that DHCP clients may know this server by. */
  isServerId(address: Ipv4): boolean;
}

/** A pool by one of its addresses. */
export interface PoolPlace {
  readonly poolName: string;
  readonly network: Ipv4Prefix;
  /** What its subscribers know the server by. */
  readonly gateway: Ipv4;
}

export type LeaseQuery =
  | { readonly by: 'address'; readonly address: Ipv4 }
  | { readonly by: 'mac'; readonly mac: Mac }
  | { readonly by: 'client-id'; readonly clientId: Uint8Array };

/** A lease that is bound now. */
export interface LeaseSighting {
  readonly terms: LeaseTerms;
  readonly serverId: Ipv4;
  readonly mac: Mac;
  readonly clientId: Uint8Array | null;
  readonly option82: Uint8Array | null;
  readonly remainingMs: number;
  /** Every address that the one who was asked for holds, this one included. */
  readonly addresses: readonly Ipv4[];
}

export interface LeaseInspection {
  /** Null for an address of no pool. */
  poolAt(address: Ipv4): PoolPlace | null;
  /** Of several the one that was renewed last; null when there is none. By anything but the address a walk over all sessions. */
  lease(query: LeaseQuery): LeaseSighting | null;
}

/** Stations that speak without having asked for an address. */
export interface StationInlet {
  /** The station of the line uses this address: it sent a packet from it, or answered for it. */
  sighted(line: AccessLine, address: Ipv4): void;
}

/** An ONT as the access node reports it. */
export interface OntSighting extends AnnouncedLine {
  readonly ontSerial: string;
  /** It was there before we looked: its customer's equipment may hold a lease of an earlier run of ours. */
  readonly wasThere?: boolean;
}

export interface OntInlet {
  ontDetected(ont: OntSighting): void;
  /** Its line has other tags now. */
  ontMoved(ont: OntSighting): void;
  ontDisconnected(ontSerial: string): void;
}

export interface ActivationOrder {
  readonly ontSerial: string;
  readonly serviceId: string;
  readonly poolName: string;
  readonly downloadBitsPerSecond: number;
  readonly uploadBitsPerSecond: number;
}

export type OperatorResult =
  | {
      readonly ok: true;
      readonly ontSerial: string;
      readonly oldState: SessionStateName;
      readonly newState: SessionStateName;
      readonly oldAddress: Ipv4 | null;
      readonly message: string;
    }
  | { readonly ok: false; readonly kind: 'unknown-ont' }
  /** The session's present state does not allow it. */
  | {
      readonly ok: false;
      readonly kind: 'conflict';
      readonly state: SessionStateName;
      readonly reason: string;
    }
  /** The order names something that configuration does not have. */
  | { readonly ok: false; readonly kind: 'invalid'; readonly field: string; readonly reason: string }
  /** The outside world (pool, OLT, dataplane) refused; the session is as it was. */
  | { readonly ok: false; readonly kind: 'failed'; readonly reason: string };

/** Which sessions, and from where on. */
export interface SessionQuery {
  readonly state?: SessionStateName;
  /**
   * The last session seen. Where it has ended meanwhile, sessions follow from its instant of creation on: one may then be repeated
   * but none is left out.
   */
  readonly after?: { readonly id: string; readonly createdWallMs: number };
}

export interface OperatorInlet {
  activate(order: ActivationOrder): Promise<OperatorResult>;
  /** `reason` is kept with the suspension and shown to operators and on the subscriber's own page. */
  suspend(ontSerial: string, reason: string): Promise<OperatorResult>;
  resume(ontSerial: string): Promise<OperatorResult>;
  terminate(ontSerial: string): Promise<OperatorResult>;
  /** Sessions, terminated ones apart, in order of creation. Passing over those before `after` costs next to nothing. */
  sessions(query?: SessionQuery): Iterable<SessionView>;
  sessionByOnt(ontSerial: string): SessionView | null;
  sessionByAddress(address: Ipv4): SessionView | null;
  sessionById(id: string): SessionView | null;
  sessionByMac(mac: Mac): SessionView | null;
  /** `circuitId` as bytes, compared whole. */
  sessionByCircuitId(circuitId: Uint8Array): SessionView | null;
  /** What is known beside the picture; null for an unknown id. */
  sessionDetails(id: string): SessionDetails | null;
  /** While draining no new session begins; those that are there go on. */
  setDraining(draining: boolean): void;
  readonly isDraining: boolean;
  /** How many sessions are in each state; `terminated` counts those ended since start. */
  stateCounts(): Readonly<Record<SessionStateName, number>>;
}
