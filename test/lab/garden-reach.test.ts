/** What a subscriber reaches with a real stack, before activation, after it and after suspension. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { exec } from '../../src/lab/exec.js';
import { processesIn } from '../../src/lab/namespaces.js';
import { patience } from '../../src/lab/patience.js';
import { REFUSED_MS } from '../support/lab-house.js';
import { eventually } from '../support/eventually.js';
import { destinationOf, sourceOf } from '../support/frame-fields.js';
import type { Subscriber } from '../support/garden-lab.js';
import { GardenLab } from '../support/garden-lab.js';

const { internet, gardenAllowed, resolvers } = CORE_ADDRESSES;
const [gardenDns, otherGardenDns, ispDns] = resolvers;
const SHORT_MS = 400;
const LISTED_MS = 3_000 * patience;

describe('what a subscriber reaches', () => {
  let garden: GardenLab;
  let member: Subscriber;
  before(async () => {
    garden = await GardenLab.open('l2r');
    member = await garden.subscribe('ALCL00000001');
  });
  after(() => garden.close());

  /** Asks for A over TCP; true when an answer came. */
  async function dnsOverTcp(server: string, waitMs?: number): Promise<boolean> {
    // Length, header with one question, a.test A IN.
    const query =
      '\\x00\\x18\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x01a\\x04test\\x00\\x00\\x01\\x00\\x01';
    const script = `exec 3<>/dev/tcp/${server}/53; printf '${query}' >&3; head -c 4 <&3 | od -An -tx1`;
    const result = await member.host.run(['bash', '-c', script], waitMs);
    return / 12 34\s*$/.test(result.stdout);
  }

  /** Destinations outside the garden that packets of the member reached the core for. */
  function escaped(): readonly string[] {
    const allowed = [gardenAllowed, gardenDns, otherGardenDns] as readonly string[];
    const seen = garden.core.frames.filter((frame) => sourceOf(frame) === member.address());
    return seen.map((frame) => destinationOf(frame) ?? '').filter((to) => !allowed.includes(to));
  }

  it('a garden member asks the configured resolvers by UDP and TCP', async () => {
    for (const server of [gardenDns, otherGardenDns]) {
      assert.notEqual(await member.host.dnsQuery('a.test', server), null, `UDP ${server}`);
      assert.equal(await dnsOverTcp(server), true, `TCP ${server}`);
    }
  });

  it('a garden member does not reach other resolvers', async () => {
    garden.core.forget();
    assert.equal(await member.host.dnsQuery('a.test', ispDns, SHORT_MS), null);
    assert.equal(await member.host.dnsQuery('a.test', internet, SHORT_MS), null);
    assert.equal(await dnsOverTcp(ispDns, SHORT_MS), false);
    assert.deepEqual(escaped(), []);
  });

  it('a garden member gets the portal at its address, and is led there by any TCP/80', async () => {
    const portal = await member.host.httpGet('http://10.255.0.1/');
    assert.ok(portal.ok && portal.body.includes('Your line is not activated yet'), JSON.stringify(portal));
    for (const host of [internet, '198.18.7.7', CORE_ADDRESSES.bng, '10.0.0.1']) {
      const answer = await member.host.httpGet(`http://${host}/any/path`);
      assert.ok(answer.ok, `${host}: ${answer.ok ? '' : answer.reason}`);
      const from = encodeURIComponent(`http://${host}/any/path`);
      assert.deepEqual([answer.status, answer.redirect], [302, `http://10.255.0.1/?from=${from}`], host);
    }
  });

  it('a garden member gets the allowed destination itself, on any port, without redirection', async () => {
    const web = await member.host.httpGet(`http://${gardenAllowed}/`);
    assert.ok(web.ok && web.body.includes('server garden-allowed'), JSON.stringify(web));
    assert.equal(await member.host.tcpConnect(gardenAllowed, 443), 'connected');
    assert.equal((await member.host.ping(gardenAllowed)).received, 1);
  });

  it('a garden member opens nothing else, and not one packet of it reaches the core', async () => {
    garden.core.forget();
    assert.equal(await member.host.tcpConnect(internet, 443, REFUSED_MS), 'refused');
    assert.equal(await member.host.tcpConnect(internet, 8080, REFUSED_MS), 'refused');
    assert.equal((await member.host.ping(internet, { timeoutMs: SHORT_MS })).received, 0);
    await member.host.run(['bash', '-c', `echo hello >/dev/udp/${internet}/4433`]);
    assert.deepEqual(escaped(), []);
  });

  it('after activation it reaches the internet with its new address', async () => {
    const before_ = member.address();
    await garden.activate(member);
    assert.notEqual(member.address(), before_);
    const web = await member.host.httpGet(`http://${internet}/`);
    assert.ok(
      web.ok && web.body.includes(`server internet\nclient ${member.address()}\n`),
      JSON.stringify(web),
    );
    assert.equal(await member.host.tcpConnect(internet, 443), 'connected');
    assert.equal((await member.host.ping(internet)).received, 1);
    assert.notEqual(await member.host.dnsQuery('a.test', ispDns), null);
  });

  it('after suspension nothing passes any more, in neither direction, and no connection is remembered', async () => {
    const address = member.address();
    const { namespace } = member.host;
    // A download that would go on for an hour.
    const download = exec(
      [
        'curl',
        '-sS',
        '--noproxy',
        '*',
        '--limit-rate',
        '200k',
        '-o',
        '/dev/null',
        `http://${internet}/bytes/999999999`,
      ],
      { namespace, timeoutMs: 20_000 * patience },
    );
    const arrives = async (): Promise<number> =>
      (await member.peer.tally())[`${internet}>${address}`]?.packets ?? 0;
    await eventually('the download runs', async () => ((await arrives()) > 20 ? true : null));
    // One connection that the stack of the BNG knows of: options send it there.
    await garden.suspend(member);
    const [received, sent] = [
      await arrives(),
      (await garden.core.tally())[`${address}>${internet}`]?.packets,
    ];
    assert.ok(member.address().startsWith('10.255.'));
    // Both ends go on: the server repeats what was not acknowledged, the equipment is made to send from its old address.
    const conntrack = await garden.bng.probe.run(['conntrack', '-L', '-f', 'ipv4'], LISTED_MS);
    assert.equal(conntrack.stdout.includes(address), false, conntrack.stdout);
    assert.equal(await member.host.tcpConnect(internet, 443, REFUSED_MS), 'refused');
    const old = member.toGateway().ipv4({ source: address, destination: internet });
    await member.peer.send(
      old.tcp({ source: 40_000, destination: 443, flags: 0x10 }).payload('x').bytes(),
      old.udp({ source: 40_000, destination: 53 }).payload('x').bytes(),
    );
    await garden.core.send(
      ...[address, member.address()].map((destination) =>
        garden
          .fromCore()
          .ipv4({ source: internet, destination })
          .tcp({ source: 80, destination: 40_000, flags: 0x10 })
          .payload('data')
          .bytes(),
      ),
    );
    assert.equal((await member.host.ping(gardenAllowed)).received, 1, 'the garden is open');
    assert.equal(await arrives(), received);
    assert.equal((await garden.core.tally())[`${address}>${internet}`]?.packets, sent);
    // Nobody has the old address now: who sends to it from the core fills no table of connections either.
    const later = await garden.bng.probe.run(['conntrack', '-L', '-f', 'ipv4'], LISTED_MS);
    assert.equal(later.stdout.includes(address), false, later.stdout);
    for (const pid of processesIn([namespace])) {
      if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'curl') process.kill(pid, 'SIGKILL');
    }
    await download;
  });
});

