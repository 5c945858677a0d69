/** `bng lab up|down`: the lab with a running BNG, held by a background process until it is taken down. */
import { openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { Lab } from '../../lab/lab.js';
import { removeLab } from '../../lab/lab-removal.js';
import { LAB_VLANS, LabBng } from '../../lab/lab-bng.js';
import { LabPaths, labProgram } from '../../lab/lab-paths.js';
import { livingOwner } from '../../lab/ownership.js';
import { isBngError } from '../../model/bng-error.js';
import { missingRequirement } from './requirements.js';
import { aborted, stopSignal } from './stop-signal.js';

export interface LabCommandOptions {
  readonly prefix: string;
  readonly subscribers: number;
}

const UP_DEADLINE_MS = 60_000;
const DOWN_DEADLINE_MS = 20_000;
const POLL_MS = 50;

/** Starts the keeper in the background and returns when the lab is up: 0, or 1 with the reason on standard error. */
export async function labUp({ prefix, subscribers }: LabCommandOptions): Promise<number> {
  const missing = missingRequirement();
  if (missing !== null) return fail(missing);
  const paths = new LabPaths(prefix);
  if (livingOwner(paths.ownerFile) !== null)
    return fail(`the lab ${prefix} is up already (bng lab down takes it down)`);
  const log = `/tmp/bng-lab-${prefix}.log`;
  const output = openSync(log, 'w', 0o600);
  const args = ['lab', 'hold', '--prefix', prefix, '--subscribers', String(subscribers)];
  const keeper = spawn(process.execPath, [labProgram('../bin/bng.js'), ...args], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  });
  const outcome = await Promise.race([
    new Promise<string>((resolve) => keeper.once('message', () => resolve('up'))),
    new Promise<string>((resolve) => keeper.once('exit', () => resolve(`it could not be built; see ${log}`))),
    sleep(UP_DEADLINE_MS, `it was not up within ${UP_DEADLINE_MS} ms; see ${log}`, { ref: false }),
  ]);
  if (outcome !== 'up') {
    keeper.kill();
    return fail(outcome);
  }
  keeper.disconnect();
  keeper.unref();
  const enter = `sudo nsenter --net=/run/netns/${prefix}-bng`;
  process.stdout.write(
    [
      `The lab ${prefix} is up with ${subscribers} ONTs; logs are in ${paths.directory}.`,
      `  ${enter} node dist/src/bin/bngctl.js --token-file ${paths.directory}/api.token sessions`,
      `  sudo nsenter --net=/run/netns/${prefix}-ont1 curl -s http://192.0.2.80/`,
      '  sudo node dist/src/bin/bng.js lab down',
      '',
    ].join('\n'),
  );
  return 0;
}

/** The keeper: builds the lab, tells its parent, and holds it until SIGTERM. */
export async function labHold({ prefix, subscribers }: LabCommandOptions): Promise<number> {
  const stop = stopSignal();
  const lab = await Lab.create({ prefix, gardenSVlan: LAB_VLANS.wgar });
  try {
    await LabBng.start(lab);
    for (let n = 1; n <= subscribers && !stop.aborted; n++) {
      const ontSerial = `LAB${String(n).padStart(8, '0')}`;
      await lab.plug({ ontSerial, port: `1/1/${n}`, tagging: 'qinq', cVlan: n, client: 'udhcpc' });
    }
    process.send?.('up');
    await aborted(stop);
    return 0;
  } finally {
    await lab.close();
  }
}

/** Ends the keeper, removes what may be left, and returns when nothing is. Taking down what is not up is fine. */
export async function labDown(prefix: string): Promise<number> {
  const { ownerFile } = new LabPaths(prefix);
  const owner = livingOwner(ownerFile);
  if (owner !== null) process.kill(owner, 'SIGTERM');
  const deadline = performance.now() + DOWN_DEADLINE_MS;
  while (livingOwner(ownerFile) !== null) {
    if (performance.now() > deadline)
      return fail(`process ${owner ?? ''} holds the lab ${prefix} and does not end`);
    await sleep(POLL_MS);
  }
  try {
    await removeLab(prefix);
  } catch (error) {
    if (!isBngError(error)) throw error;
    return fail(error.message);
  }
  process.stdout.write(`The lab ${prefix} is down.\n`);
  return 0;
}

function fail(reason: string): number {
  process.stderr.write(`${reason}\n`);
  return 1;
}
