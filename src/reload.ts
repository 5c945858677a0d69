/**
 * Reads the configuration again and gives every part what can change while it runs: the part of the composition root that
 * concerns reloads. All or nothing: whatever can be refused comes before the first change that cannot be taken back.
 */
import type { Logger } from 'pino';
import type { AaaParts } from './aaa-parts.js';
import type { CoaServer } from './aaa/coa-server.js';
import { coaClientsOf } from './coa-parts.js';
import type { Config, PoolConfig } from './config/config.js';
import { describeDifference, differencesOf } from './config/differences.js';
import type { ConfigResult } from './config/parse-config.js';
import type { ReloadOutcome } from './http/operation-routes.js';
import type { DhcpParts } from './dhcp-parts.js';
import { liveSettings } from './live-settings.js';
import { logEvent } from './log-events.js';
import { isBngError } from './model/bng-error.js';
import type { OltClient } from './olt/olt-client.js';
import { HashRingPools } from './pool/hash-ring-pools.js';
import type { SecretOf } from './radius-servers.js';
import { readSecret, serversOf } from './radius-servers.js';
import type { GardenDns } from './garden-dns/garden-dns.js';
import type { SettingsInForce } from './settings-in-force.js';
import { lineSettings } from './line-settings.js';
import type { DhcpDesk } from './session/dhcp-desk.js';
import type { SessionManager } from './session/manager.js';
import type { PoolDesk } from './session/pool-desk.js';
import type { ServiceOptions } from './session/service-options.js';
import type { RadiusSecret } from './wire/radius-secret.js';

export interface ReloadParts {
  /** What runs at first. */
  readonly config: Config;
  readonly readConfig: () => ConfigResult;
  readonly logger: Logger;
  readonly pools: HashRingPools;
  readonly sessions: Pick<DhcpDesk, 'poolsChanged' | 'servicesChanged'>;
  readonly poolDesk: PoolDesk;
  readonly services: ServiceOptions;
  readonly lines: Pick<SessionManager, 'useLines'>;
  readonly dataplane: Pick<SettingsInForce, 'useConfig'>;
  readonly gardenDns: Pick<GardenDns, 'useNames'> | null;
  readonly aaa: Pick<AaaParts, 'inspection' | 'reconfigureAuthenticator'>;
  readonly coa: () => CoaServer | null;
  readonly dhcp: () => DhcpParts | null;
  readonly olt: OltClient | null;
}

type Secrets = ReadonlyMap<string, RadiusSecret>;

/** What is wrong with the new configuration, one text for each problem. */
class Refusal extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('; '));
  }
}

export class Reloader {
  readonly #parts: ReloadParts;
  #config: Config;
  #secrets: Secrets;
  #last: Promise<unknown> = Promise.resolve();

