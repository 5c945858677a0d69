/** Where errors of the addon become values. */
import type { NativeFailure } from './native-binding.js';
import type { DataplaneOutcome } from './port.js';

/** The kernel refusing is a value; anything else that is thrown is a bug of ours. */
export function attempt(change: () => void): DataplaneOutcome {
  const outcome = attemptFor(change);
  return outcome.ok ? { ok: true } : outcome;
}

/** The same for something that gives a value. */
export function attemptFor<T>(
  change: () => T,
): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string } {
  try {
    return { ok: true, value: change() };
  } catch (error) {
    if (isNativeFailure(error)) return { ok: false, reason: error.message };
    throw error;
  }
}

function isNativeFailure(error: unknown): error is Error & NativeFailure {
  return error instanceof Error && 'operation' in error && 'errno' in error;
}
