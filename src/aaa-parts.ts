/**
 * Builds authentication, accounting and the AAA server's orders from the configuration: the part of the composition root that
 * concerns AAA. No domain rules.
 */
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import type { Logger } from 'pino';
import { LogAccountingSender, RadiusAccountingSender } from './aaa/accounting-senders.js';
import { CoaServer } from './aaa/coa-server.js';
import { LocalAuthenticator } from './aaa/local-authenticator.js';
import { LoggedAccounting } from './aaa/logged-accounting.js';
import type { Accounting, Authenticator, AuthorizationInlet } from './aaa/port.js';
import { ACCOUNTING_TABLES, RadiusAccounting } from './aaa/radius-accounting.js';
import { RadiusAuthenticator } from './aaa/radius-authenticator.js';
import { RadiusClient } from './aaa/radius-client.js';
import type { RadiusNas } from './aaa/radius-nas-attributes.js';
import type { RadiusServer } from './aaa/radius-settings.js';
import { parseUserNameFormat } from './aaa/radius-user-name.js';
import type { Config, RadiusConfig } from './config/config.js';
import { readSecretFile } from './config/secret-file.js';
import { walledProfile } from './config/walled-profile.js';
import { BngError } from './model/bng-error.js';
import { systemClock } from './model/clock.js';
import type { Ipv4 } from './model/ipv4.js';
import { parseIpv4 } from './model/ipv4.js';
import { SqliteStore } from './store/sqlite-store.js';
import { RadiusSecret } from './wire/radius-secret.js';

/** How long accounting may go on sending when the BNG stops; what is left is sent by the next run. */
const LAST_WORDS_MS = 5_000;
const DEFAULT_INTERIM_SECONDS = 300;

/** What `bngctl radius` and the metrics read. */
export interface AaaInspection {
  readonly authentication: RadiusClient | null;
  readonly accounting: RadiusClient | null;
  readonly authenticator: RadiusAuthenticator | null;
  readonly queue: RadiusAccounting | null;
}

export interface AaaParts {
  readonly authenticator: Authenticator;
  readonly accounting: Accounting;
  readonly inspection: AaaInspection;
  /** As every request and every answer names this NAS. */
  readonly nas: RadiusNas;
  /** Stops in the opposite order of opening; after every session has ended. */
  readonly close: () => Promise<void>;
}

/** Opens all of it; what was opened is closed again when a later part fails. Throws `BNG_ERR_CONFIG`, `BNG_ERR_STORE`. */
export async function openAaa(
  config: Config,
  logger: Logger,
  interfaceName: RadiusNas['interfaceName'],
): Promise<AaaParts> {
  const closers: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).reverse()) await step();
  };
  try {
    return await open(config, logger, { closers, close, interfaceName });
  } catch (error) {
    await close();
    throw error;
  }
}

interface Opening {
  readonly closers: (() => void | Promise<void>)[];
  readonly close: () => Promise<void>;
  readonly interfaceName: RadiusNas['interfaceName'];
}

async function open(
  config: Config,
  logger: Logger,
  { closers, close, interfaceName }: Opening,
): Promise<AaaParts> {
  const nas = { ...(await nasOf(config)), interfaceName, soleInterface: soleOf(config.access.interfaces) };
  let queue: RadiusAccounting | null = null;
  const clientFor = (role: 'auth' | 'acct'): RadiusClient | null => {
    if (config.radius === null) return null;
    const wanted = role === 'auth' ? config.auth.mode : config.accounting.mode;
    if (wanted !== 'radius') return null;
    const client = new RadiusClient({
      servers: serversOf(config.radius, role),
      clock: systemClock,
      timers: config.radius.timers,
      limits: config.radius.limits,
      notice: (notice) => logger.warn({ event: `radius-${notice.kind}`, role, ...notice }),
      // Accounting hears of its own answers by its own exchanges.
      ...(role === 'auth' && { answered: () => queue?.serverAnswered() }),
    });
    closers.push(() => client.close());
    return client;
  };
  const authentication = clientFor('auth');
  const accountingClient = clientFor('acct');
  const interimIntervalSeconds = config.radius?.interimIntervalSeconds ?? DEFAULT_INTERIM_SECONDS;
  const write = (record: object): void => logger.info({ event: 'accounting', ...record });
  const books: Books = { nas, write, interimIntervalSeconds };
  queue = await openQueue(config, logger, { ...books, client: accountingClient, closers });
  const garden = walledProfile(config);
  const authenticator =
    authentication === null || config.radius === null
      ? new LocalAuthenticator({ ...config.auth, gardenPool: garden.poolName })
      : new RadiusAuthenticator({
          client: authentication,
          nas,
          userName: parseUserNameFormat(config.auth.userName),
          defaultPool: config.auth.defaultPool,
          garden,
          profiles: new Map(Object.entries(config.radius.filters)),
          onReject: config.auth.onReject,
          onTimeout: config.auth.onTimeout,
        });
  const silent = config.accounting.mode === 'none';
  return {
    authenticator,
    nas,
    accounting: queue ?? new LoggedAccounting({ ...books, write: silent ? () => undefined : write }),
    inspection: {
      authentication,
      accounting: accountingClient,
      authenticator: authenticator instanceof RadiusAuthenticator ? authenticator : null,
      queue,
    },
    close,
  };
}

