/**
 * RFC 3203 and 6704: a client that offers to understand nonces is given one, and told to renew when its service moves. The
 * client checks the proof by itself, with OpenSSL's HMAC.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import type { DhcpClient, Heard, Said } from '../support/dhcp-client.js';
import { kindOf, serverIdOf } from '../support/dhcp-client.js';
import type { InnerBngOptions } from '../support/inner-bng.js';
import { GARDEN, HOME, InnerBng, orderFor } from '../support/inner-bng.js';
import { settled } from '../support/fake-clock.js';

const CAPABLE = { options: [[DhcpOption.ForceRenewNonceCapable, Uint8Array.of(1)]] } as const satisfies Said;

let bng: InnerBng;
let client: DhcpClient;

function open(more: InnerBngOptions = {}): void {
  bng = new InnerBng(more);
  client = bng.ont('ONT1', { tags: [{ tpid: 0x88a8, vlanId: 100, priority: 0, dropEligible: false }] });
}
beforeEach(() => open());
afterEach(() => assert.deepEqual(bng.bugs, []));

/** What option 90 says: protocol, algorithm, replay detection, type, and 16 bytes. */
function proofOf(heard: Heard | null) {
  const value = heard?.message.options.authentication;
  if (value === undefined) return null;
  const { protocol, algorithm, method, replay, information } = value;
  return { kinds: [protocol, algorithm, method, information[0]], replay, bytes: information.subarray(1) };
}

/** DORA of a client that offers to understand nonces; gives its address and its nonce. */
async function leased(): Promise<{ address: Ipv4; nonce: Uint8Array; replay: bigint }> {
  const offer = await client.say('DHCPDISCOVER', CAPABLE);
  const { yiaddr: address } = offer!.message;
  const ack = await client.say('DHCPREQUEST', {
    ...CAPABLE,
    requestedAddress: address,
    serverId: serverIdOf(offer!),
  });
  assert.equal(kindOf(ack), 'DHCPACK');
  const proof = proofOf(ack);
  assert.ok(proof !== null);
  return { address, nonce: Uint8Array.from(proof.bytes), replay: proof.replay };
}

/** As the client computes it: over the BOOTP message with hops, giaddr and the digest as zeros (RFC 3118 §5.2). */
function digestOf({ bytes, ethernet, message }: Heard, nonce: Uint8Array): string {
  const bootp = Buffer.from(bytes.subarray(ethernet.payloadOffset + 28));
  const { information } = message.options.authentication!;
  const at = bootp.indexOf(Buffer.from(information)) + 1;
  bootp.fill(0, at, at + 16);
  bootp[3] = 0;
  bootp.fill(0, 24, 28);
  return createHmac('md5', nonce).update(bootp).digest('hex');
}

describe('RFC 6704: nonces', () => {
  it('RFC 6704 §3.1.1: the OFFER names the algorithm in option 145, to a client that does', async () => {
    const offer = await client.say('DHCPDISCOVER', CAPABLE);
    assert.deepEqual(offer?.message.options.forceRenewAlgorithms, Uint8Array.of(1));
    assert.equal(proofOf(offer), null);
  });

  it('RFC 6704 §3.1.2: the ACK has a nonce of 16 bytes in option 90: protocol 3, algorithm 1, RDM 0, type 1', async () => {
    const offer = await client.say('DHCPDISCOVER', CAPABLE);
    const said = { ...CAPABLE, requestedAddress: offer!.message.yiaddr, serverId: GARDEN.gateway };
    const proof = proofOf(await client.say('DHCPREQUEST', said));
    assert.deepEqual(proof?.kinds, [3, 1, 0, 1]);
    assert.equal(proof?.bytes.length, 16);
    assert.notEqual(Buffer.from(proof.bytes).toString('hex'), '00'.repeat(16));
  });

  it('RFC 6704 §3.1.3: a renewal has none: the nonce goes over the wire once', async () => {
    const { address } = await leased();
    const ack = await client.say('DHCPREQUEST', {
      ...CAPABLE,
      ciaddr: address,
      destinationIp: GARDEN.gateway,
    });
    assert.equal(kindOf(ack), 'DHCPACK');
    assert.equal(proofOf(ack), null);
  });

  it('RFC 6704 §3.1.3: every lease has its own', async () => {
    const first = await leased();
    const second = await leased();
    assert.notDeepEqual(first.nonce, second.nonce);
    assert.ok(second.replay > first.replay);
  });

  it('a client that does not ask, or knows another algorithm only, hears of none of it', async () => {
    for (const algorithms of [null, Uint8Array.of(9), new Uint8Array(0)]) {
      const options = algorithms === null ? [] : [[DhcpOption.ForceRenewNonceCapable, algorithms] as const];
      const offer = await client.say('DHCPDISCOVER', { options });
      const said = { options, requestedAddress: offer!.message.yiaddr, serverId: GARDEN.gateway };
      const ack = await client.say('DHCPREQUEST', said);
      for (const answer of [offer, ack]) {
        assert.equal(answer?.message.options.forceRenewAlgorithms, undefined);
        assert.equal(proofOf(answer), null);
      }
    }
  });

  it('nor does anybody where it is switched off', async () => {
    open({ rules: { forceRenew: false } });
    const offer = await client.say('DHCPDISCOVER', CAPABLE);
    assert.equal(offer?.message.options.forceRenewAlgorithms, undefined);
  });
});

