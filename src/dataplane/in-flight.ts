/** How long to wait for programs that are running already. */
import type { Clock } from '../model/clock.js';

/**
 * Deleting an entry, or replacing a program, does not wait for programs that have already begun: a frame on another CPU may
 * still be counted for a moment. A program runs to its end without being scheduled away, in microseconds, and keeps nothing
 * between frames; there is no system call at hand that waits for exactly that, so counters are final this much later.
 */
const IN_FLIGHT_MS = 5;

export function inFlightDone(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.after(IN_FLIGHT_MS, resolve));
}
