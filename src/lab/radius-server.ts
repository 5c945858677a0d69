/**
 * Debian's FreeRADIUS as a child of the lab, with a configuration folder of its own: it can be killed and started again as
 * it was, and what it understood can be read from its detail logs. Needs the package freeradius. Asserts nothing.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BngError } from '../model/bng-error.js';
import { Child } from './exec.js';

const BINARY = '/usr/sbin/freeradius';
const START_DEADLINE_MS = 20_000;
const POLL_MS = 10;

export interface RadiusServerOptions {
  /** Name of a network namespace; the present one without it. */
  readonly namespace?: string;
  /** Made by `start`, removed by `close`; must not exist or be empty. */
  readonly folder: string;
  /** Where it listens. */
  readonly address: string;
  readonly authPort: number;
  readonly acctPort: number;
  /** In the format of users(5): who is accepted with what. Whoever is not named is rejected. */
  readonly users: string;
  readonly secret?: string;
  /** Whether answers carry a Message-Authenticator: FreeRADIUS 3.2.1 adds one only when told. Default true. */
  readonly messageAuthenticator?: boolean;
}

/** One request as FreeRADIUS understood it, from its detail log: attributes in order, values as it prints them. */
export type DetailRecord = readonly (readonly [name: string, value: string])[];

/** False when the package is not installed. */
export const hasFreeRadius = existsSync(BINARY);

type Settings = Required<Omit<RadiusServerOptions, 'namespace' | 'users'>>;

// The names are ours (src/wire/radius-dictionary.ts), written down a second time on purpose: the server must agree.
const DICTIONARY = `$INCLUDE /usr/share/freeradius/dictionary
VENDOR		Bng			32473
BEGIN-VENDOR	Bng
ATTRIBUTE	Bng-Subscriber-Id	1	string
ATTRIBUTE	Bng-Download-Rate	2	integer
ATTRIBUTE	Bng-Upload-Rate		3	integer
END-VENDOR	Bng
`;

function configuration({
  folder,
  address,
  authPort,
  acctPort,
  secret,
  messageAuthenticator,
}: Settings): string {
  const sign = messageAuthenticator ? 'update reply { Message-Authenticator := 0x00 }' : '';
  return `prefix = /usr
name = freeradius
confdir = ${folder}
raddbdir = ${folder}
logdir = ${folder}
radacctdir = ${folder}
run_dir = ${folder}
libdir = /usr/lib/freeradius
pidfile = ${folder}/freeradius.pid
max_request_time = 30
cleanup_delay = 5
max_requests = 65536
hostname_lookups = no
proxy_requests = no
log {
  destination = files
  file = ${folder}/radius.log
}
security {
  allow_core_dumps = no
  max_attributes = 200
  reject_delay = 0
  status_server = no
}
client everybody {
  ipaddr = 0.0.0.0/0
  secret = "${secret}"
  require_message_authenticator = no
}
thread pool {
  start_servers = 2
  max_servers = 4
  min_spare_servers = 1
  max_spare_servers = 2
  max_requests_per_server = 0
}
modules {
  files {
    filename = ${folder}/users
  }
  detail {
    filename = ${folder}/detail
    header = "%t"
  }
  detail auth_log {
    filename = ${folder}/auth-detail
    header = "%t"
  }
}
server default {
  listen {
    type = auth
    ipaddr = ${address}
    port = ${authPort}
  }
  listen {
    type = acct
    ipaddr = ${address}
    port = ${acctPort}
  }
  authorize {
    auth_log
    files
  }
  authenticate {
  }
  post-auth {
    ${sign}
    Post-Auth-Type REJECT {
      ${sign}
    }
  }
  preacct {
  }
  accounting {
    detail
  }
}
`;
}

function readDetail(path: string): readonly DetailRecord[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split(/\n\n/)
    .filter((block) => block.trim() !== '')
    .map((block) =>
      [...block.matchAll(/^\t([^ ]+) = (.*)$/gm)].map(([, name = '', value = '']) => [name, value] as const),
    );
}

/** The first value of an attribute, with the quotes that FreeRADIUS prints around strings taken off; null without one. */
export function detailValue(record: DetailRecord, name: string): string | null {
  const found = record.find(([present]) => present === name);
  return found === undefined ? null : found[1].replace(/^"(.*)"$/, '$1');
}

export class RadiusServer {
  readonly folder: string;
  readonly address: string;
  readonly authPort: number;
  readonly acctPort: number;
  readonly secret: string;
  readonly #namespace: string | undefined;
  #child: Child | null = null;

  private constructor(options: RadiusServerOptions) {
    const {
      folder,
      address,
      authPort,
      acctPort,
      secret = 'testing123',
      messageAuthenticator = true,
    } = options;
    this.folder = folder;
    this.address = address;
    this.authPort = authPort;
    this.acctPort = acctPort;
    this.secret = secret;
    this.#namespace = options.namespace;
    mkdirSync(folder, { recursive: true });
    const settings = { folder, address, authPort, acctPort, secret, messageAuthenticator };
    writeFileSync(join(folder, 'radiusd.conf'), configuration(settings));
    writeFileSync(join(folder, 'dictionary'), DICTIONARY);
    this.writeUsers(options.users);
  }

  /** Starts a server and waits until it answers. `BNG_ERR_LAB` with its log when it does not. */
  static async start(options: RadiusServerOptions): Promise<RadiusServer> {
    return new RadiusServer(options).#start();
  }

  /** Gives other users to the next start. */
  writeUsers(users: string): void {
    writeFileSync(join(this.folder, 'users'), `${users}\nDEFAULT Auth-Type := Reject\n`);
  }

  /** Starts the server again after `kill`, on the same ports and with the same files. */
  async resume(): Promise<void> {
    const before = this.log().length;
    const child = new Child([BINARY, '-f', '-d', this.folder, '-n', 'radiusd'], {
      ...(this.#namespace === undefined ? {} : { namespace: this.#namespace }),
      logFile: join(this.folder, 'output.log'),
    });
    this.#child = child;
    const endMs = performance.now() + START_DEADLINE_MS;
    const written = (): string => this.log().slice(before);
    while (!written().includes('Ready to process requests')) {
      if (!child.isRunning || performance.now() > endMs) {
        throw new BngError('BNG_ERR_LAB', 'expected FreeRADIUS to start', { log: written().slice(-2_000) });
      }
      await delay(POLL_MS);
    }
  }

  /** Ends the process at once, as an outage does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    await child?.stop('SIGKILL');
  }

  /** Accounting requests in the order it logged them. */
  accounting(): readonly DetailRecord[] {
    return readDetail(join(this.folder, 'detail'));
  }

  accessRequests(): readonly DetailRecord[] {
    return readDetail(join(this.folder, 'auth-detail'));
  }

  /** What it wrote to its own log: errors, unknown clients, discarded packets. */
  log(): string {
    const path = join(this.folder, 'radius.log');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<this> {
    try {
      await this.resume();
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }
}
