/**
 * RADIUS attributes in words, for people. What is secret is left out, and of what the dictionary does not know only the
 * length is told: nobody can say that it is no key.
 */
import { isWireError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatIpv4 } from '../model/ipv4.js';
import type { RadiusAttributes, RawAttribute } from './radius-attributes.js';
import { VENDOR_SPECIFIC, vendorIdOf } from './radius-attributes.js';
import { Attribute, knowsVendor } from './radius-dictionary.js';
import type { RadiusAttribute } from './radius-kinds.js';
import { AcctAuthentic, AcctStatusType, AcctTerminateCause } from './radius-values.js';
import { ErrorCause, NasPortType, ServiceType } from './radius-values.js';

/** One attribute as people read it. */
export interface AttributeText {
  readonly name: string;
  readonly value: string;
}

const BY_NUMBER: ReadonlyMap<string, RadiusAttribute<unknown>> = new Map(
  Object.values(Attribute).map((attribute) => [`${attribute.vendorId}/${attribute.type}`, attribute]),
);

const VALUES: ReadonlyMap<string, Readonly<Record<string, number>>> = new Map<
  string,
  Readonly<Record<string, number>>
>([
  [Attribute.ServiceType.name, ServiceType],
  [Attribute.NasPortType.name, NasPortType],
  [Attribute.AcctStatusType.name, AcctStatusType],
  [Attribute.AcctAuthentic.name, AcctAuthentic],
  [Attribute.AcctTerminateCause.name, AcctTerminateCause],
  [Attribute.ErrorCause.name, ErrorCause],
]);

/** User-Password, CHAP-Password, Tunnel-Password, EAP-Message, and the digest that a secret was used for. */
const WITHHELD: ReadonlySet<number> = new Set([2, 3, 69, 79, 80]);

/** Whether an attribute of the standard space must be neither shown nor kept. */
export function isWithheld(type: number): boolean {
  return WITHHELD.has(type);
}

/** All of them in their order, the withheld ones apart. */
export function attributeTexts(attributes: RadiusAttributes): readonly AttributeText[] {
  const told: AttributeText[] = [];
  const vendors = new Set<number>();
  for (const raw of attributes.entries()) {
    if (isWithheld(raw.type)) continue;
    const vendorId = raw.type === VENDOR_SPECIFIC ? vendorIdOf(raw) : 0;
    if (vendorId === 0) told.push(textOf(raw, vendorId));
    else if (vendorId === undefined || !knowsVendor(vendorId))
      told.push(unknown(`vendor ${vendorId ?? '?'}`, raw));
    else if (!vendors.has(vendorId)) {
      vendors.add(vendorId);
      told.push(...vendorTexts(attributes, vendorId));
    }
  }
  return told;
}

function vendorTexts(attributes: RadiusAttributes, vendorId: number): readonly AttributeText[] {
  try {
    return attributes.vendorEntries(vendorId).map((raw) => textOf(raw, vendorId));
  } catch (error) {
    if (!isWireError(error)) throw error;
    return [{ name: `vendor ${vendorId}`, value: 'cannot be read' }];
  }
}

function textOf(raw: RawAttribute, vendorId: number): AttributeText {
  const known = BY_NUMBER.get(`${vendorId}/${raw.type}`);
  if (known === undefined) {
    return unknown(
      vendorId === 0 ? `attribute ${raw.type}` : `vendor ${vendorId} attribute ${raw.type}`,
      raw,
    );
  }
  try {
    return { name: known.name, value: valueText(known, known.kind.decode(raw.value, raw.offset)) };
  } catch (error) {
    if (!isWireError(error)) throw error;
    return unknown(known.name, raw);
  }
}

function valueText({ name, kind }: RadiusAttribute<unknown>, value: unknown): string {
  if (value instanceof Uint8Array) return opaque(value);
  if (typeof value !== 'number') return String(value).replace(/\p{Cc}/gu, ' ');
  if (kind.name === 'ipv4') return formatIpv4(value as Ipv4);
  if (kind.name === 'date') return new Date(value * 1000).toISOString();
  return Object.entries(VALUES.get(name) ?? {}).find(([, number]) => number === value)?.[0] ?? String(value);
}

function opaque(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1');
  return /^[ -~]+$/.test(text) ? text : `0x${Buffer.from(bytes).toString('hex')}`;
}

function unknown(name: string, { value }: RawAttribute): AttributeText {
  return { name, value: `${value.length} bytes` };
}
