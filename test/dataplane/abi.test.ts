/** The generated readers and writers, and the comparison with a built object. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAbi } from '../../src/dataplane/abi-check.js';
import type { Abi } from '../../src/dataplane/abi-layout.js';
import {
  AbiLayout,
  BNG_GARDEN_SIZE,
  BNG_SUBSCRIBER_SIZE,
  BngDropReason,
  BngDropReasonLabels,
  BngLimit,
  BngVerdictLabels,
  readBngGarden,
  readBngSubscriber,
  writeBngGarden,
  writeBngSubscriber,
} from '../../src/dataplane/abi.js';
import type { BngSubscriber } from '../../src/dataplane/abi.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import { isBngError } from '../../src/model/bng-error.js';

const subscriber: BngSubscriber = {
  address: 0x0a000102,
  mac: Uint8Array.of(2, 0, 0, 0, 0, 9),
  flags: 1,
  ifindex: 7,
  sVlan: 100,
  cVlan: 4094,
  sTpid: 0x88a8,
  cTpid: 0x8100,
  upstreamNsPerByte: 0x0102030405060708n,
  downstreamNsPerByte: 6n,
  upstreamBurst: 5,
  downstreamBurst: 7,
  upstreamTat: 8n,
  downstreamTat: 9n,
};

/** Written by hand from bpf/bng_abi.h, for a little-endian machine. */
const SUBSCRIBER_BYTES =
  '0a000102' +
  '07000000' +
  '020000000009' +
  '01' +
  '00' +
  '6400' +
  'fe0f' +
  '88a8' +
  '8100' +
  '0807060504030201' +
  '0600000000000000' +
  '05000000' +
  '07000000' +
  '0800000000000000' +
  '0900000000000000';

test('a subscriber is written as C lays it out: host order, TPIDs in network order, reserved bytes zero', () => {
  const bytes = new Uint8Array(BNG_SUBSCRIBER_SIZE).fill(0xff);
  writeBngSubscriber(new DataView(bytes.buffer), 0, subscriber);
  assert.equal(Buffer.from(bytes).toString('hex'), SUBSCRIBER_BYTES);
  assert.deepEqual(readBngSubscriber(new DataView(bytes.buffer), 0), subscriber);
});

test('a value is written at an offset and nowhere else', () => {
  const bytes = new Uint8Array(BNG_SUBSCRIBER_SIZE + 10).fill(0xee);
  const view = new DataView(bytes.buffer, 2);
  writeBngSubscriber(view, 3, subscriber);
  assert.equal(Buffer.from(bytes).toString('hex'), 'ee'.repeat(5) + SUBSCRIBER_BYTES + 'ee'.repeat(5));
  assert.deepEqual(readBngSubscriber(view, 3), subscriber);
});

test('ports of a garden entry not given are zero; too many are refused', () => {
  const view = new DataView(new ArrayBuffer(BNG_GARDEN_SIZE));
  writeBngGarden(view, 0, { flags: 0, portCount: 2, ports: [53, 443] });
  assert.deepEqual(readBngGarden(view, 0).ports, [53, 443, ...Array<number>(14).fill(0)]);
  const ports = Array<number>(BngLimit.gardenPorts + 1).fill(1);
  assert.throws(
    () => writeBngGarden(view, 0, { flags: 0, portCount: 17, ports }),
    (error) => isBngError(error, 'BNG_ERR_VALUE'),
  );
});

test('a MAC of the wrong length is refused', () => {
  const view = new DataView(new ArrayBuffer(BNG_SUBSCRIBER_SIZE));
  const short = { ...subscriber, mac: new Uint8Array(5) };
  assert.throws(
    () => writeBngSubscriber(view, 0, short),
    (error) => isBngError(error, 'BNG_ERR_VALUE'),
  );
});

test('every drop reason and verdict has a label, the count is none', () => {
  assert.equal(BngDropReasonLabels.size, BngDropReason.count);
  assert.equal(BngDropReasonLabels.get(BngDropReason.puntLineRate), 'punt_line_rate');
  assert.equal(BngVerdictLabels.get(3), 'forward_up');
});

function builtBtf(): Uint8Array {
  const object = loadNative().openObject('build/bpf/bng.bpf.o');
  try {
    return object.btf();
  } finally {
    object.close();
  }
}

const btf = builtBtf();

test('the built dataplane object is what the generated table says', () => {
  checkAbi(btf, AbiLayout);
});

function refuses(name: string, expected: Abi, context: Readonly<Record<string, unknown>>): void {
  test(name, () => {
    assert.throws(
      () => checkAbi(btf, expected),
      (error) => {
        assert.ok(isBngError(error, 'BNG_ERR_ABI_MISMATCH'), String(error));
        assert.deepEqual({ ...error.context, ...context }, error.context);
        return true;
      },
    );
  });
}

function editedField(struct: string, field: string, edit: object): Abi {
  return {
    ...AbiLayout,
    structs: AbiLayout.structs.map((of) =>
      of.name !== struct
        ? of
        : { ...of, fields: of.fields.map((one) => (one.name === field ? { ...one, ...edit } : one)) },
    ),
  };
}

refuses(
  'two fields that changed places are noticed',
  editedField('bng_subscriber', 'ifindex', { offset: 0 }),
  {
    struct: 'bng_subscriber',
    field: 'ifindex',
  },
);
refuses('another byte order is noticed', editedField('bng_subscriber', 's_tpid', { kind: 'u16' }), {
  struct: 'bng_subscriber',
  field: 's_tpid',
});
refuses('a renamed field is noticed', editedField('bng_punt', 'l3_offset', { name: 'l4_offset' }), {
  struct: 'bng_punt',
});
refuses(
  'a missing struct is noticed',
  { ...AbiLayout, structs: [...AbiLayout.structs, { name: 'bng_new', size: 4, fields: [] }] },
  { struct: 'bng_new', found: 'absent' },
);
refuses(
  'a drop reason with another number is noticed',
  {
    ...AbiLayout,
    enums: AbiLayout.enums.map((one) =>
      one.name === 'bng_drop_reason' ? { ...one, members: { ...one.members, BNG_DROP_GARDEN: 99 } } : one,
    ),
  },
  { enum: 'bng_drop_reason', member: 'BNG_DROP_GARDEN' },
);
