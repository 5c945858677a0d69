/** What a lab has in the kernel and on disk while it lives, and what of that is still there later. Ends nothing. */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { exec } from '../../src/lab/exec.js';
import { LabPaths } from '../../src/lab/lab-paths.js';
import { listNamespaces, processesIn } from '../../src/lab/namespaces.js';

const programsSchema = z.array(
  z.looseObject({ id: z.int(), pids: z.array(z.looseObject({ pid: z.int() })).optional() }),
);

async function programs(): Promise<z.infer<typeof programsSchema>> {
  const { exitCode, stdout, stderr } = await exec(['bpftool', '-j', 'prog', 'show']);
  if (exitCode !== 0) throw new Error(`bpftool prog show: ${stderr}`);
  return programsSchema.parse(JSON.parse(stdout));
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
    const held = (await programs()).filter(({ pids: holders = [] }) =>
      holders.some(({ pid }) => pids.includes(pid)),
    );
    const attached = await Promise.all(names.map(attachedIn));
    const ids = new Set([...held.map(({ id }) => id), ...attached.flat()]);
    return new LabRemains(new LabPaths(prefix), pids, [...ids]);
  }

  get noted(): { readonly processes: number; readonly programs: number } {
    return { processes: this.#pids.length, programs: this.#programs.length };
  }

  /** What of it is left; empty when nothing is. */
  async left(): Promise<string[]> {
    const present = new Set((await programs()).map(({ id }) => id));
    const { directory, ownerFile, bpffsDirectory, prefix } = this.#paths;
    return [
      ...listNamespaces(`${prefix}-`).map((name) => `namespace ${name}`),
      ...this.#pids.filter((pid) => existsSync(`/proc/${pid}/ns/net`)).map((pid) => `process ${pid}`),
      ...this.#programs.filter((id) => present.has(id)).map((id) => `program ${id}`),
      ...[directory, ownerFile, bpffsDirectory].filter((path) => existsSync(path)),
    ];
  }
}
