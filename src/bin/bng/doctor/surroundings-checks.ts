/** What `bng doctor` asks of what is around the BNG: clock, RADIUS servers, store, secrets, the service. Changes nothing. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname } from 'node:path';
import { RadiusClient } from '../../../aaa/radius-client.js';
import { serversOf } from '../../../radius-servers.js';
import type { Config } from '../../../config/config.js';
import { secretFileProblems } from '../../../config/secret-file-checks.js';
import { isBngError } from '../../../model/bng-error.js';
import { systemClock } from '../../../model/system-clock.js';
import { RadiusAttributesBuilder } from '../../../wire/radius-attributes-builder.js';
import { Attribute } from '../../../wire/radius-dictionary.js';
import { failed, type Finding, ok, outputOf, warning } from './finding.js';

const RADIUS_USER = 'bng-doctor';
const RADIUS_DEADLINE_MS = 4_000;
const CONNECT_MS = 2_000;
const TMPFS_MAGIC = 0x01021994;
const MIB = 1024 * 1024;
const LEAST_BYTES = 64 * MIB;
const COMFORTABLE_BYTES = 512 * MIB;

export async function surroundingsFindings(
  configPath: string,
  config: Config,
  isRunning: boolean,
): Promise<readonly Finding[]> {
  const secrets = secretFindings(configPath, config);
  return [
    isRunning
      ? ok(['service'], `a BNG answers on ${config.api.socket}`)
      : warning(['service'], 'no BNG runs here', 'systemctl start bng'),
    await clock(),
    ...(await radius(config)),
    ...store(config),
    ...secrets,
  ];
}

/** Whether a BNG answers on its socket. */
export function isServing(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(socket);
    const end = (answers: boolean) => (): void => {
      connection.destroy();
      resolve(answers);
    };
    connection.setTimeout(CONNECT_MS, end(false)).on('connect', end(true)).on('error', end(false));
  });
}

/** Leases are in wall time after a reboot, and orders of an AAA server bear a time stamp. */
async function clock(): Promise<Finding> {
  const systemd = await outputOf(['timedatectl', 'show', '--property=NTPSynchronized', '--value']);
  const chrony = await outputOf(['chronyc', '-n', 'tracking']);
  if (systemd?.trim() === 'yes') return ok(['clock'], 'synchronised');
  if (chrony !== null && /^Leap status\s*: Normal$/m.test(chrony))
    return ok(['clock'], 'synchronised by chrony');
  return systemd === null && chrony === null
    ? warning(
        ['clock'],
        'neither timedatectl nor chronyc says whether it is synchronised',
        'apt install chrony',
      )
    : warning(['clock'], 'is not synchronised', 'timedatectl set-ntp true; timedatectl timesync-status');
}

/** One Access-Request to each server; any verified answer will do. Accounting is not asked: each record would be in the books. */
async function radius(config: Config): Promise<readonly Finding[]> {
  if (config.radius === null) return [];
  let servers: ReturnType<typeof serversOf>;
  try {
    servers = serversOf(config.radius, 'auth');
  } catch (error) {
    if (!isBngError(error)) throw error;
    return [failed(['radius'], 'the shared secret cannot be read, so no server can be asked', 'bng check')];
  }
  const { nasIdentifier } = config.radius;
  return Promise.all(servers.map((server) => radiusServer(server, nasIdentifier)));
}

async function radiusServer(server: ReturnType<typeof serversOf>[number], nas: string): Promise<Finding> {
  const ignored = new Set<string>();
  const client = new RadiusClient({
    servers: [server],
    clock: systemClock,
    timers: { initialRetransmitMs: 1_000, maxTransmissions: 3, deadlineMs: RADIUS_DEADLINE_MS },
    limits: { maxSockets: 1, maxQueued: 1 },
    notice: (notice) => {
      if (notice.kind === 'ignored') ignored.add(notice.explanation);
      if (notice.kind === 'socket-error') ignored.add(notice.error.message);
    },
  });
  try {
    const attributes = new RadiusAttributesBuilder()
      .add(Attribute.UserName, RADIUS_USER)
      .add(Attribute.NasIdentifier, nas)
      .build();
    const answer = await client.exchange({
      kind: 'access',
      attributes,
      password: new TextEncoder().encode(RADIUS_USER),
    });
    if (answer.kind === 'response') return ok(['radius', server.name], `answers (${answer.outcome})`);
    const why = ignored.size === 0 ? 'no answer' : [...ignored].join('; ');
    return failed(
      ['radius', server.name],
      `${why}: address, port, firewall, shared secret, or the server does not know this client`,
      `ip route get ${server.host}; tcpdump -ni any udp port ${server.port}`,
    );
  } finally {
    client.close();
  }
}

function store({ store: durable }: Config): readonly Finding[] {
  if (durable === null)
    return [
      warning(
        ['store'],
        'store.mode is memory: every session ends with the process',
        'set store.mode: durable',
      ),
    ];
  const { path } = durable;
  let folder = path;
  while (!existsSync(folder)) folder = dirname(folder);
  const subject = ['store', path] as const;
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch {
    return [failed(subject, `${folder} cannot be written`, `install -d -o bng -g bng -m 700 ${path}`)];
  }
  const { bavail, bsize, type } = statfsSync(folder);
  const free = bavail * bsize;
  const found = `${Math.floor(free / MIB)} MiB free`;
  const look = `df -h ${folder}`;
  if (free < LEAST_BYTES) return [failed(subject, `${found}: a full store takes no new session`, look)];
  if (type === TMPFS_MAGIC)
    return [
      warning(
        subject,
        `${found}, in memory: it does not outlive a reboot`,
        'set store.path to a folder on a disk',
      ),
    ];
  return [free < COMFORTABLE_BYTES ? warning(subject, found, look) : ok(subject, found)];
}

function secretFindings(configPath: string, config: Config): readonly Finding[] {
  const problems = secretFileProblems(configPath, config);
  if (problems.length === 0) return [ok(['secrets'], 'readable by their owner alone')];
  return problems.map(({ path, expected, found }) => {
    const [file = found] = found.split(' with mode ');
    const remedy =
      file === found ? `(umask 077; cat >${file}), then its one line, then Ctrl-D` : `chmod 600 ${file}`;
    return failed(['secrets', path], `${found}, expected ${expected}`, remedy);
  });
}
