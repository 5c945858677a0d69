/** What a lab has in the kernel and on disk while it lives, and what of that is still there later. Ends nothing. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { exec } from '../../src/lab/exec.js';
import { LabPaths } from '../../src/lab/lab-paths.js';
import { listNamespaces, processesIn } from '../../src/lab/namespaces.js';

const programsSchema = z.array(z.looseObject({ id: z.int() }));

/** Ids of every program in the kernel. */
async function programs(): Promise<number[]> {
  const { exitCode, stdout, stderr } = await exec(['bpftool', '-j', 'prog', 'show']);
  if (exitCode !== 0) throw new Error(`bpftool prog show: ${stderr}`);
  return programsSchema.parse(JSON.parse(stdout)).map(({ id }) => id);
}

/** Ids of the programs that a process has open, or a link of theirs. bpftool tells pids of another pid namespace than ours. */
function heldBy(pid: number): number[] {
  const folder = `/proc/${pid}/fdinfo`;
  const texts = (orNothing(() => readdirSync(folder)) ?? []).map(
    (fd) => orNothing(() => readFileSync(`${folder}/${fd}`, 'utf8')) ?? '',
  );
  return texts.flatMap((text) => [...text.matchAll(/^prog_id:\s+([0-9]+)$/gm)].map(([, id]) => Number(id)));
}

/** What a process shows of itself; undefined when it ended, or closed the descriptor, while we looked. */
function orNothing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Ids of the programs that are attached to interfaces of a namespace, by XDP or tc. */
async function attachedIn(namespace: string): Promise<number[]> {
  const { stdout } = await exec(['bpftool', '-j', 'net', 'show'], { namespace });
  return [...stdout.matchAll(/"id":([0-9]+)/g)].map((match) => Number(match[1]));
}

export class LabRemains {
  readonly #paths: LabPaths;
  readonly #pids: readonly number[];
  readonly #programs: readonly number[];

  private constructor(paths: LabPaths, pids: readonly number[], programIds: readonly number[]) {
    this.#paths = paths;
    this.#pids = pids;
    this.#programs = programIds;
  }

  /** Takes down what the lab with `prefix` has now: its processes, and the BPF programs that they hold or attached. */
  static async note(prefix: string): Promise<LabRemains> {
    const names = listNamespaces(`${prefix}-`);
    const pids = processesIn(names);
    const attached = await Promise.all(names.map(attachedIn));
    const ids = new Set([...pids.flatMap(heldBy), ...attached.flat()]);
    return new LabRemains(new LabPaths(prefix), pids, [...ids]);
  }

  get noted(): { readonly processes: number; readonly programs: number } {
    return { processes: this.#pids.length, programs: this.#programs.length };
  }

  /** What of it is left; empty when nothing is. */
  async left(): Promise<string[]> {
    const present = new Set(await programs());
    const { directory, ownerFile, bpffsDirectory, prefix } = this.#paths;
    return [
      ...listNamespaces(`${prefix}-`).map((name) => `namespace ${name}`),
      ...this.#pids.filter((pid) => existsSync(`/proc/${pid}/ns/net`)).map((pid) => `process ${pid}`),
      ...this.#programs.filter((id) => present.has(id)).map((id) => `program ${id}`),
      ...[directory, ownerFile, bpffsDirectory].filter((path) => existsSync(path)),
    ];
  }
}
