import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BngError, isBngError } from '../../src/model/bng-error.js';
import type { LinePlant } from '../../src/olt/olt-simulator.js';
import { OltSimulator } from '../../src/olt/olt-simulator.js';
import type { Ont, PlugParams } from '../../src/olt/protocol.js';

/** Writes down what is asked of the cables. */
class PaperPlant implements LinePlant {
  readonly log: string[] = [];
  refuse = false;
  provision(ont: Ont): void {
    if (this.refuse) throw new BngError('BNG_ERR_OLT', 'expected an interface that takes a program');
    this.log.push(`provision ${ont.ontSerial} ${ont.sVlan}.${ont.cVlan}`);
  }
  withdraw(ont: Ont): void {
    this.log.push(`withdraw ${ont.ontSerial}`);
  }
  async bounce(ont: Ont): Promise<void> {
    this.log.push(`bounce ${ont.ontSerial}`);
  }
}

function setUp(): { plant: PaperPlant; olt: OltSimulator; told: string[] } {
  const plant = new PaperPlant();
  const told: string[] = [];
  const olt = new OltSimulator({
    aggregatorId: 'agg-01',
    gardenSVlan: 4000,
    plant,
    onEvent: ({ type, ontSerial, sVlan, cVlan, state, qosDownloadBps, qosUploadBps }) => {
      told.push(`${type} ${ontSerial} ${sVlan}.${cVlan} ${state} ${qosDownloadBps}/${qosUploadBps}`);
    },
  });
  return { plant, olt, told };
}

const A: PlugParams = { ontSerial: 'A', port: '1/1/1', interface: 'ont1', tagging: 'qinq' };
const B: PlugParams = { ontSerial: 'B', port: '1/1/2', interface: 'ont2', tagging: 'qinq' };
const refusal = (error: unknown): boolean => isBngError(error, 'BNG_ERR_OLT');

describe('the simulated access node', () => {
  it('a new ONT is detected, then provisioned into the garden with a C-VLAN of its own', () => {
    const { olt, plant, told } = setUp();
    const { circuitId, remoteId } = olt.plug(A);
    assert.deepEqual([circuitId, remoteId], ['agg-01|1/1/1', 'A']);
    olt.plug(B);
    assert.deepEqual(told, [
      'NewONTDetected A 4000.1 detected 0/0',
      'ONTProvisioned A 4000.1 provisioned 0/0',
      'NewONTDetected B 4000.2 detected 0/0',
      'ONTProvisioned B 4000.2 provisioned 0/0',
    ]);
    assert.deepEqual(plant.log, ['provision A 4000.1', 'provision B 4000.2']);
  });

  it('a C-VLAN that was given up is given again', () => {
    const { olt } = setUp();
    olt.plug(A);
    olt.plug(B);
    olt.unplug('A');
    assert.equal(olt.plug({ ...A, ontSerial: 'C' }).cVlan, 1);
  });

  it('single-tagged and untagged lines have no C-VLAN, and cannot be given one', async () => {
    const { olt } = setUp();
    assert.equal(olt.plug({ ...A, tagging: 'single' }).cVlan, 0);
    assert.throws(() => olt.plug({ ...B, tagging: 'untagged', cVlan: 5 }), refusal);
    const order = { ontSerial: 'A', sVlan: 200, cVlan: 5, qosDownloadBps: 0, qosUploadBps: 0 };
    await assert.rejects(olt.reconfigure(order), refusal);
  });

  it('serial, port and interface are each used once', () => {
    const { olt, told } = setUp();
    olt.plug(A);
    const before = told.length;
    for (const twice of [
      { ...B, ontSerial: 'A' },
      { ...B, port: '1/1/1' },
      { ...B, interface: 'ont1' },
    ]) {
      assert.throws(() => olt.plug(twice), refusal);
    }
    assert.equal(told.length, before);
    assert.equal(olt.onts().length, 1);
  });

  it('reconfiguring changes tags and rates, bounces the link, and tells of it in this order', async () => {
    const { olt, plant, told } = setUp();
    olt.plug(A);
    await olt.reconfigure({ ontSerial: 'A', sVlan: 200, qosDownloadBps: 100, qosUploadBps: 50 });
    assert.deepEqual(plant.log.slice(1), ['provision A 200.1', 'bounce A']);
    assert.equal(told.at(-1), 'ONTReconfigured A 200.1 provisioned 100/50');
  });

  it('a change of rates alone bounces the link too', async () => {
    const { olt, plant } = setUp();
    olt.plug(A);
    await olt.reconfigure({ ontSerial: 'A', sVlan: 4000, qosDownloadBps: 1, qosUploadBps: 0 });
    assert.equal(plant.log.at(-1), 'bounce A');
  });

  it('reconfiguring to what already is changes nothing and tells nothing', async () => {
    const { olt, plant, told } = setUp();
    olt.plug(A);
    const order = { ontSerial: 'A', sVlan: 200, qosDownloadBps: 100, qosUploadBps: 50 };
    const first = await olt.reconfigure(order);
    const before = [plant.log.length, told.length];
    assert.deepEqual(await olt.reconfigure(order), first);
    assert.deepEqual([plant.log.length, told.length], before);
  });

  it('a bounce that is asked for happens though nothing changes', async () => {
    const { olt, plant } = setUp();
    olt.plug(A);
    const order = { ontSerial: 'A', sVlan: 200, qosDownloadBps: 100, qosUploadBps: 50 };
    await olt.reconfigure(order);
    const before = plant.log.length;
    await olt.reconfigure({ ...order, bounce: true });
    assert.equal(plant.log.slice(before).at(-1), 'bounce A');
  });

  it('an unknown ONT can be neither reconfigured nor unplugged', async () => {
    const { olt, told } = setUp();
    const order = { ontSerial: 'X', sVlan: 200, qosDownloadBps: 0, qosUploadBps: 0 };
    await assert.rejects(olt.reconfigure(order), refusal);
    assert.throws(() => olt.unplug('X'), refusal);
    assert.deepEqual(told, []);
  });

  it('an unplugged ONT is withdrawn and told as disconnected', () => {
    const { olt, plant, told } = setUp();
    olt.plug(A);
    olt.unplug('A');
    assert.equal(plant.log.at(-1), 'withdraw A');
    assert.equal(told.at(-1), 'ONTDisconnected A 4000.1 disconnected 0/0');
    assert.deepEqual(olt.onts(), []);
  });

  it('an ONT whose cable is refused is not there and not told of', () => {
    const { olt, plant, told } = setUp();
    plant.refuse = true;
    assert.throws(() => olt.plug(A), refusal);
    assert.deepEqual([olt.onts(), told], [[], []]);
  });
});
