/**
 * Kea, Debian's DHCP server, on this machine in the same run: with a memfile, loaded by its own perfdhcp, which speaks as a relay.
 * What the load bench is compared with. Nothing of ours is asked here.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child, execOrThrow, shell } from '../../src/lab/exec.js';
import { BngError } from '../../src/model/bng-error.js';
import type { BenchContext } from './bench-context.js';
import type { BenchWorld } from './bench-world.js';
import type { Figure } from './figure.js';

const SERVER = '/usr/sbin/kea-dhcp4';
const LOADER = '/usr/sbin/perfdhcp';
const SERVER_ADDRESS = '192.0.2.2';
const RELAY_ADDRESS = '192.0.2.1';
const READY_MS = 10_000;
const POLL_MS = 50;
const SECONDS = 3;
/** Asked for, one after the other: the most that is answered of any is the figure. */
const RATES = [4_000, 8_000, 12_000, 16_000];

/** None, with a word why, where Kea is not installed. `folder` is where it keeps its leases. */
export async function benchKea(
  context: BenchContext,
  world: BenchWorld,
  folder: string,
): Promise<readonly Figure[]> {
  const missing = [SERVER, LOADER].find((program) => !existsSync(program));
  if (missing !== undefined) {
    context.progress(`Kea: skipped: ${missing} is not there; apt install kea-dhcp4-server kea-admin`);
    return [];
  }
  await shell(
    `ip link add kea0 type veth peer name kea1 netns ${world.namespaces.bng}
    ip addr add ${RELAY_ADDRESS}/24 dev kea0
    ip link set kea0 up`,
    { namespace: world.namespaces.ont },
  );
  await shell(`ip addr add ${SERVER_ADDRESS}/24 dev kea1\nip link set kea1 up`, {
    namespace: world.namespaces.bng,
  });
  await carrier(world);
  const values: number[] = [];
  for (let run = 0; run < (context.quick ? 2 : 3); run++) values.push(await mostOf(context, world, folder));
  return [
    {
      bench: 'load',
      name: 'Kea beside it: DORA, most',
      unit: '1/s',
      values,
      note: 'kea-dhcp4 2 with memfile, multi-threaded, loaded by perfdhcp as a relay: leases written, not synced to the disk; nothing installed',
    },
  ];
}

/** Kea listens on what is up when it starts, and nowhere else. */
async function carrier({ namespaces }: BenchWorld): Promise<void> {
  const deadline = performance.now() + READY_MS;
  const isUp = async (): Promise<boolean> =>
    (await execOrThrow(['ip', '-o', 'link', 'show', 'kea1'], { namespace: namespaces.bng })).includes(
      'state UP',
    );
  while (!(await isUp())) {
    if (performance.now() > deadline)
      throw new BngError('BNG_ERR_DEADLINE', 'expected the link to Kea to be up');
    await sleep(POLL_MS);
  }
}

/** A server that has leased nothing yet, and what it answers of each rate. */
async function mostOf(context: BenchContext, world: BenchWorld, folder: string): Promise<number> {
  const own = join(folder, 'kea');
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { recursive: true });
  const configFile = join(own, 'kea.json');
  writeFileSync(configFile, JSON.stringify(configuration(own)));
  const logFile = world.paths.logFile('kea');
  const environment = ['env', `KEA_PIDFILE_DIR=${own}`, `KEA_LOCKFILE_DIR=${own}`];
  const child = new Child([...environment, SERVER, '-c', configFile], {
    namespace: world.namespaces.bng,
    logFile,
  });
  try {
    await ready(child, logFile);
    const found: number[] = [];
    for (const [at, rate] of RATES.entries()) {
      const answered = await answeredOf(world, rate, at);
      context.progress(`Kea, asked ${rate}/s: ${Math.round(answered)}/s`);
      found.push(answered);
    }
    return Math.max(...found);
  } finally {
    await child.stop('SIGTERM', READY_MS);
  }
}

async function ready(child: Child, logFile: string): Promise<void> {
  const deadline = performance.now() + READY_MS;
  while (!readFileSync(logFile, 'utf8').includes('DHCP4_STARTED')) {
    if (!child.isRunning || performance.now() > deadline) {
      const log = readFileSync(logFile, 'utf8').slice(-1000);
      throw new BngError('BNG_ERR_LAB', 'expected Kea to start', { log });
    }
    await sleep(POLL_MS);
  }
}

/** Exchanges a second that ended with an ACK. Each call plays clients of its own. */
async function answeredOf(world: BenchWorld, rate: number, call: number): Promise<number> {
  const base = `mac=02:20:${String(call).padStart(2, '0')}:00:00:00`;
  const paced = ['-r', String(rate), '-R', '1000000', '-p', String(SECONDS), '-W', '1'];
  // It exits with 3 when anything was not answered, which is what the highest rates are for.
  const command = `${LOADER} -4 -l kea0 ${paced.join(' ')} -b ${base} ${SERVER_ADDRESS} || [ $? -eq 3 ]`;
  const stdout = await execOrThrow(['sh', '-c', command], {
    namespace: world.namespaces.ont,
    timeoutMs: (SECONDS + 10) * 1000,
  });
  const [, found] = /Rate: ([0-9.]+) 4-way/.exec(stdout) ?? [];
  if (found === undefined) throw new BngError('BNG_ERR_LAB', 'expected a rate of perfdhcp', { stdout });
  return Number(found);
}

function configuration(folder: string): object {
  return {
    Dhcp4: {
      'interfaces-config': { interfaces: ['kea1'], 'dhcp-socket-type': 'udp' },
      'lease-database': {
        type: 'memfile',
        persist: true,
        name: join(folder, 'leases.csv'),
        'lfc-interval': 0,
      },
      'valid-lifetime': 86_400,
      'multi-threading': { 'enable-multi-threading': true },
      subnet4: [
        {
          id: 1,
          subnet: '10.0.0.0/12',
          pools: [{ pool: '10.0.0.2 - 10.15.255.254' }],
          relay: { 'ip-addresses': [RELAY_ADDRESS] },
        },
      ],
      loggers: [{ name: 'kea-dhcp4', severity: 'INFO', output_options: [{ output: 'stdout' }] }],
    },
  };
}
