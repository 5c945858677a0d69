/**
 * Relay Agent Information, option 82 (RFC 3046): its sub-options, and putting it into and out of a raw BOOTP message
 * as an access node does. circuit-id and remote-id are opaque bytes. Holds no decision about whom to trust.
 */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import { ipv4FromBytes } from '../model/ipv4.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import {
  MAGIC_COOKIE,
  MAGIC_COOKIE_OFFSET,
  OPTIONS_OFFSET,
  overloadedAreas,
  visitOptions,
} from './dhcpv4-option-area.js';
import { DhcpOption, RelayAgentSubOption } from './dhcpv4-option-codes.js';

/** The sub-options that we name; each is written when it is given. */
export interface RelayAgentFields {
  readonly circuitId?: Uint8Array | undefined;
  readonly remoteId?: Uint8Array | undefined;
  /** RFC 3527: an address of the link that the client is on. */
  readonly linkSelection?: Uint8Array | undefined;
  /** RFC 5010: how the client's message reached the relay. */
  readonly relayAgentFlags?: Uint8Array | undefined;
  /** RFC 5107: the address that the client is to take for its server. */
  readonly serverIdOverride?: Uint8Array | undefined;
}

/** What option 82 says; sub-options without a name of ours are in `subOptions` alone. */
export class RelayAgentInformation implements RelayAgentFields {
  /** Every sub-option by its code, in the order in which they came. */
  readonly subOptions: ReadonlyMap<number, Uint8Array>;

  constructor(subOptions: ReadonlyMap<number, Uint8Array>) {
    this.subOptions = subOptions;
  }

  get circuitId(): Uint8Array | undefined {
    return this.subOptions.get(RelayAgentSubOption.CircuitId);
  }

  get remoteId(): Uint8Array | undefined {
    return this.subOptions.get(RelayAgentSubOption.RemoteId);
  }

  get linkSelection(): Uint8Array | undefined {
    return this.subOptions.get(RelayAgentSubOption.LinkSelection);
  }

  /** Sub-option 5 as an address. Throws `BNG_ERR_WIRE_MALFORMED` when it is none. */
  get linkSelectionAddress(): Ipv4 | undefined {
    return this.#address(RelayAgentSubOption.LinkSelection);
  }

  /** Sub-option 11 as an address. Throws `BNG_ERR_WIRE_MALFORMED` when it is none. */
  get serverIdOverrideAddress(): Ipv4 | undefined {
    return this.#address(RelayAgentSubOption.ServerIdOverride);
  }

  get relayAgentFlags(): Uint8Array | undefined {
    return this.subOptions.get(RelayAgentSubOption.RelayAgentFlags);
  }

  get serverIdOverride(): Uint8Array | undefined {
    return this.subOptions.get(RelayAgentSubOption.ServerIdOverride);
  }

  #address(code: number): Ipv4 | undefined {
    const value = this.subOptions.get(code);
    if (value === undefined) return undefined;
    if (value.length !== 4) throw malformed(`expected an address in sub-option ${code} of DHCP option 82`, 0);
    return ipv4FromBytes(value);
  }
}

const OPTION = DhcpOption.RelayAgentInformation;
const MAX_LENGTH = 255;

const FIELD_CODES: readonly (readonly [keyof RelayAgentFields, number])[] = [
  ['circuitId', RelayAgentSubOption.CircuitId],
  ['remoteId', RelayAgentSubOption.RemoteId],
  ['linkSelection', RelayAgentSubOption.LinkSelection],
  ['relayAgentFlags', RelayAgentSubOption.RelayAgentFlags],
  ['serverIdOverride', RelayAgentSubOption.ServerIdOverride],
];

function malformed(message: string, offset: number): BngError {
  return new BngError('BNG_ERR_WIRE_MALFORMED', message, { option: OPTION, offset });
}

/**
 * Reads the value of option 82; offsets in errors count from its start. There is neither pad nor end (RFC 3046 §2.0).
 * Throws `BNG_ERR_WIRE_MALFORMED` when a sub-option runs over the end, when there is none, and when one comes twice:
 * a line must not have two names.
 */
export function decodeRelayAgentInformation(value: Uint8Array): RelayAgentInformation {
  if (value.length < 2) throw malformed('expected at least one sub-option in DHCP option 82', 0);
  const subOptions = new Map<number, Uint8Array>();
  let offset = 0;
  while (offset < value.length) {
    const code = value[offset] ?? 0;
    const length = value[offset + 1];
    if (length === undefined || offset + 2 + length > value.length) {
      throw malformed('expected the whole of a sub-option in DHCP option 82', offset);
    }
    if (subOptions.has(code)) throw malformed('expected each sub-option of DHCP option 82 once', offset);
    subOptions.set(code, value.subarray(offset + 2, offset + 2 + length));
    offset += 2 + length;
  }
  return new RelayAgentInformation(subOptions);
}

