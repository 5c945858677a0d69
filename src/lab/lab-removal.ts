/** Removes a lab: its processes, namespaces and files, also when whoever built it is dead. Builds nothing. */
import { rmSync } from 'node:fs';
import { BngError, isBngError } from '../model/bng-error.js';
import { LabPaths } from './lab-paths.js';
import { deleteNamespaces, emptyNamespaces, listNamespaces } from './namespaces.js';
import { abandonedPrefixes, disclaim, livingOwner, othersHaveRemoved, takeOver } from './ownership.js';

/** Ends and removes whatever bears the prefix, owner file apart. */
export async function clearLab(paths: LabPaths): Promise<void> {
  const names = listNamespaces(`${paths.prefix}-`);
  await emptyNamespaces(names);
  await deleteNamespaces(names);
  rmSync(paths.bpffsDirectory, { recursive: true, force: true });
  rmSync(paths.directory, { recursive: true, force: true });
}

/**
 * Removes what a lab left behind, also one whose process was killed; nothing there is fine. `BNG_ERR_LAB` when another
 * living process owns it.
 */
export async function removeLab(prefix: string): Promise<void> {
  const paths = new LabPaths(prefix);
  await othersHaveRemoved(paths.ownerFile);
  const owner = livingOwner(paths.ownerFile);
  if (owner !== null && owner !== process.pid) {
    throw new BngError('BNG_ERR_LAB', 'expected a lab whose process has ended', { prefix, pid: owner });
  }
  takeOver(paths.ownerFile);
  await clearLab(paths);
  disclaim(paths.ownerFile);
}

/** Removes every lab whose process is dead; gives their prefixes. */
export async function removeAbandonedLabs(): Promise<string[]> {
  const removed: string[] = [];
  for (const prefix of abandonedPrefixes()) {
    try {
      await removeLab(prefix);
      removed.push(prefix);
    } catch (error) {
      // Not a lab's file, or somebody claimed it meanwhile.
      if (!isBngError(error, 'BNG_ERR_VALUE', 'BNG_ERR_LAB')) throw error;
    }
  }
  return removed;
}