/** What every kind of accounting is told. */
interface Books {
  readonly nas: RadiusNas;
  readonly write: (record: object) => void;
  readonly interimIntervalSeconds: number;
}

/** The durable queue, where there is a store; null where records go straight to the log, or nowhere. */
async function openQueue(
  config: Config,
  logger: Logger,
  parts: Books & { readonly client: RadiusClient | null; readonly closers: Opening['closers'] },
): Promise<RadiusAccounting | null> {
  if (config.store === null || config.accounting.mode === 'none') return null;
  const store = await SqliteStore.open({
    path: config.store.path,
    tables: ACCOUNTING_TABLES,
    wallMs: systemClock.wallMs(),
  });
  if (!store.ok) throw storeError(config.store.path, store.failure.reason);
  parts.closers.push(() => store.value.close());
  if (store.value.damage !== null) logger.error({ event: 'store-damaged', ...store.value.damage });
  const { nas, write, interimIntervalSeconds, client } = parts;
  const accounting = await RadiusAccounting.open({
    store: store.value,
    sender:
      client === null ? new LogAccountingSender({ write }) : new RadiusAccountingSender({ client, nas }),
    clock: systemClock,
    limits: { coalesceAbove: config.accounting.queueLimit },
    notice: (notice) => logger.warn({ event: `accounting-${notice.kind}`, ...notice }),
    nas,
    interimIntervalSeconds,
  });
  if (!accounting.ok) throw storeError(config.store.path, accounting.failure.reason);
  const queue = accounting.value;
  queue.announce('On');
  // No session outlives the process yet, so every one that an earlier run left open has ended with it.
  const lost = queue.closeLost(new Set());
  if (lost > 0) logger.warn({ event: 'accounting-lost-sessions-closed', count: lost });
  parts.closers.push(async () => {
    queue.announce('Off');
    const failure = await queue.close(LAST_WORDS_MS);
    if (failure !== null) logger.error({ event: 'accounting-not-stored', ...failure });
  });
  return queue;
}

/** Opens the inlet for the AAA server's orders; null when none is configured. */
export async function openCoa(
  config: Config,
  options: { nas: RadiusNas; inlet: AuthorizationInlet; logger: Logger; onBug: (error: unknown) => void },
): Promise<CoaServer | null> {
  const { radius } = config;
  const coa = radius?.coa ?? null;
  if (radius === null || coa === null) return null;
  const { nas, inlet, logger, onBug } = options;
  return CoaServer.listen({
    ...coa,
    inlet,
    clients: coa.clients.map(({ secretFile, ...client }) => ({
      ...client,
      secret: new RadiusSecret(readSecretFile(secretFile)),
    })),
    nasIdentifier: nas.identifier,
    nasIpAddress: nas.address,
    filters: new Map(Object.entries(radius.filters)),
    clock: systemClock,
    onAnswered: (report) => logger.info({ event: 'coa-answered', ...report }),
    onBug,
  });
}

function serversOf(radius: RadiusConfig, role: 'auth' | 'acct'): RadiusServer[] {
  return radius.servers.map((server) => {
    const port = role === 'auth' ? server.authPort : server.acctPort;
    return {
      name: `${server.host}:${port}`,
      host: server.host,
      port,
      secret: new RadiusSecret(readSecretFile(server.secretFile)),
      requireMessageAuthenticator: server.requireMessageAuthenticator,
    };
  });
}

async function nasOf(config: Config): Promise<Pick<RadiusNas, 'identifier' | 'address'>> {
  const host = config.radius?.servers[0]?.host;
  return {
    identifier: config.radius?.nasIdentifier ?? 'bng',
    address: config.radius?.nasIpAddress ?? (await addressTowards(host ?? '127.0.0.1')),
  };
}

/** The address that the kernel would send from to `host`: connecting a UDP socket asks the routing table and sends nothing. */
async function addressTowards(host: string): Promise<Ipv4> {
  const socket = createSocket('udp4');
  try {
    socket.connect(9, host);
    await once(socket, 'connect');
    return parseIpv4(socket.address().address);
  } catch (error) {
    throw new BngError(
      'BNG_ERR_CONFIG',
      'expected a route to the first RADIUS server, or radius.nasIpAddress',
      { host },
      error,
    );
  } finally {
    socket.close();
  }
}

function storeError(path: string, reason: string): BngError {
  return new BngError('BNG_ERR_STORE', `the store cannot be used: ${reason}`, { path });
}

function soleOf(interfaces: readonly string[]): string | null {
  const [first = null, ...others] = interfaces;
  return others.length === 0 ? first : null;
}
