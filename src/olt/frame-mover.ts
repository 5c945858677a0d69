/**
 * The line plant of the simulated access node: loads bpf/olt.bpf.c into the network namespace that it runs in, keeps
 * its maps equal to what is provisioned, and carries the DHCP frames that pass through user space. Holds no rules of
 * provisioning.
 */
import type {
  NativeBinding,
  NativeLink,
  NativeObject,
  NativePacketSocket,
  NativeRingBuffer,
} from '../dataplane/native-binding.js';
import { BngError, isBngError, isWireError } from '../model/bng-error.js';
import type { Clock } from '../model/clock.js';
import { TPID_CTAG, vlanTag } from '../wire/ethernet.js';
import type { ReplyFromServer } from './dhcp-snoop.js';
import { frameForCustomer, frameForTrunk } from './dhcp-snoop.js';
import type { OltLine, OltPunt } from './olt-abi.js';
import {
  decodePunt,
  decodeStations,
  encodeIfindex,
  encodeLine,
  encodePort,
  encodeSettings,
  OLT_COUNT_NAMES,
  OLT_MAP_SIZES,
  OLT_SETTINGS_SIZE,
  OLT_SHARED_LINE,
  visitRecords,
} from './olt-abi.js';
import type { LinePlant } from './olt-simulator.js';
import type { Ont } from './protocol.js';

export interface FrameMoverOptions {
  readonly native: NativeBinding;
  /** Path of the compiled olt.bpf.o. */
  readonly objectPath: string;
  /** The interface towards the BNG. */
  readonly trunk: string;
  /** Outer TPID of double-tagged lines. */
  readonly sTagTpid: number;
  readonly clock: Clock;
  /** How long a bounced link stays down. */
  readonly bounceMs: number;
  /** Sets an interface up or down; rejects with a `BngError` when it cannot. */
  readonly setLink: (interfaceName: string, state: 'up' | 'down') => Promise<void>;
}

/** What became of the DHCP frames in user space. */
const DHCP_COUNT_NAMES = [
  'dhcpUp',
  'dhcpDown',
  'dhcpBad',
  'dhcpForgedOption82',
  'dhcpNoSuchLine',
  'dhcpWrongVlan',
  'sendRefused',
  'linkRefused',
] as const;
type DhcpCount = (typeof DHCP_COUNT_NAMES)[number];

interface Port {
  readonly ont: Ont;
  readonly ifindex: number;
  readonly line: OltLine;
  readonly tap: NativeLink;
  readonly socket: NativePacketSocket;
}

const SLAB_BYTES = 256 * 1024;

/** The tags that the trunk sees of a line. */
function trunkLine(ont: Ont): OltLine {
  switch (ont.tagging) {
    case 'untagged':
      return { sVlan: 0, cVlan: 0 };
    case 'single':
      return { sVlan: ont.sVlan, cVlan: 0 };
    case 'qinq':
      return { sVlan: ont.sVlan, cVlan: ont.cVlan };
  }
}

function sameLine(a: OltLine, b: OltLine): boolean {
  return a.sVlan === b.sVlan && a.cVlan === b.cVlan;
}

export class FrameMover implements LinePlant {
  readonly #options: FrameMoverOptions;
  readonly #object: NativeObject;
  readonly #trunkIfindex: number;
  readonly #trunkSocket: NativePacketSocket;
  readonly #punts: NativeRingBuffer;
  readonly #trunkLinks: readonly NativeLink[];
  readonly #ports = new Map<string, Port>();
  readonly #counts = Object.fromEntries(DHCP_COUNT_NAMES.map((name) => [name, 0])) as Record<
    DhcpCount,
    number
  >;

  /** Loads and attaches; `BNG_ERR_OLT` when the object has another layout, the addon's error when the kernel refuses. */
  constructor(options: FrameMoverOptions) {
    const { native } = options;
    this.#options = options;
    this.#trunkIfindex = native.interfaceIndex(options.trunk);
    this.#object = native.openObject(options.objectPath);
    if (this.#object.rodata().length !== OLT_SETTINGS_SIZE) throw this.#layoutError('olt_settings');
    this.#object.setRodata(encodeSettings(this.#trunkIfindex, options.sTagTpid));
    this.#object.load();
    for (const [name, sizes] of Object.entries(OLT_MAP_SIZES)) {
      const map = this.#object.map(name);
      if (map.keySize !== sizes.key || map.valueSize !== sizes.value) throw this.#layoutError(name);
    }
    if (this.#object.map('olt_counts').maxEntries !== OLT_COUNT_NAMES.length)
      throw this.#layoutError('olt_counts');
    this.#trunkSocket = native.openPacketSocket({ ifindex: this.#trunkIfindex });
    this.#punts = native.openRingBuffer(this.#object.map('olt_punts'), {
      slabBytes: SLAB_BYTES,
      onBatch: (slab, used) => visitRecords(slab, used, (record) => this.#carry(decodePunt(record))),
    });
    this.#trunkLinks = [
      this.#object.program('olt_from_trunk').attachTc(this.#trunkIfindex, 'ingress'),
      this.#object.program('olt_xdp_pass').attachXdp(this.#trunkIfindex, 'native'),
    ];
  }

  provision(ont: Ont): void {
    const old = this.#ports.get(ont.ontSerial);
    const line = trunkLine(ont);
    const port = old === undefined ? this.#attach(ont, line) : { ...old, ont, line };
    this.#ports.set(ont.ontSerial, port);
    if (old !== undefined && !sameLine(old.line, line)) {
      this.#forgetStations(port.ifindex);
      this.#writeLine(old.line);
    }
    this.#writeLine(line);
    const outerTpid = ont.tagging === 'qinq' ? this.#options.sTagTpid : TPID_CTAG;
    this.#object.map('olt_ports').update(encodeIfindex(port.ifindex), encodePort(line, outerTpid));
  }

