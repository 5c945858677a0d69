/**
 * The settings of the running dataplane, which come from two sides: the configuration, and what names of the garden have led to.
 * One change at a time; what is refused changes nothing.
 */
import type { Config } from './config/config.js';
import type { GardenRule } from './dataplane/garden-policy.js';
import type { DataplaneOutcome } from './dataplane/port.js';
import type { LiveSettings } from './dataplane/reconfigure-kernel.js';
import { liveSettings } from './live-settings.js';
import { isBngError } from './model/bng-error.js';

export interface Reconfigurable {
  reconfigure(settings: LiveSettings): Promise<DataplaneOutcome>;
}

export class SettingsInForce {
  readonly #dataplane: Reconfigurable;
  #config: Config;
  #learned: readonly GardenRule[] = [];
  #last: Promise<unknown> = Promise.resolve();

  /** `config`: what the dataplane was opened with. */
  constructor(dataplane: Reconfigurable, config: Config) {
    this.#dataplane = dataplane;
    this.#config = config;
  }

  useConfig(config: Config): Promise<DataplaneOutcome> {
    return this.#inTurn(() => this.#use(config, this.#learned));
  }

  /** In the place of what names led to before. */
  useLearned(learned: readonly GardenRule[]): Promise<DataplaneOutcome> {
    return this.#inTurn(() => this.#use(this.#config, learned));
  }

  async #use(config: Config, learned: readonly GardenRule[]): Promise<DataplaneOutcome> {
    const outcome = await this.#apply(config, learned);
    if (outcome.ok) [this.#config, this.#learned] = [config, learned];
    return outcome;
  }

  async #apply(config: Config, learned: readonly GardenRule[]): Promise<DataplaneOutcome> {
    try {
      return await this.#dataplane.reconfigure(liveSettings(config, learned));
    } catch (error) {
      if (isBngError(error, 'BNG_ERR_CONFIG')) return { ok: false, reason: error.message };
      throw error;
    }
  }

  #inTurn(change: () => Promise<DataplaneOutcome>): Promise<DataplaneOutcome> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
