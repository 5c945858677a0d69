/** sendDatagram, and what the service manager hears of us, against a socket of systemd's kind (socat's place is taken by python3). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { ServiceManager } from '../../src/bin/bng/service-manager.js';
import { failure, native, until } from './support.js';

/** Prints what arrives, one datagram a line with newlines as `|`, after a first line once it is bound. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
path = sys.argv[1]
s.bind('\\0' + path[1:] if path[0] == '@' else path)
print('bound', flush=True)
while True:
    print(s.recv(4096).decode().replace('\\n', '|'), flush=True)
`;

/** What the listener prints from now on, once it is bound. Whole lines: a chunk of the pipe may end before the newline. */
async function linesOf(output: Readable): Promise<string[]> {
  const lines: string[] = [];
  const reader = createInterface({ input: output }).on('line', (line) => lines.push(line));
  await once(reader, 'line');
  assert.deepEqual(lines.splice(0), ['bound']);
  return lines;
}

describe('sendDatagram', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bng-datagram-'));
  const stops: (() => void)[] = [];
  after(() => {
    for (const stop of stops) stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function listen(path: string): Promise<string[]> {
    const child = spawn('python3', ['-c', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    stops.push(() => child.kill('SIGKILL'));
    return linesOf(child.stdout);
  }

  for (const [what, path] of [
    ['a path', join(folder, 'notify')],
    ['an abstract name', `@bng-datagram-${process.pid}`],
  ] as const) {
    test(`reaches a socket with ${what}`, async () => {
      const lines = await listen(path);
      native.sendDatagram(path, new TextEncoder().encode('READY=1'));
      await until('the datagram', () => lines.length === 1);
      assert.deepEqual(lines, ['READY=1']);
    });
  }

  const misuse: readonly [string, unknown, unknown, string][] = [
    ['a socket that nobody has bound', join(folder, 'nobody'), new Uint8Array(1), 'ENOENT'],
    ['a path longer than the kernel takes', 'x'.repeat(200), new Uint8Array(1), 'EINVAL'],
    ['an empty path', '', new Uint8Array(1), 'EINVAL'],
    ['a path that is no text', 7, new Uint8Array(1), 'EINVAL'],
    ['bytes that are none', join(folder, 'nobody'), 'READY=1', 'EINVAL'],
  ];
  for (const [what, path, bytes, code] of misuse) {
    test(`refuses ${what} with ${code}`, () => {
      assert.throws(
        () => native.sendDatagram(path as string, bytes as Uint8Array),
        failure('sendDatagram', code),
      );
    });
  }
});

describe('The service manager', () => {
  let path = '';
  let heard: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'bng-notify-'));
  let stop = (): void => {};
  before(async () => {
    path = join(folder, 'notify');
    const child = spawn('python3', ['-c', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    stop = () => void child.kill('SIGKILL');
    heard = await linesOf(child.stdout);
  });
  after(() => {
    stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const manager = (environment: Record<string, string>, failures: string[] = []): ServiceManager =>
    new ServiceManager({
      environment,
      processId: 42,
      send: (to, bytes) => native.sendDatagram(to, bytes),
      onFailure: (reason) => failures.push(reason),
    });

  test('hears that we are ready, and then signs of life twice an interval of its watchdog, until we stop', async () => {
    const told = manager({ NOTIFY_SOCKET: path, WATCHDOG_USEC: '40000', WATCHDOG_PID: '42' });
    told.ready('serving');
    await until('three signs of life', () => heard.filter((line) => line === 'WATCHDOG=1').length >= 3);
    told.stopping();
    await until('the farewell', () => heard.includes('STOPPING=1'));
    assert.equal(heard[0], 'READY=1|STATUS=serving');
  });

  test('of another process gets no signs of life', () => {
    assert.equal(manager({ WATCHDOG_USEC: '40000', WATCHDOG_PID: '43' }).watchdogMs, null);
    assert.equal(manager({ WATCHDOG_USEC: 'soon' }).watchdogMs, null);
    assert.equal(manager({ WATCHDOG_USEC: '40000' }).watchdogMs, 40);
  });

  test('that is gone is said, and stops nothing', () => {
    const failures: string[] = [];
    manager({ NOTIFY_SOCKET: join(folder, 'gone') }, failures).ready('serving');
    assert.equal(failures.length, 1);
  });

  test('that does not exist is told nothing', () => {
    const failures: string[] = [];
    manager({}, failures).ready('serving');
    assert.deepEqual(failures, []);
  });
});
