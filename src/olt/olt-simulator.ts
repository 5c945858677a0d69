/**
 * The rules of the simulated access node: which ONTs there are, what they are provisioned with, what is told of it.
 * Frames and links are moved by the line plant that it is given. Holds no sockets.
 */
import { BngError } from '../model/bng-error.js';
import type { Ont, OltEvent, PlugParams, ReconfigureParams } from './protocol.js';

/** What carries the ONTs' frames. A refusal of the outside world is thrown as `BngError`. */
export interface LinePlant {
  /** Frames of the ONT pass with its tags from now on; also for an ONT whose tags changed. */
  provision(ont: Ont): void;
  /** Nothing of the ONT passes any more. */
  withdraw(ont: Ont): void;
  /** Takes the customer's link down; it comes up again by itself a short time after this resolves. */
  bounce(ont: Ont): Promise<void>;
}

export interface OltSimulatorOptions {
  readonly aggregatorId: string;
  /** S-VLAN of an ONT that nobody has configured. */
  readonly gardenSVlan: number;
  readonly plant: LinePlant;
  readonly onEvent: (event: OltEvent) => void;
}

/** Every refusal is a `BngError` with `BNG_ERR_OLT`. */
export class OltSimulator {
  readonly #options: OltSimulatorOptions;
  readonly #onts = new Map<string, Ont>();

  constructor(options: OltSimulatorOptions) {
    this.#options = options;
  }

  /** Every ONT there is, in order of appearance. */
  onts(): Ont[] {
    return [...this.#onts.values()];
  }

  /** Fibre with an ONT at its end is plugged into a port: it is detected, then provisioned into the garden. */
  plug(params: PlugParams): Ont {
    for (const other of this.#onts.values()) {
      for (const field of ['ontSerial', 'port', 'interface'] as const) {
        if (other[field] === params[field]) {
          throw new BngError('BNG_ERR_OLT', `expected a ${field} that is not in use`, {
            found: params[field],
          });
        }
      }
    }
    if (params.cVlan !== undefined && params.tagging !== 'qinq') {
      throw new BngError('BNG_ERR_OLT', 'expected a C-VLAN for a double-tagged line only', {
        ontSerial: params.ontSerial,
      });
    }
    const ont: Ont = {
      ontSerial: params.ontSerial,
      port: params.port,
      aggregatorId: this.#options.aggregatorId,
      interface: params.interface,
      tagging: params.tagging,
      sVlan: this.#options.gardenSVlan,
      cVlan: params.tagging === 'qinq' ? (params.cVlan ?? this.#freeCVlan()) : 0,
      state: 'provisioned',
      qosDownloadBps: 0,
      qosUploadBps: 0,
      circuitId: `${this.#options.aggregatorId}|${params.port}`,
      remoteId: params.ontSerial,
    };
    this.#options.plant.provision(ont);
    this.#onts.set(ont.ontSerial, ont);
    // Its frames may come at once: who hears of it knows how they will be tagged.
    this.#tell('NewONTDetected', { ...ont, state: 'detected' });
    this.#tell('ONTProvisioned', ont);
    return ont;
  }

  unplug(ontSerial: string): Ont {
    const ont = this.#known(ontSerial);
    this.#onts.delete(ontSerial);
    this.#options.plant.withdraw(ont);
    const gone: Ont = { ...ont, state: 'disconnected' };
    this.#tell('ONTDisconnected', gone);
    return gone;
  }

  /**
   * Gives an ONT other tags and rates and bounces its UNI link, so that the customer's equipment asks again. Resolves
   * while the link is still down, so that who asked is ready before the customer is. Without a change nothing happens.
   */
  async reconfigure(params: ReconfigureParams): Promise<Ont> {
    const ont = this.#known(params.ontSerial);
    if (params.cVlan !== undefined && ont.tagging !== 'qinq') {
      throw new BngError('BNG_ERR_OLT', 'expected a C-VLAN for a double-tagged line only', {
        ontSerial: ont.ontSerial,
      });
    }
    const { sVlan, cVlan = ont.cVlan, qosDownloadBps, qosUploadBps } = params;
    const next: Ont = { ...ont, sVlan, cVlan, qosDownloadBps, qosUploadBps };
    const changed = (['sVlan', 'cVlan', 'qosDownloadBps', 'qosUploadBps'] as const).some(
      (field) => next[field] !== ont[field],
    );
    if (!changed && params.bounce !== true) return ont;
    this.#options.plant.provision(next);
    this.#onts.set(next.ontSerial, next);
    await this.#options.plant.bounce(next);
    this.#tell('ONTReconfigured', next);
    return next;
  }

  #known(ontSerial: string): Ont {
    const ont = this.#onts.get(ontSerial);
    if (ont === undefined) throw new BngError('BNG_ERR_OLT', 'expected a known ONT', { ontSerial });
    return ont;
  }

  /** The lowest C-VLAN that no ONT has, so that a pair of tags names one line whatever its S-VLAN becomes. */
  #freeCVlan(): number {
    const used = new Set(this.onts().map((ont) => ont.cVlan));
    for (let cVlan = 1; cVlan <= 4094; cVlan++) if (!used.has(cVlan)) return cVlan;
    throw new BngError('BNG_ERR_OLT', 'expected a free C-VLAN', { used: used.size });
  }

  #tell(type: OltEvent['type'], ont: Ont): void {
    this.#options.onEvent({ type, ...ont });
  }
}
