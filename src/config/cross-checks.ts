/** What settings of different sections must have in common. Looks at whatever could be read, so that nothing is hidden. */
import { CAPTIVE_API_PATH } from '../model/captive-portal.js';
import { formatIpv4 } from '../model/ipv4.js';
import type { Endpoint } from './config.js';
import type { Draft } from './draft.js';
import { checkLines } from './line-checks.js';
import { checkGroups, checkPools } from './pool-checks.js';
import { checkRadius } from './radius-checks.js';
import { formatPath, nameOfPool } from './problem.js';
import type { Finding, Path } from './problem.js';

const DNS_PORT = 53;
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/** Everything wrong with the draft that no entry shows by itself. */
export function crossCheck(draft: Draft): readonly Finding[] {
  return [
    ...checkInterfaces(draft),
    ...checkPools(draft.pools.map((pool) => pool.partial)),
    ...checkGroups(draft),
    ...checkPoolNames(draft),
    ...checkRelays(draft),
    ...checkAuth(draft),
    ...checkLines(draft),
    ...checkRadius(draft),
    ...checkPortal(draft),
    ...checkGardenDns(draft),
    ...checkOffers(draft),
    ...checkCaptiveApi(draft),
    ...checkListeners(draft),
  ];
}

/** Each interface once, on one side. */
function checkInterfaces(draft: Draft): readonly Finding[] {
  const findings: Finding[] = [];
  const firstWith = new Map<string, string>();
  for (const side of ['access', 'core'] as const) {
    const names = draft[side].partial.interface ?? [];
    for (const [at, name] of names.entries()) {
      const path = names.length === 1 ? [side, 'interface'] : [side, 'interface', at];
      const first = firstWith.get(name);
      if (first === undefined) firstWith.set(name, formatPath(path));
      else findings.push({ path, expected: `an interface other than ${first}` });
    }
  }
  return findings;
}

/** Every name of a pool, wherever it stands, must be a pool's, or that of a group. The garden has one gateway, so one pool. */
function checkPoolNames(draft: Draft): readonly Finding[] {
  const pools = draft.pools.flatMap(({ partial }) => (partial.name === undefined ? [] : [partial.name]));
  // A pool whose name could not be read may be the one that is meant.
  if (pools.length < draft.pools.length || pools.length === 0) return [];
  const names = [...pools, ...Object.keys(draft.poolGroups)];
  const uses: { readonly path: Path; readonly name: string | undefined; readonly found?: string }[] = [
    { path: ['auth', 'defaultPool'], name: draft.auth.partial.defaultPool },
    ...draft.authRecords.map(({ partial }, at) => ({
      path: ['auth', 'records', at, 'pool'],
      name: partial.pool,
    })),
    ...(draft.portal.partial.offers ?? []).map(({ pool }, at) => ({
      path: ['portal', 'offers', at, 'pool'],
      name: pool,
    })),
    ...(draft.dhcp.partial.relays ?? []).flatMap(({ pools }, relay) =>
      pools.map((name, at) => ({ path: ['dhcp', 'relays', relay, 'pools', at], name })),
    ),
    ...Object.entries(draft.radius?.partial.filters ?? {}).map(([name, filter]) => ({
      path: ['radius', 'filters', name, 'pool'],
      name: filter.pool,
    })),
    ...Object.keys(draft.olt?.partial.vlans ?? {}).map((name) => ({
      path: ['olt', 'vlans', name],
      name,
      found: name,
    })),
  ];
  const garden = draft.walledGarden.partial.pool;
  return [
    ...uses.flatMap(({ path, name, found }) => {
      if (name === undefined || names.includes(name)) return [];
      const expected = nameOfPool(names);
      return [found === undefined ? { path, expected } : { path, expected, found }];
    }),
    ...(garden === undefined || pools.includes(garden)
      ? []
      : [{ path: ['walledGarden', 'pool'], expected: nameOfPool(pools) }]),
  ];
}

/** Each relay once, and none where nobody's option 82 is believed: a giaddr alone is anybody's to set. */
function checkRelays({ dhcp, access }: Draft): readonly Finding[] {
  const { relays } = dhcp.partial;
  if (relays === undefined) return [];
  const findings: Finding[] = [];
  if (access.partial.trustOption82 === false) {
    findings.push({ path: ['dhcp', 'relays'], expected: 'no relays, as access.trustOption82 is false' });
  }
  relays.forEach(({ host }, at) => {
    const first = relays.findIndex((other) => other.host === host);
    if (first < at) {
      findings.push({
        path: ['dhcp', 'relays', at, 'host'],
        expected: `another host than that of dhcp.relays[${first}]`,
      });
    }
  });
  return findings;
}

