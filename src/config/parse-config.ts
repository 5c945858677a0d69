/**
 * From the text of bng.yaml to a frozen Config, or to everything that is wrong with it. Pure: reads no file.
 */
import type { Ipv4 } from '../model/ipv4.js';
import { formatIpv4 } from '../model/ipv4.js';
import { CAPTIVE_API_PATH } from '../model/captive-portal.js';
import type { Config, Endpoint } from './config.js';
import { crossCheck } from './cross-checks.js';
import { assembleRadius } from './assemble-radius.js';
import { readDraft } from './draft.js';
import type { Draft } from './draft.js';
import { configProblem } from './problem.js';
import type { ConfigProblem, Finding } from './problem.js';
import { accountingModeOf } from './radius-checks.js';
import { readYaml } from './yaml-source.js';

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Parses and checks a configuration; all problems come at once, in the order of their lines. */
export function parseConfig(text: string): ConfigResult {
  const yaml = readYaml(text);
  if (!yaml.ok) return yaml;
  const { source } = yaml;
  const findings: Finding[] = [];
  const draft = readDraft(source.value, findings);
  findings.push(...crossCheck(draft));
  const config = findings.length === 0 ? assemble(draft) : null;
  if (config !== null) return { ok: true, config: deepFreeze(config) };
  const problems = findings.map(({ path, expected, found }) => {
    const place = source.locate(path);
    return configProblem(path, { line: place.line, expected, found: found ?? place.found });
  });
  return { ok: false, problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
}

/** Null when any section is incomplete. */
function assemble(draft: Draft): Config | null {
  const access = draft.access.complete;
  const core = draft.core.complete;
  const dhcp = draft.dhcp.complete;
  const lines = draft.lines.complete;
  const auth = draft.auth.complete;
  const accounting = draft.accounting.complete;
  const garden = draft.walledGarden.complete;
  const portal = draft.portal.complete;
  const api = draft.api.complete;
  const metrics = draft.metrics.complete;
  const audit = draft.audit.complete;
  const log = draft.log.complete;
  const qos = draft.qos.complete;
  const store = draft.store.complete;
  const dataplane = draft.dataplane.complete;
  const pools = draft.pools.flatMap(({ complete }) => (complete === null ? [] : [complete]));
  const gardenPool = pools.find((pool) => pool.name === garden?.pool);
  if (
    !access ||
    !core ||
    !dhcp ||
    !lines ||
    !auth ||
    !accounting ||
    !garden ||
    !portal ||
    !api ||
    !metrics ||
    !audit ||
    !log ||
    !qos ||
    !store ||
    !dataplane ||
    !gardenPool
  )
    return null;
  const portalEndpoint = garden.portal ?? { address: gardenPool.gateway, port: 80 };
  const { interface: interfaces, ...accessSettings } = access;
  const captivePortal = portal.captiveApi ?? captiveApiOf(portalEndpoint);
  return {
    access: { ...accessSettings, interfaces },
    core: { interfaces: core.interface },
    pools: pools.map(({ leaseTime, renewTime, rebindTime, options, ...pool }) => ({
      ...pool,
      leaseSeconds: leaseTime,
      ...(renewTime === undefined ? {} : { renewSeconds: renewTime }),
      ...(rebindTime === undefined ? {} : { rebindSeconds: rebindTime }),
      ...(options.length === 0 ? {} : { options }),
      ...(pool.name === garden.pool ? { ...resolverOf(garden.dns, pool.gateway), captivePortal } : {}),
    })),
    poolGroups: draft.poolGroups,
    dhcp: assembleDhcp(dhcp, draft.poolGroups),
    lines: assembleLines(lines),
    auth: { ...auth, records: assembleRecords(draft) },
    radius: assembleRadius(draft),
    accounting: { ...accounting, mode: accountingModeOf(draft) },
    walledGarden: {
      poolName: garden.pool,
      portal: portalEndpoint,
      allow: garden.allow,
      dns: garden.dns ?? null,
    },
    portal: assemblePortal(portal),
    olt: assembleOlt(draft),
    api: { ...api, tls: api.tls ?? null },
    metrics,
    store: store.mode === 'memory' ? null : { path: store.path },
    audit,
    log,
    qos,
    dataplane,
  };
}

/** Where the garden has a DNS, its members ask that one. */
function resolverOf(dns: object | undefined, gateway: Ipv4): { readonly dns?: readonly Ipv4[] } {
  return dns === undefined ? {} : { dns: [gateway] };
}

/** Addresses of all pools of a group are good where the group is. */
function assembleDhcp(
  dhcp: NonNullable<Draft['dhcp']['complete']>,
  groups: Config['poolGroups'],
): Config['dhcp'] {
  const { relays, probeWait, ...rest } = dhcp;
  return {
    ...rest,
    probeWaitMs: probeWait,
    relays:
      relays?.map(({ host, pools, ...relay }) => ({
        ...relay,
        pools: [...new Set(pools.flatMap((name) => groups[name] ?? [name]))],
        address: host,
      })) ?? null,
  };
}

function assembleLines(lines: NonNullable<Draft['lines']['complete']>): Config['lines'] {
  const { sessions = null, macs = null, wait, liveness, ...rest } = lines;
  const { interval, ...watch } = liveness;
  return { ...rest, sessions, macs, waitMs: wait, liveness: { ...watch, intervalSeconds: interval } };
}

function assembleOlt({ olt }: Draft): Config['olt'] {
  if (olt === null || olt.complete === null) return null;
  const { timeout, ...rest } = olt.complete;
  return { ...rest, timeoutMs: timeout };
}

function captiveApiOf({ address, port }: Endpoint): string {
  return `http://${formatIpv4(address)}${port === 80 ? '' : `:${port}`}${CAPTIVE_API_PATH}`;
}

function assemblePortal(portal: NonNullable<Draft['portal']['complete']>): Config['portal'] {
  const { provider, contact = null, offers, templates = null, tls, captiveApi } = portal;
  return {
    provider,
    contact,
    templates,
    tls: tls === undefined || captiveApi === undefined ? null : { ...tls, host: new URL(captiveApi).host },
    offers: offers.map(({ pool, downloadBps, uploadBps, description = null, ...offer }) => ({
      ...offer,
      poolName: pool,
      downloadBitsPerSecond: downloadBps,
      uploadBitsPerSecond: uploadBps,
      description,
    })),
  };
}

function assembleRecords(draft: Draft): Config['auth']['records'] {
  return draft.authRecords.flatMap(({ complete }) => {
    if (complete === null) return [];
    const { ontSerial, pool, address, mac, serviceId, downloadBps, uploadBps } = complete;
    return [
      {
        ontSerial,
        ...(address === undefined ? {} : { address }),
        ...(mac === undefined ? {} : { mac }),
        poolName: pool,
        serviceId: serviceId ?? pool,
        downloadBitsPerSecond: downloadBps,
        uploadBitsPerSecond: uploadBps,
      },
    ];
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze<unknown>(part);
  return value;
}