describe('RFC 3203: FORCERENEW', () => {
  async function activated(): Promise<readonly Heard[]> {
    client.heard();
    assert.ok((await bng.manager.operator.activate(orderFor('ONT1'))).ok);
    await settled();
    return client.heard();
  }

  it('RFC 3203 §2: an activation sends it, unicast to the address that the client still has', async () => {
    const { address } = await leased();
    const [forced, ...more] = await activated();
    assert.equal(more.length, 0);
    assert.equal(kindOf(forced!), 'DHCPFORCERENEW');
    assert.equal(forced?.destinationIp, address);
    assert.deepEqual(
      [forced?.sourceIp, forced?.sourcePort, forced?.destinationPort],
      [GARDEN.gateway, 67, 68],
    );
    assert.equal(forced?.ethernet.destination, client.mac);
    assert.deepEqual(
      forced?.ethernet.tags.map(({ vlanId }) => vlanId),
      [100],
    );
  });

  it('RFC 6704 §3.1.4: it proves itself with HMAC-MD5 of the nonce, type 2, and a counter that rises', async () => {
    const { nonce, replay } = await leased();
    const [forced] = await activated();
    const proof = proofOf(forced!);
    assert.deepEqual(proof?.kinds, [3, 1, 0, 2]);
    assert.ok(proof.replay > replay);
    assert.equal(Buffer.from(proof.bytes).toString('hex'), digestOf(forced!, nonce));
  });

  it('RFC 3203 §3: the renewal that follows is refused with NAK, and the client has its new address without waiting', async () => {
    const { address } = await leased();
    await activated();
    assert.equal(kindOf(await client.renew(address)), 'DHCPNAK');
    const ack = await client.lease();
    assert.equal(serverIdOf(ack), HOME.gateway);
    assert.equal(bng.stateOf('ONT1'), 'active');
  });

  it('it is repeated while the client has not asked, three times, and no longer', async () => {
    await leased();
    await activated();
    await bng.clock.advance(60_000);
    assert.deepEqual(
      client.heard().map(kindOf),
      Array.from({ length: 3 }, () => 'DHCPFORCERENEW'),
    );
  });

  it('and not once the client has moved', async () => {
    await leased();
    await activated();
    await client.lease();
    await bng.clock.advance(60_000);
    assert.deepEqual(client.heard(), []);
  });

  it('it goes out on the S-VLAN of the new service too: the access node may have moved the line already', async () => {
    open({ sVlanOf: (poolName) => (poolName === 'isp' ? 200 : 100) });
    await leased();
    const forced = await activated();
    assert.deepEqual(
      forced.map(({ ethernet }) => ethernet.tags.map(({ vlanId }) => vlanId)),
      [[100], [200]],
    );
  });

  it('a suspension sends it too', async () => {
    await leased();
    await activated();
    await leased();
    client.heard();
    await bng.manager.operator.suspend('ONT1', 'unpaid');
    await settled();
    assert.deepEqual(client.heard().map(kindOf), ['DHCPFORCERENEW']);
  });

  it('RFC 3203 §6: without a nonce it is not sent', async () => {
    await client.lease();
    assert.deepEqual(await activated(), []);
  });
});
