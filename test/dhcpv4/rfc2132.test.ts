/** RFC 2132, 3396, 3442 and 8910: what options say and how long ones travel, in answers and in questions. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { parsePrefix } from '../../src/model/ipv4.js';
import type { ClasslessRoute, LeaseOption } from '../../src/model/lease.js';
import { ServiceOptions } from '../../src/session/service-options.js';
import { decodeClasslessRoutes, encodeClasslessRoutes } from '../../src/wire/classless-routes.js';
import { DhcpOption } from '../../src/wire/dhcpv4-option-codes.js';
import type { Heard } from '../support/dhcp-client.js';
import { kindOf } from '../support/dhcp-client.js';
import type { InnerBngOptions } from '../support/inner-bng.js';
import { GARDEN, HOME, InnerBng, ip, orderFor } from '../support/inner-bng.js';
import { throwsBng } from '../wire/fixtures/wire-errors.js';

let bng: InnerBng;
afterEach(() => assert.deepEqual(bng.bugs, []));

function open(options: readonly LeaseOption[], more: InnerBngOptions = {}): InnerBng {
  bng = new InnerBng({ pools: [{ ...GARDEN, options }, HOME], ...more });
  return bng;
}

function valueOf(heard: Heard | null, code: number): string | undefined {
  const value = heard?.message.options.get(code);
  return value === undefined ? undefined : Buffer.from(value).toString('hex');
}

const route = (to: string, via: string): ClasslessRoute => ({ to: parsePrefix(to), via: ip(via) });
const sized = (bytes: number): readonly [number, Uint8Array] => [
  DhcpOption.MaxMessageSize,
  Uint8Array.of(bytes >>> 8, bytes & 255),
];

describe('RFC 2132: options of configuration', () => {
  const types: readonly (readonly [string, LeaseOption, string])[] = [
    [
      '§2: text is sent without a NUL behind it',
      { code: 15, type: 'text', value: 'example.net' },
      '6578616d706c652e6e6574',
    ],
    [
      '§8.3: addresses in the order of preference',
      { code: 42, type: 'addresses', value: [ip('192.0.2.2'), ip('192.0.2.1')] },
      'c0000202c0000201',
    ],
    ['§5.1: a word of two bytes, high byte first', { code: 26, type: 'u16', value: 1492 }, '05d4'],
    ['§3.4: a word of four bytes', { code: 2, type: 'u32', value: 3600 }, '00000e10'],
    ['§4.1: one byte', { code: 19, type: 'u8', value: 1 }, '01'],
    [
      '§8.4: vendor-specific bytes as they are',
      { code: 43, type: 'hex', value: '0104c0000201' },
      '0104c0000201',
    ],
  ];
  for (const [name, option, hex] of types) {
    it(`RFC 2132 ${name}: in OFFER, ACK and the answer to INFORM, not in a NAK`, async () => {
      const client = open([option]).ont('ONT1');
      const offer = await client.discover();
      const ack = await client.select(offer!.message.yiaddr, GARDEN.gateway);
      const inform = await client.say('DHCPINFORM', { ciaddr: ack!.message.yiaddr });
      assert.deepEqual(
        [offer, ack, inform].map((answer) => valueOf(answer, option.code)),
        [hex, hex, hex],
      );
      assert.equal(valueOf(await client.reboot(ip('192.0.2.1')), option.code), undefined);
    });
  }

  it('a service adds its own, and takes the place of the pool’s with the same code', async () => {
    const services = new ServiceOptions({ 'home-100': [{ code: 15, type: 'text', value: 'b' }] });
    const inPool: LeaseOption = { code: 15, type: 'text', value: 'a' };
    const pools = [
      { ...GARDEN, options: [inPool] },
      { ...HOME, options: [inPool, { code: 19, type: 'u8', value: 0 } as const] },
    ];
    const client = open([], { pools, services }).ont('ONT1');
    assert.equal(valueOf(await client.lease(), 15), '61');
    await bng.manager.operator.activate(orderFor('ONT1'));
    const ack = await client.lease();
    assert.deepEqual([valueOf(ack, 15), valueOf(ack, 19)], ['62', '00']);
    // The dataplane knows pools: where the service says more, it does not answer.
    assert.equal(bng.dataplane.promised(bng.manager.operator.sessionByOnt('ONT1')!.attachment!), null);
    services.use({});
    bng.manager.dhcp.servicesChanged();
    const renewed = await client.renew(ack.message.yiaddr, HOME.gateway);
    assert.equal(valueOf(renewed, 15), '61');
    assert.notEqual(bng.dataplane.promised(bng.manager.operator.sessionByOnt('ONT1')!.attachment!), null);
    services.use({ 'home-100': [inPool] });
    bng.manager.dhcp.servicesChanged();
    assert.equal(bng.dataplane.promised(bng.manager.operator.sessionByOnt('ONT1')!.attachment!), null);
  });
});

describe('RFC 2132 §9: options of DHCP itself', () => {
  const malformed: readonly (readonly [string, number, Uint8Array])[] = [
    ['§9.1: a requested address of 3 bytes', DhcpOption.RequestedAddress, Uint8Array.of(1, 2, 3)],
    ['§9.6: a message type of 2 bytes', DhcpOption.MessageType, Uint8Array.of(1, 1)],
    ['§9.7: a server identifier of 5 bytes', DhcpOption.ServerIdentifier, Uint8Array.of(1, 2, 3, 4, 5)],
    ['§9.10: a maximum message size of 1 byte', DhcpOption.MaxMessageSize, Uint8Array.of(5)],
  ];
  for (const [name, code, value] of malformed) {
    it(`RFC 2132 ${name} makes the message malformed, and no session hears of it`, async () => {
      const client = open([]).ont('ONT1');
      assert.equal(await client.say('DHCPREQUEST', { options: [[code, value]] }), null);
      assert.equal(bng.server.drops().get('malformed'), 1);
      assert.deepEqual([...bng.manager.operator.sessions()], []);
    });
  }

  it('RFC 2132 §9.3: options that do not fit go to file and sname, and option 52 says so', async () => {
    const text = 'x'.repeat(150);
    const client = open([{ code: 17, type: 'text', value: text }]).ont('ONT1', { circuitId: 'c'.repeat(90) });
    const offer = await client.say('DHCPDISCOVER', { options: [[61, new Uint8Array(100).fill(1)]] });
    assert.equal(Buffer.from(offer!.message.options.get(17)!).toString('latin1'), text);
    assert.equal(offer?.message.file.length, 0);
  });

  it('RFC 2132 §9.8: what the client does not ask for is sent all the same, in the same order for every client', async () => {
    const client = open([]).ont('ONT1');
    const asked = async (...codes: readonly number[]): Promise<readonly number[]> => {
      const list: readonly [number, Uint8Array] = [DhcpOption.ParameterRequestList, Uint8Array.from(codes)];
      const offer = await client.say('DHCPDISCOVER', { options: [list] });
      return [...offer!.message.options.entries()].map(([code]) => code);
    };
    assert.deepEqual(await asked(6, 3, 1), await asked(1));
  });

  it('RFC 2132 §9.10: a size below 576 is taken as 576', async () => {
    const client = open([]).ont('ONT1');
    assert.equal(kindOf(await client.say('DHCPDISCOVER', { options: [sized(100)] })), 'DHCPOFFER');
  });

  it('RFC 2132 §2: options that nobody knows are passed over', async () => {
    const client = open([]).ont('ONT1');
    const odd = [224, 250, 128].map((code) => [code, Uint8Array.of(1)] as const);
    assert.equal(kindOf(await client.say('DHCPDISCOVER', { options: odd })), 'DHCPOFFER');
  });
});

describe('RFC 3396: long options', () => {
  const routes = Array.from({ length: 60 }, (_, i) => route(`10.${i}.0.0/16`, '10.255.0.1'));

  it('RFC 3396 §7: a value of more than 255 bytes is sent in pieces, which a client joins', async () => {
    const client = open([{ code: 121, type: 'routes', value: routes }]).ont('ONT1');
    const offer = await client.say('DHCPDISCOVER', { options: [sized(1400)] });
    assert.equal(kindOf(offer), 'DHCPOFFER');
    assert.deepEqual(offer?.message.options.classlessRoutes, routes);
    const raw = Buffer.from(offer.bytes);
    assert.ok(raw.includes(Buffer.of(121, 255)) && raw.includes(Buffer.of(121, 60 * 7 - 255)));
  });

  it('RFC 3396 §5: a client’s long option is joined: an identifier of 300 bytes comes back whole', async () => {
    const clientId = Uint8Array.from({ length: 300 }, (_, i) => i & 255);
    const client = open([]).ont('ONT1', { clientId });
    const offer = await client.say('DHCPDISCOVER', { options: [sized(1400)] });
    assert.deepEqual(offer?.message.options.clientIdentifier, clientId);
  });

  it('RFC 3396 §8: what fits no message of the client is not cut: there is silence, counted', async () => {
    const client = open([{ code: 121, type: 'routes', value: [...routes, ...routes] }]).ont('ONT1');
    assert.equal(await client.discover(), null);
    assert.equal(bng.server.drops().get('reply-too-long'), 1);
  });
});

describe('RFC 3442: classless static routes', () => {
  const table: readonly (readonly [string, string])[] = [
    ['0.0.0.0/0', '00'],
    ['10.0.0.0/8', '080a'],
    ['10.0.0.0/24', '180a0000'],
    ['10.17.0.0/16', '100a11'],
    ['10.27.129.0/24', '180a1b81'],
    ['10.229.0.128/25', '190ae50080'],
    ['10.198.122.47/32', '200ac67a2f'],
  ];
  for (const [to, hex] of table) {
    it(`RFC 3442, destination descriptors: ${to} is ${hex}`, () => {
      bng = new InnerBng();
      const routes = [route(to, '192.0.2.1')];
      assert.equal(Buffer.from(encodeClasslessRoutes(routes)).toString('hex'), `${hex}c0000201`);
      assert.deepEqual(decodeClasslessRoutes(Buffer.from(`${hex}c0000201`, 'hex')), routes);
    });
  }

  it('RFC 3442: a mask of more than 32 bits, no route at all and half a route are errors; host bits are ignored', () => {
    bng = new InnerBng();
    throwsBng(
      () => decodeClasslessRoutes(Buffer.from('210a00000001c0000201', 'hex')),
      'BNG_ERR_WIRE_MALFORMED',
    );
    throwsBng(() => decodeClasslessRoutes(new Uint8Array(0)), 'BNG_ERR_WIRE_TRUNCATED');
    throwsBng(() => decodeClasslessRoutes(Buffer.from('080ac00002', 'hex')), 'BNG_ERR_WIRE_TRUNCATED');
    assert.deepEqual(decodeClasslessRoutes(Buffer.from('190ae500ffc0000201', 'hex')), [
      route('10.229.0.128/25', '192.0.2.1'),
    ]);
  });

  it('RFC 3442, DHCP server: routes of configuration are sent, and the router option stays for clients without it', async () => {
    const value = [route('0.0.0.0/0', '10.255.0.1'), route('192.0.2.0/24', '10.255.0.9')];
    const ack = await open([{ code: 121, type: 'routes', value }])
      .ont('ONT1')
      .lease();
    assert.deepEqual(ack.message.options.classlessRoutes, value);
    assert.deepEqual(ack.message.options.routers, [GARDEN.gateway]);
  });
});

describe('RFC 8910: the captive portal', () => {
  it('RFC 8910 §2.1: option 114 is the URI without NUL, in the leases of the garden and in no other', async () => {
    const client = open([]).ont('ONT1');
    assert.equal((await client.lease()).message.options.captivePortal, GARDEN.captivePortal);
    await bng.manager.operator.activate(orderFor('ONT1'));
    assert.equal((await client.lease()).message.options.captivePortal, undefined);
  });

  it('RFC 8910 §2: the API is told with every answer, asked for or not', async () => {
    const client = open([]).ont('ONT1');
    const list: readonly [number, Uint8Array] = [DhcpOption.ParameterRequestList, Uint8Array.of(1, 3)];
    const offer = await client.say('DHCPDISCOVER', { options: [list] });
    assert.equal(offer?.message.options.captivePortal, GARDEN.captivePortal);
  });
});
