/** Brings the sessions of earlier runs back, and tells what the store's state means: a part of the composition root. */
import { logEvent } from './log-events.js';
import type { Logger } from 'pino';
import type { AaaParts } from './aaa-parts.js';
import type { Reconciliation } from './dataplane/port.js';
import type { HealthCheck } from './http/api-options.js';
import { BngError } from './model/bng-error.js';
import { formatIpv4 } from './model/ipv4.js';
import type { DurabilityFigures, SessionManager } from './session/manager.js';
import { storeError } from './store-parts.js';

export interface RestoreParts {
  readonly manager: SessionManager;
  readonly aaa: Pick<AaaParts, 'begin' | 'closeLost'>;
  readonly dataplane: Reconciliation;
  readonly logger: Logger;
  readonly path: string;
}

/**
 * Reads the sessions, makes the dataplane hold just them, takes in what it has promised by itself, closes the accounting of
 * those that are lost, and goes on with the others. What was promised is stored before the promises are taken back, and
 * taken in before a deadline is set. Before any inlet is open: what is punted meanwhile waits in the ring. Throws `BNG_ERR_STORE`, `BNG_ERR_DATAPLANE`.
 */
export async function restore({ manager, aaa, dataplane, logger, path }: RestoreParts): Promise<void> {
  const { restoration } = manager;
  const accounting = aaa.begin();
  const loaded = await restoration?.load();
  if (loaded?.ok === false) throw storeError(path, loaded.failure.reason);
  const outcome = await dataplane.reconcile(restoration?.wanted() ?? []);
  if (!outcome.ok) {
    throw new BngError('BNG_ERR_DATAPLANE', 'expected a dataplane that can be made as the sessions are', {
      reason: outcome.reason,
    });
  }
  const { kept, missing, stale, foreign, removed } = outcome.report;
  const known = manager.openAccounting();
  const unowned = restoration?.reconciled(outcome.report) ?? foreign;
  for (const { address, traffic } of unowned) {
    const { upstreamBytes, downstreamBytes } = traffic;
    logEvent(logger, 'dataplane-entry-of-no-session', {
      address: formatIpv4(address),
      upstreamBytes: upstreamBytes.toString(),
      downstreamBytes: downstreamBytes.toString(),
    });
  }
  for (const reason of restoration?.unserved ?? []) logEvent(logger, 'session-not-served', { reason });
  aaa.closeLost(accounting === 'goes-on' ? new Set(known.keys()) : new Set(), known);
  await restoration?.promised(dataplane.standing());
  dataplane.promiseAnew();
  await restoration?.resume(accounting);
  logEvent(logger, 'sessions-restored', {
    sessions: loaded?.value ?? 0,
    accounting,
    kept,
    missing: missing.length,
    stale: stale.length,
    foreign: foreign.length,
    removed: removed.length,
  });
}

/** Null path: sessions end with the process, as configured. */
export function storeHealth({ failure }: DurabilityFigures, path: string | null): HealthCheck {
  if (path === null) {
    return { name: 'store', ok: true, degraded: true, detail: 'memory: sessions end with the process' };
  }
  if (failure === null) return { name: 'store', ok: true, detail: path };
  const detail = `${path} takes nothing, no new sessions (${failure.kind}): ${failure.reason}`;
  return { name: 'store', ok: true, degraded: true, detail };
}
