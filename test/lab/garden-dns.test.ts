/** Garden destinations by name: what a real stack of a garden member gets of the garden's DNS, and what that opens. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { patience } from '../../src/lab/patience.js';
import { REFUSED_MS } from '../support/lab-house.js';
import type { Subscriber } from '../support/garden-lab.js';
import { GardenLab } from '../support/garden-lab.js';

const { internet, gardenAllowed, resolvers } = CORE_ADDRESSES;
const [upstream] = resolvers;
const GATEWAY = '10.255.0.1';
const WAIT_MS = 1_500 * patience;
const SHORT_MS = 400;

describe('garden destinations by name', () => {
  let garden: GardenLab;
  let member: Subscriber;
  before(async () => {
    garden = await GardenLab.open('l2n', {
      walledGarden: {
        pool: 'wgar',
        allow: [`${gardenAllowed}/32`],
        dns: { names: ['pay.example.test:443', '*.help.example.test'], upstream: [`${upstream}:53`] },
      },
    });
    member = await garden.subscribe('ALCL00000001');
  });
  after(() => garden.close());

  const ask = (name: string): Promise<string | null> => member.host.dnsQuery(name, GATEWAY, WAIT_MS);

  it('before a name is asked for, its address is closed', async () => {
    assert.equal(await member.host.tcpConnect(internet, 443, REFUSED_MS), 'refused');
  });

  it('a name that is not allowed leads to the portal', async () => {
    assert.equal(await ask('anywhere.example.test'), GATEWAY);
    assert.equal(await member.host.tcpConnect(internet, 443, REFUSED_MS), 'refused');
  });

  it('no other resolver is reached, not even the one that is asked upstream', async () => {
    for (const server of resolvers) {
      assert.equal(await member.host.dnsQuery('pay.example.test', server, SHORT_MS), null, server);
    }
  });

  it('an allowed name opens its address on its port, in XDP and in nftables, and no other', async () => {
    assert.equal(await ask('pay.example.test'), internet);
    assert.equal(await member.host.tcpConnect(internet, 443, WAIT_MS), 'connected');
    assert.equal(await member.host.tcpConnect(internet, 8080, REFUSED_MS), 'refused');
    const listed = await garden.bng.probe.run(
      ['nft', 'list', 'set', 'inet', 'bng', 'garden_allow_port'],
      3_000,
    );
    assert.ok(listed.stdout.includes(`${internet} . 443`), listed.stdout);
  });

  it('a name below an allowed one opens every port and protocol', async () => {
    assert.equal((await member.host.ping(internet, { timeoutMs: SHORT_MS })).received, 0);
    assert.equal(await ask('chat.help.example.test'), internet);
    assert.equal((await member.host.ping(internet)).received, 1);
    const web = await member.host.httpGet(`http://${internet}/`, WAIT_MS);
    assert.ok(web.ok && web.body.includes('server internet'), JSON.stringify(web));
  });

  it('a flood of questions of one member costs another nothing', async () => {
    const other = await garden.subscribe('ALCL00000002');
    const question = Buffer.from('123401000001000000000000016104746573740000010001', 'hex');
    const frame = member
      .toGateway()
      .ipv4({ source: member.address(), destination: GATEWAY })
      .udp({ source: 40_000, destination: 53 })
      .payload(question)
      .bytes();
    const flood = member.peer.flood(frame, 20_000_000, 1_000);
    assert.equal(await other.host.dnsQuery('anywhere.example.test', GATEWAY, WAIT_MS), GATEWAY);
    const { sent } = await flood;
    const answered = (await member.peer.tally())[`${GATEWAY}>${member.address()}`]?.packets ?? 0;
    assert.ok(sent > 1_000 && answered < 250, `${answered} answers to ${sent} questions`);
  });

  it('after activation the garden’s DNS answers no more, and names lead where they lead', async () => {
    await garden.activate(member);
    assert.equal(await member.host.dnsQuery('pay.example.test', GATEWAY, SHORT_MS), null);
    assert.equal(await member.host.dnsQuery('pay.example.test', upstream, WAIT_MS), internet);
  });
});
