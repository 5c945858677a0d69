/** `bng demo`: a whole ISP in namespaces of this machine, played and observed. */
import { demoSerial, playFullLifecycle } from '../../lab/demo/full-lifecycle.js';
import { Narrator } from '../../lab/demo/narrator.js';
import { demoUsers, radiusBooks } from '../../lab/demo/radius-books.js';
import { Lab } from '../../lab/lab.js';
import { LAB_VLANS, LabBng } from '../../lab/lab-bng.js';
import { radiusConfig, startLabRadius } from '../../lab/lab-radius.js';
import type { RadiusServer } from '../../lab/radius-server.js';
import { hasFreeRadius } from '../../lab/radius-server.js';
import { isBngError } from '../../model/bng-error.js';
import { missingRequirement } from './requirements.js';
import { aborted, stopSignal } from './stop-signal.js';

export const SCENARIOS = ['full-lifecycle'] as const;

export interface DemoOptions {
  readonly scenario: (typeof SCENARIOS)[number];
  readonly subscribers: number;
  readonly durationSeconds: number;
  /** Against FreeRADIUS in the core, whose own books are checked in the end. */
  readonly radius: boolean;
  readonly json: boolean;
  readonly keep: boolean;
  readonly prefix: string;
}

/** Returns the exit status: 0 when everything came true, 1 when not, 130 after Ctrl-C. */
export async function demo(options: DemoOptions): Promise<number> {
  const missing = missingRequirement() ?? missingRadius(options);
  if (missing !== null) {
    process.stderr.write(`${missing}\n`);
    return 1;
  }
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const narrator = new Narrator({ json: options.json, write });
  const stop = stopSignal();
  let lab: Lab | null = null;
  try {
    lab = await Lab.create({
      prefix: options.prefix,
      gardenSVlan: LAB_VLANS.wgar,
      onProgress: (message) => narrator.tell('LAB', message),
      onOltEvent: (event) =>
        narrator.tell(
          'OLT',
          `${event.type} ${event.ontSerial} port ${event.port}, VLAN ${event.sVlan}.${event.cVlan}`,
          {
            ...event,
          },
        ),
    });
    await play(lab, narrator, options, stop);
    const { failed } = narrator.finish();
    if (options.keep) await hold(lab, stop);
    return failed === 0 ? 0 : 1;
  } catch (error) {
    if (stop.aborted) return 130;
    if (!isBngError(error)) throw error;
    process.stderr.write(`the demo broke off: ${error.message}\n`);
    return 1;
  } finally {
    await lab?.close();
  }
}

function missingRadius({ radius }: DemoOptions): string | null {
  if (!radius || hasFreeRadius) return null;
  return '--radius needs FreeRADIUS, which is not installed: run make deps, or apt-get install freeradius';
}

async function play(lab: Lab, narrator: Narrator, options: DemoOptions, signal: AbortSignal): Promise<void> {
  const { subscribers, durationSeconds } = options;
  const server = options.radius ? await startRadius(lab, narrator, subscribers) : null;
  narrator.tell('LAB', `starting the BNG in ${lab.namespaces.bng}`);
  const changes = server === null ? {} : radiusConfig(lab, [server], { radius: { interimInterval: '2s' } });
  const bng = await LabBng.start(lab, changes);
  const { body } = await bng.get('/readyz');
  narrator.check('LAB', body['status'] === 'ready', `the BNG is ready: ${JSON.stringify(body)}`, {
    ready: body,
  });
  const transfers = await playFullLifecycle({ lab, bng, narrator, subscribers, durationSeconds, signal });
  if (server !== null) await radiusBooks({ server, narrator, hosts: lab.onts, transfers, signal });
}

async function startRadius(lab: Lab, narrator: Narrator, subscribers: number): Promise<RadiusServer> {
  const serials = Array.from({ length: subscribers }, (_, n) => demoSerial(n + 1));
  const server = await startLabRadius(lab, { users: demoUsers(serials) });
  narrator.tell('LAB', `FreeRADIUS at ${server.address}:${server.authPort} in ${lab.namespaces.core}`);
  return server;
}

/** Leaves everything up until Ctrl-C and says how to look at it. */
async function hold(lab: Lab, signal: AbortSignal): Promise<void> {
  const enter = `sudo nsenter --net=/run/netns/${lab.namespaces.bng}`;
  process.stdout.write(
    [
      'The lab stays up until Ctrl-C. In another terminal:',
      `  ${enter} node dist/src/bin/bngctl.js --token-file ${lab.paths.directory}/api.token sessions`,
      `  ${enter} curl -s http://127.0.0.1:9090/metrics`,
      '',
    ].join('\n'),
  );
  await aborted(signal);
}
