/** Orders by the API's socket, as a portal or a billing system gives them: many at once, each timed. */
import { Agent, request } from 'node:http';
import { BngError } from '../../src/model/bng-error.js';
import { quantile } from './figure.js';
import { serialOf } from './ont-frames.js';

const AT_ONCE = 32;

/** Activates ONTs 0 to `onts - 1`. Throws `BNG_ERR_LAB` when one is refused. */
export async function activateAll(options: {
  readonly socketPath: string;
  readonly onts: number;
  readonly pool: string;
}): Promise<{ readonly perSecond: number; readonly p99Ms: number }> {
  const { socketPath, onts, pool } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const took: number[] = [];
  const began = performance.now();
  let next = 0;
  const caller = async (): Promise<void> => {
    while (next < onts) {
      const ont = next;
      next += 1;
      const asked = performance.now();
      await post({ agent, socketPath }, order(ont, pool));
      took.push(performance.now() - asked);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  const elapsedMs = performance.now() - began;
  agent.destroy();
  return { perSecond: (onts / elapsedMs) * 1000, p99Ms: quantile(took, 0.99) };
}

function order(ont: number, pool: string): string {
  return JSON.stringify({
    ont_serial: serialOf(ont),
    service_id: 'home-100',
    pool,
    qos_download_bps: 100_000_000,
    qos_upload_bps: 50_000_000,
  });
}

function post(to: { readonly agent: Agent; readonly socketPath: string }, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const call = request({ ...to, path: '/api/v1/activate', method: 'POST', headers }, (answer) => {
      answer.resume();
      const { statusCode: status } = answer;
      if (status === 200) answer.on('end', resolve);
      else reject(new BngError('BNG_ERR_LAB', 'expected the order to be accepted', { status: status ?? 0 }));
    });
    call.on('error', reject);
    call.end(body);
  });
}
