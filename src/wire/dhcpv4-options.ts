/**
 * The options of a DHCPv4 message: code → raw bytes, with typed accessors on top. The bytes are the truth; an accessor
 * checks its option when asked, so that a client's odd option harms only who needs it. Holds no reading of messages.
 */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import { ByteReader } from './byte-reader.js';
import type { ClasslessRoute } from '../model/lease.js';
import { decodeClasslessRoutes } from './classless-routes.js';
import type { DhcpAuthentication } from './dhcpv4-authentication.js';
import { decodeDhcpAuthentication } from './dhcpv4-authentication.js';
import type { DhcpMessageType } from './dhcpv4-option-codes.js';
import { DHCP_MESSAGE_TYPES, DhcpOption } from './dhcpv4-option-codes.js';
import type { RelayAgentInformation } from './option82.js';
import { decodeRelayAgentInformation } from './option82.js';

function wrongLength(code: number, expected: string, value: Uint8Array): BngError {
  return new BngError('BNG_ERR_WIRE_MALFORMED', `expected ${expected} in DHCP option ${code}`, {
    option: code,
    length: value.length,
    offset: 0,
  });
}

/**
 * Options in the order in which they first came. Every accessor gives undefined when the option is absent and throws
 * `BNG_ERR_WIRE_MALFORMED`, with the option's code in the context, when its length is wrong.
 */
export class DhcpOptions {
  static readonly EMPTY = new DhcpOptions(new Map());

  readonly #values: ReadonlyMap<number, Uint8Array>;

  /** Takes the map as its own. Codes are 1 to 254; values may be longer than 255 bytes (RFC 3396). */
  constructor(values: ReadonlyMap<number, Uint8Array>) {
    this.#values = values;
  }

  /** The raw value, repeated options already joined. */
  get(code: number): Uint8Array | undefined {
    return this.#values.get(code);
  }

  has(code: number): boolean {
    return this.#values.has(code);
  }

  entries(): IterableIterator<[number, Uint8Array]> {
    return this.#values.entries();
  }

  /** Option 53. A type that this project does not know is `BNG_ERR_WIRE_UNSUPPORTED`. */
  get messageType(): DhcpMessageType | undefined {
    const value = this.#exact(DhcpOption.MessageType, 1);
    if (value === undefined) return undefined;
    const number = value[0] ?? 0;
    const type = DHCP_MESSAGE_TYPES[number - 1];
    if (type === undefined) {
      throw new BngError('BNG_ERR_WIRE_UNSUPPORTED', 'expected a message type that we know', {
        option: DhcpOption.MessageType,
        found: number,
      });
    }
    return type;
  }

  get requestedAddress(): Ipv4 | undefined {
    return this.#ipv4(DhcpOption.RequestedAddress);
  }

  get serverIdentifier(): Ipv4 | undefined {
    return this.#ipv4(DhcpOption.ServerIdentifier);
  }

  /** Option 51; 0xffffffff is "for ever" (RFC 2131 §3.3). */
  get leaseSeconds(): number | undefined {
    return this.#u32(DhcpOption.LeaseTime);
  }

  /** Option 58, T1. */
  get renewalSeconds(): number | undefined {
    return this.#u32(DhcpOption.RenewalTime);
  }

  /** Option 59, T2. */
  get rebindingSeconds(): number | undefined {
    return this.#u32(DhcpOption.RebindingTime);
  }

  /** Option 91 (RFC 4388 §6.1). */
  get lastTransactionSeconds(): number | undefined {
    return this.#u32(DhcpOption.LastTransactionTime);
  }

  /** Option 92 (RFC 4388 §6.1). */
  get associatedAddresses(): readonly Ipv4[] | undefined {
    return this.#ipv4List(DhcpOption.AssociatedAddresses);
  }

  get subnetMask(): Ipv4 | undefined {
    return this.#ipv4(DhcpOption.SubnetMask);
  }

