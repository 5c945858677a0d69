/**
 * How to take back what was changed on this machine, kept where the pins are: as symbolic links in bpffs, whose targets are
 * the steps. So it lives exactly as long as what it describes, through crashes, and is gone with a reboot as the changes
 * are. Knows no particular setting.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/**
 * A command to run, or a kernel setting to write. `of` is what the command is about where its words hold an earlier value: the
 * same change is then known by it, whatever that value was.
 */
export type UndoStep =
  | { readonly run: readonly string[]; readonly of?: string }
  | { readonly file: string; readonly content: string };

interface Recorded {
  readonly name: string;
  readonly step: UndoStep;
}

/** A change whose object went away needs no undoing. */
const GONE = /Cannot find|No such|Cannot assign requested address|does not exist|ENOENT/;

export class UndoJournal {
  readonly #folder: string | null;
  /** In the order of the changes, by what is changed. */
  readonly #recorded = new Map<string, Recorded>();
  readonly #wanted = new Set<string>();
  #next = 0;

  /** `folder` in bpffs, made when missing; null keeps the journal in memory only. */
  constructor(folder: string | null) {
    this.#folder = folder;
    if (folder === null) return;
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder).sort()) {
      const step = readStep(join(folder, name));
      this.#next = Math.max(this.#next, Number(name) + 1);
      // A step that cannot be read is of another build; nothing can be done with it.
      if (step === null) unlinkSync(join(folder, name));
      else this.#recorded.set(keyOf(step), { name, step });
    }
  }

  get isEmpty(): boolean {
    return this.#recorded.size === 0;
  }

  /** What is recorded now, for `revertSince`. */
  mark(): ReadonlySet<string> {
    return new Set(this.#recorded.keys());
  }

  /** Takes back what was recorded after `mark`, last first. Says what could not be. */
  revertSince(mark: ReadonlySet<string>, deadlineMs: number): Promise<readonly string[]> {
    return this.#undo((key) => !mark.has(key), deadlineMs);
  }

  /** Takes back these changes, last first, where they are recorded: what was so before us stays. Says what could not be. */
  revertSteps(steps: readonly UndoStep[], deadlineMs: number): Promise<readonly string[]> {
    const keys = new Set(steps.map(keyOf));
    return this.#undo((key) => keys.has(key), deadlineMs);
  }

  has(step: UndoStep): boolean {
    return this.#recorded.has(keyOf(step));
  }

  /** Records a step for what is about to be made, or is there and of ours. An earlier record of the same stays. */
  note(step: UndoStep): void {
    const key = keyOf(step);
    this.#wanted.add(key);
    if (!this.#recorded.has(key)) this.#record(key, step);
  }

  /** What the step would undo is as it should be: when an earlier process of ours made it so, its record stays. */
  keep(step: UndoStep | { readonly of: string }): void {
    this.#wanted.add('run' in step || 'file' in step ? keyOf(step) : step.of);
  }

  /** Records the step, then makes the change; when that throws the record goes. An earlier record of the same stays. */
  async change(step: UndoStep, make: () => Promise<unknown>): Promise<void> {
    const key = keyOf(step);
    this.#wanted.add(key);
    const isNew = !this.#recorded.has(key);
    if (isNew) this.#record(key, step);
    try {
      await make();
    } catch (error) {
      if (isNew) this.#forget(key);
      throw error;
    }
  }

  /** Takes back what an earlier process changed and this one has neither kept nor changed. Says what could not be. */
  settle(deadlineMs: number): Promise<readonly string[]> {
    return this.#undo((key) => !this.#wanted.has(key), deadlineMs);
  }

  /** Takes everything back, last first. Says what could not be; calling it again does nothing. */
  async revert(deadlineMs: number): Promise<readonly string[]> {
    const failures = await this.#undo(() => true, deadlineMs);
    if (this.#folder !== null && existsSync(this.#folder)) rmdirSync(this.#folder);
    return failures;
  }

  async #undo(chosen: (key: string) => boolean, deadlineMs: number): Promise<readonly string[]> {
    const failures: string[] = [];
    for (const [key, { step }] of [...this.#recorded].reverse()) {
      if (!chosen(key)) continue;
      const failure = await take(step, deadlineMs);
      if (failure !== null && !GONE.test(failure)) failures.push(failure);
      this.#forget(key);
    }
    return failures;
  }

  #record(key: string, step: UndoStep): void {
    const name = String(this.#next++).padStart(6, '0');
    if (this.#folder !== null) symlinkSync(JSON.stringify(step), join(this.#folder, name));
    this.#recorded.set(key, { name, step });
  }

  #forget(key: string): void {
    const recorded = this.#recorded.get(key);
    this.#recorded.delete(key);
    if (recorded !== undefined && this.#folder !== null) unlinkSync(join(this.#folder, recorded.name));
  }
}

function keyOf(step: UndoStep): string {
  return 'file' in step ? step.file : (step.of ?? step.run.join(' '));
}

function readStep(path: string): UndoStep | null {
  try {
    const step: unknown = JSON.parse(readlinkSync(path));
    return isStep(step) ? step : null;
  } catch {
    return null;
  }
}

function isStep(value: unknown): value is UndoStep {
  if (typeof value !== 'object' || value === null) return false;
  if ('run' in value) {
    const isNamed = !('of' in value) || typeof value.of === 'string';
    return isNamed && Array.isArray(value.run) && value.run.every((word) => typeof word === 'string');
  }
  return (
    'file' in value &&
    typeof value.file === 'string' &&
    'content' in value &&
    typeof value.content === 'string'
  );
}

/** Why it could not be; null when it could. */
async function take(step: UndoStep, deadlineMs: number): Promise<string | null> {
  if ('run' in step) {
    const [file = '', ...args] = step.run;
    const result = await execa(file, args, { timeout: deadlineMs, reject: false });
    return result.failed
      ? `${step.run.join(' ')}: ${result.stderr || (result.shortMessage ?? 'failed')}`
      : null;
  }
  return writeFile(step.file, step.content).then(
    () => null,
    (error: unknown) => `${step.file}: ${String(error)}`,
  );
}
