/** The time of this boot, from the kernel. The only reader of its boot id. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { BootClock } from './model/clock.js';

/** CLOCK_BOOTTIME, to a hundredth of a second. */
export function systemBootClock(): BootClock {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return { bootId, bootMs: () => uptime() * 1000 };
}
