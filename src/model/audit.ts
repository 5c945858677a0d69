/** What an operator or an AAA server did to the BNG, for the audit log: plain values, and where to tell them. */
import type { Ipv4 } from './ipv4.js';
import { formatIpv4 } from './ipv4.js';
import type { ServiceProfile } from './service-profile.js';

/** `socket`: whoever may use the unix socket; `http`: by the name of the token; `radius`: by address; `signal`: by name. */
export interface AuditActor {
  readonly via: 'socket' | 'http' | 'radius' | 'signal';
  readonly name: string;
  /** Where the order came from, where it came over a network. */
  readonly address: string | null;
}

/** What matters of a session before and after. */
export interface AuditSession {
  readonly session: string;
  readonly ont: string | null;
  readonly state: string;
  readonly address: string | null;
  readonly pool: string | null;
  readonly service: string | null;
  readonly downBps: number | null;
  readonly upBps: number | null;
  readonly suspendedFor: string | null;
}

export interface AuditEntry {
  readonly actor: AuditActor;
  readonly action: string;
  /** What was asked for, without secrets. */
  readonly order: object;
  /** Null where there was nothing: an unknown ONT, a session that ended. */
  readonly before: object | null;
  readonly after: object | null;
  readonly result: 'done' | 'refused';
  /** Why it was refused; null when it was done. */
  readonly reason: string | null;
}

export type Audit = (entry: AuditEntry) => void;

/** The picture of a session for the audit log, of the picture that operators see. */
export function auditSession(view: {
  readonly id: string;
  readonly ontSerial: string | null;
  readonly state: string;
  readonly address: Ipv4 | null;
  readonly profile: ServiceProfile | null;
  readonly poolName: string | null;
  readonly suspendedFor: string | null;
}): AuditSession {
  const { profile, address } = view;
  return {
    session: view.id,
    ont: view.ontSerial,
    state: view.state,
    address: address === null ? null : formatIpv4(address),
    pool: view.poolName,
    service: profile?.serviceId ?? null,
    downBps: profile?.downloadBitsPerSecond ?? null,
    upBps: profile?.uploadBitsPerSecond ?? null,
    suspendedFor: view.suspendedFor,
  };
}
