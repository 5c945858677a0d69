/** The clock of the running process. Its timers do not keep the process alive. */
import type { Clock } from './clock.js';
import { TimerQueue } from './timer-queue.js';

const timers = new TimerQueue(() => performance.now());

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, fire) => timers.add(performance.now() + delayMs, fire),
};
