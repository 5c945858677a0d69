/**
 * Who owns a lab prefix: a file with the process's id and start time, so that what a killed process left behind can be
 * told from what a living one uses. Removes nothing.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import { LAB_ROOT } from './lab-paths.js';

const ownerSchema = z.object({ pid: z.int(), startTime: z.string() });
type Owner = z.infer<typeof ownerSchema>;

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

/** The living process that owns the file's prefix; null when the file is absent, unreadable, or of a dead process. */
export function livingOwner(ownerFile: string): number | null {
  let owner: Owner;
  try {
    owner = ownerSchema.parse(JSON.parse(readFileSync(ownerFile, 'utf8')));
  } catch {
    return null;
  }
  return startTimeOf(owner.pid) === owner.startTime ? owner.pid : null;
}

/** Makes this process the owner. False when the file is there already. */
export function claim(ownerFile: string): boolean {
  mkdirSync(LAB_ROOT, { recursive: true });
  const owner: Owner = { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
  try {
    writeFileSync(ownerFile, JSON.stringify(owner), { flag: 'wx' });
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
