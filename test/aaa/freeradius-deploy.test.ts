/** The files of deploy/freeradius as an operator would install them: FreeRADIUS and radclient take them. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { freeUdpPort } from '../../src/lab/free-udp-port.js';
import { hasFreeRadius } from '../support/freeradius.js';
import { until } from '../support/accounting-world.js';

const DEPLOY = join(import.meta.dirname, '..', '..', '..', 'deploy', 'freeradius');
const BINARY = '/usr/sbin/freeradius';
const RADCLIENT = '/usr/bin/radclient';
const DEADLINE_MS = 20_000;
const skip =
  hasFreeRadius && existsSync(RADCLIENT) ? false : 'needs the packages freeradius and freeradius-utils';

interface Ran {
  readonly code: number;
  readonly text: string;
}

function run(file: string, args: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { timeout: DEADLINE_MS }, (error, out, err) =>
      resolve({
        code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1,
        text: out + err,
      }),
    );
    child.stdin?.end(input);
  });
}

interface Installed {
  readonly folder: string;
  readonly authPort: number;
  readonly check: () => Promise<Ran>;
}

/** What the files' own headers tell to do, on free ports of loopback; around it the least that FreeRADIUS needs. */
async function install(t: TestContext): Promise<Installed> {
  const folder = mkdtempSync(join(tmpdir(), 'bng-freeradius-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [authPort, acctPort] = [await freeUdpPort('127.0.0.1'), await freeUdpPort('127.0.0.1')];
  for (const file of ['dictionary.bng', 'clients.conf']) copyFileSync(join(DEPLOY, file), join(folder, file));
  copyFileSync(join(DEPLOY, 'users'), join(folder, 'authorize'));
  writeFileSync(
    join(folder, 'dictionary'),
    '$INCLUDE /usr/share/freeradius/dictionary\n$INCLUDE dictionary.bng\n',
  );
  const site = readFileSync(join(DEPLOY, 'site-bng'), 'utf8');
  assert.match(site, /port = 1812/);
  assert.match(site, /port = 1813/);
  writeFileSync(
    join(folder, 'site'),
    site
      .replace('port = 1812', `port = ${authPort}`)
      .replace('port = 1813', `port = ${acctPort}`)
      .replaceAll('ipaddr = *', 'ipaddr = 127.0.0.1'),
  );
  writeFileSync(
    join(folder, 'radiusd.conf'),
    `prefix = /usr
confdir = ${folder}
raddbdir = ${folder}
logdir = ${folder}
run_dir = ${folder}
libdir = /usr/lib/freeradius
pidfile = ${folder}/pid
proxy_requests = no
log { destination = files
  file = ${folder}/log }
security { reject_delay = 0 }
thread pool { start_servers = 1
  max_servers = 2
  min_spare_servers = 1
  max_spare_servers = 1 }
modules {
  files { filename = ${folder}/authorize }
  detail { filename = ${folder}/detail }
}
$INCLUDE clients.conf
$INCLUDE site
`,
  );
  return { folder, authPort, check: () => run(BINARY, ['-C', '-X', '-d', folder, '-n', 'radiusd']) };
}

test('freeradius -C takes the dictionary, the client, the site and the users, and would refuse what is wrong in them', {
  skip,
}, async (t) => {
  const { folder, check } = await install(t);
  const good = await check();
  assert.equal(good.code, 0, good.text);
  assert.match(good.text, /Configuration appears to be OK/);
  appendFileSync(join(folder, 'authorize'), 'X Auth-Type := Accept\n\tBng-No-Such-Attribute = 1\n');
  assert.notEqual((await check()).code, 0, 'an attribute that is not in the dictionary');
});

test('radclient and the server know our attributes, and accepted and rejected answers are signed', {
  skip,
}, async (t) => {
  const { folder, authPort } = await install(t);
  const server = spawn(BINARY, ['-f', '-d', folder, '-n', 'radiusd'], { stdio: 'ignore' });
  t.after(async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  });
  const log = join(folder, 'log');
  const ready = () => existsSync(log) && readFileSync(log, 'utf8').includes('Ready to process requests');
  await until(() => ready() || server.exitCode !== null, DEADLINE_MS, 'the server');
  assert.equal(server.exitCode, null, existsSync(log) ? readFileSync(log, 'utf8') : 'no log');
  const secret = /secret = "([^"]+)"/.exec(readFileSync(join(DEPLOY, 'clients.conf'), 'utf8'))![1]!;
  const ask = (serial: string): Promise<Ran> =>
    run(
      RADCLIENT,
      ['-x', '-d', folder, '-r', '1', '-t', '5', `127.0.0.1:${authPort}`, 'auth', secret],
      `User-Name = "${serial}"\nUser-Password = ""\nBng-Subscriber-Id = "ont:${serial}"\nMessage-Authenticator = 0x00\n`,
    );
  const accepted = await ask('EXAMPLE00000001');
  const [sent = '', received = ''] = accepted.text.split('Received ');
  assert.match(sent, /Bng-Subscriber-Id = "ont:EXAMPLE00000001"/);
  assert.match(received, /^Access-Accept/);
  assert.match(received, /Message-Authenticator = 0x[0-9a-f]{32}/);
  assert.match(received, /Bng-Download-Rate = 500000\n/);
  assert.match(received, /Bng-Upload-Rate = 100000\n/);
  assert.match(received, /Framed-Pool = "isp-residential"/);
  const rejected = (await ask('STRANGER')).text.split('Received ')[1] ?? '';
  assert.match(rejected, /^Access-Reject/);
  assert.match(rejected, /Message-Authenticator = 0x[0-9a-f]{32}/);
});
