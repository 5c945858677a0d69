/** What the RADIUS benches send and answer: lines, sessions and attributes of usual size. Measures nothing. */
import type { RadiusNas } from '../../src/aaa/radius-nas-attributes.js';
import { addLine, addNas } from '../../src/aaa/radius-nas-attributes.js';
import type { AccessLine } from '../../src/model/access-line.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { ipv4FromNumber, parseIpv4 } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import type { ServiceProfile } from '../../src/model/service-profile.js';
import type { SessionTerms } from '../../src/model/session-terms.js';
import { plainTerms } from '../../src/model/session-terms.js';
import type { RadiusAttributes } from '../../src/wire/radius-attributes.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import { ServiceType } from '../../src/wire/radius-values.js';

export const BENCH_SECRET = 'a-secret-of-the-bench';
/** FreeRADIUS accepts nobody else. */
export const BENCH_USER = 'bench';
export const LOOPBACK = '127.0.0.1';

const FIRST_ADDRESS = parseIpv4('10.0.1.0');
const FIRST_MAC = 0x02_20_00_00_00_00;
const LINES_PER_S_VLAN = 4_000;
const KNOWN_LINES = 1_024;

export const benchNas: RadiusNas = {
  identifier: 'bng-bench',
  address: parseIpv4(LOOPBACK),
  interfaceName: () => 'access0',
  soleInterface: 'access0',
};

export const benchProfile: ServiceProfile = {
  serviceId: 'internet-100',
  poolName: 'isp1',
  walled: false,
  downloadBitsPerSecond: 100_000_000,
  uploadBitsPerSecond: 50_000_000,
};

export function benchAddress(n: number): Ipv4 {
  return ipv4FromNumber(FIRST_ADDRESS + n);
}

export function benchLine(n: number): AccessLine {
  return {
    ifindex: 1,
    mac: (FIRST_MAC + n) as Mac,
    sVlan: 100 + Math.floor(n / LINES_PER_S_VLAN),
    cVlan: 1 + (n % LINES_PER_S_VLAN),
    circuitId: Buffer.from(`OLT-1 xpon 0/1/${n}`),
    remoteId: Buffer.from(`BNCH${n.toString(16).padStart(8, '0')}`),
  };
}

/** As the BNG has them when it asks: made before. */
const knownLines: readonly AccessLine[] = Array.from({ length: KNOWN_LINES }, (_, n) => benchLine(n));

export function knownLine(n: number): AccessLine {
  return knownLines[n % KNOWN_LINES] ?? benchLine(n);
}

/** A Class, as servers send one to find their own session again. */
export function benchTerms(n: number): SessionTerms {
  return { ...plainTerms(BENCH_USER), classes: [Buffer.from(`class-of-session-${n}`)] };
}

/** Nine: User-Name, NAS-Identifier and -IP-Address, Service-Type, NAS-Port-Type and -Id, the station, circuit and remote id. */
export function accessAttributes(line: AccessLine): RadiusAttributes {
  const builder = new RadiusAttributesBuilder().add(Attribute.UserName, BENCH_USER);
  addNas(builder, benchNas).add(Attribute.ServiceType, ServiceType.Framed);
  return addLine(builder, benchNas, line).build();
}

/** Of an Access-Accept: pool, interim interval, timeout, Class. */
export function acceptAttributes(): RadiusAttributes {
  return new RadiusAttributesBuilder()
    .add(Attribute.FramedPool, benchProfile.poolName)
    .add(Attribute.AcctInterimInterval, 300)
    .add(Attribute.SessionTimeout, 86_400)
    .add(Attribute.Class, Buffer.from('class-of-session'))
    .build();
}
