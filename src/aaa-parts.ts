/**
 * Builds authentication and accounting from the configuration: the part of the composition root that concerns AAA. No domain
 * rules. The AAA server's orders come in through `coa-parts.ts`, when there are sessions to give them to.
 */
import { once } from 'node:events';
import { createSocket } from 'node:dgram';
import { logEvent } from './log-events.js';
import { linesWritten } from './log-lines.js';
import type { Logger } from 'pino';
import { AccountingWriter } from './aaa/accounting-writer.js';
import { LogAccountingSender, RadiusAccountingSender } from './aaa/accounting-senders.js';
import { LocalAuthenticator } from './aaa/local-authenticator.js';
import { LoggedAccounting } from './aaa/logged-accounting.js';
import type { Accounting, Authenticator } from './aaa/port.js';
import { RadiusAccounting } from './aaa/radius-accounting.js';
import { RadiusAuthenticator } from './aaa/radius-authenticator.js';
import { RadiusClient } from './aaa/radius-client.js';
import { RadiusJournal } from './aaa/radius-journal.js';
import type { RadiusNas } from './aaa/radius-nas-attributes.js';
import { parseUserNameFormat } from './aaa/radius-user-name.js';
import type { Config } from './config/config.js';
import { walledProfile } from './config/walled-profile.js';
import { BngError } from './model/bng-error.js';
import { systemClock } from './model/system-clock.js';
import type { Ipv4 } from './model/ipv4.js';
import { parseIpv4 } from './model/ipv4.js';
import type { Commits, Store } from './store/port.js';
import { serversOf } from './radius-servers.js';
import { storeError } from './store-parts.js';

/** How long accounting may go on sending when the BNG stops; what is left is sent by the next run. */
const LAST_WORDS_MS = 5_000;
const DEFAULT_INTERIM_SECONDS = 300;

/** What a start asks of the books that an earlier run has left. */
export type Books = Pick<RadiusAccounting, 'begin' | 'begun' | 'closeLost' | 'closing'>;

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
  /** The last exchanges of each subscriber; null without RADIUS. */
  readonly journal: RadiusJournal | null;
  /** Other records, pools and policies for later authentications. */
  readonly reconfigureAuthenticator: (config: Config) => void;
  /** As every request and every answer names this NAS. */
  readonly nas: RadiusNas;
  /** What the store's writes go through; null where nothing outlives us. */
  readonly commits: Commits | null;
  /** The books of an earlier run; null where nothing is kept of them. */
  readonly books: Books | null;
  /** Every session has ended, and the server is told so: Accounting-Off. */
  readonly end: () => void;
  /** Stops in the opposite order of opening; after every session has ended. */
  readonly close: () => Promise<void>;
}

/** What AAA is opened with beside the configuration. */
export interface AaaSurroundings {
  readonly logger: Logger;
  /** Null where nothing outlives us. */
  readonly store: Store | null;
  readonly bootId: string;
  readonly interfaceName: RadiusNas['interfaceName'];
}

/** Opens all of it; what was opened is closed again when a later part fails. Throws `BNG_ERR_CONFIG`, `BNG_ERR_STORE`. */
export async function openAaa(config: Config, around: AaaSurroundings): Promise<AaaParts> {
  const closers: (() => void | Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).reverse()) await step();
  };
  try {
    return await open(config, around, { closers, close });
  } catch (error) {
    await close();
    throw error;
  }
}

interface Opening {
  readonly closers: (() => void | Promise<void>)[];
  readonly close: () => Promise<void>;
}

