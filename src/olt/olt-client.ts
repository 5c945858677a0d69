/**
 * The BNG's side of the access node: the session's `AccessNode` port, and the ONTs' comings and goings told to the
 * session's inlet, also those that happened while the connection was down. No session logic.
 */
import type { VlanTags } from '../model/access-line.js';
import type { Clock } from '../model/clock.js';
import { parseMac } from '../model/mac.js';
import type { ServiceProfile } from '../model/service-profile.js';
import type { AccessNode, ReconfigureOptions, ReconfigureOutcome } from '../session/access-node.js';
import type { OntInlet, OntSighting } from '../session/inlet.js';
import { OltConnection } from './olt-connection.js';
import type { OltEvent, Ont } from './protocol.js';
import { ontListSchema } from './protocol.js';

export interface OltClientOptions {
  /** The access node's management socket. */
  readonly path: string;
  readonly clock: Clock;
  readonly inlet: OntInlet;
  /** The S-VLAN of each pool's lines. */
  readonly sVlanOfPool: ReadonlyMap<string, number>;
  readonly requestTimeoutMs: number;
  /** Observers: may be missed, must not throw. */
  readonly onEvent?: (event: OltEvent) => void;
  readonly onConnection?: (state: 'up' | 'down', reason?: string) => void;
}

export class OltClient implements AccessNode {
  readonly #options: OltClientOptions;
  readonly #connection: OltConnection;
  readonly #known = new Set<string>();
  #sVlanOfPool: ReadonlyMap<string, number>;

  constructor(options: OltClientOptions) {
    this.#options = options;
    this.#sVlanOfPool = options.sVlanOfPool;
    this.#connection = new OltConnection({
      path: options.path,
      clock: options.clock,
      requestTimeoutMs: options.requestTimeoutMs,
      onUp: () => void this.#learn(),
      onDown: () => options.onConnection?.('down'),
      onEvent: (event) => this.#observe(event),
    });
  }

  get isConnected(): boolean {
    return this.#connection.isUp;
  }

  open(): void {
    this.#connection.open();
  }

  close(): void {
    this.#connection.close();
  }

  /** From the return on, lines are moved by these S-VLANs; those that were moved stay where they are. */
  useVlans(sVlanOfPool: ReadonlyMap<string, number>): void {
    this.#sVlanOfPool = sVlanOfPool;
  }

  async reconfigure(
    ontSerial: string,
    profile: ServiceProfile,
    options: ReconfigureOptions,
  ): Promise<ReconfigureOutcome> {
    const sVlan = this.#sVlanOfPool.get(profile.poolName);
    if (sVlan === undefined) {
      return { ok: false, reason: `pool ${profile.poolName} has no S-VLAN` };
    }
    const answer = await this.#connection.request('reconfigure', {
      ontSerial,
      sVlan,
      qosDownloadBps: profile.downloadBitsPerSecond,
      qosUploadBps: profile.uploadBitsPerSecond,
      ...(options.bounce ? { bounce: true } : {}),
    });
    return answer.ok ? { ok: true } : answer;
  }

  /** Asks who is there already; ONTs that left while nobody listened are reported as gone. */
  async #learn(): Promise<void> {
    const answer = await this.#connection.request('onts', {});
    const list = answer.ok ? ontListSchema.safeParse(answer.result) : null;
    if (!answer.ok || list === null || !list.success) {
      this.#options.onConnection?.('down', answer.ok ? 'the list of ONTs could not be read' : answer.reason);
      this.#connection.restart();
      return;
    }
    const present = new Set(list.data.map((ont) => ont.ontSerial));
    for (const ontSerial of [...this.#known]) if (!present.has(ontSerial)) this.#disconnected(ontSerial);
    for (const ont of list.data) this.#detected(ont, true);
    this.#options.onConnection?.('up');
  }

  #observe(event: OltEvent): void {
    if (event.type === 'NewONTDetected') this.#detected(event, false);
    if (event.type === 'ONTReconfigured') this.#options.inlet.ontMoved(sightingOf(event, false));
    if (event.type === 'ONTDisconnected') this.#disconnected(event.ontSerial);
    this.#options.onEvent?.(event);
  }

  #detected(ont: Ont, wasThere: boolean): void {
    this.#known.add(ont.ontSerial);
    this.#options.inlet.ontDetected(sightingOf(ont, wasThere));
  }

  #disconnected(ontSerial: string): void {
    this.#known.delete(ontSerial);
    this.#options.inlet.ontDisconnected(ontSerial);
  }
}

function sightingOf(ont: Ont, wasThere: boolean): OntSighting {
  const { ontSerial, circuitId, remoteId, mac } = ont;
  const tags = tagsOnTrunk(ont);
  return {
    ontSerial,
    circuitId: new TextEncoder().encode(circuitId),
    ...(remoteId !== undefined && { remoteId: new TextEncoder().encode(remoteId) }),
    ...(tags !== null && { tags }),
    ...(mac !== undefined && { mac: parseMac(mac) }),
    wasThere,
  };
}

/** Null while the line is not provisioned. */
function tagsOnTrunk({ tagging, sVlan, cVlan }: Ont): VlanTags | null {
  switch (tagging) {
    case 'untagged':
      return { sVlan: 0, cVlan: 0 };
    case 'single':
      return sVlan === 0 ? null : { sVlan, cVlan: 0 };
    case 'qinq':
      return sVlan === 0 || cVlan === 0 ? null : { sVlan, cVlan };
  }
}
