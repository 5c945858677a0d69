/** Frames that came faster than they can be handled: one of each station, what was begun first, the oldest dropped. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MemoryDataplane } from '../../src/dataplane/memory-dataplane.js';
import type { PuntedFrame } from '../../src/dataplane/port.js';
import { InletQueue } from '../../src/dhcpv4/inlet-queue.js';
import type { Mac } from '../../src/model/mac.js';
import type { DhcpMessageType } from '../../src/wire/dhcpv4-option-codes.js';
import { peekDhcp } from '../../src/wire/dhcpv4-peek.js';
import { DhcpClient } from '../support/dhcp-client.js';
import { mutate, seededRandom } from '../support/mutate.js';

const FIRST_MAC = 0x02_00_00_00_00_01;
const TAGS = [
  { tpid: 0x88a8, vlanId: 100, priority: 0, dropEligible: false },
  { tpid: 0x8100, vlanId: 7, priority: 0, dropEligible: false },
] as const;

function frameOf(station: number, type: DhcpMessageType): PuntedFrame {
  const client = new DhcpClient({
    dataplane: new MemoryDataplane(),
    mac: (FIRST_MAC + station) as Mac,
    tags: TAGS,
    remoteId: `ONT${station}`,
  });
  return { frame: client.frame(type), ifindex: 3, sVlan: 100, cVlan: 7, sTpid: 0x88a8, cTpid: 0x8100 };
}

describe('a queue of frames', () => {
  let dropped: string[] = [];
  let queue: InletQueue;
  beforeEach(() => {
    dropped = [];
    queue = new InletQueue((why) => dropped.push(why), 4);
  });

  const add = (station: number, type: DhcpMessageType): boolean => queue.add(frameOf(station, type), station);
  const taken = (): readonly string[] => {
    const all: string[] = [];
    for (let next = queue.take(); next !== null; next = queue.take()) {
      const { sourceMac = 0, messageType } = peekDhcp(next.punted.frame) ?? {};
      all.push(`${sourceMac - FIRST_MAC} ${messageType}`);
    }
    return all;
  };

  it('is emptied in the order of arrival, requests before those who begin', () => {
    add(1, 'DHCPDISCOVER');
    add(2, 'DHCPREQUEST');
    add(3, 'DHCPDISCOVER');
    add(4, 'DHCPREQUEST');
    assert.deepEqual(taken(), ['2 DHCPREQUEST', '4 DHCPREQUEST', '1 DHCPDISCOVER', '3 DHCPDISCOVER']);
    assert.deepEqual([queue.size, dropped], [0, []]);
  });

  it('holds the last word of each station, in the place of its first', () => {
    for (const station of [1, 2, 1, 1]) add(station, 'DHCPDISCOVER');
    add(2, 'DHCPREQUEST');
    assert.deepEqual(taken(), ['2 DHCPREQUEST', '1 DHCPDISCOVER']);
    assert.deepEqual(dropped, ['repeated', 'repeated', 'repeated']);
    add(5, 'DHCPREQUEST');
    add(5, 'DHCPDISCOVER');
    assert.deepEqual(taken(), ['5 DHCPDISCOVER']);
  });

  it('drops the oldest of those who begin when too many wait', () => {
    add(1, 'DHCPREQUEST');
    for (const station of [2, 3, 4, 5, 6]) add(station, 'DHCPDISCOVER');
    assert.deepEqual(dropped, ['queue-full', 'queue-full']);
    assert.deepEqual(taken(), ['1 DHCPREQUEST', '4 DHCPDISCOVER', '5 DHCPDISCOVER', '6 DHCPDISCOVER']);
    for (const station of [1, 2, 3, 4, 5]) add(station, 'DHCPREQUEST');
    assert.deepEqual(taken().length, 4);
  });

  it('never holds a farewell, which is said once, and nothing that its station asked before it', () => {
    for (const type of ['DHCPRELEASE', 'DHCPDECLINE'] as const) {
      add(1, 'DHCPREQUEST');
      assert.equal(add(1, type), false);
      assert.deepEqual(taken(), []);
    }
  });

  it('keeps a copy: whose bytes they were overwrites them', () => {
    const punted = frameOf(1, 'DHCPDISCOVER');
    const before = punted.frame.slice();
    queue.add(punted, 17);
    punted.frame.fill(0xee);
    const next = queue.take();
    assert.deepEqual([next?.punted.frame, next?.arrivedMs], [before, 17]);
  });

  it('takes any bytes', () => {
    const random = seededRandom(5);
    const whole = frameOf(1, 'DHCPREQUEST');
    for (let n = 0; n < 2_000; n++) {
      const bytes = mutate(whole.frame, random);
      queue.add({ ...whole, frame: bytes.subarray(0, random(bytes.length + 1)) }, n);
    }
    assert.ok(queue.size <= 4);
  });
});
