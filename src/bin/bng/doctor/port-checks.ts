/** What `bng doctor` asks of the interfaces: driver, offloads, queues, MTU, and where the core side leads. Changes nothing. */
import { createSocket } from 'node:dgram';
import { release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../../config/config.js';
import { jumboProblem } from '../../../dataplane/jumbo.js';
import {
  readOffloads,
  UNWANTED,
  UNWANTED_OF_PEER,
  type UnwantedOffload,
  unwantedOn,
} from '../../../dataplane/offloads.js';
import { readQueues, wantedQueues } from '../../../dataplane/queues.js';
import { hasNativeXdp } from '../../../dataplane/xdp-drivers.js';
import { failed, type Finding, ipList, NEWER_KERNEL, ok, outputOf, warning } from './finding.js';

type Side = 'access' | 'core';
type Link = Readonly<Record<string, unknown>>;

const DEADLINE_MS = 5_000;
const TWO_TAGS_BYTES = 8;
/** How long a neighbour may take to answer the question for its MAC address; the kernel asks three times, once a second. */
const NEIGHBOUR_MS = 3_500;
const POLL_MS = 100;
const DISCARD_PORT = 9;

/** `isRunning`: what a BNG puts right when it starts is wrong where one runs. */
export async function portFindings(config: Config, isRunning: boolean): Promise<readonly Finding[]> {
  const { access, core } = config;
  const sides = [
    ...access.interfaces.map((name) => ({ name, side: 'access' as const })),
    ...core.interfaces.map((name) => ({ name, side: 'core' as const })),
  ];
  const each = await Promise.all(sides.map(({ name, side }) => ofPort(config, name, { side, isRunning })));
  return [...each.flat(), ...(await coreFindings(core.interfaces))];
}

async function ofPort(
  config: Config,
  name: string,
  { side, isRunning }: { readonly side: Side; readonly isRunning: boolean },
): Promise<readonly Finding[]> {
  const [link] = await ipList(['-d', 'link', 'show', 'dev', name]);
  if (link === undefined) {
    const key = `${side}.interface`;
    return [failed(['interface', name], 'there is no such interface', `ip -br link, then set ${key}`)];
  }
  return [
    state(name, link),
    await driver(name, link, config.access.xdpMode),
    ...(await offloads(name, link, { side, isRunning })),
    ...(await queues(name, config.access.tune && !isRunning)),
    mtu(name, link, { config, side, isRunning }),
  ];
}

function state(name: string, link: Link): Finding {
  const flags = Array.isArray(link['flags']) ? link['flags'] : [];
  if (!flags.includes('UP'))
    return warning(
      ['interface', name],
      'is down; the BNG takes it up when it starts',
      `ip link set ${name} up`,
    );
  // Without LOWER_UP nothing is at the other end of the cable.
  return flags.includes('LOWER_UP')
    ? ok(['interface', name], 'up, with carrier')
    : failed(
        ['interface', name],
        'has no carrier: look at cable, optics and the other end',
        `ethtool ${name}`,
      );
}

async function driver(name: string, link: Link, xdpMode: 'native' | 'generic'): Promise<Finding> {
  const subject = ['driver', name] as const;
  const found = /^driver: (.+)$/m.exec((await outputOf(['ethtool', '-i', name])) ?? '')?.[1] ?? 'unknown';
  if (attachedNatively(link)) return ok(subject, `${found}, native XDP in use`);
  if (xdpMode === 'generic') {
    const remedy = 'set access.xdpMode: native, then: systemctl restart bng';
    return hasNativeXdp(found)
      ? warning(subject, `${found} has native XDP, and access.xdpMode is generic: slower`, remedy)
      : ok(subject, `${found}, generic XDP`);
  }
  return hasNativeXdp(found)
    ? ok(subject, `${found} has native XDP`)
    : failed(
        subject,
        `${found} is not known to have native XDP`,
        'set access.xdpMode: generic (slower), or use another card (docs/install.md, Network cards)',
      );
}

/** `ip -d link` tells mode 1 for native, 2 for generic, 3 for offloaded. */
function attachedNatively(link: Link): boolean {
  const xdp = link['xdp'] as { readonly mode?: unknown } | undefined;
  return xdp?.mode === 1;
}

async function offloads(
  name: string,
  link: Link,
  { side, isRunning }: { readonly side: Side; readonly isRunning: boolean },
): Promise<readonly Finding[]> {
  const own = await unwantedOf(name, UNWANTED[side]);
  if (typeof own === 'string')
    return [warning(['offloads', name], `cannot be read: ${own}`, `ethtool -k ${name}`)];
  const findings = own.map(({ feature, word, why, fixed }) => {
    const found = `${feature} is on: ${why}`;
    const remedy = `ethtool -K ${name} ${word} off`;
    if (fixed)
      return failed(['offloads', name], `${found}; the driver lets nobody switch it`, 'use another card');
    return isRunning
      ? failed(['offloads', name], `${found}; switched on since the BNG started`, remedy)
      : warning(['offloads', name], `${found}; the BNG switches it off when it starts`, remedy);
  });
  findings.push(...(await offloadsOfPeer(link, side)));
  return findings.length === 0 ? [ok(['offloads', name], 'nothing hides frames from XDP')] : findings;
}

/** The far end of a veth in this namespace. */
async function offloadsOfPeer(link: Link, side: Side): Promise<Finding[]> {
  const kind = (link['linkinfo'] as { readonly info_kind?: unknown } | undefined)?.info_kind;
  const peer = link['link'];
  if (kind !== 'veth' || typeof peer !== 'string') return [];
  const unwanted = await unwantedOf(peer, UNWANTED_OF_PEER[side]);
  if (typeof unwanted === 'string') return [];
  return unwanted
    .filter(({ fixed }) => !fixed)
    .map(({ feature, word, why }) =>
      failed(['offloads', peer], `${feature} is on: ${why}`, `ethtool -K ${peer} ${word} off`),
    );
}

async function unwantedOf(
  name: string,
  unwanted: readonly UnwantedOffload[],
): Promise<string | ReturnType<typeof unwantedOn>> {
  const found = await readOffloads(name, DEADLINE_MS);
  return typeof found === 'string' ? found : unwantedOn(found, unwanted);
}

/** Nothing where the driver has no say in it. */
async function queues(name: string, willBeSet: boolean): Promise<readonly Finding[]> {
  const found = await readQueues(name, DEADLINE_MS);
  if (found === null) return [];
  const wanted = wantedQueues(found);
  const count = `${found.now} of ${found.most}`;
  if (wanted === null || willBeSet) return [ok(['queues', name], count)];
  const command = `ethtool -L ${name} ${found.kind} ${wanted}`;
  return [warning(['queues', name], `${count}: fewer than CPUs`, `${command}, or set access.tune: true`)];
}

function mtu(
  name: string,
  link: Link,
  { config, side, isRunning }: { readonly config: Config; readonly side: Side; readonly isRunning: boolean },
): Finding {
  const found = Number(link['mtu']);
  const { mtu: packet, tune } = config.access;
  const wanted = side === 'access' ? packet + TWO_TAGS_BYTES : packet;
  const subject = ['mtu', name] as const;
  const jumbo = config.access.xdpMode === 'native' ? jumboProblem(packet, release()) : null;
  if (jumbo !== null) return failed(subject, jumbo, NEWER_KERNEL);
  if (found >= wanted) return ok(subject, String(found));
  const remedy = `ip link set ${name} mtu ${wanted}`;
  if (side === 'core')
    return warning(subject, `${found}: packets of ${packet} bytes (access.mtu) are cut, or refused`, remedy);
  const short = `${found}: packets of ${packet} bytes with two tags want ${wanted}`;
  return tune && !isRunning
    ? warning(subject, `${short}; access.tune sets it at the start`, remedy)
    : failed(subject, short, `${remedy}, or set access.tune: true`);
}

/** Ways out over any core port; each next hop is asked for its MAC address. */
async function coreFindings(interfaces: readonly string[]): Promise<readonly Finding[]> {
  const routes = await ipList(['-4', 'route', 'show', 'table', 'main']);
  const hops = nextHops(routes).filter(({ dev }) => interfaces.includes(dev));
  const core = interfaces.join(', ');
  if (hops.length === 0)
    return [
      failed(
        ['route'],
        `no route leads over ${core} to a next hop: nothing gets past the BNG`,
        `ip route add default via NEXT-HOP dev ${interfaces[0] ?? ''}`,
      ),
    ];
  const how = hops.map(({ via, dev }) => `${via} dev ${dev}`).join(', ');
  return [ok(['route'], how), ...(await Promise.all(hops.map(neighbour)))];
}

interface NextHop {
  readonly via: string;
  readonly dev: string;
}

/** Of routes with one next hop or several, each once. */
function nextHops(routes: readonly Link[]): readonly NextHop[] {
  const all = routes.flatMap((route): readonly unknown[] => {
    const several: unknown = route['nexthops'];
    return Array.isArray(several) ? (several as readonly unknown[]) : [route];
  });
  const hops = all.flatMap((one) => {
    const { gateway, dev } = one as { readonly gateway?: unknown; readonly dev?: unknown };
    return typeof gateway === 'string' && typeof dev === 'string'
      ? [[`${gateway} ${dev}`, { via: gateway, dev }] as const]
      : [];
  });
  return [...new Map(hops).values()];
}

/** A datagram to the discard port makes the kernel ask where it does not know. */
async function neighbour({ via, dev }: NextHop): Promise<Finding> {
  const subject = ['neighbour', via] as const;
  const deadline = performance.now() + NEIGHBOUR_MS;
  let isAsked = false;
  for (;;) {
    const [entry] = await ipList(['neigh', 'show', via, 'dev', dev]);
    const states = Array.isArray(entry?.['state']) ? entry['state'].join(' ') : 'none';
    const mac = entry?.['lladdr'];
    if (typeof mac === 'string' && states !== 'FAILED') return ok(subject, `${mac} (${states})`);
    if (isAsked && (states === 'FAILED' || performance.now() > deadline))
      return failed(
        subject,
        `does not answer on ${dev}`,
        `ping -c 3 -I ${dev} ${via}; ip neigh show dev ${dev}`,
      );
    if (!isAsked) await poke(via);
    isAsked = true;
    await sleep(POLL_MS);
  }
}

function poke(address: string): Promise<void> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    const done = (): void => {
      socket.close();
      resolve();
    };
    // No route, no right to: what comes of it is read from the table.
    socket.on('error', done);
    socket.send('', DISCARD_PORT, address, done);
  });
}
