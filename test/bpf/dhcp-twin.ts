/**
 * The same frame to both who may answer it: the BPF program, with the leases that the session promised, and the real
 * user space (DHCP server, sessions, pools) above an in-memory dataplane. Who compares the two is a test.
 */
import assert from 'node:assert/strict';
import { BngSettingsFlag } from '../../src/dataplane/abi.js';
import { BngVerdict, readBngLease } from '../../src/dataplane/abi.js';
import type { BngLease, BngSettings } from '../../src/dataplane/abi.js';
import { LeaseMaps } from '../../src/dataplane/lease-maps.js';
import type { AnsweredLease, LeasePromise } from '../../src/dataplane/port.js';
import { readPunts } from '../../src/dataplane/punt-reader.js';
import { encodeLine } from '../../src/dataplane/subscriber-maps.js';
import { poolReply } from '../../src/live-settings.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import type { Mac } from '../../src/model/mac.js';
import type { PoolDefinition } from '../../src/pool/address-pool.js';
import { DhcpClient } from '../support/dhcp-client.js';
import { settled } from '../support/fake-clock.js';
import { InnerBng } from '../support/inner-bng.js';
import type { InnerBngOptions } from '../support/inner-bng.js';
import { mac } from '../support/packet.js';
import { Rig, type Tags, Xdp } from './rig.js';

/** As `MemoryDataplane` has it. */
const ACCESS_MAC = '02:00:00:00:00:fe';
const KEY = { option82Seed: 0x1122334455667788n, option82Factor: 0x99aabbccddeeff01n };

/** A subscriber's line and the station on it. */
export interface TwinLine {
  readonly mac: string;
  readonly tags: Tags;
  /** What the access node puts into option 82; neither: no option 82. */
  readonly circuitId?: string;
  readonly remoteId?: string;
}

export interface Both {
  /** What XDP did with the frame, and the frame after it. */
  readonly verdicts: readonly string[];
  readonly drops: readonly string[];
  readonly answered: Buffer | null;
  /** What user space sent for it. */
  readonly sent: readonly Buffer[];
}

export class Twin {
  readonly rig: Rig;
  readonly bng: InnerBng;
  readonly #leases: LeaseMaps;
  readonly #told: Omit<AnsweredLease, 'atMs'>[] = [];
  readonly #close: () => void;

  constructor(
    pools: readonly PoolDefinition[],
    options: InnerBngOptions & {
      readonly settings?: Partial<BngSettings>;
      /** Whether anybody reads the ring; default true. */
      readonly reads?: boolean;
    } = {},
  ) {
    const trust = options.trustOption82 ?? true;
    this.bng = new InnerBng({ ...options, pools });
    this.rig = new Rig({
      // The only port's MAC is that of whatever port a frame comes from.
      accessPortCount: 1,
      accessPorts: [{ ifindex: 0, mac: mac(ACCESS_MAC) }],
      flags: BngSettingsFlag.fastDhcp | (trust ? BngSettingsFlag.trustOption82 : 0),
      ...KEY,
      ...options.settings,
    });
    this.#leases = new LeaseMaps(this.rig.object, { key: KEY, clock: this.bng.clock });
    this.#leases.useReplies(this.rig.object, pools.map(poolReply));
    if (options.reads === false) {
      this.#close = () => undefined;
      return;
    }
    const ring = this.rig.native.openRingBuffer(this.rig.object.map('bng_punts'), {
      slabBytes: 1 << 20,
      onBatch: (slab, used) => {
        const broken = readPunts(slab, used, {
          punted: () => undefined,
          answered: (told) => this.#told.push(told),
        });
        assert.equal(broken, 0);
      },
    });
    this.#close = () => ring.close();
  }

  /** Does DORA for a line in user space; gives the address. */
  async bind(line: TwinLine): Promise<Ipv4> {
    return (await this.#client(line).lease()).message.yiaddr;
  }

  attachment(line: TwinLine): { ifindex: number; sVlan: number; cVlan: number; mac: Mac } {
    const [outer, inner] = line.tags;
    const ifindex = this.rig.accessIfindex;
    return { ifindex, sVlan: outer?.[1] ?? 0, cVlan: inner?.[1] ?? 0, mac: parseMac(line.mac) };
  }

  /** Puts into the map what the session has promised at the line of late, and nothing else. */
  sync(line: TwinLine): void {
    const attachment = this.attachment(line);
    const promised = this.bng.dataplane.promised(attachment);
    this.#leases.withdraw(attachment);
    if (promised !== null) this.#leases.promise(promised);
  }

  /** Puts into the map what no session has promised. */
  promise(lease: LeasePromise): void {
    assert.ok(this.#leases.promise(lease));
  }

  /** The entry of a line's station as it stands in the map. */
  lease(line: TwinLine): BngLease {
    const found = this.rig.object.map('bng_leases').lookup(encodeLine(this.attachment(line)));
    assert.ok(found !== null);
    return readBngLease(new DataView(found.buffer, found.byteOffset), 0);
  }

  async ask(line: TwinLine, frame: Uint8Array): Promise<Both> {
    this.sync(line);
    const seen = this.rig.run('bng_access', frame);
    const before = this.bng.dataplane.transmitted.length;
    this.#client(line).punt(frame);
    await settled();
    const sent = this.bng.dataplane.transmitted.slice(before).map((one) => Buffer.from(one.frame));
    const { verdicts, drops, returnValue } = seen;
    return { verdicts, drops, answered: returnValue === Xdp.tx ? seen.frame : null, sent };
  }

  /** What XDP has told of so far: as often as it has answered. */
  async told(): Promise<readonly Omit<AnsweredLease, 'atMs'>[]> {
    const answers = Number(this.rig.counters().verdicts[BngVerdict.dhcpReply]);
    const deadline = Date.now() + 5000;
    while (this.#told.length < answers && Date.now() < deadline) await new Promise(setImmediate);
    assert.equal(this.#told.length, answers);
    return this.#told;
  }

  close(): void {
    this.#close();
    this.rig.close();
  }

  #client(line: TwinLine): DhcpClient {
    const tags = line.tags.map(([tpid, vlanId]) => ({ tpid, vlanId, priority: 0, dropEligible: false }));
    const { circuitId, remoteId } = line;
    return new DhcpClient({
      dataplane: this.bng.dataplane,
      ifindex: this.rig.accessIfindex,
      mac: parseMac(line.mac),
      tags,
      ...(circuitId === undefined ? {} : { circuitId }),
      ...(remoteId === undefined ? {} : { remoteId }),
    });
  }
}
