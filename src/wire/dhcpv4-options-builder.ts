/** Builds the options of a message to be sent, from typed values to raw bytes. Holds no defaults and no policy. */
import { BngError } from '../model/bng-error.js';
import type { Ipv4 } from '../model/ipv4.js';
import { ByteWriter } from './byte-writer.js';
import type { ClasslessRoute } from '../model/lease.js';
import { encodeClasslessRoutes } from './classless-routes.js';
import type { DhcpMessageType } from './dhcpv4-option-codes.js';
import { DHCP_MESSAGE_TYPES, DhcpOption } from './dhcpv4-option-codes.js';
import { DhcpOptions } from './dhcpv4-options.js';
import type { RelayAgentFields } from './option82.js';
import { encodeRelayAgentInformation } from './option82.js';

// `Uint8Array.of` takes several times as long as filling a new array, and an OFFER has ten of these.
function u32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new ByteWriter(bytes).u32(value);
  return bytes;
}

/**
 * Collects options; setting one again replaces it where it stands. Values without a byte are refused with
 * `BNG_ERR_VALUE` where the option's RFC asks for one.
 */
export class DhcpOptionsBuilder {
  readonly #values = new Map<number, Uint8Array>();

  /** Raw bytes, taken as they are; for options that are echoed (82, 61) and those without a typed setter. */
  raw(code: number, value: Uint8Array): this {
    if (!Number.isInteger(code) || code <= DhcpOption.Pad || code >= DhcpOption.End) {
      throw new BngError('BNG_ERR_VALUE', 'expected an option code from 1 to 254', { found: code });
    }
    if (code === DhcpOption.Overload) {
      throw new BngError('BNG_ERR_VALUE', 'option overload is written by the encoder alone', { found: code });
    }
    this.#values.set(code, value);
    return this;
  }

  messageType(type: DhcpMessageType): this {
    return this.raw(DhcpOption.MessageType, new Uint8Array(1).fill(DHCP_MESSAGE_TYPES.indexOf(type) + 1));
  }

  requestedAddress(address: Ipv4): this {
    return this.raw(DhcpOption.RequestedAddress, u32Bytes(address));
  }

  serverIdentifier(address: Ipv4): this {
    return this.raw(DhcpOption.ServerIdentifier, u32Bytes(address));
  }

  leaseSeconds(seconds: number): this {
    return this.raw(DhcpOption.LeaseTime, u32Bytes(seconds));
  }

  renewalSeconds(seconds: number): this {
    return this.raw(DhcpOption.RenewalTime, u32Bytes(seconds));
  }

  rebindingSeconds(seconds: number): this {
    return this.raw(DhcpOption.RebindingTime, u32Bytes(seconds));
  }

  subnetMask(mask: Ipv4): this {
    return this.raw(DhcpOption.SubnetMask, u32Bytes(mask));
  }

  routers(addresses: readonly Ipv4[]): this {
    return this.#addresses(DhcpOption.Routers, addresses);
  }

  dnsServers(addresses: readonly Ipv4[]): this {
    return this.#addresses(DhcpOption.DnsServers, addresses);
  }

  parameterRequestList(codes: Uint8Array): this {
    return this.#nonEmpty(DhcpOption.ParameterRequestList, codes);
  }

  maxMessageSize(bytes: number): this {
    return this.raw(DhcpOption.MaxMessageSize, Uint8Array.of(bytes >>> 8, bytes));
  }

  clientIdentifier(identifier: Uint8Array): this {
    return this.#nonEmpty(DhcpOption.ClientIdentifier, identifier);
  }

  hostName(name: string): this {
    return this.#text(DhcpOption.HostName, name);
  }

  message(text: string): this {
    return this.#text(DhcpOption.Message, text);
  }

  vendorClass(text: string): this {
    return this.#text(DhcpOption.VendorClass, text);
  }

  captivePortal(uri: string): this {
    return this.#text(DhcpOption.CaptivePortal, uri);
  }

  /** Option 91: how long ago the client was last heard, in seconds (RFC 4388 §6.1). */
  lastTransactionSeconds(seconds: number): this {
    return this.raw(DhcpOption.LastTransactionTime, u32Bytes(seconds));
  }

  /** Option 92 (RFC 4388 §6.1). */
  associatedAddresses(addresses: readonly Ipv4[]): this {
    return this.#addresses(DhcpOption.AssociatedAddresses, addresses);
  }

  classlessRoutes(routes: readonly ClasslessRoute[]): this {
    return this.#nonEmpty(DhcpOption.ClasslessRoutes, encodeClasslessRoutes(routes));
  }

  relayAgentInformation(fields: RelayAgentFields): this {
    return this.raw(DhcpOption.RelayAgentInformation, encodeRelayAgentInformation(fields));
  }

  /** The options so far; the builder may go on, what it built does not change. */
  build(): DhcpOptions {
    return new DhcpOptions(new Map(this.#values));
  }

  #addresses(code: number, addresses: readonly Ipv4[]): this {
    const bytes = new Uint8Array(4 * addresses.length);
    const writer = new ByteWriter(bytes);
    for (const address of addresses) writer.ipv4(address);
    return this.#nonEmpty(code, bytes);
  }

  #text(code: number, text: string): this {
    return this.#nonEmpty(code, new Uint8Array(Buffer.from(text, 'latin1')));
  }

  #nonEmpty(code: number, value: Uint8Array): this {
    if (value.length === 0) {
      throw new BngError('BNG_ERR_VALUE', 'expected a value that is not empty', { option: code });
    }
    return this.raw(code, value);
  }
}
