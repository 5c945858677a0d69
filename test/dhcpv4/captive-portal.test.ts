/** Option 114 (RFC 8910): who is behind a portal is told where its API is, and nobody else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipv4FromNumber, prefixContains } from '../../src/model/ipv4.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import { kindOf } from '../support/dhcp-client.js';
import type { Heard } from '../support/dhcp-client.js';
import { GARDEN, HOME, InnerBng } from '../support/inner-bng.js';

const told = (answer: Heard | null): string | null => {
  const value = answer?.message.options.get(DhcpOption.CaptivePortal);
  return value === undefined ? null : Buffer.from(value).toString('latin1');
};

test('an OFFER and an ACK of the garden carry the address of the captive portal API, a NAK does not', async () => {
  const client = new InnerBng().ont('ONT1');
  const offer = await client.discover();
  const ack = await client.select(offer!.message.yiaddr, GARDEN.gateway);
  assert.deepEqual([offer, ack].map(kindOf), ['DHCPOFFER', 'DHCPACK']);
  assert.deepEqual([offer, ack].map(told), [GARDEN.captivePortal, GARDEN.captivePortal]);
  const renewed = await client.renew(ack!.message.yiaddr);
  assert.equal(told(renewed), GARDEN.captivePortal);
  assert.equal(told(await client.reboot(ipv4FromNumber(ack!.message.yiaddr + 1))), null);
});

test('leases of a pool without a portal do not mention one', async () => {
  const answer = await new InnerBng({ defaultPool: 'isp' }).ont('ONT1').lease();
  assert.ok(prefixContains(HOME.network, answer.message.yiaddr));
  assert.equal(told(answer), null);
});