/** The value of option 82. `BNG_ERR_VALUE` when nothing is given or a sub-option is longer than 255 bytes. */
export function encodeRelayAgentInformation(fields: RelayAgentFields): Uint8Array {
  let length = 0;
  for (const [name] of FIELD_CODES) {
    const value = fields[name];
    if (value === undefined) continue;
    if (value.length > MAX_LENGTH) {
      throw new BngError('BNG_ERR_VALUE', 'expected a sub-option of at most 255 bytes', {
        found: value.length,
      });
    }
    length += 2 + value.length;
  }
  if (length === 0) throw new BngError('BNG_ERR_VALUE', 'expected at least one sub-option for option 82');
  const bytes = new Uint8Array(length);
  const writer = new ByteWriter(bytes);
  for (const [name, code] of FIELD_CODES) {
    const value = fields[name];
    if (value === undefined) continue;
    writer.u8(code);
    writer.u8(value.length);
    writer.bytes(value);
  }
  return bytes;
}

interface Located {
  /** Where END stands in the options field, or where it would. */
  readonly end: number;
  /** `[start, end)` of each option 82, code and length included. */
  readonly inOptions: readonly (readonly [number, number])[];
  /** The same for those in overloaded file and sname fields. */
  readonly overloaded: readonly (readonly [number, number])[];
}

function locate(payload: Uint8Array): Located {
  const reader = new ByteReader(payload);
  reader.skip(MAGIC_COOKIE_OFFSET);
  if (reader.u32() !== MAGIC_COOKIE) {
    throw new BngError('BNG_ERR_WIRE_MALFORMED', 'expected the DHCP magic cookie', {
      offset: MAGIC_COOKIE_OFFSET,
    });
  }
  const inOptions: (readonly [number, number])[] = [];
  const overloaded: (readonly [number, number])[] = [];
  const overload: number[] = [];
  let isOverloaded = false;
  const end = visitOptions(payload, { start: OPTIONS_OFFSET, end: payload.length }, (code, at, length) => {
    if (code === OPTION) inOptions.push([at - 2, at + length]);
    if (code !== DhcpOption.Overload) return;
    // Given twice, its values are joined (RFC 3396 §7), as whoever reads the message will do.
    overload.push(...payload.subarray(at, at + length));
    isOverloaded = true;
  });
  for (const area of isOverloaded ? overloadedAreas(Uint8Array.from(overload)) : []) {
    visitOptions(payload, area, (code, at, length) => {
      if (code === OPTION) overloaded.push([at - 2, at + length]);
    });
  }
  return { end, inOptions, overloaded };
}

/**
 * A copy of the BOOTP message with option 82 in front of END (RFC 3046 §2.1: the last option), all else byte for byte
 * the same. A message that has one already, also in an overloaded field, comes from a subscriber who forges a line:
 * `BNG_ERR_WIRE_UNSUPPORTED` (RFC 3046 §2.1.1, discard). `BNG_ERR_VALUE` when the option is longer than 255 bytes.
 */
export function insertRelayAgentInformation(dhcpPayload: Uint8Array, info: RelayAgentFields): Uint8Array {
  const value = encodeRelayAgentInformation(info);
  if (value.length > MAX_LENGTH) {
    throw new BngError('BNG_ERR_VALUE', 'expected option 82 of at most 255 bytes', { found: value.length });
  }
  const { end, inOptions, overloaded } = locate(dhcpPayload);
  const present = inOptions[0] ?? overloaded[0];
  if (present !== undefined) {
    throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected a message without option 82', {
      offset: present[0],
    });
  }
  const result = new Uint8Array(dhcpPayload.length + 2 + value.length);
  const writer = new ByteWriter(result);
  writer.bytes(dhcpPayload.subarray(0, end));
  writer.u8(OPTION);
  writer.u8(value.length);
  writer.bytes(value);
  writer.bytes(dhcpPayload.subarray(end));
  return result;
}

/**
 * A copy of the BOOTP message without option 82, all else byte for byte the same; without one, a plain copy. In an
 * overloaded file or sname field, whose length is fixed, the option is replaced by pads.
 */
export function removeRelayAgentInformation(dhcpPayload: Uint8Array): Uint8Array {
  const { inOptions, overloaded } = locate(dhcpPayload);
  const copy = new Uint8Array(dhcpPayload);
  for (const [start, end] of overloaded) copy.fill(DhcpOption.Pad, start, end);
  let length = copy.length;
  for (const [start, end] of inOptions.toReversed()) {
    copy.copyWithin(start, end, length);
    length -= end - start;
  }
  return copy.slice(0, length);
}
