/**
 * What XDP may promise again, for how long, how often, and what it tells of it; and the settings that switch it off. What
 * the answers say is in dhcp-answer.test.ts.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { BNG_LEASE_SIZE, BngLimit, writeBngLease } from '../../src/dataplane/abi.js';
import type { LeasePromise } from '../../src/dataplane/port.js';
import { encodeLine } from '../../src/dataplane/subscriber-maps.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { poolOf } from '../support/inner-bng.js';
import { address } from '../support/packet.js';
import { type RawMessage, type RawOption, frame, message, option82, u32, u8 } from './dhcp-frames.js';
import { type Both, Twin, type TwinLine } from './dhcp-twin.js';
import { enterNamespace } from './namespace.js';
import { SLOW, Xdp } from './rig.js';

enterNamespace(import.meta.url);

const GARDEN = poolOf('wgar', '10.255.0.0/24');
const GATEWAY = '10.255.0.1';
const LINES = {
  plain: { mac: '02:00:00:00:10:01', tags: [] },
  single: { mac: '02:00:00:00:10:03', tags: [[0x8100, 610]], remoteId: 'ONT-SINGLE' },
  qinq: {
    mac: '02:00:00:00:10:04',
    tags: [
      [0x88a8, 620],
      [0x8100, 4],
    ],
    circuitId: 'agg-01 eth 1/1/04:620.4',
    remoteId: 'ONT-QINQ',
  },
} as const satisfies Record<string, TwinLine>;

const DISCOVER: RawOption = [53, u8(1)];
const REQUEST: RawOption = [53, u8(3)];

describe('what was promised', () => {
  const { qinq } = LINES;
  const twin = new Twin([GARDEN]);
  let leased: Ipv4;
  before(async () => {
    leased = await twin.bind(qinq);
  });
  after(() => twin.close());
  beforeEach(() => twin.sync(qinq));
  const requested = (): RawOption => [50, u32(leased)];
  const select = (line: TwinLine): RawMessage => ({
    options: [REQUEST, requested(), [54, u32(address(GATEWAY))], ...option82(line)],
  });
  const ask = (raw: RawMessage): Promise<Both> => twin.ask(qinq, frame(qinq, message(qinq, raw)));

  test('a station without a promise is punted', () => {
    const stranger: TwinLine = { ...qinq, mac: '02:00:00:00:10:99' };
    const bytes = frame(stranger, message(stranger, select(qinq)));
    assert.deepEqual(twin.rig.run('bng_access', bytes).verdicts, ['punt']);
  });

  test('the same station on another line is punted', () => {
    const elsewhere: TwinLine = { ...qinq, tags: [[0x88a8, 621], qinq.tags[1]] };
    const bytes = frame(elsewhere, message(elsewhere, select(qinq)));
    assert.deepEqual(twin.rig.run('bng_access', bytes).verdicts, ['punt']);
  });

  test('of every answer a record tells who was told what and for how long', async () => {
    const seen = (await twin.told()).length;
    await ask(select(qinq));
    await ask({ options: [DISCOVER, ...option82(qinq)] });
    const told = await twin.told();
    assert.equal(told.length, seen + 2);
    assert.deepEqual(
      told.slice(seen).map(({ answer, address: of, attachment, leaseSeconds }) => ({
        ...{ answer, of, attachment, leaseSeconds },
      })),
      (['ack', 'offer'] as const).map((answer) => ({
        answer,
        of: leased,
        attachment: twin.attachment(qinq),
        leaseSeconds: GARDEN.leaseSeconds,
      })),
    );
  });

  test('an entry whose memory has gone to another station is not answered for', () => {
    const key = encodeLine(twin.attachment(qinq));
    const value = new Uint8Array(BNG_LEASE_SIZE);
    writeBngLease(new DataView(value.buffer), 0, { ...twin.lease(qinq), mac: new Uint8Array(6).fill(2) });
    twin.rig.object.map('bng_leases').update(key, value);
    const bytes = frame(qinq, message(qinq, select(qinq)));
    assert.deepEqual(twin.rig.run('bng_access', bytes).verdicts, ['punt']);
  });

  test('after a RELEASE or DECLINE nothing is answered until the control plane has read it', () => {
    for (const type of [4, 7]) {
      twin.sync(qinq);
      const ends: RawMessage = { options: [[53, u8(type)], ...option82(qinq)] };
      assert.deepEqual(twin.rig.run('bng_access', frame(qinq, message(qinq, ends))).verdicts, ['punt']);
      const discover: RawMessage = { options: [DISCOVER, ...option82(qinq)] };
      assert.deepEqual(twin.rig.run('bng_access', frame(qinq, message(qinq, discover))).verdicts, ['punt']);
    }
  });

  test('a lease that has run out is not repeated', async () => {
    const promised = twin.bng.dataplane.promised(twin.attachment(qinq))!;
    const nowMs = twin.bng.clock.monotonicMs();
    const tried = (more: Partial<LeasePromise>): readonly string[] => {
      twin.promise({ ...promised, ...more });
      return twin.rig.run('bng_access', frame(qinq, message(qinq, select(qinq)))).verdicts;
    };
    assert.deepEqual(tried({ expiresAtMs: nowMs }), ['punt']);
    assert.deepEqual(tried({ expiresAtMs: nowMs + 60_000 }), ['dhcp_reply']);
  });

  test('an ACK extends the lease in the map, but never beyond the end of the session', async () => {
    const promised = twin.bng.dataplane.promised(twin.attachment(qinq))!;
    const nowMs = twin.bng.clock.monotonicMs();
    const expiryAfter = (more: Partial<LeasePromise>, options: readonly RawOption[]): number => {
      twin.promise({ ...promised, ...more });
      const started = process.hrtime.bigint();
      twin.rig.run('bng_access', frame(qinq, message(qinq, { options: [...options, ...option82(qinq)] })));
      return Math.round(Number(twin.lease(qinq).expiresNs - started) / 1e9) + 0;
    };
    const request = [REQUEST, requested()];
    assert.equal(expiryAfter({ expiresAtMs: nowMs + 60_000 }, request), GARDEN.leaseSeconds);
    assert.equal(expiryAfter({ expiresAtMs: nowMs + 60_000 }, [DISCOVER]), 60);
    assert.equal(expiryAfter({ expiresAtMs: nowMs + 60_000, endsAtMs: nowMs + 90_000 }, request), 90);
    assert.equal(expiryAfter({ expiresAtMs: nowMs + 60_000, endsAtMs: nowMs }, request), 0);
  });
});

describe('settings', () => {
  test('switched off, everything is punted', async () => {
    const off = new Twin([GARDEN], { settings: { flags: 0 } });
    try {
      await off.bind(LINES.single);
      const bytes = frame(
        LINES.single,
        message(LINES.single, { options: [DISCOVER, ...option82(LINES.single)] }),
      );
      assert.deepEqual((await off.ask(LINES.single, bytes)).verdicts, ['punt']);
    } finally {
      off.close();
    }
  });

  test('where the access node is not trusted, relays and option 82 are left to user space', async () => {
    const open = new Twin([GARDEN], { trustOption82: false });
    const line = LINES.plain;
    try {
      await open.bind(line);
      const say = async (raw: RawMessage): Promise<readonly string[]> =>
        (await open.ask(line, frame(line, message(line, raw)))).verdicts;
      assert.deepEqual(await say({ options: [DISCOVER] }), ['dhcp_reply']);
      assert.deepEqual(await say({ options: [DISCOVER, [82, Buffer.from('020158', 'hex')]] }), ['punt']);
      assert.deepEqual(await say({ options: [DISCOVER], giaddr: address(GATEWAY) }), ['punt']);
    } finally {
      open.close();
    }
  });

  test('a station that asks too often is not heard any more', async () => {
    const slow = new Twin([GARDEN], {
      settings: { answerRate: { nsPerByte: SLOW.nsPerByte, burstNs: 3_000_000_000n } },
    });
    const line = LINES.single;
    try {
      await slow.bind(line);
      slow.sync(line);
      const bytes = frame(line, message(line, { options: [DISCOVER, ...option82(line)] }));
      const seen = Array.from({ length: 5 }, () => slow.rig.run('bng_access', bytes));
      assert.deepEqual(
        seen.flatMap(({ verdicts }) => verdicts),
        ['dhcp_reply', 'dhcp_reply', 'dhcp_reply', 'drop', 'drop'],
      );
      assert.deepEqual(
        seen.flatMap(({ drops }) => drops),
        ['punt_line_rate', 'punt_line_rate'],
      );
    } finally {
      slow.close();
    }
  });

  test('no room to tell of it, no answer', async () => {
    const full = new Twin([GARDEN], { reads: false });
    const line = LINES.single;
    try {
      await full.bind(line);
      full.sync(line);
      const bytes = frame(line, message(line, { options: [DISCOVER, ...option82(line)] }));
      const stranger: TwinLine = { ...line, mac: '02:00:00:00:10:98' };
      const other = frame(stranger, message(stranger, { options: [DISCOVER, ...option82(line)] }));
      const until = (of: Buffer, verdict: string): void => {
        for (let n = 0; n < 100_000; n++)
          if (full.rig.runOnly('bng_access', of).returnValue === Xdp.drop) break;
        assert.deepEqual(full.rig.run('bng_access', of).verdicts, [verdict]);
      };
      // Frames fill their part of the ring only; what is told of answers has the rest.
      for (let n = 0; n < BngLimit.puntRingFrames / 640; n++) full.rig.runOnly('bng_access', other);
      assert.deepEqual(full.rig.run('bng_access', other).drops, ['punt_ring_full']);
      assert.deepEqual(full.rig.run('bng_access', bytes).verdicts, ['dhcp_reply']);
      until(bytes, 'drop');
      assert.deepEqual(full.rig.run('bng_access', bytes).drops, ['punt_ring_full']);
    } finally {
      full.close();
    }
  });
});
