/** Orders of the AAA server (RFC 5176): finds the session they name and turns them into events of its machine. */
import type {
  AuthorizationChange,
  AuthorizationInlet,
  AuthorizationOutcome,
  SessionSelector,
} from '../aaa/port.js';
import type { AuditSession } from '../model/audit.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { SessionTerms } from '../model/session-terms.js';
import type { AddressPools } from '../pool/port.js';
import type { OperatorResult } from './inlet.js';
import { isServed } from './machine/build.js';
import type { OrderEvent, Served, State } from './machine/types.js';
import type { SessionRecord } from './record.js';
import type { SessionRunner } from './runner.js';
import type { Places } from './selection.js';
import { select } from './selection.js';

export interface AuthorizationDeskOptions extends Places {
  readonly runner: SessionRunner;
  readonly pools: AddressPools;
  readonly gardenProfile: ServiceProfile;
  /** The picture of a record for the audit log. */
  readonly picture: (record: SessionRecord) => AuditSession;
  /** Why no order can be taken at the moment; null when it can. */
  readonly refusal: () => string | null;
}

const NOT_ONE = 'no one session agrees with all that was named';

export class AuthorizationDesk implements AuthorizationInlet {
  readonly #o: AuthorizationDeskOptions;

  constructor(options: AuthorizationDeskOptions) {
    this.#o = options;
  }

  async changeAuthorization(
    selector: SessionSelector,
    change: AuthorizationChange,
  ): Promise<AuthorizationOutcome> {
    const record = select(this.#o, selector);
    if (typeof record === 'string') return { ok: false, kind: record, reason: NOT_ONE };
    const refusal = this.#o.refusal();
    if (refusal !== null) return { ok: false, kind: 'failed', reason: refusal };
    const { poolName } = change;
    if (poolName !== undefined && !this.#o.pools.names().includes(poolName)) {
      return { ok: false, kind: 'invalid', reason: `there is no pool ${poolName}` };
    }
    // Laid over what the session has when its turn comes, not over what it has now.
    const before = this.#o.picture(record);
    const result = await new Promise<OperatorResult>((order) =>
      this.#o.runner.push(record, { event: () => this.#event(record.session.state, change), order }),
    );
    const subject = { before, after: this.#o.picture(record) };
    if (result.ok) return { ok: true, subject };
    // A change conflicts with nothing but the end of the session, which came before its turn.
    if (result.kind === 'conflict') return { ok: false, kind: 'no-session', reason: result.reason, subject };
    const reason = 'reason' in result ? result.reason : result.kind;
    return { ok: false, kind: 'failed', reason, subject };
  }

  async disconnect(selector: SessionSelector): Promise<AuthorizationOutcome> {
    const record = select(this.#o, selector);
    if (typeof record === 'string') return { ok: false, kind: record, reason: NOT_ONE };
    const refusal = this.#o.refusal();
    if (refusal !== null) return { ok: false, kind: 'failed', reason: refusal };
    const before = this.#o.picture(record);
    await new Promise<void>((done) =>
      this.#o.runner.push(record, { event: { type: 'end', cause: 'Admin-Reset' }, done }),
    );
    const subject = { before, after: this.#o.picture(record) };
    const ended = record.session.state.name === 'terminated';
    if (ended) return { ok: true, subject };
    return { ok: false, kind: 'failed', reason: 'the dataplane did not let it go', subject };
  }

  #event(state: State, change: AuthorizationChange): OrderEvent {
    // A session that is no longer served refuses whatever the change is.
    if (!isServed(state)) return { type: 'resume' };
    const { profile, terms } = state.grant;
    const poolName = change.poolName ?? profile.poolName;
    const base = this.#base(state, poolName);
    return {
      type: 'change',
      profile: {
        poolName,
        walled: poolName === this.#o.gardenProfile.poolName,
        serviceId: change.serviceId ?? base.serviceId,
        downloadBitsPerSecond: change.downloadBitsPerSecond ?? base.downloadBitsPerSecond,
        uploadBitsPerSecond: change.uploadBitsPerSecond ?? base.uploadBitsPerSecond,
      },
      terms: changedTerms(terms, change),
    };
  }

  /** What is not named in a change of pool: as the operator's suspension, resumption and activation have it. */
  #base(state: Served, poolName: string): ServiceProfile {
    const { profile } = state.grant;
    if (poolName === profile.poolName) return profile;
    if (poolName === this.#o.gardenProfile.poolName) return this.#o.gardenProfile;
    if (state.resumeTo?.poolName === poolName) return state.resumeTo;
    // The garden's service is none that an ISP sells.
    return profile.walled ? { ...profile, serviceId: poolName } : profile;
  }
}

function changedTerms(terms: SessionTerms, change: AuthorizationChange): SessionTerms {
  const { sessionTimeoutSeconds, idleTimeoutSeconds, interimIntervalSeconds } = change;
  return {
    ...terms,
    ...(sessionTimeoutSeconds === undefined ? {} : { sessionTimeoutSeconds }),
    ...(idleTimeoutSeconds === undefined ? {} : { idleTimeoutSeconds }),
    ...(interimIntervalSeconds === undefined ? {} : { interimIntervalSeconds }),
  };
}
