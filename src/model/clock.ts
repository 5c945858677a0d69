/**
 * The two times we use: monotonic for every duration and deadline, wall time only where people or protocols see it. Reads no clock.
 */
export interface TimerHandle {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds from an arbitrary start; never goes back, not moved by a step of the wall clock. */
  monotonicMs(): number;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  wallMs(): number;
  /** Calls `fire` once, not before `delayMs` from now. Delays beyond what one system timer holds are allowed. */
  after(delayMs: number, fire: () => void): TimerHandle;
}

/** The time of this boot of the machine: what tells after a restart of ours how long it took, whatever the wall clock did. */
export interface BootClock {
  /** Another after each boot. */
  readonly bootId: string;
  /** Milliseconds since the machine was booted, times of suspension included. */
  bootMs(): number;
}
