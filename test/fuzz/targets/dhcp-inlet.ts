/**
 * The DHCP inlet with sessions, pools and authentication behind it: each frame is answered, counted or met with silence, none is
 * a defect, and what is given out and what the dataplane holds stay in step.
 */
import assert from 'node:assert/strict';
import { decodeDhcpFrame } from '../../../src/wire/dhcpv4-frame.js';
import { GARDEN, InnerBng } from '../../support/inner-bng.js';
import { settled } from '../../support/fake-clock.js';
import { hex } from '../../wire/fixtures/bytes.js';
import { withRightSums } from '../right-sums.js';
import type { FuzzTarget } from '../fuzz-target.js';

const POOL = { ...GARDEN, network: { ...GARDEN.network, length: 24 } };
/** A world lives so long: whatever an input did to it, few others meet it. */
const INPUTS_OF_A_WORLD = 500;
/** Ethernet without tags: the dataplane takes them off. */
const IP_OFFSET = 14;
const SOME_SECONDS = 30;

function world(): InnerBng {
  return new InnerBng({ pools: [POOL] });
}

let bng = world();
let inputs = 0;

async function endWorld(): Promise<void> {
  await bng.manager.close();
  assert.equal(bng.allocated('wgar'), 0, 'an address stays behind');
  assert.deepEqual(await bng.dataplane.dump(), []);
  bng = world();
  inputs = 0;
}

export const target: FuzzTarget = {
  seeds: () => {
    const client = new InnerBng({ pools: [POOL] }).ont('ONT1', { clientId: Uint8Array.of(1, 2, 3, 4) });
    const first = 0x0aff0002 as typeof POOL.gateway;
    return [
      client.frame('DHCPDISCOVER', { options: [[57, hex('05dc')]] }),
      client.frame('DHCPDISCOVER', {
        options: [
          [55, hex('0103067279')],
          [145, hex('01')],
        ],
      }),
      client.frame('DHCPREQUEST', { requestedAddress: first, serverId: POOL.gateway }),
      client.frame('DHCPREQUEST', { requestedAddress: first }),
      client.frame('DHCPREQUEST', { ciaddr: first }),
      client.frame('DHCPINFORM', { ciaddr: first }),
      client.frame('DHCPRELEASE', { ciaddr: first }),
      client.frame('DHCPDECLINE', { requestedAddress: first }),
    ];
  },
  maxBytes: 1_000,
  boundedRuns: 4_000,
  run: async (input) => {
    const { transmitted } = bng.dataplane;
    transmitted.length = 0;
    bng.station().punt(withRightSums(input, IP_OFFSET));
    await settled();
    assert.deepEqual(bng.bugs, []);
    assert.ok(transmitted.length <= 1, `${transmitted.length} answers`);
    const [answer] = transmitted;
    // Nothing is said that we would not read ourselves.
    if (answer !== undefined) assert.equal(decodeDhcpFrame(answer.frame).message.op, 'BOOTREPLY');
    const installed = await bng.dataplane.dump();
    assert.ok(installed.length <= bng.allocated('wgar'), 'more is installed than given out');
    if ((inputs & 7) === 7) await bng.clock.advance(SOME_SECONDS * 1000);
    if (++inputs === INPUTS_OF_A_WORLD) await endWorld();
  },
};
