/** Wall time of `bng demo`, as a process: its timetable and what it takes beyond that. */
import { execa } from 'execa';
import { labProgram } from '../../src/lab/lab-paths.js';
import { removeLab } from '../../src/lab/lab-removal.js';
import { BngError } from '../../src/model/bng-error.js';
import type { BenchContext } from './bench-context.js';
import type { Figure } from './figure.js';

/** The shortest timetable that the demo takes. */
const SECONDS = 15;
const SUBSCRIBERS = 10;
const TIMEOUT_MS = 90_000;

export async function benchDemo(context: BenchContext): Promise<readonly Figure[]> {
  const prefix = `${context.prefix}m`;
  const walls: number[] = [];
  for (let run = 0; run < (context.quick ? 1 : 3); run++) {
    context.progress(`run ${run + 1}, ${SUBSCRIBERS} subscribers, timetable of ${SECONDS} s`);
    const began = performance.now();
    const options = ['--subscribers', `${SUBSCRIBERS}`, '--duration', `${SECONDS}`, '--prefix', prefix];
    const demo = execa(process.execPath, [labProgram('../bin/bng.js'), 'demo', ...options], {
      reject: false,
      timeout: TIMEOUT_MS,
    });
    // Asked to stop, the demo takes its lab down itself; what a killed one left is removed here.
    context.onClose(async () => {
      demo.kill('SIGTERM', new Error('the bench ends'));
      await demo;
      await removeLab(prefix);
    });
    const { exitCode, stdout, stderr } = await demo;
    if (exitCode !== 0) {
      throw new BngError('BNG_ERR_LAB', 'expected the demo to come true', {
        exitCode: exitCode ?? null,
        output: stdout.slice(-500) + stderr.slice(-500),
      });
    }
    walls.push((performance.now() - began) / 1000);
  }
  const figure = (name: string, values: number[]): Figure => ({ bench: 'demo', name, unit: 's', values });
  return [
    figure(`bng demo --subscribers ${SUBSCRIBERS} --duration ${SECONDS}`, walls),
    figure(
      'beyond its timetable',
      walls.map((seconds) => seconds - SECONDS),
    ),
  ];
}
