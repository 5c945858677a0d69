/**
 * Bytes of a map into values that people and JSON can read, by the generated ABI alone: a struct that is added to
 * `bng_abi.h` appears without code here. Pure. Addresses, MACs, rates, flags and TPIDs are recognised by type and name.
 */
import { formatIpv4, type Ipv4 } from '../model/ipv4.js';
import { formatMac, macFromBytes } from '../model/mac.js';
import { AbiLayout, BngLimit, readBngRate, readBngSubscriber } from './abi.js';
import type { AbiScalar, AbiType } from './abi-layout.js';
import { bitsPerSecondOf, type PolicerRate } from './policer-rate.js';
import { unpackRates } from './subscriber-value.js';

/** 64-bit numbers are decimal strings. */
export type DecodedValue =
  | string
  | number
  | readonly DecodedValue[]
  | { readonly [field: string]: DecodedValue };

/** Where and under which name a value stands. */
interface Place {
  readonly view: DataView;
  readonly offset: number;
  readonly name: string;
  /** The struct it is a field of; empty for a whole key or value. */
  readonly owner: string;
}

const structs = new Map(AbiLayout.structs.map((struct) => [struct.name, struct]));
const enums = new Map(AbiLayout.enums.map((declared) => [declared.name, declared]));

/** Decodes a key or a value of a map, or a field; `bytes` may be longer than it. */
export function decodeAbi(type: AbiType, bytes: Uint8Array, offset = 0): DecodedValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return decode(type, { view, offset, name: '', owner: '' });
}

/** The name of an index that an enum counts, such as `garden_fragment`; null when the enum has none. */
export function enumLabel(enumName: string, value: number): string | null {
  const members = Object.entries(enums.get(enumName)?.members ?? {}).map(([name]) => name);
  const prefix = commonPrefix(members);
  const found = Object.entries(enums.get(enumName)?.members ?? {}).find(([, known]) => known === value);
  if (found === undefined || found[0].endsWith('_COUNT')) return null;
  return found[0].slice(prefix.length).toLowerCase();
}

function decode(type: AbiType, place: Place): DecodedValue {
  switch (type.kind) {
    case 'struct':
      return decodeStruct(type.element ?? '', place);
    case 'array':
      return decodeArray(type, place);
    case 'bytes':
      return decodeBytes(type.size, place);
    default:
      return decodeScalar(type.kind, place);
  }
}

function decodeStruct(name: string, { view, offset }: Place): DecodedValue {
  const fields = structs.get(name)?.fields ?? [];
  const value = Object.fromEntries(
    fields
      .filter((field) => field.name !== 'reserved')
      .map((field) => [
        field.name,
        decode(field, { view, offset: offset + field.offset, name: field.name, owner: name }),
      ]),
  );
  if (name === 'bng_subscriber') return withRates(value, unpackRates(readBngSubscriber(view, offset)));
  return name === 'bng_rate' ? decodeRate(readBngRate(view, offset)) : value;
}

function decodeRate(rate: PolicerRate): { readonly [field: string]: DecodedValue } {
  return {
    ns_per_byte: rate.nsPerByte.toString(),
    burst_ns: rate.burstNs.toString(),
    bits_per_second: bitsPerSecondOf(rate, BngLimit.rateFractionBits),
  };
}

/** A subscriber's rates are packed, each in two fields, and say nothing as they stand. */
function withRates(
  value: { readonly [field: string]: DecodedValue },
  rates: { readonly upstream: PolicerRate; readonly downstream: PolicerRate },
): DecodedValue {
  const shown = Object.entries(value).filter(([field]) => !/_(ns_per_byte|burst|tat)$/.test(field));
  return {
    ...Object.fromEntries(shown),
    upstream: decodeRate(rates.upstream),
    downstream: decodeRate(rates.downstream),
    ...Object.fromEntries(Object.entries(value).filter(([field]) => field.endsWith('_tat'))),
  };
}

/** Zeros at the end of an array are room that is not used. */
function decodeArray(type: AbiType, { view, offset, name, owner }: Place): DecodedValue {
  const { count = 0, element = '' } = type;
  const step = count === 0 ? 0 : type.size / count;
  const of: AbiType = structs.has(element)
    ? { kind: 'struct', size: step, element }
    : { kind: element as AbiScalar, size: step };
  const isZero = (index: number): boolean =>
    new Uint8Array(view.buffer, view.byteOffset + offset + index * step, step).every((byte) => byte === 0);
  let used = count;
  while (used > 0 && isZero(used - 1)) used -= 1;
  return Array.from({ length: used }, (_, index) =>
    decode(of, { view, offset: offset + index * step, name, owner }),
  );
}

function decodeBytes(size: number, { view, offset, name }: Place): DecodedValue {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, size);
  if (size === 6 && name.endsWith('mac')) return formatMac(macFromBytes(bytes));
  const text = Buffer.from(bytes).toString('latin1').replace(/\0+$/, '');
  return /^[ -~]*$/.test(text) ? text : Array.from(bytes);
}

function decodeScalar(kind: AbiScalar, { view, offset, name, owner }: Place): DecodedValue {
  switch (kind) {
    case 'u64':
      return view.getBigUint64(offset, true).toString();
    case 'be32':
      return formatIpv4(view.getUint32(offset, false) as Ipv4);
    case 'be16': {
      const value = view.getUint16(offset, false);
      return name.endsWith('tpid') ? (value === 0 ? 'none' : `0x${value.toString(16)}`) : value;
    }
    case 'u8':
      return named(view.getUint8(offset), name, owner);
    case 'u16':
      return view.getUint16(offset, true);
    case 'u32':
      return named(view.getUint32(offset, true), name, owner);
  }
}

/** `flags` of `struct bng_x` are named by `enum bng_x_flag`, any other field by `enum bng_x_<field>` where there is one. */
function named(value: number, field: string, owner: string): DecodedValue {
  if (field === '') return value;
  if (field !== 'flags') return enumLabel(`${owner}_${field}`, value) ?? value;
  const members = Object.values(enums.get(`${owner}_flag`)?.members ?? {});
  const known = members.filter((bit) => (value & bit) !== 0);
  const rest = known.reduce((left, bit) => left & ~bit, value);
  return [...known.map((bit) => enumLabel(`${owner}_flag`, bit) ?? bit), ...(rest === 0 ? [] : [rest])];
}

/** Whole words that all names begin with: `BNG_DROP_`; of a single name all but its last word. */
function commonPrefix(names: readonly string[]): string {
  const [first = '', ...others] = names;
  const words = first.split('_');
  for (let count = words.length - 1; count > 0; count--) {
    const prefix = `${words.slice(0, count).join('_')}_`;
    if (others.every((name) => name.startsWith(prefix))) return prefix;
  }
  return '';
}
