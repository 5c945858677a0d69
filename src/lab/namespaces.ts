/**
 * Network namespaces by name: made, listed, emptied, removed. Knows no lab and no interface but lo.
 */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { BngError } from '../model/bng-error.js';
import { exec, execOrThrow, shell } from './exec.js';
import { patience } from './patience.js';

const NETNS_ROOT = '/run/netns';
const POLL_MS = 10;

/** Makes namespaces with lo up and without IPv6, whose own chatter would disturb what is counted. */
export async function createNamespaces(names: readonly string[]): Promise<void> {
  await execOrThrow(['ip', '-batch', '-'], { input: names.map((name) => `netns add ${name}\n`).join('') });
  const setUp =
    'for f in all default; do echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6; done; ip link set lo up';
  const each = `if [ -d /proc/sys/net/ipv6 ]; then ${setUp}; else ip link set lo up; fi`;
  await shell(`for n in ${names.join(' ')}; do nsenter --net=${NETNS_ROOT}/$n sh -euc '${each}'; done`);
}

/** Names of the namespaces that begin with `prefix`. */
export function listNamespaces(prefix: string): string[] {
  try {
    return readdirSync(NETNS_ROOT).filter((name) => name.startsWith(prefix));
  } catch (error) {
    // The folder appears with the first namespace.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Every process that is in one of the namespaces. */
export function processesIn(names: readonly string[]): number[] {
  const inodes = new Set<string>();
  for (const name of names) {
    const found = statSync(`${NETNS_ROOT}/${name}`, { throwIfNoEntry: false });
    if (found !== undefined) inodes.add(`net:[${found.ino}]`);
  }
  return readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry))
    .filter((pid) => {
      try {
        return inodes.has(readlinkSync(`/proc/${pid}/ns/net`));
      } catch {
        // It ended while we looked.
        return false;
      }
    })
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

/** Kills every process in the namespaces and waits until none is left; `BNG_ERR_DEADLINE` when some do not go. */
export async function emptyNamespaces(names: readonly string[], timeoutMs = 5_000 * patience): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const pids = processesIn(names);
    if (pids.length === 0) return;
    if (performance.now() > deadline) {
      throw new BngError('BNG_ERR_DEADLINE', 'expected processes to end', { pids: pids.join(' ') });
    }
    for (const pid of pids) killIfThere(pid);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Removes namespaces and with them their interfaces; those that are not there are no error. */
export async function deleteNamespaces(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await exec(['ip', '-force', '-batch', '-'], {
    input: names.map((name) => `netns del ${name}\n`).join(''),
    timeoutMs: 30_000 * patience,
  });
  const present = new Set(listNamespaces(''));
  const left = names.filter((name) => present.has(name));
  if (left.length > 0) {
    throw new BngError('BNG_ERR_LAB', 'expected namespaces to be gone', { left: left.join(' ') });
  }
}