  withdraw(ont: Ont): void {
    const port = this.#ports.get(ont.ontSerial);
    if (port === undefined) return;
    this.#ports.delete(ont.ontSerial);
    this.#object.map('olt_ports').delete(encodeIfindex(port.ifindex));
    this.#writeLine(port.line);
    this.#forgetStations(port.ifindex);
    port.tap.close();
    port.socket.close();
  }

  async bounce(ont: Ont): Promise<void> {
    await this.#options.setLink(ont.interface, 'down');
    this.#options.clock.after(this.#options.bounceMs, () => void this.#raise(ont));
  }

  /** Frames by what became of them, those of the programs and those of user space. */
  counts(): Record<string, number> {
    const sums = this.#object.map('olt_counts').readSums(0, OLT_COUNT_NAMES.length);
    const kernel = OLT_COUNT_NAMES.map((name, i): [string, number] => [name, Number(sums[i] ?? 0n)]);
    return { ...Object.fromEntries(kernel), ...this.#counts };
  }

  close(): void {
    for (const port of this.#ports.values()) {
      port.tap.close();
      port.socket.close();
    }
    this.#ports.clear();
    for (const link of this.#trunkLinks) link.close();
    this.#punts.close();
    this.#trunkSocket.close();
    this.#object.close();
  }

  #layoutError(name: string): BngError {
    return new BngError('BNG_ERR_OLT', 'expected the layout of olt_abi.h', {
      name,
      object: this.#options.objectPath,
    });
  }

  #attach(ont: Ont, line: OltLine): Port {
    const { native } = this.#options;
    try {
      const ifindex = native.interfaceIndex(ont.interface);
      const tap = this.#object.program('olt_from_ont').attachTc(ifindex, 'ingress');
      return { ont, ifindex, line, tap, socket: native.openPacketSocket({ ifindex }) };
    } catch (cause) {
      throw new BngError(
        'BNG_ERR_OLT',
        'expected an interface that takes a program',
        { name: ont.interface },
        cause,
      );
    }
  }

  /** Writes who has a pair of tags now: one port, several, or none. */
  #writeLine(line: OltLine): void {
    const [first, second] = [...this.#ports.values()].filter((port) => sameLine(port.line, line));
    const lines = this.#object.map('olt_lines');
    if (first === undefined) lines.delete(encodeLine(line));
    else
      lines.update(encodeLine(line), encodeIfindex(second === undefined ? first.ifindex : OLT_SHARED_LINE));
  }

  #forgetStations(ifindex: number): void {
    const stations = this.#object.map('olt_stations');
    for (const station of decodeStations(stations.readAll())) {
      if (station.ifindex === ifindex) stations.delete(station.key);
    }
  }

  async #raise(ont: Ont): Promise<void> {
    if (!this.#ports.has(ont.ontSerial)) return;
    try {
      await this.#options.setLink(ont.interface, 'up');
    } catch (error) {
      // The interface went away while it was down: its ONT is being unplugged.
      if (!isBngError(error)) throw error;
      this.#counts.linkRefused += 1;
    }
  }

  /** The one place where bad DHCP frames are caught: they are counted and dropped. */
  #carry(punt: OltPunt): void {
    try {
      if (punt.ifindex === this.#trunkIfindex) this.#carryDown(punt, frameForCustomer(punt.frame));
      else this.#carryUp(punt);
    } catch (error) {
      if (!isWireError(error)) throw error;
      const forged = error.code === 'BNG_ERR_WIRE_UNSUPPORTED' && error.message.includes('without option 82');
      this.#counts[forged ? 'dhcpForgedOption82' : 'dhcpBad'] += 1;
    }
  }

  #carryUp(punt: OltPunt): void {
    const port = [...this.#ports.values()].find((candidate) => candidate.ifindex === punt.ifindex);
    if (port === undefined) {
      this.#counts.dhcpNoSuchLine += 1;
      return;
    }
    const { sVlan, cVlan } = port.line;
    const outer = sVlan === 0 ? [] : [vlanTag(cVlan === 0 ? TPID_CTAG : this.#options.sTagTpid, sVlan)];
    const frame = frameForTrunk(punt.frame, {
      circuitId: new TextEncoder().encode(port.ont.circuitId),
      remoteId: new TextEncoder().encode(port.ont.ontSerial),
      tags: cVlan === 0 ? outer : [...outer, vlanTag(TPID_CTAG, cVlan)],
    });
    this.#send(this.#trunkSocket, frame, 'dhcpUp');
  }

  /** A reply goes to the one ONT that option 82 names, and only when it came with that ONT's tags. */
  #carryDown(punt: OltPunt, reply: ReplyFromServer): void {
    const circuitId = reply.circuitId === undefined ? null : Buffer.from(reply.circuitId).toString();
    const remoteId = reply.remoteId === undefined ? null : Buffer.from(reply.remoteId).toString();
    const port = [...this.#ports.values()].find(
      ({ ont }) => ont.circuitId === circuitId && (remoteId === null || ont.ontSerial === remoteId),
    );
    if (port === undefined) this.#counts.dhcpNoSuchLine += 1;
    else if (!sameLine(port.line, punt.line)) this.#counts.dhcpWrongVlan += 1;
    else this.#send(port.socket, reply.frame, 'dhcpDown');
  }

  #send(socket: NativePacketSocket, frame: Uint8Array, success: DhcpCount): void {
    let sent: boolean;
    try {
      sent = socket.send(frame);
    } catch {
      // The interface is down (ENETDOWN) or going away; a frame into it is lost, as on a dark fibre.
      sent = false;
    }
    this.#counts[sent ? success : 'sendRefused'] += 1;
  }
}
