/** Brings the sessions of earlier runs back, and tells what the store's state means: a part of the composition root. */
import { logEvent } from './log-events.js';
import type { Logger } from 'pino';
import type { Books } from './aaa-parts.js';
import type { EarlierBooks } from './aaa/port.js';
import type { OpenSessions } from './aaa/radius-accounting.js';
import type { Reconciliation } from './dataplane/port.js';
import type { HealthCheck } from './http/api-options.js';
import { BngError } from './model/bng-error.js';
import { formatIpv4 } from './model/ipv4.js';
import type { DurabilityFigures, SessionManager } from './session/manager.js';
import type { StoreFailure } from './store/port.js';
import { storeError } from './store-parts.js';

export interface RestoreParts {
  readonly manager: SessionManager;
  readonly books: Books | null;
  readonly dataplane: Reconciliation;
  readonly logger: Logger;
  readonly path: string;
}

/**
 * Reads the sessions, makes the dataplane hold just them, takes in what it has promised by itself, and goes on with them. What was
 * promised is stored before the promises are taken back, and taken in before a deadline is set. Before any inlet is open: what
 * is punted meanwhile waits in the ring. Gives what goes on with accounting, beside service or before it: it closes that of
 * sessions that are lost. Throws `BNG_ERR_STORE`, `BNG_ERR_DATAPLANE`.
 */
export async function restore(parts: RestoreParts): Promise<() => Promise<void>> {
  const { manager, books, dataplane, logger, path } = parts;
  const { restoration } = manager;
  const open = books?.begin(restoration?.accountingPrefix ?? '') ?? NOTHING_OVER;
  const loaded = await restoration?.load();
  if (loaded?.ok === false) throw storeError(path, loaded.failure.reason);
  const outcome = await dataplane.reconcile(restoration?.wanted() ?? []);
  if (!outcome.ok) {
    throw new BngError('BNG_ERR_DATAPLANE', 'expected a dataplane that can be made as the sessions are', {
      reason: outcome.reason,
    });
  }
  const { kept, missing, stale, foreign, removed } = outcome.report;
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
  const alive = restoration?.accountingIds ?? new Set<string>();
  await restoration?.promised(dataplane.standing());
  dataplane.promiseAnew();
  await restoration?.resume();
  logEvent(logger, 'sessions-restored', {
    sessions: loaded?.value ?? 0,
    accounting: open.accounting,
    kept,
    missing: missing.length,
    stale: stale.length,
    foreign: foreign.length,
    removed: removed.length,
  });
  return () => account(parts, { alive, ...open });
}

const NOTHING_OVER: OpenSessions = { accounting: 'goes-on', isOver: () => false };

/** Accounting of an earlier run: what is lost is closed, what is over begins anew, the rest goes on. */
async function account(
  { manager: { restoration }, books, logger, path }: RestoreParts,
  { alive, accounting, isOver }: OpenSessions & { readonly alive: ReadonlySet<string> },
): Promise<void> {
  const failed = (failure: StoreFailure): void =>
    logEvent(logger, 'accounting-not-resumed', { path, ...failure });
  const lost = (await books?.closeLost(alive)) ?? { ok: true, value: 0 };
  if (!lost.ok) return failed(lost.failure);
  if (lost.value > 0) logEvent(logger, 'accounting-lost-sessions-closed', { count: lost.value });
  const closing: EarlierBooks['closing'] = (ids) =>
    books?.closing(ids) ?? Promise.resolve({ ok: true, value: () => undefined });
  const resumed = await restoration?.account({ isOver, closing });
  if (resumed?.ok === false) return failed(resumed.failure);
  if (accounting === 'goes-on' || resumed?.value === false) return;
  books?.begun();
  logEvent(logger, 'accounting-begun-anew', { sessions: alive.size });
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
