/**
 * Debian's FreeRADIUS on loopback with a configuration folder of its own, on free ports; it can be killed and started
 * again as it was. Needs the packages freeradius and freeradius-utils.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const BINARY = '/usr/sbin/freeradius';
const START_DEADLINE_MS = 20_000;

export interface FreeRadiusOptions {
  /** In the format of users(5): who is accepted with what. Whoever is not named is rejected. */
  readonly users: string;
  readonly secret?: string;
  /** Whether answers carry a Message-Authenticator: FreeRADIUS 3.2.1 adds one only when told. */
  readonly messageAuthenticator?: boolean;
}

/** One request as FreeRADIUS understood it, from its detail log: attributes in order, values as it prints them. */
export type DetailRecord = readonly (readonly [name: string, value: string])[];

/** False when the package is not installed; tests that need it then skip, saying so. */
export const hasFreeRadius = existsSync(BINARY);

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

// The names are ours (src/wire/radius-dictionary.ts), written down a second time on purpose: the server must agree.
const DICTIONARY = `$INCLUDE /usr/share/freeradius/dictionary
VENDOR		Bng			32473
BEGIN-VENDOR	Bng
ATTRIBUTE	Bng-Subscriber-Id	1	string
ATTRIBUTE	Bng-Download-Rate	2	integer
ATTRIBUTE	Bng-Upload-Rate		3	integer
END-VENDOR	Bng
`;

function configuration(
  folder: string,
  ports: readonly number[],
  options: Required<FreeRadiusOptions>,
): string {
  const sign = options.messageAuthenticator ? 'update reply { Message-Authenticator := 0x00 }' : '';
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
client loopback {
  ipaddr = 127.0.0.0/8
  secret = "${options.secret}"
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
    ipaddr = 127.0.0.1
    port = ${ports[0]}
  }
  listen {
    type = acct
    ipaddr = 127.0.0.1
    port = ${ports[1]}
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
      [...block.matchAll(/^\t([^ ]+) = (.*)$/gm)].map(([, name, value]) => [name!, value!] as const),
    );
}

export class FreeRadius {
  readonly folder: string;
  readonly authPort: number;
  readonly acctPort: number;
  readonly secret: string;
  #child: ChildProcess | null = null;

  private constructor(folder: string, ports: readonly [number, number], secret: string) {
    this.folder = folder;
    [this.authPort, this.acctPort] = ports;
    this.secret = secret;
  }

  /** Starts a server and waits until it answers. */
  static async start(options: FreeRadiusOptions): Promise<FreeRadius> {
    const folder = mkdtempSync(join(tmpdir(), 'bng-freeradius-'));
    const ports = [await freePort(), await freePort()] as const;
    const full = { secret: 'testing123', messageAuthenticator: true, ...options };
    writeFileSync(join(folder, 'radiusd.conf'), configuration(folder, ports, full));
    writeFileSync(join(folder, 'dictionary'), DICTIONARY);
    writeFileSync(join(folder, 'users'), `${full.users}\nDEFAULT Auth-Type := Reject\n`);
    const server = new FreeRadius(folder, [...ports], full.secret);
    try {
      await server.resume();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** Starts the server again after `kill`, on the same ports and with the same files. */
  async resume(): Promise<void> {
    const log = join(this.folder, 'radius.log');
    const before = existsSync(log) ? readFileSync(log, 'utf8').length : 0;
    const child = spawn(BINARY, ['-f', '-d', this.folder, '-n', 'radiusd'], { stdio: 'ignore' });
    this.#child = child;
    const endMs = performance.now() + START_DEADLINE_MS;
    const written = (): string => (existsSync(log) ? readFileSync(log, 'utf8').slice(before) : '');
    while (!written().includes('Ready to process requests')) {
      if (child.exitCode !== null || performance.now() > endMs) {
        throw new Error(`FreeRADIUS did not start (exit ${String(child.exitCode)}): ${written()}`);
      }
      await delay(10);
    }
  }

  /** Ends the process at once, as an outage does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
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
    return readFileSync(join(this.folder, 'radius.log'), 'utf8');
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