async function open(config: Config, around: AaaSurroundings, { closers, close }: Opening): Promise<AaaParts> {
  const { logger, store } = around;
  const nas = {
    ...(await nasOf(config)),
    interfaceName: around.interfaceName,
    soleInterface: soleOf(config.access.interfaces),
  };
  let queue: RadiusAccounting | null = null;
  const journal = config.radius === null ? null : new RadiusJournal({ clock: systemClock });
  const noted = journal === null ? {} : { journal };
  const clientFor = (role: 'auth' | 'acct'): RadiusClient | null => {
    if (config.radius === null) return null;
    const wanted = role === 'auth' ? config.auth.mode : config.accounting.mode;
    if (wanted !== 'radius') return null;
    const client = new RadiusClient({
      servers: serversOf(config.radius, role),
      clock: systemClock,
      timers: config.radius.timers,
      limits: config.radius.limits,
      notice: (notice) => logEvent(logger, `radius-${notice.kind}`, { role, ...notice }),
      // Accounting hears of its own answers by its own exchanges.
      ...(role === 'auth' && { answered: () => queue?.serverAnswered() }),
    });
    closers.push(() => client.close());
    return client;
  };
  const authentication = clientFor('auth');
  const accountingClient = clientFor('acct');
  const interimIntervalSeconds = config.radius?.interimIntervalSeconds ?? DEFAULT_INTERIM_SECONDS;
  const write = (record: object): void => logEvent(logger, 'accounting', record);
  const told: Told = { nas, write, interimIntervalSeconds, noted };
  const writer = store === null ? null : writerFor(store, logger);
  if (writer !== null) {
    closers.push(async () => {
      const failure = await writer.close();
      if (failure !== null) logEvent(logger, 'not-stored', failure);
    });
  }
  queue =
    store === null || writer === null
      ? null
      : await openQueue(config, around, { ...told, client: accountingClient, store, writer, closers });
  const garden = walledProfile(config);
  const authenticator =
    authentication === null || config.radius === null
      ? new LocalAuthenticator({ ...config.auth, gardenPool: garden.poolName })
      : new RadiusAuthenticator({
          client: authentication,
          nas,
          ...noted,
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
    accounting: queue ?? new LoggedAccounting({ ...told, write: silent ? () => undefined : write }),
    reconfigureAuthenticator: ({ auth, radius }) => {
      const { defaultPool, records, onReject, onTimeout } = auth;
      if (authenticator instanceof LocalAuthenticator) authenticator.reconfigure({ records, defaultPool });
      else {
        const profiles = new Map(Object.entries(radius?.filters ?? {}));
        authenticator.reconfigure({ defaultPool, profiles, onReject, onTimeout });
      }
    },
    inspection: {
      authentication,
      accounting: accountingClient,
      authenticator: authenticator instanceof RadiusAuthenticator ? authenticator : null,
      queue,
    },
    journal,
    commits: writer,
    books: queue,
    end: () => queue?.announce('Off'),
    close,
  };
}

/** One writer for all of the house: what belongs together goes into one commit. */
function writerFor(store: Store, logger: Logger): AccountingWriter {
  return new AccountingWriter({
    store,
    clock: systemClock,
    onFailure: (failure) => logEvent(logger, 'store-failed', failure),
    onRecovered: () => logEvent(logger, 'store-works-again'),
  });
}

/** What every kind of accounting is told. */
interface Told {
  readonly nas: RadiusNas;
  readonly write: (record: object) => void;
  readonly interimIntervalSeconds: number;
  readonly noted: { readonly journal?: RadiusJournal };
}

/** The durable queue; null where records go straight to the log, or nowhere. */
async function openQueue(
  config: Config,
  { logger, bootId }: AaaSurroundings,
  parts: Told & {
    readonly client: RadiusClient | null;
    readonly store: Store;
    readonly writer: AccountingWriter;
    readonly closers: Opening['closers'];
  },
): Promise<RadiusAccounting | null> {
  if (config.accounting.mode === 'none') return null;
  const { nas, write, interimIntervalSeconds, noted, client, store, writer } = parts;
  const accounting = await RadiusAccounting.open({
    store,
    writer,
    sender:
      client === null
        ? new LogAccountingSender({ write, written: linesWritten })
        : new RadiusAccountingSender({ client, nas, ...noted }),
    clock: systemClock,
    limits: { coalesceAbove: config.accounting.queueLimit },
    notice: (notice) => logEvent(logger, `accounting-${notice.kind}`, notice),
    nas,
    interimIntervalSeconds,
    bootId,
  });
  if (!accounting.ok) throw storeError(config.store?.path ?? '', accounting.failure.reason);
  const queue = accounting.value;
  parts.closers.push(async () => {
    const failure = await queue.close(LAST_WORDS_MS);
    if (failure !== null) logEvent(logger, 'accounting-not-stored', failure);
  });
  return queue;
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

function soleOf(interfaces: readonly string[]): string | null {
  const [first = null, ...others] = interfaces;
  return others.length === 0 ? first : null;
}
