/**
 * A process that accounts for 50 sessions at once until it is killed. Says on stdout what is durable: `start ID`, `stop ID`.
 * argv: store folder, server port, run number; a run of `drain` sends what is left and says `drained`.
 */
import { RadiusAccounting } from '../../src/aaa/radius-accounting.js';
import { RadiusAccountingSender } from '../../src/aaa/accounting-senders.js';
import { RadiusClient } from '../../src/aaa/radius-client.js';
import { systemClock } from '../../src/model/system-clock.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import { accountingSession, NAS, openStore, traffic } from './accounting-world.js';

const SESSIONS = 50;
const [, , folder = '', port = '', run = ''] = process.argv;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const store = await openStore(folder);
if (store.damage !== null) say(`damage ${store.damage.problem}`);
const client = new RadiusClient({
  clock: systemClock,
  servers: [
    {
      name: 'fake',
      host: '127.0.0.1',
      port: Number(port),
      secret: new RadiusSecret('s'),
      requireMessageAuthenticator: false,
    },
  ],
  timers: { initialRetransmitMs: 40, maxRetransmitMs: 200, deadlineMs: 2_000, deadMs: 200 },
});
const opened = await RadiusAccounting.open({
  store,
  sender: new RadiusAccountingSender({ client, nas: NAS }),
  clock: systemClock,
  nas: NAS,
  interimIntervalSeconds: 300,
  bootId: 'boot',
  limits: { firstRetryMs: 20, lastRetryMs: 200, lastProbeMs: 50 },
});
if (!opened.ok) throw new Error(opened.failure.reason);
const accounting = opened.value;
await accounting.closeLost(new Set());

async function durably(what: string): Promise<void> {
  const failure = await accounting.stored();
  if (failure !== null) throw new Error(failure.reason);
  say(what);
}

async function one(id: string): Promise<void> {
  const started = Date.now();
  const session = accountingSession(id, started);
  const usage = (bytes: bigint): { traffic: ReturnType<typeof traffic>; durationMs: number } => ({
    traffic: traffic(bytes),
    durationMs: Date.now() - started,
  });
  accounting.start(session);
  await durably(`start ${id}`);
  for (let bytes = 5_000_000_000n; bytes < 5_000_003_000n; bytes += 1_000n) {
    accounting.interim(session, usage(bytes));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 6));
  }
  accounting.stop(session, { ...usage(5_000_004_000n), cause: 'User-Request' });
  await durably(`stop ${id}`);
}

if (run === 'drain') {
  await accounting.close(30_000);
  say(`drained ${accounting.figures().length}`);
  client.close();
  await store.close();
} else {
  await Promise.all(
    Array.from({ length: SESSIONS }, async (_, index) => {
      for (let use = 0; ; use += 1) await one(`r${run}-s${index}-u${use}`);
    }),
  );
}
