/**
 * The watchdog as a process: waits for the end of standard input, and removes the lab (argument 1) when the process
 * that owned it (argument 2) went without closing it. Composition only.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LabPaths } from './lab-paths.js';
import { removeLab } from './lab-removal.js';
import { recordedOwner } from './ownership.js';
import { DISMISSED } from './reaper.js';

/** For whoever comes at once to look or to remove it himself. */
const GRACE_MS = 1_000;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
const [prefix = '', owner = ''] = process.argv.slice(2);
let said = '';
for await (const chunk of process.stdin) said += String(chunk);
if (said !== DISMISSED) {
  await sleep(GRACE_MS);
  // Another lab of this prefix may be there by now: it has its own watchdog.
  if (recordedOwner(new LabPaths(prefix).ownerFile) === Number(owner)) await removeLab(prefix);
}
