/**
 * Builder of test frames: layers from the outside in, lengths and checksums filled in from the inside out. Written
 * apart from src/wire on purpose, so that neither can hide a mistake of the other.
 */

type Layer = (payload: Buffer, upper: Ipv4Ends | null) => Buffer;

/** What the pseudo header of TCP and UDP needs. */
interface Ipv4Ends {
  readonly source: number;
  readonly destination: number;
}

export interface Ipv4Fields {
  readonly source: string;
  readonly destination: string;
  readonly ttl?: number;
  readonly protocol?: number;
  /** Raw options; the length must be a multiple of 4. */
  readonly options?: Uint8Array;
  readonly id?: number;
  readonly dontFragment?: boolean;
  readonly moreFragments?: boolean;
  /** In units of 8 bytes. */
  readonly fragmentOffset?: number;
  /** Overrides for malformed headers. */
  readonly version?: number;
  readonly headerWords?: number;
  readonly totalLength?: number;
}

export interface Ports {
  readonly source: number;
  readonly destination: number;
}

export interface ArpFields {
  readonly operation: number;
  readonly senderMac: string;
  readonly senderAddress: string;
  readonly targetMac?: string;
  readonly targetAddress: string;
  readonly hardware?: number;
}

export const Protocol = { icmp: 1, tcp: 6, udp: 17 } as const;

export function mac(text: string): Buffer {
  return Buffer.from(text.replaceAll(':', ''), 'hex');
}

/** Dotted quad as an unsigned number. */
export function address(text: string): number {
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => bytes.writeUInt16BE(value, index * 2));
  return bytes;
}

function longs(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value >>> 0, index * 4));
  return bytes;
}

/** RFC 1071. */
function checksum(...parts: Uint8Array[]): number {
  const bytes = Buffer.concat(parts);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes[at]! * 256 + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function ipv4Header(fields: Ipv4Fields, protocol: number, length: number): Buffer {
  const options = fields.options ?? new Uint8Array();
  const version = fields.version ?? 4;
  const headerWords = fields.headerWords ?? 5 + options.length / 4;
  const header = Buffer.concat([
    Buffer.from([version * 16 + headerWords, 0]),
    words(fields.totalLength ?? 20 + options.length + length, fields.id ?? 0x1234),
    words(
      (fields.dontFragment ? 0x4000 : 0) + (fields.moreFragments ? 0x2000 : 0) + (fields.fragmentOffset ?? 0),
    ),
    Buffer.from([fields.ttl ?? 64, fields.protocol ?? protocol]),
    words(0),
    longs(address(fields.source), address(fields.destination)),
    options,
  ]);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

export interface TcpFields {
  /** Default: SYN. */
  readonly flags?: number;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly window?: number;
}

/** One frame in the making. Each call gives a new builder, so prefixes can be shared. */
export class PacketBuilder {
  readonly #layers: readonly Layer[];
  readonly #ends: Ipv4Ends | null;

  constructor(layers: readonly Layer[] = [], ends: Ipv4Ends | null = null) {
    this.#layers = layers;
    this.#ends = ends;
  }

  #add(layer: Layer, ends: Ipv4Ends | null = this.#ends): PacketBuilder {
    return new PacketBuilder([...this.#layers, layer], ends);
  }

  /** MACs only; what follows (`tag`, `ipv4`, `arp`, `etherType`) gives its EtherType in front of itself. */
  ethernet(destination: string, source: string): PacketBuilder {
    return this.#add((payload) => Buffer.concat([mac(destination), mac(source), payload]));
  }

  tag(tpid: number, vlan: number, priority = 0): PacketBuilder {
    return this.#add((payload) => Buffer.concat([words(tpid, priority * 0x2000 + vlan), payload]));
  }

  etherType(value: number): PacketBuilder {
    return this.#add((payload) => Buffer.concat([words(value), payload]));
  }

  ipv4(fields: Ipv4Fields): PacketBuilder {
    const ends = { source: address(fields.source), destination: address(fields.destination) };
    return this.#add((payload) => {
      const protocol = transports.get(payload) ?? 0;
      return Buffer.concat([words(0x0800), ipv4Header(fields, protocol, payload.length), payload]);
    }, ends);
  }

  udp(ports: Ports): PacketBuilder {
    return this.#add((payload, ends) => {
      const header = words(ports.source, ports.destination, 8 + payload.length, 0);
      header.writeUInt16BE(transportChecksum(Protocol.udp, ends, header, payload) || 0xffff, 6);
      return mark(Buffer.concat([header, payload]), Protocol.udp);
    });
  }

  tcp(ports: Ports & TcpFields): PacketBuilder {
    return this.#add((payload, ends) => {
      const header = Buffer.concat([
        words(ports.source, ports.destination),
        longs(ports.sequence ?? 0x01020304, ports.acknowledgment ?? 0),
        words(0x5000 + (ports.flags ?? 0x02), ports.window ?? 0xffff, 0, 0),
      ]);
      header.writeUInt16BE(transportChecksum(Protocol.tcp, ends, header, payload), 16);
      return mark(Buffer.concat([header, payload]), Protocol.tcp);
    });
  }

  /** `rest` are the four bytes behind the checksum: of an echo, identifier and sequence number. */
  icmp(type: number, code = 0, rest = 0x00770001): PacketBuilder {
    return this.#add((payload) => {
      const header = Buffer.concat([words(type * 256 + code, 0), longs(rest)]);
      header.writeUInt16BE(checksum(header, payload), 2);
      return mark(Buffer.concat([header, payload]), Protocol.icmp);
    });
  }

  arp(fields: ArpFields): PacketBuilder {
    return this.#add((payload) =>
      Buffer.concat([
        words(0x0806, fields.hardware ?? 1, 0x0800, 0x0604, fields.operation),
        mac(fields.senderMac),
        longs(address(fields.senderAddress)),
        mac(fields.targetMac ?? '00:00:00:00:00:00'),
        longs(address(fields.targetAddress)),
        payload,
      ]),
    );
  }

  payload(bytes: Uint8Array | string): PacketBuilder {
    const content = Buffer.from(bytes as Uint8Array);
    return this.#add((rest) => Buffer.concat([content, rest]));
  }

  bytes(): Buffer {
    return this.#layers.reduceRight<Buffer>((payload, layer) => layer(payload, this.#ends), Buffer.alloc(0));
  }
}

/** The protocol number of a payload, noted by the transport layer that made it. */
const transports = new WeakMap<Buffer, number>();

function mark(bytes: Buffer, protocol: number): Buffer {
  transports.set(bytes, protocol);
  return bytes;
}

function transportChecksum(protocol: number, ends: Ipv4Ends | null, header: Buffer, payload: Buffer): number {
  const pseudo = longs(
    ends?.source ?? 0,
    ends?.destination ?? 0,
    protocol * 0x10000 + header.length + payload.length,
  );
  return checksum(pseudo, header, payload);
}

export function packet(): PacketBuilder {
  return new PacketBuilder();
}
