/**
 * Takes away everything that a dataplane left on this machine, whoever left it: programs, pins, firewall, settings. Needs no
 * configuration but the place of the pins, and does nothing where nothing is left.
 */
import { existsSync, rmdirSync } from 'node:fs';
import type { NativeBinding } from './native-binding.js';
import { pinFolders, undoFolder } from './pins.js';
import { UndoJournal } from './undo-journal.js';
import { errorText } from '../model/bng-error.js';

export interface TearDownOptions {
  readonly binding: NativeBinding;
  readonly pinPath: string;
  readonly deadlineMs?: number;
  /** Told what could not be taken away. */
  readonly onWarning?: (warning: string) => void;
}

const DEADLINE_MS = 5000;

/** Whether there was anything to take away. */
export async function tearDown({ binding, pinPath, ...options }: TearDownOptions): Promise<boolean> {
  if (!existsSync(pinPath)) return false;
  const folders = pinFolders(pinPath);
  for (const folder of folders) {
    for (const name of folder.links()) {
      try {
        binding.openPinnedLink(folder.linkFile(name)).detach();
      } catch (error) {
        // Removing the pin lets go of it too, only not at once.
        options.onWarning?.(`not detached: ${errorText(error)}`);
      }
    }
  }
  const journal = new UndoJournal(undoFolder(pinPath));
  const found = folders.length > 0 || !journal.isEmpty;
  for (const failure of await journal.revert(options.deadlineMs ?? DEADLINE_MS))
    options.onWarning?.(`not taken back: ${failure}`);
  for (const folder of folders) folder.remove();
  rmdirSync(pinPath);
  return found;
}
