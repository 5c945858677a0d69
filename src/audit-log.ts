/** Writes the audit log: one JSON line for each entry, to a stream or to a file of its own. Decides nothing. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Audit, AuditEntry } from './model/audit.js';
import { BngError, errorText } from './model/bng-error.js';

export interface AuditLogOptions {
  /** `stdout`, `stderr`, or the path of a file. */
  readonly to: string;
  readonly wallMs: () => number;
  /** Told that an entry could not be written; what it tells of has happened all the same. */
  readonly onFailure: (reason: string) => void;
  readonly streams?: Readonly<Record<'stdout' | 'stderr', { write(text: string): unknown }>>;
}

/**
 * Opens the audit log; throws `BNG_ERR_CONFIG` when the file cannot be written. The file is opened anew for every entry, so
 * that it can be rotated by renaming it, without telling anybody.
 */
export function openAuditLog({ to, wallMs, onFailure, streams = process }: AuditLogOptions): Audit {
  if (to === 'stdout' || to === 'stderr') {
    return (entry) => void streams[to].write(lineOf(entry, wallMs()));
  }
  const append = (text: string): void => appendFileSync(to, text, { mode: 0o600 });
  try {
    mkdirSync(dirname(to), { recursive: true, mode: 0o750 });
    append('');
  } catch (error) {
    throw new BngError('BNG_ERR_CONFIG', 'expected a writable file for audit.to', { path: to }, error);
  }
  return (entry) => {
    try {
      append(lineOf(entry, wallMs()));
    } catch (error) {
      onFailure(errorText(error));
    }
  };
}

function lineOf(entry: AuditEntry, wallMs: number): string {
  return `${JSON.stringify({ time: new Date(wallMs).toISOString(), event: 'audit', ...entry })}\n`;
}
