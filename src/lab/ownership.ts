/**
 * Who owns a lab prefix: a file with the process's id and start time, so that what a killed process left behind can be
 * told from what a living one uses. Removes nothing.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { LAB_ROOT } from './lab-paths.js';
import { patience } from './patience.js';

const ownerSchema = z.object({
  pid: z.int(),
  startTime: z.string(),
  /** It owns the prefix only to remove what a dead owner left. */
  removing: z.boolean().optional(),
});
type Owner = z.infer<typeof ownerSchema>;

const REMOVAL_TIMEOUT_MS = 10_000 * patience;
const POLL_MS = 20;

/** Clock ticks from boot to the start of a process (proc(5), field 22); null when it is not there or dead. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything, also spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Dead already, though its parent has not asked how.
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return fields[19] ?? null;
  } catch {
    return null;
  }
}

function readOwner(ownerFile: string): Owner | null {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(ownerFile, 'utf8')));
  } catch {
    return null;
  }
}

function isLiving(owner: Owner): boolean {
  return startTimeOf(owner.pid) === owner.startTime;
}

/** The process that the file names, dead or alive; null when the file is absent or unreadable. */
export function recordedOwner(ownerFile: string): number | null {
  return readOwner(ownerFile)?.pid ?? null;
}

/** The living process that owns the file's prefix; null when the file is absent, unreadable, or of a dead process. */
export function livingOwner(ownerFile: string): number | null {
  const owner = readOwner(ownerFile);
  return owner !== null && isLiving(owner) ? owner.pid : null;
}

/** True while another process removes what a dead owner left. */
function isBeingRemoved(ownerFile: string): boolean {
  const owner = readOwner(ownerFile);
  return owner?.removing === true && owner.pid !== process.pid && isLiving(owner);
}

/** Resolves when nobody else is removing the lab of this file, or does not finish in time. */
export async function othersHaveRemoved(ownerFile: string): Promise<void> {
  const deadline = performance.now() + REMOVAL_TIMEOUT_MS;
  while (isBeingRemoved(ownerFile) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Makes this process the owner in place of a dead one, so that nobody builds there while it removes. */
export function takeOver(ownerFile: string): void {
  mkdirSync(LAB_ROOT, { recursive: true });
  const mine = `${ownerFile}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ ...self(), removing: true }));
  renameSync(mine, ownerFile);
}

function self(): Owner {
  return { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
}

/** Makes this process the owner. False when the file is there already. */
export function claim(ownerFile: string): boolean {
  mkdirSync(LAB_ROOT, { recursive: true });
  try {
    writeFileSync(ownerFile, JSON.stringify(self()), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

export function disclaim(ownerFile: string): void {
  rmSync(ownerFile, { force: true });
}

/** Prefixes that somebody owned once and nobody living owns now. */
export function abandonedPrefixes(): string[] {
  let files: string[];
  try {
    files = readdirSync(LAB_ROOT);
  } catch {
    return [];
  }
  return files
    .filter((file) => file.endsWith('.json') && livingOwner(`${LAB_ROOT}/${file}`) === null)
    .map((file) => basename(file, '.json'));
}
