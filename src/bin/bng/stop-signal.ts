/** How a command of `bng` is asked to stop. Stops nothing itself. */

type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/**
 * Is aborted by the first of `signals` (default: SIGINT, SIGTERM and SIGHUP); those that follow change nothing. The listeners stay for good: a
 * library that ends children with their parent (signal-exit, behind execa) takes a signal that nobody else listens to
 * as the end of the process, and a listener for one call is gone before it looks.
 */
export function stopSignal(signals: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']): AbortSignal {
  const stop = new AbortController();
  for (const signal of signals) process.on(signal, () => stop.abort());
  return stop.signal;
}

/** Resolves when `signal` is aborted, which may have been before. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
