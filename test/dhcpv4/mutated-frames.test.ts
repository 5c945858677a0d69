/** The DHCP inlet in front of bytes that nobody meant to send. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GARDEN, InnerBng } from '../support/inner-bng.js';
import { settled } from '../support/fake-clock.js';
import { mutate, seededRandom } from '../support/mutate.js';

const FRAMES = 20_000;

describe('the DHCP inlet', () => {
  it('survives 20,000 mutated frames: each is answered or counted, and none is a defect', async () => {
    const bng = new InnerBng({ pools: [{ ...GARDEN, network: { ...GARDEN.network, length: 24 } }] });
    const client = bng.ont('ONT1', { clientId: Uint8Array.of(1, 2, 3, 4) });
    const ack = await client.lease();
    const address = ack.message.yiaddr;
    const seeds = [
      client.frame('DHCPDISCOVER', { options: [[57, Uint8Array.of(5, 0xdc)]] }),
      client.frame('DHCPREQUEST', { requestedAddress: address, serverId: GARDEN.gateway }),
      client.frame('DHCPREQUEST', { ciaddr: address }),
      client.frame('DHCPINFORM', { ciaddr: address }),
      client.frame('DHCPRELEASE', { ciaddr: address }),
      client.frame('DHCPDECLINE', { requestedAddress: address }),
    ];
    const random = seededRandom(2131);
    const answeredBefore = bng.decided.length;
    for (let n = 0; n < FRAMES; n++) {
      const seed = seeds[random(seeds.length)]!;
      client.punt(mutate(seed, random));
      if (n % 100 === 0) {
        await settled();
        bng.dataplane.transmitted.length = 0;
      }
    }
    await settled();
    assert.deepEqual(bng.bugs, []);
    const { decided: answered } = bng;
    const dropped = [...bng.server.drops()]
      .filter(([reason]) => reason !== 'transmit-queue-full' && reason !== 'reply-too-long')
      .reduce((sum, [, count]) => sum + count, 0);
    assert.equal(answered.length - answeredBefore + dropped, FRAMES);
    assert.ok(dropped > FRAMES / 10 && dropped < FRAMES, `${dropped} of ${FRAMES} dropped`);
    await bng.manager.close();
    assert.equal(bng.allocated('wgar'), 0);
    assert.deepEqual(await bng.dataplane.dump(), []);
  });
});