describe('a suspended line whose equipment ignores the world', () => {
  let garden: GardenLab;
  before(async () => {
    garden = await GardenLab.open('l2s');
  });
  after(() => garden.close());

  it('loses its connections at once although its tags and its address stay', async () => {
    const stubborn = await garden.subscribe('ALCL00000009', { tagging: 'untagged' });
    await garden.activate(stubborn);
    const address = stubborn.address();
    for (const pid of processesIn([stubborn.host.namespace])) {
      if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'udhcpc') process.kill(pid, 'SIGSTOP');
    }
    const up = stubborn.toGateway().ipv4({ source: address, destination: internet });
    const segment = up.tcp({ source: 40_000, destination: 443, flags: 0x10 }).payload('up').bytes();
    const options = Uint8Array.of(1, 1, 1, 1);
    const slow = stubborn
      .toGateway()
      .ipv4({ source: address, destination: internet, options })
      .udp({ source: 40_001, destination: 443 })
      .payload('slow')
      .bytes();
    const down = garden
      .fromCore()
      .ipv4({ source: internet, destination: address })
      .tcp({ source: 443, destination: 40_000, flags: 0x10 })
      .payload('down')
      .bytes();
    const slowDown = garden
      .fromCore()
      .ipv4({ source: internet, destination: address, options })
      .udp({ source: 443, destination: 40_001 })
      .payload('slow')
      .bytes();
    const upKey = `${address}>${internet}`;
    const downKey = `${internet}>${address}`;
    await stubborn.peer.send(segment, slow);
    await garden.core.send(down, slowDown);
    await eventually('both directions pass', async () => {
      const [atCore, atOnt] = [await garden.core.tally(), await stubborn.peer.tally()];
      return atCore[upKey]?.packets === 2 && atOnt[downKey]?.packets === 2 ? true : null;
    });
    const known = await garden.bng.probe.run(['conntrack', '-L', '-f', 'ipv4'], LISTED_MS);
    assert.equal(
      known.stdout.includes(address),
      false,
      `the stack keeps no flow of its own: ${known.stdout}`,
    );

    const answer = await garden.bng.post('/api/v1/suspend', { ont_serial: stubborn.serial });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.ok(await stubborn.host.waitForCarrierLosses(2, 5_000), 'the link is back after its bounce');
    const { drops: before_ } = await garden.frames();
    await stubborn.peer.send(segment, slow);
    await garden.core.send(down, slowDown);
    const { drops } = await garden.frames();
    assert.equal(drops['garden']! - before_['garden']!, 4, 'each of the four is refused by the garden');
    assert.equal((await garden.core.tally())[upKey]?.packets, 2);
    assert.equal((await stubborn.peer.tally())[downKey]?.packets, 2);
    const left = await garden.bng.probe.run(['conntrack', '-L', '-f', 'ipv4'], LISTED_MS);
    assert.equal(left.stdout.includes(address), false, left.stdout);
  });
});
