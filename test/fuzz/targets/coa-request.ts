/**
 * The inlet of the AAA server's orders. Bytes as they are are never believed; signed with the secret, whatever attributes they are
 * become an order or a refusal.
 */
import assert from 'node:assert/strict';
import { admit, repeatableMs } from '../../../src/aaa/coa-admission.js';
import type { CoaKind } from '../../../src/aaa/coa-request.js';
import { isRefusal, readCoaRequest } from '../../../src/aaa/coa-request.js';
import type { Ipv4 } from '../../../src/model/ipv4.js';
import { RadiusAttributesBuilder } from '../../../src/wire/radius-attributes-builder.js';
import { RadiusAttributes } from '../../../src/wire/radius-attributes.js';
import { Attribute } from '../../../src/wire/radius-dictionary.js';
import { layOutRadiusPacket, RadiusCode } from '../../../src/wire/radius-packet.js';
import { RadiusSecret } from '../../../src/wire/radius-secret.js';
import { ErrorCause } from '../../../src/wire/radius-values.js';
import { valueOf } from '../value-or-wire-error.js';
import type { FuzzTarget } from '../fuzz-target.js';

const SECRET = new RadiusSecret('fuzzing-secret');
const NOW_SECONDS = 1_750_000_000;
const RULES = {
  nasIdentifier: 'bng',
  nasIpAddress: 0x0a000001 as Ipv4,
  filters: new Map([
    ['slow', { poolName: null, serviceId: 'slow', downloadBitsPerSecond: 1e6, uploadBitsPerSecond: 1e6 }],
  ]),
  requireMessageAuthenticator: false,
  replayWindowSeconds: 300,
  wallMs: NOW_SECONDS * 1000,
};

/** What stands behind the header of a packet; code 0 is a Disconnect-Request. */
function request(kind: CoaKind, fill: (builder: RadiusAttributesBuilder) => void): Uint8Array {
  const builder = new RadiusAttributesBuilder();
  fill(builder);
  return new Uint8Array([kind === 'CoA' ? 1 : 0, ...builder.build().packed]);
}

function signed(kind: CoaKind, attributes: Uint8Array): Uint8Array | null {
  const code = RadiusCode[`${kind}-Request`];
  const packed = RadiusAttributes.ofPacked(attributes);
  if (attributes.length > 4_000) return null;
  const bytes = layOutRadiusPacket({ code, identifier: 1, attributes: packed, room: 0 });
  bytes.set(SECRET.md5After(bytes), 4);
  return bytes;
}

export const target: FuzzTarget = {
  seeds: () => [
    request('Disconnect', (b) => b.add(Attribute.AcctSessionId, '0001').add(Attribute.NasIdentifier, 'bng')),
    request('CoA', (b) =>
      b
        .add(Attribute.UserName, 'ONT1')
        .add(Attribute.EventTimestamp, NOW_SECONDS)
        .add(Attribute.FilterId, 'slow')
        .add(Attribute.BngDownloadRate, 1_000)
        .add(Attribute.ProxyState, Uint8Array.of(1)),
    ),
    request('CoA', (b) =>
      b
        .add(Attribute.CallingStationId, '02-00-00-00-00-01')
        .add(Attribute.FramedIpAddress, 0x0a000005 as Ipv4)
        .add(Attribute.AdslAgentCircuitId, Uint8Array.of(1, 2))
        .add(Attribute.WisprBandwidthMaxUp, 5_000)
        .add(Attribute.SessionTimeout, 0)
        .add(Attribute.AcctInterimInterval, 300),
    ),
  ],
  words: ['bng', 'slow', 'isp', '02-00-00-00-00-01'],
  maxBytes: 2_000,
  boundedRuns: 8_000,
  run: (input) => {
    assert.equal(typeof admit(input, SECRET, RULES), 'string', 'bytes of nobody were believed');
    const kind = (input[0] ?? 0) % 2 === 0 ? 'Disconnect' : 'CoA';
    const bytes = signed(kind, input.subarray(1));
    const admitted = bytes === null ? 'malformed' : admit(bytes, SECRET, RULES);
    if (typeof admitted === 'string') return;
    assert.equal(admitted.kind, kind);
    assert.ok(repeatableMs(admitted, RULES) >= 30_000);
    const order = readCoaRequest(kind, admitted.packet.attributes, RULES);
    if (isRefusal(order)) {
      assert.ok(order.cause in ErrorCause);
      return;
    }
    assert.ok(Object.keys(order.selector).length > 0, 'an order for everybody');
    const { nasIdentifier, nasIpAddress } = RULES;
    const told = valueOf(() => admitted.packet.attributes.first(Attribute.NasIdentifier));
    const address = valueOf(() => admitted.packet.attributes.first(Attribute.NasIpAddress));
    assert.ok((told ?? nasIdentifier) === nasIdentifier && (address ?? nasIpAddress) === nasIpAddress);
  },
};