  get routers(): readonly Ipv4[] | undefined {
    return this.#ipv4List(DhcpOption.Routers);
  }

  get dnsServers(): readonly Ipv4[] | undefined {
    return this.#ipv4List(DhcpOption.DnsServers);
  }

  /** Option 55: the codes that the client asks for, in its order of preference. */
  get parameterRequestList(): Uint8Array | undefined {
    return this.#atLeast(DhcpOption.ParameterRequestList, 1);
  }

  /** Option 57: the longest IP datagram that the client takes. Legal from 576 (RFC 2132 §9.10); given as it stands. */
  get maxMessageSize(): number | undefined {
    const value = this.#exact(DhcpOption.MaxMessageSize, 2);
    return value && new ByteReader(value).u16();
  }

  /** Option 61, opaque, with its type byte (RFC 2132 §9.14). */
  get clientIdentifier(): Uint8Array | undefined {
    return this.#atLeast(DhcpOption.ClientIdentifier, 2);
  }

  get hostName(): string | undefined {
    return this.#text(DhcpOption.HostName);
  }

  /** Option 56: why a server said NAK or a client DECLINE. */
  get message(): string | undefined {
    return this.#text(DhcpOption.Message);
  }

  get vendorClass(): string | undefined {
    return this.#text(DhcpOption.VendorClass);
  }

  /** Option 114, a URI (RFC 8910 §2.1). */
  get captivePortal(): string | undefined {
    return this.#text(DhcpOption.CaptivePortal);
  }

  /** Option 121, destinations and their routers (RFC 3442). */
  get classlessRoutes(): readonly ClasslessRoute[] | undefined {
    const value = this.#values.get(DhcpOption.ClasslessRoutes);
    return value && decodeClasslessRoutes(value);
  }

  /** Option 90 (RFC 3118). */
  get authentication(): DhcpAuthentication | undefined {
    const value = this.#values.get(DhcpOption.Authentication);
    return value && decodeDhcpAuthentication(value);
  }

  /** Option 145: the algorithms that the client can prove a FORCERENEW with (RFC 6704 §3.1.1). */
  get forceRenewAlgorithms(): Uint8Array | undefined {
    return this.#atLeast(DhcpOption.ForceRenewNonceCapable, 1);
  }

  get relayAgentInformation(): RelayAgentInformation | undefined {
    const value = this.#values.get(DhcpOption.RelayAgentInformation);
    return value && decodeRelayAgentInformation(value);
  }

  #exact(code: number, length: number): Uint8Array | undefined {
    const value = this.#values.get(code);
    if (value !== undefined && value.length !== length) throw wrongLength(code, `${length} bytes`, value);
    return value;
  }

  #atLeast(code: number, length: number): Uint8Array | undefined {
    const value = this.#values.get(code);
    if (value !== undefined && value.length < length)
      throw wrongLength(code, `at least ${length} bytes`, value);
    return value;
  }

  #u32(code: number): number | undefined {
    return this.#ipv4(code);
  }

  #ipv4(code: number): Ipv4 | undefined {
    const value = this.#exact(code, 4);
    return value && new ByteReader(value).ipv4();
  }

  #ipv4List(code: number): readonly Ipv4[] | undefined {
    const value = this.#values.get(code);
    if (value === undefined) return undefined;
    if (value.length === 0 || value.length % 4 !== 0) throw wrongLength(code, 'addresses of 4 bytes', value);
    const addresses: Ipv4[] = [];
    const reader = new ByteReader(value);
    while (reader.remaining > 0) addresses.push(reader.ipv4());
    return addresses;
  }

  /** Latin-1, so that no byte is lost; NULs at the end are not part of the text (RFC 2132 §2). */
  #text(code: number): string | undefined {
    const value = this.#atLeast(code, 1);
    if (value === undefined) return undefined;
    let length = value.length;
    while (length > 0 && value[length - 1] === 0) length -= 1;
    return Buffer.from(value.buffer, value.byteOffset, length).toString('latin1');
  }
}
