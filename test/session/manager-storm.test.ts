/** More lines than are let in at a time, from the first message to the answer: who is asked for, who waits, what is dropped. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { LocalAuthenticator } from '../../src/aaa/local-authenticator.js';
import type { AuthenticationRequest, Authenticator } from '../../src/aaa/port.js';
import type { Dataplane } from '../../src/dataplane/port.js';
import { parseMac } from '../../src/model/mac.js';
import type { DhcpClient } from '../support/dhcp-client.js';
import { kindOf } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { GARDEN, InnerBng } from '../support/inner-bng.js';

let bng: InnerBng;
afterEach(() => assert.deepEqual(bng.bugs, []));

const local = new LocalAuthenticator({ records: [], defaultPool: 'wgar', gardenPool: 'wgar' });

/** Answers only when the test says so. */
class SlowAuthenticator implements Authenticator {
  readonly asked: AuthenticationRequest[] = [];
  readonly #waiting: (() => void)[] = [];

  async authenticate(request: AuthenticationRequest): ReturnType<Authenticator['authenticate']> {
    this.asked.push(request);
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return local.authenticate(request);
  }

  async answer(): Promise<void> {
    this.#waiting.shift()?.();
    await settled();
  }

  assign(): void {}
  forget(): void {}
}

const clients = (count: number): DhcpClient[] =>
  Array.from({ length: count }, (_, n) =>
    bng.ont(`ONT${n}`, { mac: parseMac(`02:00:00:00:01:${n.toString(16).padStart(2, '0')}`) }),
  );

describe('more lines than are let in at a time', () => {
  const WINDOW = 2;
  const gateLimits = { startWindow: WINDOW, leastWindow: WINDOW, mostWindow: WINDOW };

  it('AAA is asked for as many as are let in, once for each however often it asks, and everyone is answered in turn', async () => {
    const authenticator = new SlowAuthenticator();
    bng = new InnerBng({ authenticator, gateLimits });
    const all = clients(20);
    for (let round = 0; round < 3; round++) {
      for (const client of all) assert.equal(await client.discover(), null);
      await bng.clock.advance(4_000);
    }
    assert.equal(authenticator.asked.length, WINDOW);
    const { window, inProgress, waiting, dropped } = bng.manager.admissionFigures();
    assert.deepEqual([window, inProgress, waiting], [WINDOW, WINDOW, 18]);
    // Two rounds in which each said again what was not answered.
    assert.deepEqual(dropped, { full: 0, repeated: 40 });
    for (let n = 0; n < 20; n++) {
      await authenticator.answer();
      assert.ok(authenticator.asked.length <= n + 1 + WINDOW);
    }
    assert.deepEqual(
      authenticator.asked.map(({ ontSerial }) => ontSerial),
      all.map((_, n) => `ONT${n}`),
    );
    for (const client of all) assert.deepEqual(client.heard().map(kindOf), ['DHCPOFFER']);
    assert.deepEqual([bng.manager.admissionFigures().inProgress, bng.allocated('wgar')], [0, 20]);
  });

  it('who is dropped because too many wait is told nothing, and gets its answer when it asks again', async () => {
    const authenticator = new SlowAuthenticator();
    bng = new InnerBng({ authenticator, gateLimits: { ...gateLimits, mostWaiting: 1 } });
    const all = clients(4);
    for (const client of all) {
      await client.discover();
      await bng.clock.advance(1);
    }
    assert.equal(bng.manager.admissionFigures().dropped.full, 1);
    assert.deepEqual(
      bng.lifecycle.filter(({ type }) => type === 'trouble'),
      [],
    );
    for (let n = 0; n < 3; n++) await authenticator.answer();
    const [, , dropped] = all;
    assert.deepEqual(dropped!.heard(), []);
    assert.equal(await dropped!.discover(), null);
    await authenticator.answer();
    assert.deepEqual(dropped!.heard().map(kindOf), ['DHCPOFFER']);
  });

  it('a line that goes while it waits leaves nothing behind', async () => {
    const authenticator = new SlowAuthenticator();
    bng = new InnerBng({ authenticator, gateLimits });
    for (let n = 0; n < 4; n++) await bng.detect(`ONT${n}`);
    bng.manager.onts.ontDisconnected('ONT2');
    await settled();
    for (let n = 0; n < 3; n++) await authenticator.answer();
    assert.deepEqual(
      authenticator.asked.map(({ ontSerial }) => ontSerial),
      ['ONT0', 'ONT1', 'ONT3'],
    );
    assert.deepEqual([bng.manager.admissionFigures().inProgress, bng.allocated('wgar')], [0, 3]);
  });
});

describe('a client that repeats itself while it is being answered', () => {
  it('has one message waiting at most: the last', async () => {
    const installs: (() => void)[] = [];
    bng = new InnerBng({
      wrapDataplane: (inner) => {
        const install: Dataplane['install'] = async (entry) => {
          await new Promise<void>((done) => installs.push(done));
          return inner.install(entry);
        };
        return new Proxy(inner, {
          get: (_, key: keyof Dataplane) => (key === 'install' ? install : inner[key].bind(inner)),
        });
      },
    });
    const client = bng.ont('ONT1');
    const { yiaddr } = (await client.discover())!.message;
    for (let n = 0; n < 5; n++) assert.equal(await client.select(yiaddr, GARDEN.gateway), null);
    assert.deepEqual([installs.length, bng.manager.admissionFigures().dropped.repeated], [1, 3]);
    installs[0]!();
    await settled();
    assert.deepEqual(client.heard().map(kindOf), ['DHCPACK', 'DHCPACK']);
  });
});