  /** Throws `BNG_ERR_CONFIG` when a secret cannot be read. */
  constructor(parts: ReloadParts) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#secrets = secretsOf(parts.config);
  }

  /** One after the other, in the order they were asked for. Each writes one line to the log. */
  reload(): Promise<ReloadOutcome> {
    const turn = this.#last.then(() => this.#reload());
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #reload(): Promise<ReloadOutcome> {
    const { logger } = this.#parts;
    try {
      const changes = await this.#apply();
      logEvent(logger, 'reloaded', { changes });
      return { ok: true, changes };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      logEvent(logger, 'reload-refused', { problems: error.problems });
      return { ok: false, reason: error.message };
    }
  }

  async #apply(): Promise<readonly string[]> {
    const { gardenDns, pools, poolDesk, sessions, services, lines, aaa, coa, dhcp, olt, logger } =
      this.#parts;
    const before = this.#config;
    const config = read(this.#parts.readConfig);
    const differences = differencesOf(before, config, (path, name) =>
      path === 'pools[]' ? this.#whyKept(name) : null,
    );
    const refused = differences.filter(({ refusal }) => refusal !== null);
    if (refused.length > 0) throw new Refusal(refused.map(describeDifference));
    const added = missingIn(before.pools, config.pools);
    const removed = missingIn(config.pools, before.pools);
    const { secrets } = prepared(() => {
      // Whatever a pool refuses, it refuses here.
      new HashRingPools(added);
      liveSettings(config);
      return { secrets: secretsOf(config) };
    });
    const changes = [...differences.map(describeDifference), ...newSecrets(this.#secrets, secrets)];
    if (changes.length === 0) return changes;

    await this.#reconfigure(config, removed);
    // From here on nothing can fail.
    gardenDns?.useNames(config.walledGarden.dns?.names ?? []);
    for (const { name } of removed) pools.remove(name);
    for (const pool of added) pools.add(pool);
    for (const { name, drain } of config.pools) pools.drain(name, drain);
    pools.useGroups(config.poolGroups);
    sessions.poolsChanged();
    lines.useLines(lineSettings(config));
    poolDesk.changed();
    services.use(config.dhcp.services);
    sessions.servicesChanged();
    dhcp()?.reconfigure(config);
    aaa.reconfigureAuthenticator(config);
    const { radius } = config;
    if (radius !== null) {
      const secretOf: SecretOf = (path) => secrets.get(path) ?? readSecret(path);
      const { timers, limits } = radius;
      const { authentication, accounting } = aaa.inspection;
      authentication?.reconfigure({ servers: serversOf(radius, 'auth', secretOf), timers, limits });
      accounting?.reconfigure({ servers: serversOf(radius, 'acct', secretOf), timers, limits });
      const filters = new Map(Object.entries(radius.filters));
      if (radius.coa !== null) coa()?.reconfigure({ clients: coaClientsOf(radius.coa, secretOf), filters });
    }
    if (config.olt !== null) olt?.useVlans(new Map(Object.entries(config.olt.vlans)));
    logger.level = config.log.level;
    this.#config = config;
    this.#secrets = secrets;
    return changes;
  }

  /** Nobody gets an address of what goes while the dataplane lets it go; where that refuses, all is as before. */
  async #reconfigure(config: Config, removed: readonly PoolConfig[]): Promise<void> {
    const { dataplane, pools } = this.#parts;
    for (const { name } of removed) pools.drain(name, 'keep');
    const outcome = await dataplane.useConfig(config);
    if (outcome.ok) return;
    for (const { name, drain } of removed) pools.drain(name, drain);
    throw new Refusal([`the dataplane refuses it: ${outcome.reason}`]);
  }

  /** Why a pool cannot be taken out, and what to do; null when it can. */
  #whyKept(name: string): string | null {
    const { pools, poolDesk } = this.#parts;
    const held = pools.usage().find((usage) => usage.name === name)?.held ?? 0;
    if (held > 0) {
      const count = held === 1 ? '1 address is held' : `${held} addresses are held`;
      return `${count}: set its drain to keep or move, and take it out when bngctl pools says drained`;
    }
    const back = poolDesk.comingBackTo(name);
    if (back === 0) return null;
    const count = back === 1 ? '1 suspended subscriber comes' : `${back} suspended subscribers come`;
    return `${count} back to it: resume or terminate first`;
  }
}

/** Those of `pools` that are not in `others`, by name. */
function missingIn(others: readonly PoolConfig[], pools: readonly PoolConfig[]): readonly PoolConfig[] {
  return pools.filter(({ name }) => !others.some((other) => other.name === name));
}

function read(readConfig: ReloadParts['readConfig']): Config {
  const result = readConfig();
  if (result.ok) return result.config;
  throw new Refusal(
    result.problems.map(({ line, message }) => (line === null ? message : `line ${line}: ${message}`)),
  );
}

function prepared<T>(prepare: () => T): T {
  try {
    return prepare();
  } catch (error) {
    if (isBngError(error)) throw new Refusal([error.message]);
    throw error;
  }
}

/** By path; two of them may be one file. */
function secretsOf({ radius }: Config): Secrets {
  const files = [...(radius?.servers ?? []), ...(radius?.coa?.clients ?? [])];
  return new Map(files.map(({ secretFile }) => [secretFile, readSecret(secretFile)]));
}

/** Files that were read before and hold another secret now. */
function newSecrets(before: Secrets, after: Secrets): readonly string[] {
  return [...after].flatMap(([path, secret]) => {
    const old = before.get(path);
    return old === undefined || old.equals(secret) ? [] : [`${path}: another secret`];
  });
}
