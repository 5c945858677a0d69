/**
 * The equipment behind many ONTs, a process in a namespace that has the far ends of all their ports: each leases, renews, asks anew
 * when it is told NAK or hears nothing, and some leave and come back. Says once a second what was done. Knows the BNG from outside only.
 */
import { z } from 'zod';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { NativePacketSocket } from '../../src/dataplane/native-binding.js';
import { MemoryDataplane } from '../../src/dataplane/memory-dataplane.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { decodeDhcpFrame } from '../../src/wire/dhcpv4-frame.js';
import { isWireError } from '../../src/model/bng-error.js';
import { DhcpClient } from '../../test/support/dhcp-client.js';

export const homesSettingsSchema = z.strictObject({
  homes: z.int(),
  /** Between two renewals of a home. */
  renewMs: z.int(),
  /** One home in so many releases its lease now and then. */
  leavingOneIn: z.int(),
});
export type HomesSettings = z.infer<typeof homesSettingsSchema>;

export const homesWordSchema = z.object({
  leases: z.int(),
  renewals: z.int(),
  naks: z.int(),
  releases: z.int(),
  repeats: z.int(),
  bound: z.int(),
});
export type HomesWord = z.infer<typeof homesWordSchema>;

/** The far end of the port of home `n`. */
export function homeInterface(n: number): string {
  return `h${n}`;
}

const FIRST_MAC = 0x02_00_5e_10_00_00;
const TICK_MS = 20;
const TELL_MS = 1_000;
const ANSWER_MS = 2_000;
const STAY_MS = 20_000;
const DHCP_CLIENT_PORT = 68;
/** Untagged Ethernet and IPv4 without options. */
const PORT_OFFSET = 36;

type Phase = 'out' | 'discovering' | 'requesting' | 'bound' | 'renewing';

const counts = { leases: 0, renewals: 0, naks: 0, releases: 0, repeats: 0 };
const nowhere = new MemoryDataplane();

class Home {
  readonly #frames: DhcpClient;
  readonly #socket: NativePacketSocket;
  readonly #leaves: boolean;
  readonly #renewMs: number;
  #phase: Phase = 'out';
  #address: Ipv4 | null = null;
  #server: Ipv4 | null = null;
  #nextMs: number;
  #leaveMs = Infinity;

  constructor(n: number, { homes, renewMs, leavingOneIn }: HomesSettings) {
    this.#frames = new DhcpClient({ dataplane: nowhere, mac: (FIRST_MAC + n) as Mac });
    this.#leaves = n % leavingOneIn === 0;
    this.#renewMs = renewMs;
    // Not all at once.
    this.#nextMs = performance.now() + (n / homes) * renewMs;
    this.#socket = native.openPacketSocket({
      ifindex: native.interfaceIndex(homeInterface(n)),
      onFrame: (frame) => this.#hear(frame),
    });
  }

  get isBound(): boolean {
    return this.#phase === 'bound' || this.#phase === 'renewing';
  }

  tick(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    if (this.isBound && nowMs >= this.#leaveMs && this.#address !== null) {
      this.#send(this.#frames.frame('DHCPRELEASE', { ciaddr: this.#address }));
      counts.releases += 1;
      this.#enter('out', this.#renewMs);
    } else if (this.#phase === 'bound') {
      this.#enter('renewing', ANSWER_MS);
      this.#send(this.#frames.frame('DHCPREQUEST', { ciaddr: this.#address ?? (0 as Ipv4) }));
    } else {
      // The BNG may be down, or the link: an ordinary client begins anew.
      if (this.#phase !== 'out') counts.repeats += 1;
      this.#discover();
    }
  }

  #discover(): void {
    this.#enter('discovering', ANSWER_MS);
    this.#send(this.#frames.frame('DHCPDISCOVER'));
  }

  #enter(phase: Phase, forMs: number): void {
    this.#phase = phase;
    this.#nextMs = performance.now() + forMs;
  }

  #send(frame: Uint8Array): void {
    try {
      this.#socket.send(frame);
    } catch (error) {
      // The access node has the link down for a moment.
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENETDOWN') throw error;
    }
  }

  #hear(bytes: Uint8Array): void {
    if (
      bytes.length < 282 ||
      bytes[12] !== 0x08 ||
      bytes[13] !== 0 ||
      bytes[PORT_OFFSET + 1] !== DHCP_CLIENT_PORT
    )
      return;
    const { yiaddr, options } = messageOf(bytes) ?? {};
    if (options === undefined || yiaddr === undefined) return;
    const type = options.messageType;
    if (type === 'DHCPOFFER' && this.#phase === 'discovering' && options.serverIdentifier !== undefined) {
      this.#server = options.serverIdentifier;
      this.#enter('requesting', ANSWER_MS);
      const said = { requestedAddress: yiaddr, serverId: this.#server };
      this.#send(this.#frames.frame('DHCPREQUEST', said));
    } else if (type === 'DHCPACK' && (this.#phase === 'requesting' || this.#phase === 'renewing')) {
      if (this.#phase === 'renewing') counts.renewals += 1;
      else {
        counts.leases += 1;
        this.#leaveMs = this.#leaves ? performance.now() + STAY_MS : Infinity;
      }
      this.#address = yiaddr;
      this.#enter('bound', this.#renewMs);
    } else if (type === 'DHCPNAK' && (this.#phase === 'requesting' || this.#phase === 'renewing')) {
      counts.naks += 1;
      this.#discover();
    }
  }
}

function messageOf(bytes: Uint8Array): ReturnType<typeof decodeDhcpFrame>['message'] | null {
  try {
    return decodeDhcpFrame(bytes).message;
  } catch (error) {
    if (isWireError(error)) return null;
    throw error;
  }
}

const native = loadNative();

function play(settings: HomesSettings): void {
  const homes = Array.from({ length: settings.homes }, (_, n) => new Home(n, settings));
  setInterval(() => {
    const nowMs = performance.now();
    for (const home of homes) home.tick(nowMs);
  }, TICK_MS);
  setInterval(() => {
    const word: HomesWord = { ...counts, bound: homes.filter(({ isBound }) => isBound).length };
    console.log(JSON.stringify(word));
  }, TELL_MS);
}

const [, program = '', argument] = process.argv;
if (program.endsWith('homes-main.js') && argument !== undefined)
  play(homesSettingsSchema.parse(JSON.parse(argument)));