function checkAuth({ auth, authRecords }: Draft): readonly Finding[] {
  const findings: Finding[] = [];
  if (auth.partial.mode === 'radius' && authRecords.length > 0) {
    findings.push({ path: ['auth', 'records'], expected: 'no records, as auth.mode is radius' });
  }
  const firstWith = new Map<string, number>();
  authRecords.forEach(({ partial: { ontSerial } }, at) => {
    if (ontSerial === undefined) return;
    const first = firstWith.get(ontSerial);
    if (first === undefined) firstWith.set(ontSerial, at);
    else {
      const expected = `a serial other than that of auth.records[${first}]`;
      findings.push({ path: ['auth', 'records', at, 'ontSerial'], expected });
    }
  });
  return findings;
}

/** Garden members reach the portal on their gateway's address; XDP passes nothing else of the box up to them. */
function checkPortal({ walledGarden, pools }: Draft): readonly Finding[] {
  const { pool: name, portal } = walledGarden.partial;
  const gateway = pools.find(({ partial }) => partial.name === name && name !== undefined)?.partial.gateway;
  if (portal === undefined || gateway === undefined || portal.address === gateway) return [];
  const expected = `the gateway of pool ${name}: ${formatIpv4(gateway)}:port`;
  return [{ path: ['walledGarden', 'portal'], expected }];
}

/** The garden's DNS and its portal share an address. */
function checkGardenDns({ walledGarden }: Draft): readonly Finding[] {
  const { portal, dns } = walledGarden.partial;
  if (dns === undefined || portal?.port !== DNS_PORT) return [];
  return [
    { path: ['walledGarden', 'portal'], expected: 'another port than 53, where walledGarden.dns answers' },
  ];
}

/** With a certificate the portal serves the captive portal API itself, so that is where option 114 must lead. */
function checkCaptiveApi({ portal, walledGarden }: Draft): readonly Finding[] {
  const { tls, captiveApi } = portal.partial;
  if (tls === undefined) return [];
  const port = walledGarden.partial.portal?.port ?? HTTP_PORT;
  const url = captiveApi === undefined ? null : new URL(captiveApi);
  const isOurs =
    url !== null &&
    url.protocol === 'https:' &&
    Number(url.port === '' ? HTTPS_PORT : url.port) === port &&
    `${url.pathname}${url.search}` === CAPTIVE_API_PATH;
  if (isOurs) return [];
  const expected = `https://NAME:${port}${CAPTIVE_API_PATH}, on the portal’s own port, since portal.tls is set`;
  return [{ path: ['portal', 'captiveApi'], expected }];
}

/** An offer is chosen by its service id, and leads out of the garden. */
function checkOffers({ portal, walledGarden }: Draft): readonly Finding[] {
  const firstWith = new Map<string, number>();
  return (portal.partial.offers ?? []).flatMap(({ serviceId, pool }, at): readonly Finding[] => {
    const first = firstWith.get(serviceId);
    if (first === undefined) firstWith.set(serviceId, at);
    const path = ['portal', 'offers', at];
    return [
      ...(first === undefined
        ? []
        : [
            {
              path: [...path, 'serviceId'],
              expected: `a service id other than that of portal.offers[${first}]`,
            },
          ]),
      ...(pool === walledGarden.partial.pool
        ? [{ path: [...path, 'pool'], expected: 'a pool other than the garden’s' }]
        : []),
    ];
  });
}

function checkListeners({ api, metrics }: Draft): readonly Finding[] {
  const findings: Finding[] = [];
  const { listen, insecure, tls } = api.partial;
  if (listen !== undefined && insecure === false && tls === undefined && !isLoopback(listen)) {
    const expected = 'a loopback address, or api.tls, or api.insecure: true';
    findings.push({ path: ['api', 'listen'], expected });
  }
  const other = metrics.partial.listen;
  if (listen !== undefined && other !== undefined && collide(listen, other)) {
    findings.push({ path: ['metrics', 'listen'], expected: 'another address or port than api.listen' });
  }
  return findings;
}

function isLoopback({ address }: Endpoint): boolean {
  return address >>> 24 === 127;
}

/** Port 0 never collides; 0.0.0.0 takes the port on every address. */
function collide(a: Endpoint, b: Endpoint): boolean {
  return a.port !== 0 && a.port === b.port && (a.address === b.address || a.address === 0 || b.address === 0);
}
