/** Reads a Dockerfile as far as ours goes: stages with their steps. Runs nothing; an instruction that is not known is refused. */
import { readFileSync } from 'node:fs';

export interface DockerStep {
  readonly verb: 'RUN' | 'COPY' | 'ENV' | 'WORKDIR' | 'ENTRYPOINT' | 'CMD';
  readonly text: string;
}

export interface DockerStage {
  readonly from: string;
  readonly name: string | null;
  readonly steps: readonly DockerStep[];
}

const VERBS: readonly string[] = ['RUN', 'COPY', 'ENV', 'WORKDIR', 'ENTRYPOINT', 'CMD'];

export function dockerStages(path: string): readonly DockerStage[] {
  const stages: { from: string; name: string | null; steps: DockerStep[] }[] = [];
  for (const line of readFileSync(path, 'utf8').replaceAll('\\\n', ' ').split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, verb = '', text = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    const from = /^(\S+)(?: AS (\S+))?$/.exec(text);
    if (verb === 'FROM' && from !== null) stages.push({ from: from[1]!, name: from[2] ?? null, steps: [] });
    else if (VERBS.includes(verb)) stages.at(-1)?.steps.push({ verb: verb as DockerStep['verb'], text });
    else throw new Error(`not known here: ${line}`);
  }
  return stages;
}

/** The stage of that name, with the steps of those of our own that it is made from in front. */
export function wholeStage(stages: readonly DockerStage[], name: string): DockerStage {
  const stage = stages.find((one) => one.name === name);
  if (stage === undefined) throw new Error(`no stage ${name}`);
  if (!stages.some((one) => one.name === stage.from)) return stage;
  const below = wholeStage(stages, stage.from);
  return { from: below.from, name, steps: [...below.steps, ...stage.steps] };
}

/** ENTRYPOINT or CMD, the last of them. */
export function commandOf({ steps }: DockerStage, verb: 'ENTRYPOINT' | 'CMD'): readonly string[] {
  const text = steps.filter((step) => step.verb === verb).at(-1)?.text ?? '[]';
  return JSON.parse(text) as readonly string[];
}
