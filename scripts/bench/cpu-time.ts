/** The CPU time that a process has used, as the kernel tells it. */
import { readFileSync } from 'node:fs';

/** Clock ticks of /proc/PID/stat (USER_HZ), the same on every Linux. */
const TICK_MS = 10;

export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
