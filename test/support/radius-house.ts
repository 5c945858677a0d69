/**
 * A house whose AAA server is FreeRADIUS in the core's namespace: what it was asked and told, read from its own logs, and
 * what its radclient can order. Waits with deadlines; asserts nothing of the BNG but that records can be read.
 */
import assert from 'node:assert/strict';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import type { ConfigChanges } from '../../src/lab/lab-bng.js';
import type { LabRadiusOptions } from '../../src/lab/lab-radius.js';
import { LAB_COA_PORT, LAB_RADIUS_SECRET, radiusConfig, startLabRadius } from '../../src/lab/lab-radius.js';
import { NamespaceProbe } from '../../src/lab/namespace-probe.js';
import type { DetailRecord, RadiusServer } from '../../src/lab/radius-server.js';
import { detailValue } from '../../src/lab/radius-server.js';
import type { HouseOptions } from './lab-house.js';
import { House, until } from './lab-house.js';
import { radclientOrder } from './radclient-order.js';

export interface RadiusHouseOptions extends LabRadiusOptions, Omit<HouseOptions, 'configure'> {
  readonly servers?: number;
  readonly auth?: ConfigChanges;
  readonly radius?: ConfigChanges;
}

export interface RadclientOutcome {
  /** Such as `CoA-ACK`; null when nothing answered. */
  readonly answer: string | null;
  readonly errorCause: string | null;
}

const RECORD_DEADLINE_MS = 15_000;
/** For an answer, and for one that must not come. */
const ANSWER_SECONDS = 10;
const SILENCE_SECONDS = 2;

export class RadiusHouse {
  readonly house: House;
  readonly servers: readonly RadiusServer[];
  readonly core: NamespaceProbe;

  private constructor(house: House, servers: readonly RadiusServer[]) {
    this.house = house;
    this.servers = servers;
    this.core = new NamespaceProbe(house.lab.namespaces.core);
  }

  static async start(options: RadiusHouseOptions): Promise<RadiusHouse> {
    const { servers: count = 1, auth = {}, radius = {}, users, messageAuthenticator, ...house } = options;
    const servers: RadiusServer[] = [];
    const started = await House.start({
      ...house,
      configure: async (lab) => {
        for (let n = 1; n <= count; n++) {
          const own = { users, ...(messageAuthenticator === undefined ? {} : { messageAuthenticator }) };
          servers.push(await startLabRadius(lab, own, n));
        }
        return radiusConfig(lab, servers, { auth, radius });
      },
    });
    return new RadiusHouse(started, servers);
  }

  get server(): RadiusServer {
    return this.servers[0]!;
  }

  close(): Promise<void> {
    return this.house.close();
  }

  /** Accounting records of an ONT, of every server, in the order that each logged them. */
  records(userName: string, status?: string): DetailRecord[] {
    return this.servers
      .flatMap((server) => [...server.accounting()])
      .filter((record) => detailValue(record, 'User-Name') === userName)
      .filter((record) => status === undefined || detailValue(record, 'Acct-Status-Type') === status);
  }

  /** Waits for the `count`-th record of its kind. */
  async record(userName: string, status: string, count = 1): Promise<DetailRecord> {
    return until(
      () => `${count}. ${status} of ${userName}, there are ${JSON.stringify(this.records(userName))}`,
      RECORD_DEADLINE_MS,
      () => this.records(userName, status)[count - 1] ?? null,
    );
  }

  /** Waits for an Access-Request. */
  async accessRequest(userName: string): Promise<DetailRecord> {
    const all = (): DetailRecord[] => this.servers.flatMap((server) => [...server.accessRequests()]);
    return until(
      `an Access-Request of ${userName}`,
      RECORD_DEADLINE_MS,
      () => all().find((record) => detailValue(record, 'User-Name') === userName) ?? null,
    );
  }

  /** Sends an order from the core by FreeRADIUS's own client. A timestamp of now and a Message-Authenticator are added. */
  async radclient(
    kind: 'coa' | 'disconnect',
    attributes: readonly string[],
    options: { readonly secret?: string; readonly silent?: boolean } = {},
  ): Promise<RadclientOutcome> {
    const waitSeconds = options.silent === true ? SILENCE_SECONDS : ANSWER_SECONDS;
    const command = ['radclient', '-x', '-D', this.server.folder, '-r', '1', '-t', String(waitSeconds)];
    const target = `${CORE_ADDRESSES.bng}:${LAB_COA_PORT}`;
    const { stdout, stderr } = await this.core.run(
      [...command, target, kind, options.secret ?? LAB_RADIUS_SECRET],
      2_000 * ANSWER_SECONDS,
      radclientOrder(attributes),
    );
    assert.match(stdout, /^Sent /m, stderr);
    return {
      answer: /^Received (\S+) Id/m.exec(stdout)?.[1] ?? null,
      errorCause: /^\s+Error-Cause = (.*)$/m.exec(stdout)?.[1] ?? null,
    };
  }
}

/** The value of an attribute that must be there. */
export function valueOf(record: DetailRecord, name: string): string {
  const value = detailValue(record, name);
  assert.ok(value !== null, `no ${name} in ${JSON.stringify(record)}`);
  return value;
}

/** A 64-bit count of octets, put together from its two attributes; Gigawords are left out while they are 0. */
export function octetsOf(record: DetailRecord, direction: 'Input' | 'Output'): number {
  const words = Number(detailValue(record, `Acct-${direction}-Gigawords`) ?? 0);
  return words * 2 ** 32 + Number(valueOf(record, `Acct-${direction}-Octets`));
}
